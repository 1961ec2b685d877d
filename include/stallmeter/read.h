/* stallmeter, the reader's side: a finished run, and what there is to say about it.
 *
 *     struct sm_read *run;
 *     char why[SM_READ_WHY];
 *     if (!sm_read_open(&run, "stallmeter-train-20260101-120000", why)) {
 *             sm_read_write(run, SM_READ_JSON, stdout);
 *             sm_read_close(run);
 *     }
 *
 * It reads files alone, needs no process beside it, and never changes what it reads. It is part of the program and of the
 * extension `_read`, not of the library that programs link to record: that one needs libc and nothing else. */
#ifndef STALLMETER_READ_H
#define STALLMETER_READ_H

#include <stallmeter/stallmeter.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SM_READ_WHY = 256 };

enum sm_read_form {
	SM_READ_JSON,	  /* schema stallmeter/report/1 */
	SM_READ_HTML,	  /* one page that needs no network */
	SM_READ_MARKDOWN, /* for an issue or a pull request */
	SM_READ_TEXT,	  /* as a terminal of 100 columns shows it, plain */
};

struct sm_read; /* a run, read and judged; safe to write from several threads at once */

/* Reads a run directory or one .stall file; bench/trace_100m.c measures how long that takes. Returns 0, or a negative
 * errno when the files could not be read, or a number of -4096 and below when they are no run of ours, are damaged, or
 * were written by a later version; then `why` holds one line for people. */
SM_API int sm_read_open(struct sm_read **ret_read, const char *path, char why[SM_READ_WHY]);
/* 0, -ENOMEM, or -EIO when the stream failed. The same run gives the same bytes. */
SM_API int sm_read_write(const struct sm_read *read, enum sm_read_form form, FILE *out);
SM_API void sm_read_close(struct sm_read *read); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
