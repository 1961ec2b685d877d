#include "cli/output.h"

#include "base/err.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/terminal.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int writer(const void *context, FILE *out);

/* The stream's own errno says more than "input or output failed". */
static int finish(FILE *out, int rc)
{
	int reason = errno;
	if (fclose(out) && !rc) {
		return -errno;
	}
	return rc == -EIO && reason ? -reason : rc;
}

static int write_directly(const char *path, writer *write, const void *context)
{
	FILE *out = fopen(path, "w");
	if (!out) {
		return -errno;
	}
	errno = 0;
	int rc = write(context, out);
	return finish(out, rc);
}

static int write_beside(const char *path, const char *beside, writer *write, const void *context)
{
	FILE *out = fopen(beside, "wx");
	if (!out) {
		return -errno;
	}
	errno = 0;
	int rc = finish(out, write(context, out));
	if (!rc && rename(beside, path)) {
		rc = -errno;
	}
	if (rc) {
		unlink(beside);
	}
	return rc;
}

/* Devices, pipes and links are written through; anything else is made beside its place and moved there. */
static bool is_written_through(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static int write_file(const char *path, writer *write, const void *context)
{
	struct sm_str beside = SM_STR_EMPTY;
	if (is_written_through(path)) {
		return write_directly(path, write, context);
	}
	sm_str_addf(&beside, "%s.%ld.part", path, (long)getpid());
	int rc = beside.failed ? -ENOMEM : write_beside(path, sm_str_text(&beside), write, context);
	sm_str_finish(&beside);
	return rc;
}

int sm_output_write(const char *path, writer *write, const void *context)
{
	char what[160];
	bool to_stdout = strcmp(path, "-") == 0;
	errno = 0;
	int rc = to_stdout ? write(context, stdout) : write_file(path, write, context);
	if (rc) {
		rc = to_stdout && rc == -EIO && errno ? -errno : rc;
		snprintf(what, sizeof(what), "cannot write: %s", sm_error_text(rc));
		sm_complain(&(struct sm_complaint){.id = "SM943",
			.what = what,
			.where = to_stdout ? "standard output" : path});
	}
	return rc;
}

struct sm_report_style sm_output_style(FILE *stream)
{
	struct sm_terminal terminal = sm_terminal_of(stream);
	return (struct sm_report_style){.colour = terminal.colour,
		.unicode = terminal.unicode,
		.columns = terminal.columns};
}
