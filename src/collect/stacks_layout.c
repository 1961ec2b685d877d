/* Offsets change from one minor version to the next and stay within it. Up to 3.12 they are a table here, made by the
 * compiler from each version's headers on a machine of 64 bits (tests/python/test_stacks_layout.py does it again where
 * the headers are). From 3.13 the interpreter says them itself; the row of 3.13 holds what its table leaves out.
 *
 * None is believed unseen: stacks_interpreter.c checks what it reads by them, and a version that does not fit is said
 * not to be measured. */
#include "collect/stacks_layout.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define NONE SM_STACKS_NONE

/* clang-format off */
static const struct sm_stacks_layout layouts[] = {
	{.minor = 10, .runtime_interpreters = 32, .runtime_gil = 352,
	 .interpreter_next = 0, .interpreter_threads = 8, .interpreter_gil = NONE, .gil_holder = 8, .gil_locked = 16,
	 .thread_bytes = 184, .thread_next = 8, .thread_interpreter = 16, .thread_pthread = 176, .thread_native_id = NONE,
	 .thread_frame = 24, .cframe_current = NONE, .thread_chunk = NONE, .thread_top = NONE,
	 .frame_bytes = 112, .frame_previous = 24, .frame_code = 32, .frame_owner = NONE, .frame_instruction = 96,
	 .code_bytes = 176, .code_file = 104, .code_name = 112, .code_first_line = 40, .code_lines = 120,
	 .code_instructions = 48, .bytes_length = 16, .bytes_begin = 32, .text_length = 16, .text_state = 32,
	 .text_ascii_bytes = 48, .text_compact_bytes = 72, .type_name = 24},
	{.minor = 11, .runtime_interpreters = 40, .runtime_gil = 360,
	 .interpreter_next = 0, .interpreter_threads = 16, .interpreter_gil = NONE, .gil_holder = 8, .gil_locked = 16,
	 .thread_bytes = 312, .thread_next = 8, .thread_interpreter = 16, .thread_pthread = 152, .thread_native_id = 160,
	 .thread_frame = 56, .cframe_current = 8, .thread_chunk = 296, .thread_top = 304,
	 .frame_bytes = 72, .frame_previous = 48, .frame_code = 32, .frame_owner = 69, .frame_instruction = 56,
	 .code_bytes = 184, .code_file = 112, .code_name = 128, .code_first_line = 72, .code_lines = 136,
	 .code_instructions = 184, .bytes_length = 16, .bytes_begin = 32, .text_length = 16, .text_state = 32,
	 .text_ascii_bytes = 48, .text_compact_bytes = 72, .type_name = 24},
	{.minor = 12, .runtime_interpreters = 40, .runtime_gil = NONE,
	 .interpreter_next = 0, .interpreter_threads = 72, .interpreter_gil = 384, .gil_holder = 8, .gil_locked = 16,
	 .thread_bytes = 248, .thread_next = 8, .thread_interpreter = 16, .thread_pthread = 136, .thread_native_id = 144,
	 .thread_frame = 56, .cframe_current = 0, .thread_chunk = 232, .thread_top = 240,
	 .frame_bytes = 72, .frame_previous = 8, .frame_code = 0, .frame_owner = 70, .frame_instruction = 56,
	 .code_bytes = 192, .code_file = 112, .code_name = 128, .code_first_line = 68, .code_lines = 136,
	 .code_instructions = 192, .bytes_length = 16, .bytes_begin = 32, .text_length = 16, .text_state = 32,
	 .text_ascii_bytes = 40, .text_compact_bytes = 56, .type_name = 24},
	{.minor = 13, .runtime_interpreters = 632, .runtime_gil = NONE,
	 .interpreter_next = 7264, .interpreter_threads = 7344, .interpreter_gil = 16, .gil_holder = 8, .gil_locked = 16,
	 .thread_bytes = 248, .thread_next = 8, .thread_interpreter = 16, .thread_pthread = 152, .thread_native_id = 160,
	 .thread_frame = 72, .cframe_current = NONE, .thread_chunk = 232, .thread_top = 240,
	 .frame_bytes = 72, .frame_previous = 8, .frame_code = 0, .frame_owner = 70, .frame_instruction = 56,
	 .code_bytes = 200, .code_file = 112, .code_name = 128, .code_first_line = 68, .code_lines = 136,
	 .code_instructions = 200, .bytes_length = 16, .bytes_begin = 32, .text_length = 16, .text_state = 32,
	 .text_ascii_bytes = 40, .text_compact_bytes = 56, .type_name = 24},
};
/* clang-format on */

const struct sm_stacks_layout *sm_stacks_layout_find(int minor)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].minor == minor) {
			return &layouts[i];
		}
	}
	return NULL;
}

/* --- what 3.13 publishes: the start of struct _Py_DebugOffsets, in words of 8 bytes --- */

enum word {
	COOKIE,
	VERSION,
	FREE_THREADED,
	RUNTIME_INTERPRETERS = 5,
	INTERPRETER_NEXT = 8,
	INTERPRETER_THREADS = 9,
	INTERPRETER_GIL = 14,
	THREAD_NEXT = 21,
	THREAD_INTERPRETER = 22,
	THREAD_FRAME = 23,
	THREAD_PTHREAD = 24,
	THREAD_NATIVE_ID = 25,
	THREAD_CHUNK = 26,
	FRAME_PREVIOUS = 29,
	FRAME_CODE = 30,
	FRAME_INSTRUCTION = 31,
	FRAME_OWNER = 33,
	CODE_FILE = 35,
	CODE_QUALNAME = 37,
	CODE_LINES = 38,
	CODE_FIRST_LINE = 39,
	CODE_INSTRUCTIONS = 43,
	TYPE_NAME = 47,
	BYTES_LENGTH = 65,
	BYTES_BEGIN = 66,
	TEXT_STATE = 68,
	TEXT_LENGTH = 69,
	TEXT_ASCII_BYTES = 70,
	WORDS
};

static int take_words(const uint64_t words[WORDS], struct sm_stacks_layout *layout)
{
	const struct {
		enum word word;
		uint16_t *to;
	} fields[] = {
		{RUNTIME_INTERPRETERS, &layout->runtime_interpreters},
		{INTERPRETER_NEXT, &layout->interpreter_next},
		{INTERPRETER_THREADS, &layout->interpreter_threads},
		{INTERPRETER_GIL, &layout->interpreter_gil},
		{THREAD_NEXT, &layout->thread_next},
		{THREAD_INTERPRETER, &layout->thread_interpreter},
		{THREAD_FRAME, &layout->thread_frame},
		{THREAD_PTHREAD, &layout->thread_pthread},
		{THREAD_NATIVE_ID, &layout->thread_native_id},
		{THREAD_CHUNK, &layout->thread_chunk},
		{FRAME_PREVIOUS, &layout->frame_previous},
		{FRAME_CODE, &layout->frame_code},
		{FRAME_INSTRUCTION, &layout->frame_instruction},
		{FRAME_OWNER, &layout->frame_owner},
		{CODE_FILE, &layout->code_file},
		{CODE_QUALNAME, &layout->code_name},
		{CODE_LINES, &layout->code_lines},
		{CODE_FIRST_LINE, &layout->code_first_line},
		{CODE_INSTRUCTIONS, &layout->code_instructions},
		{TYPE_NAME, &layout->type_name},
		{BYTES_LENGTH, &layout->bytes_length},
		{BYTES_BEGIN, &layout->bytes_begin},
		{TEXT_STATE, &layout->text_state},
		{TEXT_LENGTH, &layout->text_length},
		{TEXT_ASCII_BYTES, &layout->text_ascii_bytes},
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (words[fields[i].word] >= SM_STACKS_NONE) {
			return -ENOTSUP;
		}
		*fields[i].to = (uint16_t)words[fields[i].word];
	}
	return 0;
}

static uint16_t larger(uint16_t a, uint16_t b)
{
	return a > b ? a : b;
}

static bool is_too_large(const struct sm_stacks_layout *layout)
{
	return layout->thread_bytes > 1024 || layout->frame_bytes > 256 || layout->code_bytes > 512;
}

/* What is read of each thing ends behind the last field that is needed. */
static int measure(struct sm_stacks_layout *layout)
{
	layout->thread_top = layout->thread_chunk + 8;
	layout->thread_bytes = larger(layout->thread_top, layout->thread_native_id) + 8;
	layout->thread_bytes = larger(layout->thread_bytes, layout->thread_frame + 8);
	layout->thread_bytes = larger(layout->thread_bytes, layout->thread_pthread + 8);
	layout->thread_bytes = larger(layout->thread_bytes, layout->thread_interpreter + 8);
	layout->thread_bytes = larger(layout->thread_bytes, layout->thread_next + 8);
	layout->frame_bytes = larger(layout->frame_instruction, layout->frame_previous) + 8;
	layout->frame_bytes = larger(layout->frame_bytes, layout->frame_code + 8);
	layout->frame_bytes = larger(layout->frame_bytes, layout->frame_owner / 8 * 8 + 8);
	layout->code_bytes = layout->code_instructions;
	return is_too_large(layout) ? -ENOTSUP : 0;
}

int sm_stacks_layout_published(const struct sm_stacks_memory *memory, uint64_t runtime,
	struct sm_stacks_layout *ret_layout)
{
	uint64_t words[WORDS];
	int r = sm_stacks_memory_read(memory, runtime, words, sizeof(words));
	if (r) {
		return r;
	}
	if (memcmp(&words[COOKIE], "xdebugpy", 8)) {
		return -ENOENT;
	}
	const struct sm_stacks_layout *known = sm_stacks_layout_find(13);
	if (words[VERSION] >> 16 != 0x030d || words[FREE_THREADED]) {
		return -ENOTSUP; /* later tables have other fields in between */
	}
	struct sm_stacks_layout layout = *known;
	r = take_words(words, &layout);
	r = r ? r : measure(&layout);
	if (!r) {
		*ret_layout = layout;
	}
	return r;
}
