/* Time is that of the trace: the newest event or sample. The collector samples every tenth of a second, so this stands no
 * more than a second behind the clock, and a run that another machine records can be watched too. */
#include "live/viewing.h"

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

struct sm_viewing {
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
	struct sm_viewing *viewing = context;
	return viewing->grow.begin(viewing->grow.context, started_ns);
}

static int on_alert(void *context, const struct sm_trace_alert *alert)
{
	struct sm_viewing *viewing = context;
	return viewing->grow.alert(viewing->grow.context, alert);
}

static int on_run(void *context, const char *key, const char *value)
{
	struct sm_viewing *viewing = context;
	return viewing->grow.run(viewing->grow.context, key, value);
}

static int on_process(void *context, const struct sm_trace_process *process)
{
	struct sm_viewing *viewing = context;
	viewing->highest_rank =
		process->rank > viewing->highest_rank ? process->rank : viewing->highest_rank;
	return viewing->grow.process(viewing->grow.context, process);
}

static int on_name(void *context, uint32_t process, const struct sm_trace_name *name)
{
	struct sm_viewing *viewing = context;
	return viewing->grow.name(viewing->grow.context, process, name);
}

static int on_events(void *context, const struct sm_trace_events *events)
{
	struct sm_viewing *viewing = context;
	return viewing->grow.events(viewing->grow.context, events);
}

static int on_samples(void *context, const struct sm_trace_samples *samples)
{
	struct sm_viewing *viewing = context;
	int error = viewing->grow.samples(viewing->grow.context, samples);
	return error ? error : sm_gauges_add(&viewing->gauges, samples);
}

static int on_note(void *context, const char *what, const char *why)
{
	struct sm_viewing *viewing = context;
	return viewing->grow.note(viewing->grow.context, what, why);
}

static struct sm_trace_visitor grow_and_gauge(struct sm_viewing *viewing)
{
	return (struct sm_trace_visitor){
		.context = viewing,
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

static int open_parts(struct sm_viewing *viewing)
{
	int error = sm_model_growing_create(&viewing->growing);
	error = error ? error : sm_judging_init(&viewing->judging, viewing->unicode);
	return error ? error : sm_aside_init(&viewing->ending, sizeof(struct sm_view));
}

int sm_viewing_open(struct sm_viewing **ret_viewing, const struct sm_running *running,
	const char *shown, bool unicode, struct sm_error *reterr)
{
	struct sm_viewing *viewing = sm_mem_calloc(1, sizeof(*viewing));
	if (!viewing) {
		return sm_error_set(reterr, -ENOMEM, -1, "out of memory");
	}
	viewing->running = *running;
	viewing->unicode = unicode;
	viewing->highest_rank = -1;
	sm_judgement_text(viewing->shown, sizeof(viewing->shown), shown);
	sm_gauges_init(&viewing->gauges);
	int error = open_parts(viewing);
	if (error) {
		sm_error_set(reterr, error, -1, "%s", sm_error_text(error));
	} else {
		viewing->grow = sm_model_growing_visitor(viewing->growing);
		viewing->both = grow_and_gauge(viewing);
		error = sm_trace_follow_open(
			&viewing->follow, running->run, &viewing->both, reterr);
	}
	if (error) {
		sm_viewing_close(viewing);
		return error;
	}
	*ret_viewing = viewing;
	return 0;
}

void sm_viewing_close(struct sm_viewing *viewing)
{
	if (viewing) {
		sm_aside_finish(&viewing->ending);
		sm_judging_finish(&viewing->judging);
		sm_trace_follow_close(viewing->follow);
		sm_model_growing_destroy(viewing->growing);
		sm_gauges_finish(&viewing->gauges);
		sm_mem_free(viewing);
	}
}

static int64_t newest_ns(const struct sm_viewing *viewing)
{
	int64_t event_ns = sm_model_growing_last_ns(viewing->growing);
	return event_ns > viewing->gauges.newest_ns ? event_ns : viewing->gauges.newest_ns;
}

static void judge(struct sm_viewing *viewing)
{
	int got = sm_judging_take(&viewing->judging, &viewing->judgement);
	if (got > 0) {
		viewing->has_judgement = true;
		viewing->judged_ns = viewing->asked_ns;
	}
	int begun = sm_judging_begin(&viewing->judging, viewing->growing,
		sm_trace_follow_summary(viewing->follow), viewing->running.run);
	if (begun > 0) {
		viewing->asked_ns = newest_ns(viewing);
	}
	viewing->not_judged = got < 0 ? got : begun < 0 ? begun : got ? 0 : viewing->not_judged;
}

/* The end is seen before the last reading, so that nothing can come behind it. */
static int read_more(struct sm_viewing *viewing, uint64_t bytes)
{
	bool over = !sm_running_goes_on(&viewing->running);
	int got = sm_trace_follow_more(viewing->follow, bytes);
	viewing->caught_up |= !got;
	viewing->over = over && got <= 0;
	return got;
}

static int see_end(void *context, void *result)
{
	const struct sm_viewing *viewing = context;
	return sm_past_see(result, viewing->running.run, viewing->shown, viewing->unicode, NULL);
}

static int end(struct sm_viewing *viewing)
{
	int64_t cpu_ns;
	int got = viewing->ending.child ? sm_aside_take(&viewing->ending, &cpu_ns)
					: sm_aside_begin(&viewing->ending, see_end, viewing);
	if (got > 0) {
		viewing->has_ended = true;
		memcpy(&viewing->ended, sm_aside_result(&viewing->ending), sizeof(viewing->ended));
	}
	return got < 0 ? got : 0;
}

int sm_viewing_round(struct sm_viewing *viewing, uint64_t bytes)
{
	if (viewing->has_ended) {
		return 0;
	}
	if (viewing->over) {
		return end(viewing);
	}
	int got = read_more(viewing, bytes);
	if (got >= 0 && viewing->caught_up) {
		judge(viewing);
	}
	return got;
}

int sm_viewing_once(struct sm_viewing *viewing)
{
	int got;
	while ((got = sm_trace_follow_more(viewing->follow, UINT64_MAX)) > 0) {
	}
	viewing->caught_up = !got;
	if (!got) {
		judge(viewing);
		sm_judging_await(&viewing->judging);
		judge(viewing);
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
	struct sm_view *view, const struct sm_viewing *viewing, size_t loader, int64_t now_ns)
{
	static struct sm_model_now_worker now[SM_VIEW_WORKERS];
	int64_t since_ns = now_ns - SM_PULSE_WINDOW_S * SECOND_NS;
	size_t count = sm_model_growing_workers(
		viewing->growing, loader, since_ns, now, SM_VIEW_WORKERS - view->worker_count);
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
		add_counters(worker, &viewing->gauges);
	}
}

static int find_judged(const struct sm_viewing *viewing, const struct sm_model_now_loader *now)
{
	for (size_t i = 0; i < viewing->judgement.loader_count; i++) {
		const struct sm_judged_loader *judged = &viewing->judgement.loaders[i];
		if (judged->ordinal == now->facts->ordinal && judged->main_pid == now->main_pid) {
			return (int)i;
		}
	}
	return -1;
}

static bool is_background(const struct sm_viewing *viewing, int judged)
{
	return judged >= 0 && viewing->judgement.loaders[judged].background;
}

static void add_loader(struct sm_view *view, const struct sm_viewing *viewing,
	const struct sm_model_now_loader *now, int64_t now_ns)
{
	struct sm_view_loader *loader = &view->loaders[view->loader_count++];
	struct sm_pulse_time window = sm_pulse_of_loader(&view->pulse, now->index);
	int judged = find_judged(viewing, now);
	*loader = (struct sm_view_loader){
		.rank = now->rank,
		.judged = judged,
		.num_workers = now->facts->num_workers,
		.batch_size = now->facts->batch_size,
		.batches = (double)now->facts->batch_total,
		.waiting_s = since_s(now_ns, now->waiting_since_ns),
		.stall_share = is_background(viewing, judged)
				       ? NAN
				       : sm_pulse_share(window.exposed_s, window.known_s),
	};
	sm_judgement_text(loader->name, sizeof(loader->name),
		now->facts->name && *now->facts->name ? now->facts->name : "loader");
	add_workers(view, viewing, now->index, now_ns);
}

/* --- the view: the whole --- */

static void fill_title(struct sm_view *view, const struct sm_viewing *viewing)
{
	const char *name = sm_model_growing_fact(viewing->growing, "name");
	memcpy(view->run, viewing->shown, sizeof(view->run));
	const char *slash = strrchr(viewing->shown, '/');
	const char *folder = slash && slash[1] ? slash + 1 : viewing->shown;
	const char *title = viewing->has_judgement ? viewing->judgement.title
			    : name && *name	   ? name
						   : folder;
	sm_judgement_text(view->title, sizeof(view->title), title);
}

/* The collector is there before the job. */
static double elapsed_s(const struct sm_viewing *viewing, int64_t now_ns)
{
	int64_t event_ns = sm_model_growing_begin_ns(viewing->growing);
	int64_t first_ns = viewing->gauges.first_ns;
	return since_s(now_ns, event_ns >= 0 && event_ns < first_ns ? event_ns : first_ns);
}

static void fill_pulse(struct sm_view *view, const struct sm_viewing *viewing,
	const struct sm_model_now_loader *loaders, size_t count, int64_t now_ns)
{
	struct sm_pulse_known known[SM_VIEW_LOADERS];
	for (size_t i = 0; i < count; i++) {
		known[i] = (struct sm_pulse_known){
			.loader = loaders[i].index,
			.background = is_background(viewing, find_judged(viewing, &loaders[i])),
			.waiting_since_ns = loaders[i].waiting_since_ns,
		};
	}
	sm_pulse_read(&view->pulse, viewing->growing, now_ns, known, count);
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

static void fill_alerts(struct sm_view *view, const struct sm_viewing *viewing, int64_t now_ns)
{
	size_t count;
	const struct sm_alert *alerts = sm_model_growing_alerts(viewing->growing, &count);
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

static double read_share(const struct sm_viewing *viewing)
{
	uint64_t total, done = sm_trace_follow_done(viewing->follow, &total);
	return total ? (double)done / (double)total : NAN;
}

void sm_viewing_fill(struct sm_viewing *viewing, struct sm_view *ret_view)
{
	const struct sm_trace_summary *summary = sm_trace_follow_summary(viewing->follow);
	int64_t now_ns = newest_ns(viewing);
	if (viewing->has_ended) {
		*ret_view = viewing->ended;
		return;
	}
	*ret_view = (struct sm_view){
		.state = viewing->over	      ? SM_VIEW_ENDING
			 : viewing->caught_up ? SM_VIEW_RECORDING
					      : SM_VIEW_READING,
		.read_share = read_share(viewing),
		.events = (double)summary->events,
		.events_lost = (double)summary->events_lost,
		.has_judgement = viewing->has_judgement,
		.judgement = viewing->judgement,
		.judged_s = viewing->has_judgement ? since_s(now_ns, viewing->judged_ns) : NAN,
		.elapsed_s = NAN,
		.ranks = viewing->highest_rank < 0 ? 1 : viewing->highest_rank + 1,
	};
	fill_title(ret_view, viewing);
	if (viewing->not_judged) {
		snprintf(ret_view->not_judged, sizeof(ret_view->not_judged), "%s",
			sm_error_text(viewing->not_judged));
	}
	if (now_ns == INT64_MIN) {
		return; /* nothing was recorded yet */
	}
	struct sm_model_now_loader loaders[SM_VIEW_LOADERS];
	size_t count = sm_model_growing_loaders(viewing->growing, loaders, SM_VIEW_LOADERS);
	ret_view->elapsed_s = elapsed_s(viewing, now_ns);
	fill_pulse(ret_view, viewing, loaders, count, now_ns);
	for (size_t i = 0; i < count; i++) {
		add_loader(ret_view, viewing, &loaders[i], now_ns);
	}
	fill_alerts(ret_view, viewing, now_ns);
	sm_machine_fill(ret_view, &viewing->gauges, viewing->growing);
}
