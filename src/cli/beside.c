#include "cli/beside.h"

#include "base/clock.h"
#include "collect/level.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMER_SLACK_NS = 5 * 1000 * 1000 };

enum message_kind { JOB_STARTED, JOB_ENDED, TROUBLE, DONE };

struct message {
	enum message_kind kind;
	int value;
	char text[SM_BESIDE_TEXT];
};

static void say(int socket, enum message_kind kind, int value, const char *text)
{
	struct message message = {.kind = kind, .value = value};
	snprintf(message.text, sizeof(message.text), "%s", text);
	if (socket >= 0) {
		(void)send(socket, &message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static bool hear(int socket, int flags, struct message *ret_message)
{
	ssize_t got;
	do {
		got = recv(socket, ret_message, sizeof(*ret_message), flags);
	} while (got < 0 && errno == EINTR);
	errno = got >= 0 ? ECONNRESET : errno; /* an end, or half a message */
	return got == sizeof(*ret_message);
}

/* --- in the collector --- */

/* What ends the job must not end its collector: a batch system sends its signals to everybody. */
static void ignore_signals(void)
{
	static const int ignored[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGXFSZ};
	sigset_t none;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		sigaction(ignored[i], &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	}
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_range_slowly(int first, int last)
{
	int limit = (int)sysconf(_SC_OPEN_MAX);
	for (int fd = first; fd <= last && fd < limit; fd++) {
		close(fd);
	}
}

static void close_between(int first, int last)
{
	if (first <= last && close_range((unsigned)first, (unsigned)last, 0)) {
		close_range_slowly(first, last); /* before Linux 5.9 */
	}
}

/* A pipe of the caller that stayed open here would keep its reader waiting. */
static void close_others(const int *keep_fds, int count)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++) {
		dup2(null, fd);
	}
	int first = STDERR_FILENO + 1;
	for (int i = 0; i < count; i++) {
		close_between(first, keep_fds[i] - 1);
		first = keep_fds[i] >= first ? keep_fds[i] + 1 : first;
	}
	close_between(first, INT_MAX);
}

void sm_beside_detach(const int *keep_fds, int count)
{
	setsid();
	ignore_signals();
	close_others(keep_fds, count);
	(void)!chdir("/");
	prctl(PR_SET_NAME, "stallmeter-coll");
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
	struct rlimit files;
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* What `run` has to tell. False when it is gone. */
static bool listen_to_run(struct sm_collector *collector, int socket)
{
	struct message message;
	if (hear(socket, MSG_DONTWAIT, &message)) {
		if (message.kind == JOB_ENDED) {
			sm_collector_job_ended(collector, message.value);
		}
		return true;
	}
	return errno == EAGAIN;
}

/* False when nothing more can be heard there. */
typedef bool listener(struct sm_collector *collector, int fd);

/* To the end of the job, and of the collector. */
static int go_on(struct sm_collector *collector, int fd, listener *listen, struct sm_error *reterr)
{
	int r;
	while ((r = sm_collector_step(collector, fd)) > 0) {
		if (fd >= 0 && !listen(collector, fd)) {
			fd = -1;
		}
	}
	int finished = sm_collector_finish(collector, reterr);
	sm_collector_destroy(collector);
	return r ? r : finished;
}

int sm_beside_collect(const struct sm_collector_options *options, int socket)
{
	struct sm_collector *collector = NULL;
	struct sm_error error = {0};
	int r = sm_collector_create(options, &collector, &error);
	if (r) {
		say(socket, TROUBLE, r, error.msg);
		return r;
	}
	r = go_on(collector, socket, listen_to_run, &error);
	if (r) {
		say(socket, TROUBLE, r, error.msg);
	}
	say(socket, DONE, 0, "");
	return r;
}

static bool listen_for_end(struct sm_collector *collector, int fd)
{
	struct pollfd source = {.fd = fd, .events = POLLIN};
	bool ended = poll(&source, 1, 0) > 0;
	if (ended) {
		sm_collector_job_ended(collector, 0);
	}
	return !ended;
}

int sm_beside_collect_until(const struct sm_collector_options *options, int until_fd)
{
	struct sm_collector *collector = NULL;
	int r = sm_collector_create(options, &collector, NULL);
	return r ? r : go_on(collector, until_fd, listen_for_end, NULL);
}

static void run_collector(const struct sm_collector_options *given, int socket, int lock_fd)
{
	struct sm_collector_options options = *given;
	struct message message;
	const int keep[] = {
		socket < lock_fd ? socket : lock_fd, socket < lock_fd ? lock_fd : socket};
	sm_beside_detach(keep, 2);
	if (!hear(socket, 0, &message) || message.kind != JOB_STARTED) {
		_exit(0); /* the job could not be started */
	}
	options.root = message.value;
	_exit(sm_beside_collect(&options, socket) ? 1 : 0);
}

/* --- in `run` --- */

int sm_beside_start(struct sm_beside *beside, struct sm_place *place,
	const struct sm_collector_options *options)
{
	int ends[2];
	*beside = SM_BESIDE_EMPTY;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		return -errno;
	}
	fflush(NULL);
	beside->pid = fork();
	if (!beside->pid) {
		run_collector(options, ends[1], place->lock_fd);
	}
	int r = beside->pid < 0 ? -errno : 0;
	close(ends[1]);
	if (r) {
		close(ends[0]);
		return r;
	}
	beside->socket = ends[0];
	if (sm_level_rates(options->level, 0).stacks_ns) {
		sm_place_sign(place, beside->pid);
	}
	close(place->lock_fd);
	place->lock_fd = -1;
	return 0;
}

void sm_beside_job_started(struct sm_beside *beside, pid_t root)
{
	say(beside->socket, JOB_STARTED, root, "");
}

void sm_beside_job_ended(struct sm_beside *beside, int wait_status)
{
	say(beside->socket, JOB_ENDED, wait_status, "");
}

bool sm_beside_listen(struct sm_beside *beside)
{
	struct message message;
	if (beside->socket < 0) {
		return false;
	}
	if (!hear(beside->socket, MSG_DONTWAIT, &message)) {
		return errno == EAGAIN;
	}
	message.text[SM_BESIDE_TEXT - 1] = '\0';
	if (message.kind == TROUBLE) {
		memcpy(beside->trouble, message.text, sizeof(beside->trouble));
	}
	beside->done |= message.kind == DONE;
	return true;
}

void sm_beside_finish(struct sm_beside *beside)
{
	if (beside->socket >= 0) {
		close(beside->socket);
	}
	beside->socket = -1;
}
