/* Detectors: each looks at one analysis and appends findings, as numbers. Words are templates beside the numbers.
 *
 * A detector is a `const struct sm_detector` at the end of detect_<name>.c; the list is one word in meson.build. */
#ifndef SM_DETECT_DETECT_H
#define SM_DETECT_DETECT_H

#include "analyze/analysis.h"
#include "predict/loader_model.h"

#include <stdbool.h>
#include <stddef.h>

enum sm_confidence { SM_CONFIDENCE_LOW, SM_CONFIDENCE_MEDIUM, SM_CONFIDENCE_HIGH };

enum { SM_EVIDENCE_MAX = 12, SM_SUGGESTION_MAX = 4, SM_CHANGE_MAX = 4 };

struct sm_evidence {
	const char *metric; /* snake case, ends in its unit where it has one */
	double value;
	const char *unit; /* "share", "s", "bytes", "count", "cores" */
};

struct sm_change {
	const char *key;
	int64_t value;
}; /* DataLoader argument, or worker_threads; -1 for a change that is no setting */

struct sm_suggestion {
	const char *text; /* one sentence: a template of the detector, filled by detect/words.c */
	struct sm_change changes[SM_CHANGE_MAX];
	size_t change_count;
	struct sm_interval speedup; /* predicted; NaN when it cannot be predicted */
};

struct sm_finding {
	const struct sm_detector *detector;
	const char *title;			      /* NULL: the detector's */
	const char *cause, *cause_detail;	      /* "" without one */
	double severity, severity_low, severity_high; /* NaN: a risk or symptom */
	enum sm_confidence confidence;
	int rank;		 /* -1: none */
	const char *loader;	 /* NULL: the run */
	enum sm_stage stage;	 /* SM_STAGE_COUNT: none */
	const char *name, *file; /* "" unknown */
	int line;
	const char *function, *calls; /* whose line it is, and what it calls there; NULL unknown */
	const char *risk; /* NULL, or what will follow: a template as a suggestion's text */
	int order; /* among findings of one size lower comes first: the detector's place in the list, unless it says otherwise */
	struct sm_evidence evidence[SM_EVIDENCE_MAX];
	size_t evidence_count;
	struct sm_suggestion suggestions[SM_SUGGESTION_MAX];
	size_t suggestion_count;
};

struct sm_findings {
	struct sm_arena *arena;	  /* borrowed: the model's */
	struct sm_finding *items; /* owned by the arena; sorted by severity, risks last */
	size_t count, capacity;
	const struct sm_detector **passed; /* ran, had what they need, found nothing */
	size_t passed_count;
	struct sm_pair *not_judged; /* key: detector id, value: what it lacked */
	size_t not_judged_count;
};

/* What a detector must have to judge. When it has not, it neither fires nor passes: it says why. */
enum sm_need {
	SM_NEED_MODEL = 1,    /* a loader that can be simulated */
	SM_NEED_CAUSES = 2,   /* spans with causes */
	SM_NEED_COUNTERS = 4, /* the collector's samples */
	SM_NEED_SAMPLES = 8,  /* per-sample times */
	SM_NEED_STEPS = 16,   /* enough steps to judge at all */
};

/* A threshold that the texts of a detector name as {NAME}. */
struct sm_bound {
	const char *name;
	int value;
};
/* clang-format off */
#define SM_BOUND(constant) {#constant, constant}
/* clang-format on */

struct sm_judge;       /* judge.h: what a detector is given */
struct sm_judge_calls; /* judge_calls.h: what a rule of calls is given */

struct sm_detector {
	const char *id, *type;	       /* "SM105", "PREPROCESSING_BOTTLENECK" */
	const struct sm_bound *bounds; /* ends with a NULL name; NULL without any */
	const char *title;	       /* "A transform is slow" */
	const char *summary;	       /* one sentence: what it is */
	/* Texts below are templates: sm_words_explain (words.h) puts the bounds in. */
	const char *causes;   /* a line a cause, "word: what it means"; "" without causes */
	const char *evidence; /* what must be seen, with thresholds, their reasons and sources */
	const char *fixes;    /* in order of gain */
	const char *wrong;    /* how it can be wrong */
	unsigned needs;	      /* enum sm_need, or-ed */
	/* One of the three; all append findings and return 0 or an error. */
	int (*look_at_loader)(const struct sm_judge *judge); /* for each that can be judged */
	int (*look_at_run)(const struct sm_judge *judge);    /* once; judge->loader is NULL */
	/* Once for the calls of a function: SM2xx, which no run is judged by. Its `needs` are its own to tell. */
	int (*look_at_calls)(const struct sm_judge_calls *judge);
};

/* bottleneck_threshold: below, findings are kept but not shown first */
enum { SM_SEVERITY_SHOWN_PERCENT = 5 };
/* two laws this close: the model cannot tell which is the larger */
enum { SM_SEVERITY_ALIKE_PERCENT = 5 };

int sm_detect_run(const struct sm_analysis *analysis, struct sm_findings *ret_findings);
extern const struct sm_detector *const sm_detect_table[];
extern const int sm_detect_table_count;
const struct sm_detector *sm_detect_find(const char *id_or_type); /* NULL: none */
int sm_detect_place(const struct sm_detector *detector);	  /* in the table */
/* Calls one detector and notes that it passed where it added nothing and lacked nothing. 0 or its error. */
int sm_detect_note(const struct sm_detector *detector, struct sm_findings *findings,
	int (*look)(const struct sm_detector *, const void *subject, struct sm_findings *),
	const void *subject);
/* Room for the results, words and order: what stands around any row of detectors. 0 or -ENOMEM. */
int sm_detect_begin(struct sm_findings *findings, struct sm_arena *arena);
int sm_detect_end(struct sm_findings *findings);

const char *sm_detect_confidence_name(enum sm_confidence confidence); /* "high" */

/* For detectors. */
struct sm_finding *sm_findings_add(struct sm_findings *findings, const struct sm_detector *detector,
	const struct sm_loader_analysis *loader); /* NULL: no memory */
/* The detector ran and could not judge; the first reason stays. 0 or -ENOMEM. */
int sm_findings_lack(
	struct sm_findings *findings, const struct sm_detector *detector, const char *why);
void sm_findings_sort(struct sm_findings *findings);
/* For reports: findings with a severity of at least SM_SEVERITY_SHOWN_PERCENT. Where it is 0 there is nothing to fix;
 * risks (severity NaN) stand behind them and are said all the same. */
size_t sm_findings_shown_count(const struct sm_findings *findings);

void sm_finding_evidence(
	struct sm_finding *finding, const char *metric, double value, const char *unit);
/* `text` is a template: {key} stands for a change of this suggestion or a metric of the evidence, {name} and {loader} for
 * where. Filled once, after the detector has run. NULL when full. */
struct sm_suggestion *sm_finding_suggest(struct sm_finding *finding, const char *text);
void sm_finding_change(struct sm_suggestion *suggestion, const char *key, int64_t value);
/* `where` is "train.py:41", or "". */
int sm_finding_place(
	struct sm_finding *finding, struct sm_arena *arena, const char *name, const char *where);
void sm_finding_doubt(struct sm_finding *finding); /* one level less confident */

#endif
