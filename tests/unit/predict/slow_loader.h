/* A loader simulated the slow way, as a check on the fast one: actors with work left, and a clock that moves to whichever
 * is done first. Shares no code with src/predict, and knows nothing of recursions. CPUs are shared by all actors that
 * compute, each getting min(1, cores / computing actors) of one. */
#ifndef TESTS_UNIT_PREDICT_SLOW_LOADER_H
#define TESTS_UNIT_PREDICT_SLOW_LOADER_H

#include <stdbool.h>
#include <stddef.h>

struct slow_batch { /* seconds */
	double draw, wait, compute, way, pin, hand,
		step; /* wait: blocked in the worker, before compute */
	int epoch;
	/* filled in */
	double put, start, done, request, deliver, end;
	int worker;
};

struct slow_loader {
	int workers, prefetch;
	bool in_order;
	double cores; /* INFINITY: as many as are asked for */
	double startup_first, startup_later, iterate_first, iterate_later, ending;
	struct slow_batch *batches;
	size_t count;
};

double slow_loader_run(struct slow_loader *loader); /* T */

#endif
