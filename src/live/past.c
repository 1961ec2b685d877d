#include "live/past.h"

#include "read/reading.h"
#include "report/outline.h"

#include <math.h>
#include <string.h>

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

int sm_past_see(struct sm_view *ret_view, const char *run, const char *shown, bool unicode,
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
