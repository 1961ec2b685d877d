/* Writes the small run that the golden cases of reading commands share: run_make DIRECTORY
 *
 * A training process with one loader and its worker; every kind of event is in it, and something was lost. */
#include "make/sm_make.h"
#include "make/sm_make_stacks.h"

#include <stdio.h>

static const int64_t step_ns = 10 * 1000 * 1000;

static void train(struct sm_make_thread *main_thread, int64_t step)
{
	int64_t at = 1000000 + step * step_ns;
	sm_make_begin(main_thread, at, SM_ROLE_NEXT, "train");
	sm_make_arg(main_thread, SM_KEY_LOADER, 0);
	sm_make_arg(main_thread, SM_KEY_TASK, step);
	sm_make_end(main_thread, at + 4000000);
	sm_make_mark(main_thread, at + 4000100, SM_ROLE_PUT, "put");
	sm_make_arg(main_thread, SM_KEY_TASK, step + 2);
	sm_make_begin(main_thread, at + 5000000, SM_ROLE_BACKWARD, "backward");
	sm_make_end(main_thread, at + 9000000);
	sm_make_counter(main_thread, at + 9500000, "loss\0nats", 2.5 / (double)(step + 1));
}

static void fetch(struct sm_make_thread *worker, int64_t step)
{
	const struct sm_ring_cause cause = {.cpu_ns = 2000000,
		.run_delay_ns = 250000,
		.block_inputs = 16,
		.minor_faults = 3,
		.voluntary_switches = 1};
	char text[32];
	int64_t at = 500000 + step * step_ns;
	snprintf(text, sizeof(text), "\"img<%d>\"", (int)step);
	sm_make_begin(worker, at, SM_ROLE_BATCH, "fetch");
	sm_make_arg(worker, SM_KEY_SEQUENCE, step);
	sm_make_begin(worker, at + 1000, SM_ROLE_SAMPLE, "Pictures");
	sm_make_arg(worker, SM_KEY_INDEX_TEXT, sm_make_text(worker, text));
	sm_make_end_cause(worker, at + 3000000, &cause);
	sm_make_end(worker, at + 3500000);
}

/* The worker's main thread decodes, its main process waits on a socket; another thread sleeps. */
static void look(struct sm_make_run *run)
{
	const uint8_t in_call = SM_TRACE_STACK_RUNNING | SM_TRACE_STACK_IN_CALL;
	struct sm_make_stacks *stacks = sm_make_stacks_begin(run);
	uint32_t module = sm_make_function(stacks, "/job/train.py", "<module>", 1);
	uint32_t load = sm_make_function(stacks, "/job/data.py", "Pictures.__getitem__", 20);
	uint32_t resize = sm_make_function(
		stacks, "/env/lib/python3.12/site-packages/PIL/Image.py", "Image.resize", 2200);
	uint32_t next = sm_make_function(stacks, "/job/train.py", "wait; \"for\" it", 40);
	int64_t base = sm_make_place(stacks, -1, module, 60);
	int64_t fetch_place = sm_make_place(stacks, base, load, 24);
	uint32_t resize_place = sm_make_place(stacks, fetch_place, resize, 2292);
	uint32_t wait_place = sm_make_place(stacks, base, next, 44);
	uint32_t trainer = sm_make_stack_thread(stacks, 100, 100, "python");
	uint32_t worker = sm_make_stack_thread(stacks, 101, 101, "pt_data_worker");
	for (int64_t step = 0; step < 3; step++) {
		int64_t at = step * step_ns;
		sm_make_look(stacks, at + 1000000, worker, resize_place, in_call, 1);
		sm_make_look(stacks, at + 1500000, trainer, wait_place, SM_TRACE_STACK_SOCKET, 4);
		sm_make_look(stacks, at + 2000000, worker, resize_place, in_call, 1);
		sm_make_look(stacks, at + 3000000, worker, (uint32_t)fetch_place,
			SM_TRACE_STACK_RUNNING | SM_TRACE_STACK_HAS_GIL, 1);
		sm_make_look(stacks, at + 4000000, worker, (uint32_t)fetch_place,
			SM_TRACE_STACK_RUNNABLE, 2);
	}
	sm_make_stacks_end(stacks, 1000000, 1);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: run_make DIRECTORY\n");
		return 2;
	}
	struct sm_make_run *run = sm_make_run_create(argv[1]);
	sm_make_run_fact(run, "level", "detailed");
	struct sm_make_process *job =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 100});
	struct sm_make_process *child =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 101, .ppid = 100});
	struct sm_make_process *again = /* the pid came again */
		sm_make_process_add(run, &(struct sm_make_options){.pid = 101, .ppid = 100});
	struct sm_make_thread *main_thread = sm_make_thread_add(job, 100);
	struct sm_make_thread *worker = sm_make_thread_add(child, 101);
	sm_make_adopt(main_thread, 900000, 100, "MainThread");
	for (int64_t step = 0; step < 3; step++) {
		train(main_thread, step);
		fetch(worker, step);
		sm_make_sample(
			run, step * step_ns, SM_METRIC_MEM_AVAILABLE, 0, 1e9 - (double)step * 4096);
		sm_make_sample(run, step * step_ns, SM_METRIC_PROC_CPU, 101, 0.004 * (double)step);
		sm_make_sample(run, step * step_ns, SM_METRIC_CPU_IDLE, 1, 0.008 * (double)step);
	}
	sm_make_begin(worker, 31000000, SM_ROLE_BATCH, "fetch"); /* open when the rest was lost */
	sm_make_lost(worker, 32000000, 7);
	sm_make_end(worker, 33000000);
	sm_make_begin(main_thread, 31000000, SM_ROLE_NEXT, "train"); /* never ended */
	sm_make_begin(sm_make_thread_add(again, 101), 33000000, SM_ROLE_OPERATION, "caf\xe9");
	look(run);
	sm_make_run_note(run, "gpu", "no library of the driver");
	sm_make_alert(run, 12000000, "memory", true, 0.8125, 0.8);
	sm_make_alert(run, 28000000, "memory", false, 0.5, 0.8);
	sm_make_process_ended(job, 35000000, 0, true);
	sm_make_run_pack(run);
	sm_make_run_finish(run);
	return 0;
}
