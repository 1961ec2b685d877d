#include "detect/computing.h"

#include "detect/looks.h"

#include <math.h>
#include <string.h>

static double all_computing(const struct sm_loader *loader)
{
	double sum = 0;
	for (int stage = SM_STAGE_FETCH; stage <= SM_STAGE_COLLATE; stage++) {
		sum += sm_split_of(&loader->stage[stage]).computing;
	}
	return sum;
}

static const char *detail_of(double python_share)
{
	if (python_share * 100 >= SM_COMPUTING_MOST_PERCENT) {
		return "python_cpu";
	}
	return python_share * 100 <= 100 - SM_COMPUTING_MOST_PERCENT ? "native_cpu" : "";
}

static double part_of(double part, double whole)
{
	return whole > 0 ? part / whole : (double)NAN;
}

/* Of the looks at the stage whose thread was awake, the share that was in a call. */
static double share_in_calls(const struct sm_judge *judge, enum sm_stage stage)
{
	const struct sm_model *model = judge->analysis->model;
	double awake_s = 0, in_call_s = 0;
	uint64_t looks = 0;
	for (size_t i = 0; i < model->hot_line_count; i++) {
		const struct sm_hot_line *line = &model->hot_lines[i];
		if (line->stage == stage && line->loader >= 0 &&
			&judge->analysis->loaders[line->loader] == judge->loader) {
			awake_s += line->awake_s;
			in_call_s += line->in_call_s;
			looks += line->looks;
		}
	}
	return looks >= SM_COMPUTING_LOOKS_LEAST ? part_of(in_call_s, awake_s) : (double)NAN;
}

static struct sm_computing by_stacks(
	const struct sm_judge *judge, enum sm_stage stage, const struct sm_split *piece)
{
	double of_stage = sm_split_of(&judge->loader->loader->stage[stage]).computing;
	bool speaks = piece->computing * 100 >= SM_COMPUTING_MOST_PERCENT * of_stage &&
		      share_in_calls(judge, stage) * 100 >= SM_COMPUTING_MOST_PERCENT;
	return (struct sm_computing){speaks ? "native_cpu" : "", (double)NAN};
}

struct sm_computing sm_computing_of(
	const struct sm_judge *judge, enum sm_stage stage, const struct sm_split *piece)
{
	const struct sm_loader *loader = judge->loader->loader;
	const struct sm_looks looks = sm_looks_of(judge->analysis->model, loader);
	bool speaks = loader->num_workers > 0 && piece->helpers < piece->computing &&
		      piece->computing * 100 >= SM_COMPUTING_MOST_PERCENT * all_computing(loader);
	if (!speaks || looks.computing < SM_COMPUTING_LOOKS_LEAST) {
		return by_stacks(judge, stage, piece);
	}
	double share = looks.python / looks.computing;
	return (struct sm_computing){detail_of(share), share};
}
