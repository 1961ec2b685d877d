/* What this machine takes for what nobody can do without: touching fresh memory, and passing over data once.
 *
 * The price of a minor fault is a quarter of a microsecond on bare metal and eight times that in some guests, so it is measured
 * where it is judged. A pass over data is a memcpy: what reading an input and writing an output of that size takes at least,
 * however well it is written, on one core. */
#include <stallmeter/calls.h>

#include "base/mem.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	TRIES = 7, /* the second smallest and the second largest are the ends: of seven, 5/8 and more lie between */
	FAULT_PAGES = 4096,
	HUGE_PAGES = 16,	   /* more than most caches hold: what is cleared goes to memory */
	PASS_BYTES_MAX = 32 << 20, /* larger ones are scaled: by then it is memory that limits */
	PASS_TRIES = 3,
};

/* Of this thread: other programs do not make a page or a pass dearer. */
static double cpu_s(void)
{
	struct timespec time = {0};
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static const char *const huge_page = "/sys/kernel/mm/transparent_hugepage/";

static bool read_line(const char *name, char *line, int bytes)
{
	char path[128];
	snprintf(path, sizeof(path), "%s%s", huge_page, name);
	FILE *file = fopen(path, "re");
	bool read = file && fgets(line, bytes, file);
	if (file) {
		fclose(file);
	}
	return read;
}

/* "always [madvise] never": NumPy asks for its large arrays, so a system that gives on request counts as one that gives. */
double sm_call_machine_huge_bytes(void)
{
	char line[64];
	if (!read_line("enabled", line, sizeof(line)) || strstr(line, "[never]") ||
		!read_line("hpage_pmd_size", line, sizeof(line))) {
		return (double)NAN;
	}
	return strtod(line, NULL);
}

/* The first touch of each page. A mapping of huge pages begins where one fits. */
static int touch_fresh(size_t page, size_t pages, int advice, double *ret_seconds)
{
	size_t bytes = (pages + 1) * page;
	char *mapping = sm_mem_map(bytes);
	if (!mapping) {
		return -ENOMEM;
	}
	volatile char *fresh = mapping + (page - (uintptr_t)mapping % page) % page;
	(void)madvise(mapping, bytes, advice);
	double begin_s = cpu_s();
	for (size_t i = 0; i < pages; i++) {
		fresh[i * page] = 1;
	}
	*ret_seconds = (cpu_s() - begin_s) / (double)pages;
	sm_mem_unmap(mapping, bytes);
	return 0;
}

static int smaller_first(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

int sm_call_machine_fault(int huge, struct sm_call_range *ret_seconds)
{
	double tries[TRIES], huge_bytes = sm_call_machine_huge_bytes();
	if (huge && !(huge_bytes > 0)) {
		return -ENOTSUP;
	}
	size_t page = huge ? (size_t)huge_bytes : (size_t)sysconf(_SC_PAGESIZE);
	for (int i = 0; i < TRIES; i++) {
		int error = touch_fresh(page, huge ? HUGE_PAGES : FAULT_PAGES,
			huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE, &tries[i]);
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
	double begin_s = cpu_s();
	memcpy(to, from, bytes);
	__asm__ volatile(""
			 :
			 : "r"(to)
			 : "memory"); /* nobody reads it: keep the copy all the same */
	return cpu_s() - begin_s;
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
