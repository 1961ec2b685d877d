/* The table of workers: as many as have room, from the one that was scrolled to, in the order that was asked for. */
#include "live/picture.h"

#include <math.h>
#include <stdlib.h>

enum { NAME = 22, NARROW_NAME = 18, PID = 8, NUMBER = 7, BYTES = 12, STATE = 26 };

static int name_width(const struct sm_picture *page)
{
	return page->options.columns >= 90 ? NAME : NARROW_NAME;
}

/* What is not known sorts behind what is. */
static double value_of(const struct sm_view_worker *worker, enum sm_picture_sort sort)
{
	const double values[] = {0, worker->busy_share, worker->cpu_share, worker->rss_bytes,
		worker->read_bytes_per_s};
	return isnan(values[sort]) ? -INFINITY : values[sort];
}

struct row {
	const struct sm_view_worker *worker;
	double value;
};

/* Equal ones stay in the order of loaders and indices. */
static int largest_first(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	return a->value < b->value ? 1 : a->value > b->value ? -1 : a->worker > b->worker ? 1 : -1;
}

static void column(struct sm_picture *page, struct sm_picture_line *line, enum sm_paint paint,
	const char *text, int width)
{
	int from = line->used;
	sm_picture_put(page, line, paint, text, width - 1);
	sm_picture_pad(page, line, from + width);
}

static void add_heading(
	struct sm_picture *page, const struct sm_view *view, size_t first, size_t shown)
{
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_CORE);
	bool all = shown == view->worker_count;
	const char *name = all ? "Worker"
			       : sm_phrases_printf(&page->words, "Worker %zu-%zu of %zu", first + 1,
					 first + shown, view->worker_count);
	column(page, line, SM_DIM, name, name_width(page));
	column(page, line, SM_DIM, "pid", PID);
	column(page, line, SM_DIM, "busy", NUMBER);
	column(page, line, SM_DIM, "CPU", NUMBER);
	column(page, line, SM_DIM, "memory", BYTES);
	column(page, line, SM_DIM, "read", BYTES);
	sm_picture_put(page, line, SM_DIM, "state", STATE);
}

/* A dash where nothing is known. */
static const char *share(struct sm_picture *page, double value)
{
	return isnan(value) ? "-" : sm_phrases_share(&page->words, value);
}

static const char *bytes(struct sm_picture *page, double value, const char *per)
{
	return isnan(value) ? "-"
			    : sm_phrases_printf(&page->words, "%s%s",
				      sm_phrases_bytes(&page->words, value), per);
}

static const char *name_of(
	struct sm_picture *page, const struct sm_view *view, const struct sm_view_worker *worker)
{
	const struct sm_view_loader *loader = &view->loaders[worker->loader];
	return view->ranks > 1 && loader->rank >= 0
		       ? sm_phrases_printf(&page->words, "%s %d.%d", loader->name, loader->rank,
				 worker->index)
		       : sm_phrases_printf(&page->words, "%s %d", loader->name, worker->index);
}

static enum sm_paint doing_paint(const struct sm_view_worker *worker)
{
	return worker->doing == SM_VIEW_FETCHING ? SM_GREEN
	       : worker->doing == SM_VIEW_ENDED	 ? SM_DIM
						 : SM_PLAIN;
}

static void add_worker(
	struct sm_picture *page, const struct sm_view *view, const struct sm_view_worker *worker)
{
	struct sm_phrases *words = &page->words;
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_CORE);
	column(page, line, SM_PLAIN, name_of(page, view, worker), name_width(page));
	column(page, line, SM_PLAIN,
		sm_phrases_printf(words, "%d", worker->tid ? (int)worker->tid : worker->pid), PID);
	column(page, line, worker->busy_share >= 0.9 ? SM_BOLD : SM_PLAIN,
		share(page, worker->busy_share), NUMBER);
	column(page, line, SM_PLAIN, share(page, worker->cpu_share), NUMBER);
	column(page, line, SM_PLAIN, bytes(page, worker->rss_bytes, ""), BYTES);
	column(page, line, SM_PLAIN, bytes(page, worker->read_bytes_per_s, "/s"), BYTES);
	sm_picture_put(page, line, doing_paint(worker), sm_view_doing_name(worker->doing), 10);
	if (!isnan(worker->doing_s) && worker->doing_s >= 0.1) {
		sm_picture_put(page, line, SM_DIM,
			sm_phrases_printf(words, " %s", sm_phrases_seconds(words, worker->doing_s)),
			16);
	}
}

/* options.rows is what is left for the table; one row is its heading. */
void sm_picture_workers(struct sm_picture *page, const struct sm_view *view)
{
	struct row rows[SM_VIEW_WORKERS];
	size_t count = view->worker_count,
	       room = page->options.rows > 1 ? (size_t)page->options.rows - 1 : 0;
	size_t shown = count < room ? count : room;
	size_t first = page->options.scroll;
	if (!shown) {
		return;
	}
	first = first + shown > count ? count - shown : first;
	for (size_t i = 0; i < count; i++) {
		rows[i] = (struct row){
			&view->workers[i], value_of(&view->workers[i], page->options.sort)};
	}
	qsort(rows, count, sizeof(rows[0]), largest_first);
	add_heading(page, view, first, shown);
	for (size_t i = first; i < first + shown; i++) {
		add_worker(page, view, rows[i].worker);
	}
	page->workers_first = first;
	page->workers_shown = shown;
}
