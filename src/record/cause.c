/* Two system calls an edge, each of them only about the calling thread: its CPU clock and its resource usage. A third, its
 * schedstat (the kernel's count of time spent runnable and not running), when the thread has been switched out since it
 * last looked: while it runs that count stands still, and reading the file costs as much as all the rest. A fourth, the
 * CPU clock of the process, where there is more than one thread: work handed to helpers looks like waiting to the thread
 * that waits for them. */
#include "record/cause.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define KNOWS_SINGLE_THREADED 1
#endif
#endif

enum {
	FD_FROM = 200,	  /* out of the way of the low numbers that programs count on */
	FAILURES_MAX = 8, /* then the source is given up for this thread */
	OPEN_FDS_MAX = 64,
};

static bool is_alone(void)
{
#ifdef KNOWS_SINGLE_THREADED
	return __libc_single_threaded;
#else
	return false;
#endif
}

static bool read_cpu(clockid_t id, uint64_t *ret_ns)
{
	struct timespec time;
	if (clock_gettime(id, &time)) {
		return false;
	}
	*ret_ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
	return true;
}

/* --- run delay --- */

/* Descriptors that are open in this process, plus one; a forked child inherits the list with them. */
static int open_fds[OPEN_FDS_MAX];

static void swap_open_fd(int from_plus_one, int to_plus_one)
{
	for (int i = 0; i < OPEN_FDS_MAX; i++) {
		int expected = from_plus_one;
		if (__atomic_compare_exchange_n(&open_fds[i], &expected, to_plus_one, false,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			return;
		}
	}
}

static int open_schedstat(void)
{
	int low = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	if (low < 0) {
		return -1;
	}
	int high = fcntl(low, F_DUPFD_CLOEXEC, FD_FROM);
	if (high >= 0) {
		close(low);
	}
	int fd = high >= 0 ? high : low;
	swap_open_fd(0, fd + 1);
	return fd;
}

/* A number may be another file's by now, so only what still is a schedstat, and not of a thread of ours, is closed. */
static bool is_schedstat_of_another(int fd)
{
	char link[64], file[64];
	int pid = 0, tid = 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, file, sizeof(file) - 1);
	file[length > 0 ? length : 0] = '\0';
	return sscanf(file, "/proc/%d/task/%d/schedstat", &pid, &tid) == 2 && pid != getpid();
}

void sm_cause_close_inherited(void)
{
	for (int i = 0; i < OPEN_FDS_MAX; i++) {
		int fd = __atomic_exchange_n(&open_fds[i], 0, __ATOMIC_RELAXED) - 1;
		if (fd >= 0 && is_schedstat_of_another(fd)) {
			close(fd);
		}
	}
}

/* "cpu delay slices\n", three numbers and nothing else: the program may have closed our descriptor, and its number be
 * another file's now. */
static bool parse_schedstat(char *text, uint64_t *ret_delay_ns)
{
	uint64_t numbers[3];
	for (int i = 0; i < 3; i++) {
		char *end;
		if (*text < '0' || *text > '9') {
			return false;
		}
		numbers[i] = strtoull(text, &end, 10);
		if (*end != (i < 2 ? ' ' : '\n')) {
			return false;
		}
		text = end + 1;
	}
	*ret_delay_ns = numbers[1];
	return *text == '\0';
}

static bool read_schedstat(int fd, uint64_t *ret_delay_ns)
{
	char text[80];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	if (length <= 0) {
		return false;
	}
	text[length] = '\0';
	return parse_schedstat(text, ret_delay_ns);
}

static bool look_at_run_delay(struct sm_cause_source *source)
{
	if (source->failures >= FAILURES_MAX) {
		return false;
	}
	if (!source->fd_plus_one) {
		source->fd_plus_one = open_schedstat() + 1;
	}
	if (source->fd_plus_one && read_schedstat(source->fd_plus_one - 1, &source->run_delay_ns)) {
		return true;
	}
	swap_open_fd(source->fd_plus_one, 0);
	source->fd_plus_one = 0; /* not closed: it may be another's by now */
	source->failures++;
	return false;
}

/* `switches` were counted before: one that comes in between is met by another look at the next edge. */
static bool read_run_delay(struct sm_cause_source *source, uint64_t switches, uint64_t *ret_ns)
{
	if (source->seen_plus_one != switches + 1) {
		source->seen_plus_one = look_at_run_delay(source) ? switches + 1 : 0;
	}
	*ret_ns = source->run_delay_ns;
	return source->seen_plus_one != 0;
}

void sm_cause_close(struct sm_cause_source *source)
{
	uint64_t unused;
	if (source->fd_plus_one && read_schedstat(source->fd_plus_one - 1, &unused)) {
		close(source->fd_plus_one - 1);
	}
	if (source->fd_plus_one) {
		swap_open_fd(source->fd_plus_one, 0);
	}
	*source = (struct sm_cause_source){0};
}

/* --- an edge --- */

static void read_cpu_clocks(struct sm_cause_reading *reading)
{
	reading->alone = is_alone();
	if (!reading->alone && !read_cpu(CLOCK_PROCESS_CPUTIME_ID, &reading->process_cpu_ns)) {
		reading->missing |= SM_CAUSE_NO_PROCESS_CPU;
	}
	if (!read_cpu(CLOCK_THREAD_CPUTIME_ID, &reading->cpu_ns)) {
		reading->missing |= SM_CAUSE_NO_THREAD_CPU;
	}
}

static void read_the_rest(struct sm_cause_source *source, struct sm_cause_reading *reading)
{
	struct rusage usage = {0};
	getrusage(RUSAGE_THREAD, &usage);
	uint64_t switches = (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
	if (!read_run_delay(source, switches, &reading->run_delay_ns)) {
		reading->missing |= SM_CAUSE_NO_RUN_DELAY;
	}
	reading->block_inputs = (uint32_t)usage.ru_inblock;
	reading->minor_faults = (uint32_t)usage.ru_minflt;
	reading->major_faults = (uint32_t)usage.ru_majflt;
	reading->voluntary_switches = (uint32_t)usage.ru_nvcsw;
	reading->involuntary_switches = (uint32_t)usage.ru_nivcsw;
}

void sm_cause_read_begin(struct sm_cause_source *source, struct sm_cause_reading *ret_reading)
{
	int error = errno;
	*ret_reading = (struct sm_cause_reading){0};
	read_the_rest(source, ret_reading);
	read_cpu_clocks(ret_reading);
	errno = error;
}

void sm_cause_read_end(struct sm_cause_source *source, struct sm_cause_reading *ret_reading)
{
	int error = errno;
	*ret_reading = (struct sm_cause_reading){0};
	read_cpu_clocks(ret_reading);
	read_the_rest(source, ret_reading);
	errno = error;
}

/* --- between two --- */

struct sm_ring_cause sm_cause_between(
	const struct sm_cause_reading *begin, const struct sm_cause_reading *end)
{
	struct sm_ring_cause cause = {
		.cpu_ns = end->cpu_ns - begin->cpu_ns,
		.run_delay_ns = end->run_delay_ns - begin->run_delay_ns,
		.thread_cpu_ns = end->cpu_ns,
		.thread_run_delay_ns = end->run_delay_ns,
		.block_inputs = end->block_inputs - begin->block_inputs,
		.minor_faults = end->minor_faults - begin->minor_faults,
		.major_faults = end->major_faults - begin->major_faults,
		.voluntary_switches = end->voluntary_switches - begin->voluntary_switches,
		.involuntary_switches = end->involuntary_switches - begin->involuntary_switches,
		.missing = begin->missing | end->missing,
		.process_cpu_ns = end->process_cpu_ns - begin->process_cpu_ns,
	};
	if (end->alone) { /* one thread: its CPU is the process's */
		cause.process_cpu_ns = cause.cpu_ns;
	} else if (begin->alone) { /* the second thread came in between */
		cause.missing |= SM_CAUSE_NO_PROCESS_CPU;
	}
	if (cause.missing & SM_CAUSE_NO_RUN_DELAY) {
		cause.run_delay_ns = cause.thread_run_delay_ns = 0;
	}
	if (cause.missing & SM_CAUSE_NO_PROCESS_CPU) {
		cause.process_cpu_ns = 0;
	}
	return cause;
}
