/* How a model is built; private to src/model, except that tests feed a build by hand.
 *
 * One pass. `build_spans.c` keeps a stack per thread and adds plain spans up on the spot; everything with another role
 * goes to one of two sides that know nothing of each other while the pass runs:
 *
 *     build_fetch.c    where the data set runs: one struct sm_build_fetch for each batch a worker made
 *     build_consume.c  where batches are asked for: one struct sm_build_batch for each batch delivered
 *
 * Their events come in blocks of one thread, in no order between threads, so they are joined when all is read, by
 * key (build_join.c): the n-th index list sent to worker w in iteration i is the n-th batch it fetched then.
 *
 * Memory stays bounded by thinning both sides by one rule that needs no talk between them: (iteration + sequence /
 * SM_MODEL_BLOCK) must be a multiple of 2^level. Workers are at about the same sequence number at any time, so what
 * stays are whole blocks of consecutive batches. The level rises when a table is full. */
#ifndef SM_MODEL_BUILD_H
#define SM_MODEL_BUILD_H

#include "base/map.h"
#include "model/model.h"
#include "trace/trace_reader.h"

enum {
	SM_BUILD_RECENT = 1 << 14, /* batches; a minute at 270 steps a second */
	SM_BUILD_KEYS = 16,	   /* enum sm_key in use, and some */
	SM_BUILD_DEPTH = 1024,	   /* nested spans; deeper ones are not looked at */
	SM_BUILD_PARTS = 3,	   /* fetch, transform, collate: what a worker's batch is made of */
};
#define SM_BUILD_NONE UINT32_MAX /* wider than int, so no enumerator */

struct sm_build_name {
	const char *text; /* in scratch; NULL where nobody will ask */
	uint32_t slot;	  /* operation, transform, or enum sm_metric of a counter */
	uint8_t kind, role;
};

struct sm_build_sums;
struct sm_build_stacks; /* build_stacks.c */

struct sm_build_process {
	struct sm_process info;
	struct sm_build_name *names; /* owned; by id */
	size_t name_capacity;
	uint32_t feeds;		    /* pickled batches seen in its feeder thread */
	const char *no_samples_why; /* in the model's arena */
};

/* A number attached to a span or mark is in `value` when its bit is in `keys`. */
struct sm_build_args {
	uint32_t keys;
	int64_t value[SM_BUILD_KEYS];
};

/* What every open span has, and what only those with a role need. */
struct sm_build_frame {
	int64_t begin_ns;
	int64_t inner_ns; /* of the operations in it */
	uint32_t inside;  /* slot of the innermost operation: its own, or one around it */
	uint32_t slot;
	uint32_t name;
	uint8_t role;
	bool has_cause;
	bool again; /* inside another call of the same operation, as in recursion */
};

struct sm_build_detail {
	struct sm_build_args args;
	struct sm_trace_cause cause;
	struct sm_cause_sum known;	    /* of spans in it that carried their cause */
	int64_t part_ns;		    /* of spans in it that are parts of a batch */
	int64_t unknown_ns[SM_BUILD_PARTS]; /* of spans in it without a cause, exclusive */
	int64_t transform_before_ns;
};

struct sm_build_fetch { /* one batch, as its worker saw it */
	uint32_t process, tid;
	uint32_t fetcher; /* n-th fetcher of this thread */
	uint32_t nth;	  /* n-th batch of this thread */
	int32_t loader;	  /* ordinal, -1: not said */
	int32_t iteration, worker, sequence;
	struct sm_batch part; /* only what a worker knows */
};

struct sm_build_batch {	  /* one batch, as the main process saw it */
	uint32_t loader;  /* index */
	int32_t sequence; /* of its worker; -1 not known */
	struct sm_batch batch;
};

struct sm_build_feed { /* one batch pickled */
	uint32_t process, nth;
	int64_t wall_ns, end_ns;
	uint64_t bytes, tensor_bytes;
};

struct sm_build_slow {
	int64_t wall_ns, index;
	const char *text; /* NULL: index is the number */
};

struct sm_build_sums { /* all that the workers of one loader spent, or of one process not yet known to belong to one */
	struct sm_cause_sum stage[SM_STAGE_COUNT];
	struct sm_sketch wall_s[SM_STAGE_COUNT];
	struct sm_transform *transforms; /* owned; by slot */
	size_t transform_capacity;
	struct sm_build_slow slowest[SM_MODEL_SLOWEST]; /* sorted, slowest first */
	size_t slowest_count;
};

struct sm_build_fetcher { /* of a thread in which a data set runs */
	struct sm_build_sums *sums;
	bool owns_sums; /* not yet known whose */
	int32_t loader; /* ordinal, -1 */
	int32_t worker; /* -1 */
	uint32_t fetchers;
	int64_t first_ns, last_ns; /* its batches */
	int64_t mark_ns;	   /* its first fetcher */
	uint64_t batches;
	int64_t busy_ns;
	/* of the batch under way */
	bool in_batch;
	int64_t part_ns[SM_BUILD_PARTS];
	struct sm_cause_sum part_cause[SM_BUILD_PARTS];
	struct sm_sample_time *samples; /* owned */
	size_t sample_count, sample_capacity;
	struct sm_build_fetch done; /* the newest; for a next() around it */
	bool has_done;
};

struct sm_build_trained { /* a step of a thread that trains and asks for no batches, from optimizer to optimizer */
	int64_t end_ns, blocked_ns;
};

struct sm_build_consumer { /* of a thread that asks for batches or trains */
	bool has_current;
	struct sm_build_batch
		current;    /* the batch in hand; goes to the table when the next is asked for */
	int64_t cursor_ns;  /* end of the last thing known in this step */
	int64_t pending_ns; /* between known things, not yet given to forward or other */
	int64_t nested_ns;  /* of known things inside the one that is open */
	bool has_forward, has_training;
	int64_t sampler_ns; /* drawn, not yet sent */
	int64_t drawn_for;  /* ordinal of the loader whose sampler ran last in this next(); -1 */
	int64_t refill_ns;  /* drawn inside this next() */
	int64_t deserialize_ns, pin_ns; /* read, not yet arrived */
	uint64_t bytes;
	uint64_t trained, trained_without_batch; /* backward and optimizer spans */
	struct sm_build_trained *steps;		 /* owned */
	size_t step_count, step_capacity;
	bool has_optimizer; /* totals of the thread at the end of the newest optimizer */
	int64_t optimizer_ns, optimizer_cpu_ns, optimizer_delay_ns;
	bool has_totals; /* of the thread, at the end of the newest next() */
	int64_t totals_ns, total_cpu_ns, total_run_delay_ns;
};

struct sm_build_thread {
	uint32_t process, tid;
	struct sm_build_frame *frames;	 /* owned */
	struct sm_build_detail *details; /* owned; NULL while only plain spans were seen */
	size_t depth, capacity, detail_capacity, too_deep;
	int64_t edge_ns;    /* of the newest begin or end of an operation */
	uint32_t *sessions; /* owned: those it may still have time in, by index */
	size_t session_count, session_capacity;
	uint32_t session_next; /* the first that had not begun when it was last looked at */
	uint32_t kin_of;       /* ordinal + 1 of a process: do its sessions hold this thread? */
	bool is_kin;
	bool has_mark; /* a mark waits for its numbers */
	uint32_t mark_name;
	int64_t mark_ns;
	struct sm_build_args mark;
	size_t look_at, look_end; /* its looks; build_stacks.c */
	int64_t next_look_ns;
	struct sm_build_fetcher *fetcher;   /* owned, or NULL */
	struct sm_build_consumer *consumer; /* owned, or NULL */
};

struct sm_build_worker { /* the fact that one was started */
	int32_t iteration, index, pid;
	uint32_t tid;
};

struct sm_build_loader {
	uint32_t process, index;
	struct sm_loader
		facts; /* and the tables, once joined; its texts are in the model's arena */
	struct sm_build_sums sums;
	struct sm_build_worker *workers; /* owned */
	size_t worker_count, worker_capacity;
	struct sm_epoch *epochs; /* owned */
	size_t epoch_count, epoch_capacity;
	struct sm_build_batch *open; /* owned: batches sent and not delivered */
	size_t open_count, open_capacity;
	int32_t *sent; /* owned: how many were sent to each worker in iteration `sent_iteration` */
	size_t sent_capacity;
	int32_t sent_iteration;
	uint64_t trained; /* of its batches, those followed by backward or optimizer */
};

/* The newest batches and fetches, for whoever looks at a run that goes on: kept whatever was thinned. Rings. */
struct sm_build_fetched {
	uint32_t process, tid;
	int64_t start_ns, done_ns;
};

struct sm_build_recent {
	struct sm_build_batch *batches;	   /* owned; NULL: nobody looks */
	struct sm_build_fetched *fetches;  /* owned */
	uint64_t batch_count, fetch_count; /* ever */
};

struct sm_build_transform {
	const char *name, *where; /* in the model's arena */
};

struct sm_build_session {
	struct sm_model_session facts; /* texts in the model's arena; end_ns INT64_MAX while open */
};

struct sm_build_loss { /* a time in which events of a process were lost */
	uint32_t process;
	int64_t first_ns, last_ns;
};

struct sm_build_row { /* an operation in a session */
	uint32_t session, slot;
	struct sm_session_operation sums;
};

struct sm_build_share { /* of a row, one thread's */
	uint32_t row, thread;
	int64_t self_ns;
};

struct sm_build {
	struct sm_model *model;
	struct sm_arena scratch; /* names */
	const struct sm_model_progress *progress;
	int level;			    /* of thinning */
	struct sm_build_process *processes; /* owned */
	size_t process_capacity;
	struct sm_build_thread **threads; /* owned */
	size_t thread_count, thread_capacity;
	struct sm_map thread_by_id, operation_by_text, transform_by_text;
	size_t operation_capacity;
	struct sm_map process_by_pid,
		worker_by_pid; /* worker: pid and tid to loader index and place in its `workers` */
	struct sm_build_transform *transforms; /* owned; in order of first sight */
	size_t transform_count, transform_capacity;
	struct sm_build_loader **loaders; /* owned; each stays where it is */
	size_t loader_capacity, loader_count;
	struct sm_build_fetch *fetches; /* owned */
	size_t fetch_count, fetch_capacity;
	struct sm_build_batch *batches; /* owned */
	size_t batch_count, batch_capacity;
	struct sm_sample_time *samples; /* owned */
	size_t sample_count, sample_capacity;
	struct sm_build_feed *feeds; /* owned */
	size_t feed_count, feed_capacity;
	struct sm_build_session *sessions; /* owned */
	size_t session_count, session_capacity;
	struct sm_build_loss *losses; /* owned */
	size_t loss_count, loss_capacity;
	struct sm_build_row *rows; /* owned; build_sessions.c */
	size_t row_count, row_capacity;
	struct sm_build_share *shares; /* owned */
	size_t share_count, share_capacity;
	struct sm_map row_by_key, share_by_key;
	bool rows_full;
	struct sm_build_series *series; /* owned; build_series.c */
	size_t series_capacity, series_count;
	struct sm_map series_by_id;
	int64_t series_first_ns, series_width_ns; /* of a point, the same for all */
	struct sm_build_stacks *stacks;		  /* owned; NULL: none were read */
	struct sm_build_recent recent;
	size_t fact_capacity, note_capacity;
	size_t alert_capacity;
	size_t interlude_capacity;
	int64_t started_ns; /* the collector; 0: not told */
	int64_t first_ns, last_ns;
};

int sm_build_create(struct sm_build **ret_build, struct sm_model *model);
struct sm_trace_visitor sm_build_visitor(struct sm_build *build);
int sm_build_complete(struct sm_build *build, const struct sm_trace_summary *summary);
void sm_build_destroy(struct sm_build *build); /* NULL is fine */

/* Grows an array in the model's arena by doubling; the old one stays behind, so at most twice the memory. */
int sm_build_grow(struct sm_build *build, void *items_pointer, size_t *capacity, size_t want,
	size_t element_bytes);
bool sm_build_keeps(const struct sm_build *build, int32_t iteration, int32_t sequence);
int sm_build_thin(
	struct sm_build *build); /* makes room in the three tables below when one of them is full */

/* build_names.c */
int sm_build_names_process(struct sm_build *build, const struct sm_trace_process *process);
int sm_build_names_add(struct sm_build *build, uint32_t process, const struct sm_trace_name *name);
const struct sm_build_name *sm_build_names_find(
	const struct sm_build *build, uint32_t process, uint32_t id);

/* build_facts.c */
int sm_build_facts_add(struct sm_build *build, uint32_t process, const char *text);
int sm_build_facts_note(
	struct sm_build *build, const char *what, const char *why); /* the same one again is one */
int sm_build_facts_pair(struct sm_build *build, struct sm_pair **pairs, size_t *count,
	size_t *capacity, const char *key, const char *value);

/* build_alerts.c */
int sm_build_alerts_add(struct sm_build *build, const struct sm_trace_alert *told);
void sm_build_alerts_complete(struct sm_build *build);

/* build_spans.c */
int sm_build_spans_add(struct sm_build *build, const struct sm_trace_events *events);
int sm_build_spans_finish(struct sm_build *build); /* marks that still wait for numbers */
int64_t sm_build_spans_arg(const struct sm_build_args *args, enum sm_key key, int64_t otherwise);
struct sm_build_frame *sm_build_spans_around(
	struct sm_build_thread *thread, enum sm_role role); /* NULL: none */

/* build_sessions.c */
int sm_build_sessions_begin(struct sm_build *build, uint32_t process, int64_t pid, int64_t begin_ns,
	const char *id, const char *name);
int sm_build_sessions_lose(
	struct sm_build *build, uint32_t process, int64_t first_ns, int64_t last_ns);
int sm_build_sessions_note(
	struct sm_build *build, uint32_t process, const char *id, const char *text);
void sm_build_sessions_end(
	struct sm_build *build, uint32_t process, const char *id, int64_t end_ns);
/* An operation begins or ends: what passed since the newest edge is the innermost one's own. */
int sm_build_sessions_edge(struct sm_build *build, struct sm_build_thread *thread, int64_t at_ns);
int sm_build_sessions_operation(struct sm_build *build, struct sm_build_thread *thread,
	const struct sm_build_frame *frame, int64_t end_ns);
int sm_build_sessions_complete(struct sm_build *build);

/* build_fetch.c, build_consume.c: spans end, marks happen. `detail` of the span is still on the stack at `depth`. */
int sm_build_fetch_begin(struct sm_build *build, struct sm_build_thread *thread, enum sm_role role);
int sm_build_fetch_end(struct sm_build *build, struct sm_build_thread *thread, int64_t end_ns);
int sm_build_fetch_mark(struct sm_build *build, struct sm_build_thread *thread, enum sm_role role,
	int64_t at_ns, const struct sm_build_args *args);
int sm_build_consume_begin(struct sm_build_thread *thread, enum sm_role role, int64_t at_ns);
int sm_build_consume_end(struct sm_build *build, struct sm_build_thread *thread, int64_t end_ns);
int sm_build_consume_mark(struct sm_build *build, struct sm_build_thread *thread, enum sm_role role,
	int64_t at_ns, const struct sm_build_args *args);
int sm_build_consume_finish(
	struct sm_build *build); /* the last batch of each thread ends with the run */

/* build_step.c: the batch in hand */
bool sm_build_step_is_work(enum sm_role role);
void sm_build_step_open(struct sm_build_consumer *consumer, const struct sm_build_batch *batch);
int sm_build_step_close(struct sm_build *build, struct sm_build_consumer *consumer, int64_t end_ns);
int sm_build_step_work(struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns);
void sm_build_step_read_copy(
	struct sm_build *build, struct sm_build_thread *thread, int64_t wall_ns);
void sm_build_step_read_helpers(
	struct sm_build *build, struct sm_build_thread *thread, int64_t wall_ns);
void sm_build_step_read_loop(
	struct sm_build *build, struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns);

/* build_recent.c; all but the first do nothing where nobody looks */
int sm_build_recent_watch(struct sm_build *build);
void sm_build_recent_finish(struct sm_build_recent *recent); /* fine on a zeroed one */
void sm_build_recent_batch(struct sm_build *build, const struct sm_build_batch *batch);
/* A wait at the border of an epoch: it stands between steps, and its task is -1. */
void sm_build_recent_border(struct sm_build *build, const struct sm_build_loader *loader,
	int64_t begin_ns, int64_t end_ns);
void sm_build_recent_fetch(struct sm_build *build, const struct sm_build_fetch *fetch);
/* The device's answer comes some steps later. NULL: not there (any more). */
struct sm_batch *sm_build_recent_find(
	struct sm_build *build, uint32_t loader, int64_t iteration, int64_t task);

/* build_sent.c: batches sent and not yet delivered */
int sm_build_sent_put(struct sm_build_thread *thread, struct sm_build_loader *loader, int64_t at_ns,
	const struct sm_build_args *args);
void sm_build_sent_arrive(struct sm_build_consumer *consumer, struct sm_build_loader *loader,
	int64_t at_ns, const struct sm_build_args *args);
void sm_build_sent_forget_arrival(struct sm_build_consumer *consumer);
struct sm_build_batch sm_build_sent_take(
	struct sm_build_loader *loader, int64_t iteration, int64_t task); /* or a new one */

/* build_causes.c: exclusive sums out of nested causes */
struct sm_cause_sum sm_build_causes_end(struct sm_build_thread *thread, int part, int64_t wall_ns);
void sm_build_causes_add(struct sm_cause_sum *into, const struct sm_cause_sum *from);

/* build_sums.c */
int sm_build_sums_transform(struct sm_build *build, struct sm_build_sums *sums, uint32_t slot,
	struct sm_transform **ret);
void sm_build_sums_slow(
	struct sm_build_sums *sums, int64_t wall_ns, int64_t index, const char *text);
int sm_build_sums_merge(
	struct sm_build *build, struct sm_build_sums *into, const struct sm_build_sums *from);
void sm_build_sums_finish(struct sm_build_sums *sums);

/* build_loader.c */
int sm_build_loader_find(struct sm_build *build, uint32_t process, int64_t ordinal,
	struct sm_build_loader **ret_loader);
struct sm_epoch *sm_build_loader_epoch(
	struct sm_build_loader *loader, int32_t iteration); /* NULL: no memory */
struct sm_build_loader *sm_build_loader_of_worker(const struct sm_build *build, uint32_t process,
	uint32_t tid, const struct sm_build_worker **ret_worker); /* NULL: not known (yet) */
struct sm_build_loader *sm_build_loader_of_parent(
	const struct sm_build *build, uint32_t process, int64_t ordinal);

/* build_series.c, build_join.c, build_lanes.c */

int sm_build_series_add(struct sm_build *build, const struct sm_trace_samples *samples);
int sm_build_series_one(
	struct sm_build *build, int64_t time_ns, uint16_t metric, int64_t instance, double value);
int sm_build_series_complete(struct sm_build *build);
void sm_build_series_finish(struct sm_build *build);
int sm_build_trainer(struct sm_build *build, struct sm_build_loader *loader); /* build_trainer.c */
int sm_build_trainer_step(struct sm_build_thread *thread, int64_t end_ns);
int sm_build_workers(struct sm_build *build, struct sm_build_loader *loader); /* build_workers.c */
bool sm_build_workers_runs_data_set(const struct sm_build_thread *thread);
/* What the fetch `part` says of the batch: its times, and the samples it was made of. */
void sm_build_join_fetch(struct sm_batch *batch, const struct sm_batch *part);
int sm_build_join(struct sm_build *build);
int sm_build_lanes(struct sm_build *build);

#endif
