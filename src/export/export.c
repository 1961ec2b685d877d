#include "export/export.h"

#include <string.h>

#define ENTRY(word) extern const struct sm_exporter sm_export_##word;
#include "export_list.inc"
#undef ENTRY

const struct sm_exporter *const sm_export_table[] = {
#define ENTRY(word) &sm_export_##word,
#include "export_list.inc"
#undef ENTRY
};
const int sm_export_table_count = sizeof(sm_export_table) / sizeof(sm_export_table[0]);

const struct sm_exporter *sm_export_find(const char *name)
{
	for (int i = 0; i < sm_export_table_count; i++) {
		if (!strcmp(sm_export_table[i]->name, name)) {
			return sm_export_table[i];
		}
	}
	return NULL;
}
