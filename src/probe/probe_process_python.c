/* Whose instructions a process's main thread computes with: the Python interpreter's, or those of a library.
 *
 * The kernel notes the instruction pointer once for each 10 ms of the thread's CPU (a software clock of perf, user mode
 * only: allowed for one's own processes at perf_event_paranoid 2, the usual setting). It stands in a page that
 * both share, so a sample costs no system call; the address is looked up among the executable mappings of files called
 * python* or libpython*.
 *
 * A process maps its interpreter early and keeps it, but may exec once more before it does. So the mappings are read again
 * at the first looks, each time that twice as many were taken, and then left alone. */
#include "probe/source.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	LOOK_NS = 10 * 1000 * 1000,
	RANGES_MAX = 8,	     /* executable parts of the interpreter: one or two */
	MAPS_LOOKS_MAX = 64, /* looks after which the mappings are taken for final */
};

struct range {
	uint64_t begin, end;
};

struct python {
	int64_t pid;
	int fd;				   /* owned */
	struct perf_event_mmap_page *page; /* owned; followed by the page of records */
	struct sm_source maps;
	struct range ranges[RANGES_MAX];
	int range_count;
	uint64_t looks, in_python,
		maps_at; /* maps_at: looks at which the mappings are read again */
};

static uint64_t page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static int open_clock(int32_t pid)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.sample_period = LOOK_NS,
		.sample_type = PERF_SAMPLE_IP,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.watermark = 1, /* nobody is woken: the page is looked into anyway */
		.wakeup_watermark = UINT32_MAX,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attributes, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_python(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct python *python = state;
	if (root[0]) { /* a picture of another machine: its processes do not run here */
		return sm_source_refuse(why, ENOENT, "perf_event_open");
	}
	int error = sm_source_open(&python->maps, why, root, "/proc/%d/maps", (int)pid);
	if (error) {
		return error;
	}
	python->fd = open_clock(pid);
	error = python->fd < 0 ? -python->fd : 0;
	if (!error) {
		python->page = mmap(
			NULL, 2 * page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, python->fd, 0);
		error = python->page == MAP_FAILED ? errno : 0;
	}
	if (error) {
		sm_source_close(&python->maps);
		if (python->fd >= 0) {
			close(python->fd);
		}
		return sm_source_refuse(why, error, "perf_event_open");
	}
	python->pid = pid;
	python->maps_at = 1;
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool scan_address(struct sm_scan *text, uint64_t *ret_value)
{
	const char *begin = text->at;
	*ret_value = 0;
	while (text->at < text->end && hex_digit(*text->at) >= 0 && text->at - begin < 16) {
		*ret_value = *ret_value << 4 | (uint64_t)hex_digit(*text->at++);
	}
	return text->at > begin;
}

static bool is_interpreter(struct sm_scan path)
{
	const char *slash = memrchr(path.at, '/', (size_t)(path.end - path.at));
	if (!slash) {
		return false;
	}
	struct sm_scan name = {slash + 1, path.end};
	return sm_scan_begins(&name, "python") || sm_scan_begins(&name, "libpython");
}

/* "7f44cf2f5000-7f44cf531000 r-xp 000f5000 fe:00 26933   /usr/lib/libpython3.11.so.1.0" */
static bool scan_mapping(struct sm_scan line, struct range *ret_range)
{
	struct sm_scan rights, path;
	if (!scan_address(&line, &ret_range->begin) || !sm_scan_begins(&line, "-") ||
		!scan_address(&line, &ret_range->end) || !sm_scan_word(&line, &rights) ||
		!sm_scan_is(&rights, "r-xp") || !sm_scan_skip(&line, 3) ||
		!sm_scan_word(&line, &path)) {
		return false;
	}
	return is_interpreter(path);
}

static void read_ranges(struct python *python)
{
	struct sm_scan text, line;
	if (sm_source_read(&python->maps, &text) < 0) {
		return;
	}
	python->range_count = 0;
	while (python->range_count < RANGES_MAX && sm_scan_line(&text, &line)) {
		python->range_count += scan_mapping(line, &python->ranges[python->range_count]);
	}
}

static void count_look(struct python *python, uint64_t address)
{
	python->looks++;
	for (int i = 0; i < python->range_count; i++) {
		if (address >= python->ranges[i].begin && address < python->ranges[i].end) {
			python->in_python++;
			return;
		}
	}
}

/* Records are multiples of 8 bytes in a ring of one page, so a word never wraps. */
static uint64_t word_at(const struct python *python, uint64_t offset)
{
	const char *records = (const char *)python->page + page_bytes();
	uint64_t word;
	memcpy(&word, records + (offset & (page_bytes() - 1)), sizeof(word));
	return word;
}

static void drain(struct python *python)
{
	uint64_t head = __atomic_load_n(&python->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = python->page->data_tail;
	while (tail < head) {
		struct perf_event_header header;
		uint64_t word = word_at(python, tail);
		memcpy(&header, &word, sizeof(header));
		if (header.size < sizeof(header)) {
			tail = head; /* not what the kernel writes */
			break;
		}
		if (header.type == PERF_RECORD_SAMPLE) {
			count_look(python, word_at(python, tail + sizeof(header)));
		}
		tail += header.size;
	}
	__atomic_store_n(&python->page->data_tail, tail, __ATOMIC_RELEASE);
}

static int sample_python(void *state, const struct sm_probe_sink *sink)
{
	struct python *python = state;
	if (python->maps_at <= MAPS_LOOKS_MAX &&
		python->page->data_head != python->page->data_tail &&
		python->looks + 1 >= python->maps_at) {
		read_ranges(python);
		python->maps_at *= 2;
	}
	drain(python);
	sm_probe_emit(sink, SM_METRIC_PROC_CPU_LOOKS, python->pid, (double)python->looks);
	sm_probe_emit(
		sink, SM_METRIC_PROC_CPU_LOOKS_PYTHON, python->pid, (double)python->in_python);
	return 0;
}

static void close_python(void *state)
{
	struct python *python = state;
	munmap(python->page, 2 * page_bytes());
	close(python->fd);
	sm_source_close(&python->maps);
}

const struct sm_probe sm_probe_process_python = {
	.name = "process_python",
	.summary = "where the main thread of every process computes: in the Python interpreter or "
		   "outside",
	.tier = SM_TIER_FAST, /* no system call; the page of records holds 2.5 s of CPU */
	.per_process = 1,
	.state_bytes = sizeof(struct python),
	.open = open_python,
	.sample = sample_python,
	.close = close_python,
};
