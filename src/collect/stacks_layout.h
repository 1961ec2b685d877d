/* Where CPython keeps what a stack is made of: offsets of one minor version. */
#ifndef SM_COLLECT_STACKS_LAYOUT_H
#define SM_COLLECT_STACKS_LAYOUT_H

#include "collect/stacks_memory.h"

#include <stdbool.h>
#include <stdint.h>

enum { SM_STACKS_NONE = 0xffff }; /* this version has no such field */

/* clang-format off */
struct sm_stacks_layout {
	int minor;                      /* of 3.x */
	uint16_t runtime_interpreters;  /* in _PyRuntime: the first interpreter */
	uint16_t runtime_gil;           /* before 3.12: the lock itself */
	uint16_t interpreter_next, interpreter_threads;
	uint16_t interpreter_gil;       /* from 3.12: a pointer to the lock */
	uint16_t gil_holder, gil_locked;
	uint16_t thread_bytes;          /* as much of a thread state as is needed */
	uint16_t thread_next, thread_interpreter, thread_pthread, thread_native_id;
	uint16_t thread_frame;          /* the current frame; 3.11 and 3.12: a C frame that points to it */
	uint16_t cframe_current;        /* only 3.11 and 3.12 */
	uint16_t thread_chunk, thread_top; /* from 3.11: where frames lie */
	uint16_t frame_bytes;           /* as much of a frame as is needed */
	uint16_t frame_previous, frame_code, frame_owner;
	uint16_t frame_instruction;     /* a pointer; 3.10: an index, four bytes */
	uint16_t code_bytes;            /* without its instructions */
	uint16_t code_file, code_name, code_first_line, code_lines;
	uint16_t code_instructions;     /* the instructions themselves; 3.10: a pointer to them */
	uint16_t bytes_length, bytes_begin;
	uint16_t text_length, text_state, text_ascii_bytes, text_compact_bytes;
	uint16_t type_name;
};
/* clang-format on */

/* The layout of 3.`minor`; NULL when we know none. */
const struct sm_stacks_layout *sm_stacks_layout_find(int minor);

/* From 3.13 an interpreter publishes its offsets at the start of _PyRuntime. 0 and the layout they make; -ENOENT where it
 * publishes none, -ENOTSUP where it has no GIL or a later form of the table, or what reading said. */
int sm_stacks_layout_published(const struct sm_stacks_memory *memory, uint64_t runtime,
	struct sm_stacks_layout *ret_layout);

#endif
