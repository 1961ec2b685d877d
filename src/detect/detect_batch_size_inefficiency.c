/* Batches so small that what each costs whatever its size is a good part of the run.
 *
 * One run has, as a rule, one batch size, so this counts only what is known not to grow with it: handing one batch over
 * (its tensors travel as handles), launching its work on a device (the kernels are as many), and the optimizer's step (the
 * parameters are as many). Where batches of several sizes were seen, the part of the worker's time that a line through
 * them leaves at size 0 is fixed as well. What else may be fixed, in forward and backward say, one size cannot tell, and
 * it is not counted: the gain is a lower bound. */
#include "detect/judge.h"
#include "detect/words.h"

#include <math.h>

enum {
	FIXED_PERCENT =
		20, /* of the run: what binds it in the contract's classes; an optimizer takes 10 % of many */
	TIMES_MOST = 8, /* 7/8 of the fixed cost is gone; more changes the training for little */
	HANDLE_BYTES = 200, /* a tensor's handle, pickled, takes this at the least */
	SMALLEST = 4,	    /* samples in a batch */
	SIZED_LEAST = 8,    /* batches of another size than the usual, to draw a line by */
};

struct line {
	double fixed_s; /* of the worker's time of one batch; 0 where sizes do not tell */
	bool is_known;
};

/* Work of a batch = fixed + slope x samples, by least squares. */
static struct line line_through(const struct sm_loader_model *model)
{
	double n = (double)model->count, x = 0, y = 0, xx = 0, xy = 0;
	size_t other = 0;
	for (size_t i = 0; i < model->count; i++) {
		const struct sm_service *service = &model->services[i];
		double samples = service->count,
		       work = (double)service->fetch + service->transform + service->collate;
		x += samples;
		y += work;
		xx += samples * samples;
		xy += samples * work;
		other += service->count != model->services[0].count;
	}
	double spread = n * xx - x * x;
	if (other < SIZED_LEAST || model->count - other < SIZED_LEAST || !(spread > 0)) {
		return (struct line){0};
	}
	double slope = (n * xy - x * y) / spread;
	return (struct line){fmax((y - slope * x) / n, 0), true};
}

/* A message of one handle a sample grows with the batch; one of a few tensors does not, whatever they hold. In the smallest
 * batches the two look alike. */
static bool is_handed_over_whole(const struct sm_loader *loader)
{
	double bytes = 0, samples = 0;
	for (size_t i = 0; i < loader->batch_count; i++) {
		bytes += (double)loader->batches[i].bytes;
		samples += loader->batches[i].count;
	}
	return bytes < HANDLE_BYTES * samples || loader->batch_size <= SMALLEST;
}

static bool has_memory_for(const struct sm_loader_model *model, int times)
{
	struct sm_setting setting = sm_loader_model_setting(model);
	double under_way = (double)setting.num_workers * setting.prefetch_factor + 1;
	return !(model->batch_bytes * (times - 1) * under_way > model->memory_bytes);
}

static struct sm_cure cure_of(const struct sm_judge *judge, const struct line *line, int times)
{
	return (struct sm_cure){.kind = SM_CURE_LARGER_BATCH,
		.factor = times,
		.share = is_handed_over_whole(judge->loader->loader) ? 1 : 0,
		.floor_s = line->fixed_s};
}

/* The smallest enlargement within 1 % of the best that memory allows. 0 or an error. */
static int find_times(const struct sm_judge *judge, const struct line *line, int *ret_times)
{
	enum { DOUBLINGS = 3 };
	struct sm_interval severity[DOUBLINGS] = {{0}};
	double best = 0;
	int tried = 0, error = 0;
	for (int times = 2; times <= TIMES_MOST && !error; times *= 2) {
		if (!has_memory_for(judge->loader->model, times)) {
			break;
		}
		const struct sm_cure cure = cure_of(judge, line, times);
		error = sm_judge_try(judge, NULL, &cure, &severity[tried]);
		best = fmax(best, severity[tried++].middle);
	}
	*ret_times = 0;
	/* Twice the batch saves half of the fixed cost. */
	if (!error && tried && severity[0].middle * 2 * 100 >= FIXED_PERCENT) {
		int chosen = 0;
		while (severity[chosen].middle < best - SM_JUDGE_WORTH_PERCENT / 100.0) {
			chosen++;
		}
		*ret_times = 2 << chosen;
	}
	return error;
}

struct fixed { /* means over the batches, seconds */
	double hand, launch, optimizer;
};

static struct fixed fixed_of(const struct sm_loader_model *model)
{
	struct fixed fixed = {0};
	for (size_t i = 0; i < model->count; i++) {
		const struct sm_service *service = &model->services[i];
		fixed.hand +=
			((double)service->transport + service->deserialize) / (double)model->count;
		fixed.launch += (double)service->launch / (double)model->count;
		fixed.optimizer += (double)service->optimizer / (double)model->count;
	}
	return fixed;
}

static int look(const struct sm_judge *judge)
{
	const struct sm_loader *loader = judge->loader->loader;
	const struct sm_loader_model *model = judge->loader->model;
	const struct line line = line_through(model);
	struct sm_finding *finding = NULL;
	int times = 0;
	if (loader->batch_size < 1) {
		return sm_findings_lack(
			judge->findings, judge->detector, "the batch size is not known");
	}
	int error = find_times(judge, &line, &times);
	const struct sm_cure cure = cure_of(judge, &line, times);
	error = error || !times ? error
				: sm_judge_propose(judge, "fixed_cost_per_batch", SM_STAGE_COUNT,
					  NULL, &cure, &finding);
	if (error || !finding) {
		return error;
	}
	const struct fixed fixed = fixed_of(model);
	sm_finding_evidence(finding, "batch_size", loader->batch_size, "count");
	sm_finding_evidence(finding, "hand_over_s", fixed.hand, "s");
	sm_finding_evidence(finding, "launch_s", fixed.launch, "s");
	sm_finding_evidence(finding, "optimizer_s", fixed.optimizer, "s");
	if (line.is_known) {
		sm_finding_evidence(finding, "worker_fixed_s", line.fixed_s, "s");
	} else {
		sm_finding_doubt(finding); /* one size alone */
	}
	struct sm_suggestion *suggestion = sm_finding_suggest(finding,
		"Try larger batches, batch_size={batch_size} say: what a batch costs whatever its "
		"size is then paid less often. It is another training, so the learning rate may "
		"have "
		"to follow; nothing changes it for you.");
	if (suggestion) {
		sm_finding_change(suggestion, "batch_size", (int64_t)loader->batch_size * times);
		suggestion->speedup = (struct sm_interval){1 / (1 - finding->severity_low),
			1 / (1 - fmin(finding->severity, 0.99)),
			1 / (1 - fmin(finding->severity_high, 0.99))};
	}
	return 0;
}

static const struct sm_bound bounds[] = {
	SM_BOUND(FIXED_PERCENT), SM_BOUND(TIMES_MOST), SM_BOUND(SIZED_LEAST), {0}};

const struct sm_detector sm_detect_batch_size_inefficiency = {
	.id = "SM106",
	.type = "BATCH_SIZE_INEFFICIENCY",
	.title = "The batches are small for what each of them costs",
	.summary = "Handing a batch over, launching its work and stepping the optimizer cost the "
		   "same for a batch of any size. With small batches they are paid too often.",
	.causes = "fixed_cost_per_batch: those costs are a good part of the run's time\n"
		  "per_sample_overhead: needs trials of whole-batch indexing; not told yet",
	.evidence =
		"They are at least {FIXED_PERCENT} % of the run: replayed with them paid once in 2 "
		"batches it is shorter by half of that. Severity is that of the smallest "
		"enlargement, up to "
		"{TIMES_MOST} times, that is within 1 % of the best and fits the memory. Where at "
		"least {SIZED_LEAST} batches had another size, what a line through the workers' "
		"times leaves at size 0 counts as well.",
	.fixes = "A larger batch_size, with a learning rate to match; DataLoadingProfiler measures "
		 "sizes. Where the size must stay: a fused optimizer, accumulated gradients, fewer "
		 "and larger tensors in a batch.",
	.wrong = "A larger batch changes what is learnt. Forward and backward are taken to grow "
		 "with "
		 "the batch, so the true gain may be larger. With one size alone the confidence is "
		 "a "
		 "level lower.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
