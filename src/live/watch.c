/* Time is that of the trace: the newest event or sample. The collector samples every tenth of a second, so this stands no
 * more than a second behind the clock, and a run that another machine records can be watched too. */
#include "live/watch.h"

#include "base/mem.h"
#include "base/metric.h"
#include "live/gauges.h"
#include "live/judging.h"
#include "live/machine.h"
#include "live/past.h"
#include "trace/trace_follow.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

struct sm_watch {
	struct sm_running running;
	char shown[PATH_MAX];
	bool unicode, caught_up, over;
	struct sm_model_growing *growing; /* owned */
	struct sm_trace_visitor grow;	  /* of `growing` */
	struct sm_trace_visitor both;	  /* of us: growing and gauges */
	struct sm_trace_follow *follow;	  /* owned */
	struct sm_gauges gauges;	  /* owned */
	struct sm_judging judging;	  /* owned */
	struct sm_judgement judgement;
	bool has_judgement;
	int64_t judged_ns; /* how new what was judged is */
	int64_t asked_ns;
	int not_judged;		/* error of the last try */
	struct sm_aside ending; /* owned; reads a run that is over */
	bool has_ended;
	struct sm_view ended; /* then: the view of it */
	int highest_rank;
};

/* --- reading --- */

static int on_begin(void *context, int64_t started_ns)
{
	struct sm_watch *watch = context;
	return watch->grow.begin(watch->grow.context, started_ns);
}

static int on_alert(void *context, const struct sm_trace_alert *alert)
{
	struct sm_watch *watch = context;
	return watch->grow.alert(watch->grow.context, alert);
}

static int on_run(void *context, const char *key, const char *value)
{
	struct sm_watch *watch = context;
	return watch->grow.run(watch->grow.context, key, value);
}

static int on_process(void *context, const struct sm_trace_process *process)
{
	struct sm_watch *watch = context;
	watch->highest_rank =
		process->rank > watch->highest_rank ? process->rank : watch->highest_rank;
	return watch->grow.process(watch->grow.context, process);
}

static int on_name(void *context, uint32_t process, const struct sm_trace_name *name)
{
	struct sm_watch *watch = context;
	return watch->grow.name(watch->grow.context, process, name);
}

static int on_events(void *context, const struct sm_trace_events *events)
{
	struct sm_watch *watch = context;
	return watch->grow.events(watch->grow.context, events);
}

static int on_samples(void *context, const struct sm_trace_samples *samples)
{
	struct sm_watch *watch = context;
	int error = watch->grow.samples(watch->grow.context, samples);
	return error ? error : sm_gauges_add(&watch->gauges, samples);
}

static int on_note(void *context, const char *what, const char *why)
{
	struct sm_watch *watch = context;
	return watch->grow.note(watch->grow.context, what, why);
}

static struct sm_trace_visitor grow_and_gauge(struct sm_watch *watch)
{
	return (struct sm_trace_visitor){
		.context = watch,
		.begin = on_begin,
		.alert = on_alert,
		.run = on_run,
		.process = on_process,
		.name = on_name,
		.events = on_events,
		.samples = on_samples,
		.note = on_note,
	};
}

static int open_parts(struct sm_watch *watch)
{
	int error = sm_model_growing_create(&watch->growing);
	error = error ? error : sm_judging_init(&watch->judging, watch->unicode);
	return error ? error : sm_aside_init(&watch->ending, sizeof(struct sm_view));
}

int sm_watch_open(struct sm_watch **ret_watch, const struct sm_running *running, const char *shown,
	bool unicode, struct sm_error *reterr)
{
	struct sm_watch *watch = sm_mem_calloc(1, sizeof(*watch));
	if (!watch) {
		return sm_error_set(reterr, -ENOMEM, -1, "out of memory");
	}
	watch->running = *running;
	watch->unicode = unicode;
	watch->highest_rank = -1;
	sm_judgement_text(watch->shown, sizeof(watch->shown), shown);
	sm_gauges_init(&watch->gauges);
	int error = open_parts(watch);
	if (error) {
		sm_error_set(reterr, error, -1, "%s", sm_error_text(error));
	} else {
		watch->grow = sm_model_growing_visitor(watch->growing);
		watch->both = grow_and_gauge(watch);
		error = sm_trace_follow_open(&watch->follow, running->run, &watch->both, reterr);
	}
	if (error) {
		sm_watch_close(watch);
		return error;
	}
	*ret_watch = watch;
	return 0;
}

void sm_watch_close(struct sm_watch *watch)
{
	if (watch) {
		sm_aside_finish(&watch->ending);
		sm_judging_finish(&watch->judging);
		sm_trace_follow_close(watch->follow);
		sm_model_growing_destroy(watch->growing);
		sm_gauges_finish(&watch->gauges);
		sm_mem_free(watch);
	}
}

static int64_t newest_ns(const struct sm_watch *watch)
{
	int64_t event_ns = sm_model_growing_last_ns(watch->growing);
	return event_ns > watch->gauges.newest_ns ? event_ns : watch->gauges.newest_ns;
}

static void judge(struct sm_watch *watch)
{
	int got = sm_judging_take(&watch->judging, &watch->judgement);
	if (got > 0) {
		watch->has_judgement = true;
		watch->judged_ns = watch->asked_ns;
	}
	int begun = sm_judging_begin(&watch->judging, watch->growing,
		sm_trace_follow_summary(watch->follow), watch->running.run);
	if (begun > 0) {
		watch->asked_ns = newest_ns(watch);
	}
	watch->not_judged = got < 0 ? got : begun < 0 ? begun : got ? 0 : watch->not_judged;
}

/* The end is seen before the last reading, so that nothing can come behind it. */
static int read_more(struct sm_watch *watch, uint64_t bytes)
{
	bool over = !sm_running_goes_on(&watch->running);
	int got = sm_trace_follow_more(watch->follow, bytes);
	watch->caught_up |= !got;
	watch->over = over && got <= 0;
	return got;
}

static int see_end(void *context, void *result)
{
	const struct sm_watch *watch = context;
	return sm_past_see(result, watch->running.run, watch->shown, watch->unicode, NULL);
}

static int end(struct sm_watch *watch)
{
	int64_t cpu_ns;
	int got = watch->ending.child ? sm_aside_take(&watch->ending, &cpu_ns)
				      : sm_aside_begin(&watch->ending, see_end, watch);
	if (got > 0) {
		watch->has_ended = true;
		memcpy(&watch->ended, sm_aside_result(&watch->ending), sizeof(watch->ended));
	}
	return got < 0 ? got : 0;
}

int sm_watch_round(struct sm_watch *watch, uint64_t bytes)
{
	if (watch->has_ended) {
		return 0;
	}
	if (watch->over) {
		return end(watch);
	}
	int got = read_more(watch, bytes);
	if (got >= 0 && watch->caught_up) {
		judge(watch);
	}
	return got;
}

int sm_watch_once(struct sm_watch *watch)
{
	int got;
	while ((got = sm_trace_follow_more(watch->follow, UINT64_MAX)) > 0) {
	}
	watch->caught_up = !got;
	if (!got) {
		judge(watch);
		sm_judging_await(&watch->judging);
		judge(watch);
	}
	return got;
}

/* --- the view: loaders and workers --- */

static double since_s(int64_t now_ns, int64_t then_ns)
{
	return then_ns < 0 ? NAN : fmax((double)(now_ns - then_ns) * 1e-9, 0);
}

/* A thread worker has no counters of its own. */
static void add_counters(struct sm_view_worker *worker, const struct sm_gauges *gauges)
{
	bool own = !worker->tid && worker->doing != SM_VIEW_ENDED;
	worker->cpu_share = own ? sm_gauges_rate(gauges, SM_METRIC_PROC_CPU, worker->pid) : NAN;
	worker->rss_bytes = own ? sm_gauges_value(gauges, SM_METRIC_PROC_RSS, worker->pid) : NAN;
	worker->read_bytes_per_s =
		own ? sm_gauges_rate(gauges, SM_METRIC_PROC_READ, worker->pid) : NAN;
}

static void tell_doing(
	struct sm_view_worker *worker, const struct sm_model_now_worker *now, int64_t now_ns)
{
	if (now->ended_ns >= 0) {
		worker->doing = SM_VIEW_ENDED;
		worker->doing_s = since_s(now_ns, now->ended_ns);
	} else if (now->fetching_since_ns >= 0) {
		worker->doing = SM_VIEW_FETCHING;
		worker->doing_s = since_s(now_ns, now->fetching_since_ns);
	} else if (now->idle_since_ns >= 0) {
		worker->doing = SM_VIEW_IDLE;
		worker->doing_s = since_s(now_ns, now->idle_since_ns);
	} else {
		worker->doing = SM_VIEW_STARTING;
		worker->doing_s = since_s(now_ns, now->started_ns);
	}
}

/* Over the window, or as much of it as the worker has lived. */
static double busy_of(const struct sm_model_now_worker *now, int64_t since_ns, int64_t now_ns)
{
	int64_t from_ns = now->started_ns > since_ns ? now->started_ns : since_ns;
	return sm_pulse_share((double)now->recent_ns * 1e-9, (double)(now_ns - from_ns) * 1e-9);
}

/* Of the loader that was added last. */
static void add_workers(
	struct sm_view *view, const struct sm_watch *watch, size_t loader, int64_t now_ns)
{
	static struct sm_model_now_worker now[SM_VIEW_WORKERS];
	int64_t since_ns = now_ns - SM_PULSE_WINDOW_S * SECOND_NS;
	size_t count = sm_model_growing_workers(
		watch->growing, loader, since_ns, now, SM_VIEW_WORKERS - view->worker_count);
	for (size_t i = 0; i < count; i++) {
		struct sm_view_worker *worker = &view->workers[view->worker_count++];
		*worker = (struct sm_view_worker){
			.loader = view->loader_count - 1,
			.index = now[i].index,
			.pid = now[i].pid,
			.tid = now[i].tid,
			.batches = (double)now[i].batches,
			.busy_share =
				now[i].ended_ns >= 0 ? NAN : busy_of(&now[i], since_ns, now_ns),
		};
		tell_doing(worker, &now[i], now_ns);
		add_counters(worker, &watch->gauges);
	}
}

static int find_judged(const struct sm_watch *watch, const struct sm_model_now_loader *now)
{
	for (size_t i = 0; i < watch->judgement.loader_count; i++) {
		const struct sm_judged_loader *judged = &watch->judgement.loaders[i];
		if (judged->ordinal == now->facts->ordinal && judged->main_pid == now->main_pid) {
			return (int)i;
		}
	}
	return -1;
}

static bool is_background(const struct sm_watch *watch, int judged)
{
	return judged >= 0 && watch->judgement.loaders[judged].background;
}

static void add_loader(struct sm_view *view, const struct sm_watch *watch,
	const struct sm_model_now_loader *now, int64_t now_ns)
{
	struct sm_view_loader *loader = &view->loaders[view->loader_count++];
	struct sm_pulse_time window = sm_pulse_of_loader(&view->pulse, now->index);
	int judged = find_judged(watch, now);
	*loader = (struct sm_view_loader){
		.rank = now->rank,
		.judged = judged,
		.num_workers = now->facts->num_workers,
		.batch_size = now->facts->batch_size,
		.batches = (double)now->facts->batch_total,
		.waiting_s = since_s(now_ns, now->waiting_since_ns),
		.stall_share = is_background(watch, judged)
				       ? NAN
				       : sm_pulse_share(window.exposed_s, window.known_s),
	};
	sm_judgement_text(loader->name, sizeof(loader->name),
		now->facts->name && *now->facts->name ? now->facts->name : "loader");
	add_workers(view, watch, now->index, now_ns);
}

/* --- the view: the whole --- */

static void fill_title(struct sm_view *view, const struct sm_watch *watch)
{
	const char *name = sm_model_growing_fact(watch->growing, "name");
	memcpy(view->run, watch->shown, sizeof(view->run));
	const char *slash = strrchr(watch->shown, '/');
	const char *folder = slash && slash[1] ? slash + 1 : watch->shown;
	const char *title = watch->has_judgement ? watch->judgement.title
			    : name && *name	 ? name
						 : folder;
	sm_judgement_text(view->title, sizeof(view->title), title);
}

/* The collector is there before the job. */
static double elapsed_s(const struct sm_watch *watch, int64_t now_ns)
{
	int64_t event_ns = sm_model_growing_begin_ns(watch->growing);
	int64_t first_ns = watch->gauges.first_ns;
	return since_s(now_ns, event_ns >= 0 && event_ns < first_ns ? event_ns : first_ns);
}

static void fill_pulse(struct sm_view *view, const struct sm_watch *watch,
	const struct sm_model_now_loader *loaders, size_t count, int64_t now_ns)
{
	struct sm_pulse_known known[SM_VIEW_LOADERS];
	for (size_t i = 0; i < count; i++) {
		known[i] = (struct sm_pulse_known){
			.loader = loaders[i].index,
			.background = is_background(watch, find_judged(watch, &loaders[i])),
			.waiting_since_ns = loaders[i].waiting_since_ns,
		};
	}
	sm_pulse_read(&view->pulse, watch->growing, now_ns, known, count);
	view->window = sm_pulse_sum(&view->pulse, SM_PULSE_WINDOW_S);
	view->window_s = (double)(view->pulse.count < SM_PULSE_WINDOW_S ? view->pulse.count
									: SM_PULSE_WINDOW_S);
}

static void forget_alert(struct sm_view *view, const char *kind)
{
	size_t kept = 0;
	for (size_t i = 0; i < view->alert_count; i++) {
		if (strcmp(view->alerts[i].kind, kind) != 0) {
			view->alerts[kept++] = view->alerts[i];
		}
	}
	view->alert_count = kept;
}

static void fill_alerts(struct sm_view *view, const struct sm_watch *watch, int64_t now_ns)
{
	size_t count;
	const struct sm_alert *alerts = sm_model_growing_alerts(watch->growing, &count);
	for (size_t i = 0; i < count; i++) {
		forget_alert(view, alerts[i].kind);
		if (alerts[i].begins && view->alert_count < SM_VIEW_ALERTS) {
			view->alerts[view->alert_count++] = (struct sm_view_alert){
				.kind = alerts[i].kind,
				.value = alerts[i].value,
				.threshold = alerts[i].threshold,
				.since_s = since_s(now_ns, alerts[i].time_ns),
			};
		}
	}
}

static double read_share(const struct sm_watch *watch)
{
	double total = (double)sm_trace_follow_total(watch->follow);
	return total > 0 ? (double)sm_trace_follow_done(watch->follow) / total : NAN;
}

void sm_watch_fill(struct sm_watch *watch, struct sm_view *ret_view)
{
	const struct sm_trace_summary *summary = sm_trace_follow_summary(watch->follow);
	int64_t now_ns = newest_ns(watch);
	if (watch->has_ended) {
		*ret_view = watch->ended;
		return;
	}
	*ret_view = (struct sm_view){
		.state = watch->over	    ? SM_VIEW_ENDING
			 : watch->caught_up ? SM_VIEW_RECORDING
					    : SM_VIEW_READING,
		.read_share = read_share(watch),
		.events = (double)summary->events,
		.events_lost = (double)summary->events_lost,
		.has_judgement = watch->has_judgement,
		.judgement = watch->judgement,
		.judged_s = watch->has_judgement ? since_s(now_ns, watch->judged_ns) : NAN,
		.elapsed_s = NAN,
		.ranks = watch->highest_rank < 0 ? 1 : watch->highest_rank + 1,
	};
	fill_title(ret_view, watch);
	if (watch->not_judged) {
		snprintf(ret_view->not_judged, sizeof(ret_view->not_judged), "%s",
			sm_error_text(watch->not_judged));
	}
	if (now_ns == INT64_MIN) {
		return; /* nothing was recorded yet */
	}
	struct sm_model_now_loader loaders[SM_VIEW_LOADERS];
	size_t count = sm_model_growing_loaders(watch->growing, loaders, SM_VIEW_LOADERS);
	ret_view->elapsed_s = elapsed_s(watch, now_ns);
	fill_pulse(ret_view, watch, loaders, count, now_ns);
	for (size_t i = 0; i < count; i++) {
		add_loader(ret_view, watch, &loaders[i], now_ns);
	}
	fill_alerts(ret_view, watch, now_ns);
	sm_machine_fill(ret_view, &watch->gauges, watch->growing);
}
