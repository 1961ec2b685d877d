/* One word for the run, and one sentence. The classes are tried in the contract's order; the first that holds wins. */
#include "analyze/verdict.h"

#include "analyze/steps.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const class_names[SM_VERDICT_COUNT] = {
	"CANNOT_TELL",
	"STRAGGLER_BOUND",
	"INPUT_BOUND",
	"TRANSFER_BOUND",
	"HOST_BOUND",
	"PARTLY_INPUT_BOUND",
	"COMPUTE_BOUND",
};

enum { STEPS_MIN = 20 };

const char *sm_analysis_class_name(enum sm_verdict_class verdict)
{
	return (unsigned)verdict < SM_VERDICT_COUNT ? class_names[verdict] : "?";
}

/* From the first moment of any loader of this rank to the last. */
static double rank_time_s(const struct sm_analysis *analysis, int rank)
{
	int64_t begin_ns = INT64_MAX, end_ns = INT64_MIN;
	for (size_t i = 0; i < analysis->loader_count; i++) {
		if (analysis->loaders[i].loader->rank == rank) {
			struct sm_steps_span span = sm_steps_span(analysis->loaders[i].loader);
			begin_ns = span.begin_ns < begin_ns ? span.begin_ns : begin_ns;
			end_ns = span.end_ns > end_ns ? span.end_ns : end_ns;
		}
	}
	return begin_ns < end_ns
		       ? (double)(end_ns - begin_ns) * 1e-9 -
				 sm_steps_interlude_s(analysis->model, rank, begin_ns, end_ns)
		       : 0;
}

/* T of each rank, summed: they train side by side. */
static double ranks_time_s(const struct sm_analysis *analysis)
{
	double time_s = 0;
	for (size_t i = 0; i < analysis->loader_count; i++) {
		int rank = analysis->loaders[i].loader->rank;
		bool is_new = true;
		for (size_t k = 0; k < i && is_new; k++) {
			is_new = analysis->loaders[k].loader->rank != rank;
		}
		time_s += is_new ? rank_time_s(analysis, rank) : 0;
	}
	return time_s;
}

/* Shares of the whole run: of a loader the part of its rank's time, and of the ranks the mean. The interval's half-widths
 * of the loaders add up in squares: their steps are not the same. */
static void fill_shares(struct sm_analysis *analysis)
{
	struct sm_verdict *verdict = &analysis->verdict;
	double exposed_s = 0, hidden_s = 0, below = 0, above = 0;
	for (size_t i = 0; i < analysis->loader_count; i++) {
		const struct sm_loader_analysis *loader = &analysis->loaders[i];
		if (loader->steps) {
			exposed_s += loader->exposed_s;
			hidden_s += loader->hidden_s;
			below += pow(
				(loader->exposed_share - loader->exposed_low) * loader->time_s, 2);
			above += pow(
				(loader->exposed_high - loader->exposed_share) * loader->time_s, 2);
		}
	}
	double time_s = ranks_time_s(analysis);
	verdict->exposed_stall_share = fmin(exposed_s / time_s, 1);
	verdict->exposed_low = fmax(verdict->exposed_stall_share - sqrt(below) / time_s, 0);
	verdict->exposed_high = fmin(verdict->exposed_stall_share + sqrt(above) / time_s, 1);
	verdict->hidden_wait_share = fmin(hidden_s / time_s, 1 - verdict->exposed_stall_share);
	verdict->ceiling_speedup =
		verdict->exposed_stall_share < 1 ? 1 / (1 - verdict->exposed_stall_share) : NAN;
}

/* Of the device where it told, else of the host. */
int64_t sm_verdict_copy_ns(const struct sm_batch *batch)
{
	return batch->device_state >= 0 && batch->device_copy_ns >= 0 ? batch->device_copy_ns
								      : batch->h2d_ns;
}

int64_t sm_verdict_host_ns(const struct sm_batch *batch)
{
	return batch->device_state >= 0 ? batch->launch_ns : batch->other_ns;
}

/* Of the loop that trains: time copying to the device, and time the host kept the device (or, on a CPU, itself) from
 * training with data in hand. */
static void fill_loop(struct sm_analysis *analysis)
{
	struct sm_verdict *verdict = &analysis->verdict;
	const struct sm_loader_analysis *loader = &analysis->loaders[analysis->training_loader];
	double copy_s = 0, host_s = 0,
	       scale = (double)loader->steps / (double)loader->loader->batch_count;
	for (size_t i = 0; i < loader->loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->loader->batches[i];
		copy_s += (double)sm_verdict_copy_ns(batch) * 1e-9 * scale;
		host_s += (double)sm_verdict_host_ns(batch) * 1e-9 * scale;
	}
	verdict->transfer_share = copy_s / analysis->time_s;
	verdict->host_share = host_s / analysis->time_s;
}

/* Copies to a device that nobody asked: then the host's wait is only an upper bound of the stall. */
static bool device_not_asked(const struct sm_analysis *analysis)
{
	const struct sm_loader *loader = analysis->loaders[analysis->training_loader].loader;
	bool copied = false;
	for (size_t i = 0; i < loader->batch_count; i++) {
		copied = copied || loader->batches[i].h2d_ns > 0;
		if (loader->batches[i].device_state >= 0) {
			return false;
		}
	}
	return copied;
}

static bool background_not_told(const struct sm_analysis *analysis)
{
	const struct sm_loader *loader = analysis->loaders[analysis->training_loader].loader;
	size_t told = 0;
	for (size_t i = 0; i < loader->batch_count; i++) {
		told += loader->batches[i].trainer_blocked_ns >= 0;
	}
	return loader->background && told * 2 < loader->batch_count;
}

static const char *find_missing(const struct sm_analysis *analysis, struct sm_arena *arena)
{
	const struct sm_verdict *verdict = &analysis->verdict;
	if (analysis->training_loader < 0) {
		return "No batch of a DataLoader was seen. Start the training with `stallmeter run "
		       "-- python train.py`, with the "
		       "interpreter that trains, and let it use torch.utils.data.DataLoader.";
	}
	if (analysis->steps.count < STEPS_MIN) {
		return sm_arena_printf(arena,
			"Only %zu step%s recorded, and %d are the least to judge by. Let the run "
			"go on for "
			"longer, or give it more data.",
			analysis->steps.count, analysis->steps.count == 1 ? " was" : "s were",
			STEPS_MIN);
	}
	if (device_not_asked(analysis) && verdict->exposed_stall_share >= 0.05) {
		return "The steps run on a device that could not be asked whether it stood still, "
		       "so waiting of the host may be "
		       "covered by its work. Record with --level detailed.";
	}
	if (background_not_told(analysis)) {
		return "Batches are asked for by a thread in the background, and how long the "
		       "thread that trains was blocked for each was not seen. Record with "
		       "--level detailed, and with one step of the optimizer a batch.";
	}
	if (verdict->exposed_low < 0.05 && verdict->exposed_high > 0.20) {
		return sm_arena_printf(arena,
			"The share of stalls lies between %.0f %% and %.0f %%, which is too wide "
			"to judge by. "
			"Record more steps.",
			100 * verdict->exposed_low, 100 * verdict->exposed_high);
	}
	return NULL;
}

static enum sm_verdict_class classify(const struct sm_verdict *verdict)
{
	if (verdict->missing) {
		return SM_VERDICT_CANNOT_TELL;
	}
	if (verdict->exposed_low >= 0.20) {
		return SM_VERDICT_INPUT_BOUND;
	}
	if (verdict->transfer_share >= 0.20) {
		return SM_VERDICT_TRANSFER_BOUND;
	}
	if (verdict->host_share >= 0.20) {
		return SM_VERDICT_HOST_BOUND;
	}
	return verdict->exposed_stall_share >= 0.05 ? SM_VERDICT_PARTLY_INPUT_BOUND
						    : SM_VERDICT_COMPUTE_BOUND;
}

/* The stage of the loader's side that the critical path spends most time in. */
static const char *dearest_input(const struct sm_loader_analysis *loader)
{
	const struct sm_stage_row *dearest = NULL;
	for (size_t i = 0; i < loader->stage_count; i++) {
		if (loader->stages[i].stage <= SM_STAGE_PIN &&
			(!dearest || loader->stages[i].share > dearest->share)) {
			dearest = &loader->stages[i];
		}
	}
	return dearest && dearest->share > 0 ? sm_vocabulary_stage_name(dearest->stage) : NULL;
}

/* The loader that is waited for longest: of several, its name is part of the sentence. */
static const struct sm_loader_analysis *find_latest(const struct sm_analysis *analysis)
{
	const struct sm_loader_analysis *latest = NULL;
	for (size_t i = 0; i < analysis->loader_count; i++) {
		const struct sm_loader_analysis *loader = &analysis->loaders[i];
		if (loader->steps && (!latest || loader->exposed_s > latest->exposed_s)) {
			latest = loader;
		}
	}
	return latest;
}

static bool is_one_of_several(
	const struct sm_analysis *analysis, const struct sm_loader_analysis *loader)
{
	for (size_t i = 0; i < analysis->loader_count; i++) {
		if (analysis->loaders[i].steps &&
			strcmp(analysis->loaders[i].loader->name, loader->loader->name) != 0) {
			return true;
		}
	}
	return false;
}

/* "; most of it goes into fetch of loader val, with no worker to overlap it" */
static const char *say_where(const struct sm_analysis *analysis, struct sm_arena *arena)
{
	const struct sm_loader_analysis *loader = find_latest(analysis);
	const char *dearest = loader ? dearest_input(loader) : NULL;
	if (!dearest) {
		return "";
	}
	bool several = is_one_of_several(analysis, loader);
	return sm_arena_printf(arena, "; most of it goes into %s%s%s%s", dearest,
		several ? " of loader " : "", several ? loader->loader->name : "",
		loader->loader->num_workers == 0 ? ", with no worker to overlap it" : "");
}

static const char *say(const struct sm_analysis *analysis, struct sm_arena *arena)
{
	const struct sm_verdict *verdict = &analysis->verdict;
	const char *where = say_where(analysis, arena);
	double share = 100 * verdict->exposed_stall_share, low = 100 * verdict->exposed_low,
	       high = 100 * verdict->exposed_high;
	switch (verdict->class_) {
	case SM_VERDICT_CANNOT_TELL:
		return "What was recorded is not enough to say what limits this run.";
	case SM_VERDICT_INPUT_BOUND:
	case SM_VERDICT_PARTLY_INPUT_BOUND:
		return sm_arena_printf(arena,
			"Training stands still for data %.0f %% of the time (%.0f to %.0f "
			"%%)%s.",
			share, low, high, where ? where : "");
	case SM_VERDICT_TRANSFER_BOUND:
		return sm_arena_printf(arena,
			"Copying batches to the device takes %.0f %% of the time.",
			100 * verdict->transfer_share);
	case SM_VERDICT_HOST_BOUND:
		return sm_arena_printf(arena,
			"The training loop's own Python takes %.0f %% of the time, with data in "
			"hand.",
			100 * verdict->host_share);
	default:
		return sm_arena_printf(arena,
			"Training waits for its own computing; data is late %.1f %% of the time.",
			share);
	}
}

int sm_verdict_judge(struct sm_analysis *analysis, struct sm_arena *arena)
{
	struct sm_verdict *verdict = &analysis->verdict;
	*verdict = (struct sm_verdict){.exposed_stall_share = NAN,
		.exposed_low = NAN,
		.exposed_high = NAN,
		.hidden_wait_share = NAN,
		.transfer_share = NAN,
		.host_share = NAN,
		.ceiling_speedup = NAN};
	if (analysis->training_loader >= 0) {
		fill_shares(analysis);
		fill_loop(analysis);
	}
	verdict->missing = find_missing(analysis, arena);
	verdict->class_ = classify(verdict);
	verdict->sentence = say(analysis, arena);
	return verdict->sentence ? 0 : -ENOMEM;
}
