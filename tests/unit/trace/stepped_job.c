#include "stepped_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct stepped_job_place stepped_job_place(const char *folder, const char *name)
{
	struct stepped_job_place place;
	snprintf(place.run, sizeof(place.run), "%s/%s", folder, name);
	snprintf(place.live, sizeof(place.live), "%s/live", place.run);
	snprintf(place.ring, sizeof(place.ring), "%s/abc-100.ring", place.live);
	snprintf(place.stall, sizeof(place.stall), "%s/rank0.stall", place.run);
	if (mkdir(place.run, 0700) || mkdir(place.live, 0700)) {
		abort();
	}
	return place;
}

struct stepped_job stepped_job_begin(const char *path)
{
	struct sm_make_options options = {
		.pid = 100, .segment_bytes = 512, .unique = "abc", .opened_ns = 5};
	struct stepped_job job = {.ring = sm_make_ring_create(path, &options)};
	job.a = sm_make_thread_add(job.ring, 100);
	job.b = sm_make_thread_add(job.ring, 101);
	return job;
}

void stepped_job_go_on(struct stepped_job *job, int steps)
{
	for (int end = job->done + steps; job->done < end; job->done++) {
		int64_t at = 10 + job->done * 1000;
		char name[16];
		snprintf(name, sizeof(name), "n%d", job->done / 40);
		sm_make_begin(job->a, at, SM_ROLE_OPERATION, name);
		sm_make_arg(job->a, SM_KEY_INDEX, job->done);
		sm_make_mark(job->b, at + 1, SM_ROLE_PUT, "put");
		if (job->done % 50 == 49) {
			sm_make_adopt(job->b, at + 2, 200 + (uint32_t)job->done, "short");
		}
		sm_make_end(job->a, at + 500);
	}
	sm_make_ring_sync(job->ring);
}

static int compare_lines(const void *left, const void *right)
{
	char *const *a = left, *const *b = right;
	return strcmp(*a, *b);
}

char *stepped_job_sorted(const struct sm_str *text)
{
	char *copy = strdup(sm_str_text(text)), *rest = NULL;
	char **lines = calloc(text->length + 1, sizeof(*lines));
	char *joined = calloc(text->length + 2, 1), *at = joined;
	size_t count = 0;
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		lines[count++] = line;
	}
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++) {
		at += sprintf(at, "%s\n", lines[i]);
	}
	free(lines);
	free(copy);
	return joined;
}
