/* The report before it has a format: every sentence, label and figure that a person reads, made once, so that terminal,
 * Markdown and page say the same in the same words. A form decides where things stand, never what they say.
 *
 * Numbers come from the analysis, words of findings from their detectors; what is composed here is only the frame
 * around them. All text is clean (no control bytes, valid UTF-8) but not yet escaped for any format. */
#ifndef SM_REPORT_OUTLINE_H
#define SM_REPORT_OUTLINE_H

#include "report/phrases.h"
#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>

struct sm_outline_pair {
	const char *label, *value;
};

struct sm_outline_part { /* of a mean step */
	const char *name;
	const char *value; /* "97.2 ms" */
	const char *share_text;
	double share;
	char kind; /* 'd' data, 't' transfer, 'h' host, 'c' compute: how a form colours it */
};

struct sm_outline_stage {
	enum sm_stage stage;
	const char *name, *does; /* "transform", "the transforms of a sample" */
	double share;		 /* of the critical path */
	const char *share_text;
	const char *per_step;	    /* its part of a mean step: "108 ms" */
	const char *typical, *slow; /* p50 and p99 of one, "" where none */
	const char *of;		    /* "sample" or "batch": what p50 and p99 are of */
	const char *spent;	    /* "92 % CPU, 6 % blocked"; "" where unknown */
	bool binds;		    /* the largest share */
};

struct sm_outline_suggestion {
	const char *text;
	const char *change; /* "num_workers=6", "" for a change that is no setting */
	const char *gain;   /* "predicted 1.31x faster (1.22-1.38x)" */
	double speedup;	    /* predicted; NaN: it cannot be */
};

struct sm_outline_rule { /* what a finding was judged by */
	const char *summary, *causes, *evidence, *fixes, *wrong;
};

struct sm_outline_finding {
	const struct sm_finding *finding;
	const char *id, *type, *title;
	const char *cause;
	const char *where;	/* "RandomResizedCrop, data.py:88, loader train" */
	const char *gives_back; /* "gives back 24 % (21-26 %)", or "a risk" */
	const char *confidence; /* "high confidence" */
	const char *risk;	/* "" for none */
	bool shown;		/* severity at or above the threshold, or a risk */
	struct sm_outline_pair evidence[SM_EVIDENCE_MAX];
	size_t evidence_count;
	struct sm_outline_suggestion suggestions[SM_SUGGESTION_MAX];
	size_t suggestion_count;
	struct sm_outline_rule rule;
};

struct sm_outline_transform {
	const char *name, *where, *calls, *each, *spent, *share_text;
	double share;
};

struct sm_outline_worker {
	const char *name, *pid, *busy, *cpu, *memory, *read;
};

struct sm_outline_loader {
	const struct sm_loader_analysis *loader;
	const char *name;
	const char *settings; /* "4 workers, batches of 64, prefetch 2, ..." */
	const char *stalls;   /* "stall 31 % of its time, ceiling 1.46x" */
	bool feeds_training;
	struct sm_outline_stage stages[SM_STAGE_COUNT];
	size_t stage_count;
	struct sm_outline_transform *transforms;
	size_t transform_count;
	struct sm_outline_worker *workers;
	size_t worker_count;
	struct sm_outline_pair *slowest; /* index, time */
	size_t slowest_count;
};

struct sm_outline_line {      /* of the job's code */
	const char *where;    /* "job/data.py:88" */
	const char *function; /* whose line it is */
	const char *calls;    /* what it called there; "" */
	const char *stage, *loader, *share_text, *looks;
	const char *spent; /* "92 % native calls, 6 % Python or operators" */
	double share;
};

struct sm_outline_operation { /* in a session */
	const char *name, *type, *count, *inclusive, *own;
	double share; /* its own time, of the session; NaN: in workers only */
	const char *share_text;
	const char *typical, *slow; /* p50 and p99 of one, "" where none ended */
	const char *ceiling;	    /* "1.31x": what the session could gain if it cost nothing */
};

struct sm_outline_session {
	const char *name, *wall;
	const char *state;			 /* "" or why its end is not known */
	struct sm_outline_operation *operations; /* the dearest first */
	size_t operation_count;
	const char **notes; /* what the program itself found in it */
	size_t note_count;
	double rest; /* share in no operation; NaN: threads side by side, so shares do not add up */
	const char *rest_text, *rest_time;
};

struct sm_outline_metric { /* a row of the table: a metric, or one CPU, disk, interface or device of it */
	const char *title, *description;
	const char *mean, *least, *most, *last;
	const char *missing; /* why there is none; "" where there is */
	bool is_part;
};

struct sm_outline_alert {
	const char *at;	   /* "12.5 s", since the run began */
	const char *what;  /* "memory in use" */
	const char *value; /* "83 %" */
	const char *threshold;
	const char *lasted; /* "6.1 s", or "to the end" */
};

struct sm_outline {
	struct sm_arena arena; /* owns everything below */
	struct sm_phrases words;
	const char *title;   /* "train.py" */
	const char *command; /* the whole of it */
	const char *facts;   /* "4 min 12 s, 1,650 steps (20 of them warm-up), 8 ranks" */
	const char *started; /* "2026-01-01 00:00:00 UTC" */
	const char *broken;  /* "" or why the run is incomplete */

	enum sm_verdict_class class_;
	const char *verdict;		 /* "INPUT-BOUND" */
	const char *sentence;		 /* the analysis' own */
	const char *stall, *stall_range; /* "31.4 %", "30.6-32.3 %" */
	const char *hidden;		 /* "2 %" */
	const char *step;		 /* "310 ms" */
	const char *rate;		 /* "206 samples/s" */
	struct sm_outline_part parts[4];
	size_t part_count;

	const char *cause_label; /* "Cause", "Missing", "To do" */
	/* what binds, and where; for COMPUTE_BOUND that there is nothing to fix */
	const char *cause;
	const char *proof; /* the numbers behind it */
	const char *next;  /* one thing to do */
	const char *next_change, *next_gain;
	const char *ceiling_times; /* "1.46x" */
	const char *ceiling; /* "1.46x if input cost nothing; no work on the input can gain more" */

	struct sm_outline_finding *findings;
	size_t finding_count, shown_count;
	const char **passed; /* "SM101 Storage is slow" */
	size_t passed_count;
	struct sm_outline_pair *not_measured; /* what, why */
	size_t not_measured_count;
	struct sm_outline_loader *loaders;
	size_t loader_count;
	const struct sm_outline_loader *training; /* NULL: none feeds the training */
	struct sm_outline_pair *operations;	  /* name, "12 times, 1.2 s, of it 0.3 s its own" */
	size_t operation_count;
	struct sm_outline_line *lines; /* the hottest; empty where no stacks were looked at */
	size_t line_count;
	const char *looks; /* "184,201 looks at Python stacks, ..."; "" without any */
	struct sm_outline_session *sessions;
	size_t session_count;
	struct sm_outline_metric *metrics;
	size_t metric_count;
	struct sm_outline_alert *alerts; /* in order of time */
	size_t alert_count;
	const char *
		watched; /* "Watched: memory in use above 80 %. Not watched: device memory in use." */
	const char *overhead; /* "overhead 0.4 % of one core (1.2 s of CPU time)" */
	const char *quality;  /* "184,201 events, none lost" */
};

/* 0 or -ENOMEM. `unicode`: real dashes and signs. */
int sm_outline_build(struct sm_outline *ret_outline, const struct sm_report *report, bool unicode);
void sm_outline_finish(struct sm_outline *outline); /* fine on a zeroed one */

/* The parts, each in its file. */
void sm_outline_run_build(struct sm_outline *outline, const struct sm_report *report);
void sm_outline_findings_build(struct sm_outline *outline, const struct sm_report *report);
void sm_outline_lines_build(struct sm_outline *outline, const struct sm_report *report);
void sm_outline_monitor_build(struct sm_outline *outline, const struct sm_report *report);
void sm_outline_loaders_build(struct sm_outline *outline, const struct sm_report *report);
void sm_outline_sessions_build(struct sm_outline *outline, const struct sm_report *report);
/* What there is to do about an operation; "" where it took no time of its own. */
const char *sm_outline_sessions_advice(struct sm_phrases *words,
	const struct sm_model_session *session, const struct sm_session_operation *row);
/* One finding in words, its strings in the arena of `words`; it is borrowed, and its loader named where there are several. */
void sm_outline_findings_say(struct sm_phrases *words, const struct sm_finding *finding,
	size_t loader_count, struct sm_outline_finding *ret_row);
/* "memory", "gpu_memory": what an alert of that kind is about, for people. */
const char *sm_outline_monitor_label(struct sm_phrases *words, const char *kind);
/* Of a worker's life, the share inside a fetch; NaN where its life was not seen. */
double sm_outline_loaders_busy_share(const struct sm_worker *worker);
/* Of a suggested change: an argument of a DataLoader (else it is in the text alone); one that is True or False. */
bool sm_outline_findings_is_setting(const struct sm_change *change);
bool sm_outline_findings_is_flag(const struct sm_change *change);
/* NULL sets words.failed */
void *sm_outline_alloc(struct sm_outline *outline, size_t count, size_t bytes);

#endif
