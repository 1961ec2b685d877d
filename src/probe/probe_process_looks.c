/* What the main thread of a process waits for, looked at ten times a second and counted.
 *
 * A span knows that it was blocked; a look from outside says on what. The kernel names the function in which a sleeper
 * sleeps (wchan; readable for processes of the same user, also where tracing is forbidden). A poll looks the same
 * whether a worker waits for work or a transform for a server; there the system call's timeout tells, where we may read
 * it: torch's queues poll for five seconds. A select on no descriptor at all is a sleep: time.sleep of Python 3.10 and older.
 * What cannot be told apart is counted as a look and nothing else. */
#include "probe/kernel_waits.h"
#include "probe/source.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

enum { QUEUE_POLL_MS = 5000 }; /* torch.utils.data, MP_STATUS_CHECK_INTERVAL */

enum { LOOK_KINDS = SM_KERNEL_WAIT_IDLE + 1 };

static const enum sm_metric metrics[LOOK_KINDS] = {
	[SM_KERNEL_WAIT_LOCK] = SM_METRIC_PROC_LOOKS_LOCK,
	[SM_KERNEL_WAIT_SLEEP] = SM_METRIC_PROC_LOOKS_SLEEP,
	[SM_KERNEL_WAIT_SOCKET] = SM_METRIC_PROC_LOOKS_SOCKET,
	[SM_KERNEL_WAIT_FILE] = SM_METRIC_PROC_LOOKS_FILE,
	[SM_KERNEL_WAIT_IDLE] = SM_METRIC_PROC_LOOKS_IDLE,
};

struct looks {
	struct sm_source wchan, syscall;
	int64_t pid;
	uint64_t total, count[LOOK_KINDS];
	char symbol[48]; /* of the last look, and what it meant: mostly it is the same again */
	enum sm_kernel_wait meaning;
};

static int open_looks(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct looks *looks = state;
	char unneeded[SM_SOURCE_WHY];
	looks->pid = pid;
	int r = sm_source_open(&looks->wchan, why, root, "/proc/%d/wchan", (int)pid);
	if (!r) {
		(void)sm_source_open(&looks->syscall, unneeded, root, "/proc/%d/syscall", (int)pid);
	}
	return r;
}

static enum sm_kernel_wait name_again(struct looks *looks, struct sm_scan symbol)
{
	size_t length = (size_t)(symbol.end - symbol.at);
	if (sm_scan_is(&symbol, looks->symbol) && length) {
		return looks->meaning;
	}
	enum sm_kernel_wait look = sm_kernel_waits_find(symbol.at, length);
	if (length < sizeof(looks->symbol) && !memchr(symbol.at, '\0', length)) {
		memcpy(looks->symbol, symbol.at, length);
		looks->symbol[length] = '\0';
		looks->meaning = look;
	}
	return look;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool scan_hex(struct sm_scan *line, uint64_t *ret_value)
{
	struct sm_scan word;
	if (!sm_scan_word(line, &word) || !sm_scan_begins(&word, "0x") || word.end - word.at > 16) {
		return false;
	}
	*ret_value = 0;
	for (; word.at < word.end; word.at++) {
		int digit = hex_digit(*word.at);
		if (digit < 0) {
			return false;
		}
		*ret_value = *ret_value << 4 | (uint64_t)digit;
	}
	return true;
}

static bool is_select(uint64_t number)
{
#ifdef SYS_select
	if (number == SYS_select) {
		return true;
	}
#endif
	return number == SYS_pselect6;
}

/* "7 0x7ffd.. 0x1 0x1388 ...": poll(fds, 1, 5000); "23 0x0 ...": select(0, ...) */
static enum sm_kernel_wait name_poll(const struct looks *looks)
{
#ifdef SYS_poll
	struct sm_scan text, line;
	uint64_t number, timeout_ms, count;
	if (!sm_source_is_open(&looks->syscall) || sm_source_read(&looks->syscall, &text) < 0 ||
		!sm_scan_line(&text, &line) || !sm_scan_u64(&line, &number)) {
		return SM_KERNEL_WAIT_UNKNOWN;
	}
	if (is_select(number)) {
		return scan_hex(&line, &count) && count == 0 ? SM_KERNEL_WAIT_SLEEP
							     : SM_KERNEL_WAIT_SOCKET;
	}
	if (number == SYS_poll && sm_scan_skip(&line, 2) && scan_hex(&line, &timeout_ms) &&
		(uint32_t)timeout_ms == QUEUE_POLL_MS) {
		return SM_KERNEL_WAIT_IDLE;
	}
	return SM_KERNEL_WAIT_SOCKET;
#else
	(void)scan_hex;
	(void)is_select;
	return SM_KERNEL_WAIT_UNKNOWN; /* ppoll's timeout lies in the process's memory */
#endif
}

static int sample_looks(void *state, const struct sm_probe_sink *sink)
{
	struct looks *looks = state;
	struct sm_scan text;
	int r = sm_source_read(&looks->wchan, &text);
	if (r < 0) {
		return r;
	}
	enum sm_kernel_wait look = name_again(looks, text);
	look = look == SM_KERNEL_WAIT_POLL ? name_poll(looks) : look;
	looks->total++;
	sm_probe_emit(sink, SM_METRIC_PROC_LOOKS, looks->pid, (double)looks->total);
	if ((int)look < LOOK_KINDS) {
		looks->count[look]++;
	}
	for (int i = 0; i < LOOK_KINDS; i++) {
		if (looks->count[i]) {
			sm_probe_emit(sink, metrics[i], looks->pid, (double)looks->count[i]);
		}
	}
	return 0;
}

static void close_looks(void *state)
{
	struct looks *looks = state;
	sm_source_close(&looks->wchan);
	sm_source_close(&looks->syscall);
}

const struct sm_probe sm_probe_process_looks = {
	.name = "process_looks",
	.summary = "what the main thread of every process waits for, looked at and counted",
	.tier = SM_TIER_FAST,
	.per_process = 1,
	.state_bytes = sizeof(struct looks),
	.open = open_looks,
	.sample = sample_looks,
	.close = close_looks,
};
