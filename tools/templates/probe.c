/* @name@: what it reads, what it tells, and what it hides. */
#include "probe/probe.h"

#include <errno.h>
#include <stdio.h>

struct state {
	int fd; /* kept open between samples */
};

static int open_it(void *memory, const char *root, int32_t pid, char why[160])
{
	snprintf(why, 160, "not written yet");
	return -ENOENT;
}

static int sample_it(void *memory, const struct sm_probe_sink *sink)
{
	return 0;
}

static void close_it(void *memory)
{
}

const struct sm_probe sm_probe_@name@ = {
	.name = "@name@",
	.summary = "one line for people",
	.tier = SM_TIER_SECOND,
	.state_bytes = sizeof(struct state),
	.open = open_it,
	.sample = sample_it,
	.close = close_it,
};
