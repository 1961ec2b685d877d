/* The loader as a recursion, run over the recorded, ordered service times of one loader (measuring.md, section 3).
 *
 * A sm_loader_model holds plain durations in seconds, one entry a batch in order of delivery, split by stage, so that a
 * cure is "this stage (or this part of it) takes less". Simulation is deterministic; O(batches) without CPU sharing. */
#ifndef SM_PREDICT_LOADER_MODEL_H
#define SM_PREDICT_LOADER_MODEL_H

#include "base/arena.h"
#include "base/vocabulary.h"
#include "model/model.h"

#include <stdbool.h>
#include <stddef.h>

struct sm_service { /* of one batch, seconds */
	float sampler;
	float fetch, fetch_input; /* fetch without transforms; the part of it blocked on input */
	float transform, collate;
	float run_delay;     /* part of fetch + transform + collate: runnable, not running */
	float cpu;	     /* part of them: on a CPU (own thread and helper threads) */
	float blocked_other; /* part of them: blocked, not on input */
	float serialize,
		transport;	/* feeder: CPU that overlaps the next batch; done -> can be taken */
	float deserialize, pin; /* on the consumer's side, before delivery */
	float h2d, launch, compute, sync, other; /* of the consumer, delivery to next request */
	float optimizer; /* part of compute; 0 with a device beside the host */
	int count;	 /* samples */
	int worker;	 /* that made it; -1 none */
	int epoch; /* starts again from 0 workers when it changes and workers do not persist */
	size_t sample_first, sample_count; /* into samples_s of the model; 0 when unknown */
};

struct sm_loader_model {
	const struct sm_loader *loader; /* borrowed */
	struct sm_service *services;	/* in arena */
	size_t count;
	const struct sm_sample_time *samples; /* borrowed from the loader */
	size_t sample_count;
	double startup_first_s; /* iterator made to first batch under way, first epoch */
	double startup_later_s; /* mean of the later epochs, 0 when persistent */
	double iterate_first_s,
		iterate_later_s; /* making the iterator: the loop cannot ask before */
	double ending_s; /* ending an epoch, mean: workers are told to stop and waited for */
	double between_epochs_s; /* consumer's work at epoch borders that is none of the loader's (validation, ...) */
	double cores;		 /* usable by the job */
	double memory_bytes;	 /* available to more workers or deeper prefetch; NaN unknown */
	double worker_rss_bytes; /* private, mean; NaN unknown */
	double batch_bytes;	 /* NaN unknown */
	double exposed_share;	 /* measured, of time_s: no cure of the input gives back more */
	double exposed_low, exposed_high; /* its interval; the same number where there is none */
	double launch_s; /* asynchronous: host time from a batch in hand to its step launched, median */
	double hand_computing; /* share of taking a batch from the queue that the loop computes */
	double loop_computing,
		loop_blocked; /* shares of the loop's step that its thread computes, and waits for something else
						than a CPU */
	double loop_threads; /* that compute while it computes: its own and intra-op helpers */
	double loop_pace; /* how much of the usual slowing the loop suffers where CPUs are shared; 0: all */
	double foreign; /* threads of others that compete for the CPUs, so that recorded run delays come out */
	bool can_share;	   /* enough is known to simulate sharing of CPUs */
	bool asynchronous; /* the step runs on a device beside the host */
	double time_s;	   /* T: measured wall from the first request to the last step's end */
};

struct sm_setting {
	int num_workers, prefetch_factor;
	bool in_order, persistent_workers, pin_memory;
	int batch_size; /* 0: as recorded */
};

enum sm_cure_kind {
	SM_CURE_NONE,
	SM_CURE_STAGE_FREE,	/* `stage` takes 0 */
	SM_CURE_STAGE_SCALED,	/* `stage` takes `factor` times as long */
	SM_CURE_TRANSFORM_FREE, /* the named transform takes 0: its `share` of the transform stage */
	SM_CURE_INPUT_FREE,	/* the blocked-on-input part of fetch is 0 */
	SM_CURE_RUN_DELAY_FREE,	 /* run delay is 0; `share` of it when only a part has this cause */
	SM_CURE_SLOW_SAMPLES,	 /* samples above the 95th percentile take the median */
	SM_CURE_STARTUP_FREE,	 /* start-up after the first epoch is 0 */
	SM_CURE_TRANSPORT_FLOOR, /* serialise, transfer, deserialise take `floor_s` in all */
	SM_CURE_WORKER_MEDIAN,	 /* each worker's batches take the median worker's time */
	SM_CURE_ALL_INPUT_FREE,	 /* the whole loader takes 0: the ceiling */
	SM_CURE_BLOCKED_FREE,	 /* `share` of blocked-other is 0 (a lock) */
	SM_CURE_LARGER_BATCH, /* what a batch costs whatever its size is paid once in `factor` batches: launch, optimizer,
				    `share` of handing it over, `floor_s` in the worker */
};

struct sm_cure {
	enum sm_cure_kind kind;
	enum sm_stage stage;
	double factor, share, floor_s;
};

struct sm_prediction {
	double time_s; /* T under the setting and the cure */
	double share
		[SM_STAGE_COUNT]; /* charges of the critical-path walk over time_s; add up to 1 */
	double exposed_s;	  /* consumer waited with the device idle */
};

int sm_loader_model_build(struct sm_loader_model *ret_model, struct sm_arena *arena,
	const struct sm_model *model, const struct sm_loader *loader);
/* Builds the model of every loader of an analysis that can be simulated and hangs it into `loaders[i].model`. Call it
 * between sm_analysis_build and sm_detect_run. */
struct sm_analysis;
int sm_loader_model_attach(struct sm_analysis *analysis);
struct sm_setting sm_loader_model_setting(const struct sm_loader_model *model); /* as recorded */
/* Simulates. `order`, when not NULL, lists the service indices to replay (bootstrap); else all in order. */
int sm_loader_model_simulate(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_cure *cure, const size_t *order, size_t order_count,
	struct sm_prediction *ret_prediction);

struct sm_interval {
	double low, middle, high;
};
/* Severity 1 - T_fixed / T of a cure (setting NULL: as recorded) with its seeded block-bootstrap 95 % interval. Both runs are simulated,
 * so that the model's own error cancels; the result is never below 0 nor above the exposed share for an input cure. */
int sm_loader_model_severity(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_cure *cure, struct sm_interval *ret_severity);
/* Predicted speed-up T / T' of another setting, with interval. */
int sm_loader_model_speedup(const struct sm_loader_model *model, const struct sm_setting *setting,
	struct sm_interval *ret_speedup);
/* Largest num_workers and prefetch_factor that cores and memory allow (contract, table of cures). */
int sm_loader_model_workers_max(const struct sm_loader_model *model);
int sm_loader_model_prefetch_max(const struct sm_loader_model *model, int num_workers);
/* The smallest setting of `num_workers` (or prefetch) within 1 % of the best. */
int sm_loader_model_best_workers(
	const struct sm_loader_model *model, struct sm_setting *ret_setting);
int sm_loader_model_best_prefetch(
	const struct sm_loader_model *model, struct sm_setting *ret_setting);

#endif
