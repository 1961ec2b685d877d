/* Writes the trace of a training whose every moment the test has decided: the main process with its loop, one process a
 * worker, spans, marks, keys and causes as the adapters write them. */
#ifndef TESTS_MAKE_TRAINING_MAKE_H
#define TESTS_MAKE_TRAINING_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct training_batch { /* times in ns on one clock */
	int worker;	/* -1: in the call itself */
	int epoch, task;
	int64_t put, start, done, arrive, request, deliver, end;
	int64_t fetch, transform,
		collate; /* done - start in all; `samples` samples share fetch and transform */
	int64_t refill;	 /* drawing indices at the end of the call; at worker -1 at its beginning */
	int64_t deserialize;		       /* before `arrive` */
	int64_t backward, optimizer;	       /* at the end of the step, before `other` */
	int64_t other;			       /* behind the optimizer */
	int64_t fetch_cpu, fetch_input_blocks; /* of all samples of the batch */
};

struct training_epoch {
	int64_t iterate_begin, iterate_end,
		last_call_end; /* the next() that raised StopIteration */
};

struct training {
	const char *loader_facts; /* more lines `key=value\n`, or NULL */
	int workers, prefetch, samples;
	struct training_batch *batches; /* in order of delivery */
	size_t count;
	struct training_epoch *epochs;
	size_t epoch_count;
	bool workers_first; /* their processes come before the main process in the file */
};

void training_make(const struct training *training, const char *directory);

#endif
