/* One thread, one loop. It sleeps until the next sample is due, a mapping appears, a process of the job ends, or `run`
 * has something to say; then it does what is due:
 *
 *     new mappings are opened, sealed slots copied into the run's files        every 100 ms
 *     new processes are looked for, probes of the fast tier sampled            every 100 ms
 *     probes of the second tier, looks at processes that never said hello;
 *     what was sampled reaches the file                                        every second
 *     probes of the slow tier                                                  every ten seconds
 *     Python stacks of every process                                           every 10 ms
 *
 * Rates are those of the level, and the governor stretches them when sampling costs too much. Every sample carries
 * its own time, so nothing relies on the intervals.
 *
 * The end: when the job's first process has ended, the others have a few seconds to close what they record; a daemon
 * that stays behind without recording is not waited for. What they have not closed by then is kept as it stands. */
#include "collect/collector.h"

#include "base/clock.h"
#include "base/mem.h"
#include "collect/children.h"
#include "collect/level.h"
#include "collect/rings.h"
#include "collect/rounds.h"
#include "collect/run_files.h"
#include "collect/run_record.h"
#include "collect/stacks.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 32, INOTIFY_KEY = 0 };

#define SECOND_NS      1000000000LL
#define SCAN_NS	       SECOND_NS /* between looks for new mappings, where inotify tells of them too */
#define LINGER_NS      (3 * SECOND_NS) /* for processes that still record when the job has ended */
#define STATUS_WAIT_NS (1 * SECOND_NS) /* for `run` to tell how it ended */

struct sm_collector {
	struct sm_collector_options options; /* texts borrowed */
	struct sm_level_rates rates;
	struct sm_run_files files;
	struct sm_rings rings;
	struct sm_children children;
	struct sm_rounds rounds;
	struct sm_stacks stacks;
	int epoll_fd, inotify_fd; /* owned */
	int64_t drain_due_ns, scan_due_ns;
	int64_t root_ended_ns; /* 0: it lives */
	int wait_status;       /* of the first process; SM_RUN_RECORD_STATUS_UNKNOWN */
	int64_t begin_ns;
};

/* --- the job --- */

/* A process that records names itself by the pid of its own namespace. Its start time is the same in all, so it says
 * whether that pid means it here too, or else which process of the job does. */
static struct sm_child *find_recorder(
	struct sm_collector *collector, const struct sm_ring_header *header)
{
	struct sm_children *children = &collector->children;
	uint64_t start;
	pid_t ppid;
	if (sm_children_read_stat(collector->options.root_path, header->pid, &start, &ppid) &&
		start == header->start_time) {
		return sm_children_add(children, header->pid);
	}
	for (size_t i = 0; i < children->count; i++) {
		if (children->item[i].start_ticks == header->start_time) {
			return &children->item[i];
		}
	}
	return NULL;
}

static pid_t meet_recorder(void *context, const struct sm_ring_header *header)
{
	struct sm_child *child = find_recorder(context, header);
	if (!child) {
		return 0;
	}
	child->has_ring = true;
	child->own_pid = header->pid;
	return child->pid;
}

static void scan(struct sm_collector *collector, int64_t now_ns)
{
	sm_rings_scan(&collector->rings, meet_recorder, collector);
	collector->scan_due_ns = now_ns + SCAN_NS;
}

static void drain(struct sm_collector *collector, int64_t now_ns)
{
	bool told = collector->inotify_fd >= 0 && !collector->rings.pending;
	if (!told || now_ns >= collector->scan_due_ns) {
		scan(collector, now_ns);
	}
	sm_rings_drain(&collector->rings);
	collector->drain_due_ns = now_ns + collector->rates.drain_ns;
}

static void note_ends(struct sm_collector *collector, int64_t now_ns)
{
	sm_children_check(&collector->children);
	for (size_t i = 0; i < collector->children.count; i++) {
		const struct sm_child *child = &collector->children.item[i];
		if (child->ended) {
			sm_rings_process_gone(&collector->rings, child->pid);
			if (child->pid == collector->options.root && !collector->root_ended_ns) {
				collector->root_ended_ns = now_ns;
			}
		}
	}
	sm_children_sweep(&collector->children);
}

static void forget_inotify(int fd)
{
	char buffer[4096];
	while (read(fd, buffer, sizeof(buffer)) > 0) {
		/* that something happened is all we want to know */
	}
}

/* Returns true when the mappings want a look at once. */
static bool take_events(struct sm_collector *collector)
{
	struct epoll_event events[EVENTS_MAX];
	bool look = false;
	int count = epoll_wait(collector->epoll_fd, events, EVENTS_MAX, 0);
	for (int i = 0; i < count; i++) {
		look = true;
		if (events[i].data.u64 == INOTIFY_KEY) {
			forget_inotify(collector->inotify_fd);
			continue;
		}
		struct sm_child *child =
			sm_children_find(&collector->children, (pid_t)events[i].data.u64);
		if (child) {
			child->ended = true;
		}
	}
	return look;
}

static bool is_job_over(const struct sm_collector *collector, bool awaits_status, int64_t now_ns)
{
	int64_t since_ns = now_ns - collector->root_ended_ns;
	if (!collector->root_ended_ns) {
		return false;
	}
	if (awaits_status && collector->wait_status == SM_RUN_RECORD_STATUS_UNKNOWN &&
		since_ns < STATUS_WAIT_NS) {
		return false;
	}
	return !sm_rings_any_alive(&collector->rings) || since_ns >= LINGER_NS;
}

static int64_t next_due_ns(const struct sm_collector *collector)
{
	int64_t due_ns = sm_rounds_due_ns(&collector->rounds);
	int64_t stacks_ns = sm_stacks_due_ns(&collector->stacks);
	due_ns = stacks_ns < due_ns ? stacks_ns : due_ns;
	return collector->drain_due_ns < due_ns ? collector->drain_due_ns : due_ns;
}

static void sleep_until(const struct sm_collector *collector, int64_t due_ns, int wake_fd)
{
	struct pollfd sources[2] = {
		{.fd = collector->epoll_fd, .events = POLLIN},
		{.fd = wake_fd, .events = POLLIN},
	};
	int64_t wait_ns = due_ns - sm_clock_mono_ns();
	struct timespec wait = {0};
	if (wait_ns > 0) {
		wait = (struct timespec){
			.tv_sec = wait_ns / SECOND_NS, .tv_nsec = wait_ns % SECOND_NS};
	}
	(void)ppoll(sources, 2, &wait, NULL);
}

int sm_collector_step(struct sm_collector *collector, int wake_fd)
{
	if (is_job_over(collector, wake_fd >= 0, sm_clock_mono_ns())) {
		return 0; /* what `run` told since the last round may have decided it */
	}
	int64_t cpu_ns = sm_rounds_own_cpu_ns();
	sleep_until(collector, next_due_ns(collector), wake_fd);
	int64_t now_ns = sm_clock_mono_ns();
	sm_stacks_run(&collector->stacks, &collector->children, now_ns, cpu_ns);
	bool look = take_events(collector);
	note_ends(collector, now_ns);
	if (look) {
		collector->scan_due_ns = now_ns;
	}
	if (look || now_ns >= collector->drain_due_ns) {
		drain(collector, now_ns);
	}
	sm_rounds_run(&collector->rounds, now_ns);
	return !is_job_over(collector, wake_fd >= 0, now_ns);
}

void sm_collector_job_ended(struct sm_collector *collector, int wait_status)
{
	collector->wait_status = wait_status;
	if (!collector->root_ended_ns) {
		collector->root_ended_ns = sm_clock_mono_ns();
	}
}

/* --- beginning --- */

static int watch_directory(struct sm_collector *collector)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = INOTIFY_KEY};
	collector->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (collector->epoll_fd < 0) {
		return -errno;
	}
	collector->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (collector->inotify_fd >= 0 &&
		(inotify_add_watch(collector->inotify_fd, collector->options.live_directory,
			 IN_CREATE | IN_MOVED_TO) < 0 ||
			epoll_ctl(collector->epoll_fd, EPOLL_CTL_ADD, collector->inotify_fd,
				&event))) {
		close(collector->inotify_fd); /* none left for this user; the regular look finds them too */
		collector->inotify_fd = -1;
	}
	return 0;
}

static int start(struct sm_collector *collector, struct sm_error *reterr)
{
	const struct sm_collector_options *options = &collector->options;
	uint64_t limit_bytes =
		options->limit_bytes ? options->limit_bytes : collector->rates.limit_bytes;
	int r = watch_directory(collector);
	if (r) {
		return sm_error_set(reterr, r, -1, "cannot wait for events: %s", sm_error_text(r));
	}
	r = sm_run_files_open(
		&collector->files, options->run_directory, options->rank, limit_bytes, reterr);
	if (r) {
		return r;
	}
	r = sm_run_record_begin(&collector->files, options);
	if (r) {
		return sm_error_set(
			reterr, r, -1, "%s: %s", options->run_directory, sm_error_text(r));
	}
	sm_rings_init(&collector->rings, options->live_directory, &collector->files);
	sm_children_init(&collector->children, options->reaper, collector->epoll_fd,
		options->root_path, options->without, &collector->rounds.listener);
	if (!sm_children_add(&collector->children, options->root)) {
		collector->root_ended_ns = collector->begin_ns; /* it was quicker than we */
	}
	r = sm_stacks_open(&collector->stacks,
		options->root_path[0] ? 0 : collector->rates.stacks_ns,
		sm_run_files_first(&collector->files));
	if (r) {
		return sm_error_set(reterr, r, -1, "out of memory");
	}
	return sm_rounds_open(&collector->rounds);
}

int sm_collector_create(const struct sm_collector_options *options,
	struct sm_collector **ret_collector, struct sm_error *reterr)
{
	struct sm_collector *collector = sm_mem_calloc(1, sizeof(*collector));
	if (!collector) {
		return sm_error_set(reterr, -ENOMEM, -1, "out of memory");
	}
	collector->options = *options;
	collector->options.root_path = options->root_path ? options->root_path : "";
	collector->rates = sm_level_rates(options->level, options->interval_ns);
	collector->epoll_fd = collector->inotify_fd = -1;
	collector->wait_status = SM_RUN_RECORD_STATUS_UNKNOWN;
	collector->begin_ns = sm_clock_mono_ns();
	sm_rounds_init(&collector->rounds, &collector->rates, &collector->files,
		&collector->children, &collector->options);
	int r = start(collector, reterr);
	if (r) {
		sm_collector_destroy(collector);
		return r;
	}
	*ret_collector = collector;
	return 0;
}

/* --- end --- */

/* A worker that leaves by os._exit closes nothing, and yet every word it wrote is kept. */
static bool is_complete(const struct sm_collector *collector)
{
	const struct sm_rings *rings = &collector->rings;
	bool killed = collector->wait_status != SM_RUN_RECORD_STATUS_UNKNOWN &&
		      WIFSIGNALED(collector->wait_status);
	return !killed && !rings->left_behind && !rings->events_lost &&
	       !sm_run_files_lost(&collector->files);
}

static void note_no_loader(struct sm_collector *collector)
{
	if (!collector->rings.processes && !collector->rounds.told_silent) {
		sm_rounds_note(&collector->rounds, "loader",
			"no process of the job was seen to load PyTorch, so there is no DataLoader "
			"to judge");
	}
}

static int write_end(struct sm_collector *collector)
{
	const struct sm_run_record_end end = {
		.wait_status = collector->wait_status,
		.cpu_s = (double)sm_rounds_own_cpu_ns() / (double)SECOND_NS,
		.wall_s = (double)(sm_clock_mono_ns() - collector->begin_ns) / (double)SECOND_NS,
		.complete = is_complete(collector),
	};
	return sm_run_record_end(sm_run_files_first(&collector->files), &end);
}

static void remove_live(const struct sm_collector *collector)
{
	char path[4096];
	if (collector->rings.left_behind) {
		return; /* the reader takes what is there */
	}
	if (snprintf(path, sizeof(path), "%s/collector", collector->options.live_directory) <
		(int)sizeof(path)) {
		unlink(path);
	}
	if (!rmdir(collector->options.live_directory) &&
		snprintf(path, sizeof(path), "%s/live.path", collector->options.run_directory) <
			(int)sizeof(path)) {
		unlink(path);
	}
}

int sm_collector_finish(struct sm_collector *collector, struct sm_error *reterr)
{
	scan(collector, sm_clock_mono_ns());
	sm_stacks_finish(&collector->stacks);
	sm_rounds_last(&collector->rounds);
	sm_alerts_finish(&collector->rounds.alerts);
	sm_rings_finish(&collector->rings);
	note_no_loader(collector);
	int written = write_end(collector);
	/* Slots as they lay in a mapping can be told from what is still there; packed events cannot. */
	int r = sm_run_files_finish(&collector->files, !collector->rings.left_behind, reterr);
	remove_live(collector);
	return r ? r : written;
}

void sm_collector_destroy(struct sm_collector *collector)
{
	if (!collector) {
		return;
	}
	sm_stacks_close(&collector->stacks);
	sm_rounds_close(&collector->rounds);
	sm_children_finish(&collector->children);
	sm_rings_close(&collector->rings);
	sm_run_files_close(&collector->files);
	if (collector->inotify_fd >= 0) {
		close(collector->inotify_fd);
	}
	if (collector->epoll_fd >= 0) {
		close(collector->epoll_fd);
	}
	sm_mem_free(collector);
}
