/* A look at a thread: did it run since the last one? If not, it is the same look again, and only counted. If it did, its
 * frames are read, each distinct stack becomes a number, and the look is kept with it. Frames further out rarely change
 * between two looks, so the numbers of the last stack are kept and only the changed end is looked up.
 *
 * Looks that are the same go to the trace as one entry, at the latest after a second. */
#include "collect/stacks_process.h"

#include "base/mem.h"
#include "collect/stacks_state.h"
#include "probe/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_TRY_NS 100000000LL   /* until the interpreter has come up */
#define LAST_TRY_NS  60000000000LL /* between tries at a process that has none */
#define SAME_NS	     1000000000LL  /* looks kept as one */
#define MEMORY_NS    500000000LL   /* how long numbers of the last stack are believed */

enum { TASKS_MAX = 1024, PTHREAD_BYTES = 1024, REFRESHES_A_NAME = 10 };

struct remembered {
	struct sm_stacks_frame frame;
	uint32_t node;
};

struct sm_stacks_thread {
	struct sm_stacks_thread_place place;
	struct sm_stacks_state state;
	struct sm_stacks_look look; /* not kept yet */
	uint32_t tid;		    /* as its spans name it */
	int64_t number;		    /* in the table; -1: none yet */
	char name[32];
	bool stays;
	int refreshes;
	int count; /* of the last stack, outermost first */
	int64_t since_ns;
	bool calls;
	struct remembered last[SM_STACKS_DEPTH_MAX + 1];
};

/* --- the interpreter --- */

int sm_stacks_process_open(
	struct sm_stacks_process *process, int64_t now_ns, char why[SM_STACKS_WHY])
{
	if (process->open || now_ns < process->try_ns) {
		return process->open ? 0 : -EAGAIN;
	}
	int r = sm_stacks_interpreter_open(&process->interpreter, process->pid, why);
	int64_t wait_ns = FIRST_TRY_NS << (process->tries < 10 ? process->tries : 10);
	process->tries++;
	process->try_ns = now_ns + (wait_ns < LAST_TRY_NS ? wait_ns : LAST_TRY_NS);
	process->open = !r;
	return r;
}

/* --- its threads --- */

static int list_tasks(pid_t pid, uint32_t tasks[TASKS_MAX])
{
	char path[64];
	int count = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *directory = opendir(path);
	for (struct dirent *entry;
		directory && count < TASKS_MAX && (entry = readdir(directory));) {
		int tid = atoi(entry->d_name);
		if (tid > 0) {
			tasks[count++] = (uint32_t)tid;
		}
	}
	if (directory) {
		closedir(directory);
	}
	return count;
}

static bool is_task(const uint32_t *tasks, int count, uint32_t tid)
{
	for (int i = 0; i < count; i++) {
		if (tasks[i] == tid) {
			return true;
		}
	}
	return false;
}

/* Before 3.11 a thread state knows only what pthread_self() said. The C library keeps the kernel's id in there, at a place
 * of its own: it is where a number lies that is one of the process's tasks. */
static uint32_t find_tid_by_pthread(struct sm_stacks_process *process,
	const struct sm_stacks_python_thread *python, const uint32_t *tasks, int count)
{
	uint32_t words[PTHREAD_BYTES / 4];
	if (sm_stacks_memory_read(
		    &process->interpreter.memory, python->pthread, words, sizeof(words))) {
		return 0;
	}
	for (int i = PTHREAD_BYTES / 16; i < PTHREAD_BYTES / 4; i++) {
		bool place = !process->tid_offset || process->tid_offset == i;
		if (place && is_task(tasks, count, words[i])) {
			process->tid_offset = i;
			return words[i];
		}
	}
	return 0;
}

/* The thread that forked is the child's first and only one, and its state may still hold its old number. */
static uint32_t find_task(struct sm_stacks_process *process,
	const struct sm_stacks_python_thread *python, const uint32_t *tasks, int count)
{
	uint32_t tid = python->native_id ? (uint32_t)python->native_id
					 : find_tid_by_pthread(process, python, tasks, count);
	if (count == 1 && process->pid == process->own_pid) {
		return tasks[0];
	}
	return tid;
}

static void keep_look(struct sm_stacks_thread *thread, struct sm_stacks_tools *tools)
{
	if (thread->look.looks) {
		sm_stacks_kept_add(&tools->kept, &thread->look);
	}
	thread->look.looks = 0;
}

static void drop_thread(struct sm_stacks_thread *thread, struct sm_stacks_tools *tools)
{
	keep_look(thread, tools);
	sm_stacks_state_close(&thread->state);
	sm_mem_free(thread);
}

static struct sm_stacks_thread *find_thread(
	const struct sm_stacks_process *process, const struct sm_stacks_python_thread *python)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct sm_stacks_thread_place *place = &process->thread[i]->place;
		if (place->address == python->address && place->native_id == python->native_id) {
			return process->thread[i];
		}
	}
	return NULL;
}

static void name_thread(const struct sm_stacks_process *process, struct sm_stacks_thread *thread,
	struct sm_stacks_tools *tools)
{
	char name[sizeof(thread->name)];
	int length = sm_source_read_once(
		name, sizeof(name), "", "/proc/%d/task/%u/comm", (int)process->pid, thread->tid);
	name[length > 0 ? strcspn(name, "\n") : 0] = '\0';
	if (thread->number >= 0 && !strcmp(name, thread->name)) {
		return;
	}
	int64_t number =
		sm_stacks_table_thread(&tools->kept.table, process->own_pid, thread->tid, name);
	if (number >= 0) {
		keep_look(thread, tools);
		thread->number = number;
		snprintf(thread->name, sizeof(thread->name), "%s", name);
	}
}

static struct sm_stacks_thread *add_thread(struct sm_stacks_process *process,
	const struct sm_stacks_python_thread *python, const uint32_t *tasks, int count)
{
	if (sm_mem_grow(&process->thread, &process->thread_capacity, process->thread_count + 1,
		    sizeof(*process->thread))) {
		return NULL;
	}
	struct sm_stacks_thread *thread = sm_mem_calloc(1, sizeof(*thread));
	if (!thread) {
		return NULL;
	}
	thread->place = (struct sm_stacks_thread_place){
		.address = python->address,
		.interpreter = python->interpreter,
		.native_id = python->native_id,
		.gil = python->gil,
	};
	thread->number = -1;
	thread->tid = find_task(process, python, tasks, count);
	sm_stacks_state_open(&thread->state, process->pid, thread->tid);
	process->thread[process->thread_count++] = thread;
	return thread;
}

static void drop_ended(struct sm_stacks_process *process, struct sm_stacks_tools *tools)
{
	size_t kept = 0;
	for (size_t i = 0; i < process->thread_count; i++) {
		if (process->thread[i]->stays) {
			process->thread[kept++] = process->thread[i];
		} else {
			drop_thread(process->thread[i], tools);
		}
	}
	process->thread_count = kept;
}

static void mark(struct sm_stacks_process *process, bool stays)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		process->thread[i]->stays = stays;
	}
}

/* Another program runs there now, or it has ended: begin anew. */
static void lose_interpreter(struct sm_stacks_process *process, struct sm_stacks_tools *tools)
{
	mark(process, false);
	drop_ended(process, tools);
	sm_stacks_code_forget(&process->codes);
	process->open = false;
	process->tid_offset = 0;
}

void sm_stacks_process_refresh(struct sm_stacks_process *process, struct sm_stacks_tools *tools)
{
	static struct sm_stacks_python_thread threads[SM_STACKS_THREADS_MAX];
	static uint32_t tasks[TASKS_MAX];
	int count = sm_stacks_interpreter_threads(&process->interpreter, threads);
	if (count == -EAGAIN) {
		return; /* it changed: next time */
	}
	if (count <= 0) {
		lose_interpreter(process, tools);
		return;
	}
	int task_count = -1;
	mark(process, false);
	for (int i = 0; i < count; i++) {
		struct sm_stacks_thread *thread = find_thread(process, &threads[i]);
		if (!thread) {
			task_count = task_count < 0 ? list_tasks(process->pid, tasks) : task_count;
			thread = add_thread(process, &threads[i], tasks, task_count);
		}
		if (thread) {
			thread->stays = true;
			thread->place.gil =
				count > 1 ? threads[i].gil : 0; /* a single one has it */
			if (thread->refreshes++ % REFRESHES_A_NAME == 0) {
				name_thread(process, thread, tools);
			}
		}
	}
	drop_ended(process, tools);
}

/* --- a stack becomes a number --- */

static bool is_remembered(
	const struct sm_stacks_thread *thread, int depth, const struct sm_stacks_frame *frame)
{
	const struct sm_stacks_frame *last = &thread->last[depth].frame;
	return depth < thread->count && last->code == frame->code &&
	       last->pointer == frame->pointer && last->instruction == frame->instruction;
}

static int64_t find_node(const struct sm_stacks_code_source *source,
	struct sm_stacks_process *process, const struct sm_stacks_frame *frame, int64_t caller,
	bool *ret_calls)
{
	struct sm_stacks_spot spot;
	int64_t place = sm_stacks_code_find(source, &process->codes, frame->code);
	if (place < 0) {
		return place;
	}
	if (!sm_stacks_code_locate(source->bodies, &process->codes.code[place], frame, &spot)) {
		return -EAGAIN;
	}
	*ret_calls = spot.calls;
	if (spot.shim && caller >= 0) {
		return caller;
	}
	return sm_stacks_table_node(source->table, caller, spot.function, spot.line);
}

static int64_t node_of_deeper(const struct sm_stacks_code_source *source)
{
	int64_t function = sm_stacks_table_function(source->table, "", "(deeper frames)", 0);
	return function < 0 ? function
			    : sm_stacks_table_node(source->table, -1, (uint32_t)function, 0);
}

/* How many frames from the outermost on are those of the last stack. */
static int count_remembered(
	const struct sm_stacks_thread *thread, const struct sm_stacks_frames *frames)
{
	int depth = 0;
	while (depth < frames->count &&
		is_remembered(thread, depth, &frames->frame[frames->count - 1 - depth])) {
		depth++;
	}
	return depth;
}

/* The number of the innermost frame's place; negative as sm_stacks_code_find. */
static int64_t number_stack(const struct sm_stacks_code_source *source,
	struct sm_stacks_process *process, struct sm_stacks_thread *thread,
	const struct sm_stacks_frames *frames)
{
	int64_t node = frames->deeper ? node_of_deeper(source) : -1;
	bool same = source->now_ns - thread->since_ns < MEMORY_NS && !frames->deeper;
	if (!same) {
		thread->since_ns = source->now_ns;
		thread->count = 0;
	}
	sm_stacks_code_check(source, &process->codes, frames->frame,
		frames->count - count_remembered(thread, frames));
	for (int depth = 0; depth < frames->count; depth++) {
		const struct sm_stacks_frame *frame = &frames->frame[frames->count - 1 - depth];
		same = same && is_remembered(thread, depth, frame);
		bool innermost = depth == frames->count - 1;
		if (same && !(innermost && depth != thread->count - 1)) {
			node = thread->last[depth].node;
			continue;
		}
		same = false;
		node = find_node(source, process, frame, node, &thread->calls);
		if (node < 0) {
			thread->count = 0;
			return node;
		}
		thread->last[depth] = (struct remembered){*frame, (uint32_t)node};
	}
	thread->count = frames->deeper ? 0 : frames->count;
	return node;
}

/* --- looks --- */

static void count_failure(
	struct sm_stacks_thread *thread, struct sm_stacks_tools *tools, int64_t error)
{
	thread->state.known = false; /* read it next time, whether it runs or not */
	if (error == -EAGAIN) {
		tools->kept.head.torn++;
	} else {
		tools->kept.head.unread++;
	}
}

static void see(struct sm_stacks_thread *thread, struct sm_stacks_tools *tools, int64_t now_ns,
	uint32_t place, uint8_t state)
{
	keep_look(thread, tools);
	thread->look = (struct sm_stacks_look){
		.first_ns = now_ns,
		.last_ns = now_ns,
		.looks = 1,
		.cpu_ns = thread->state.used_ns,
		.thread = (uint32_t)thread->number,
		.place = place,
		.state = state,
	};
}

static void see_again(
	struct sm_stacks_thread *thread, struct sm_stacks_tools *tools, int64_t now_ns)
{
	struct sm_stacks_look *look = &thread->look;
	uint8_t rest = look->state & (uint8_t)~SM_TRACE_STACK_STATE_MASK;
	uint8_t state = (uint8_t)(rest | thread->state.last);
	if (!look->looks) {
		return; /* it has no Python stack */
	}
	if (state != look->state || now_ns - look->first_ns >= SAME_NS) {
		see(thread, tools, now_ns, look->place, state);
	} else {
		look->last_ns = now_ns;
		look->looks++;
	}
}

static void read_stack(struct sm_stacks_process *process, struct sm_stacks_thread *thread,
	struct sm_stacks_tools *tools, int64_t now_ns)
{
	struct sm_stacks_frames frames;
	const struct sm_stacks_code_source source = {
		.memory = &process->interpreter.memory,
		.layout = &process->interpreter.layout,
		.table = &tools->kept.table,
		.bodies = &tools->bodies,
		.now_ns = now_ns,
	};
	int64_t r = sm_stacks_walk_take(
		tools->walk, source.memory, source.layout, &thread->place, &frames);
	sm_stacks_state_name(&thread->state);
	if (r == -ESRCH || (!r && !frames.count)) {
		keep_look(thread, tools); /* it has ended, or is outside of Python */
		return;
	}
	r = r ? r : number_stack(&source, process, thread, &frames);
	if (r < 0) {
		keep_look(thread, tools);
		count_failure(thread, tools, r);
		return;
	}
	see(thread, tools, now_ns, (uint32_t)r,
		(uint8_t)(thread->state.last | (thread->calls ? SM_TRACE_STACK_IN_CALL : 0) |
			  (frames.locked ? SM_TRACE_STACK_HAS_GIL : 0)));
}

void sm_stacks_process_look(
	struct sm_stacks_process *process, struct sm_stacks_tools *tools, int64_t now_ns)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		struct sm_stacks_thread *thread = process->thread[i];
		if (thread->number < 0) {
			continue;
		}
		if (sm_stacks_state_has_run(&thread->state)) {
			read_stack(process, thread, tools, now_ns);
		} else {
			see_again(thread, tools, now_ns);
		}
	}
}

void sm_stacks_process_close(struct sm_stacks_process *process, struct sm_stacks_tools *tools)
{
	lose_interpreter(process, tools);
	sm_mem_free(process->thread);
	process->thread = NULL;
	process->thread_capacity = 0;
}
