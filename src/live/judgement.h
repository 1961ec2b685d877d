/* What a report says of a run so far, as far as a screen has room for it: flat, so that one process can hand it to another. */
#ifndef SM_LIVE_JUDGEMENT_H
#define SM_LIVE_JUDGEMENT_H

#include "report/report.h"

enum {
	SM_JUDGEMENT_LOADERS = 16,
	SM_JUDGEMENT_FINDINGS = 16,
	SM_JUDGEMENT_PARTS = 4,
};

struct sm_judged_part { /* of a mean step */
	char name[16], value[24];
	double share;
	char kind; /* 'd' data, 't' transfer, 'h' host, 'c' compute */
};

struct sm_judged_stage {
	enum sm_stage stage;
	double share;
	char per_step[24], spent[64];
};

struct sm_judged_loader {
	int ordinal;
	int32_t main_pid; /* together they name it */
	char settings[160];
	bool feeds_training, background;
	double stall_share, ceiling_speedup;
	struct sm_judged_stage stages[SM_STAGE_COUNT];
	size_t stage_count;
};

struct sm_judged_finding {
	char id[8], type[48], title[96], where[160], gives_back[64], risk[160];
	double severity, severity_low, severity_high; /* NaN: a risk, or not simulated */
	bool shown;
};

struct sm_judgement {
	enum sm_verdict_class class_;
	char class_name[24]; /* "INPUT_BOUND" */
	char word[24];	     /* "INPUT-BOUND" */
	char title[96];	     /* of the run: "train.py" */
	char sentence[400], missing[400];
	char stall[16], stall_range[32], step[24];
	double stall_share, stall_low, stall_high, hidden_share, ceiling_speedup;
	double steps, mean_step_s, p50_step_s, p95_step_s, samples_per_s;
	double wall_s;
	struct sm_judged_part parts[SM_JUDGEMENT_PARTS];
	size_t part_count;
	struct sm_judged_loader loaders[SM_JUDGEMENT_LOADERS];
	size_t loader_count;
	struct sm_judged_finding
		findings[SM_JUDGEMENT_FINDINGS]; /* as in the report; those with `shown` first */
	size_t finding_count, shown_count, passed_count; /* of all, not only of those above */
};

/* 0 or -ENOMEM. `unicode`: real dashes and signs in its texts. */
int sm_judgement_fill(struct sm_judgement *judgement, const struct sm_report *report, bool unicode);

/* Copies, cut to `bytes` between two characters, without what could harm a screen. */
void sm_judgement_text(char *into, size_t bytes, const char *text);

#endif
