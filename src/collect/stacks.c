/* Looks come at uneven times, a random part of the interval early or late: a job that does something every ten
 * milliseconds must not be met at the same point of it each time. */
#include "collect/stacks.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define SECOND_NS  1000000000LL
#define REFRESH_NS 100000000LL /* between looks for new threads */
#define SLACK_NS   200000      /* of our sleep: the kernel may wake us so much later */

static int64_t own_cpu_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * SECOND_NS + used.tv_nsec;
}

static int64_t interval_ns(const struct sm_stacks *stacks)
{
	return stacks->interval_ns * stacks->governor.slowdown;
}

/* --- the processes --- */

static struct sm_stacks_process *find_process(
	const struct sm_stacks *stacks, const struct sm_child *child)
{
	for (size_t i = 0; i < stacks->count; i++) {
		struct sm_stacks_process *process = &stacks->process[i];
		if (process->pid == child->pid && process->start_ticks == child->start_ticks) {
			return process;
		}
	}
	return NULL;
}

static struct sm_stacks_process *add_process(struct sm_stacks *stacks, const struct sm_child *child)
{
	if (sm_mem_grow(&stacks->process, &stacks->capacity, stacks->count + 1,
		    sizeof(*stacks->process))) {
		return NULL;
	}
	struct sm_stacks_process *process = &stacks->process[stacks->count++];
	*process = (struct sm_stacks_process){.pid = child->pid, .start_ticks = child->start_ticks};
	return process;
}

static void drop_gone(struct sm_stacks *stacks)
{
	size_t kept = 0;
	for (size_t i = 0; i < stacks->count; i++) {
		if (stacks->process[i].stays) {
			stacks->process[kept++] = stacks->process[i];
		} else {
			sm_stacks_process_close(&stacks->process[i], &stacks->tools);
		}
	}
	stacks->count = kept;
}

static void follow_children(struct sm_stacks *stacks, const struct sm_children *children)
{
	for (size_t i = 0; i < stacks->count; i++) {
		stacks->process[i].stays = false;
	}
	for (size_t i = 0; i < children->count; i++) {
		const struct sm_child *child = &children->item[i];
		struct sm_stacks_process *process =
			child->ended ? NULL : find_process(stacks, child);
		process = process || child->ended ? process : add_process(stacks, child);
		if (process) {
			process->stays = true;
			process->own_pid = child->own_pid ? child->own_pid : child->pid;
		}
	}
	drop_gone(stacks);
}

static void note(struct sm_stacks *stacks, bool *told, const char *why)
{
	if (!*told) {
		*told = true;
		(void)sm_trace_writer_note(stacks->writer, "stacks", why);
	}
}

static void refresh(struct sm_stacks *stacks, int64_t now_ns)
{
	char why[SM_STACKS_WHY];
	for (size_t i = 0; i < stacks->count; i++) {
		struct sm_stacks_process *process = &stacks->process[i];
		int r = sm_stacks_process_open(process, now_ns, why);
		if (!r) {
			sm_stacks_process_refresh(process, &stacks->tools);
		} else if (r == -EPERM) {
			note(stacks, &stacks->told_forbidden, why);
		} else if (r == -ENOTSUP) {
			note(stacks, &stacks->told_unknown, why);
		}
	}
}

/* --- looks --- */

/* xorshift64* (Vigna 2016); within a quarter of the interval to both sides. */
static int64_t jitter_ns(struct sm_stacks *stacks)
{
	uint64_t x = stacks->random;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	stacks->random = x;
	uint64_t half = (uint64_t)interval_ns(stacks) / 2;
	return (int64_t)((x * 0x2545f4914f6cdd1dULL >> 33) % (half + 1)) - (int64_t)(half / 2);
}

static bool has_interpreter(const struct sm_stacks *stacks)
{
	for (size_t i = 0; i < stacks->count; i++) {
		if (stacks->process[i].open) {
			return true;
		}
	}
	return false;
}

static void choose_next(struct sm_stacks *stacks, int64_t now_ns)
{
	int64_t step_ns = interval_ns(stacks);
	if (!has_interpreter(stacks)) {
		stacks->due_ns = stacks->refresh_ns;
		stacks->grid_ns = 0;
		return;
	}
	stacks->grid_ns = stacks->grid_ns ? stacks->grid_ns + step_ns : now_ns + step_ns;
	if (stacks->grid_ns < now_ns) { /* held up: what was missed is not made up for */
		int64_t missed = (now_ns - stacks->grid_ns) / step_ns + 1;
		stacks->tools.kept.head.missed += (uint32_t)missed;
		stacks->grid_ns += missed * step_ns;
	}
	stacks->due_ns = stacks->grid_ns + jitter_ns(stacks);
}

static void look(struct sm_stacks *stacks)
{
	for (size_t i = 0; i < stacks->count; i++) {
		if (stacks->process[i].open) {
			sm_stacks_process_look(
				&stacks->process[i], &stacks->tools, sm_clock_mono_ns());
		}
	}
}

static void judge_cost(struct sm_stacks *stacks, int64_t now_ns, int64_t cpu_ns)
{
	int before = stacks->governor.slowdown;
	int after = sm_governor_note(&stacks->governor, now_ns, own_cpu_ns() - cpu_ns);
	if (after != before) {
		sm_stacks_kept_flush(&stacks->tools.kept, interval_ns(stacks));
		stacks->slowest = after > stacks->slowest ? after : stacks->slowest;
	}
}

void sm_stacks_run(struct sm_stacks *stacks, const struct sm_children *children, int64_t now_ns,
	int64_t cpu_ns)
{
	if (!stacks->interval_ns || now_ns < stacks->due_ns) {
		return;
	}
	if (now_ns >= stacks->refresh_ns) {
		follow_children(stacks, children);
		refresh(stacks, now_ns);
		stacks->refresh_ns = now_ns + REFRESH_NS;
	}
	look(stacks);
	if (now_ns >= stacks->flush_ns) {
		sm_stacks_kept_flush(&stacks->tools.kept, interval_ns(stacks));
		stacks->flush_ns = now_ns + SECOND_NS;
	}
	judge_cost(stacks, now_ns, cpu_ns);
	choose_next(stacks, now_ns);
}

int64_t sm_stacks_due_ns(const struct sm_stacks *stacks)
{
	return stacks->interval_ns ? stacks->due_ns : INT64_MAX;
}

/* --- beginning and end --- */

int sm_stacks_open(struct sm_stacks *stacks, int64_t interval, struct sm_trace_writer *writer)
{
	*stacks = (struct sm_stacks){.writer = writer, .slowest = 1};
	if (!interval) {
		return 0;
	}
	sm_governor_init(&stacks->governor, SM_GOVERNOR_STACKS_SHARE);
	stacks->random = (uint64_t)sm_clock_mono_ns() | 1;
	stacks->tools.walk = sm_stacks_walk_create();
	int r = stacks->tools.walk ? sm_stacks_kept_open(&stacks->tools.kept, writer) : -ENOMEM;
	if (r) {
		sm_stacks_close(stacks);
		return r;
	}
	prctl(PR_SET_TIMERSLACK, SLACK_NS);
	stacks->interval_ns = interval;
	sm_stacks_kept_flush(&stacks->tools.kept, interval);
	return 0;
}

static void say_rate(struct sm_stacks *stacks)
{
	char why[192];
	bool told = false;
	if (stacks->slowest > 1) {
		snprintf(why, sizeof(why),
			"they were looked at down to %.3g times a second instead of %.3g, because "
			"more would have cost over %.0f %% of a core",
			(double)SECOND_NS / (double)(stacks->interval_ns * stacks->slowest),
			(double)SECOND_NS / (double)stacks->interval_ns,
			100 * SM_GOVERNOR_STACKS_SHARE);
		note(stacks, &told, why);
	}
}

static void say_lost(struct sm_stacks *stacks)
{
	char why[96];
	bool told = false;
	if (stacks->tools.kept.lost) {
		snprintf(why, sizeof(why), "%" PRIu64 " looks found no room in the file",
			stacks->tools.kept.lost);
		note(stacks, &told, why);
	}
}

void sm_stacks_finish(struct sm_stacks *stacks)
{
	if (!stacks->interval_ns) {
		return;
	}
	for (size_t i = 0; i < stacks->count; i++) {
		sm_stacks_process_close(&stacks->process[i], &stacks->tools);
	}
	stacks->count = 0;
	sm_stacks_kept_flush(&stacks->tools.kept, interval_ns(stacks));
	say_rate(stacks);
	say_lost(stacks);
}

void sm_stacks_close(struct sm_stacks *stacks)
{
	for (size_t i = 0; i < stacks->count && stacks->tools.kept.columns; i++) {
		sm_stacks_process_close(&stacks->process[i], &stacks->tools);
	}
	sm_mem_free(stacks->process);
	sm_stacks_walk_destroy(stacks->tools.walk);
	sm_stacks_code_bodies_finish(&stacks->tools.bodies);
	sm_stacks_kept_close(&stacks->tools.kept);
	*stacks = (struct sm_stacks){0};
}
