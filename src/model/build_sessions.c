/* Operations, cut along the sessions of a profiler.
 *
 * A session is a stretch of time of the process that opened it; sessions overlap as they like, so they are no spans. Its two
 * edges are facts with their times in them. A fact is in the table of names before any event that was recorded after it, so
 * within a process a session is known before the first event inside it, and its end before the first event behind it; a
 * worker's events may come a drain earlier, and what they had done by then is not in the session.
 *
 * Every begin or end of an operation is an edge of its thread. What passed since the edge before is the innermost
 * operation's own time, and is given to each session as far as it lies inside. So self times are exact however sessions and
 * operations overlap, and those of one thread never add up to more than the session.
 *
 * A session holds the threads of its own process, and those of the processes that this one started (workers of loaders).
 * Workers run beside the session and not in its time, so they count in an operation's sums, but not in its `busiest_ns`. */
#include "base/mem.h"
#include "model/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPEN INT64_MAX

/* --- sessions --- */

static struct sm_build_session *find_session(
	const struct sm_build *build, uint32_t process, const char *id)
{
	for (size_t i = build->session_count; i-- > 0;) {
		struct sm_build_session *session = &build->sessions[i];
		if (session->facts.process == process && strcmp(session->facts.id, id) == 0) {
			return session;
		}
	}
	return NULL;
}

static int add_session(struct sm_build *build, uint32_t process, int64_t begin_ns, const char *id,
	const char *name)
{
	struct sm_arena *arena = &build->model->arena;
	if (build->session_count >= SM_MODEL_SESSIONS_MAX) {
		return sm_build_facts_note(
			build, "later sessions", "a run keeps no more than 4096 sessions apart");
	}
	struct sm_build_session session = {.facts = {.id = sm_arena_strdup(arena, id),
						   .name = sm_arena_strdup(arena, name),
						   .process = process,
						   .begin_ns = begin_ns,
						   .end_ns = OPEN,
						   .open = true}};
	if (!session.facts.id || !session.facts.name) {
		return -ENOMEM;
	}
	int error = sm_mem_grow(&build->sessions, &build->session_capacity,
		build->session_count + 1, sizeof(session));
	if (!error) {
		build->sessions[build->session_count++] = session;
	}
	return error;
}

int sm_build_sessions_begin(struct sm_build *build, uint32_t process, int64_t pid, int64_t begin_ns,
	const char *id, const char *name)
{
	bool own = build->processes[process].info.pid == pid;
	if (!own || !*id || begin_ns < 0 || find_session(build, process, id)) {
		return 0;
	}
	return add_session(build, process, begin_ns, id, name);
}

void sm_build_sessions_end(struct sm_build *build, uint32_t process, const char *id, int64_t end_ns)
{
	struct sm_build_session *session = find_session(build, process, id);
	if (session && end_ns >= session->facts.begin_ns) {
		session->facts.end_ns = end_ns;
		session->facts.open = false;
	}
}

int sm_build_sessions_note(
	struct sm_build *build, uint32_t process, const char *id, const char *text)
{
	struct sm_arena *arena = &build->model->arena;
	struct sm_build_session *session = find_session(build, process, id);
	if (!session || session->facts.note_count >= SM_MODEL_SESSION_NOTES_MAX) {
		return 0;
	}
	struct sm_model_session *facts = &session->facts;
	if (!facts->notes) {
		facts->notes =
			sm_arena_alloc(arena, SM_MODEL_SESSION_NOTES_MAX * sizeof(*facts->notes));
	}
	const char *copy = facts->notes ? sm_arena_strdup(arena, text) : NULL;
	if (!copy) {
		return -ENOMEM;
	}
	facts->notes[facts->note_count++] = copy;
	return 0;
}

/* --- whose threads --- */

static bool descends(const struct sm_build *build, uint32_t process, uint32_t from)
{
	enum { GENERATIONS = 8 };
	uint64_t at = process;
	for (int i = 0; i < GENERATIONS && at < build->model->process_count; i++) {
		if (at == from) {
			return true;
		}
		uint32_t parent = (uint32_t)build->processes[at].info.ppid;
		if (!sm_map_find(&build->process_by_pid, parent, &at)) {
			return false;
		}
	}
	return false;
}

static bool holds(const struct sm_build *build, const struct sm_build_session *session,
	struct sm_build_thread *thread)
{
	uint32_t process = session->facts.process;
	if (thread->process == process) {
		return true;
	}
	if (thread->kin_of != process + 1) {
		thread->kin_of = process + 1;
		thread->is_kin = descends(build, thread->process, process);
	}
	return thread->is_kin;
}

/* --- rows --- */

/* -1: no room. */
static int find_row(struct sm_build *build, uint32_t session, uint32_t slot, int64_t *ret_row)
{
	uint64_t key = (uint64_t)session << 32 | slot, at;
	*ret_row = -1;
	if (sm_map_find(&build->row_by_key, key, &at)) {
		*ret_row = (int64_t)at;
		return 0;
	}
	if (build->row_count >= SM_MODEL_SESSION_OPERATIONS_MAX) {
		bool told = build->rows_full;
		build->rows_full = true;
		return told ? 0
			    : sm_build_facts_note(build, "further operations of sessions",
				      "a run keeps no more than 16384 operations of sessions "
				      "apart");
	}
	struct sm_build_row row = {.session = session, .slot = slot, .sums.busiest_ns = -1};
	int error =
		sm_mem_grow(&build->rows, &build->row_capacity, build->row_count + 1, sizeof(row));
	error = error ? error : sm_map_set(&build->row_by_key, key, build->row_count);
	if (!error) {
		*ret_row = (int64_t)build->row_count;
		build->rows[build->row_count++] = row;
	}
	return error;
}

/* One thread's part of a row; a thread without room for it is only in the sums. */
static int add_share(struct sm_build *build, uint32_t row, uint32_t thread, int64_t self_ns)
{
	enum { SHARES_MAX = 1 << 18 };
	uint64_t key = (uint64_t)row << 32 | thread, at;
	if (sm_map_find(&build->share_by_key, key, &at)) {
		build->shares[at].self_ns += self_ns;
		return 0;
	}
	if (build->share_count >= SHARES_MAX) {
		return 0;
	}
	int error = sm_mem_grow(&build->shares, &build->share_capacity, build->share_count + 1,
		sizeof(*build->shares));
	error = error ? error : sm_map_set(&build->share_by_key, key, build->share_count);
	if (!error) {
		build->shares[build->share_count++] = (struct sm_build_share){row, thread, self_ns};
	}
	return error;
}

static uint32_t thread_index(const struct sm_build *build, const struct sm_build_thread *thread)
{
	uint64_t at = 0;
	sm_map_find(&build->thread_by_id, (uint64_t)thread->process << 32 | thread->tid, &at);
	return (uint32_t)at;
}

/* --- what lies in which session --- */

/* -1: they do not touch. A session begins at 0 or later, so nothing overflows, whatever times a file has. */
static int64_t overlap(const struct sm_build_session *session, int64_t from_ns, int64_t to_ns)
{
	int64_t first = from_ns > session->facts.begin_ns ? from_ns : session->facts.begin_ns;
	int64_t last = to_ns < session->facts.end_ns ? to_ns : session->facts.end_ns;
	return last < first ? -1 : last - first;
}

/* Sessions that have begun by then join the thread's list. Those of one process come in the order they began. */
static int meet(struct sm_build *build, struct sm_build_thread *thread, int64_t at_ns)
{
	int error = 0;
	while (!error && thread->session_next < build->session_count) {
		uint32_t next = thread->session_next;
		bool held = holds(build, &build->sessions[next], thread);
		if (held && build->sessions[next].facts.begin_ns >= at_ns) {
			break;
		}
		if (held) {
			error = sm_mem_grow(&thread->sessions, &thread->session_capacity,
				thread->session_count + 1, sizeof(*thread->sessions));
		}
		if (held && !error) {
			thread->sessions[thread->session_count++] = next;
		}
		thread->session_next++;
	}
	return error;
}

/* An operation that is open reaches back to its begin, so only between operations is a session that is over let go. */
static void let_go(const struct sm_build *build, struct sm_build_thread *thread, int64_t before_ns)
{
	size_t kept = 0;
	for (size_t i = 0; i < thread->session_count; i++) {
		uint32_t session = thread->sessions[i];
		if (build->sessions[session].facts.end_ns >= before_ns) {
			thread->sessions[kept++] = session;
		}
	}
	thread->session_count = kept;
}

static int give_self(struct sm_build *build, struct sm_build_thread *thread, uint32_t session,
	uint32_t slot, int64_t self_ns)
{
	int64_t row;
	int error = find_row(build, session, slot, &row);
	if (error || row < 0) {
		return error;
	}
	build->rows[row].sums.self_ns += self_ns;
	bool own = build->sessions[session].facts.process == thread->process;
	return own ? add_share(build, (uint32_t)row, thread_index(build, thread), self_ns) : 0;
}

/* The stretch up to `at_ns` in every session that it touches. */
static int charge(struct sm_build *build, struct sm_build_thread *thread, int64_t at_ns)
{
	int error = 0;
	uint32_t slot = thread->frames[thread->depth - 1].inside;
	for (size_t i = 0; !error && i < thread->session_count; i++) {
		uint32_t session = thread->sessions[i];
		int64_t self_ns = overlap(&build->sessions[session], thread->edge_ns, at_ns);
		error = self_ns > 0 ? give_self(build, thread, session, slot, self_ns) : 0;
	}
	return error;
}

int sm_build_sessions_edge(struct sm_build *build, struct sm_build_thread *thread, int64_t at_ns)
{
	bool inside = thread->depth && thread->frames[thread->depth - 1].inside != SM_BUILD_NONE;
	if (!inside) {
		let_go(build, thread, at_ns);
	}
	int error = meet(build, thread, at_ns);
	error = error || !inside ? error : charge(build, thread, at_ns);
	thread->edge_ns = at_ns;
	return error;
}

static int add_call(struct sm_build *build, struct sm_session_operation *sums, double wall_s)
{
	sums->count++;
	sm_blocks_add(&sums->blocks, wall_s);
	return sm_sketch_add(&sums->wall_s, &build->model->arena, wall_s);
}

/* One call, in every session that it touches. `ended`: it did so at `end_ns`, and not only as far as we know. */
static int add_to_sessions(struct sm_build *build, struct sm_build_thread *thread,
	const struct sm_build_frame *frame, int64_t end_ns, bool ended)
{
	int error = 0;
	for (size_t i = 0; !error && i < thread->session_count; i++) {
		const struct sm_build_session *session = &build->sessions[thread->sessions[i]];
		int64_t inside_ns = overlap(session, frame->begin_ns, end_ns), row = -1;
		error = inside_ns < 0 ? 0 : find_row(build, thread->sessions[i], frame->slot, &row);
		if (error || row < 0) {
			continue;
		}
		struct sm_session_operation *sums = &build->rows[row].sums;
		sums->inclusive_ns += inside_ns;
		if (ended && end_ns <= session->facts.end_ns) {
			error = add_call(build, sums, (double)(end_ns - frame->begin_ns) * 1e-9);
		} else {
			sums->open++;
		}
	}
	return error;
}

int sm_build_sessions_operation(struct sm_build *build, struct sm_build_thread *thread,
	const struct sm_build_frame *frame, int64_t end_ns)
{
	int error = sm_build_sessions_edge(build, thread, end_ns);
	return error || frame->slot == SM_BUILD_NONE
		       ? error
		       : add_to_sessions(build, thread, frame, end_ns, true);
}

/* --- losses --- */

static bool is_all_of_it(const struct sm_process *process, int64_t first_ns, int64_t last_ns)
{
	return first_ns <= process->started_ns &&
	       (process->ended_ns < 0 || last_ns >= process->ended_ns);
}

/* A loss of which nobody knows when it was is told of the whole life of its process: it is in the counts alone. */
int sm_build_sessions_lose(
	struct sm_build *build, uint32_t process, int64_t first_ns, int64_t last_ns)
{
	enum { LOSSES_MAX = 1 << 16 };
	if (process >= build->model->process_count || last_ns <= first_ns ||
		build->loss_count >= LOSSES_MAX ||
		is_all_of_it(&build->processes[process].info, first_ns, last_ns)) {
		return 0;
	}
	int error = sm_mem_grow(&build->losses, &build->loss_capacity, build->loss_count + 1,
		sizeof(*build->losses));
	if (!error) {
		build->losses[build->loss_count++] =
			(struct sm_build_loss){process, first_ns, last_ns};
	}
	return error;
}

static int earlier_first(const void *left, const void *right)
{
	int64_t a = ((const struct sm_build_loss *)left)->first_ns;
	int64_t b = ((const struct sm_build_loss *)right)->first_ns;
	return (a > b) - (a < b);
}

/* Of the session, what lies in any of them; they overlap, and are in order. */
static int64_t lost_of(const struct sm_build *build, const struct sm_model_session *session)
{
	int64_t lost_ns = 0, until_ns = session->begin_ns;
	for (size_t i = 0; i < build->loss_count; i++) {
		const struct sm_build_loss *loss = &build->losses[i];
		int64_t first_ns = loss->first_ns > until_ns ? loss->first_ns : until_ns;
		int64_t last_ns = loss->last_ns < session->end_ns ? loss->last_ns : session->end_ns;
		if (loss->process == session->process && last_ns > first_ns) {
			lost_ns += last_ns - first_ns;
			until_ns = last_ns;
		}
	}
	return lost_ns;
}

/* --- when all is read --- */

/* Of what a thread has open, the time so far: in a process that has a session and has not said its end. */
static int close_open(struct sm_build *build, struct sm_build_thread *thread)
{
	bool has_session = false;
	for (size_t i = 0; i < build->session_count; i++) {
		has_session = has_session || build->sessions[i].facts.process == thread->process;
	}
	if (!has_session || !thread->depth) {
		return 0;
	}
	int error = sm_build_sessions_edge(build, thread, build->last_ns);
	for (size_t i = thread->depth; !error && i-- > 0;) {
		const struct sm_build_frame *frame = &thread->frames[i];
		if (frame->role == SM_ROLE_OPERATION && frame->slot != SM_BUILD_NONE) {
			error = add_to_sessions(build, thread, frame, build->last_ns, false);
		}
	}
	return error;
}

static void find_busiest(struct sm_build *build)
{
	for (size_t i = 0; i < build->share_count; i++) {
		struct sm_session_operation *sums = &build->rows[build->shares[i].row].sums;
		int64_t self_ns = build->shares[i].self_ns;
		sums->busiest_ns = self_ns > sums->busiest_ns ? self_ns : sums->busiest_ns;
	}
}

/* A process that records a second time tells all facts again, also those of sessions that were over by then. */
static bool is_of_this_run(const struct sm_build *build, const struct sm_build_session *session)
{
	int64_t started_ns = build->processes[session->facts.process].info.started_ns;
	return session->facts.end_ns > started_ns;
}

static int hand_over(struct sm_build *build, uint32_t index, struct sm_model_session *ret_session)
{
	struct sm_model *model = build->model;
	*ret_session = build->sessions[index].facts;
	size_t count = 0;
	for (size_t i = 0; i < build->row_count; i++) {
		count += build->rows[i].session == index;
	}
	ret_session->operations =
		sm_arena_alloc(&model->arena, (count + 1) * sizeof(*ret_session->operations));
	if (!ret_session->operations) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < build->row_count; i++) {
		if (build->rows[i].session == index) {
			struct sm_session_operation *row =
				&ret_session->operations[ret_session->operation_count++];
			*row = build->rows[i].sums;
			row->operation = &model->operations[build->rows[i].slot];
		}
	}
	return 0;
}

int sm_build_sessions_complete(struct sm_build *build)
{
	struct sm_model *model = build->model;
	int error = 0;
	for (size_t i = 0; !error && i < build->thread_count; i++) {
		error = build->session_count ? close_open(build, build->threads[i]) : 0;
	}
	find_busiest(build);
	if (build->loss_count > 1) {
		qsort(build->losses, build->loss_count, sizeof(*build->losses), earlier_first);
	}
	model->sessions = sm_arena_alloc(
		&model->arena, (build->session_count + 1) * sizeof(*model->sessions));
	for (uint32_t i = 0; !error && i < build->session_count; i++) {
		struct sm_model_session *session = &model->sessions[model->session_count];
		if (!is_of_this_run(build, &build->sessions[i])) {
			continue;
		}
		error = hand_over(build, i, session);
		if (session->open) {
			session->end_ns = build->last_ns > session->begin_ns ? build->last_ns
									     : session->begin_ns;
		}
		session->lost_ns = lost_of(build, session);
		model->session_count++;
	}
	return error ? error : model->sessions ? 0 : -ENOMEM;
}
