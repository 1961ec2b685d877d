/* How much of the waiting was a stall.
 *
 * The host's wait in next() says little: with an asynchronous device it may be covered by work that was queued before
 * (hidden), or not (exposed). With h the wait, R the device's backlog when the wait begins and l the time from the batch in
 * hand to the launch of the first work that needs it,
 *
 *     E = max(0, h + l - R) - max(0, l - R)     exposed
 *     H = h - E                                 hidden
 *     L = max(0, l - R)                         the host kept the device waiting, data in hand
 *
 * A device that was asked tells the time g between its last work before the wait and its first work behind it. That is
 * max(0, h + l - R); where it is not 0, max(0, l - R) = max(0, g - h), so that R and l drop out:
 *
 *     E = min(h, g)             L = g - E
 *
 * Where g is not known, a device that was idle when it was asked has R = 0, so E = h, and one that was busy still when the
 * wait was over had work enough: E = 0. On a CPU R = 0.
 *
 * Where a thread in the background asks for the batches, its waits are not the training's: a stall is then what the
 * training thread was blocked, and no more than the wait behind it.
 *
 * Making the iterator, starting workers and ending an epoch are waits for data as well: no step runs meanwhile. */
#include "analyze/stalls.h"

#include "analyze/bootstrap.h"
#include "base/mem.h"

#include <errno.h>
#include <math.h>

static int64_t wait_of(const struct sm_batch *batch)
{
	return batch->request_ns >= 0 && batch->deliver_ns >= batch->request_ns
		       ? batch->deliver_ns - batch->request_ns
		       : 0;
}

static int64_t clip(int64_t value, int64_t most)
{
	return value < 0 ? 0 : value > most ? most : value;
}

void sm_stalls_judge(struct sm_batch *batch, bool background)
{
	int64_t wait_ns = wait_of(batch), gap_ns = batch->device_elapsed_ns;
	batch->exposed_ns = background ? clip(batch->trainer_blocked_ns, wait_ns) : wait_ns;
	batch->launch_ns = 0;
	if (batch->device_state >= 0 && gap_ns >= 0) {
		batch->exposed_ns = clip(gap_ns, wait_ns);
		batch->launch_ns = gap_ns - batch->exposed_ns;
	} else if (batch->device_state == SM_DEVICE_BUSY_AT_DELIVERY) {
		batch->exposed_ns = 0;
	}
}

static void add_up(struct sm_loader_analysis *ret, const struct sm_loader *loader)
{
	double kept = (double)loader->batch_count;
	double scale = kept > 0 ? (double)loader->batch_total / kept
				: 0; /* of a long run some were left out */
	for (size_t i = 0; i < loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		ret->wait_s += (double)wait_of(batch) * 1e-9 * scale;
		ret->exposed_s += (double)batch->exposed_ns * 1e-9 * scale;
		ret->launch_s += (double)batch->launch_ns * 1e-9 * scale;
	}
}

/* Waiting at the borders of epochs: all of it, and so no part of any step. */
static double border_s(const struct sm_loader *loader, bool last_ends_run)
{
	int64_t sum_ns = 0;
	for (size_t i = 0; i < loader->epoch_count; i++) {
		const struct sm_epoch *epoch = &loader->epochs[i];
		bool counts = i + 1 < loader->epoch_count || !last_ends_run;
		sum_ns += epoch->iterate_begin_ns >= 0
				  ? epoch->iterate_end_ns - epoch->iterate_begin_ns
				  : 0;
		sum_ns +=
			counts && epoch->last_end_ns >= 0 ? epoch->end_ns - epoch->last_end_ns : 0;
	}
	return (double)sum_ns * 1e-9;
}

static int find_interval(
	struct sm_loader_analysis *ret, const struct sm_loader *loader, double border)
{
	size_t n = loader->batch_count;
	double *top = sm_mem_alloc((n + 1) * sizeof(*top)),
	       *bottom = sm_mem_alloc((n + 1) * sizeof(*bottom));
	int error = top && bottom ? 0 : -ENOMEM;
	double steps_s = 0;
	for (size_t i = 0; i < n && !error; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		top[i] = (double)batch->exposed_ns * 1e-9;
		bottom[i] = (double)(batch->end_ns - batch->request_ns) * 1e-9;
		steps_s += bottom[i];
	}
	double scale = loader->batch_total ? (double)n / (double)loader->batch_total : 1;
	double rest_s = ret->time_s * scale - steps_s;
	size_t window = loader->num_workers > 0 ? (size_t)loader->num_workers * 2 : 1;
	error = error ? error
		      : sm_bootstrap_ratio(top, bottom, n, sm_bootstrap_block(n, window),
				border * scale, rest_s > 0 ? rest_s : 0, &ret->exposed_low,
				&ret->exposed_high);
	sm_mem_free(top);
	sm_mem_free(bottom);
	return error;
}

int sm_stalls_find(struct sm_loader_analysis *ret, struct sm_loader *loader, bool last_ends_run)
{
	for (size_t i = 0; i < loader->batch_count; i++) {
		sm_stalls_judge(&loader->batches[i], loader->background);
	}
	double border = border_s(loader, last_ends_run);
	add_up(ret, loader);
	ret->wait_s += border;
	ret->exposed_s = fmin(ret->exposed_s + border, ret->time_s);
	ret->hidden_s = fmax(ret->wait_s - ret->exposed_s, 0);
	ret->exposed_share = ret->time_s > 0 ? ret->exposed_s / ret->time_s : NAN;
	ret->ceiling_speedup = ret->exposed_share < 1 ? 1 / (1 - ret->exposed_share) : NAN;
	return find_interval(ret, loader, border);
}
