#include "collect/told.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* How much of it the socket took; when the other end is closed, nobody is told any more. */
static size_t hand_over(struct sm_told *told, const char *bytes, size_t count)
{
	ssize_t sent = send(told->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
		told->fd = 0;
	}
	return sent > 0 ? (size_t)sent : 0;
}

static void keep_rest(struct sm_told *told, const char *bytes, size_t count)
{
	memmove(told->rest, bytes, count);
	told->rest_bytes = count;
}

/* Half a line and then another would be neither. */
static void finish_last(struct sm_told *told)
{
	if (told->rest_bytes) {
		size_t sent = hand_over(told, told->rest, told->rest_bytes);
		keep_rest(told, told->rest + sent, told->rest_bytes - sent);
	}
}

void sm_told_say(struct sm_told *told, const char *line)
{
	size_t count = strlen(line);
	if (!told->fd) {
		return;
	}
	finish_last(told);
	size_t sent = told->rest_bytes ? 0 : hand_over(told, line, count);
	if (!sent) {
		told->dropped++;
	} else {
		keep_rest(told, line + sent, count - sent);
	}
}
