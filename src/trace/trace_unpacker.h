/* The PACKED coding back into columns, batch by batch. */
#ifndef SM_TRACE_TRACE_UNPACKER_H
#define SM_TRACE_TRACE_UNPACKER_H

#include "trace/trace_columns.h"

enum { SM_TRACE_UNPACKER_SLACK = 64 }; /* bytes behind a body that must be readable */

struct sm_trace_unpacker; /* opaque, heap */
int sm_trace_unpacker_create(struct sm_trace_unpacker **ret_unpacker);
void sm_trace_unpacker_destroy(struct sm_trace_unpacker *unpacker); /* NULL is fine */
/* `body` must stay. 0, -SM_ERR_FORMAT, -ENOMEM. */
int sm_trace_unpacker_begin(
	struct sm_trace_unpacker *unpacker, const struct sm_trace_block *block, const void *body);
/* The next rows, at most `rows` (a multiple of 4), replace what is in `columns`. 1; 0: the end; -SM_ERR_FORMAT, -ENOMEM. */
int sm_trace_unpacker_next(
	struct sm_trace_unpacker *unpacker, struct sm_trace_columns *columns, size_t rows);

#endif
