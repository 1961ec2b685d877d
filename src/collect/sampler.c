#include "collect/sampler.h"

#include "base/err.h"
#include "base/mem.h"
#include "probe/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FAILURES_MAX = 20, WHY_BYTES = 160 };

static int count_probes(bool per_process)
{
	int count = 0;
	for (int i = 0; i < sm_probe_table_count; i++) {
		count += (sm_probe_table[i]->per_process != 0) == per_process;
	}
	return count;
}

/* What cannot be opened because the process has just ended is nothing to tell. */
static bool is_living(const char *root, pid_t pid)
{
	char text[1024];
	int length = sm_source_read_once(text, sizeof(text), root, "/proc/%d/stat", (int)pid);
	const char *bracket = length > 0 ? memrchr(text, ')', (size_t)length) : NULL;
	return bracket && bracket[1] && bracket[2] != 'Z' && bracket[2] != 'X';
}

static void open_source(struct sm_sampler_source *source, const struct sm_probe *probe,
	const char *root, pid_t pid, const struct sm_sampler_listener *listener)
{
	char why[WHY_BYTES] = "out of memory";
	source->probe = probe;
	source->state = sm_mem_calloc(1, probe->state_bytes);
	if (source->state && !probe->open(source->state, root, pid, why)) {
		return;
	}
	sm_mem_free(source->state);
	source->state = NULL;
	if (!pid || is_living(root, pid)) {
		listener->missing(listener->context, probe, why);
	}
}

static bool is_wanted(const struct sm_probe *probe, bool per_process, unsigned without)
{
	return (probe->per_process != 0) == per_process &&
	       (!probe->groups || (probe->groups & ~without));
}

int sm_sampler_open(struct sm_sampler_set *set, const char *root, pid_t pid, unsigned without,
	const struct sm_sampler_listener *listener)
{
	bool per_process = pid != 0;
	*set = SM_SAMPLER_SET_EMPTY;
	set->sources = sm_mem_calloc((size_t)count_probes(per_process), sizeof(*set->sources));
	if (!set->sources) {
		return -ENOMEM;
	}
	for (int i = 0; i < sm_probe_table_count; i++) {
		if (is_wanted(sm_probe_table[i], per_process, without)) {
			open_source(&set->sources[set->count++], sm_probe_table[i], root, pid,
				listener);
		}
	}
	return 0;
}

static void close_source(struct sm_sampler_source *source)
{
	if (source->state) {
		source->probe->close(source->state);
		sm_mem_free(source->state);
	}
	source->state = NULL;
}

/* A source that fails now and then is tried again; one that only fails is given up, and that is said. */
static void note_failure(
	struct sm_sampler_source *source, int error, const struct sm_sampler_listener *listener)
{
	char why[WHY_BYTES];
	if (error == -EAGAIN || ++source->failures < FAILURES_MAX) {
		return;
	}
	snprintf(why, sizeof(why), "stopped answering: %s", sm_error_text(error));
	listener->missing(listener->context, source->probe, why);
	close_source(source);
}

int sm_sampler_sample(struct sm_sampler_set *set, enum sm_probe_tier tier,
	const struct sm_probe_sink *sink, const struct sm_sampler_listener *listener)
{
	for (int i = 0; i < set->count; i++) {
		struct sm_sampler_source *source = &set->sources[i];
		if (!source->state || source->probe->tier != tier) {
			continue;
		}
		int r = source->probe->sample(source->state, sink);
		if (r == -ESRCH && source->probe->per_process) {
			return -ESRCH;
		}
		if (r) {
			note_failure(source, r, listener);
		} else {
			source->failures = 0;
		}
	}
	return 0;
}

void sm_sampler_close(struct sm_sampler_set *set)
{
	for (int i = 0; i < set->count; i++) {
		close_source(&set->sources[i]);
	}
	sm_mem_free(set->sources);
	*set = SM_SAMPLER_SET_EMPTY;
}
