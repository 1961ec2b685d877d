#include "live/view.h"

#include <math.h>

const char *sm_view_state_name(enum sm_view_state state)
{
	static const char *const names[] = {"reading", "recording", "ending", "finished"};
	return (unsigned)state < SM_VIEW_STATE_COUNT ? names[state] : "?";
}

const char *sm_view_doing_name(enum sm_view_doing doing)
{
	static const char *const names[] = {"starting", "fetching", "idle", "ended"};
	return (unsigned)doing < SM_VIEW_DOING_COUNT ? names[doing] : "?";
}

const struct sm_judged_loader *sm_view_judged(
	const struct sm_view *view, const struct sm_view_loader *loader)
{
	return loader->judged < 0 ? NULL : &view->judgement.loaders[loader->judged];
}

/* What of a background loader's wait is a stall shows only when its steps are joined with those of the training thread. */
double sm_view_recent_stall(const struct sm_view *view)
{
	return view->pulse.background
		       ? NAN
		       : sm_pulse_share(view->window.exposed_s, view->window.known_s);
}

double sm_view_steps_per_s(const struct sm_view *view)
{
	int ranks = view->ranks > 1 ? view->ranks : 1;
	return view->window_s > 0 ? view->window.steps / view->window_s / ranks : NAN;
}

double sm_view_samples_per_s(const struct sm_view *view)
{
	bool counted = view->window.samples > 0 || !(view->window.steps > 0);
	return view->window_s > 0 && counted ? view->window.samples / view->window_s : NAN;
}

void sm_view_counter_add(struct sm_view *view, struct sm_view_counter counter)
{
	if (!isnan(counter.value) && view->counter_count < SM_VIEW_COUNTERS) {
		view->counters[view->counter_count++] = counter;
	}
}
