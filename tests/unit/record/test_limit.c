/* Where there is no room: byte limit, file size limit, full disk, read-only directory, descriptors all used. What is
 * lost is counted to the last event, and the program never notices. */
#include "recording.h"

#include "ring/ring_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static uint32_t work;

static void record(uint64_t spans)
{
	for (uint64_t i = 0; i < spans; i++) {
		sm_span_begin(work);
		sm_span_end();
	}
}

static void start_limited(uint64_t slots)
{
	struct sm_session_options options = {
		.rank = -1, .limit_bytes = SM_RING_HEADER_BYTES + slots * SM_RING_SEGMENT_BYTES};
	recording_start(&options);
	work = sm_name_register(SM_SPAN, "work");
}

static void the_limit_is_kept_and_the_loss_is_exact(void **state)
{
	struct stat st;
	start_limited(4);
	record(200000);
	assert_int_equal(stat(sm_session_path(), &st), 0);
	assert_true(st.st_size <= SM_RING_HEADER_BYTES + 4 * SM_RING_SEGMENT_BYTES);
	uint64_t lost = sm_session_lost();
	struct oracle *oracle = recording_stop();
	assert_true(lost > 300000);
	assert_int_equal(oracle->events + lost, 400000);
	assert_int_equal(oracle->header->w_lost_events, lost);
	assert_int_equal(sm_session_lost(), lost); /* still known behind the stop */
	oracle_free(oracle);
}

/* With words that are no events: a cause, as any span carries it that follows a long one. */
static void *record_in_thread(void *unused)
{
	sm_span_begin_cause(work);
	sm_span_end();
	record(99999);
	return NULL;
}

static void the_loss_of_all_threads_is_exact(void **state)
{
	pthread_t threads[3];
	start_limited(6);
	for (int i = 0; i < 3; i++) {
		pthread_create(&threads[i], NULL, record_in_thread, NULL);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
	}
	uint64_t lost = sm_session_lost();
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->events + lost, 600000);
	assert_true(oracle->causes_of[work] > 0);
	oracle_free(oracle);
}

static void *record_one_cause(void *unused)
{
	sm_span_begin_cause(work);
	sm_span_end();
	return NULL;
}

static void what_a_new_thread_loses_is_counted_once(void **state)
{
	pthread_t thread;
	start_limited(2);
	record(20000);
	uint64_t lost = sm_session_lost();
	assert_true(lost > 0);
	pthread_create(&thread, NULL, record_one_cause, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(sm_session_lost() - lost, 2);
	oracle_free(recording_stop());
}

static void a_thread_name_without_room_is_counted(void **state)
{
	char text[32];
	start_limited(2);
	sm_thread_name("room for this");
	for (int i = 0; snprintf(text, sizeof(text), "name %d", i), sm_name_register(SM_TEXT, text);
		i++) {
	}
	assert_int_equal(sm_session_lost(), 0);
	sm_thread_name("and not for this");
	assert_int_equal(sm_session_lost(), 1);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->events, 1);
	oracle_free(oracle);
}

/* What the collector does: gives sealed event slots back. Returns how many events it took. */
static uint64_t empty_sealed_slots(uint64_t *lost)
{
	struct oracle *oracle = recording_look();
	uint64_t events = oracle->events;
	*lost += oracle->lost;
	int fd = open(sm_session_path(), O_RDWR);
	for (uint32_t slot = 0; slot < oracle->slots; slot++) {
		off_t at = SM_RING_HEADER_BYTES + (off_t)slot * SM_RING_SEGMENT_BYTES;
		struct sm_ring_segment segment;
		assert_int_equal(pread(fd, &segment, sizeof(segment), at), sizeof(segment));
		if (segment.kind == SM_RING_EVENTS && segment.w_state == SM_RING_SEALED) {
			uint32_t state = SM_RING_FREE;
			pwrite(fd, &state, sizeof(state),
				at + (off_t)offsetof(struct sm_ring_segment, w_state));
		}
	}
	close(fd);
	oracle_free(oracle);
	return events;
}

static void slots_that_come_back_are_used_again(void **state)
{
	start_limited(5);
	uint64_t said = 0, kept = 0, lost_said = 0;
	for (int round = 0; round < 10; round++) {
		record(60000);
		said += 120000;
		assert_int_equal(sm_session_lost() > 0, 1);
		kept += empty_sealed_slots(&lost_said);
		usleep(5000); /* until it looks again */
	}
	uint64_t lost = sm_session_lost();
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->slots, 5);
	kept += oracle->events;
	lost_said += oracle->lost;
	assert_int_equal(kept + lost, said);
	assert_true(lost_said > 0 &&
		    lost_said <= lost); /* in the file, at the place where it happened */
	oracle_free(oracle);
}

static void a_collector_that_keeps_up_needs_no_growth(void **state)
{
	struct stat st;
	uint64_t lost = 0;
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	for (int round = 0; round < 30; round++) {
		record(10000);
		empty_sealed_slots(&lost);
	}
	assert_int_equal(sm_session_lost(), 0);
	assert_int_equal(stat(sm_session_path(), &st), 0);
	assert_true(st.st_size < 700 * 1024);
	oracle_free(recording_stop());
}

/* --- in a child, since these limits stay --- */

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
	signals++;
}

static int loss_is_exact(uint64_t said)
{
	uint64_t lost = sm_session_lost();
	char path[4096];
	snprintf(path, sizeof(path), "%s", sm_session_path());
	sm_session_stop();
	struct oracle *oracle = oracle_read(path);
	if (oracle->problem[0]) {
		fprintf(stderr, "%s\n", oracle->problem);
		return 1;
	}
	bool exact = lost && oracle->events + lost == said;
	oracle_free(oracle);
	return exact && !signals ? 0 : 2;
}

static int under_a_file_size_limit(void)
{
	struct rlimit limit = {300 * 1024, 300 * 1024};
	signal(SIGXFSZ, count_signal);
	setrlimit(RLIMIT_FSIZE, &limit);
	struct sm_session_options options = {.directory = recording_folder(), .rank = -1};
	if (sm_session_start(&options)) {
		return 3;
	}
	work = sm_name_register(SM_SPAN, "work");
	record(200000);
	return loss_is_exact(400000);
}

static int under_no_file_size_at_all(void)
{
	struct rlimit limit = {0, 0};
	signal(SIGXFSZ, count_signal);
	setrlimit(RLIMIT_FSIZE, &limit);
	struct sm_session_options options = {.directory = recording_folder(), .rank = -1};
	return sm_session_start(&options) == -EFBIG && !signals ? 0 : 1;
}

static void file_size_limits_never_signal(void **state)
{
	recording_in_child(under_a_file_size_limit);
	int before = recording_file_count();
	recording_in_child(under_no_file_size_at_all);
	assert_int_equal(recording_file_count(), before); /* nothing half-made is left */
}

static int without_descriptors(void)
{
	struct sm_session_options options = {.directory = recording_folder(), .rank = -1};
	struct rlimit limit = {64, 64};
	if (sm_session_start(&options)) {
		return 1;
	}
	work = sm_name_register(SM_SPAN, "work");
	setrlimit(RLIMIT_NOFILE, &limit);
	while (open("/dev/null", O_RDONLY) >= 0) {
	}
	sm_span_begin_cause(work);
	sm_span_end();
	record(50000);
	uint64_t lost = sm_session_lost(); /* the file could not be opened to grow */
	close(3);
	usleep(5000);
	record(50000);
	return lost && sm_session_lost() == lost ? 0 : 2; /* and now it could */
}

static void no_descriptors_left(void **state)
{
	recording_in_child(without_descriptors);
}

static int with_little_address_space(void)
{
	struct rlimit limit = {0};
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;
	if (!file || fscanf(file, "%lu", &pages) != 1) {
		return 1;
	}
	fclose(file);
	limit.rlim_cur = limit.rlim_max = pages * 4096 + 40 * 1024 * 1024;
	setrlimit(RLIMIT_AS, &limit);
	struct sm_session_options options = {.directory = recording_folder(), .rank = -1};
	if (sm_session_start(&options)) {
		return 2;
	}
	work = sm_name_register(SM_SPAN, "work");
	record(1000);
	sm_session_stop();
	return 0;
}

static void little_address_space_makes_a_smaller_file(void **state)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* these map terabytes */
#endif
	recording_in_child(with_little_address_space);
}

static char small_disk[300];

static int on_a_full_disk(void)
{
	struct sm_session_options options = {.directory = small_disk, .rank = -1};
	signal(SIGBUS, SIG_DFL);
	if (sm_session_start(&options)) {
		return 3;
	}
	work = sm_name_register(SM_SPAN, "work");
	record(400000);
	return loss_is_exact(800000);
}

static int starting_on_a_full_disk(void)
{
	char path[320];
	struct sm_session_options options = {.directory = small_disk, .rank = -1};
	snprintf(path, sizeof(path), "%s/ballast", small_disk);
	int fd = open(path, O_CREAT | O_RDWR, 0600);
	char block[4096] = {1};
	while (write(fd, block, sizeof(block)) > 0) {
	}
	close(fd);
	return sm_session_start(&options) == -ENOSPC ? 0 : 1;
}

static void full_disks_never_signal(void **state)
{
	snprintf(small_disk, sizeof(small_disk), "%s/disk", recording_folder());
	assert_int_equal(mkdir(small_disk, 0700), 0);
	if (mount("tmpfs", small_disk, "tmpfs", 0, "size=1m")) {
		rmdir(small_disk);
		skip(); /* only root may mount */
	}
	recording_in_child(on_a_full_disk);
	recording_in_child(starting_on_a_full_disk);
	umount2(small_disk, MNT_DETACH);
	rmdir(small_disk);
}

static int in_a_read_only_directory(void)
{
	struct sm_session_options options = {.directory = "/proc", .rank = -1};
	int refused = sm_session_start(&options);
	return refused < 0 && !sm_session_is_open() ? 0 : 1;
}

/* The parent may write there, its children may not: they record nothing, and live. */
static int child_of_a_lost_directory(void)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/gone", recording_folder());
	mkdir(path, 0700);
	struct sm_session_options options = {.directory = path, .rank = -1};
	if (sm_session_start(&options)) {
		return 1;
	}
	work = sm_name_register(SM_SPAN, "work");
	unlink(sm_session_path());
	rmdir(path);
	record(1000);
	pid_t pid = fork();
	if (!pid) {
		record(1000);
		_exit(sm_session_lost() == 2000 ? 0 : 1);
	}
	int status;
	waitpid(pid, &status, 0);
	record(100000); /* the file cannot be opened to grow */
	return WEXITSTATUS(status) || !sm_session_lost();
}

static void directories_that_cannot_be_written(void **state)
{
	recording_in_child(in_a_read_only_directory);
	recording_in_child(child_of_a_lost_directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_is_kept_and_the_loss_is_exact),
		cmocka_unit_test(the_loss_of_all_threads_is_exact),
		cmocka_unit_test(what_a_new_thread_loses_is_counted_once),
		cmocka_unit_test(a_thread_name_without_room_is_counted),
		cmocka_unit_test(slots_that_come_back_are_used_again),
		cmocka_unit_test(a_collector_that_keeps_up_needs_no_growth),
		cmocka_unit_test(file_size_limits_never_signal),
		cmocka_unit_test(no_descriptors_left),
		cmocka_unit_test(little_address_space_makes_a_smaller_file),
		cmocka_unit_test(full_disks_never_signal),
		cmocka_unit_test(directories_that_cannot_be_written),
	};
	return cmocka_run_group_tests(tests, recording_set_up, recording_tear_down);
}
