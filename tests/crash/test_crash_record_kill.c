/* Killed at a random moment, with threads and forked children in the middle of everything: every span whose end had
 * returned is in the file, every word can be read, and nothing is counted as lost.
 *
 *     test_crash_record_kill [KILLS [SEED]]
 *
 * Each writer closes a span and then counts it in memory that outlives it; a file may know one span more than the
 * count, never one less. What the files hold is read twice: by the oracle of the tests and by the reader we ship. */
#include "ring_oracle.h"

#include "base/err.h"
#include "ring/ring_reader.h"

#include <stallmeter/inline.h>
#include <stallmeter/stallmeter.h>

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, CHILDREN = 3, WRITERS = 1 + THREADS + CHILDREN };

/* Of one round, shared with those that die. */
struct score {
	uint64_t closed[WRITERS]; /* spans whose end has returned */
};
static struct score *score;
static char folder[64];

/* --- those who die --- */

static void say_name(char *text, size_t bytes, int writer)
{
	snprintf(text, bytes, "writer %d", writer);
}

/* Long and short words, arguments, causes, marks: every kind of store. */
static void record_for_ever(int writer)
{
	char text[32];
	say_name(text, sizeof(text), writer);
	uint32_t name = sm_name_register(SM_SPAN, text);
	uint32_t mark = sm_name_register(SM_MARK, "mark");
	for (uint64_t i = 0;; i++) {
		sm_inline_begin(name);
		if (i % 7 == 0) {
			sm_span_arg(5, (int64_t)i);
		}
		sm_inline_end();
		__atomic_fetch_add(&score->closed[writer], 1, __ATOMIC_RELEASE);
		if (i % 97 == 0) {
			sm_mark_args(mark, 2, (const int[]){1, 2}, (const int64_t[]){3, 4});
		}
		if (i % 1009 == 0) {
			sm_span_begin_cause(name);
			sm_span_end();
			__atomic_fetch_add(&score->closed[writer], 1, __ATOMIC_RELEASE);
		}
		if (i % 4001 == 0) { /* names come all the time */
			snprintf(text, sizeof(text), "late %d %u", writer,
				(unsigned)(i / 4001 % 200));
			sm_name_register(SM_TEXT, text);
		}
	}
}

static void *thread_body(void *writer)
{
	record_for_ever((int)(intptr_t)writer);
	return NULL;
}

static void *short_thread_body(void *name)
{
	sm_span_begin(*(uint32_t *)name);
	sm_span_end();
	return NULL;
}

/* The main thread keeps making threads that end: their half slots are handed on all the time. */
static void run_short_threads(void)
{
	char text[32];
	say_name(text, sizeof(text), 0);
	uint32_t name = sm_name_register(SM_SPAN, text);
	for (;;) {
		pthread_t thread;
		if (!pthread_create(&thread, NULL, short_thread_body, &name)) {
			pthread_join(thread, NULL);
			__atomic_fetch_add(&score->closed[0], 1, __ATOMIC_RELEASE);
		}
	}
}

static void victim(void)
{
	struct sm_session_options options = {
		.directory = folder, .rank = -1, .limit_bytes = (uint64_t)1 << 30};
	setpgid(0, 0);
	if (sm_session_start(&options)) {
		_exit(1);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, thread_body, (void *)(intptr_t)(1 + i));
	}
	for (int i = 0; i < CHILDREN; i++) {
		if (!fork()) {
			record_for_ever(1 + THREADS + i);
		}
	}
	run_short_threads();
}

/* --- what is left --- */

struct remains {
	uint64_t closed[WRITERS];
	uint64_t words, files;
};

static int count_words(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct sm_ring_cursor cursor;
	struct sm_ring_word word;
	int more;
	sm_ring_cursor_init(&cursor, header, segment, words, bytes);
	while ((more = sm_ring_cursor_next(&cursor, &word)) > 0) {
		++*(uint64_t *)context;
	}
	return more;
}

/* The reader that we ship sees as many words. */
static int read_as_shipped(const char *path, uint64_t *ret_words)
{
	struct sm_ring_reader reader = SM_RING_READER_EMPTY;
	struct sm_ring_sink sink = {.context = ret_words, .segment = count_words};
	struct sm_error why;
	*ret_words = 0;
	int error = sm_ring_reader_open(&reader, path, false, &why);
	error = error ? error : sm_ring_reader_drain(&reader, SM_RING_DRAIN_ALL, &sink);
	sm_ring_reader_close(&reader);
	return error;
}

static int examine(const char *path, struct remains *remains)
{
	struct oracle *oracle = oracle_read(path);
	uint64_t shipped = 0;
	int wrong = 0;
	if (!strcmp(oracle->problem, "not a ring") && (oracle->size == 0 || !oracle->bytes[0])) {
		oracle_free(
			oracle); /* killed before the header was there, and so before any event */
		return 0;
	}
	if (oracle->problem[0] || oracle->header->w_lost_events) {
		fprintf(stderr, "%s: %s, %llu lost\n", path, oracle->problem,
			(unsigned long long)oracle->header->w_lost_events);
		wrong = 1;
	} else if (read_as_shipped(path, &shipped) || shipped != oracle->words) {
		fprintf(stderr, "%s: %llu words, and %llu for the reader we ship\n", path,
			(unsigned long long)oracle->words, (unsigned long long)shipped);
		wrong = 1;
	}
	for (int writer = 0; writer < WRITERS; writer++) {
		char text[32];
		say_name(text, sizeof(text), writer);
		uint32_t name = oracle_find(oracle, text);
		remains->closed[writer] += name ? oracle->closed_of[name] : 0;
	}
	remains->words += oracle->words;
	remains->files++;
	oracle_free(oracle);
	return wrong;
}

static int examine_folder(struct remains *remains)
{
	int wrong = 0;
	struct dirent *entry;
	DIR *dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		char path[400];
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.') {
			wrong |= examine(path, remains);
			unlink(path);
		}
	}
	if (dir) {
		closedir(dir);
	}
	return wrong;
}

static int compare(const struct remains *remains)
{
	int wrong = 0;
	for (int writer = 0; writer < WRITERS; writer++) {
		uint64_t counted = score->closed[writer], found = remains->closed[writer];
		if (found < counted || found > counted + 1) {
			fprintf(stderr, "writer %d: %llu spans closed, %llu in the file\n", writer,
				(unsigned long long)counted, (unsigned long long)found);
			wrong = 1;
		}
	}
	return wrong;
}

/* --- one kill --- */

static int reap_group(pid_t leader)
{
	int status = 0, of_leader = 0;
	pid_t pid;
	while ((pid = wait(&status)) > 0) {
		of_leader = pid == leader ? status : of_leader;
	}
	return of_leader;
}

static int kill_once(unsigned microseconds, struct remains *ret_remains)
{
	memset(score, 0, sizeof(*score));
	memset(ret_remains, 0, sizeof(*ret_remains));
	pid_t pid = fork();
	if (!pid) {
		victim();
	}
	setpgid(pid, pid);
	usleep(microseconds);
	kill(-pid, SIGKILL);
	int status = reap_group(pid);
	if (!WIFSIGNALED(status)) {
		fprintf(stderr, "the victim ended by itself: status %d\n", status);
		return 1;
	}
	return examine_folder(ret_remains) | compare(ret_remains);
}

int main(int argc, char **argv)
{
	int kills = argc > 1 ? atoi(argv[1]) : 20;
	unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)getpid();
	uint64_t words = 0, files = 0;
	int wrong = 0;
	snprintf(folder, sizeof(folder), "/tmp/sm-kill-XXXXXX");
	score = mmap(
		NULL, sizeof(*score), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!mkdtemp(folder) || score == MAP_FAILED) {
		return 1;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* children of the killed one are ours to wait for */
	printf("%d kills, seed %u\n", kills, seed);
	for (int i = 0; i < kills && !wrong; i++) {
		struct remains remains;
		unsigned longest = i % 4 ? 30000 : 1500; /* some while it starts */
		wrong = kill_once((unsigned)rand_r(&seed) % longest, &remains);
		words += remains.words;
		files += remains.files;
	}
	printf("%llu files, %llu words\n", (unsigned long long)files, (unsigned long long)words);
	rmdir(folder);
	return wrong || !words;
}
