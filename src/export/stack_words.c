#include "export/stack_words.h"

#include "trace/trace_reader.h"

#include <stddef.h>
#include <string.h>

const char *sm_stack_words_state(uint8_t state)
{
	static const char *const words[SM_TRACE_STACK_STATE_COUNT] = {
		[SM_TRACE_STACK_UNKNOWN] = "",
		[SM_TRACE_STACK_RUNNING] = "",
		[SM_TRACE_STACK_RUNNABLE] = "runnable",
		[SM_TRACE_STACK_LOCK] = "lock",
		[SM_TRACE_STACK_SLEEP] = "sleep",
		[SM_TRACE_STACK_SOCKET] = "socket",
		[SM_TRACE_STACK_FILE] = "file",
		[SM_TRACE_STACK_IDLE] = "pipe",
		[SM_TRACE_STACK_POLL] = "poll",
		[SM_TRACE_STACK_BLOCKED] = "blocked",
	};
	state &= SM_TRACE_STACK_STATE_MASK;
	return state < SM_TRACE_STACK_STATE_COUNT ? words[state] : "";
}

const char *sm_stack_words_file(const char *path)
{
	static const char *const folders[] = {"/site-packages/", "/dist-packages/"};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const char *found = strstr(path, folders[i]);
		if (found) {
			return found + strlen(folders[i]);
		}
	}
	const char *last = strrchr(path, '/');
	const char *before = last ? memrchr(path, '/', (size_t)(last - path)) : NULL;
	return before ? before + 1 : path;
}
