#include "record/environment.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

const char *sm_environment_live_directory(void)
{
	const char *directory = getenv("STALLMETER_LIVE");
	return directory && *directory ? directory : NULL;
}

int sm_environment_rank(void)
{
	const char *text = getenv("RANK");
	char *end;
	if (!text || !*text) {
		return -1;
	}
	long rank = strtol(text, &end, 10);
	return *end == '\0' && rank >= 0 && rank <= INT_MAX ? (int)rank : -1;
}
