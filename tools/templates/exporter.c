/* @name@: who reads this format, and what of a run it can hold. */
#include "export/export.h"

#include <errno.h>

static int write_run(const char *run_path, FILE *out, struct sm_error *reterr)
{
	return sm_error_set(reterr, -ENOSYS, -1, "@name@ cannot be written yet");
}

const struct sm_exporter sm_export_@name@ = {
	.name = "@name@",
	.suffix = ".@name@",
	.summary = "one line for people",
	.write = write_run,
};
