/* The probe of devices against a library that answers, fails, or never comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "probe/nvml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND 1000000000LL

static char why[SM_SOURCE_WHY];

static int forget(void **state)
{
	unsetenv("FAKE_NVML_HANGS");
	unsetenv("FAKE_NVML_HANGS_AT_START");
	unsetenv("FAKE_NVML_FAILS");
	memset(why, 0, sizeof(why));
	return 0;
}

static bool read_soon(struct sm_nvml *nvml, struct sm_nvml_reading *ret_reading)
{
	for (int i = 0; i < 200; i++) {
		if (!sm_nvml_read(nvml, ret_reading)) {
			return true;
		}
		usleep(10000);
	}
	return false;
}

static void test_what_is_answered(void **state)
{
	struct sm_nvml *nvml;
	struct sm_nvml_reading reading;
	assert_int_equal(sm_nvml_start(&nvml, SM_TEST_NVML_ROOT, why), 0);
	assert_true(read_soon(nvml, &reading));
	assert_int_equal(reading.count, 2);
	assert_true(reading.gpu[0].busy_share == 0.75 && reading.gpu[0].power_w == 250.5);
	assert_true(isnan(reading.gpu[1].busy_share) && isnan(reading.gpu[1].power_w));
	assert_true(reading.gpu[1].used_bytes == 400 && reading.gpu[1].total_bytes == 1000);
	assert_true(isnan(reading.gpu[0].sm_clock_hz)); /* a question this library does not know */
	sm_nvml_stop(nvml);
}

static void test_no_library(void **state)
{
	struct sm_nvml *nvml;
	assert_int_equal(sm_nvml_start(&nvml, "/nonexistent", why), -ENOENT);
	assert_string_equal(why, "no NVML library");
}

static void test_no_driver(void **state)
{
	struct sm_nvml *nvml;
	setenv("FAKE_NVML_FAILS", "1", 1);
	assert_int_equal(sm_nvml_start(&nvml, SM_TEST_NVML_ROOT, why), -ENOENT);
	assert_string_equal(why, "NVML does not start: Driver Not Loaded");
}

/* Neither its start, nor a question, nor our end waits for a call that never comes back. */
static void test_a_call_that_hangs_holds_nobody(void **state)
{
	static const char *const ways[] = {"FAKE_NVML_HANGS_AT_START", "FAKE_NVML_HANGS"};
	for (int i = 0; i < 2; i++) {
		struct sm_nvml *nvml;
		struct sm_nvml_reading reading;
		setenv(ways[i], "1", 1);
		int64_t begin_ns = sm_clock_mono_ns();
		assert_int_equal(sm_nvml_start(&nvml, SM_TEST_NVML_ROOT, why), 0);
		assert_int_equal(sm_nvml_read(nvml, &reading), -EAGAIN);
		sm_nvml_stop(nvml);
		assert_true(sm_clock_mono_ns() - begin_ns < 1 * SECOND);
		unsetenv(ways[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_answered, forget),
		cmocka_unit_test_setup(test_no_library, forget),
		cmocka_unit_test_setup(test_no_driver, forget),
		cmocka_unit_test_setup(test_a_call_that_hangs_holds_nobody, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
