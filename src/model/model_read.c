#include "model/build.h"
#include "model/build_stacks.h"
#include "model/model.h"
#include "trace/trace_reader.h"

static int tell(void *context, uint64_t bytes_done, uint64_t bytes_total)
{
	const struct sm_model_progress *progress = ((struct sm_build *)context)->progress;
	progress->report(progress->context, bytes_done, bytes_total);
	return 0;
}

static int read_into(struct sm_build *build, const char *path,
	const struct sm_model_progress *progress, struct sm_error *reterr)
{
	struct sm_trace_summary summary = {0};
	struct sm_trace_visitor visitor = sm_build_visitor(build);
	if (progress && progress->report) {
		build->progress = progress;
		visitor.progress = tell;
	}
	int error = sm_trace_reader_visit(path, &visitor, &summary, reterr);
	return error ? error : sm_build_complete(build, &summary);
}

int sm_model_build(struct sm_model *model, const char *path,
	const struct sm_model_progress *progress, struct sm_error *reterr)
{
	struct sm_build *build = NULL;
	*model = (struct sm_model){0};
	int error = sm_build_create(&build, model);
	error = error ? error : sm_build_stacks_read(build, path);
	error = error ? error : read_into(build, path, progress, reterr);
	sm_build_destroy(build);
	if (error) {
		sm_model_finish(model);
	}
	if (error && reterr && reterr->code != error) {
		sm_error_set(reterr, error, -1, "%s: %s", path, sm_error_text(error));
	}
	return error;
}
