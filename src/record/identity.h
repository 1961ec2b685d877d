/* Who this process is. */
#ifndef SM_RECORD_IDENTITY_H
#define SM_RECORD_IDENTITY_H

#include "ring/ring_layout.h"

#include <stddef.h>

/* pid, ppid, start_time and a new `unique`; the rest is zero. */
void sm_identity_fill(struct sm_ring_header *ret_who);
/* The kernel's boot id, "" where there is none to read. */
void sm_identity_read_boot_id(char ret_text[40]);
/* What runs here, for people: the script of an interpreter, else the program. */
void sm_identity_read_program(char *ret_text, size_t bytes);

#endif
