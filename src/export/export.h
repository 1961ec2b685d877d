/* Exporters: each writes one format, in one streaming pass over the trace. A `const struct sm_exporter` at the end of
 * export_<format>.c; the list is one word in meson.build. */
#ifndef SM_EXPORT_EXPORT_H
#define SM_EXPORT_EXPORT_H

#include "base/err.h"

#include <stdio.h>

struct sm_exporter {
	const char *name, *suffix, *summary;
	int (*write)(const char *run_path, FILE *out, struct sm_error *reterr);
};

extern const struct sm_exporter *const sm_export_table[];
extern const int sm_export_table_count;
const struct sm_exporter *sm_export_find(const char *name); /* NULL: none */

#endif
