/* /proc/net/dev: traffic of every interface of this network namespace. Interfaces come and go; each is known by its
 * index, looked up once when its name is first seen. */
#include "probe/source.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINKS_MAX = 128, NAME_MAX_BYTES = 16, ROOT_MAX_BYTES = 512, COLUMNS_TO_SEND = 7 };

struct net {
	struct sm_source dev;
	char root[ROOT_MAX_BYTES];
	struct link {
		char name[NAME_MAX_BYTES];
		int64_t index;
	} link[LINKS_MAX];
	int count;
};

static int open_net(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct net *net = state;
	int length = snprintf(net->root, sizeof(net->root), "%s", root);
	if (length < 0 || length >= ROOT_MAX_BYTES) {
		return sm_source_refuse(why, ENAMETOOLONG, "/proc/net/dev");
	}
	return sm_source_open(&net->dev, why, root, "/proc/net/dev");
}

static bool look_up(const struct net *net, const char *name, int64_t *ret_index)
{
	char text[32];
	if (strchr(name, '/') || name[0] == '.' ||
		sm_source_read_once(
			text, sizeof(text), net->root, "/sys/class/net/%s/ifindex", name) <= 0) {
		return false;
	}
	*ret_index = strtol(text, NULL, 10);
	return *ret_index > 0;
}

/* The index of an interface, or -1. */
static int64_t find_link(struct net *net, const struct sm_scan *name)
{
	for (int i = 0; i < net->count; i++) {
		if (sm_scan_is(name, net->link[i].name)) {
			return net->link[i].index;
		}
	}
	size_t length = (size_t)(name->end - name->at);
	if (net->count == LINKS_MAX || length == 0 || length >= NAME_MAX_BYTES) {
		return -1;
	}
	struct link *link = &net->link[net->count];
	memcpy(link->name, name->at, length);
	link->name[length] = '\0';
	if (!look_up(net, link->name, &link->index)) {
		return -1;
	}
	net->count++;
	return link->index;
}

/* "  eth0: 286200768 6373 0 0 0 0 0 0 372928 4051 ..." */
static void emit_link(struct net *net, struct sm_scan line, const struct sm_probe_sink *sink)
{
	const char *colon = memchr(line.at, ':', (size_t)(line.end - line.at));
	if (!colon) {
		return; /* one of the two headings */
	}
	struct sm_scan before = {.at = line.at, .end = colon}, name;
	struct sm_scan numbers = {.at = colon + 1, .end = line.end};
	uint64_t received, sent;
	if (!sm_scan_word(&before, &name) || !sm_scan_u64(&numbers, &received) ||
		!sm_scan_skip(&numbers, COLUMNS_TO_SEND) || !sm_scan_u64(&numbers, &sent)) {
		return;
	}
	int64_t index = find_link(net, &name);
	if (index > 0) {
		sm_probe_emit(sink, SM_METRIC_NET_RECEIVE, index, (double)received);
		sm_probe_emit(sink, SM_METRIC_NET_SEND, index, (double)sent);
	}
}

static int sample_net(void *state, const struct sm_probe_sink *sink)
{
	struct net *net = state;
	struct sm_scan text, line;
	int r = sm_source_read(&net->dev, &text);
	if (r < 0) {
		return r;
	}
	while (sm_scan_line(&text, &line)) {
		emit_link(net, line, sink);
	}
	return 0;
}

static void close_net(void *state)
{
	struct net *net = state;
	sm_source_close(&net->dev);
}

const struct sm_probe sm_probe_net = {
	.name = "net",
	.summary = "bytes through every network interface of this namespace",
	.tier = SM_TIER_SECOND,
	.groups = SM_TRACKING_IO,
	.state_bytes = sizeof(struct net),
	.open = open_net,
	.sample = sample_net,
	.close = close_net,
};
