/* Lines for whoever listens at the other end of a socket. Nobody is waited for: what finds no room is dropped and counted. */
#ifndef SM_COLLECT_TOLD_H
#define SM_COLLECT_TOLD_H

#include <stddef.h>
#include <stdint.h>

enum { SM_TOLD_LINE = 256 };

struct sm_told {
	int fd;			 /* borrowed; 0: nobody listens */
	char rest[SM_TOLD_LINE]; /* of a line of which the socket took only a part */
	size_t rest_bytes;
	uint64_t dropped;
};

/* `line` ends with a newline and is shorter than SM_TOLD_LINE. */
void sm_told_say(struct sm_told *told, const char *line);

#endif
