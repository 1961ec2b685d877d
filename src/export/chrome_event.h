/* Events of Chrome's trace JSON, one object a line, and what they need to know of names and tracks. */
#ifndef SM_EXPORT_CHROME_EVENT_H
#define SM_EXPORT_CHROME_EVENT_H

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "base/vocabulary.h"
#include "export/open_spans.h"

enum {
	SM_CHROME_MACHINE = 0,		     /* the track of counters that are no process's */
	SM_CHROME_SECOND_OF_A_PID = 1 << 23, /* above every pid of Linux */
};

struct sm_chrome_name {
	const char *text; /* in arena */
	enum sm_role role;
};

struct sm_chrome {
	struct sm_json json;
	struct sm_arena arena;
	struct sm_map names;   /* process << 32 | id -> struct sm_chrome_name */
	struct sm_map samples; /* metric << 48 ^ instance -> struct last_sample */
	struct sm_map pids;    /* pid -> ordinal that has it as its track */
	struct sm_map tracks;  /* ordinal -> pid of its track */
	struct sm_open_spans open;
};

enum sm_chrome_end { SM_CHROME_ENDED, SM_CHROME_END_LOST, SM_CHROME_NEVER_ENDED };

const struct sm_chrome_name *sm_chrome_event_name(
	const struct sm_chrome *chrome, uint32_t process, uint32_t id); /* never NULL */
int64_t sm_chrome_event_track(const struct sm_chrome *chrome, uint32_t process);

/* All return 0, or -EIO. */
int sm_chrome_event_metadata(
	struct sm_chrome *chrome, const char *what, int64_t pid, int64_t tid, const char *name);
int sm_chrome_event_span(struct sm_chrome *chrome, const struct sm_open_thread *thread,
	const struct sm_open_span *span, int64_t end_ns, enum sm_chrome_end how);
int sm_chrome_event_mark(
	struct sm_chrome *chrome, struct sm_open_thread *thread); /* the one that waits, if any */
int sm_chrome_event_value(struct sm_chrome *chrome, const char *name, int64_t pid, int64_t tid,
	int64_t time_ns, double value);
int sm_chrome_event_instant(struct sm_chrome *chrome, const char *name, int64_t pid,
	int64_t time_ns); /* of a whole process */

#endif
