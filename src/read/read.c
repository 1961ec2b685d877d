#include <stallmeter/read.h>

#include "read/reading.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 100 };

struct sm_read {
	struct sm_reading reading;
	char *path; /* owned */
};

static int refuse(char why[SM_READ_WHY], int rc, const struct sm_error *error)
{
	snprintf(why, SM_READ_WHY, "%s", error->msg[0] ? error->msg : sm_error_text(rc));
	return rc;
}

/* The path is kept: the report names it. */
static struct sm_read *create(const char *path)
{
	size_t bytes = strlen(path) + 1;
	struct sm_read *read = sm_mem_calloc(1, sizeof(*read));
	char *copy = sm_mem_calloc(1, bytes);
	if (!read || !copy) {
		sm_mem_free(read);
		sm_mem_free(copy);
		return NULL;
	}
	memcpy(copy, path, bytes);
	read->path = copy;
	return read;
}

int sm_read_open(struct sm_read **ret_read, const char *path, char why[SM_READ_WHY])
{
	struct sm_error error = {0};
	struct sm_read *read = create(path);
	int rc = read ? sm_reading_build(&read->reading, read->path, NULL, &error) : -ENOMEM;
	if (rc) {
		sm_read_close(read);
		return refuse(why, rc, &error);
	}
	*ret_read = read;
	return 0;
}

int sm_read_write(const struct sm_read *read, enum sm_read_form form, FILE *out)
{
	const struct sm_report *report = &read->reading.report;
	const struct sm_report_style plain = {.unicode = true, .columns = COLUMNS};
	switch (form) {
	case SM_READ_JSON:
		return sm_report_json(report, out);
	case SM_READ_HTML:
		return sm_report_html(report, out);
	case SM_READ_MARKDOWN:
		return sm_report_markdown(report, out);
	case SM_READ_TEXT:
		return sm_report_term(report, &plain, out);
	}
	return -EINVAL;
}

void sm_read_close(struct sm_read *read)
{
	if (read) {
		sm_reading_finish(&read->reading);
		sm_mem_free(read->path);
		sm_mem_free(read);
	}
}
