/* A step's time is laid over the seconds it spans, its wait over the seconds of the wait: a step of five seconds is not
 * four of nothing and one of five. How much of a wait was a stall says analyze/stalls.c, here as in the report. */
#include "live/pulse.h"

#include "analyze/stalls.h"
#include "analyze/verdict.h"

#include <math.h>

#define SECOND_NS INT64_C(1000000000)

struct reading {
	struct sm_pulse *pulse;
	const struct sm_pulse_known *known;
	size_t known_count;
	int64_t now_ns, begin_ns; /* of the first second */
};

static double overlap_s(int64_t begin_ns, int64_t end_ns, int64_t from_ns, int64_t to_ns)
{
	int64_t first = begin_ns > from_ns ? begin_ns : from_ns;
	int64_t last = end_ns < to_ns ? end_ns : to_ns;
	return last > first ? (double)(last - first) * 1e-9 : 0;
}

static double part_of(int64_t part_ns, int64_t whole_ns)
{
	return whole_ns > 0 ? fmin((double)part_ns / (double)whole_ns, 1) : 0;
}

/* What [from, to) holds of a batch. */
static struct sm_pulse_time piece_of(const struct sm_batch *batch, int64_t from_ns, int64_t to_ns)
{
	int64_t wait_ns = batch->deliver_ns - batch->request_ns;
	int64_t step_ns = batch->end_ns - batch->deliver_ns;
	double wait_s = overlap_s(batch->request_ns, batch->deliver_ns, from_ns, to_ns);
	double step_s = overlap_s(batch->deliver_ns, batch->end_ns, from_ns, to_ns);
	bool ends = batch->task >= 0 && batch->end_ns > from_ns && batch->end_ns <= to_ns;
	return (struct sm_pulse_time){
		.known_s = wait_s + step_s,
		.exposed_s = wait_s * part_of(batch->exposed_ns, wait_ns),
		.transfer_s = step_s * part_of(sm_verdict_copy_ns(batch), step_ns),
		.host_s = step_s * part_of(sm_verdict_host_ns(batch), step_ns),
		.steps = ends,
		.samples = ends && batch->count > 0 ? batch->count : 0,
	};
}

static void add(struct sm_pulse_time *sum, struct sm_pulse_time piece)
{
	sum->known_s += piece.known_s;
	sum->exposed_s += piece.exposed_s;
	sum->transfer_s += piece.transfer_s;
	sum->host_s += piece.host_s;
	sum->steps += piece.steps;
	sum->samples += piece.samples;
}

static struct sm_pulse_time *window_of(struct sm_pulse *pulse, size_t loader)
{
	for (size_t i = 0; i < pulse->loader_count; i++) {
		if (pulse->loaders[i].loader == loader) {
			return &pulse->loaders[i].window;
		}
	}
	if (pulse->loader_count == SM_PULSE_LOADERS) {
		return NULL;
	}
	pulse->loaders[pulse->loader_count].loader = loader;
	return &pulse->loaders[pulse->loader_count++].window;
}

static void lay_down(struct reading *reading, size_t loader, const struct sm_batch *batch)
{
	struct sm_pulse *pulse = reading->pulse;
	int64_t before_ns = batch->request_ns - reading->begin_ns;
	int64_t first = before_ns > 0 ? before_ns / SECOND_NS : 0;
	for (int64_t i = first; i < SM_PULSE_SECONDS; i++) {
		int64_t from_ns = reading->begin_ns + i * SECOND_NS;
		if (from_ns >= batch->end_ns) {
			break;
		}
		add(&pulse->seconds[i], piece_of(batch, from_ns, from_ns + SECOND_NS));
	}
	struct sm_pulse_time *window = window_of(pulse, loader);
	if (window) {
		add(window, piece_of(batch, reading->now_ns - SM_PULSE_WINDOW_S * SECOND_NS,
				    reading->now_ns));
	}
}

static bool is_background(const struct reading *reading, size_t loader)
{
	for (size_t i = 0; i < reading->known_count; i++) {
		if (reading->known[i].loader == loader) {
			return reading->known[i].background;
		}
	}
	return false;
}

static void see(void *context, size_t loader, const struct sm_batch *batch)
{
	struct reading *reading = context;
	struct sm_batch judged = *batch;
	bool background = is_background(reading, loader);
	if (batch->request_ns < 0 || batch->deliver_ns < batch->request_ns ||
		batch->end_ns < batch->deliver_ns) {
		return;
	}
	reading->pulse->device |= batch->device_state >= 0;
	reading->pulse->background |= background;
	sm_stalls_judge(&judged, background);
	lay_down(reading, loader, &judged);
}

/* Of a wait that goes on nothing is recorded yet but its beginning. Without a device, which may have work queued, all of it
 * is a stall. */
static void add_waits(struct reading *reading)
{
	for (size_t i = 0; i < reading->known_count && !reading->pulse->device; i++) {
		const struct sm_pulse_known *known = &reading->known[i];
		int64_t since_ns = known->waiting_since_ns;
		if (since_ns < 0 || since_ns >= reading->now_ns || known->background) {
			continue;
		}
		const struct sm_batch wait = {
			.task = -1,
			.request_ns = since_ns,
			.deliver_ns = reading->now_ns,
			.end_ns = reading->now_ns,
			.exposed_ns = reading->now_ns - since_ns,
			.device_state = -1,
		};
		lay_down(reading, known->loader, &wait);
	}
}

void sm_pulse_read(struct sm_pulse *pulse, const struct sm_model_growing *growing, int64_t now_ns,
	const struct sm_pulse_known *known, size_t known_count)
{
	*pulse = (struct sm_pulse){0};
	struct reading reading = {
		.pulse = pulse,
		.known = known,
		.known_count = known_count,
		.now_ns = now_ns,
		.begin_ns = now_ns - SM_PULSE_SECONDS * SECOND_NS,
	};
	int64_t known_ns = sm_model_growing_recent(growing, reading.begin_ns, see, &reading);
	add_waits(&reading);
	int64_t run_ns = sm_model_growing_begin_ns(growing);
	int64_t from_ns = run_ns > known_ns ? run_ns : known_ns;
	if (run_ns >= 0 && from_ns < now_ns) {
		int64_t seconds = (now_ns - from_ns) / SECOND_NS;
		pulse->count = seconds < SM_PULSE_SECONDS ? (size_t)seconds : SM_PULSE_SECONDS;
	}
}

struct sm_pulse_time sm_pulse_of_loader(const struct sm_pulse *pulse, size_t loader)
{
	for (size_t i = 0; i < pulse->loader_count; i++) {
		if (pulse->loaders[i].loader == loader) {
			return pulse->loaders[i].window;
		}
	}
	return (struct sm_pulse_time){0};
}

struct sm_pulse_time sm_pulse_sum(const struct sm_pulse *pulse, size_t seconds)
{
	struct sm_pulse_time sum = {0};
	size_t count = seconds < pulse->count ? seconds : pulse->count;
	for (size_t i = SM_PULSE_SECONDS - count; i < SM_PULSE_SECONDS; i++) {
		add(&sum, pulse->seconds[i]);
	}
	return sum;
}

double sm_pulse_share(double part_s, double known_s)
{
	return known_s > 0 ? fmin(part_s / known_s, 1) : NAN;
}
