/* What one call costs: the readings of a span's two edges (record/cause.h), without a session and without a file.
 *
 * The wall clock is read last at the begin and first at the end, next to the call itself; so of everything read here only one
 * look at the clock is in its own figure. */
#include <stallmeter/calls.h>

#include "base/clock.h"
#include "base/mem.h"
#include "record/cause.h"

#include <errno.h>
#include <math.h>

enum { BLOCK_BYTES = 512 }; /* unit of ru_inblock */

struct sm_call_meter {
	struct sm_cause_source source;
	struct sm_cause_reading begin;
	int64_t begin_ns;
};

int sm_call_meter_open(struct sm_call_meter **ret_meter)
{
	struct sm_call_meter *meter = sm_mem_calloc(1, sizeof(*meter));
	if (!meter) {
		return -ENOMEM;
	}
	*ret_meter = meter;
	return 0;
}

void sm_call_meter_begin(struct sm_call_meter *meter)
{
	sm_cause_read_begin(&meter->source, &meter->begin);
	meter->begin_ns = sm_clock_mono_ns();
}

static double seconds(uint64_t ns, unsigned missing)
{
	return missing ? (double)NAN : (double)ns * 1e-9;
}

/* Clocks that are read one after the other may disagree by what lies between: less than nothing is nothing. */
static double rest(double wall_s, double cpu_s, double run_delay_s)
{
	double left = wall_s - cpu_s - run_delay_s;
	return left < 0 ? 0 : left;
}

/* The CPU clock is a system call, inside its own figure: of a call of a microsecond that is more than all of it. And a thread that
 * loses its CPU between the readings has a delay that lies outside the call. */
static double within(double part_s, double whole_s)
{
	return part_s > whole_s ? whole_s : part_s;
}

static uint64_t beyond(uint64_t all, uint64_t own)
{
	return all > own ? all - own : 0;
}

void sm_call_meter_end(struct sm_call_meter *meter, struct sm_call_cost *ret_cost)
{
	int64_t end_ns = sm_clock_mono_ns();
	struct sm_cause_reading end;
	sm_cause_read_end(&meter->source, &end);
	const struct sm_ring_cause cause = sm_cause_between(&meter->begin, &end);
	struct sm_call_cost cost = {
		.wall_s = (double)(end_ns - meter->begin_ns) * 1e-9,
		.cpu_s = seconds(cause.cpu_ns, cause.missing & SM_CAUSE_NO_THREAD_CPU),
		.helper_cpu_s = seconds(beyond(cause.process_cpu_ns, cause.cpu_ns),
			cause.missing & (SM_CAUSE_NO_PROCESS_CPU | SM_CAUSE_NO_THREAD_CPU)),
		.run_delay_s = seconds(cause.run_delay_ns, cause.missing & SM_CAUSE_NO_RUN_DELAY),
		.read_bytes = (double)cause.block_inputs * BLOCK_BYTES,
		.minor_faults = cause.minor_faults,
		.major_faults = cause.major_faults,
	};
	cost.cpu_s = within(cost.cpu_s, cost.wall_s);
	cost.run_delay_s = within(cost.run_delay_s, cost.wall_s - cost.cpu_s);
	cost.blocked_s = rest(cost.wall_s, cost.cpu_s, cost.run_delay_s);
	*ret_cost = cost;
}

void sm_call_meter_close(struct sm_call_meter *meter)
{
	if (meter) {
		sm_cause_close(&meter->source);
		sm_mem_free(meter);
	}
}
