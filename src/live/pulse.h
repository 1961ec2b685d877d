/* The last seconds of a run, second by second: what of the time was a stall, and how many steps ended. */
#ifndef SM_LIVE_PULSE_H
#define SM_LIVE_PULSE_H

#include "model/model_growing.h"

enum { SM_PULSE_SECONDS = 60, SM_PULSE_WINDOW_S = 10, SM_PULSE_LOADERS = 16 };

struct sm_pulse_time {
	double known_s; /* of steps that have ended, and of waits; summed over ranks */
	double exposed_s, transfer_s, host_s;
	double steps, samples;
};

struct sm_pulse_loader {
	size_t loader;
	struct sm_pulse_time window; /* the last SM_PULSE_WINDOW_S */
};

struct sm_pulse {
	struct sm_pulse_time seconds[SM_PULSE_SECONDS]; /* newest last */
	size_t count; /* of them, the newest that lie inside the run and are known */
	struct sm_pulse_loader loaders[SM_PULSE_LOADERS];
	size_t loader_count;
	bool device; /* one was asked how far it is */
	bool background; /* batches are asked for by a thread that does not train: what of their wait is a stall is not known
			    before the run is judged */
};

/* What is known of the loaders that are in use. */
struct sm_pulse_known {
	size_t loader;
	bool background;	  /* as far as the run was judged */
	int64_t waiting_since_ns; /* -1: its loop does not wait */
};

void sm_pulse_read(struct sm_pulse *pulse, const struct sm_model_growing *growing, int64_t now_ns,
	const struct sm_pulse_known *known, size_t known_count);
/* Of the last SM_PULSE_WINDOW_S, what one loader's steps were; all zero where none ended. */
struct sm_pulse_time sm_pulse_of_loader(const struct sm_pulse *pulse, size_t loader);
/* Of the newest `seconds`. */
struct sm_pulse_time sm_pulse_sum(const struct sm_pulse *pulse, size_t seconds);
double sm_pulse_share(double part_s, double known_s); /* NaN where nothing is known */

#endif
