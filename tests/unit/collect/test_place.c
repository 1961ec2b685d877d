#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/place.h"
#include "fake_root.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[PATH_MAX];

static int make_scratch(void **state)
{
	const char *temporary = getenv("TMPDIR");
	snprintf(scratch, sizeof(scratch), "%s/stallmeter-place-XXXXXX",
		temporary ? temporary : "/tmp");
	return mkdtemp(scratch) ? 0 : -1;
}

static int drop_scratch(void **state)
{
	fake_root_remove(scratch);
	return 0;
}

static const char *in_scratch(const char *name)
{
	static char path[2 * PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	return path;
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static void test_names_that_are_taken(void **state)
{
	struct sm_place first, second;
	const struct sm_place_options options = {
		.wanted = in_scratch("a/b/run/"), .temporary = "/var/tmp"};
	assert_int_equal(sm_place_make(&first, &options, NULL), 0);
	assert_int_equal(sm_place_make(&second, &options, NULL), 0);
	assert_string_equal(second.run + strlen(first.run), "-2");
	assert_true(exists(first.live) && exists(second.live));
	sm_place_leave(&second, true);
	sm_place_leave(&first, false);
	assert_true(exists(in_scratch("a/b/run/live")));
	assert_false(exists(in_scratch("a/b/run-2")));
}

static void test_what_somebody_put_there_stays(void **state)
{
	struct sm_place place;
	const struct sm_place_options options = {
		.wanted = in_scratch("run"), .temporary = "/var/tmp"};
	assert_int_equal(sm_place_make(&place, &options, NULL), 0);
	fake_root_put(scratch, "run/precious", "text");
	sm_place_leave(&place, true);
	assert_true(exists(in_scratch("run/precious")));
}

static void test_who_collects(void **state)
{
	struct sm_place place, again;
	struct sm_error error = {0};
	const struct sm_place_options options = {
		.wanted = in_scratch("run"), .may_exist = true, .temporary = "/var/tmp"};
	assert_false(sm_place_is_collected(in_scratch("run/live")));
	assert_int_equal(sm_place_make(&place, &options, NULL), 0);
	assert_true(sm_place_is_collected(place.live));
	assert_int_equal(sm_place_make(&again, &options, &error), -EWOULDBLOCK);
	assert_non_null(strstr(error.msg, "another collector"));
	assert_true(
		sm_place_is_collected(place.live)); /* and the one who failed took nothing away */
	char live[PATH_MAX];
	snprintf(live, sizeof(live), "%s", place.live);
	sm_place_leave(&place, false);
	assert_false(sm_place_is_collected(live));
}

static void test_mappings_stay_out_of_the_jobs_memory(void **state)
{
	struct sm_place place;
	char wanted[] = "/dev/shm/stallmeter-place-XXXXXX", text[PATH_MAX] = "";
	assert_non_null(sm_place_trouble("/dev/shm"));
	assert_null(sm_place_trouble(scratch));
	assert_non_null(mkdtemp(wanted));
	const struct sm_place_options options = {
		.wanted = wanted, .may_exist = true, .temporary = scratch};
	assert_int_equal(sm_place_make(&place, &options, NULL), 0);
	assert_true(place.live_is_elsewhere);
	assert_memory_equal(place.live, scratch, strlen(scratch));
	char path[PATH_MAX + 16];
	snprintf(path, sizeof(path), "%s/live.path", place.run);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, place.live);
	sm_place_leave(&place, true);
	assert_false(exists(wanted));
	assert_false(exists(text));
}

static void test_where_nothing_can_be_made(void **state)
{
	struct sm_place place;
	struct sm_error error = {0};
	const struct sm_place_options options = {
		.wanted = "/proc/nowhere/run", .temporary = scratch};
	assert_true(sm_place_make(&place, &options, &error) < 0);
	assert_non_null(strstr(error.msg, "/proc/nowhere/run"));
	assert_int_equal(place.lock_fd, -1);
	sm_place_leave(&place, true); /* fine on an empty one */
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, make_scratch, drop_scratch)
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(test_names_that_are_taken),
		IN_SCRATCH(test_what_somebody_put_there_stays),
		IN_SCRATCH(test_who_collects),
		IN_SCRATCH(test_mappings_stay_out_of_the_jobs_memory),
		IN_SCRATCH(test_where_nothing_can_be_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
