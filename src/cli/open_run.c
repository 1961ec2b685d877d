#include "cli/open_run.h"

#include "base/clock.h"
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { QUIET_MS = 400, EVERY_MS = 100 };

struct progress {
	int64_t started_ns, said_ns;
	bool on_terminal, has_said;
};

/* Short readings say nothing; long ones one line that is rewritten, and wiped at the end. */
static void tell_progress(void *context, uint64_t bytes_done, uint64_t bytes_total)
{
	struct progress *progress = context;
	int64_t now_ns = sm_clock_mono_ns();
	bool early = now_ns - progress->started_ns < QUIET_MS * INT64_C(1000000);
	bool again = now_ns - progress->said_ns < EVERY_MS * INT64_C(1000000);
	if (!progress->on_terminal || early || again || !bytes_total) {
		return;
	}
	fprintf(stderr, "\r\x1b[Kreading the trace: %d %%",
		(int)(100.0 * (double)bytes_done / (double)bytes_total));
	fflush(stderr);
	progress->said_ns = now_ns;
	progress->has_said = true;
}

static void wipe(const struct progress *progress)
{
	if (progress->has_said) {
		fputs("\r\x1b[K", stderr);
	}
}

static const char *help_for(int rc)
{
	switch (rc) {
	case -ENOENT:
	case -SM_ERR_FORMAT:
		return "give a run directory (stallmeter-...) or one of its .stall files";
	case -EACCES:
		return "ask its owner for the right to read it, or run as that user";
	case -SM_ERR_TORN:
		return "it was cut off before anything was recorded";
	case -SM_ERR_VERSION:
		return "read it with the version of stallmeter that wrote it, or a later one";
	default:
		return NULL;
	}
}

int sm_open_run_complain(const char *path, int rc, const struct sm_error *error)
{
	char what[256];
	snprintf(what, sizeof(what), "cannot read the run: %s",
		error->msg[0] ? error->msg : sm_error_text(rc));
	sm_complain(&(struct sm_complaint){
		.id = "SM940", .what = what, .where = path, .help = help_for(rc)});
	return rc == -ENOMEM ? SM_EXIT_ENVIRONMENT : SM_EXIT_TRACE;
}

int sm_open_run(struct sm_reading *reading, const char *path)
{
	struct sm_error error = {0};
	struct progress progress = {
		.started_ns = sm_clock_mono_ns(), .on_terminal = isatty(STDERR_FILENO)};
	const struct sm_model_progress told = {&progress, tell_progress};
	int rc = sm_reading_build(reading, path, &told, &error);
	wipe(&progress);
	return rc ? sm_open_run_complain(path, rc, &error) : 0;
}
