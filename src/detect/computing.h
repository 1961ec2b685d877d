/* Whose instructions a piece of the data set computes with: the Python interpreter's, or native code's.
 *
 * The collector looks at the workers' instruction pointers, one look for each 10 ms of CPU (process.cpu_looks). A look knows
 * the process, not the span, so it speaks for a piece of code only where that piece has most of the workers' CPU; and
 * of the main thread only, so not for work handed to helpers, and not at num_workers=0, where the training computes there
 * as well.
 *
 * Where they do not speak, looks at Python stacks may: a thread whose innermost frame stands at an instruction that calls
 * is in what it called, and that is no Python. It proves native_cpu alone: operators of arrays are native too and no calls. */
#ifndef SM_DETECT_COMPUTING_H
#define SM_DETECT_COMPUTING_H

#include "detect/judge.h"
#include "detect/split.h"

enum {
	SM_COMPUTING_LOOKS_LEAST = 30,	/* a share of 70 % is then known to within 17 points */
	SM_COMPUTING_MOST_PERCENT = 70, /* of the workers' CPU, and of the looks */
};

struct sm_computing {
	const char *detail;  /* "python_cpu", "native_cpu", or "" where it cannot be known */
	double python_share; /* of the looks; NaN where it cannot be known */
};

/* `stage`: which the piece belongs to. */
struct sm_computing sm_computing_of(
	const struct sm_judge *judge, enum sm_stage stage, const struct sm_split *piece);

#endif
