/* The waiting of a loader's spans that left no trace in them, and what it was for. */
#ifndef SM_DETECT_WAITS_H
#define SM_DETECT_WAITS_H

#include "detect/judge.h"
#include "detect/looks.h"

struct sm_waits {
	struct sm_looks looks;
	enum sm_wait kind; /* what most of it was for, by the looks */
	double blocked_s;  /* all blocked time that the cure below is a share of */
};

struct sm_waits sm_waits_of(const struct sm_judge *judge);
/* The cure of one part of it. */
struct sm_cure sm_waits_cure(const struct sm_waits *waits, double waiting_s);
void sm_waits_evidence(const struct sm_waits *waits, struct sm_finding *finding);

#endif
