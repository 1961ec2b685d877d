/* Stands in for predict/loader_model.c until it is there: the recursion without device, memory or CPU sharing. */
#include "predict/loader_model.h"

#include <math.h>
#include <stdlib.h>

static double service_of(const struct sm_service *s, const struct sm_cure *c)
{
	double fetch = (double)s->fetch, transform = (double)s->transform,
	       collate = (double)s->collate;
	double scale[SM_STAGE_COUNT];
	for (int i = 0; i < SM_STAGE_COUNT; i++) {
		bool hit = (int)c->stage == i;
		scale[i] = hit && c->kind == SM_CURE_STAGE_FREE	    ? 0
			   : hit && c->kind == SM_CURE_STAGE_SCALED ? c->factor
								    : 1;
	}
	double whole = fetch * scale[SM_STAGE_FETCH] + transform * scale[SM_STAGE_TRANSFORM] +
		       collate * scale[SM_STAGE_COLLATE];
	switch (c->kind) {
	case SM_CURE_TRANSFORM_FREE:
		return whole - c->share * transform;
	case SM_CURE_INPUT_FREE:
		return whole - (double)s->fetch_input;
	case SM_CURE_RUN_DELAY_FREE:
		return whole - c->share * (double)s->run_delay;
	case SM_CURE_BLOCKED_FREE:
		return whole - c->share * (double)s->blocked_other;
	case SM_CURE_ALL_INPUT_FREE:
		return 0;
	default:
		return whole;
	}
}

struct sm_setting sm_loader_model_setting(const struct sm_loader_model *model)
{
	const struct sm_loader *l = model->loader;
	return (struct sm_setting){.num_workers = l->num_workers,
		.prefetch_factor = l->prefetch_factor,
		.in_order = l->in_order != 0,
		.persistent_workers = l->persistent_workers == 1,
		.pin_memory = l->pin_memory == 1};
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

int sm_loader_model_simulate(const struct sm_loader_model *m, const struct sm_setting *set,
	const struct sm_cure *c, const size_t *order, size_t order_count, struct sm_prediction *ret)
{
	struct sm_setting own = sm_loader_model_setting(m);
	set = set ? set : &own;
	size_t n = order ? order_count : m->count, workers = (size_t)set->num_workers;
	size_t tokens = workers * (size_t)(set->prefetch_factor > 0 ? set->prefetch_factor : 2);
	double *done = calloc(n, sizeof(double)), *deliver = calloc(n, sizeof(double));
	float median = 0, p95 = 0;
	if (c->kind == SM_CURE_SLOW_SAMPLES && m->sample_count) {
		float *sorted = calloc(m->sample_count, sizeof(float));
		for (size_t i = 0; i < m->sample_count; i++) {
			sorted[i] = m->samples[i].wall_s;
		}
		qsort(sorted, m->sample_count, sizeof(float), compare);
		median = sorted[m->sample_count / 2];
		p95 = sorted[m->sample_count * 95 / 100];
		free(sorted);
	}
	double end = 0, base = 0;
	*ret = (struct sm_prediction){0};
	for (size_t b = 0; b < n; b++) {
		const struct sm_service *s = &m->services[order ? order[b] : b];
		if (b && s->epoch != m->services[order ? order[b - 1] : b - 1].epoch &&
			!set->persistent_workers && c->kind != SM_CURE_STARTUP_FREE) {
			base = end + m->startup_later_s;
		}
		double sampler = c->kind == SM_CURE_STAGE_FREE && c->stage == SM_STAGE_SAMPLER
					 ? 0
					 : (double)s->sampler;
		double other = c->kind == SM_CURE_STAGE_FREE && c->stage == SM_STAGE_OTHER
				       ? 0
				       : (double)s->other;
		double service = service_of(s, c),
		       lambda = (double)s->transport + (double)s->deserialize;
		for (size_t i = 0; c->kind == SM_CURE_SLOW_SAMPLES && i < s->sample_count; i++) {
			float wall = m->samples[s->sample_first + i].wall_s;
			service -= wall > p95 ? (double)(wall - median) : 0;
		}
		lambda = c->kind == SM_CURE_TRANSPORT_FLOOR ? fmin(lambda, c->floor_s) : lambda;
		double start = fmax(base, end);
		if (workers) {
			double token = b >= tokens ? deliver[b - tokens] + sampler : sampler;
			start = fmax(base, fmax(b >= workers ? done[b - workers] : 0, token));
		} else {
			start += sampler;
		}
		done[b] = start + service;
		deliver[b] = fmax(done[b] + lambda, end);
		ret->exposed_s += deliver[b] - end;
		end = deliver[b] + (double)s->h2d + (double)s->launch + (double)s->compute +
		      (double)s->sync + other;
	}
	ret->time_s = end;
	free(done);
	free(deliver);
	return 0;
}

static const struct sm_cure none = {.kind = SM_CURE_NONE};

int sm_loader_model_severity(const struct sm_loader_model *m, const struct sm_setting *set,
	const struct sm_cure *c, struct sm_interval *ret)
{
	struct sm_setting own = sm_loader_model_setting(m);
	struct sm_prediction before, after;
	sm_loader_model_simulate(m, &own, &none, NULL, 0, &before);
	sm_loader_model_simulate(m, set ? set : &own, c, NULL, 0, &after);
	double severity = fmax(0, 1 - after.time_s / before.time_s);
	*ret = (struct sm_interval){severity * 0.95, severity, severity * 1.05};
	return 0;
}

int sm_loader_model_speedup(
	const struct sm_loader_model *m, const struct sm_setting *set, struct sm_interval *ret)
{
	struct sm_interval severity;
	sm_loader_model_severity(m, set, &none, &severity);
	*ret = (struct sm_interval){
		1 / (1 - severity.low), 1 / (1 - severity.middle), 1 / (1 - severity.high)};
	return 0;
}

static double time_of(const struct sm_loader_model *m, const struct sm_setting *set)
{
	struct sm_prediction prediction;
	sm_loader_model_simulate(m, set, &none, NULL, 0, &prediction);
	return prediction.time_s;
}

int sm_loader_model_best_workers(const struct sm_loader_model *m, struct sm_setting *ret)
{
	struct sm_setting set = sm_loader_model_setting(m), best = set;
	for (int n = set.num_workers + 1; n <= (int)m->cores; n++) {
		set.num_workers = n;
		best = time_of(m, &set) < 0.99 * time_of(m, &best) ? set : best;
	}
	*ret = best;
	return 0;
}

int sm_loader_model_best_prefetch(const struct sm_loader_model *m, struct sm_setting *ret)
{
	struct sm_setting set = sm_loader_model_setting(m), best = set;
	for (int p = set.prefetch_factor + 1; p <= 16; p++) {
		set.prefetch_factor = p;
		best = time_of(m, &set) < 0.99 * time_of(m, &best) ? set : best;
	}
	*ret = best;
	return 0;
}
