/* How functions fail.
 *
 * A function that can fail returns 0 or a negative number: -errno, or one of our own codes below,
 * which start above every errno. Those with something to tell (openers, parsers) also take a last
 * argument `struct sm_error *reterr`; NULL is welcome there. */
#ifndef SM_BASE_ERR_H
#define SM_BASE_ERR_H

#include <stdint.h>

enum sm_err {
	SM_ERR_FORMAT = 4096, /* not one of our files */
	SM_ERR_VERSION,	      /* one of ours, from a later major version */
	SM_ERR_TORN,	      /* ends in the middle of something */
	SM_ERR_CHECKSUM,      /* bytes were changed */
	SM_ERR_LIMIT,	      /* a bound of ours was reached */
	SM_ERR_EMPTY,	      /* nothing there to work on */
};

struct sm_error {
	int code;	/* what the function returned */
	int64_t offset; /* byte in the file where it was noticed, or -1 */
	char msg[160];	/* one line for people, no newline */
};

/* Fills *reterr (if not NULL) and returns `code`, so that callers can write `return sm_error_set(...)`. */
int sm_error_set(struct sm_error *reterr, int code, int64_t offset, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Words for a negative code, errno or ours. Never NULL. */
const char *sm_error_text(int code);

#endif
