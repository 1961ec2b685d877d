/* What a golden case cannot show: a full disk, failed memory, a trace that is none. */
#include "base/mem.h"
#include "export/export.h"
#include "make/sm_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/sm-export-XXXXXX";
static const struct sm_exporter *chrome;

static int make_run(void **state)
{
	char path[64];
	if (!mkdtemp(folder)) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/run", folder);
	struct sm_make_run *run = sm_make_run_create(path);
	struct sm_make_process *process = sm_make_process_add(run, NULL);
	for (uint32_t i = 0; i < 100; i++) { /* threads and names enough to grow every table */
		char name[16];
		struct sm_make_thread *thread = sm_make_thread_add(process, 1000 + i);
		snprintf(name, sizeof(name), "n%u", i);
		for (int depth = 0; depth < 40; depth++) {
			sm_make_begin(thread, 1000 + depth, SM_ROLE_OPERATION, name);
			sm_make_arg(thread, SM_KEY_INDEX, depth);
		}
		for (int depth = 0; depth < 40; depth++) {
			sm_make_end(thread, 2000 + depth);
		}
		sm_make_sample(run, 1000 + i, SM_METRIC_CPU_USER, i, i);
	}
	sm_make_run_finish(run);
	chrome = sm_export_find("chrome");
	return chrome ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[64];
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static const char *run_path(void)
{
	static char path[64];
	snprintf(path, sizeof(path), "%s/run", folder);
	return path;
}

static int export(char **ret_text, struct sm_error *reterr)
{
	size_t length;
	FILE *out = open_memstream(ret_text, &length);
	assert_non_null(out);
	int code = chrome->write(run_path(), out, reterr);
	fclose(out);
	return code;
}

static size_t count(const char *text, const char *what)
{
	size_t found = 0;
	for (const char *at = text; (at = strstr(at, what)); at++) {
		found++;
	}
	return found;
}

static void test_every_span_is_there(void **state)
{
	char *text;
	assert_int_equal(export(&text, NULL), 0);
	assert_int_equal(count(text, "\"ph\":\"X\""), 4000);
	assert_int_equal(count(text, "\"ph\":\"B\""), 0);
	assert_int_equal(count(text, "\"index\":39}"), 100);
	free(text);
}

static void test_memory_fails(void **state)
{
	int code = -1;
	for (int n = 1; code; n++) {
		char *text;
		struct sm_error error = {0};
		sm_mem_fail_at(n);
		code = export(&text, &error);
		bool reached = sm_mem_count() && code;
		sm_mem_fail_at(0);
		assert_true(code == 0 || code == -ENOMEM);
		assert_true(!reached || error.code == -ENOMEM);
		free(text);
		assert_in_range(n, 1, 2000);
	}
}

static void test_a_full_disk(void **state)
{
	struct sm_error error = {0};
	FILE *out = fopen("/dev/full", "w");
	assert_non_null(out);
	assert_int_equal(chrome->write(run_path(), out, &error), -EIO);
	assert_int_equal(error.code, -EIO);
	fclose(out);
}

static void test_no_trace(void **state)
{
	struct sm_error error = {0};
	FILE *out = fopen("/dev/null", "w");
	assert_int_equal(chrome->write("/no/such/run", out, &error), -ENOENT);
	assert_int_equal(error.code, -ENOENT);
	fclose(out);
}

static void test_the_table(void **state)
{
	assert_null(sm_export_find("cinema"));
	for (int i = 0; i < sm_export_table_count; i++) {
		const struct sm_exporter *exporter = sm_export_table[i];
		assert_ptr_equal(sm_export_find(exporter->name), exporter);
		assert_true(exporter->suffix[0] == '.' && exporter->summary[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_span_is_there),
		cmocka_unit_test(test_memory_fails),
		cmocka_unit_test(test_a_full_disk),
		cmocka_unit_test(test_no_trace),
		cmocka_unit_test(test_the_table),
	};
	return cmocka_run_group_tests(tests, make_run, remove_folder);
}
