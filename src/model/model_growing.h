/* A model of a run that goes on: filled by a visitor bit by bit, looked at at any moment, and completed once.
 *
 * `complete` joins and lays out all that has come so far, and thereby ends the growing. Whoever wants to go on completes a
 * copy of it; the cheapest copy of a process's memory is what fork(2) gives. */
#ifndef SM_MODEL_MODEL_GROWING_H
#define SM_MODEL_MODEL_GROWING_H

#include "model/model.h"
#include "trace/trace_reader.h"

struct sm_model_growing;

int sm_model_growing_create(struct sm_model_growing **ret_growing); /* 0 or -ENOMEM */
void sm_model_growing_destroy(struct sm_model_growing *growing);    /* NULL is fine */
struct sm_trace_visitor sm_model_growing_visitor(struct sm_model_growing *growing);
/* *ret_model is the caller's to finish. */
int sm_model_growing_complete(struct sm_model_growing *growing,
	const struct sm_trace_summary *summary, struct sm_model *ret_model);

/* --- as of now --- */

const char *sm_model_growing_fact(const struct sm_model_growing *growing, const char *key);
int64_t sm_model_growing_begin_ns(const struct sm_model_growing *growing); /* -1: no event yet */
int64_t sm_model_growing_last_ns(const struct sm_model_growing *growing);  /* the newest event */

/* Alerts so far, as they came; `time_s` is not set. */
const struct sm_alert *sm_model_growing_alerts(
	const struct sm_model_growing *growing, size_t *ret_count);

struct sm_model_now_loader {
	size_t index;		       /* as below */
	const struct sm_loader *facts; /* settings and `batch_total`; its tables are empty */
	int32_t main_pid, rank;	       /* rank -1: not distributed */
	int64_t waiting_since_ns;      /* its consumer is inside next(); -1: it is not */
};
/* Those that were asked for a batch, in order of first mention; at most `room`. Returns how many. */
size_t sm_model_growing_loaders(const struct sm_model_growing *growing,
	struct sm_model_now_loader *ret_loaders, size_t room);

struct sm_model_now_worker {
	int index;
	int32_t pid;
	uint32_t tid;		   /* of a thread worker; else 0 */
	int64_t started_ns;	   /* -1: not known */
	int64_t fetching_since_ns; /* -1: it makes no batch now */
	int64_t idle_since_ns;	   /* the end of its newest batch; -1: it has made none */
	int64_t ended_ns;	   /* -1: it lives */
	int64_t recent_ns;	   /* inside fetches since `since_ns` */
	uint64_t batches;
};
/* Of each index the newest process or thread, in order of index; at most `room`. Returns how many. */
size_t sm_model_growing_workers(const struct sm_model_growing *growing, size_t loader,
	int64_t since_ns, struct sm_model_now_worker *ret_workers, size_t room);

/* The newest batches that ended behind `since_ns`, newest first, as their loop saw them (the worker's part is not joined); and
 * waits at the borders of epochs, whose task is -1. Of the newest SM_BUILD_RECENT; returns the end of the last batch that was
 * overwritten, INT64_MIN for none: before it nothing is known. */
typedef void sm_model_growing_see(void *context, size_t loader, const struct sm_batch *batch);
int64_t sm_model_growing_recent(const struct sm_model_growing *growing, int64_t since_ns,
	sm_model_growing_see *see, void *context);

#endif
