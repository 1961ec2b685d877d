/* stallmeter, calls: what one function does with its time, measured call by call and judged.
 *
 *     struct sm_call_meter *meter;
 *     struct sm_call_cost cost;
 *     if (!sm_call_meter_open(&meter)) {
 *             sm_call_meter_begin(meter);
 *             work();
 *             sm_call_meter_end(meter, &cost);
 *             sm_call_meter_close(meter);
 *     }
 *
 * What was measured is put into a struct sm_calls, and sm_study_judge_calls says what holds the function back. It is part of
 * the extension `_read`, not of the library that programs link to record. */
#ifndef STALLMETER_CALLS_H
#define STALLMETER_CALLS_H

#include <stallmeter/stallmeter.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- one call --- */

struct sm_call_cost {	     /* NaN: could not be read */
	double wall_s;	     /* between the two edges; what reading them costs is outside */
	double cpu_s;	     /* of the calling thread */
	double helper_cpu_s; /* of the other threads of the process meanwhile */
	double run_delay_s;  /* runnable, and waiting for a CPU */
	double blocked_s;    /* the rest of wall */
	double read_bytes;   /* from storage */
	double minor_faults, major_faults;
};

struct sm_call_meter; /* of one thread, which opens, uses and closes it */

SM_API int sm_call_meter_open(struct sm_call_meter **ret_meter); /* 0 or -ENOMEM */
SM_API void sm_call_meter_begin(struct sm_call_meter *meter);
SM_API void sm_call_meter_end(struct sm_call_meter *meter, struct sm_call_cost *ret_cost);
SM_API void sm_call_meter_close(struct sm_call_meter *meter); /* NULL is fine */

/* --- looks at a thread while it works --- */

enum { SM_CALL_WHY = 160, SM_CALL_WAITS = 5 };

struct sm_call_looks_count { /* NaN: could not be looked at; then `why` says why not */
	double cpu,
		python; /* looks at CPU, one for each 10 ms of it; of them, in the interpreter */
	double waits
		[SM_CALL_WAITS]; /* looks that found it waiting, in the order of sm_call_looks_wait_name */
};

struct sm_call_looks;

/* Of the calling thread. With `waits` a thread of ours looks a thousand times a second at what it waits for, until the stop;
 * without, nothing runs beside the program. `why` is filled where a part cannot be looked at, else "". 0 or an error. */
SM_API int sm_call_looks_start(struct sm_call_looks **ret_looks, int waits, char why[SM_CALL_WHY]);
SM_API void sm_call_looks_stop(
	struct sm_call_looks *looks, struct sm_call_looks_count *ret_count); /* and frees it */
SM_API const char *sm_call_looks_wait_name(
	int wait); /* "sleep", "lock", "network", "file", "process" */

/* --- what this machine takes for what nobody can do without --- */

struct sm_call_range {
	double middle, low, high; /* NaN: not measured */
};

/* Seconds to touch a page of fresh memory, from several tries; `huge` asks for huge pages, of sm_call_machine_huge_bytes().
 * -ENOTSUP without those. 0 or an error. */
SM_API int sm_call_machine_fault(int huge, struct sm_call_range *ret_seconds);
SM_API double sm_call_machine_huge_bytes(void); /* NaN: there are none, or nobody gets them */
/* Seconds to read `bytes` once and write them once, in warm memory. 0 or an error. */
SM_API int sm_call_machine_pass(double bytes, double *ret_seconds);

/* --- what is judged --- */

/* The numbers, each a double of its own name, NaN where it was not measured. Times are of a call, on average, unless their line
 * says otherwise; need is wall time without waiting for a CPU: other programs' doing, which grows and shrinks with the work; `x_low` and `x_high` are the ends of the 90 % interval of x. */
/* clang-format off */
#define SM_CALLS_NUMBERS(N) \
	N(calls)             /* that were timed */ \
	N(need_s) N(need_low_s) N(need_high_s) \
	N(cpu_s) N(cpu_low_s) N(cpu_high_s) N(helper_cpu_s) N(run_delay_s) \
	N(blocked_s) N(blocked_low_s) N(blocked_high_s) \
	N(read_bytes) N(minor_faults) N(major_faults) /* minor: the median */ \
	N(cpu_looks) N(python_looks)          /* all of a pass, as the waits */ \
	N(sleep_looks) N(lock_looks) N(network_looks) N(file_looks) N(process_looks) \
	N(input_bytes) N(output_bytes) \
	N(allocated_bytes)   /* most that a call held at a time, of Python's allocators */ \
	N(page_bytes) N(fault_s) N(fault_low_s) N(fault_high_s) /* of one fault on this machine */ \
	N(huge_page_bytes) N(huge_fault_s) N(huge_fault_low_s) N(huge_fault_high_s) /* of one that fills a huge page */ \
	N(pass_s)            /* reading the input and writing the output once */ \
	N(followed_cpu_s)   /* CPU of a call on the input whose lines were followed, not followed */ \
	N(followed_elements) /* numbers in that input; NaN: it is no array */ \
	N(copy_share) N(copy_low_share) N(copy_high_share) /* of the followed time, in calls that copy */ \
	N(duplicate_share) N(duplicate_low_share) N(duplicate_high_share) N(duplicate_calls) \
	N(native_share)      /* of the followed time, in calls into the module `native_module` */ \
	N(tensor_calls)      /* of torch's operations, in a call */ \
	N(idle_s) N(idle_low_s) N(idle_high_s)    /* a member whose output equals its input */ \
	N(order_s) N(order_low_s) N(order_high_s) /* a call with the members in another order */ \
	N(growth) N(growth_low) N(growth_high)    /* exponent of the time in the input's size */ \
	N(growth_size) N(growth_least_size)       /* the size judged, and the smallest that was measured */ \
	N(units)             /* inputs looked through for repetitions */ \
	N(unit_s)            /* time of one */ \
	N(hit_share) N(deterministic) N(lookup_s) N(entries) N(entry_bytes) N(memory_bytes) \
	N(batch_size)        /* samples in a call; what `batches` are compared with */ \
	N(device) N(device_s) N(device_low_s) N(device_high_s) /* 1: there is one; a call there, copies included */ \
	N(usable_cpus)
/* clang-format on */

/* Words; NULL: unknown. The last are reasons for what was not looked at. */
/* clang-format off */
#define SM_CALLS_WORDS(W) \
	W(name) W(where)     /* "augment", "train.py:41" */ \
	W(native_module) W(copy_name) W(copy_where) W(duplicate_name) W(duplicate_where) W(idle_name) W(idle_where) W(order_name) W(order_where) \
	W(device_name) \
	W(no_costs) W(no_lines) W(no_memory) W(no_sizes) W(no_batches) W(no_units) W(no_device)
/* clang-format on */

/* A line of the program, followed through one call. */
struct sm_calls_line {
	const char *where; /* "train.py:43" */
	double runs, cpu_s;
	int is_library; /* of an installed package, not the user's own */
};

struct sm_calls_batch {
	double size;	      /* samples in a call */
	double seconds;	      /* of a call */
	double low_s, high_s; /* NaN: too few calls */
};

struct sm_calls {
#define SM_CALLS_NUMBER(name) double name;
	SM_CALLS_NUMBERS(SM_CALLS_NUMBER)
#undef SM_CALLS_NUMBER
#define SM_CALLS_WORD(name) const char *name; /* borrowed */
	SM_CALLS_WORDS(SM_CALLS_WORD)
#undef SM_CALLS_WORD
	const struct sm_calls_line *lines; /* borrowed */
	size_t line_count;
	const struct sm_calls_batch
		*batches; /* borrowed; measured sizes, the one judged among them */
	size_t batch_count;
};

/* Writes {"findings": [...], "passed": [...], "not_measured": [{"what", "why"}]}, findings as in report.json: rules SM201 to
 * SM208, severity 1 - T_fixed / T with T the time of the calls. 0, -ENOMEM, or -EIO when the stream failed. */
SM_API int sm_study_judge_calls(const struct sm_calls *calls, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
