/* Lines through a socket that takes all, nothing, a part, or is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/told.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];
static struct sm_told told;

static int begin(void **state)
{
	int failed = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	told = (struct sm_told){.fd = ends[1]};
	return failed;
}

static int end(void **state)
{
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* What lies in the socket, read in bites of `most` bytes. */
static size_t take(char *text, size_t room, size_t most)
{
	size_t length = 0;
	ssize_t got;
	while (length < room &&
		(got = recv(ends[0], text + length, most < room - length ? most : room - length,
			 MSG_DONTWAIT)) > 0) {
		length += (size_t)got;
	}
	return length;
}

static void test_lines_arrive(void **state)
{
	char text[64];
	sm_told_say(&told, "one\n");
	sm_told_say(&told, "two\n");
	assert_int_equal(take(text, sizeof(text), sizeof(text)), 8);
	assert_memory_equal(text, "one\ntwo\n", 8);
	assert_int_equal(told.dropped, 0);
}

/* The kernel takes a short line whole or not at all, so the rest of one is made by hand. */
static void test_half_a_line_is_finished_first(void **state)
{
	char text[64];
	told.rest_bytes = 3;
	memcpy(told.rest, "ne\n", 3);
	sm_told_say(&told, "two\n");
	assert_int_equal(take(text, sizeof(text), sizeof(text)), 7);
	assert_memory_equal(text, "ne\ntwo\n", 7);
	assert_int_equal(told.rest_bytes, 0);
}

static void test_nobody_listens(void **state)
{
	told.fd = 0;
	sm_told_say(&told, "one\n");
	assert_int_equal(told.dropped, 0);
}

static void test_the_other_end_is_closed(void **state)
{
	close(ends[0]);
	ends[0] = open("/dev/null", O_RDONLY);
	sm_told_say(&told, "one\n"); /* and no SIGPIPE */
	assert_int_equal(told.fd, 0);
}

static bool is_whole(const char *line)
{
	int number;
	char last;
	return sscanf(line, "line %d of many%c", &number, &last) == 2 && last == '.';
}

/* It never waits (the test would hang), every line is whole, and what is missing is counted. */
static void test_a_full_socket_drops_and_counts(void **state)
{
	enum { LINES = 200000, ROOM = 64 << 20 };
	char *text = malloc(ROOM);
	size_t length = 0;
	for (int i = 0; i < LINES; i++) {
		char line[SM_TOLD_LINE];
		snprintf(line, sizeof(line), "line %d of many.%*s\n", i, i % 200, "");
		sm_told_say(&told, line);
		if (i % 5000 ==
			4999) { /* the reader comes back, and takes an odd number of bytes */
			length += (size_t)recv(ends[0], text + length, 12345, MSG_DONTWAIT);
		}
	}
	length += take(text + length, ROOM - length, 4096);
	text[length] = '\0';
	uint64_t whole = 0;
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		whole += is_whole(line);
		assert_true(is_whole(line) || !*rest); /* the last may still be on its way */
	}
	assert_true(told.dropped > 0);
	assert_int_equal(whole + told.dropped + (told.rest_bytes > 0), LINES);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines_arrive, begin, end),
		cmocka_unit_test_setup_teardown(test_half_a_line_is_finished_first, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_listens, begin, end),
		cmocka_unit_test_setup_teardown(test_the_other_end_is_closed, begin, end),
		cmocka_unit_test_setup_teardown(test_a_full_socket_drops_and_counts, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
