/* When the parent waits for a child nobody tells us. But then its first counter jumps by at least what the child had, so
 * that jump is looked for. Where the parent reads as much by itself at that time, its child's part is taken too early and the
 * jump counts later: the sum stays right, and no counter is ever handed on lower than before. */
#include "collect/inherited.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

static const enum sm_metric metrics[SM_INHERITED_METRICS] = {SM_METRIC_PROC_READ_CHARS,
	SM_METRIC_PROC_READ_CALLS, SM_METRIC_PROC_WRITE_CALLS, SM_METRIC_PROC_READ,
	SM_METRIC_PROC_WRITE};
enum { FIRST = 0 }; /* of the file: with it the others of that round come */

void sm_inherited_finish(struct sm_inherited *inherited)
{
	sm_mem_free(inherited->left);
	inherited->left = NULL;
	inherited->left_count = inherited->left_capacity = 0;
}

static void take_left(struct sm_inherited *inherited, double jump)
{
	size_t kept = 0;
	for (size_t i = 0; i < inherited->left_count; i++) {
		const double *left = inherited->left[i];
		if (left[FIRST] <= jump) {
			jump -= left[FIRST];
			for (int k = 0; k < SM_INHERITED_METRICS; k++) {
				inherited->taken[k] += left[k];
			}
		} else {
			memmove(inherited->left[kept++], left, sizeof(*inherited->left));
		}
	}
	inherited->left_count = kept;
}

double sm_inherited_own(struct sm_inherited *inherited, enum sm_metric metric, double value)
{
	int place = 0;
	while (place < SM_INHERITED_METRICS && metrics[place] != metric) {
		place++;
	}
	if (place == SM_INHERITED_METRICS) {
		return value;
	}
	if (place == FIRST) {
		take_left(inherited, value - inherited->raw[FIRST]);
	}
	inherited->raw[place] = value;
	inherited->own[place] = fmax(inherited->own[place], value - inherited->taken[place]);
	return inherited->own[place];
}

void sm_inherited_add(struct sm_inherited *inherited, const struct sm_inherited *child)
{
	if (!sm_mem_grow(&inherited->left, &inherited->left_capacity, inherited->left_count + 1,
		    sizeof(*inherited->left))) {
		memcpy(inherited->left[inherited->left_count++], child->raw,
			sizeof(*inherited->left));
	}
}
