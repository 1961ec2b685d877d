/* A line is told as the job's own: the innermost frame outside of Python's library and of installed packages, and the
 * function it called there. Where a stack has no such frame, it is the innermost one. */
#include "model/stack_spots.h"

#include "base/mem.h"

#include <string.h>

static bool is_own(const char *file)
{
	static const char *const others[] = {
		"/site-packages/", "/dist-packages/", "/lib/python3", "/_stallmeter/"};
	bool own = file[0] && strncmp(file, "<frozen", strlen("<frozen"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		own = own && !strstr(file, others[i]);
	}
	return own;
}

/* Where a worker begins its own work. A forked one still has the frames of the training below them, which have nothing to
 * do with what it does now. */
static bool is_begin_of_work(const char *file)
{
	static const char *const ends[] = {"/multiprocessing/process.py", "/threading.py",
		"/torch/utils/data/_utils/worker.py", "/torch/utils/data/_utils/fetch.py",
		"/torch/utils/data/_utils/pin_memory.py"};
	size_t length = strlen(file);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);
		if (length >= end && !strcmp(file + length - end, ends[i])) {
			return true;
		}
	}
	return false;
}

static struct sm_stack_spot spot_of(
	const struct sm_stack_tree *tree, const struct sm_stack_spot *before, uint32_t number)
{
	const struct sm_stack_tree_place *place = &tree->place[number];
	const struct sm_stack_tree_function *function = sm_stack_tree_function(tree, number);
	struct sm_stack_spot here = {
		place->function, place->line, SM_STACK_SPOTS_NONE, function, false};
	if (!function) {
		return here;
	}
	here.own = is_own(function->file);
	if (here.own || place->caller < 0 || is_begin_of_work(function->file)) {
		return here;
	}
	struct sm_stack_spot above = before[place->caller]; /* told before, so it is done */
	if (!above.known || !above.own) {
		here.known = above.known;
		return here;
	}
	above.callee = above.callee == SM_STACK_SPOTS_NONE ? place->function : above.callee;
	return above;
}

struct sm_stack_spot *sm_stack_spots_find(const struct sm_stack_tree *tree)
{
	struct sm_stack_spot *spots = sm_mem_calloc(tree->place_count + 1, sizeof(*spots));
	for (uint32_t i = 0; spots && i < tree->place_count; i++) {
		spots[i] = spot_of(tree, spots, i);
	}
	return spots;
}
