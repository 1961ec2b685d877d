/* Who may read this process: asked only where the kernel wants it, and only of a collector that is one. */
#include "record/permit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[] = "/tmp/sm-permit-XXXXXX";
static char live[64];

static void put(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_root(void **state)
{
	if (!mkdtemp(root)) {
		return -1;
	}
	snprintf(live, sizeof(live), "%s/live", root);
	put("live/collector", "4711\n");
	put("proc/4711/comm", "stallmeter-coll\n");
	put("proc/sys/kernel/yama/ptrace_scope", "1\n");
	return 0;
}

static int remove_root(void **state)
{
	char command[64];
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static void test_a_collector_is_permitted(void **state)
{
	assert_int_equal(sm_permit_collector(live, root), 4711);
}

static void test_a_kernel_that_does_not_ask_is_left_alone(void **state)
{
	put("proc/sys/kernel/yama/ptrace_scope", "0\n");
	assert_int_equal(sm_permit_collector(live, root), 0);
	put("proc/sys/kernel/yama/ptrace_scope", "2\n"); /* nobody can permit it */
	assert_int_equal(sm_permit_collector(live, root), 0);
	assert_int_equal(sm_permit_collector(live, "/no/such/root"), 0);
	put("proc/sys/kernel/yama/ptrace_scope", "1\n");
}

static void test_another_process_of_that_number_is_not(void **state)
{
	put("proc/4711/comm", "python3\n");
	assert_int_equal(sm_permit_collector(live, root), 0);
	put("proc/4711/comm", "stallmeter-coll\n");
}

static void test_a_collector_that_looks_at_no_stacks_leaves_no_number(void **state)
{
	put("live/collector", "");
	assert_int_equal(sm_permit_collector(live, root), 0);
	put("live/collector", "4711\n");
	assert_int_equal(sm_permit_collector("/no/such/folder", root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_collector_is_permitted),
		cmocka_unit_test(test_a_kernel_that_does_not_ask_is_left_alone),
		cmocka_unit_test(test_another_process_of_that_number_is_not),
		cmocka_unit_test(test_a_collector_that_looks_at_no_stacks_leaves_no_number),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
