/* What kind of reading a cause sum shows: the words of SLOW_DISK_IO, and of a transform that reads. */
#ifndef SM_DETECT_STORAGE_H
#define SM_DETECT_STORAGE_H

#include "detect/judge.h"

struct sm_storage {
	double read_bytes; /* from storage, by these spans */
	double bytes_per_sample;
	double fault_share; /* of the times the thread gave up the CPU, major faults */
	double refault_share; /* of the bytes read, bytes that had been in memory before; NaN unknown */
	const char *cause;  /* "page_fault", "cache_thrash", "small_files" or "cold_cache" */
	const char *detail; /* "" or what the word leaves open */
};

struct sm_storage sm_storage_of(const struct sm_judge *judge, const struct sm_cause_sum *sum);
void sm_storage_evidence(const struct sm_storage *storage, struct sm_finding *finding);

enum {
	SM_STORAGE_FAULT_PERCENT =
		50, /* of the waits: mapped files are read by faults, one a wait */
	SM_STORAGE_REFAULT_PERCENT =
		50, /* of the bytes read: 97 when a set did not fit, 0.4 at first */
	SM_STORAGE_SMALL_KILOBYTES = 64, /* a sample: half of the kernel's usual read-ahead */
};

#endif
