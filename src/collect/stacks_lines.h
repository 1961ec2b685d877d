/* Line numbers out of a code object's location table. */
#ifndef SM_COLLECT_STACKS_LINES_H
#define SM_COLLECT_STACKS_LINES_H

#include <stddef.h>
#include <stdint.h>

/* The line of the instruction at `offset` bytes of a code object of 3.`minor` that begins at `first_line`. 0: the
 * table gives it none, or is no table. */
uint32_t sm_stacks_lines_find(
	int minor, const unsigned char *table, size_t bytes, uint32_t first_line, uint32_t offset);

#endif
