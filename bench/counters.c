/* A full counter sample of the machine and nine processes: what ours costs, what the mere reading of the same files
 * costs, and what psutil takes for the same fields.
 *
 *     sample_ns     every probe of every tier, values handed to a sink that adds them up
 *     preads_ns     pread(2) of every file that the probes hold open, nothing looked at
 *     psutil_ns     psutil and open() for what it does not have; only where some python3 can import it
 *     frequency_ns  the timed multiplication, which computes on purpose and reads nothing: in none of the above
 *
 * Ours and the mere reading take turns in batches; each figure is the median of the batches, in CPU time. */
#include "collect/sampler.h"
#include "probe/probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PROCESSES = 9,
	BATCHES = 31,
	ROUNDS = 20,
	FILES_MAX = 512,
	WORDS_MAX = 32,
	WORD_BYTES = 512,
	NS_PER_S = 1000000000,
	LAST_BYTES = 2048, /* a shorter read was the last of its file */
};

/* CPU time, for what is compared is work, and the machine may be busy with other people's. */
static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return values[count / 2];
}

/* --- what is sampled --- */

static struct sm_sampler_set machine, process[PROCESSES];
static pid_t pids[PROCESSES];
static double sum;
static int sample_count;

static void add_up(void *context, enum sm_metric metric, int64_t instance, double value)
{
	sum += value;
	sample_count++;
}

static void say_missing(void *context, const struct sm_probe *probe, const char *why)
{
	fprintf(stderr, "counters: %s: %s\n", probe->name, why);
}

static const struct sm_probe_sink sink = {.sample = add_up};
static const struct sm_sampler_listener listener = {.missing = say_missing};

static void start_processes(void)
{
	pids[0] = getpid();
	for (int i = 1; i < PROCESSES; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			pause();
			_exit(0);
		}
	}
}

static void end_processes(void)
{
	for (int i = 1; i < PROCESSES; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static bool is_frequency(const struct sm_sampler_source *source)
{
	return !strcmp(source->probe->name, "frequency");
}

static void sample_set(struct sm_sampler_set *set)
{
	for (int i = 0; i < set->count; i++) {
		struct sm_sampler_source *source = &set->sources[i];
		if (source->state && !is_frequency(source)) {
			source->probe->sample(source->state, &sink);
		}
	}
}

static void sample_all(void)
{
	sample_set(&machine);
	for (int i = 0; i < PROCESSES; i++) {
		sample_set(&process[i]);
	}
}

static void sample_frequency(void)
{
	for (int i = 0; i < machine.count; i++) {
		if (machine.sources[i].state && is_frequency(&machine.sources[i])) {
			machine.sources[i].probe->sample(machine.sources[i].state, &sink);
		}
	}
}

/* --- the mere reading --- */

static int files[FILES_MAX];
static int file_count;

/* Does a round read it? The system call of a process is looked at only while that polls, and mappings are read a few times
 * in its life: these processes do neither. */
static bool is_read(const char *target)
{
	return (!strncmp(target, "/proc/", 6) || !strncmp(target, "/sys/", 5)) &&
	       !strstr(target, "/syscall") && !strstr(target, "/maps");
}

static void read_name(int fd, char name[WORD_BYTES])
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(path, name, WORD_BYTES - 1);
	name[length > 0 ? length : 0] = '\0';
}

/* Every descriptor of ours that is a readable file of /proc or /sys: the probes opened them, nobody else did. */
static void find_files(void)
{
	char target[WORD_BYTES], byte;
	for (int fd = 3; fd < 4096 && file_count < FILES_MAX; fd++) {
		read_name(fd, target);
		if (is_read(target) && pread(fd, &byte, 1, 0) >= 0) {
			files[file_count++] = fd;
		}
	}
}

static void read_all(void)
{
	static char text[256 * 1024];
	for (int i = 0; i < file_count; i++) {
		off_t at = 0;
		ssize_t got;
		do {
			got = pread(files[i], text + at, sizeof(text) - (size_t)at, at);
			at += got > 0 ? got : 0;
		} while (got >= LAST_BYTES);
		sum += (double)at;
	}
}

/* --- psutil --- */

static char psutil_script[] =
	"import sys, time, statistics, psutil\n"
	"pids = [int(word) for word in sys.argv[1:] if word.isdigit()]\n"
	"groups = [word for word in sys.argv[1:] if not word.isdigit()]\n"
	"processes = [psutil.Process(pid) for pid in pids]\n"
	"def text(path):\n"
	"    try:\n"
	"        with open(path) as file:\n"
	"            return file.read()\n"
	"    except OSError:\n"
	"        return ''\n"
	"def sample():\n"
	"    psutil.cpu_times(percpu=True); psutil.cpu_stats(); psutil.virtual_memory(); "
	"psutil.swap_memory()\n"
	"    psutil.disk_io_counters(perdisk=True); psutil.net_io_counters(pernic=True); "
	"psutil.disk_usage('/dev/shm')\n"
	"    for name in ('cpu', 'io', 'memory'):\n"
	"        text('/proc/pressure/' + name)\n"
	"    dict(line.split() for line in text('/proc/vmstat').splitlines())\n"
	"    for path in groups:\n"
	"        text(path).split()\n"
	"    for process in processes:\n"
	"        with process.oneshot():\n"
	"            process.cpu_times(); process.memory_info(); process.io_counters(); "
	"process.num_ctx_switches()\n"
	"            process.num_threads(); process.num_fds(); process.nice()\n"
	"            process.rlimit(psutil.RLIMIT_NOFILE)\n"
	"        text(f'/proc/{process.pid}/schedstat').split(); "
	"text(f'/proc/{process.pid}/wchan')\n"
	"        dict(line.split(':', 1) for line in "
	"text(f'/proc/{process.pid}/status').splitlines())['VmSwap']\n"
	"sample()\n"
	"batches = []\n"
	"for _ in range(21):\n"
	"    begin = time.thread_time_ns()\n"
	"    for _ in range(5):\n"
	"        sample()\n"
	"    batches.append((time.thread_time_ns() - begin) / 5)\n"
	"print('psutil_ns', statistics.median(batches), 'ns')\n";

static bool imports_psutil(const char *python)
{
	char command[256];
	snprintf(command, sizeof(command), "%s -c 'import psutil' >/dev/null 2>&1", python);
	return system(command) == 0;
}

/* python3 -c SCRIPT PID... FILE..., where the files are those of the control group that our probes read. */
static void build_command(char *python, char words[][WORD_BYTES], char *command[WORDS_MAX + 4])
{
	static char option[] = "-c";
	int count = 0;
	for (int n = 0; n < PROCESSES; n++) {
		snprintf(words[count++], WORD_BYTES, "%d", (int)pids[n]);
	}
	for (int i = 0; i < file_count && count < WORDS_MAX; i++) {
		read_name(files[i], words[count]);
		count += !strncmp(words[count], "/sys/fs/cgroup", 14);
	}
	command[0] = python;
	command[1] = option;
	command[2] = psutil_script;
	for (int i = 0; i < count; i++) {
		command[3 + i] = words[i];
	}
	command[3 + count] = NULL;
}

static void run_psutil(void)
{
	static char pythons[][24] = {"python3", "/usr/bin/python3"};
	static char words[WORDS_MAX][WORD_BYTES];
	char *command[WORDS_MAX + 4];
	int which = imports_psutil(pythons[0]) ? 0 : imports_psutil(pythons[1]) ? 1 : -1;
	if (which < 0) {
		fputs("counters: no python3 here imports psutil\n", stderr);
		return;
	}
	build_command(pythons[which], words, command);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		execvp(command[0], command);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* --- */

static double time_rounds(void (*work)(void))
{
	int64_t begin_ns = now_ns();
	for (int i = 0; i < ROUNDS; i++) {
		work();
	}
	return (double)(now_ns() - begin_ns) / ROUNDS;
}

int main(void)
{
	double sample[BATCHES], reads[BATCHES], frequency[BATCHES];
	close_range(STDERR_FILENO + 1, ~0U, 0); /* whatever we were handed down is none of ours */
	start_processes();
	sm_sampler_open(&machine, "", 0, 0, &listener);
	for (int i = 0; i < PROCESSES; i++) {
		sm_sampler_open(&process[i], "", pids[i], 0, &listener);
	}
	find_files();
	sample_count = 0;
	sample_all();
	printf("values %d count\nfiles %d count\n", sample_count, file_count);
	for (int i = 0; i < BATCHES; i++) {
		reads[i] = time_rounds(read_all);
		sample[i] = time_rounds(sample_all);
		frequency[i] = time_rounds(sample_frequency);
	}
	printf("sample_ns %.0f ns\npreads_ns %.0f ns\nfrequency_ns %.0f ns\n",
		median(sample, BATCHES), median(reads, BATCHES), median(frequency, BATCHES));
	run_psutil();
	end_processes();
	return sum < 0; /* so that nothing above is in vain */
}
