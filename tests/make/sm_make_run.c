/* sm_make's processes as blocks of a run's files. */
#include "base/err.h"
#include "make/sm_make_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	RANKS_MAX = 64,
	PROCESSES_MAX = 4096,
};

struct sm_make_run {
	char *directory; /* owned */
	struct sm_trace_writer *writers[RANKS_MAX];
	struct sm_make_process *processes[PROCESSES_MAX];
	size_t process_count;
	bool packs;
};

static void path_of(const struct sm_make_run *run, int rank, char *path, size_t room)
{
	snprintf(path, room, "%s/rank%d.stall", run->directory, rank);
}

static struct sm_trace_writer *writer_of(struct sm_make_run *run, int rank)
{
	if (rank < 0) {
		rank = 0;
	}
	if (rank >= RANKS_MAX) {
		sm_make_die("too many ranks", 0);
	}
	if (!run->writers[rank]) {
		char path[4096];
		path_of(run, rank, path, sizeof(path));
		struct sm_trace_writer_options options = {
			.rank = rank,
			.run_id = "made-by-sm-make",
			.started_mono_ns = 1,
			.started_real_ns = 1767225600000000001,
		};
		struct sm_error error;
		int code = sm_trace_writer_create(path, &options, &run->writers[rank], &error);
		sm_make_must(code, path);
	}
	return run->writers[rank];
}

struct sm_trace_writer *sm_make_run_writer(struct sm_make_run *run)
{
	return writer_of(run, 0);
}

struct sm_make_run *sm_make_run_create(const char *directory)
{
	struct sm_make_run *run = sm_make_alloc(sizeof(*run));
	run->directory = sm_make_alloc(strlen(directory) + 1);
	strcpy(run->directory, directory);
	if (mkdir(directory, 0700) && errno != EEXIST) {
		sm_make_die(directory, -errno);
	}
	writer_of(run, 0);
	return run;
}

void sm_make_run_fact(struct sm_make_run *run, const char *key, const char *value)
{
	char line[4096];
	snprintf(line, sizeof(line), "%s=%s\n", key, value);
	sm_make_must(sm_trace_writer_run(writer_of(run, 0), line), "a fact");
}

void sm_make_run_note(struct sm_make_run *run, const char *what, const char *why)
{
	sm_make_must(sm_trace_writer_note(writer_of(run, 0), what, why), "a note");
}

void sm_make_alert(struct sm_make_run *run, int64_t time_ns, const char *kind, bool begins,
	double value, double threshold)
{
	const struct sm_trace_alert alert = {time_ns, kind, begins, value, threshold};
	sm_make_must(sm_trace_writer_alert(writer_of(run, 0), &alert), "an alert");
}

void sm_make_sample(struct sm_make_run *run, int64_t time_ns, enum sm_metric metric,
	int64_t instance, double value)
{
	sm_make_must(sm_trace_writer_sample(
			     writer_of(run, 0), time_ns, (uint16_t)metric, instance, value),
		"a sample");
}

/* --- processes --- */

static void write_names(struct sm_make_process *process)
{
	if (process->new_names_count) {
		sm_make_must(
			sm_trace_writer_names(process->writer, process->ordinal, process->new_names,
				process->new_names_bytes, process->new_names_count),
			"names");
	}
	process->new_names_bytes = 0;
	process->new_names_count = 0;
}

static void write_segment(struct sm_make_thread *thread, enum sm_ring_segment_state state)
{
	struct sm_make_process *process = thread->process;
	struct sm_ring_segment segment = thread->segment;
	write_names(process);
	segment.w_length = (uint32_t)thread->used;
	sm_make_must(sm_trace_writer_segment(process->writer, process->ordinal, &process->header,
			     &segment, thread->words, thread->used),
		"a segment");
}

static void keep_name(
	struct sm_make_process *process, const struct sm_ring_name *name, const char *text)
{
	size_t whole = sizeof(*name) + ((size_t)name->length + 7) / 8 * 8;
	unsigned char *grown = realloc(process->new_names, process->new_names_bytes + whole);
	if (!grown) {
		sm_make_die("out of memory", 0);
	}
	process->new_names = grown;
	memset(grown + process->new_names_bytes, 0, whole);
	memcpy(grown + process->new_names_bytes, name, sizeof(*name));
	memcpy(grown + process->new_names_bytes + sizeof(*name), text, name->length);
	process->new_names_bytes += whole;
	process->new_names_count++;
}

static const struct sm_make_store run_store = {
	.segment = write_segment,
	.name = keep_name,
};

struct sm_make_process *sm_make_process_add(
	struct sm_make_run *run, const struct sm_make_options *options)
{
	if (run->process_count == PROCESSES_MAX) {
		sm_make_die("too many processes", 0);
	}
	struct sm_make_process *process = sm_make_process_new(options, &run_store);
	process->writer = writer_of(run, process->header.rank);
	sm_make_must(sm_trace_writer_process(process->writer, &process->header, &process->ordinal),
		"a process");
	run->processes[run->process_count++] = process;
	return process;
}

static void write_out(struct sm_make_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		sm_make_seal(process->threads[i]);
	}
	write_names(process);
}

void sm_make_process_ended(
	struct sm_make_process *process, int64_t ended_ns, int exit_status, bool complete)
{
	write_out(process);
	sm_make_must(sm_trace_writer_process_ended(
			     process->writer, process->ordinal, ended_ns, exit_status, complete),
		"an end");
}

void sm_make_run_pack(struct sm_make_run *run)
{
	run->packs = true;
}

static void close_file(struct sm_make_run *run, int rank)
{
	char path[4096];
	path_of(run, rank, path, sizeof(path));
	sm_make_must(sm_trace_writer_finish(run->writers[rank], NULL), path);
	sm_trace_writer_destroy(run->writers[rank]);
	if (run->packs) {
		sm_make_must(sm_trace_writer_pack(path, NULL), path);
	}
}

void sm_make_run_finish(struct sm_make_run *run)
{
	for (size_t i = 0; i < run->process_count; i++) {
		write_out(run->processes[i]);
		sm_make_process_free(run->processes[i]);
	}
	for (int rank = 0; rank < RANKS_MAX; rank++) {
		if (run->writers[rank]) {
			close_file(run, rank);
		}
	}
	free(run->directory);
	free(run);
}
