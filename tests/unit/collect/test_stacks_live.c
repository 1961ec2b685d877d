/* A real interpreter that changes its stack every microsecond, looked at as fast as we can: what is told must be a
 * stack it can have had, and few looks may be torn. Every Python from 3.10 to 3.13 that is here. */
#include "base/clock.h"
#include "collect/stacks_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the three above */
#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000000LL

enum { PYTHONS_MAX = 16 };

static const char script[] = "def leaf_a(): pass\n"
			     "def leaf_b(): pass\n"
			     "def under_a(n): leaf_a()\n"
			     "def under_b(n): leaf_b()\n"
			     "class A:\n"
			     "    def __init__(self): under_a(1)\n"
			     "def main_a(): A()\n"
			     "def main_b(): [under_b(n) for n in range(2)]\n"
			     "while True:\n"
			     "    main_a()\n"
			     "    main_b()\n";

/* Who may call whom; a list comprehension is a function of its own before 3.12. */
static const char *const calls[][2] = {
	{"<module>", "main_a"},
	{"<module>", "main_b"},
	{"main_a", "A.__init__"},
	{"main_a", "__init__"},
	{"A.__init__", "under_a"},
	{"__init__", "under_a"},
	{"under_a", "leaf_a"},
	{"under_b", "leaf_b"},
	{"main_b", "under_b"},
	{"main_b", "main_b.<locals>.<listcomp>"},
	{"main_b", "<listcomp>"},
	{"main_b.<locals>.<listcomp>", "under_b"},
	{"<listcomp>", "under_b"},
};

static char *pythons[PYTHONS_MAX];
static int python_count;

static void add_pythons(const char *pattern)
{
	glob_t found;
	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc && python_count < PYTHONS_MAX; i++) {
			pythons[python_count++] = strdup(found.gl_pathv[i]);
		}
	}
	globfree(&found);
}

static void find_pythons(void)
{
	char pattern[512];
	const char *home = getenv("HOME");
	add_pythons("/usr/bin/python3.1[0-3]");
	add_pythons("/usr/local/bin/python3.1[0-3]");
	snprintf(pattern, sizeof(pattern), "%s/.pyenv/versions/3.1[0-3].*/bin/python3",
		home ? home : "");
	add_pythons(pattern);
}

static bool may_call(const char *caller, const char *callee)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!strcmp(calls[i][0], caller) && !strcmp(calls[i][1], callee)) {
			return true;
		}
	}
	return false;
}

static const char *name_of(const struct sm_stacks_table *table, uint32_t node)
{
	return table->function[table->node[node].function].name;
}

/* Looks at the child's start-up, where other code runs, are left out: only trees that begin in the script are judged. */
static bool is_of_script(const struct sm_stacks_table *table, uint32_t node)
{
	while (table->node[node].parent) {
		node = table->node[node].parent - 1;
	}
	return !strcmp(table->function[table->node[node].function].file, "<string>");
}

static bool is_possible(const struct sm_stacks_table *table, uint32_t node)
{
	bool possible = true;
	for (uint32_t at = node, parent; is_of_script(table, node) && possible; at = parent - 1) {
		parent = table->node[at].parent;
		if (!parent) {
			break;
		}
		possible = may_call(name_of(table, parent - 1), name_of(table, at));
	}
	return possible;
}

/* Of the looks that were kept; and makes room for more. */
static uint64_t count_impossible(struct sm_stacks_tools *tools)
{
	uint64_t impossible = 0;
	for (size_t i = 0; i < tools->kept.columns->count; i++) {
		impossible += !is_possible(&tools->kept.table, tools->kept.columns->place[i]);
	}
	tools->kept.columns->count = 0; /* nobody writes them here */
	return impossible;
}

static pid_t start(const char *python)
{
	pid_t pid = fork();
	if (!pid) {
		execl(python, python, "-S", "-c", script, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static bool open_soon(struct sm_stacks_process *process)
{
	char why[SM_STACKS_WHY];
	for (int i = 0; i < 500; i++) {
		process->try_ns = 0;
		int r = sm_stacks_process_open(process, sm_clock_mono_ns(), why);
		if (!r) {
			return true;
		}
		if (r == -EPERM) {
			return false;
		}
		usleep(10000);
	}
	fail_msg("no interpreter found in 5 s: %s", why);
	return false;
}

static void look_for(struct sm_stacks_process *process, struct sm_stacks_tools *tools, int64_t ns,
	uint64_t *ret_looks, uint64_t *ret_impossible)
{
	int64_t end = sm_clock_mono_ns() + ns;
	uint64_t looks = 0, impossible = 0;
	for (; sm_clock_mono_ns() < end; looks++) {
		if (tools->kept.columns->count + 8 > SM_TRACE_STACK_SAMPLES_MAX) {
			impossible += count_impossible(tools);
		}
		sm_stacks_process_look(process, tools, sm_clock_mono_ns());
	}
	*ret_impossible = impossible + count_impossible(tools);
	*ret_looks = looks;
}

static void try_python(const char *python)
{
	struct sm_stacks_tools tools = {.walk = sm_stacks_walk_create()};
	uint64_t looks = 0, impossible = 0;
	pid_t pid = start(python);
	struct sm_stacks_process process = {.pid = pid, .own_pid = pid};
	assert_int_equal(sm_stacks_kept_open(&tools.kept, NULL), 0);
	bool allowed = open_soon(&process);
	if (allowed) {
		usleep(200000); /* until the script runs */
		sm_stacks_process_refresh(&process, &tools);
		assert_int_equal(process.thread_count, 1);
		look_for(&process, &tools, SECOND, &looks, &impossible);
		kill(pid, SIGKILL);
		print_message("%s: %llu looks, %u torn, %llu impossible, %zu places\n", python,
			(unsigned long long)looks, tools.kept.head.torn,
			(unsigned long long)impossible, tools.kept.table.node_count);
		/* Twice the same tear in one read is rare, and no check from outside can see it. */
		assert_true(impossible * 2000 <= looks);
		assert_true(looks > 1000);
		assert_true(tools.kept.table.node_count > 5);
		assert_int_equal(tools.kept.head.unread, 0);
		/* Each look is tried four times; none of ten torn leaves room for a machine that is busy. */
		assert_true(tools.kept.head.torn < looks / 10);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tools.kept.columns->count = 0;
	sm_stacks_process_close(&process, &tools);
	sm_stacks_walk_destroy(tools.walk);
	sm_stacks_code_bodies_finish(&tools.bodies);
	sm_stacks_kept_close(&tools.kept);
	if (!allowed) {
		skip();
	}
}

static void test_a_stack_that_flutters(void **state)
{
	find_pythons();
	if (!python_count) {
		skip();
	}
	for (int i = 0; i < python_count; i++) {
		try_python(pythons[i]);
		free(pythons[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_stack_that_flutters)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
