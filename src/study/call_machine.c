/* What this machine takes for what nobody can do without: touching fresh memory, and passing over data once.
 *
 * The price of a minor fault is a quarter of a microsecond on bare metal and eight times that in some guests, so it is measured
 * where it is judged. A pass over data is a memcpy: what reading an input and writing an output of that size takes at least,
 * however well it is written, on one core. */
#include <stallmeter/calls.h>

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	TRIES = 7, /* the second smallest and the second largest are the ends: of seven, 5/8 and more lie between */
	FAULT_PAGES = 1024,
	PASS_BYTES_MAX = 32 << 20, /* larger ones are scaled: by then it is memory that limits */
	PASS_TRIES = 3,
};

static double seconds_since(int64_t begin_ns)
{
	return (double)(sm_clock_mono_ns() - begin_ns) * 1e-9;
}

/* Huge pages would make one fault of 512. */
static int touch_fresh(double *ret_seconds)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = FAULT_PAGES * page;
	volatile char *pages = sm_mem_map(bytes);
	if (!pages) {
		return -ENOMEM;
	}
	(void)madvise((void *)(uintptr_t)pages, bytes, MADV_NOHUGEPAGE);
	int64_t begin_ns = sm_clock_mono_ns();
	for (size_t at = 0; at < bytes; at += page) {
		pages[at] = 1;
	}
	*ret_seconds = seconds_since(begin_ns) / FAULT_PAGES;
	sm_mem_unmap((void *)(uintptr_t)pages, bytes);
	return 0;
}

static int smaller_first(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

int sm_call_machine_fault(struct sm_call_range *ret_seconds)
{
	double tries[TRIES];
	for (int i = 0; i < TRIES; i++) {
		int error = touch_fresh(&tries[i]);
		if (error) {
			return error;
		}
	}
	qsort(tries, TRIES, sizeof(tries[0]), smaller_first);
	*ret_seconds = (struct sm_call_range){tries[TRIES / 2], tries[1], tries[TRIES - 2]};
	return 0;
}

static double copy_once(char *to, const char *from, size_t bytes)
{
	int64_t begin_ns = sm_clock_mono_ns();
	memcpy(to, from, bytes);
	__asm__ volatile(""
			 :
			 : "r"(to)
			 : "memory"); /* nobody reads it: keep the copy all the same */
	return seconds_since(begin_ns);
}

int sm_call_machine_pass(double bytes, double *ret_seconds)
{
	size_t size = bytes < PASS_BYTES_MAX ? (size_t)fmax(bytes, 1) : PASS_BYTES_MAX;
	char *from = sm_mem_calloc(1, size), *to = sm_mem_calloc(1, size);
	double least = INFINITY;
	for (int i = 0; i <= PASS_TRIES && from && to; i++) { /* the first warms */
		memset(from, i, size);
		least = fmin(least, copy_once(to, from, size));
	}
	int rc = from && to ? 0 : -ENOMEM;
	if (!rc) {
		*ret_seconds = least * (bytes / (double)size);
	}
	sm_mem_free(from);
	sm_mem_free(to);
	return rc;
}
