/* A job that records: `recorded_job SPANS SECONDS HOW`. Makes so many spans, evenly over the seconds, says "made", and
 * ends as told: `stop` closes its session, `exit` leaves by _exit, `kill` kills itself, `wait` waits to be killed.
 * `fork` makes the same in two children first, each with a mapping of its own. */
#include <stallmeter/stallmeter.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void make_spans(int count, double seconds)
{
	uint32_t name = sm_name_register(SM_SPAN, "work");
	struct timespec pause = {.tv_nsec = (long)(seconds / 100 * 1e9) % 1000000000};
	for (int i = 0; i < count; i++) {
		sm_span_begin(name);
		sm_span_end();
		if (i % (count / 100 + 1) == 0) {
			nanosleep(&pause, NULL);
		}
	}
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1000;
	double seconds = argc > 2 ? atof(argv[2]) : 0;
	const char *how = argc > 3 ? argv[3] : "stop";
	if (sm_session_start(NULL)) {
		fputs("no session\n", stderr);
		return 2;
	}
	for (int i = 0; i < 2 && !strcmp(how, "fork"); i++) {
		if (!fork()) {
			make_spans(count, seconds);
			_exit(0);
		}
	}
	make_spans(count, seconds);
	while (wait(NULL) > 0) {
	}
	puts("made");
	fflush(stdout);
	if (!strcmp(how, "kill")) {
		raise(SIGKILL);
	} else if (!strcmp(how, "wait")) {
		pause();
	} else if (!strcmp(how, "exit")) {
		_exit(33);
	}
	sm_session_stop();
	return 0;
}
