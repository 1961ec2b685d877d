#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/run_name.h"

#include <string.h>

static void expect_script(const char *wanted, char *const *command)
{
	char script[SM_RUN_NAME_MAX / 2];
	sm_run_name_script(command, script);
	assert_string_equal(script, wanted);
}

#define COMMAND(...)                                                                               \
	(char *[])                                                                                 \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static char python[] = "python", train[] = "dir/train.py", torchrun[] = "torchrun",
	    flag[] = "--nproc-per-node=2", m[] = "-m", module[] = "package.train", sh[] = "/bin/sh",
	    c[] = "-c", text[] = "rm -rf x", slash[] = "a/", odd[] = "ä b\n.py";

static void test_what_people_call_it(void **state)
{
	expect_script("train", COMMAND(python, train));
	expect_script("train", COMMAND(torchrun, flag, train));
	expect_script("package.train", COMMAND(python, m, module));
	expect_script("sh", COMMAND(sh, c, text));
	expect_script("a_", COMMAND(slash));
	expect_script("___b_", COMMAND(python, odd));
	expect_script("python", COMMAND(python));
}

static void test_long_names_are_cut(void **state)
{
	char longer[300], name[SM_RUN_NAME_MAX];
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	sm_run_name_directory(COMMAND(longer), 1795350030, name);
	assert_true(strlen(name) < SM_RUN_NAME_MAX);
	assert_memory_equal(name, "stallmeter-xxx", 14);
	assert_true(name[strlen(name) - 7] == '-');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_people_call_it),
		cmocka_unit_test(test_long_names_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
