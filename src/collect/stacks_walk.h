/* One thread's frames, innermost first, in one system call when it is where it was last time. */
#ifndef SM_COLLECT_STACKS_WALK_H
#define SM_COLLECT_STACKS_WALK_H

#include "collect/stacks_layout.h"
#include "collect/stacks_memory.h"

#include <stdbool.h>
#include <stdint.h>

enum { SM_STACKS_DEPTH_MAX = 256, SM_STACKS_REGIONS_MAX = 128 };

struct sm_stacks_frame {
	uint64_t code;	      /* address of its code object */
	uint32_t instruction; /* of 3.10: its index; else see `pointer` */
	uint64_t pointer;     /* of 3.11 and later: to the instruction; else 0 */
};

struct sm_stacks_frames {
	int count;
	bool deeper; /* there are more, further out */
	bool locked; /* this thread holds the interpreter's lock */
	struct sm_stacks_frame frame[SM_STACKS_DEPTH_MAX];
};

/* Memory of a thread's stack that was needed last time, so that it can be asked for at once. */
struct sm_stacks_region {
	uint64_t address;
	uint32_t bytes;
	bool used; /* in the last walk */
};

struct sm_stacks_thread_place {
	uint64_t address, interpreter; /* of the thread state; and what it must point to */
	uint64_t native_id;	       /* what it must say; 0: nothing (3.10) */
	uint64_t cframe;
	uint64_t gil; /* of the interpreter; 0: do not look */
	struct sm_stacks_region chunk;
	struct sm_stacks_region region[SM_STACKS_REGIONS_MAX]; /* single frames, older chunks */
	int region_count;
};

struct sm_stacks_walk;				    /* the buffers; one for all threads */
struct sm_stacks_walk *sm_stacks_walk_create(void); /* NULL without memory */
void sm_stacks_walk_destroy(struct sm_stacks_walk *walk);

/* 0 and the frames; -EAGAIN when they changed under our eyes again and again; -ESRCH when the address is that thread's no
 * longer; or what reading said. */
int sm_stacks_walk_take(struct sm_stacks_walk *walk, const struct sm_stacks_memory *memory,
	const struct sm_stacks_layout *layout, struct sm_stacks_thread_place *place,
	struct sm_stacks_frames *ret_frames);

#endif
