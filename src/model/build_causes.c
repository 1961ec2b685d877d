/* Where the time of nested spans went, without counting any of it twice.
 *
 * A span that carries its cause tells of itself and of all in it. What its inner spans told of themselves is taken off;
 * the rest belongs to the span's own time and to the inner spans that were too cheap to be asked, and is shared
 * between them in proportion to their wall time. A span without a cause passes its time on to the next one around it
 * that has one. So the sums of the parts are the sums of the whole, whichever spans were asked. */
#include "model/build.h"

static int64_t at_least_zero(int64_t value)
{
	return value < 0 ? 0 : value;
}

void sm_build_causes_add(struct sm_cause_sum *into, const struct sm_cause_sum *from)
{
	into->wall_ns += from->wall_ns;
	into->cpu_ns += from->cpu_ns;
	into->run_delay_ns += from->run_delay_ns;
	into->helper_cpu_ns += from->helper_cpu_ns;
	into->blocked_input_ns += from->blocked_input_ns;
	into->block_inputs += from->block_inputs;
	into->minor_faults += from->minor_faults;
	into->major_faults += from->major_faults;
	into->voluntary += from->voluntary;
	into->involuntary += from->involuntary;
	into->count += from->count;
	into->without_cause += from->without_cause;
	into->without_cause_wall_ns += from->without_cause_wall_ns;
}

static struct sm_cause_sum as_sum(const struct sm_trace_cause *cause, int64_t wall_ns)
{
	struct sm_cause_sum sum = {.wall_ns = wall_ns,
		.block_inputs = cause->block_inputs,
		.minor_faults = cause->minor_faults,
		.major_faults = cause->major_faults,
		.voluntary = cause->voluntary_switches,
		.involuntary = cause->involuntary_switches};
	sum.cpu_ns = (int64_t)cause->cpu_ns > wall_ns ? wall_ns : (int64_t)cause->cpu_ns;
	sum.run_delay_ns =
		cause->missing & SM_TRACE_NO_RUN_DELAY ? 0 : (int64_t)cause->run_delay_ns;
	if (sum.run_delay_ns > wall_ns - sum.cpu_ns) {
		sum.run_delay_ns = wall_ns - sum.cpu_ns;
	}
	if (!(cause->missing & SM_TRACE_NO_PROCESS_CPU)) {
		sum.helper_cpu_ns = at_least_zero((int64_t)(cause->process_cpu_ns - cause->cpu_ns));
	}
	return sum;
}

static uint64_t less(uint64_t whole, uint64_t part)
{
	return whole > part ? whole - part : 0;
}

static struct sm_cause_sum without(
	const struct sm_cause_sum *whole, const struct sm_cause_sum *part)
{
	return (struct sm_cause_sum){
		.wall_ns = at_least_zero(whole->wall_ns - part->wall_ns),
		.cpu_ns = at_least_zero(whole->cpu_ns - part->cpu_ns),
		.run_delay_ns = at_least_zero(whole->run_delay_ns - part->run_delay_ns),
		.helper_cpu_ns = at_least_zero(whole->helper_cpu_ns - part->helper_cpu_ns),
		.block_inputs = less(whole->block_inputs, part->block_inputs),
		.minor_faults = less(whole->minor_faults, part->minor_faults),
		.major_faults = less(whole->major_faults, part->major_faults),
		.voluntary = less(whole->voluntary, part->voluntary),
		.involuntary = less(whole->involuntary, part->involuntary),
	};
}

/* The events counted cannot be split by time; they stay with the largest part. */
static struct sm_cause_sum share_of(
	const struct sm_cause_sum *rest, int64_t wall_ns, int64_t whole_ns, bool largest)
{
	double share = whole_ns > 0 ? (double)wall_ns / (double)whole_ns : 0;
	struct sm_cause_sum sum = {.wall_ns = wall_ns,
		.cpu_ns = (int64_t)((double)rest->cpu_ns * share),
		.run_delay_ns = (int64_t)((double)rest->run_delay_ns * share),
		.helper_cpu_ns = (int64_t)((double)rest->helper_cpu_ns * share)};
	if (rest->block_inputs || rest->major_faults) {
		sum.blocked_input_ns = at_least_zero(wall_ns - sum.cpu_ns - sum.run_delay_ns);
	}
	if (largest) {
		sum.block_inputs = rest->block_inputs;
		sum.minor_faults = rest->minor_faults;
		sum.major_faults = rest->major_faults;
		sum.voluntary = rest->voluntary;
		sum.involuntary = rest->involuntary;
	}
	return sum;
}

/* The nearest span around the innermost one that is part of a batch. */
static struct sm_build_detail *around(struct sm_build_thread *thread)
{
	for (size_t i = thread->depth - 1; i-- > 0;) {
		if (thread->frames[i].role > SM_ROLE_FETCHER) {
			return &thread->details[i];
		}
	}
	return NULL;
}

static int largest_of(const int64_t *part_ns)
{
	int largest = 0;
	for (int i = 1; i < SM_BUILD_PARTS; i++) {
		largest = part_ns[i] > part_ns[largest] ? i : largest;
	}
	return largest;
}

/* Spreads what is left of a cause; returns what falls to the span itself. */
static struct sm_cause_sum spread(struct sm_build_fetcher *fetcher, const struct sm_cause_sum *rest,
	const int64_t *part_ns, int own_part, int64_t self_ns)
{
	int64_t whole_ns = part_ns[0] + part_ns[1] + part_ns[2];
	int largest = largest_of(part_ns);
	for (int i = 0; i < SM_BUILD_PARTS; i++) {
		struct sm_cause_sum sum = share_of(rest, part_ns[i], whole_ns, i == largest);
		sm_build_causes_add(&fetcher->part_cause[i], &sum);
	}
	return share_of(rest, self_ns, whole_ns, own_part == largest);
}

static void pass_unknown(struct sm_build_detail *to, const struct sm_build_detail *from)
{
	sm_build_causes_add(&to->known, &from->known);
	for (int i = 0; i < SM_BUILD_PARTS; i++) {
		to->unknown_ns[i] += from->unknown_ns[i];
	}
}

/* Nobody around was asked either: the time is known, its cause is not. */
static void leave_unknown(struct sm_build_fetcher *fetcher, const int64_t *part_ns)
{
	for (int i = 0; i < SM_BUILD_PARTS; i++) {
		fetcher->part_cause[i].wall_ns += part_ns[i];
		fetcher->part_cause[i].without_cause_wall_ns += part_ns[i];
	}
}

struct sm_cause_sum sm_build_causes_end(struct sm_build_thread *thread, int part, int64_t wall_ns)
{
	struct sm_build_fetcher *fetcher = thread->fetcher;
	struct sm_build_detail *detail = &thread->details[thread->depth - 1],
			       *outer = around(thread);
	int64_t self_ns = at_least_zero(wall_ns - detail->part_ns);
	struct sm_cause_sum own = {
		.wall_ns = self_ns, .without_cause = 1, .without_cause_wall_ns = self_ns};
	detail->unknown_ns[part] += self_ns;
	fetcher->part_ns[part] += self_ns;
	if (thread->frames[thread->depth - 1].has_cause) {
		struct sm_cause_sum all = as_sum(&detail->cause, wall_ns);
		struct sm_cause_sum rest = without(&all, &detail->known);
		own = spread(fetcher, &rest, detail->unknown_ns, part, self_ns);
		if (outer) {
			sm_build_causes_add(&outer->known, &all);
		}
	} else if (outer) {
		pass_unknown(outer, detail);
	} else {
		leave_unknown(fetcher, detail->unknown_ns);
	}
	if (outer) {
		outer->part_ns += wall_ns;
	}
	own.count = 1;
	return own;
}
