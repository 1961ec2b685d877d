#include "export/chrome_event.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

/* `time` in microseconds with all digits of the nanoseconds: the unit of the format. */
static void put_us(struct sm_json *json, const char *key, int64_t time_ns)
{
	sm_json_double(json, key, (double)time_ns / 1000);
}

int64_t sm_chrome_event_track(const struct sm_chrome *chrome, uint32_t process)
{
	uint64_t pid;
	return sm_map_find(&chrome->tracks, process, &pid) ? (int64_t)pid : (int64_t)process;
}

static void begin_event(
	struct sm_chrome *chrome, const char *phase, const char *name, int64_t pid, int64_t tid)
{
	fputc('\n', chrome->json.out);
	sm_json_begin_object(&chrome->json, NULL);
	sm_json_string(&chrome->json, "ph", phase);
	sm_json_string(&chrome->json, "name", name);
	sm_json_int(&chrome->json, "pid", pid);
	sm_json_int(&chrome->json, "tid", tid);
}

static int end_event(struct sm_chrome *chrome)
{
	sm_json_end(&chrome->json);
	return ferror(chrome->json.out) ? -EIO : 0;
}

int sm_chrome_event_metadata(
	struct sm_chrome *chrome, const char *what, int64_t pid, int64_t tid, const char *name)
{
	begin_event(chrome, "M", what, pid, tid);
	sm_json_begin_object(&chrome->json, "args");
	sm_json_string(&chrome->json, "name", name);
	sm_json_end(&chrome->json);
	return end_event(chrome);
}

const struct sm_chrome_name *sm_chrome_event_name(
	const struct sm_chrome *chrome, uint32_t process, uint32_t id)
{
	static const struct sm_chrome_name unknown = {"?", SM_ROLE_OPERATION};
	uint64_t place;
	if (!sm_map_find(&chrome->names, (uint64_t)process << 32 | id, &place)) {
		return &unknown;
	}
	return (const struct sm_chrome_name *)(uintptr_t)place;
}

static void put_arg(struct sm_chrome *chrome, uint32_t process, const struct sm_open_arg *arg)
{
	enum sm_key key = (enum sm_key)arg->key;
	if (key == SM_KEY_INDEX_TEXT) {
		sm_json_string(&chrome->json, "index",
			sm_chrome_event_name(chrome, process, (uint32_t)arg->value)->text);
	} else {
		sm_json_int(&chrome->json, sm_vocabulary_key_name(key), arg->value);
	}
}

static void put_args(struct sm_chrome *chrome, const struct sm_open_thread *thread, size_t from)
{
	for (size_t i = from; i < thread->arg_count; i++) {
		put_arg(chrome, thread->process, &thread->args[i]);
	}
}

static void put_count(struct sm_chrome *chrome, const char *key, uint64_t count)
{
	if (count) {
		sm_json_int(&chrome->json, key, (int64_t)count);
	}
}

static void put_cause(struct sm_chrome *chrome, const struct sm_trace_cause *cause, int64_t wall_ns)
{
	bool has_cpu = !(cause->missing & 2), has_delay = !(cause->missing & 1);
	int64_t cpu_ns = (int64_t)cause->cpu_ns, delay_ns = (int64_t)cause->run_delay_ns;
	if (has_cpu) {
		put_us(&chrome->json, "cpu_us", cpu_ns);
	}
	if (has_delay) {
		put_us(&chrome->json, "run_delay_us", delay_ns);
	}
	if (has_cpu && has_delay) {
		int64_t blocked_ns = wall_ns - cpu_ns - delay_ns;
		put_us(&chrome->json, "blocked_us", blocked_ns > 0 ? blocked_ns : 0);
	}
	put_count(chrome, "read_bytes", (uint64_t)cause->block_inputs * 512);
	put_count(chrome, "minor_faults", cause->minor_faults);
	put_count(chrome, "major_faults", cause->major_faults);
	put_count(chrome, "voluntary_switches", cause->voluntary_switches);
	put_count(chrome, "involuntary_switches", cause->involuntary_switches);
}

/* --- spans and marks --- */

static void put_span_args(struct sm_chrome *chrome, const struct sm_open_thread *thread,
	const struct sm_open_span *span, int64_t end_ns, enum sm_chrome_end how)
{
	sm_json_begin_object(&chrome->json, "args");
	put_args(chrome, thread, span->first_arg);
	if (span->has_cause) {
		put_cause(chrome, &span->cause, end_ns - span->begin_ns);
	}
	if (how == SM_CHROME_END_LOST) {
		sm_json_bool(&chrome->json, "end_lost", true);
	}
	sm_json_end(&chrome->json);
}

int sm_chrome_event_span(struct sm_chrome *chrome, const struct sm_open_thread *thread,
	const struct sm_open_span *span, int64_t end_ns, enum sm_chrome_end how)
{
	const struct sm_chrome_name *name =
		sm_chrome_event_name(chrome, thread->process, span->name);
	begin_event(chrome, how == SM_CHROME_NEVER_ENDED ? "B" : "X", name->text,
		sm_chrome_event_track(chrome, thread->process), thread->tid);
	sm_json_string(&chrome->json, "cat", sm_vocabulary_role_name(name->role));
	put_us(&chrome->json, "ts", span->begin_ns);
	if (how != SM_CHROME_NEVER_ENDED) {
		put_us(&chrome->json, "dur", end_ns - span->begin_ns);
	}
	if (thread->arg_count > span->first_arg || span->has_cause || how == SM_CHROME_END_LOST) {
		put_span_args(chrome, thread, span, end_ns, how);
	}
	return end_event(chrome);
}

/* Numbers behind a mark are its own, so it is told when the next event shows that there are no more. */
int sm_chrome_event_mark(struct sm_chrome *chrome, struct sm_open_thread *thread)
{
	if (!thread->has_mark) {
		return 0;
	}
	const struct sm_chrome_name *name =
		sm_chrome_event_name(chrome, thread->process, thread->mark_name);
	begin_event(chrome, "i", name->text, sm_chrome_event_track(chrome, thread->process),
		thread->tid);
	sm_json_string(&chrome->json, "cat", sm_vocabulary_role_name(name->role));
	put_us(&chrome->json, "ts", thread->mark_ns);
	sm_json_string(&chrome->json, "s", "t");
	if (thread->arg_count > thread->mark_arg) {
		sm_json_begin_object(&chrome->json, "args");
		put_args(chrome, thread, thread->mark_arg);
		sm_json_end(&chrome->json);
	}
	thread->has_mark = false;
	thread->arg_count = thread->mark_arg;
	return end_event(chrome);
}

int sm_chrome_event_value(struct sm_chrome *chrome, const char *name, int64_t pid, int64_t tid,
	int64_t time_ns, double value)
{
	begin_event(chrome, "C", name, pid, tid);
	put_us(&chrome->json, "ts", time_ns);
	sm_json_begin_object(&chrome->json, "args");
	sm_json_double(&chrome->json, "value", value);
	sm_json_end(&chrome->json);
	return end_event(chrome);
}

int sm_chrome_event_instant(
	struct sm_chrome *chrome, const char *name, int64_t pid, int64_t time_ns)
{
	begin_event(chrome, "i", name, pid, 0);
	put_us(&chrome->json, "ts", time_ns);
	sm_json_string(&chrome->json, "s", "p");
	return end_event(chrome);
}
