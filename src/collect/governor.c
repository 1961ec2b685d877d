/* Judged over windows of five seconds, long enough for a few rounds of the slow tiers at any rate. What it costs to start
 * (opening files, learning the host) is in no window: the first begins with the first round. Draining is not
 * counted: it costs what the job records, and waiting longer makes it no cheaper. */
#include "collect/governor.h"

#define SECOND_NS 1000000000LL
#define WINDOW_NS (5 * SECOND_NS)
/* A slower rate costs half as much at best, so this leaves a gap in which nothing is changed. */
#define CHEAP_PART 0.4

void sm_governor_init(struct sm_governor *governor, double budget_share)
{
	*governor = (struct sm_governor){.budget_share = budget_share, .slowdown = 1};
}

static void judge(struct sm_governor *governor, double share)
{
	if (share > governor->budget_share && governor->slowdown < SM_GOVERNOR_SLOWDOWN_MAX) {
		governor->slowdown *= 2;
	} else if (share < CHEAP_PART * governor->budget_share && governor->slowdown > 1) {
		governor->slowdown /= 2;
	}
}

int sm_governor_note(struct sm_governor *governor, int64_t now_ns, int64_t cpu_ns)
{
	if (!governor->window_begin_ns) {
		governor->window_begin_ns = now_ns;
		return governor->slowdown;
	}
	governor->spent_ns += cpu_ns;
	int64_t window_ns = now_ns - governor->window_begin_ns;
	if (window_ns >= WINDOW_NS) {
		judge(governor, (double)governor->spent_ns / (double)window_ns);
		governor->window_begin_ns = now_ns;
		governor->spent_ns = 0;
	}
	return governor->slowdown;
}
