#include "live/judging.h"

#include "base/clock.h"
#include "read/reading.h"

#include <string.h>

#define LEAST_NS INT64_C(1000000000) /* between two judgements */

int sm_judging_init(struct sm_judging *judging, bool unicode)
{
	*judging = (struct sm_judging){.unicode = unicode};
	return sm_aside_init(&judging->aside, sizeof(struct sm_judgement));
}

void sm_judging_finish(struct sm_judging *judging)
{
	sm_aside_finish(&judging->aside);
}

struct task {
	struct sm_model_growing *growing;
	const struct sm_trace_summary *summary;
	const char *run;
	bool unicode;
};

/* In the copy of this process, whose growing model ends here. */
static int judge(void *context, void *result)
{
	struct task *task = context;
	struct sm_model model;
	struct sm_reading reading = {0};
	int error = sm_model_growing_complete(task->growing, task->summary, &model);
	error = error ? error : sm_reading_judge(&reading, &model, task->run, NULL);
	error = error ? error : sm_judgement_fill(result, &reading.report, task->unicode);
	sm_reading_finish(&reading);
	return error;
}

int sm_judging_begin(struct sm_judging *judging, struct sm_model_growing *growing,
	const struct sm_trace_summary *summary, const char *run)
{
	int64_t now_ns = sm_clock_mono_ns();
	struct task task = {growing, summary, run, judging->unicode};
	if (judging->aside.child || now_ns < judging->due_ns) {
		return 0;
	}
	int error = sm_aside_begin(&judging->aside, judge, &task);
	judging->asked_ns = now_ns;
	judging->due_ns = now_ns + LEAST_NS;
	return error ? error : 1;
}

int sm_judging_take(struct sm_judging *judging, struct sm_judgement *ret_judgement)
{
	int64_t cpu_ns = 0;
	int got = sm_aside_take(&judging->aside, &cpu_ns);
	int64_t rest_ns = cpu_ns * SM_JUDGING_REST;
	if (got && rest_ns > LEAST_NS) {
		judging->due_ns = judging->asked_ns + rest_ns;
	}
	if (got > 0) {
		memcpy(ret_judgement, sm_aside_result(&judging->aside), sizeof(*ret_judgement));
	}
	return got;
}

void sm_judging_await(const struct sm_judging *judging)
{
	sm_aside_await(&judging->aside);
}
