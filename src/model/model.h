/* What a run's trace says, as tables. Filled by one streaming pass over the trace (model/build.c) with bounded memory:
 * per loader at most SM_MODEL_BATCHES_MAX batches are kept whole (longer runs keep evenly spaced blocks of consecutive
 * ones, so order and autocorrelation survive); everything else is sums, sketches and top lists.
 *
 * All memory is in `arena`. Times are CLOCK_MONOTONIC ns unless said. */
#ifndef SM_MODEL_MODEL_H
#define SM_MODEL_MODEL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vocabulary.h"
#include "model/blocks.h"
#include "model/sketch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SM_MODEL_BATCHES_MAX = 1 << 17, /* kept whole, over all loaders */
	SM_MODEL_SAMPLES_MAX = 1 << 22, /* per-sample times kept, over all loaders */
	SM_MODEL_BLOCK =
		512, /* consecutive batches of each worker in one kept block of a long run */
	SM_MODEL_OPERATIONS_MAX = 4096, /* names told apart; further ones are summed as one */
	SM_MODEL_SESSIONS_MAX = 4096,	/* told apart; later ones are noted as not kept */
	SM_MODEL_SESSION_OPERATIONS_MAX = 1 << 14, /* over all sessions; those behind are noted */
	SM_MODEL_SESSION_NOTES_MAX = 64,	   /* of one session; later ones are left out */
	SM_MODEL_INTERLUDES_MAX = 4096,
	SM_MODEL_SLOWEST = 20,
	SM_MODEL_SERIES_POINTS = 600, /* of a counter over the run; denser samples are averaged */
};

/* wall = cpu + run delay + blocked, summed over spans that carry their cause. */
struct sm_cause_sum {
	int64_t wall_ns, cpu_ns, run_delay_ns;
	int64_t helper_cpu_ns; /* CPU of other threads of the process meanwhile: helper threads at work */
	int64_t blocked_input_ns; /* the part of blocked in spans that read from storage (block input or major faults) */
	uint64_t block_inputs, minor_faults, major_faults, voluntary, involuntary;
	uint64_t count, without_cause; /* spans summed; of them, spans without */
	int64_t without_cause_wall_ns;
};

/* One batch on its way through the loader. -1 where a time was not seen. */
struct sm_batch {
	int32_t iteration, task;   /* which batch of which epoch */
	int32_t worker;		   /* -1: num_workers=0 */
	int32_t count;		   /* samples */
	int64_t sampler_ns;	   /* duration of drawing its indices, in the main process */
	int64_t put_ns;		   /* when its indices were sent */
	int64_t start_ns, done_ns; /* fetch, in the worker */
	int64_t fetch_ns, transform_ns,
		collate_ns; /* parts of done - start, exclusive of each other */
	int64_t fetch_cpu_ns, fetch_blocked_ns, fetch_run_delay_ns; /* of fetch alone; -1 unknown */
	int64_t fetch_input_ns; /* blocked with block input or major faults */
	int64_t cpu_ns,
		run_delay_ns; /* of done - start as a whole; -1 where no span in it carried its cause */
	int64_t helper_cpu_ns; /* CPU of the process's other threads meanwhile */
	int64_t serialize_ns, deserialize_ns;
	int64_t sent_ns;       /* pickled: from here it is only the pipe's; -1 unknown */
	uint64_t bytes;	       /* pickled, through the pipe */
	uint64_t tensor_bytes; /* of its tensors, through /dev/shm */
	int64_t arrive_ns;     /* taken from the result queue in the main process */
	int64_t ready_ns; /* since when it could be taken, if the loop waited for it; -1: it lay ready */
	int64_t pin_ns;			/* duration */
	int64_t request_ns, deliver_ns; /* next(): call and return */
	int64_t refill_ns;		/* drawing indices of a later batch inside this next() */
	int64_t next_cpu_ns;		/* CPU of the calling thread inside next() */
	int64_t end_ns; /* the consumer asks for the next batch (any loader) or the run ends */
	int64_t h2d_ns, backward_ns, optimizer_ns, sync_ns; /* durations within deliver..end */
	int64_t forward_ns; /* deliver (or h2d end) to backward begin; -1 without a backward */
	int64_t other_ns; /* the rest of deliver..end; 0 where neither backward nor optimizer is seen (all compute) */
	int64_t trainer_blocked_ns; /* background loaders: how long the thread that trains was blocked for want of it; -1 unknown */
	int64_t exposed_ns;   /* E of measuring.md; filled by analyze/stalls.c */
	int64_t launch_ns;    /* L; 0 on a CPU */
	int16_t device_state; /* enum sm_device_state, -1: no device asked */
	int64_t device_elapsed_ns;
	int64_t device_copy_ns; /* what the batch's copies took of the device; -1 unknown */
	uint32_t sample_first,
		sample_count; /* in `samples`; count 0 when per-sample times are not known */
};

struct sm_sample_time { /* one dataset[index] */
	float wall_s;
	float transform_s; /* part of it in transforms */
};

/* Copies to a device, by the calls that made them. */
struct sm_copies {
	uint64_t count, bytes;
	int64_t wall_ns;     /* of the calling thread */
	int64_t pageable_ns; /* part of it: the source was not pinned */
	int64_t blocking_ns; /* part of it: pinned, but without non_blocking */
};

struct sm_transform {
	const char *name;  /* class or function */
	const char *where; /* "train.py:41" or "" */
	struct sm_cause_sum sum;
	struct sm_sketch wall_s;
};

struct sm_worker {
	int index;     /* workers that took over an index in a later iteration are summed with it */
	int32_t pid;   /* the latest */
	uint32_t tid;  /* of a thread worker; else 0 */
	int processes; /* how many had this index */
	int64_t started_ns, first_batch_ns, ended_ns;
	int64_t alive_ns; /* summed */
	int64_t busy_ns;  /* inside fetch */
	uint64_t batches;
	int64_t cpu_ns;		       /* of the process, from counters; -1 unknown */
	int64_t rss_bytes, read_bytes; /* -1 unknown */
};

struct sm_slow_sample {
	const char *index; /* text, as the report prints it */
	int64_t wall_ns;
};

struct sm_epoch { /* one iteration over a loader */
	int32_t iteration;
	int64_t iterate_begin_ns, iterate_end_ns; /* making or resetting the iterator */
	int64_t first_request_ns, first_deliver_ns, last_deliver_ns;
	int64_t last_end_ns; /* of its last step */
	int64_t end_ns; /* of the next() that said so; as last_end_ns where the loop was left before */
	uint64_t batches;
	bool respawned; /* new worker processes were started */
};

struct sm_loader {
	int ordinal;
	int rank; /* of its main process, -1: not distributed */
	const char *name;
	int num_workers, batch_size, prefetch_factor; /* -1: unknown or none */
	int pin_memory, persistent_workers, in_order; /* -1: unknown */
	const char *start_method; /* "fork", "spawn", "forkserver", "thread", "" unknown */
	const char *dataset_kind; /* "map", "iterable", "other" */
	const char *dataset, *sampler, *collate; /* class or function names, "" unknown */
	/* of the code that makes a sample, draws indices, joins a batch: "train.py:41" or "" */
	const char *dataset_where, *sampler_where, *collate_where;
	int32_t main_pid;
	uint32_t consumer_tid; /* the thread that calls next() */
	bool background;       /* called from a thread that is not the one that trains */
	bool trains;	       /* its batches are followed by backward or optimizer */
	struct sm_cause_sum
		loop; /* its steps, delivery to next request, where the calling thread told */
	struct sm_copies copies;  /* in its steps */
	struct sm_batch *batches; /* in order of delivery; kept ones */
	size_t batch_count;	  /* kept */
	uint64_t batch_total;	  /* seen */
	struct sm_sample_time *samples;
	size_t sample_count;
	const char *no_samples_why; /* NULL, or why per-sample times are not known */
	struct sm_epoch *epochs;
	size_t epoch_count;
	struct sm_transform *transforms;
	size_t transform_count;
	struct sm_worker *workers;
	size_t worker_count;
	struct sm_slow_sample slowest[SM_MODEL_SLOWEST];
	size_t slowest_count;
	struct sm_cause_sum stage[SM_STAGE_COUNT]; /* exclusive, summed over workers */
	struct sm_sketch stage_wall_s
		[SM_STAGE_COUNT]; /* per sample for fetch and transform, else per batch */
};

struct sm_operation { /* a user's span, by name and type */
	const char *name, *type;
	bool interlude; /* of type SM_VOCABULARY_INTERLUDE */
	uint64_t count;
	int64_t inclusive_ns; /* of a call inside another of the same, once */
	int64_t self_ns; /* without the operations inside; a loader's wait inside is the operation's own */
	int64_t first_ns, last_ns;
	struct sm_sketch wall_s;
};

struct sm_interlude { /* one call of such an operation */
	int64_t begin_ns, end_ns;
	int rank;
};

struct sm_session_operation { /* what of an operation lies in one session */
	const struct sm_operation *operation;
	uint64_t count; /* ended in it */
	uint64_t open;	/* begun before its end, and not ended by then */
	int64_t inclusive_ns, self_ns;
	int64_t busiest_ns; /* self time on the thread that had most of it; -1: none of the session's own process */
	struct sm_sketch wall_s; /* of those that ended in it, whole */
	struct sm_blocks blocks; /* the same, in seconds and in order */
};

struct sm_model_session { /* a stretch of the run to which a profiler gave a name */
	const char *id, *name;
	uint32_t process; /* ordinal of the one that opened it */
	int64_t begin_ns, end_ns;
	int64_t lost_ns; /* of it, in which events of its process were lost */
	bool open;	 /* nobody has closed it: it goes on, or was cut short with the run */
	struct sm_session_operation *operations;
	size_t operation_count;
	const char **notes; /* what the program itself found in it, in its words */
	size_t note_count;
};

struct sm_series { /* one counter of one instance, thinned; a cumulative one as rate per second */
	uint16_t metric;
	int64_t instance;
	size_t count;
	double *time_s; /* since the run began */
	double *value;
	double first, last; /* raw, as sampled; of cumulative ones the difference is the total */
	double minimum, maximum, mean; /* of `value` */
};

struct sm_alert { /* a number that was watched began to be too high, or ceased to be */
	int64_t time_ns;
	double time_s;	  /* since the run began */
	const char *kind; /* "memory", "gpu_memory", "cpu", "io" */
	bool begins;	  /* else it ends */
	double value, threshold;
};

struct sm_process {
	uint32_t ordinal;
	int32_t pid, ppid, rank;
	int64_t started_ns, ended_ns;
	const char *program;
	bool complete;
};

/* A line of the job's own code on which threads were seen, by what they were doing: docs/analysis.md, Hottest lines. */
struct sm_hot_line {
	const char *file, *function;
	const char *calls;   /* the function it called there; "" for none, or what is no Python */
	int line;	     /* 0: not known */
	int loader;	     /* index; -1: none */
	enum sm_stage stage; /* SM_STAGE_COUNT: none */
	double wall_s;	     /* that threads were seen there */
	double cpu_s;	     /* CPU time they used before they were */
	double awake_s;	     /* the part of wall_s in which they were not blocked */
	double in_call_s; /* the part of awake_s in which Python had called something that is no Python */
	double part; /* of all that was seen in the same stage of the same loader */
	uint64_t looks;
};

struct sm_stacks { /* how stacks were looked at */
	uint64_t looks, torn, unread, missed;
	bool has_interval;
	double shortest_s, longest_s; /* between two looks at a thread */
};

struct sm_lane_part {
	double begin_s, end_s;
	enum sm_stage stage;
};

struct sm_lane { /* busy intervals of one track for the picture, at most SM_MODEL_SERIES_POINTS, neighbours joined */
	const char *name; /* "main", "train worker 0" */
	size_t count;
	struct sm_lane_part *parts;
};

struct sm_pair {
	const char *key, *value;
};

struct sm_model {
	struct sm_arena arena; /* owns everything below */
	struct sm_pair *
		facts; /* of the run and the host, from the trace: command, level, host.cpus, ... */
	size_t fact_count;
	struct sm_pair *notes; /* key: what was not measured, value: why */
	size_t note_count;
	int64_t started_real_ns, begin_ns, end_ns; /* the run: from the collector's start on */
	struct sm_process *processes;
	size_t process_count;
	struct sm_loader *loaders; /* in order of first use */
	size_t loader_count;
	struct sm_operation *operations;
	size_t operation_count;
	struct sm_interlude
		*interludes; /* in the order they ended; at most SM_MODEL_INTERLUDES_MAX */
	size_t interlude_count;
	struct sm_model_session *sessions; /* in the order they began */
	size_t session_count;
	struct sm_series *series;
	size_t series_count;
	struct sm_alert *alerts; /* in order of time */
	size_t alert_count;
	struct sm_lane *lanes;
	size_t lane_count;
	struct sm_stacks stacks;
	struct sm_hot_line *hot_lines; /* the most seen first */
	size_t hot_line_count;
	uint64_t events, events_lost;
	bool complete;
	int ranks;
};

struct sm_model_progress {
	void *context;
	void (*report)(void *context, uint64_t bytes_done, uint64_t bytes_total);
};

int sm_model_build(struct sm_model *model, const char *path,
	const struct sm_model_progress *progress, struct sm_error *reterr);
void sm_model_finish(struct sm_model *model);				  /* fine on a zeroed one */
const char *sm_model_fact(const struct sm_model *model, const char *key); /* NULL when absent */
const struct sm_series *sm_model_series(
	const struct sm_model *model, int metric, int64_t instance); /* NULL when absent */
/* Was this loader of its process iterated during the session? */
bool sm_model_session_uses(const struct sm_model *model, const struct sm_model_session *session,
	const struct sm_loader *loader);
/* Self time on its busiest thread over the session's wall time, as far as that was recorded; NaN where only other processes
 * ran it. */
double sm_model_session_severity(
	const struct sm_model_session *session, const struct sm_session_operation *operation);

#endif
