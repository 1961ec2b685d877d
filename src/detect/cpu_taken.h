/* Who took the CPU away from threads that could have run.
 *
 * Run delay mixes a quota, the job's own surplus of threads, and other people's work (signals: 1.5 s/s at a quota with the
 * machine 72 % idle, 6.5 s/s with 8 workers on 2 cores, 0.7 s/s beside foreign load). The quota shows in throttled time,
 * the rest is split by whose work kept the CPUs busy. */
#ifndef SM_DETECT_CPU_TAKEN_H
#define SM_DETECT_CPU_TAKEN_H

#include "analyze/analysis.h"

enum { SM_CPU_TAKEN_IDLE_PERCENT = 20 };

struct sm_cpu_taken {		/* NaN: not measured */
	double delay_s;		/* run delay in the loader's spans, all workers */
	double delay_share;	/* of the wall time of those spans */
	double throttled_s;	/* of the control group, summed over CPUs */
	double throttled_share; /* quota periods in which the group was stopped */
	double quota_share;	/* of the run delay: the quota's; 0 without one */
	double idle_share;	/* of the machine's CPU time */
	double own_share;	/* the job's part of the time in which CPUs were busy */
};

struct sm_cpu_taken sm_cpu_taken_of(
	const struct sm_analysis *analysis, const struct sm_loader *loader);
/* Of what a speed-up gives, the part for which the job needs CPU that was not idle but other programs': they may give way or
 * not, which one run cannot know. 0 where the counters lack. */
double sm_cpu_taken_contested_share(const struct sm_cpu_taken *taken, double speedup);

#endif
