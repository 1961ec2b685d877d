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

struct sm_computing sm_computing_of(const struct sm_judge *judge, const struct sm_split *piece)
{
	const struct sm_loader *loader = judge->loader->loader;
	const struct sm_looks looks = sm_looks_of(judge->analysis->model, loader);
	bool speaks = loader->num_workers > 0 && piece->helpers < piece->computing &&
		      piece->computing * 100 >= SM_COMPUTING_MOST_PERCENT * all_computing(loader);
	if (!speaks || looks.computing < SM_COMPUTING_LOOKS_LEAST) {
		return (struct sm_computing){"", (double)NAN};
	}
	double share = looks.python / looks.computing;
	return (struct sm_computing){detail_of(share), share};
}
