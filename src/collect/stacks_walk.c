/* The thread runs while we read. So everything is read twice by one system call, first all of it in order, then all of
 * it again, and a stack counts only when both copies tell the same frames: the outer ones with their instructions, the
 * innermost with its code (its instruction may have moved on: then the second is taken). A stack that changed is tried
 * again; after a few tries it is torn, and never shown.
 *
 * What is read is what was needed last time: the thread state, the used part of the chunk its frames lie in (from
 * 3.11), and single frames elsewhere: on the C stack (where C called Python), on the heap (generators; in 3.10 all),
 * in older chunks. Where the walk leaves that, it learns the rest by itself, and all is read again. */
#include "collect/stacks_walk.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

enum {
	TRIES = 4,	   /* of a stack that changes */
	ROUNDS = 24,	   /* of all kinds together */
	CHUNK_STEP = 1024, /* chunks are multiples of it, so a whole one is never exceeded */
	CHUNK_MAX = 64 * 1024,
	CHUNK_HEAD = 24, /* previous chunk, size, top */
	THREAD_MAX = 1024,
	GIL_BYTES = 16,
	HALF_BYTES = 256 * 1024,
	UNUSED_MAX = 16, /* regions kept although the last walk did without */
	OWNER_C = 3,	 /* a frame that only marks where C called: it has no code of its own */
};

struct part { /* of one copy */
	uint64_t address;
	uint32_t bytes;
	const unsigned char *copy;
	int region; /* its place in the thread's list; -1: another */
};

struct copy {
	struct part part[SM_STACKS_REGIONS_MAX + 4];
	int count;
	unsigned char bytes[HALF_BYTES];
};

struct sm_stacks_walk {
	struct copy half[2];
	struct sm_stacks_frames second;
};

struct sm_stacks_walk *sm_stacks_walk_create(void)
{
	return sm_mem_alloc(sizeof(struct sm_stacks_walk));
}

void sm_stacks_walk_destroy(struct sm_stacks_walk *walk)
{
	sm_mem_free(walk);
}

/* --- reading --- */

static uint64_t word_at(const unsigned char *bytes, size_t offset)
{
	uint64_t word;
	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

static bool add_part(struct copy *copy, size_t *used, uint64_t address, uint32_t bytes, int region)
{
	if (*used + bytes > HALF_BYTES) {
		return false;
	}
	copy->part[copy->count++] = (struct part){address, bytes, copy->bytes + *used, region};
	*used += bytes;
	return true;
}

enum {
	PART_THREAD,
	PART_GIL,
	PART_CFRAME
}; /* the first ones; PART_CFRAME only with layouts that have one */

/* The second copy does without what only the first is asked for: who holds the lock, and where the frames are. */
static void lay_out(struct copy *copy, const struct sm_stacks_layout *layout,
	const struct sm_stacks_thread_place *place, bool again)
{
	size_t used = 0;
	bool by_cframe = layout->cframe_current != SM_STACKS_NONE;
	copy->count = 0;
	add_part(copy, &used, place->address, again && by_cframe ? 0 : layout->thread_bytes, -1);
	add_part(copy, &used, place->gil, again || !place->gil ? 0 : GIL_BYTES, -1);
	if (by_cframe) {
		uint64_t cframe = place->cframe ? place->cframe : place->address;
		add_part(copy, &used, cframe + layout->cframe_current, 8, -1);
	}
	if (place->chunk.bytes) {
		add_part(copy, &used, place->chunk.address, place->chunk.bytes, -1);
	}
	for (int i = 0; i < place->region_count; i++) {
		add_part(copy, &used, place->region[i].address, place->region[i].bytes, i);
	}
}

static int read_both(struct sm_stacks_walk *walk, const struct sm_stacks_memory *memory,
	const struct sm_stacks_layout *layout, const struct sm_stacks_thread_place *place)
{
	struct sm_stacks_part parts[SM_STACKS_PARTS_MAX];
	int count = 0;
	for (int half = 0; half < 2; half++) {
		struct copy *copy = &walk->half[half];
		lay_out(copy, layout, place, half == 1);
		for (int i = 0; i < copy->count; i++) {
			const struct part *part = &copy->part[i];
			if (!part->bytes) {
				continue;
			}
			parts[count++] = (struct sm_stacks_part){part->address,
				copy->bytes + (part->copy - copy->bytes), part->bytes};
		}
	}
	return memory->read(memory->context, parts, count);
}

/* --- one copy --- */

static const unsigned char *find_frame(struct copy *copy, const struct sm_stacks_layout *layout,
	uint64_t address, struct sm_stacks_thread_place *place)
{
	for (int i = PART_CFRAME; i < copy->count; i++) {
		const struct part *part = &copy->part[i];
		if (address >= part->address && part->bytes >= layout->frame_bytes &&
			address - part->address <= part->bytes - layout->frame_bytes) {
			if (part->region >= 0) {
				place->region[part->region].used = true;
			}
			return part->copy + (address - part->address);
		}
	}
	return NULL;
}

static bool is_aligned(uint64_t address)
{
	return address && address % 8 == 0;
}

static bool has_code(const struct sm_stacks_layout *layout, const unsigned char *frame)
{
	return layout->frame_owner == SM_STACKS_NONE || frame[layout->frame_owner] != OWNER_C;
}

static struct sm_stacks_frame frame_of(
	const struct sm_stacks_layout *layout, const unsigned char *bytes)
{
	struct sm_stacks_frame frame = {.code = word_at(bytes, layout->frame_code)};
	if (layout->code_instructions != layout->code_bytes) { /* 3.10 */
		memcpy(&frame.instruction, bytes + layout->frame_instruction,
			sizeof(frame.instruction));
	} else {
		frame.pointer = word_at(bytes, layout->frame_instruction);
	}
	return frame;
}

static uint64_t innermost(const struct copy *copy, const struct sm_stacks_layout *layout)
{
	return layout->cframe_current != SM_STACKS_NONE
		       ? word_at(copy->part[PART_CFRAME].copy, 0)
		       : word_at(copy->part[PART_THREAD].copy, layout->thread_frame);
}

static bool has_room(const struct sm_stacks_thread_place *place)
{
	bool room = place->region_count < SM_STACKS_REGIONS_MAX;
	for (int i = 0; i < place->region_count && !room; i++) {
		room = !place->region[i].used;
	}
	return room;
}

/* 0: all of it, or as much as there is room for; 1: *ret_missing is the address of a frame that is not in the copy; -EAGAIN: this is no stack. */
static int follow(struct copy *copy, const struct sm_stacks_layout *layout,
	struct sm_stacks_thread_place *place, struct sm_stacks_frames *frames,
	uint64_t *ret_missing)
{
	uint64_t address = innermost(copy, layout);
	frames->count = 0;
	frames->deeper = false;
	for (int steps = 0; address && frames->count < SM_STACKS_DEPTH_MAX; steps++) {
		if (!is_aligned(address) || steps > 2 * SM_STACKS_DEPTH_MAX) {
			return -EAGAIN;
		}
		const unsigned char *bytes = find_frame(copy, layout, address, place);
		if (!bytes && !has_room(place)) {
			break;
		}
		if (!bytes) {
			*ret_missing = address;
			return 1;
		}
		if (has_code(layout, bytes)) {
			struct sm_stacks_frame frame = frame_of(layout, bytes);
			if (!is_aligned(frame.code)) {
				return -EAGAIN;
			}
			frames->frame[frames->count++] = frame;
		}
		address = word_at(bytes, layout->frame_previous);
	}
	frames->deeper = address != 0;
	return 0;
}

static bool is_lock_held(const struct copy *copy, const struct sm_stacks_thread_place *place)
{
	const unsigned char *gil = copy->part[PART_GIL].copy;
	uint32_t locked;
	if (!place->gil) {
		return false;
	}
	memcpy(&locked, gil + 8, sizeof(locked));
	return locked == 1 && word_at(gil, 0) == place->address;
}

static bool is_same(const struct sm_stacks_frames *a, const struct sm_stacks_frames *b)
{
	if (a->count != b->count || a->deeper != b->deeper) {
		return false;
	}
	for (int i = 0; i < a->count; i++) {
		const struct sm_stacks_frame *one = &a->frame[i], *other = &b->frame[i];
		bool stands =
			one->pointer == other->pointer && one->instruction == other->instruction;
		if (one->code != other->code || (i && !stands)) {
			return false;
		}
	}
	return true;
}

/* --- learning --- */

/* Whether the thread state is what it should be; learns where its frames lie. 1: read again. */
static int check_thread(const struct copy *copy, const struct sm_stacks_layout *layout,
	struct sm_stacks_thread_place *place)
{
	const unsigned char *thread = copy->part[PART_THREAD].copy;
	bool again = false;
	if (word_at(thread, layout->thread_interpreter) != place->interpreter ||
		(layout->thread_native_id != SM_STACKS_NONE && place->native_id &&
			word_at(thread, layout->thread_native_id) != place->native_id)) {
		return -ESRCH;
	}
	if (layout->cframe_current != SM_STACKS_NONE) {
		uint64_t cframe = word_at(thread, layout->thread_frame);
		again = cframe != place->cframe;
		place->cframe = cframe;
	}
	if (layout->thread_chunk != SM_STACKS_NONE) {
		uint64_t chunk = word_at(thread, layout->thread_chunk);
		uint64_t top = word_at(thread, layout->thread_top);
		uint64_t bytes = top > chunk && top - chunk <= CHUNK_MAX ? top - chunk : 0;
		bytes = (bytes + CHUNK_STEP - 1) / CHUNK_STEP * CHUNK_STEP;
		bool fits = chunk == place->chunk.address && bytes <= place->chunk.bytes &&
			    place->chunk.bytes - bytes <= 4 * CHUNK_STEP;
		if (!fits) {
			again |= chunk != place->chunk.address || bytes > place->chunk.bytes;
			place->chunk = (struct sm_stacks_region){
				.address = chunk, .bytes = (uint32_t)bytes};
		}
	}
	return again;
}

static void drop_unused(struct sm_stacks_thread_place *place)
{
	int kept = 0;
	for (int i = 0; i < place->region_count; i++) {
		if (place->region[i].used) {
			place->region[kept++] = place->region[i];
		}
	}
	place->region_count = kept;
}

static void drop_many_unused(struct sm_stacks_thread_place *place)
{
	int unused = 0;
	for (int i = 0; i < place->region_count; i++) {
		unused += !place->region[i].used;
	}
	if (unused > UNUSED_MAX) {
		drop_unused(place);
	}
}

static bool learn(struct sm_stacks_thread_place *place, uint64_t address, uint32_t bytes)
{
	if (place->region_count == SM_STACKS_REGIONS_MAX) {
		drop_unused(place);
	}
	if (place->region_count == SM_STACKS_REGIONS_MAX) {
		return false;
	}
	place->region[place->region_count++] =
		(struct sm_stacks_region){.address = address, .bytes = bytes, .used = true};
	return true;
}

/* The older chunk that an address lies in, if it is the one before `chunk`. */
static bool find_older_chunk(const struct sm_stacks_memory *memory, uint64_t chunk,
	uint64_t address, struct sm_stacks_region *ret_region)
{
	uint64_t head[3], previous;
	if (!chunk || sm_stacks_memory_read_pointer(memory, chunk, &previous) || !previous ||
		sm_stacks_memory_read(memory, previous, head, sizeof(head))) {
		return false;
	}
	if (head[2] > CHUNK_MAX / 8 - CHUNK_HEAD || address < previous ||
		address - previous >= CHUNK_HEAD + head[2] * 8) {
		return false;
	}
	*ret_region = (struct sm_stacks_region){
		.address = previous, .bytes = (uint32_t)(CHUNK_HEAD + head[2] * 8)};
	return true;
}

static bool is_known(const struct sm_stacks_layout *layout,
	const struct sm_stacks_thread_place *place, uint64_t address)
{
	const struct sm_stacks_region *chunk = &place->chunk;
	if (address >= chunk->address &&
		address - chunk->address + layout->frame_bytes <= chunk->bytes) {
		return true;
	}
	for (int i = 0; i < place->region_count; i++) {
		const struct sm_stacks_region *region = &place->region[i];
		if (address >= region->address &&
			address - region->address + layout->frame_bytes <= region->bytes) {
			return true;
		}
	}
	return false;
}

/* From a frame that was not read on: single frames one after the other, until the way is back on known ground. */
static int explore(const struct sm_stacks_memory *memory, const struct sm_stacks_layout *layout,
	struct sm_stacks_thread_place *place, uint64_t address)
{
	unsigned char bytes[256];
	for (int i = 0; address && i < SM_STACKS_REGIONS_MAX; i++) {
		struct sm_stacks_region older;
		if (!is_aligned(address) || is_known(layout, place, address)) {
			return 0;
		}
		if (find_older_chunk(memory, place->chunk.address, address, &older)) {
			(void)learn(place, older.address, older.bytes);
			return 0;
		}
		int r = sm_stacks_memory_read(memory, address, bytes, layout->frame_bytes);
		if (r) {
			return r == -EFAULT ? 0 : r; /* it was none any more */
		}
		if (!learn(place, address, layout->frame_bytes)) {
			return 0; /* as deep as we look */
		}
		address = word_at(bytes, layout->frame_previous);
	}
	return 0;
}

static void forget(struct sm_stacks_thread_place *place)
{
	place->chunk = (struct sm_stacks_region){0};
	place->region_count = 0;
	place->cframe = 0;
}

static void mark_unused(struct sm_stacks_thread_place *place)
{
	for (int i = 0; i < place->region_count; i++) {
		place->region[i].used = false;
	}
}

/* One reading. 0: frames; 1: learned something, read again; 2: it changed. */
static int try_once(struct sm_stacks_walk *walk, const struct sm_stacks_memory *memory,
	const struct sm_stacks_layout *layout, struct sm_stacks_thread_place *place,
	struct sm_stacks_frames *frames)
{
	uint64_t missing = 0;
	mark_unused(place);
	int r = check_thread(&walk->half[0], layout, place);
	if (r) {
		return r;
	}
	r = follow(&walk->half[0], layout, place, frames, &missing);
	if (r > 0) {
		r = explore(memory, layout, place, missing);
		return r ? r : 1;
	}
	r = r ? r : follow(&walk->half[1], layout, place, &walk->second, &missing);
	if (r || !is_same(frames, &walk->second)) {
		return 2;
	}
	frames->frame[0] = walk->second.frame[0];
	frames->locked = is_lock_held(&walk->half[0], place);
	return 0;
}

int sm_stacks_walk_take(struct sm_stacks_walk *walk, const struct sm_stacks_memory *memory,
	const struct sm_stacks_layout *layout, struct sm_stacks_thread_place *place,
	struct sm_stacks_frames *ret_frames)
{
	int changed = 0;
	for (int round = 0; round < ROUNDS && changed < TRIES; round++) {
		int r = read_both(walk, memory, layout, place);
		if (r == -EFAULT && (place->region_count || place->chunk.bytes || place->cframe)) {
			forget(place); /* some of it is no memory any more */
			changed++;
			continue;
		}
		r = r ? r : try_once(walk, memory, layout, place, ret_frames);
		if (r <= 0) {
			drop_many_unused(place);
			return r;
		}
		changed += r == 2;
	}
	drop_many_unused(place);
	return -EAGAIN;
}
