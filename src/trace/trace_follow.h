/* A run that is still being written, read as it grows: what the reader would tell of it, told bit by bit.
 *
 * Nothing of the run is changed, locked or mapped: files and mappings are read with pread(2) alone, so neither the job nor
 * the collector can notice. What the visitor is told comes in the reader's order, with two exceptions: facts of the run come
 * when they are written, and so do the files of ranks that join late. */
#ifndef SM_TRACE_TRACE_FOLLOW_H
#define SM_TRACE_TRACE_FOLLOW_H

#include "base/err.h"
#include "trace/trace_reader.h"

struct sm_trace_follow;

/* `run` is a directory; the visitor must outlive it. */
int sm_trace_follow_open(struct sm_trace_follow **ret_follow, const char *run,
	const struct sm_trace_visitor *visitor, struct sm_error *reterr);
void sm_trace_follow_close(struct sm_trace_follow *follow); /* NULL is fine */

/* Tells what has come since the last call, of the files at most about `bytes`. 1: there is more to be had at once; 0: all was
 * told, what is in mappings included; an error, or what the visitor stopped with. */
int sm_trace_follow_more(struct sm_trace_follow *follow, uint64_t bytes);

/* Of the files, what was told and what there is. */
uint64_t sm_trace_follow_done(const struct sm_trace_follow *follow, uint64_t *ret_total);
/* As of now; `complete` while nothing was lost. */
const struct sm_trace_summary *sm_trace_follow_summary(const struct sm_trace_follow *follow);

#endif
