/* Facts are lines `key=value` written by the adapters: what a loader is made of, which process is its n-th worker,
 * what could not be measured. */
#include "base/mem.h"
#include "model/build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line of a fact, cut in place. */
struct line {
	char *key, *value;
};

static bool next_line(char **text, struct line *ret_line)
{
	while (**text) {
		char *start = *text, *stop = strchrnul(start, '\n');
		*text = *stop ? stop + 1 : stop;
		*stop = '\0';
		char *equals = strchr(start, '=');
		if (equals) {
			*equals = '\0';
			*ret_line = (struct line){start, equals + 1};
			return true;
		}
	}
	return false;
}

int sm_build_facts_pair(struct sm_build *build, struct sm_pair **pairs, size_t *count,
	size_t *capacity, const char *key, const char *value)
{
	enum { PAIRS_MAX = 10000 };
	if (*count >= PAIRS_MAX) {
		return 0;
	}
	struct sm_pair pair = {sm_arena_strdup(&build->model->arena, key),
		sm_arena_strdup(&build->model->arena, value)};
	int error = pair.key && pair.value
			    ? sm_build_grow(build, pairs, capacity, *count + 1, sizeof(pair))
			    : -ENOMEM;
	if (!error) {
		(*pairs)[(*count)++] = pair;
	}
	return error;
}

int sm_build_facts_note(struct sm_build *build, const char *what, const char *why)
{
	struct sm_model *model = build->model;
	for (size_t i = 0; i < model->note_count; i++) {
		if (strcmp(model->notes[i].key, what) == 0 &&
			strcmp(model->notes[i].value, why) == 0) {
			return 0;
		}
	}
	return sm_build_facts_pair(
		build, &model->notes, &model->note_count, &build->note_capacity, what, why);
}

static int flag(const char *value)
{
	return strcmp(value, "True") == 0 || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

static int number(const char *value)
{
	char *stop;
	long parsed = strtol(value, &stop, 10);
	return stop == value || parsed < -1 || parsed > 1000000000 ? -1 : (int)parsed;
}

static void set_number(struct sm_loader *loader, const char *key, const char *value)
{
	const struct {
		const char *key;
		int *field;
		bool is_flag;
	} numbers[] = {
		{"num_workers", &loader->num_workers, false},
		{"batch_size", &loader->batch_size, false},
		{"prefetch_factor", &loader->prefetch_factor, false},
		{"pin_memory", &loader->pin_memory, true},
		{"persistent_workers", &loader->persistent_workers, true},
		{"in_order", &loader->in_order, true},
	};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (strcmp(key, numbers[i].key) == 0) {
			*numbers[i].field = numbers[i].is_flag ? flag(value) : number(value);
		}
	}
}

static int set_text(
	struct sm_build *build, struct sm_loader *loader, const char *key, const char *value)
{
	const struct {
		const char *key;
		const char **field;
	} texts[] = {
		{"name", &loader->name},
		{"start_method", &loader->start_method},
		{"dataset_kind", &loader->dataset_kind},
		{"dataset", &loader->dataset},
		{"dataset_where", &loader->dataset_where},
		{"sampler", &loader->sampler},
		{"sampler_where", &loader->sampler_where},
		{"collate", &loader->collate},
		{"collate_where", &loader->collate_where},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (strcmp(key, texts[i].key) == 0) {
			*texts[i].field = sm_arena_strdup(&build->model->arena, value);
			return *texts[i].field ? 0 : -ENOMEM;
		}
	}
	return 0;
}

static int add_loader(struct sm_build *build, uint32_t process, char *text)
{
	struct sm_build_loader *loader = NULL;
	struct line line;
	int error = 0;
	while (!error && next_line(&text, &line)) {
		if (strcmp(line.key, "ordinal") == 0) { /* comes first */
			error = sm_build_loader_find(build, process, number(line.value), &loader);
		} else if (loader) {
			set_number(&loader->facts, line.key, line.value);
			error = set_text(build, &loader->facts, line.key, line.value);
		}
	}
	return error;
}

/* Said by the process in which the data set runs, which may be a worker of a loader not yet known. */
static int add_samples_unknown(struct sm_build *build, uint32_t process, char *text)
{
	struct line line;
	while (next_line(&text, &line)) {
		if (strcmp(line.key, "why") == 0) {
			char *why = sm_arena_strdup(&build->model->arena, line.value);
			build->processes[process].no_samples_why = why;
			return why ? 0 : -ENOMEM;
		}
	}
	return 0;
}

static uint64_t worker_id(int32_t pid, uint32_t tid)
{
	return (uint64_t)(uint32_t)pid << 32 | tid;
}

/* Persistent workers are told of again in every iteration; what counts is when they were started. */
static int keep_worker(
	struct sm_build *build, struct sm_build_loader *loader, struct sm_build_worker worker)
{
	enum { WORKERS_MAX = 1 << 20 };
	uint64_t known;
	if (loader->worker_count >= WORKERS_MAX ||
		sm_map_find(&build->worker_by_pid, worker_id(worker.pid, worker.tid), &known)) {
		return 0;
	}
	int error = sm_mem_grow(&loader->workers, &loader->worker_capacity,
		loader->worker_count + 1, sizeof(worker));
	error = error ? error
		      : sm_map_set(&build->worker_by_pid, worker_id(worker.pid, worker.tid),
				(uint64_t)loader->index << 32 | loader->worker_count);
	if (!error) {
		loader->workers[loader->worker_count++] = worker;
	}
	return error;
}

static int add_worker(struct sm_build *build, uint32_t process, char *text)
{
	struct sm_build_worker worker = {-1, -1, -1, 0};
	int ordinal = -1;
	struct line line;
	while (next_line(&text, &line)) {
		const struct {
			const char *key;
			int32_t *field;
		} numbers[] = {{"loader", &ordinal}, {"iteration", &worker.iteration},
			{"index", &worker.index}, {"pid", &worker.pid}};
		for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
			if (strcmp(line.key, numbers[i].key) == 0) {
				*numbers[i].field = number(line.value);
			}
		}
		if (strcmp(line.key, "tid") == 0) {
			worker.tid = (uint32_t)strtoul(line.value, NULL, 10);
		}
	}
	struct sm_build_loader *loader = NULL;
	if (ordinal < 0 || worker.index < 0) {
		return 0;
	}
	int error = sm_build_loader_find(build, process, ordinal, &loader);
	return error || !loader ? error : keep_worker(build, loader, worker);
}

static int add_not_measured(struct sm_build *build, char *text)
{
	const char *what = "", *why = "";
	struct line line;
	while (next_line(&text, &line)) {
		what = strcmp(line.key, "what") == 0 ? line.value : what;
		why = strcmp(line.key, "why") == 0 ? line.value : why;
	}
	return *what ? sm_build_facts_note(build, what, why) : 0;
}

/* What a main process says of itself: process.python, process.torch, process.device. */
static int add_process(struct sm_build *build, char *text)
{
	struct sm_model *model = build->model;
	bool main = false;
	struct line line;
	int error = 0;
	while (!error && next_line(&text, &line)) {
		main = main || (strcmp(line.key, "role") == 0 && strcmp(line.value, "main") == 0);
		char key[64];
		int length = snprintf(key, sizeof(key), "process.%s", line.key);
		if (main && length < (int)sizeof(key)) {
			error = sm_build_facts_pair(build, &model->facts, &model->fact_count,
				&build->fact_capacity, key, line.value);
		}
	}
	return error;
}

/* Once when it begins, and again, with its end, when it is over. */
static int add_session(struct sm_build *build, uint32_t process, char *text)
{
	const char *id = "", *name = "";
	int64_t pid = -1, begin_ns = -1, end_ns = -1;
	struct line line;
	while (next_line(&text, &line)) {
		const struct {
			const char *key;
			int64_t *number;
		} numbers[] = {{"pid", &pid}, {"begin_ns", &begin_ns}, {"end_ns", &end_ns}};
		for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
			if (strcmp(line.key, numbers[i].key) == 0) {
				*numbers[i].number = strtoll(line.value, NULL, 10);
			}
		}
		id = strcmp(line.key, "id") == 0 ? line.value : id;
		name = strcmp(line.key, "name") == 0 ? line.value : name;
	}
	int error = sm_build_sessions_begin(build, process, pid, begin_ns, id, name);
	if (!error && end_ns >= 0) {
		sm_build_sessions_end(build, process, id, end_ns);
	}
	return error;
}

static int add_session_note(struct sm_build *build, uint32_t process, char *text)
{
	const char *id = "", *said = "";
	struct line line;
	while (next_line(&text, &line)) {
		id = strcmp(line.key, "id") == 0 ? line.value : id;
		said = strcmp(line.key, "text") == 0 ? line.value : said;
	}
	return sm_build_sessions_note(build, process, id, said);
}

int sm_build_facts_add(struct sm_build *build, uint32_t process, const char *text)
{
	char *copy = sm_mem_strdup(text);
	if (!copy) {
		return -ENOMEM;
	}
	char *rest = strchrnul(copy, '\n');
	rest += *rest ? 1 : 0;
	size_t kind = strcspn(copy, "\n");
	int error = 0;
	if (strncmp(copy, "loader", kind) == 0) {
		error = add_loader(build, process, rest);
	} else if (strncmp(copy, "samples_unknown", kind) == 0) {
		error = add_samples_unknown(build, process, rest);
	} else if (strncmp(copy, "worker", kind) == 0) {
		error = add_worker(build, process, rest);
	} else if (strncmp(copy, "estimated", kind) == 0 ||
		   strncmp(copy, "not_measured", kind) == 0) {
		error = add_not_measured(build, rest);
	} else if (strncmp(copy, "session", kind) == 0) {
		error = add_session(build, process, rest);
	} else if (strncmp(copy, "session_note", kind) == 0) {
		error = add_session_note(build, process, rest);
	} else if (strncmp(copy, "process", kind) == 0) {
		error = add_process(build, rest);
	}
	sm_mem_free(copy);
	return error;
}
