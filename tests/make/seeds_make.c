/* Makes the first seeds of the fuzzers: small valid files, from which mutation finds its way.
 *
 *     build/test/tests/make/seeds_make tests/fuzz/seeds
 */
#include "make/fake_python.h"
#include "make/sm_make.h"
#include "make/sm_make_stacks.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void add_events(struct sm_make_process *process)
{
	const struct sm_ring_cause cause = {
		.cpu_ns = 300000, .run_delay_ns = 50000, .block_inputs = 8};
	struct sm_make_thread *main_thread = sm_make_thread_add(process, 100);
	struct sm_make_thread *worker = sm_make_thread_add(process, 101);
	sm_make_fact(process, "loader\nordinal=0\nname=train\nnum_workers=1\nbatch_size=2");
	for (int64_t step = 0; step < 12; step++) {
		int64_t at = 1000000 * (step + 1);
		sm_make_begin(worker, at, SM_ROLE_BATCH, "fetch");
		sm_make_arg(worker, SM_KEY_WORKER, 0);
		sm_make_arg(worker, SM_KEY_SEQUENCE, step);
		sm_make_begin(worker, at + 10, SM_ROLE_SAMPLE, "sample");
		sm_make_arg(worker, SM_KEY_INDEX, step * 7);
		sm_make_end_cause(worker, at + 400000, &cause);
		sm_make_end(worker, at + 500000);
		sm_make_begin(main_thread, at, SM_ROLE_NEXT, "next");
		sm_make_arg(main_thread, SM_KEY_LOADER, 0);
		sm_make_arg(main_thread, SM_KEY_TASK, step);
		sm_make_end(main_thread, at + 600000);
		sm_make_counter(main_thread, at + 700000, "loss", 1.0 / (double)(step + 1));
	}
	sm_make_mark(main_thread, 14000000, SM_ROLE_ARRIVE, "arrive");
	sm_make_lost(worker, 15000000, 3);
	sm_make_sync(main_thread, 16000000);
	sm_make_adopt(worker, 17000000, 102, "second worker");
}

static void make_ring(const char *folder, const char *name, bool closed, double ns_per_tick)
{
	char path[512];
	struct sm_make_options options = {.pid = 100,
		.segment_bytes = 4096,
		.ns_per_tick = ns_per_tick,
		.tick_shift = ns_per_tick > 0 ? 3 : 0};
	snprintf(path, sizeof(path), "%s/ring_reader/%s", folder, name);
	struct sm_make_process *ring = sm_make_ring_create(path, &options);
	add_events(ring);
	sm_make_ring_finish(ring, closed);
}

static void add_stacks(struct sm_make_run *run)
{
	struct sm_make_stacks *stacks = sm_make_stacks_begin(run);
	uint32_t module = sm_make_function(stacks, "/job/train.py", "<module>", 1);
	uint32_t load = sm_make_function(stacks, "/job/data.py", "load", 20);
	int64_t outer = sm_make_place(stacks, -1, module, 60);
	uint32_t inner = sm_make_place(stacks, outer, load, 24);
	uint32_t worker = sm_make_stack_thread(stacks, 100, 101, "pt_data_worker");
	for (int64_t step = 0; step < 12; step++) {
		sm_make_look(stacks, 1000000 * (step + 1) + 200, worker, inner,
			SM_TRACE_STACK_RUNNING, 1);
		sm_make_look(stacks, 1000000 * (step + 1) + 600000, worker, (uint32_t)outer,
			SM_TRACE_STACK_SOCKET, 3);
	}
	sm_make_stacks_end(stacks, 100000, 2);
}

/* A byte that says which version, and the memory of its interpreter. */
static void make_python(const char *folder, int minor)
{
	static struct fake_python fake;
	const unsigned char lines[] = {0x80 | 13 << 3 | 1, 0, 0x80 | 12 << 3, 3, 5};
	const unsigned char instructions[] = {1, 0, 142, 0, 171, 0};
	char path[512];
	fake_python_init(&fake, minor);
	for (uint32_t i = 0; i < 6; i++) {
		char name[2] = {(char)('a' + i), '\0'};
		uint64_t code = fake_python_code(&fake, "/job/train.py", name, 10 * i, lines,
			sizeof(lines), instructions, sizeof(instructions));
		fake_python_push(&fake, code, i % 3);
	}
	snprintf(path, sizeof(path), "%s/stacks/python3.%d", folder, minor);
	FILE *out = fopen(path, "wb");
	if (out) {
		fputc(minor, out);
		fputc(0, out);
		fwrite(&fake.runtime, sizeof(fake.runtime), 1, out);
		fwrite(&fake.version, sizeof(fake.version), 1, out);
		fwrite(fake.memory, fake.used, 1, out);
		fclose(out);
	}
}

static void add_alerts(struct sm_make_run *run)
{
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 103});
	struct sm_make_thread *thread = sm_make_thread_add(process, 103);
	sm_make_run_fact(run, "watched", "memory=0.8\x1fio=0.3");
	sm_make_counter(thread, 2000000, "process.gpu_allocated", 1e9);
	sm_make_alert(run, 3000000, "memory", true, 0.9, 0.8);
	sm_make_alert(run, 9000000, "memory", false, 0.5, 0.8);
}

static void add_sessions(struct sm_make_run *run)
{
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 104});
	struct sm_make_thread *thread = sm_make_thread_add(process, 104);
	sm_make_fact(process, "session\nid=a\npid=104\nbegin_ns=1000000\nname=first");
	sm_make_fact(process, "session\nid=b\npid=104\nbegin_ns=2500000\nname=second");
	sm_make_fact(process, "session_note\nid=a\ntext=slow");
	sm_make_begin(thread, 2000000, SM_ROLE_OPERATION, "outer");
	sm_make_begin(thread, 3000000, SM_ROLE_OPERATION, "inner");
	sm_make_end(thread, 4000000);
	sm_make_fact(
		process, "session\nid=a\npid=104\nbegin_ns=1000000\nend_ns=4500000\nname=first");
	sm_make_end(thread, 5000000);
	sm_make_begin(thread, 6000000, SM_ROLE_OPERATION, "open");
}

static void make_run(const char *folder, const char *target, const char *name, bool packed)
{
	char path[512], made[600], kept[600];
	snprintf(path, sizeof(path), "%s/%s", folder, target);
	mkdir(path, 0777);
	struct sm_make_run *run = sm_make_run_create(path);
	sm_make_run_fact(run, "command", "python\x1ftrain.py");
	sm_make_run_note(run, "gpu", "no NVML library");
	add_events(sm_make_process_add(run, &(struct sm_make_options){.pid = 100}));
	for (int64_t second = 0; second < 5; second++) {
		sm_make_sample(run, second * 1000000, SM_METRIC_CPU_USER, 0, (double)second);
		sm_make_sample(run, second * 1000000, SM_METRIC_PROC_RSS, 100, 1e8);
	}
	if (!strcmp(name, "stacks")) {
		add_stacks(run);
	} else if (strcmp(name, "alerts") == 0) {
		add_alerts(run);
	}
	if (strcmp(name, "sessions") == 0) {
		add_sessions(run);
	}
	if (packed) {
		sm_make_run_pack(run);
	}
	sm_make_run_finish(run);
	snprintf(made, sizeof(made), "%s/rank0.stall", path);
	snprintf(kept, sizeof(kept), "%s/%s", path, name);
	rename(made, kept);
}

int main(int argc, char **argv)
{
	char path[512];
	if (argc != 2) {
		fprintf(stderr, "usage: seeds_make FOLDER\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/ring_reader", argv[1]);
	mkdir(argv[1], 0777);
	mkdir(path, 0777);
	make_ring(argv[1], "closed", true, 0);
	make_ring(argv[1], "killed", false, 0);
	make_ring(argv[1], "ticks", true, 0.4);
	const char *const targets[] = {"trace_reader", "model_build"};
	for (size_t i = 0; i < 2; i++) {
		make_run(argv[1], targets[i], "raw", false);
		make_run(argv[1], targets[i], "packed", true);
		make_run(argv[1], targets[i], "alerts", true);
		make_run(argv[1], targets[i], "stacks", true);
	}
	snprintf(path, sizeof(path), "%s/stacks", argv[1]);
	mkdir(path, 0777);
	for (int minor = 10; minor <= 12; minor++) {
		make_python(argv[1], minor);
	}
	make_run(argv[1], "model_build", "sessions", true);
	return 0;
}
