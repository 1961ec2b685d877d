/* What the workers of a loader were seen waiting for.
 *
 * The collector looks at every process of the job ten times a second (process.looks*). A look that finds a worker blocked
 * outside its queue says what for; n looks know a share p to within 2 sqrt(p (1 - p) / n), so KINDS are only told apart
 * from LOOKS_LEAST looks on, and only when one has MAJORITY_PERCENT of them: with 10 looks, 7 of one kind are that many by
 * chance in one case of six at an even chance, and in one of a thousand at 30 looks. */
#ifndef SM_DETECT_LOOKS_H
#define SM_DETECT_LOOKS_H

#include "model/model.h"

enum {
	SM_LOOKS_LEAST = 10,
	SM_LOOKS_MAJORITY_PERCENT = 70,
};

enum sm_wait {
	SM_WAIT_UNKNOWN, /* not looked at, too few looks, or a mixture */
	SM_WAIT_LOCK,
	SM_WAIT_SLEEP,
	SM_WAIT_PEER, /* a socket */
	SM_WAIT_FILE, /* a file operation: a disk, or a mount over a network */
};

struct sm_looks { /* counts, over all processes that ran the loader's data set */
	double total, lock, sleep, peer, file, idle;
	double computing,
		python; /* looks at CPU, one for each 10 ms of it; of them, in the interpreter */
};

struct sm_looks sm_looks_of(const struct sm_model *model, const struct sm_loader *loader);
double sm_looks_waiting(const struct sm_looks *looks);
enum sm_wait sm_looks_decide(const struct sm_looks *looks);

#endif
