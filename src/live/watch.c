/* Time is that of the trace: the newest event or sample. The collector samples every tenth of a second, so this stands no
 * more than a second behind the clock, and a run that another machine records can be watched too. */
#include "live/watch.h"

#include "base/mem.h"
#include "base/metric.h"
#include "live/gauges.h"
#include "live/judging.h"
#include "read/reading.h"
#include "report/outline.h"
#include "trace/trace_follow.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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
	return sm_watch_finished(result, watch->running.run, watch->shown, watch->unicode, NULL);
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

static void add_loader(
	struct sm_view *view, const struct sm_watch *watch, size_t index, int64_t now_ns)
{
	struct sm_model_now_loader now = sm_model_growing_loader(watch->growing, index);
	struct sm_view_loader *loader = &view->loaders[view->loader_count++];
	const struct sm_pulse_time *window = &view->pulse.window[index];
	int judged = find_judged(watch, &now);
	*loader = (struct sm_view_loader){
		.rank = now.rank,
		.judged = judged,
		.num_workers = now.facts->num_workers,
		.batch_size = now.facts->batch_size,
		.batches = (double)now.facts->batch_total,
		.waiting_s = since_s(now_ns, now.waiting_since_ns),
		.stall_share = is_background(watch, judged)
				       ? NAN
				       : sm_pulse_share(window->exposed_s, window->known_s),
	};
	sm_judgement_text(loader->name, sizeof(loader->name),
		now.facts->name && *now.facts->name ? now.facts->name : "loader");
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
			.loader = loader,
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

/* --- the view: counters --- */

static double number_fact(const struct sm_watch *watch, const char *key)
{
	const char *text = sm_model_growing_fact(watch->growing, key);
	char *end;
	double value = text ? strtod(text, &end) : NAN;
	return text && end != text ? value : NAN;
}

/* Of the control group where it has a limit, since that is what kills a job; else of the machine. */
static void add_memory(struct sm_view *view, const struct sm_gauges *gauges)
{
	double limit = sm_gauges_value(gauges, SM_METRIC_GROUP_MEM_LIMIT, 0);
	double total = sm_gauges_value(gauges, SM_METRIC_MEM_TOTAL, 0);
	double used = total - sm_gauges_value(gauges, SM_METRIC_MEM_AVAILABLE, 0);
	if (limit > 0) {
		used = sm_gauges_value(gauges, SM_METRIC_GROUP_MEM, 0);
		total = limit;
	}
	sm_view_counter_add(
		view, (struct sm_view_counter){"memory", "memory", -1, SM_VIEW_BYTES, used, total});
}

static void add_gpus(struct sm_view *view, const struct sm_gauges *gauges)
{
	enum { GPUS_SHOWN = 8 };
	for (int i = 0; i < GPUS_SHOWN; i++) {
		sm_view_counter_add(
			view, (struct sm_view_counter){"gpu_busy", "GPU", i, SM_VIEW_SHARE,
				      sm_gauges_value(gauges, SM_METRIC_GPU_BUSY, i), NAN});
		sm_view_counter_add(
			view, (struct sm_view_counter){"gpu_memory", "GPU memory", i, SM_VIEW_BYTES,
				      sm_gauges_value(gauges, SM_METRIC_GPU_MEM, i),
				      sm_gauges_value(gauges, SM_METRIC_GPU_MEM_TOTAL, i)});
	}
}

static void add_machine(struct sm_view *view, const struct sm_watch *watch)
{
	const struct sm_gauges *gauges = &watch->gauges;
	/* fmin passes NaN over */
	double cores =
		fmin(number_fact(watch, "host.cpus"), number_fact(watch, "host.cpus_usable"));
	double quota = sm_gauges_value(gauges, SM_METRIC_GROUP_CPU_LIMIT, 0);
	double shm_total = sm_gauges_value(gauges, SM_METRIC_SHM_TOTAL, 0);
	const struct sm_view_counter counters[] = {
		{"cpu", "job CPU", -1, SM_VIEW_CORES,
			sm_gauges_sum_of_rates(gauges, SM_METRIC_PROC_CPU),
			quota > 0 ? fmin(cores, quota) : cores},
		{"machine_cpu", "machine CPU", -1, SM_VIEW_CORES,
			sm_gauges_sum_of_rates(gauges, SM_METRIC_CPU_USER) +
				sm_gauges_sum_of_rates(gauges, SM_METRIC_CPU_SYSTEM),
			number_fact(watch, "host.cpus")},
		{"shm", "/dev/shm", -1, SM_VIEW_BYTES,
			shm_total - sm_gauges_value(gauges, SM_METRIC_SHM_FREE, 0), shm_total},
		{"read", "job reads", -1, SM_VIEW_BYTES_PER_S,
			sm_gauges_sum_of_rates(gauges, SM_METRIC_PROC_READ), NAN},
		{"disk_read", "busiest disk reads", -1, SM_VIEW_BYTES_PER_S,
			sm_gauges_largest_rate(gauges, SM_METRIC_DISK_READ), NAN},
	};
	sm_view_counter_add(view, counters[0]);
	sm_view_counter_add(view, counters[1]);
	add_memory(view, gauges);
	for (size_t i = 2; i < sizeof(counters) / sizeof(*counters); i++) {
		sm_view_counter_add(view, counters[i]);
	}
	add_gpus(view, gauges);
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

static void fill_pulse(struct sm_view *view, const struct sm_watch *watch, int64_t now_ns)
{
	bool backgrounds[SM_PULSE_LOADERS] = {false};
	size_t count = sm_model_growing_loader_count(watch->growing);
	for (size_t i = 0; i < count && i < SM_PULSE_LOADERS; i++) {
		struct sm_model_now_loader now = sm_model_growing_loader(watch->growing, i);
		backgrounds[i] = is_background(watch, find_judged(watch, &now));
	}
	sm_pulse_read(&view->pulse, watch->growing, now_ns, backgrounds);
	view->window = sm_pulse_sum(&view->pulse, SM_PULSE_WINDOW_S);
	view->window_s = (double)(view->pulse.count < SM_PULSE_WINDOW_S ? view->pulse.count
									: SM_PULSE_WINDOW_S);
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
	ret_view->elapsed_s = elapsed_s(watch, now_ns);
	fill_pulse(ret_view, watch, now_ns);
	size_t loaders = sm_model_growing_loader_count(watch->growing);
	for (size_t i = 0; i < loaders && i < SM_VIEW_LOADERS; i++) {
		add_loader(ret_view, watch, i, now_ns);
		add_workers(ret_view, watch, i, now_ns);
	}
	add_machine(ret_view, watch);
}

/* --- a run that is over --- */

static void add_past_worker(struct sm_view *view, size_t loader, const struct sm_worker *worker)
{
	if (view->worker_count == SM_VIEW_WORKERS) {
		return;
	}
	view->workers[view->worker_count++] = (struct sm_view_worker){
		.loader = loader,
		.index = worker->index,
		.pid = worker->pid,
		.tid = worker->tid,
		.busy_share = sm_outline_loaders_busy_share(worker),
		.cpu_share = NAN,
		.rss_bytes = worker->rss_bytes < 0 ? NAN : (double)worker->rss_bytes,
		.read_bytes_per_s = NAN,
		.doing = SM_VIEW_ENDED,
		.doing_s = NAN,
		.batches = (double)worker->batches,
	};
}

static void add_past_loader(struct sm_view *view, const struct sm_loader *past)
{
	size_t index = view->loader_count++;
	struct sm_view_loader *loader = &view->loaders[index];
	*loader = (struct sm_view_loader){
		.rank = past->rank,
		.judged = index < view->judgement.loader_count ? (int)index : -1,
		.num_workers = past->num_workers,
		.batch_size = past->batch_size,
		.batches = (double)past->batch_total,
		.waiting_s = NAN,
		.stall_share = NAN,
	};
	sm_judgement_text(loader->name, sizeof(loader->name),
		past->name && *past->name ? past->name : "loader");
	for (size_t i = 0; i < past->worker_count; i++) {
		add_past_worker(view, index, &past->workers[i]);
	}
}

int sm_watch_finished(struct sm_view *ret_view, const char *run, const char *shown, bool unicode,
	struct sm_error *reterr)
{
	struct sm_reading reading;
	int error = sm_reading_build(&reading, run, NULL, reterr);
	if (error) {
		return error;
	}
	*ret_view = (struct sm_view){.state = SM_VIEW_FINISHED, .judged_s = 0};
	sm_judgement_text(ret_view->run, sizeof(ret_view->run), shown);
	error = sm_judgement_fill(&ret_view->judgement, &reading.report, unicode);
	if (!error) {
		const struct sm_model *model = &reading.model;
		ret_view->has_judgement = true;
		memcpy(ret_view->title, ret_view->judgement.title, sizeof(ret_view->title));
		ret_view->elapsed_s = ret_view->judgement.wall_s;
		ret_view->events = (double)model->events;
		ret_view->events_lost = (double)model->events_lost;
		ret_view->ranks = model->ranks;
		for (size_t i = 0; i < model->loader_count && i < SM_VIEW_LOADERS; i++) {
			add_past_loader(ret_view, &model->loaders[i]);
		}
	}
	sm_reading_finish(&reading);
	return error;
}
