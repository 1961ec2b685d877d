/* _PyRuntime is a symbol that every build exports, be the interpreter linked into the program or a library. The file's
 * mapping says how far it was moved; Py_Version, a constant beside it, which layout holds. Then the layout must prove
 * itself: each thread state in the list has to point back to the interpreter whose list it is; and stacks_code.c takes
 * for a code object only what is of the type that calls itself "code". */
#include "collect/stacks_interpreter.h"

#include "base/err.h"
#include "collect/stacks_symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTERPRETERS_MAX = 16, CANDIDATES_MAX = 4, KNOWN_MAX = 16 };

struct candidate { /* a mapped file that may be an interpreter */
	uint64_t begin, inode;
	char device[16];
	char path[PATH_MAX];
};

/* Nine processes of one job run one interpreter: its symbols are looked up once. */
static struct known {
	uint64_t inode;
	char device[16];
	int result;
	struct sm_stacks_symbols symbols;
} known[KNOWN_MAX];
static int known_count;

/* --- where --- */

static bool is_interpreter_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	return !strncmp(name, "python", 6) || !strncmp(name, "libpython", 9);
}

/* "55d0c8a00000-55d0c8a6e000 r--p 00000000 fe:00 2634   /usr/bin/python3.11": the start of such a file. */
static bool scan_mapping(char *line, struct candidate *candidate)
{
	uint64_t end, offset;
	int path_at = 0;
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %15s %" SCNu64 " %n",
		    &candidate->begin, &end, &offset, candidate->device, &candidate->inode,
		    &path_at) < 5 ||
		offset || !path_at || line[path_at] != '/') {
		return false;
	}
	return is_interpreter_name(line + path_at) &&
	       snprintf(candidate->path, sizeof(candidate->path), "%s", line + path_at) <
		       (int)sizeof(candidate->path);
}

static int find_candidates(pid_t pid, struct candidate candidates[CANDIDATES_MAX])
{
	static char line[PATH_MAX + 256];
	char path[64];
	int count = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "re");
	if (!maps) {
		return errno == ENOENT ? -ESRCH : -errno;
	}
	while (count < CANDIDATES_MAX && fgets(line, sizeof(line), maps)) {
		count += scan_mapping(line, &candidates[count]);
	}
	fclose(maps);
	return count;
}

static int read_symbols(
	pid_t pid, const struct candidate *candidate, struct sm_stacks_symbols *ret_symbols)
{
	char path[PATH_MAX + 32];
	for (int i = 0; i < known_count; i++) {
		if (known[i].inode == candidate->inode &&
			!strcmp(known[i].device, candidate->device)) {
			*ret_symbols = known[i].symbols;
			return known[i].result;
		}
	}
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)pid, candidate->path);
	struct sm_stacks_symbols symbols = {0};
	int r = sm_stacks_symbols_read(path, &symbols);
	if (r && r != -ENOENT && r != -SM_ERR_FORMAT) {
		return r; /* may be better next time */
	}
	struct known *one = &known[known_count < KNOWN_MAX ? known_count++ : KNOWN_MAX - 1];
	*one = (struct known){.inode = candidate->inode, .result = r, .symbols = symbols};
	memcpy(one->device, candidate->device, sizeof(one->device));
	*ret_symbols = symbols;
	return r;
}

/* --- which --- */

static bool is_gil(const struct sm_stacks_interpreter *interpreter, uint64_t address)
{
	int32_t locked;
	return address && address % 8 == 0 &&
	       !sm_stacks_memory_read(&interpreter->memory,
		       address + interpreter->layout.gil_locked, &locked, sizeof(locked)) &&
	       locked >= -1 && locked <= 1;
}

static uint64_t find_gil(const struct sm_stacks_interpreter *interpreter, uint64_t state)
{
	const struct sm_stacks_layout *layout = &interpreter->layout;
	uint64_t gil = interpreter->runtime + layout->runtime_gil;
	if (layout->interpreter_gil != SM_STACKS_NONE &&
		sm_stacks_memory_read_pointer(
			&interpreter->memory, state + layout->interpreter_gil, &gil)) {
		return 0;
	}
	return is_gil(interpreter, gil) ? gil + layout->gil_holder : 0;
}

static int add_threads(const struct sm_stacks_interpreter *interpreter, uint64_t state,
	struct sm_stacks_python_thread *threads, int count)
{
	const struct sm_stacks_layout *layout = &interpreter->layout;
	unsigned char bytes[1024];
	uint64_t address, back, gil = find_gil(interpreter, state);
	int r = sm_stacks_memory_read_pointer(
		&interpreter->memory, state + layout->interpreter_threads, &address);
	while (!r && address && count < SM_STACKS_THREADS_MAX) {
		struct sm_stacks_python_thread thread = {
			.address = address, .interpreter = state, .gil = gil};
		r = address % 8 ? -EAGAIN
				: sm_stacks_memory_read(&interpreter->memory, address, bytes,
					  layout->thread_bytes);
		if (r) {
			break;
		}
		memcpy(&back, bytes + layout->thread_interpreter, sizeof(back));
		memcpy(&thread.pthread, bytes + layout->thread_pthread, sizeof(thread.pthread));
		if (layout->thread_native_id != SM_STACKS_NONE) {
			memcpy(&thread.native_id, bytes + layout->thread_native_id,
				sizeof(thread.native_id));
		}
		memcpy(&address, bytes + layout->thread_next, sizeof(address));
		if (back != state) {
			return -EAGAIN;
		}
		threads[count++] = thread;
	}
	return r ? r : count;
}

int sm_stacks_interpreter_threads(const struct sm_stacks_interpreter *interpreter,
	struct sm_stacks_python_thread threads[SM_STACKS_THREADS_MAX])
{
	const struct sm_stacks_layout *layout = &interpreter->layout;
	uint64_t state;
	int count = 0;
	int r = sm_stacks_memory_read_pointer(
		&interpreter->memory, interpreter->runtime + layout->runtime_interpreters, &state);
	for (int i = 0; !r && state && i < INTERPRETERS_MAX; i++) {
		if (state % 8) {
			return -EAGAIN;
		}
		count = add_threads(interpreter, state, threads, count);
		r = count < 0 ? count
			      : sm_stacks_memory_read_pointer(&interpreter->memory,
					state + layout->interpreter_next, &state);
	}
	return r ? r : count;
}

static int choose_layout(
	struct sm_stacks_interpreter *interpreter, uint64_t version, char why[SM_STACKS_WHY])
{
	uint64_t number = 0x030a0000; /* before 3.11 it says it nowhere */
	int r = version ? sm_stacks_memory_read_pointer(&interpreter->memory, version, &number) : 0;
	if (r) {
		return r;
	}
	int minor = (int)(number >> 16 & 0xff);
	if (number >> 24 == 3 && minor >= 13) {
		r = sm_stacks_layout_published(
			&interpreter->memory, interpreter->runtime, &interpreter->layout);
	} else {
		const struct sm_stacks_layout *layout =
			number >> 24 == 3 ? sm_stacks_layout_find(minor) : NULL;
		r = layout ? 0 : -ENOTSUP;
		interpreter->layout = layout ? *layout : interpreter->layout;
	}
	if (r == -ENOTSUP || r == -ENOENT) {
		snprintf(why, SM_STACKS_WHY,
			"Python 3.%d keeps its stacks in a way that is not known here (read are "
			"3.10 to 3.13 with the GIL)",
			minor);
		return -ENOTSUP;
	}
	return r;
}

/* The layout against what is there. -EAGAIN: not yet to be told. */
static int prove(const struct sm_stacks_interpreter *interpreter)
{
	static struct sm_stacks_python_thread threads[SM_STACKS_THREADS_MAX];
	int count = sm_stacks_interpreter_threads(interpreter, threads);
	return count < 0 ? count : count ? 0 : -EAGAIN;
}

static void explain(int error, char why[SM_STACKS_WHY])
{
	if (error == -EPERM || error == -EACCES) {
		snprintf(why, SM_STACKS_WHY,
			"reading another process's memory is not allowed here; run as root or with "
			"CAP_SYS_PTRACE, in a container with --cap-add SYS_PTRACE");
	} else if (!why[0]) {
		snprintf(why, SM_STACKS_WHY, "%s", sm_error_text(error));
	}
}

int sm_stacks_interpreter_open_at(struct sm_stacks_interpreter *interpreter,
	struct sm_stacks_memory memory, uint64_t runtime, uint64_t version, char why[SM_STACKS_WHY])
{
	*interpreter = (struct sm_stacks_interpreter){.memory = memory, .runtime = runtime};
	why[0] = '\0';
	int r = choose_layout(interpreter, version, why);
	r = r ? r : prove(interpreter);
	r = r == -EFAULT || r == -EAGAIN ? -ENOENT : r == -EACCES ? -EPERM : r;
	if (r) {
		explain(r, why);
	}
	return r;
}

int sm_stacks_interpreter_open(
	struct sm_stacks_interpreter *interpreter, pid_t pid, char why[SM_STACKS_WHY])
{
	static struct candidate candidates[CANDIDATES_MAX];
	int count = find_candidates(pid, candidates);
	why[0] = '\0';
	for (int i = 0; i < count; i++) {
		struct sm_stacks_symbols symbols;
		if (read_symbols(pid, &candidates[i], &symbols)) {
			continue;
		}
		uint64_t moved = candidates[i].begin - symbols.first_address;
		return sm_stacks_interpreter_open_at(interpreter, sm_stacks_memory_of(pid),
			symbols.runtime + moved, symbols.version ? symbols.version + moved : 0,
			why);
	}
	int r = count < 0 ? count == -EACCES ? -EPERM : count : -ENOENT;
	explain(r, why);
	return r;
}
