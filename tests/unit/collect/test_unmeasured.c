#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/unmeasured.h"
#include "fake_root.h"

#include <stdio.h>
#include <string.h>

#define ARGUMENTS(text) text, sizeof(text)
#define SECOND		1000000000LL

static void test_which_flag_keeps_us_out(void **state)
{
	assert_string_equal(sm_unmeasured_flag(ARGUMENTS("python\0-I\0train.py")), "-I");
	assert_string_equal(sm_unmeasured_flag(ARGUMENTS("python\0-u\0-sE\0train.py")), "-E");
	assert_string_equal(sm_unmeasured_flag(ARGUMENTS("python\0-W\0error\0-S\0x.py")), "-S");
	assert_string_equal(sm_unmeasured_flag(ARGUMENTS("python\0-Werror\0-I\0x.py")), "-I");
	assert_null(sm_unmeasured_flag(ARGUMENTS("python\0train.py\0-I")));
	assert_null(sm_unmeasured_flag(ARGUMENTS("python\0-c\0print(1)\0-E")));
	assert_null(sm_unmeasured_flag(ARGUMENTS("python\0-m\0torch.distributed.run\0-I")));
	assert_null(sm_unmeasured_flag(ARGUMENTS("python\0-X\0importtime\0x.py")));
	assert_null(sm_unmeasured_flag(ARGUMENTS("python\0-")));
	assert_null(sm_unmeasured_flag("python", 6));	  /* no NUL at all */
	assert_null(sm_unmeasured_flag("python\0-X", 9)); /* cut off */
	assert_null(sm_unmeasured_flag("", 0));
}

static void test_what_is_python(void **state)
{
	assert_true(sm_unmeasured_is_python(ARGUMENTS("/usr/bin/python3.11\0x")));
	assert_true(sm_unmeasured_is_python(ARGUMENTS("python\0x")));
	assert_false(sm_unmeasured_is_python(ARGUMENTS("/opt/python/bin/ruby\0x")));
	assert_false(sm_unmeasured_is_python(ARGUMENTS("sh\0python")));
	assert_false(sm_unmeasured_is_python("", 0));
}

static char root[PATH_MAX], why[SM_UNMEASURED_WHY];

static int make_machine(void **state)
{
	fake_root_make(root, "gvisor");
	fake_root_put(
		root, "proc/7/maps", "7f00-7f01 r-xp 0 0:0 1 /venv/torch/lib/libtorch_cpu.so\n");
	return 0;
}

static int drop_machine(void **state)
{
	fake_root_remove(root);
	return 0;
}

/* fake_root_put writes text; these files hold NULs. */
static void put_bytes(const char *path, const char *bytes, size_t length)
{
	char full[2 * PATH_MAX];
	snprintf(full, sizeof(full), "%s/%s", root, path);
	FILE *file = fopen(full, "w");
	assert_non_null(file);
	fwrite(bytes, 1, length, file);
	fclose(file);
}

static bool look(bool parent_records, int64_t age_s)
{
	struct sm_child child = {.pid = 7, .pidfd = -1};
	return sm_unmeasured_look(&child, root, parent_records, age_s * SECOND, why);
}

static void test_the_reason_is_the_likeliest(void **state)
{
	put_bytes("proc/7/cmdline", ARGUMENTS("python\0-E\0train.py"));
	put_bytes("proc/7/environ", ARGUMENTS("PATH=/bin"));
	assert_true(look(false, 5));
	assert_non_null(strstr(why, "with -E"));
	put_bytes("proc/7/cmdline", ARGUMENTS("python\0train.py"));
	assert_true(look(true, 5));
	assert_non_null(strstr(why, "cleaned environment"));
	put_bytes("proc/7/environ", ARGUMENTS("STALLMETER_LIVE=/x"));
	assert_true(look(true, 5));
	assert_non_null(strstr(why, "without PYTHONPATH"));
	put_bytes("proc/7/environ", ARGUMENTS("STALLMETER_LIVE=/x\0PYTHONPATH=/y"));
	assert_true(look(false, 5));
	assert_non_null(strstr(why, "no build for its interpreter"));
}

static void test_who_is_silent_by_right(void **state)
{
	put_bytes("proc/7/cmdline", ARGUMENTS("python\0train.py"));
	put_bytes("proc/7/environ", ARGUMENTS("STALLMETER_LIVE=/x\0PYTHONPATH=/y"));
	assert_false(look(true, 5));  /* a helper, forked from one that records */
	assert_false(look(false, 1)); /* it may still be importing */
	put_bytes("proc/7/maps", "", 0);
	assert_false(look(false, 5)); /* no torch in it */
	put_bytes("proc/7/cmdline", ARGUMENTS("bash\0-c\0python"));
	assert_false(look(false, 5));
}

static void test_it_is_looked_at_thrice_in_its_life(void **state)
{
	struct sm_child child = {.pid = 7, .pidfd = -1};
	put_bytes("proc/7/maps", "", 0);
	put_bytes("proc/7/cmdline", ARGUMENTS("python\0-E\0train.py"));
	for (int s = 0; s < 300; s++) {
		assert_false(sm_unmeasured_look(&child, root, false, s * SECOND, why));
	}
	assert_int_equal(child.looks, 3);
	put_bytes("proc/7/maps", ARGUMENTS("/libtorch.so\n"));
	assert_false(sm_unmeasured_look(&child, root, false, 999 * SECOND, why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_flag_keeps_us_out),
		cmocka_unit_test(test_what_is_python),
		cmocka_unit_test_setup_teardown(
			test_the_reason_is_the_likeliest, make_machine, drop_machine),
		cmocka_unit_test_setup_teardown(
			test_who_is_silent_by_right, make_machine, drop_machine),
		cmocka_unit_test_setup_teardown(
			test_it_is_looked_at_thrice_in_its_life, make_machine, drop_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
