/* The waiting of a loader's spans that left no trace in them, and what it was for. */
#ifndef SM_DETECT_WAITS_H
#define SM_DETECT_WAITS_H

#include "detect/judge.h"
#include "detect/looks.h"
#include "detect/split.h"

/* Of blocked time: from here on, a thread that sits in a futex waits for its own helpers. Their run delay is not seen, so on
 * a crowded machine their CPU is much less than the wait; for another process's lock it is next to nothing. */
enum { SM_WAITS_HELPERS_PERCENT = 20 };

struct sm_waits {
	struct sm_looks looks;
	enum sm_wait kind; /* what most of it was for, by the looks */
	double blocked_s;  /* all blocked time that the cure below is a share of */
};

struct sm_waits sm_waits_of(const struct sm_judge *judge);
/* What a cause sum's time went into, with futex waits for helper threads counted as their work. */
struct sm_split sm_waits_split(const struct sm_waits *waits, const struct sm_cause_sum *sum);
/* Most of what fetch and transforms need is waiting for locks: then more workers do not help. */
bool sm_waits_are_locks(const struct sm_judge *judge);
/* The cure of one part of it. */
struct sm_cure sm_waits_cure(const struct sm_waits *waits, double waiting_s);
void sm_waits_evidence(const struct sm_waits *waits, struct sm_finding *finding);

#endif
