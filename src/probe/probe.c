#include "probe/probe.h"

#include <string.h>

#define ENTRY(word) extern const struct sm_probe sm_probe_##word;
#include "probe_list.inc"
#undef ENTRY

const struct sm_probe *const sm_probe_table[] = {
#define ENTRY(word) &sm_probe_##word,
#include "probe_list.inc"
#undef ENTRY
};
const int sm_probe_table_count = sizeof(sm_probe_table) / sizeof(sm_probe_table[0]);

const struct sm_probe *sm_probe_find(const char *name)
{
	for (int i = 0; i < sm_probe_table_count; i++) {
		if (!strcmp(sm_probe_table[i]->name, name)) {
			return sm_probe_table[i];
		}
	}
	return NULL;
}
