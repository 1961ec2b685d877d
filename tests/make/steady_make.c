#include "make/steady_make.h"

#include "make/training_make.h"

enum { WORKERS = 2, PREFETCH = 2, WINDOW = WORKERS * PREFETCH };
#define MS INT64_C(1000000)

static struct training_batch batches[STEADY_MAKE_STEPS];

static void happen(int i)
{
	int64_t request = STEADY_MAKE_BEGIN_NS + i * 100 * MS;
	int64_t deliver = request + (i < 300 ? 40 : 80) * MS;
	batches[i] = (struct training_batch){
		.worker = i % WORKERS,
		.task = i,
		.put = i < WINDOW ? STEADY_MAKE_BEGIN_NS - 5 * MS : batches[i - WINDOW].deliver,
		.start = deliver - 92 * MS,
		.done = deliver - 2 * MS,
		.arrive = deliver - 1 * MS,
		.request = request,
		.deliver = deliver,
		.end = request + 100 * MS,
		.fetch = 40 * MS,
		.transform = 40 * MS,
		.collate = 10 * MS,
		.fetch_cpu = 40 * MS,
		.backward = 8 * MS,
		.optimizer = 2 * MS,
	};
}

void steady_make(const char *directory)
{
	for (int i = 0; i < STEADY_MAKE_STEPS; i++) {
		happen(i);
	}
	struct training_epoch epoch = {
		STEADY_MAKE_BEGIN_NS - 200 * MS, STEADY_MAKE_BEGIN_NS, STEADY_MAKE_END_NS};
	const struct training training = {
		.workers = WORKERS,
		.prefetch = PREFETCH,
		.samples = STEADY_MAKE_SAMPLES,
		.batches = batches,
		.count = STEADY_MAKE_STEPS,
		.epochs = &epoch,
		.epoch_count = 1,
		.loader_facts = "collate=default_collate\n",
	};
	training_make(&training, directory);
}
