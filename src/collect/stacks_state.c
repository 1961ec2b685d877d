/* The kernel counts a thread's CPU time to the nanosecond (schedstat, 0.4 us to read). While it stands still the thread does,
 * and so does its stack: most threads of a job wait most of the time, and cost no more than that one read. Read before
 * the stack, it can only err towards reading once too often. Where it sleeps (wchan) is asked only when it has run.
 *
 * One that is awake is on a CPU or waits for one, and which of them at this moment is not asked: on a machine that is busy
 * our own waking has often just taken its CPU. How much CPU time it had since the last look says it without that bias. */
#include "collect/stacks_state.h"

#include "probe/kernel_waits.h"

void sm_stacks_state_open(struct sm_stacks_state *state, pid_t pid, uint32_t tid)
{
	char why[SM_SOURCE_WHY];
	*state = (struct sm_stacks_state){0};
	(void)sm_source_open(
		&state->schedstat, why, "", "/proc/%d/task/%u/schedstat", (int)pid, tid);
	(void)sm_source_open(&state->wchan, why, "", "/proc/%d/task/%u/wchan", (int)pid, tid);
}

void sm_stacks_state_close(struct sm_stacks_state *state)
{
	sm_source_close(&state->schedstat);
	sm_source_close(&state->wchan);
}

static bool read_cpu(const struct sm_stacks_state *state, uint64_t *ret_ns)
{
	struct sm_scan text;
	return sm_source_is_open(&state->schedstat) && !sm_source_read(&state->schedstat, &text) &&
	       sm_scan_u64(&text, ret_ns);
}

bool sm_stacks_state_has_run(struct sm_stacks_state *state)
{
	uint64_t cpu_ns = 0;
	bool read = read_cpu(state, &cpu_ns);
	bool ran = !read || !state->known || cpu_ns != state->cpu_ns;
	state->used_ns =
		read && state->known && cpu_ns > state->cpu_ns ? cpu_ns - state->cpu_ns : 0;
	state->known = read;
	state->cpu_ns = cpu_ns;
	if (!ran && state->last == SM_TRACE_STACK_RUNNING) {
		state->last = SM_TRACE_STACK_RUNNABLE;
	}
	return ran;
}

static enum sm_trace_stack_state name_wait(const struct sm_scan *function)
{
	static const enum sm_trace_stack_state names[] = {
		[SM_KERNEL_WAIT_LOCK] = SM_TRACE_STACK_LOCK,
		[SM_KERNEL_WAIT_SLEEP] = SM_TRACE_STACK_SLEEP,
		[SM_KERNEL_WAIT_SOCKET] = SM_TRACE_STACK_SOCKET,
		[SM_KERNEL_WAIT_FILE] = SM_TRACE_STACK_FILE,
		[SM_KERNEL_WAIT_IDLE] = SM_TRACE_STACK_IDLE,
		[SM_KERNEL_WAIT_POLL] = SM_TRACE_STACK_POLL,
		[SM_KERNEL_WAIT_UNKNOWN] = SM_TRACE_STACK_BLOCKED,
	};
	return names[sm_kernel_waits_find(function->at, (size_t)(function->end - function->at))];
}

void sm_stacks_state_name(struct sm_stacks_state *state)
{
	struct sm_scan function;
	bool read = sm_source_is_open(&state->wchan) && !sm_source_read(&state->wchan, &function) &&
		    function.at < function.end;
	state->last = !read			   ? SM_TRACE_STACK_UNKNOWN
		      : sm_scan_is(&function, "0") ? SM_TRACE_STACK_RUNNING
						   : name_wait(&function);
}
