/* The pipeline of each loader with its narrow place, and the tables behind the picture. */
#include "report/html.h"
#include "report/report_html.h"

#include <math.h>

static double width_of(double share)
{
	return share > 0 ? share : 0;
}

/* Ids are of the loader that feeds the training only, so that each stands once in the page. */
static void write_id(
	FILE *out, const struct sm_outline_loader *loader, const char *kind, const char *stage)
{
	if (loader->feeds_training) {
		sm_html_put(out, " id=\"%s-%s\"", kind, stage);
	}
}

static void write_pipe(FILE *out, const struct sm_outline_loader *loader)
{
	if (!loader->stage_count) {
		return;
	}
	sm_html_put(
		out, "<ol class=\"pipe\" aria-label=\"Pipeline of loader %s\">\n", loader->name);
	for (size_t i = 0; i < loader->stage_count; i++) {
		const struct sm_outline_stage *stage = &loader->stages[i];
		sm_html_put(out,
			"<li class=\"s-%s%s\" style=\"flex-grow:%f;--share:%f\" data-stage=\"%s\" "
			"title=\"%s\"",
			stage->name, stage->binds ? " binds" : "", width_of(stage->share),
			width_of(stage->share), stage->name, stage->does);
		write_id(out, loader, "pipe", stage->name);
		sm_html_put(out, "><span class=\"what\">%s</span><b>%s</b><small>%s</small>",
			stage->name, stage->share_text, stage->per_step);
		fputs(stage->binds ? "<em>narrow place</em></li>\n" : "</li>\n", out);
	}
	fputs("</ol>\n<p class=\"note\">Width: share of the critical path, and its part of a mean "
	      "step.</p>\n",
		out);
}

static void write_stage_rows(FILE *out, const struct sm_outline_loader *loader)
{
	for (size_t i = 0; i < loader->stage_count; i++) {
		const struct sm_outline_stage *stage = &loader->stages[i];
		sm_html_put(out, "<tr class=\"s-%s%s\"", stage->name, stage->binds ? " binds" : "");
		write_id(out, loader, "stage", stage->name);
		sm_html_put(out,
			"><th scope=\"row\"><i class=\"dot\"></i>%s <small>%s</small></th>",
			stage->name, stage->does);
		sm_html_put(out, "<td class=\"n\">%s</td><td class=\"n\">%s</td>",
			stage->share_text, stage->per_step);
		sm_html_put(out, "<td class=\"n\">%s</td><td class=\"n\">%s</td><td>%s</td>",
			stage->typical, stage->slow, *stage->typical ? stage->of : "");
		sm_html_put(out, "<td>%s</td></tr>\n", stage->spent);
	}
}

static void write_stages(FILE *out, const struct sm_outline_loader *loader)
{
	fputs("<div class=\"scroll\"><table><caption>Stages</caption><thead><tr><th "
	      "scope=\"col\">stage</th>"
	      "<th scope=\"col\" class=\"n\">critical path</th><th scope=\"col\" class=\"n\">a "
	      "step</th>"
	      "<th scope=\"col\" class=\"n\">median</th><th scope=\"col\" class=\"n\">99th</th>"
	      "<th scope=\"col\">of a</th><th scope=\"col\">spent</th></tr></thead><tbody>\n",
		out);
	write_stage_rows(out, loader);
	fputs("</tbody></table></div>\n", out);
}

static void write_transforms(FILE *out, const struct sm_outline_loader *loader)
{
	if (!loader->transform_count) {
		return;
	}
	fputs("<div class=\"scroll\"><table><caption>Transforms</caption><thead><tr><th "
	      "scope=\"col\">transform</th>"
	      "<th scope=\"col\">where</th><th scope=\"col\" class=\"n\">critical path</th>"
	      "<th scope=\"col\" class=\"n\">calls</th><th scope=\"col\" class=\"n\">each</th>"
	      "<th scope=\"col\">spent</th></tr></thead><tbody>\n",
		out);
	for (size_t i = 0; i < loader->transform_count; i++) {
		const struct sm_outline_transform *row = &loader->transforms[i];
		sm_html_put(out,
			"<tr><th scope=\"row\">%s</th><td><code>%s</code></td><td "
			"class=\"n\">%s</td>",
			row->name, row->where, row->share_text);
		sm_html_put(out, "<td class=\"n\">%s</td><td class=\"n\">%s</td><td>%s</td></tr>\n",
			row->calls, row->each, row->spent);
	}
	fputs("</tbody></table></div>\n", out);
}

static void write_workers(FILE *out, const struct sm_outline_loader *loader)
{
	if (!loader->worker_count) {
		return;
	}
	fputs("<div class=\"scroll\"><table "
	      "class=\"narrow\"><caption>Workers</caption><thead><tr><th "
	      "scope=\"col\">worker</th>"
	      "<th scope=\"col\" class=\"n\">pid</th><th scope=\"col\" class=\"n\">busy</th>"
	      "<th scope=\"col\" class=\"n\">CPU</th><th scope=\"col\" class=\"n\">memory</th>"
	      "<th scope=\"col\" class=\"n\">read</th></tr></thead><tbody>\n",
		out);
	for (size_t i = 0; i < loader->worker_count; i++) {
		const struct sm_outline_worker *row = &loader->workers[i];
		sm_html_put(out,
			"<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td><td "
			"class=\"n\">%s</td>",
			row->name, row->pid, row->busy);
		sm_html_put(out,
			"<td class=\"n\">%s</td><td class=\"n\">%s</td><td "
			"class=\"n\">%s</td></tr>\n",
			row->cpu, row->memory, row->read);
	}
	fputs("</tbody></table></div>\n", out);
}

static void write_slowest(FILE *out, const struct sm_outline_loader *loader)
{
	if (!loader->slowest_count) {
		return;
	}
	fputs("<div class=\"scroll\"><table class=\"narrow\"><caption>Slowest "
	      "samples</caption><thead><tr>"
	      "<th scope=\"col\">index</th><th scope=\"col\" "
	      "class=\"n\">took</th></tr></thead><tbody>\n",
		out);
	for (size_t i = 0; i < loader->slowest_count; i++) {
		sm_html_put(out,
			"<tr><th scope=\"row\"><code>%s</code></th><td class=\"n\">%s</td></tr>\n",
			loader->slowest[i].label, loader->slowest[i].value);
	}
	fputs("</tbody></table></div>\n", out);
}

static void write_loader(FILE *out, const struct sm_outline_loader *loader)
{
	sm_html_put(out,
		"<section class=\"loader\"><h3>Loader %s</h3>\n<p class=\"settings\">%s</p>\n",
		loader->name, loader->settings);
	sm_html_put(out, "<p class=\"note\">%s</p>\n", loader->stalls);
	if (!loader->feeds_training) {
		write_pipe(out, loader);
	}
	write_stages(out, loader);
	write_transforms(out, loader);
	write_workers(out, loader);
	write_slowest(out, loader);
	fputs("</section>\n", out);
}

void sm_report_html_loaders_pipeline_write(FILE *out, const struct sm_outline *outline)
{
	if (!outline->training || !outline->training->stage_count) {
		return;
	}
	fputs("<section id=\"pipeline\"><h2>Where the time goes</h2>\n", out);
	write_pipe(out, outline->training);
	fputs("</section>\n", out);
}

void sm_report_html_loaders_write(FILE *out, const struct sm_outline *outline)
{
	if (!outline->loader_count) {
		return;
	}
	fputs("<section id=\"loaders\"><h2>Loaders</h2>\n", out);
	for (size_t i = 0; i < outline->loader_count; i++) {
		write_loader(out, &outline->loaders[i]);
	}
	fputs("</section>\n", out);
}
