/* What there is to see of a run at one moment: filled by viewing.c, laid out by picture.c, written as a line by view_json.c.
 * Numbers are seconds, bytes and shares; NaN where nothing is known. Texts are clean. */
#ifndef SM_LIVE_VIEW_H
#define SM_LIVE_VIEW_H

#include "live/judgement.h"
#include "live/pulse.h"

#include <limits.h>
#include <sys/types.h>

enum {
	SM_VIEW_WORKERS = 256, /* shown; more are counted */
	SM_VIEW_COUNTERS = 16,
	SM_VIEW_ALERTS = 8,
	SM_VIEW_LOADERS = SM_JUDGEMENT_LOADERS,
};

enum sm_view_state {
	SM_VIEW_READING, /* what was recorded before we came */
	SM_VIEW_RECORDING,
	SM_VIEW_ENDING, /* over; all of it is being read once more */
	SM_VIEW_FINISHED,
	SM_VIEW_STATE_COUNT,
};
const char *sm_view_state_name(enum sm_view_state state); /* "recording" */

enum sm_view_doing {	  /* of a worker */
	SM_VIEW_STARTING, /* it has made no batch yet */
	SM_VIEW_FETCHING,
	SM_VIEW_IDLE, /* it waits for indices */
	SM_VIEW_ENDED,
	SM_VIEW_DOING_COUNT,
};
const char *sm_view_doing_name(enum sm_view_doing doing);

struct sm_view_worker {
	size_t loader; /* in `loaders` */
	int index;
	int32_t pid;
	uint32_t tid;
	double busy_share; /* of the last seconds; of a finished run, of its life */
	double cpu_share;  /* of one core; of a finished run NaN */
	double rss_bytes, read_bytes_per_s;
	enum sm_view_doing doing;
	double doing_s; /* for how long */
	double batches;
};

struct sm_view_loader {
	char name[64];
	int rank;   /* -1: not distributed */
	int judged; /* its place in the judgement; -1: it was not judged yet */
	int num_workers, batch_size;
	double batches;	    /* asked for so far */
	double waiting_s;   /* its loop stands in next() since then; NaN: it does not */
	double stall_share; /* of the last SM_PULSE_WINDOW_S */
};

enum sm_view_unit { SM_VIEW_CORES, SM_VIEW_BYTES, SM_VIEW_BYTES_PER_S, SM_VIEW_SHARE };

struct sm_view_counter {
	const char *key;   /* static; of the JSON: "memory" */
	const char *label; /* static; for people */
	int instance;	   /* of a GPU; -1: there is one */
	enum sm_view_unit unit;
	double value, limit; /* limit NaN: none */
};

struct sm_view_alert {	  /* that began and has not ended */
	const char *kind; /* static: "memory" */
	double value, threshold, since_s;
};

struct sm_view {
	enum sm_view_state state;
	double read_share; /* while reading */
	char title[96];
	char run[PATH_MAX]; /* as the user should name it; clean */
	double elapsed_s;
	double events, events_lost;
	bool has_judgement;
	struct sm_judgement judgement;
	double judged_s;       /* ago */
	char not_judged[160];  /* why the last try failed; "" it did not */
	struct sm_pulse pulse; /* count 0: nothing yet, or finished */
	struct sm_pulse_time window;
	double window_s; /* that it covers */
	int ranks;
	struct sm_view_loader loaders[SM_VIEW_LOADERS];
	size_t loader_count;
	struct sm_view_worker workers[SM_VIEW_WORKERS];
	size_t worker_count;
	struct sm_view_counter counters[SM_VIEW_COUNTERS];
	size_t counter_count;
	struct sm_view_alert alerts[SM_VIEW_ALERTS];
	size_t alert_count;
};

/* Derived in one place, so that every form says the same. */
const struct sm_judged_loader *sm_view_judged(
	const struct sm_view *view, const struct sm_view_loader *loader); /* NULL: not yet */
double sm_view_recent_stall(const struct sm_view *view);		  /* share; NaN unknown */
double sm_view_steps_per_s(const struct sm_view *view);			  /* of one rank */
double sm_view_samples_per_s(const struct sm_view *view);		  /* of all ranks */
void sm_view_counter_add(struct sm_view *view, struct sm_view_counter counter); /* not a NaN */

#endif
