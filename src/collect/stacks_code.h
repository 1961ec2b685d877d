/* Code objects: whose code an address is, and on which line an instruction of it lies. Read once per process. */
#ifndef SM_COLLECT_STACKS_CODE_H
#define SM_COLLECT_STACKS_CODE_H

#include "base/map.h"
#include "collect/stacks_layout.h"
#include "collect/stacks_memory.h"
#include "collect/stacks_table.h"
#include "collect/stacks_walk.h"

#include <stdbool.h>
#include <stdint.h>

/* What is kept of a function, for all processes that run it. */
struct sm_stacks_code_body {
	uint32_t function; /* of the table */
	uint32_t first_line;
	int minor;
	unsigned char *lines; /* owned; its location table */
	uint32_t line_bytes;
	unsigned char *calls; /* owned; a bit for each instruction that calls */
	uint32_t instructions;
	bool shim; /* a helper of the interpreter's, no code of anybody's */
};

struct sm_stacks_code_bodies {
	struct sm_stacks_code_body *body; /* owned */
	size_t count, capacity, bytes;
	struct sm_map by_content;
};
void sm_stacks_code_bodies_finish(struct sm_stacks_code_bodies *bodies);

struct sm_stacks_code {
	uint64_t address, identity; /* identity: of what is there */
	uint64_t instructions;	    /* where they begin */
	uint32_t body;
	int64_t seen_ns; /* when it was last seen to be there */
};

/* The code objects of one process. */
struct sm_stacks_codes {
	struct sm_stacks_code *code; /* owned */
	size_t count, capacity;
	struct sm_map by_address;
	uint64_t type; /* of code objects there; 0: none seen yet */
};
void sm_stacks_code_forget(struct sm_stacks_codes *codes);

struct sm_stacks_code_source {
	const struct sm_stacks_memory *memory;
	const struct sm_stacks_layout *layout;
	struct sm_stacks_table *table;
	struct sm_stacks_code_bodies *bodies;
	int64_t now_ns;
};

/* Looks whether known code objects are still what they were; by one read for many. Those that are not, or that cannot be
 * read, are read anew when they are looked for. */
void sm_stacks_code_check(const struct sm_stacks_code_source *source, struct sm_stacks_codes *codes,
	const struct sm_stacks_frame *frames, int count);
/* Place of the code object in `codes`; negative: there is none (-EAGAIN), no room, or what reading said. */
int64_t sm_stacks_code_find(const struct sm_stacks_code_source *source,
	struct sm_stacks_codes *codes, uint64_t address);

struct sm_stacks_spot {
	uint32_t function, line; /* line 0: not known */
	bool calls;		 /* the instruction calls something */
	bool shim;		 /* no place of a stack */
};
/* False where the frame's instruction is not one of this code: the frame was torn. */
bool sm_stacks_code_locate(const struct sm_stacks_code_bodies *bodies,
	const struct sm_stacks_code *code, const struct sm_stacks_frame *frame,
	struct sm_stacks_spot *ret_spot);

#endif
