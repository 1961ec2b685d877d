/* Every probe against canned machines: what it reads from each, and that it says so when there is nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_root.h"
#include "probe/probe.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAMPLES_MAX = 256, PID = 4242 };

struct taken {
	char root[PATH_MAX], why[160];
	int opened, sampled, count;
	struct {
		enum sm_metric metric;
		int64_t instance;
		double value;
	} sample[SAMPLES_MAX];
};

static struct taken taken;

static void take(void *context, enum sm_metric metric, int64_t instance, double value)
{
	assert_true(taken.count < SAMPLES_MAX);
	taken.sample[taken.count].metric = metric;
	taken.sample[taken.count].instance = instance;
	taken.sample[taken.count++].value = value;
}

/* Opens, samples and closes one probe on the machine that is unpacked. */
static void run_probe(const char *name, int32_t pid)
{
	const struct sm_probe *probe = sm_probe_find(name);
	const struct sm_probe_sink sink = {.sample = take};
	assert_non_null(probe);
	void *state = calloc(1, probe->state_bytes);
	taken.count = 0;
	taken.sampled = 0;
	memset(taken.why, 0, sizeof(taken.why));
	taken.opened = probe->open(state, taken.root, pid, taken.why);
	if (!taken.opened) {
		taken.sampled = probe->sample(state, &sink);
		probe->close(state);
	} else {
		assert_true(strlen(taken.why) > 0);
	}
	free(state);
}

static double value_of(enum sm_metric metric, int64_t instance)
{
	double value = NAN;
	for (int i = 0; i < taken.count; i++) {
		if (taken.sample[i].metric == metric && taken.sample[i].instance == instance) {
			assert_true(isnan(value)); /* never twice in one round */
			value = taken.sample[i].value;
		}
	}
	return value;
}

static void expect(enum sm_metric metric, int64_t instance, double wanted)
{
	double value = value_of(metric, instance);
	if (!(fabs(value - wanted) <= 1e-9 * fabs(wanted))) {
		fail_msg("%s[%lld] is %.15g, not %.15g", sm_metric_find(metric)->name,
			(long long)instance, value, wanted);
	}
}

static void expect_none(enum sm_metric metric, int64_t instance)
{
	assert_true(isnan(value_of(metric, instance)));
}

static int use(void **state, const char *name)
{
	fake_root_make(taken.root, name);
	return 0;
}

static int use_v2(void **state)
{
	return use(state, "v2");
}
static int use_v1(void **state)
{
	return use(state, "v1");
}
static int use_hidepid(void **state)
{
	return use(state, "hidepid");
}
static int use_gvisor(void **state)
{
	return use(state, "gvisor");
}
static int use_hostile(void **state)
{
	return use(state, "hostile");
}
static int drop(void **state)
{
	fake_root_remove(taken.root);
	return 0;
}

/* --- a whole machine --- */

static void test_cpu(void **state)
{
	run_probe("cpu", 0);
	double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
	expect(SM_METRIC_CPU_USER, 0, 110 * tick_s);
	expect(SM_METRIC_CPU_SYSTEM, 0, 47 * tick_s);
	expect(SM_METRIC_CPU_IDLE, 1, 2030 * tick_s);
	expect(SM_METRIC_CPU_IOWAIT, 1, 30 * tick_s);
	expect(SM_METRIC_CPU_STEAL, 0, 5 * tick_s);
	expect(SM_METRIC_CONTEXT_SWITCHES, 0, 987654321);
	expect(SM_METRIC_LOAD_RUNNABLE, 0, 3);
	assert_int_equal(taken.count, 12);
}

static void test_memory_and_vmstat(void **state)
{
	double page = (double)sysconf(_SC_PAGESIZE);
	run_probe("memory", 0);
	expect(SM_METRIC_MEM_TOTAL, 0, 24684096 * 1024.0);
	expect(SM_METRIC_MEM_AVAILABLE, 0, 23000000 * 1024.0);
	expect(SM_METRIC_SWAP_FREE, 0, 900000 * 1024.0);
	run_probe("vmstat", 0);
	expect(SM_METRIC_REFAULTS_FILE, 0, 1000 * page);
	expect(SM_METRIC_SWAP_IN, 0, 3 * page);
	expect(SM_METRIC_SWAP_OUT, 0, 4 * page);
	expect(SM_METRIC_MAJOR_FAULTS, 0, 55);
	expect(SM_METRIC_SCAN_DIRECT, 0, 66);
}

static void test_pressure(void **state)
{
	run_probe("pressure", 0);
	expect(SM_METRIC_PRESSURE_CPU_SOME, 0, 21.687823);
	expect(SM_METRIC_PRESSURE_IO_SOME, 0, 5);
	expect(SM_METRIC_PRESSURE_IO_FULL, 0, 4);
	expect(SM_METRIC_PRESSURE_MEM_SOME, 0, 3);
	expect(SM_METRIC_PRESSURE_MEM_FULL, 0, 2);
}

static void test_pressure_has_one_reader(void **state)
{
	const struct sm_probe *probe = sm_probe_find("pressure");
	void *first = calloc(1, probe->state_bytes);
	assert_int_equal(probe->open(first, taken.root, 0, taken.why), 0);
	run_probe("pressure", 0);
	assert_int_equal(taken.opened, -EACCES);
	assert_non_null(strstr(taken.why, "another"));
	probe->close(first);
	run_probe("pressure", 0);
	assert_int_equal(taken.opened, 0);
	free(first);
}

static void test_disk_leaves_out_what_is_none(void **state)
{
	run_probe("disk", 0);
	int64_t vda = (int64_t)254 << 20, nvme = (int64_t)259 << 20 | 3;
	expect(SM_METRIC_DISK_READS, vda, 10);
	expect(SM_METRIC_DISK_READ, vda, 800 * 512);
	expect(SM_METRIC_DISK_READ_TIME, vda, 0.04);
	expect(SM_METRIC_DISK_WRITE, vda, 160 * 512);
	expect(SM_METRIC_DISK_BUSY, vda, 0.033);
	expect(SM_METRIC_DISK_READS, nvme, 10);
	assert_int_equal(taken.count, 10); /* no loop, no zram, no empty drive */
}

static void test_net_knows_interfaces_by_index(void **state)
{
	run_probe("net", 0);
	expect(SM_METRIC_NET_RECEIVE, 1, 3193);
	expect(SM_METRIC_NET_SEND, 1, 3194);
	expect(SM_METRIC_NET_RECEIVE, 4, 286200768); /* no blank behind the colon */
	expect(SM_METRIC_NET_SEND, 4, 372928);
	assert_int_equal(taken.count, 4); /* the one without an index is left out */
}

static void test_shm(void **state)
{
	run_probe("shm", 0);
	assert_int_equal(taken.opened, 0);
	assert_true(value_of(SM_METRIC_SHM_FREE, 0) <= value_of(SM_METRIC_SHM_TOTAL, 0));
}

static void test_process(void **state)
{
	double page = (double)sysconf(_SC_PAGESIZE), tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
	run_probe("process", PID);
	expect(SM_METRIC_PROC_CPU, PID, 200 * tick_s);
	expect(SM_METRIC_PROC_MINOR_FAULTS, PID, 700);
	expect(SM_METRIC_PROC_MAJOR_FAULTS, PID, 90);
	expect(SM_METRIC_PROC_NICE, PID, 5);
	expect(SM_METRIC_PROC_THREADS, PID, 9);
	expect(SM_METRIC_PROC_POLICY, PID, 3);
	expect(SM_METRIC_PROC_RSS, PID, 2500 * page);
	expect(SM_METRIC_PROC_SHARED, PID, 1200 * page);
	run_probe("process_delay", PID);
	expect(SM_METRIC_PROC_RUN_DELAY, PID, 1.5);
	run_probe("process_io", PID);
	expect(SM_METRIC_PROC_READ_CHARS, PID, 11);
	expect(SM_METRIC_PROC_READ_CALLS, PID, 33);
	expect(SM_METRIC_PROC_WRITE_CALLS, PID, 44);
	expect(SM_METRIC_PROC_READ, PID, 55);
	expect(SM_METRIC_PROC_WRITE, PID, 66);
	run_probe("process_status", PID);
	expect(SM_METRIC_PROC_SWAP, PID, 640 * 1024);
	expect(SM_METRIC_PROC_VOLUNTARY, PID, 1234);
	expect(SM_METRIC_PROC_INVOLUNTARY, PID, 56);
	run_probe("process_files", PID);
	expect(SM_METRIC_PROC_OPEN_FILES, PID, 4);
	expect(SM_METRIC_PROC_OPEN_FILES_LIMIT, PID, 1024);
}

/* One look at a process that waits as `wchan` and `syscall` say. */
static void expect_look(const char *wchan, const char *syscall, int metric)
{
	fake_root_put(taken.root, "proc/4242/wchan", wchan);
	fake_root_put(taken.root, "proc/4242/syscall", syscall);
	run_probe("process_looks", PID);
	expect(SM_METRIC_PROC_LOOKS, PID, 1);
	assert_int_equal(taken.count, metric ? 2 : 1);
	if (metric) {
		expect((enum sm_metric)metric, PID, 1);
	}
}

static void test_looks(void **state)
{
	expect_look("futex_do_wait", "", SM_METRIC_PROC_LOOKS_LOCK);
	expect_look("hrtimer_nanosleep", "", SM_METRIC_PROC_LOOKS_SLEEP);
	expect_look("folio_wait_bit_common", "", SM_METRIC_PROC_LOOKS_FILE);
	expect_look("anon_pipe_read", "", SM_METRIC_PROC_LOOKS_IDLE);
	expect_look("sk_wait_data", "", SM_METRIC_PROC_LOOKS_SOCKET);
	expect_look("0", "running\n", 0);
	expect_look("some_function_of_tomorrow", "", 0);
#ifdef __x86_64__
	expect_look("poll_schedule_timeout", "7 0x7ffd 0x1 0x1388 0x0 0x0 0x0 0x7ffe 0x7f\n",
		SM_METRIC_PROC_LOOKS_IDLE);
	expect_look("poll_schedule_timeout", "7 0x7ffd 0x1 0x64 0x0 0x0 0x0 0x7ffe 0x7f\n",
		SM_METRIC_PROC_LOOKS_SOCKET);
	expect_look("do_select", "23 0x0 0x0 0x0 0x0 0x7ffd 0x0 0x7ffe 0x7f\n",
		SM_METRIC_PROC_LOOKS_SLEEP);
	expect_look("do_select", "23 0x8 0x7ffd 0x0 0x0 0x7ffd 0x0 0x7ffe 0x7f\n",
		SM_METRIC_PROC_LOOKS_SOCKET);
	expect_look("do_select", "", 0);
	expect_look("poll_schedule_timeout", "", 0); /* may not be read: then it cannot be told */
#endif
}

/* --- control groups --- */

static void test_cgroup_v2_takes_the_tightest_ancestor(void **state)
{
	run_probe("cgroup_cpu", 0);
	expect(SM_METRIC_GROUP_CPU_LIMIT, 0, 1.5);
	expect(SM_METRIC_GROUP_PERIODS, 0, 40);
	expect(SM_METRIC_GROUP_THROTTLED, 0, 39);
	expect(SM_METRIC_GROUP_THROTTLED_TIME, 0, 5.97);
	expect(SM_METRIC_GROUP_CPU, 0, 2.5); /* of the own group */
	run_probe("cgroup_memory", 0);
	expect(SM_METRIC_GROUP_MEM_LIMIT, 0, 8589934592.0);
	expect(SM_METRIC_GROUP_MEM_EVENTS, 0, 17); /* counted where the limit is */
	expect(SM_METRIC_GROUP_MEM, 0, 123456789);
	expect(SM_METRIC_GROUP_REFAULTS_FILE, 0, 250.0 * (double)sysconf(_SC_PAGESIZE));
	expect(SM_METRIC_GROUP_CACHE, 0, 7000);
}

static void test_cgroup_v1_without_a_namespace(void **state)
{
	run_probe("cgroup_cpu", 0);
	expect(SM_METRIC_GROUP_CPU_LIMIT, 0, 0.5);
	expect(SM_METRIC_GROUP_THROTTLED, 0, 40);
	expect(SM_METRIC_GROUP_THROTTLED_TIME, 0, 5.97);
	expect(SM_METRIC_GROUP_CPU, 0, 7.5);
	run_probe("cgroup_memory", 0);
	expect_none(SM_METRIC_GROUP_MEM_LIMIT, 0); /* v1's way to say none */
	expect(SM_METRIC_GROUP_MEM, 0, 987654);
	expect(SM_METRIC_GROUP_MEM_EVENTS, 0, 12);
	expect(SM_METRIC_GROUP_REFAULTS_FILE, 0, 300.0 * (double)sysconf(_SC_PAGESIZE));
	expect(SM_METRIC_GROUP_CACHE, 0, 570); /* with the groups below, as its usage */
}

/* --- less and less --- */

static void test_nothing_there_is_said(void **state)
{
	run_probe("cgroup_cpu", 0);
	assert_int_equal(taken.opened, -ENOENT);
	run_probe("cgroup_memory", 0);
	assert_int_equal(taken.opened, -ENOENT);
	run_probe("pressure", 0);
	assert_int_equal(taken.opened, -ENOENT);
	assert_non_null(strstr(taken.why, "/proc/pressure/cpu"));
	assert_null(strstr(taken.why, taken.root)); /* people know no root folder */
	run_probe("process", PID);		    /* hidden: as good as gone */
	assert_int_equal(taken.opened, -ENOENT);
}

static void test_gvisor(void **state)
{
	static const char *const absent[] = {
		"vmstat", "pressure", "disk", "shm", "cgroup_cpu", "cgroup_memory", "gpu"};
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		run_probe(absent[i], 0);
		assert_int_equal(taken.opened, -ENOENT);
	}
	run_probe("cpu", 0);
	expect(SM_METRIC_CPU_USER, 0, 0);
	run_probe("process", 7);
	expect(SM_METRIC_PROC_THREADS, 7, 2);
	run_probe("process_delay", 7);
	assert_int_equal(taken.opened, -ENOENT);
	run_probe("process_io", 7);
	assert_int_equal(taken.opened, -ENOENT);
}

/* Root may read everything, so as root the test looks with nobody's eyes. */
static void test_a_closed_file_is_refused(void **state)
{
	enum { NOBODY = 65534 };
	char path[PATH_MAX + 64];
	bool is_root = geteuid() == 0;
	snprintf(path, sizeof(path), "%s/proc/4242/io", taken.root);
	assert_int_equal(chmod(taken.root, 0755), 0);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(is_root ? seteuid(NOBODY) : 0, 0);
	run_probe("process_io", PID);
	int opened = taken.opened;
	assert_int_equal(is_root ? seteuid(0) : 0, 0);
	assert_int_equal(opened, -EACCES);
	assert_non_null(strstr(taken.why, "may not read /proc/4242/io"));
}

/* --- hostile --- */

static void test_hostile_names_do_not_deceive(void **state)
{
	run_probe("process", 1);
	expect(SM_METRIC_PROC_THREADS, 1, 9);
	expect(SM_METRIC_PROC_NICE, 1, 5);
	expect_none(SM_METRIC_PROC_POLICY, 1); /* its line ends before */
}

static void test_hostile_lines_give_no_number(void **state)
{
	for (int pid = 2; pid <= 5; pid++) {
		run_probe("process", pid);
		assert_int_not_equal(taken.sampled, 0);
		assert_int_equal(taken.count, 0);
	}
	run_probe("process_io", 2);
	assert_int_equal(taken.count, 0);
	run_probe("process_io", 3);
	expect(SM_METRIC_PROC_READ_CHARS, 3, 5);
	assert_int_equal(taken.count, 1);
	run_probe("process_delay", 2);
	assert_int_equal(taken.count, 0);
	run_probe("process_delay", 3);
	assert_int_equal(taken.count, 0);
	run_probe("cpu", 0);
	expect_none(SM_METRIC_CPU_USER, 0);
	expect_none(SM_METRIC_CPU_USER, 1);
	expect_none(SM_METRIC_CPU_USER, 3);
	expect_none(SM_METRIC_CPU_USER, 4); /* its line is torn */
	expect(SM_METRIC_CPU_IDLE, 2, 4.0 / (double)sysconf(_SC_CLK_TCK));
	run_probe("net", 0);
	assert_int_equal(taken.count, 0);
	run_probe("pressure", 0);
	expect(SM_METRIC_PRESSURE_CPU_SOME, 0, 7);
	assert_int_equal(taken.count, 1);
	run_probe("disk", 0);
	assert_int_equal(taken.count, 0);
}

static void test_hostile_group_stays_under_its_mount(void **state)
{
	run_probe("cgroup_cpu", 0);
	expect_none(SM_METRIC_GROUP_CPU_LIMIT, 0); /* a period of 0 */
	expect_none(SM_METRIC_GROUP_CPU, 0);
	expect(SM_METRIC_GROUP_PERIODS, 0, 3);
}

/* --- this machine --- */

static void test_this_machine_and_this_process(void **state)
{
	taken.root[0] = '\0';
	run_probe("cpu", 0);
	assert_int_equal(taken.opened, 0);
	assert_true(taken.count >= 4);
	run_probe("process", getpid());
	assert_true(value_of(SM_METRIC_PROC_CPU, getpid()) >= 0);
	assert_true(value_of(SM_METRIC_PROC_RSS, getpid()) > 100000);
	run_probe("process_files", getpid());
	assert_true(value_of(SM_METRIC_PROC_OPEN_FILES, getpid()) >= 3);
}

static void test_a_process_that_ends_is_gone(void **state)
{
	const struct sm_probe_sink sink = {.sample = take};
	static const char *const names[] = {
		"process", "process_io", "process_status", "process_files"};
	void *states[4];
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (!pid) {
		char byte;
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	close(ends[0]);
	for (int i = 0; i < 4; i++) {
		const struct sm_probe *probe = sm_probe_find(names[i]);
		states[i] = calloc(1, probe->state_bytes);
		assert_int_equal(probe->open(states[i], "", pid, taken.why), 0);
		assert_int_equal(probe->sample(states[i], &sink), 0);
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 4; i++) {
		const struct sm_probe *probe = sm_probe_find(names[i]);
		taken.count = 0;
		assert_int_equal(probe->sample(states[i], &sink), -ESRCH);
		assert_int_equal(taken.count, 0);
		probe->close(states[i]);
		free(states[i]);
	}
}

static void test_every_probe_has_its_words(void **state)
{
	for (int i = 0; i < sm_probe_table_count; i++) {
		const struct sm_probe *probe = sm_probe_table[i];
		assert_true(strlen(probe->name) > 2 && strlen(probe->summary) > 10);
		assert_true(probe->state_bytes > 0 && probe->tier < SM_TIER_COUNT);
		assert_ptr_equal(sm_probe_find(probe->name), probe);
	}
	assert_null(sm_probe_find("nonsense"));
}

int main(void)
{
#define ON(root, test) cmocka_unit_test_setup_teardown(test, use_##root, drop)
	const struct CMUnitTest tests[] = {
		ON(v2, test_cpu),
		ON(v2, test_memory_and_vmstat),
		ON(v2, test_pressure),
		ON(v2, test_pressure_has_one_reader),
		ON(v2, test_disk_leaves_out_what_is_none),
		ON(v2, test_net_knows_interfaces_by_index),
		ON(v2, test_shm),
		ON(v2, test_process),
		ON(v2, test_looks),
		ON(v2, test_cgroup_v2_takes_the_tightest_ancestor),
		ON(v1, test_cgroup_v1_without_a_namespace),
		ON(v2, test_a_closed_file_is_refused),
		ON(hidepid, test_nothing_there_is_said),
		ON(gvisor, test_gvisor),
		ON(hostile, test_hostile_names_do_not_deceive),
		ON(hostile, test_hostile_lines_give_no_number),
		ON(hostile, test_hostile_group_stays_under_its_mount),
		cmocka_unit_test(test_this_machine_and_this_process),
		cmocka_unit_test(test_a_process_that_ends_is_gone),
		cmocka_unit_test(test_every_probe_has_its_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
