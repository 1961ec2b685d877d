#include "detect/looks.h"

#include "base/metric.h"

/* The collector counts from 0 when it first sees a process, and says a count when it first changes. */
static double count_of(const struct sm_model *model, enum sm_metric metric, int32_t pid)
{
	const struct sm_series *series = sm_model_series(model, (int)metric, pid);
	return series ? series->last : 0;
}

static void add_process(struct sm_looks *looks, const struct sm_model *model, int32_t pid)
{
	looks->total += count_of(model, SM_METRIC_PROC_LOOKS, pid);
	looks->lock += count_of(model, SM_METRIC_PROC_LOOKS_LOCK, pid);
	looks->sleep += count_of(model, SM_METRIC_PROC_LOOKS_SLEEP, pid);
	looks->peer += count_of(model, SM_METRIC_PROC_LOOKS_SOCKET, pid);
	looks->file += count_of(model, SM_METRIC_PROC_LOOKS_FILE, pid);
	looks->idle += count_of(model, SM_METRIC_PROC_LOOKS_IDLE, pid);
	looks->computing += count_of(model, SM_METRIC_PROC_CPU_LOOKS, pid);
	looks->python += count_of(model, SM_METRIC_PROC_CPU_LOOKS_PYTHON, pid);
}

struct sm_looks sm_looks_of(const struct sm_model *model, const struct sm_loader *loader)
{
	struct sm_looks looks = {0};
	for (size_t i = 0; i < loader->worker_count; i++) {
		if (!loader->workers[i]
				.tid) { /* of a thread only its process's main thread is looked at */
			add_process(&looks, model, loader->workers[i].pid);
		}
	}
	if (!loader->worker_count && loader->num_workers == 0) {
		add_process(&looks, model, loader->main_pid);
	}
	return looks;
}

double sm_looks_waiting(const struct sm_looks *looks)
{
	return looks->lock + looks->sleep + looks->peer + looks->file;
}

enum sm_wait sm_looks_decide(const struct sm_looks *looks)
{
	const double counts[] = {looks->lock, looks->sleep, looks->peer, looks->file};
	static const enum sm_wait kinds[] = {
		SM_WAIT_LOCK, SM_WAIT_SLEEP, SM_WAIT_PEER, SM_WAIT_FILE};
	double waiting = sm_looks_waiting(looks);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (waiting >= SM_LOOKS_LEAST &&
			counts[i] * 100 >= waiting * SM_LOOKS_MAJORITY_PERCENT) {
			return kinds[i];
		}
	}
	return SM_WAIT_UNKNOWN;
}
