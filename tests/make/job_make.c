/* Writes the run of a small training in which one thing takes time: job_make STORY DIRECTORY
 *
 * 120 batches of 4 samples, 2 workers, prefetch 2, a step of 10 ms. The moments follow from the loader's recursion, worked
 * out here once more, in a loop that fits a screen, so that the golden cases of the detectors rest on no code of ours. */
#include "make/training_make.h"

#include <stdio.h>
#include <string.h>

enum { BATCHES = 120, SAMPLES = 4, WORKERS = 2, PREFETCH = 2, WINDOW = WORKERS * PREFETCH };
enum { US = 1000, MS = 1000 * 1000, FIRST = 1000 * MS };

struct story {
	const char *name;
	int64_t fetch, transform, collate, draw, other; /* a batch */
	int64_t fetch_cpu, fetch_blocks;
};

static const struct story stories[] = {
	{"slow_decode", .fetch = 2 * MS, .fetch_cpu = 2 * MS, .transform = 56 * MS,
		.collate = 400 * US},
	{"hidden_decode", .fetch = 2 * MS, .fetch_cpu = 2 * MS, .transform = 14 * MS,
		.collate = 400 * US},
	{"cold_reads", .fetch = 56 * MS, .fetch_cpu = 4 * MS, .fetch_blocks = 16000,
		.collate = 400 * US},
	{"warm_reads", .fetch = 14 * MS, .fetch_cpu = 14 * MS, .collate = 400 * US},
	{"slow_collate", .fetch = 2 * MS, .fetch_cpu = 2 * MS, .collate = 56 * MS},
	{"slow_sampler", .fetch = 2 * MS, .fetch_cpu = 2 * MS, .collate = 400 * US,
		.draw = 15 * MS},
	{"busy_loop", .fetch = 2 * MS, .fetch_cpu = 2 * MS, .collate = 400 * US, .other = 15 * MS},
};

static struct training_batch batches[BATCHES];

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void happen(const struct story *story, int i)
{
	struct training_batch *batch = &batches[i];
	const int64_t step = 10 * MS + story->other, way = 300 * US;
	*batch = (struct training_batch){.worker = i % WORKERS,
		.task = i,
		.fetch = story->fetch,
		.transform = story->transform,
		.collate = story->collate,
		.fetch_cpu = story->fetch_cpu,
		.fetch_input_blocks = story->fetch_blocks,
		.backward = 5 * MS,
		.optimizer = 1 * MS,
		.other = story->other,
		.deserialize = 100 * US};
	batch->put = i < WINDOW ? FIRST : batches[i - WINDOW].deliver;
	batch->start = later(
		batch->put + 50 * US, i < WORKERS ? FIRST + 8 * MS : batches[i - WORKERS].done);
	batch->done = batch->start + batch->fetch + batch->transform + batch->collate;
	batch->request = i ? batches[i - 1].end : FIRST + 1 * MS;
	batch->arrive = later(batch->done + way, batch->request + batch->deserialize + 20 * US);
	batch->refill = i + WINDOW < BATCHES ? story->draw + 10 * US : 0;
	batch->deliver = batch->arrive + batch->refill + 20 * US;
	batch->end = batch->deliver + step;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < sizeof(stories) / sizeof(stories[0]); i++) {
		if (!strcmp(stories[i].name, argv[1])) {
			for (int b = 0; b < BATCHES; b++) {
				happen(&stories[i], b);
			}
			struct training_epoch epoch = {
				FIRST - 1 * MS, FIRST + 1 * MS, batches[BATCHES - 1].end + 1 * MS};
			const struct training training = {.workers = WORKERS,
				.prefetch = PREFETCH,
				.samples = SAMPLES,
				.batches = batches,
				.count = BATCHES,
				.epochs = &epoch,
				.epoch_count = 1};
			training_make(&training, argv[2]);
			return 0;
		}
	}
	fprintf(stderr, "usage: job_make STORY DIRECTORY\n");
	return 2;
}
