/* Writes one form of one sample report: report_make SAMPLE json|term|md|html [COLUMNS [colour]]. Without arguments, the
 * names of the samples. Colour also means Unicode. */
#include "report_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_form(const struct sm_report *report, const char *form, int columns, bool fancy)
{
	struct sm_report_style style = {.colour = fancy, .unicode = fancy, .columns = columns};
	if (strcmp(form, "json") == 0) {
		return sm_report_json(report, stdout);
	}
	if (strcmp(form, "term") == 0) {
		return sm_report_term(report, &style, stdout);
	}
	if (strcmp(form, "md") == 0) {
		return sm_report_markdown(report, stdout);
	}
	return strcmp(form, "html") == 0 ? sm_report_html(report, stdout) : 2;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		for (int i = 0; i < report_sample_count; i++) {
			puts(report_sample_names[i]);
		}
		return argc == 1 ? 0 : 2;
	}
	const struct sm_report *report = report_sample(argv[1]);
	int columns = argc > 3 ? atoi(argv[3]) : 100;
	int rc = report ? write_form(report, argv[2], columns, argc > 4) : 2;
	if (rc < 0) {
		fprintf(stderr, "%s\n", sm_error_text(rc));
	}
	return rc ? 1 : 0;
}
