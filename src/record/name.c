/* The table of names, and its copy in the file.
 *
 * A forked child goes on with its parent's table, whatever another thread was doing to it at that moment. So a name is
 * complete before `count` admits it, and `count` is stored before the look-up table points to it; the tables only grow,
 * and a bigger one replaces a smaller in one store. All of it lies in pages of its own, not on the heap, whose lock a
 * child may find held. Changes happen under the lock of fork.h. */
#include "record/name.h"

#include "base/mem.h"
#include "record/fork.h"
#include "record/session.h"

#include <stallmeter/stallmeter.h>

#include <errno.h>
#include <string.h>

enum {
	BLOCK_NAMES = 1024,
	BLOCK_COUNT = SM_RING_NAMES_MAX / BLOCK_NAMES,
	TEXTS_BYTES = 64 * 1024,
	LOOKUP_MIN = 4096,
};

struct name_entry {
	const char *text; /* not ended by a zero */
	uint32_t hash;
	uint16_t length;
	uint8_t kind, role;
};

struct name_lookup {
	uint32_t size; /* a power of two */
	uint32_t ids[];
};

struct name_texts {
	size_t used;
	char bytes[];
};

static struct name_entry *blocks[BLOCK_COUNT]; /* of BLOCK_NAMES; id 0 is unused */
static uint32_t count = 1;
static struct name_lookup *lookup;
static struct name_texts *texts; /* the newest; full ones are only pointed into */

unsigned char sm_name_weights[SM_NAME_WEIGHTS];
enum { WEIGHT_MAX = 8 };

/* --- weights --- */

/* Just below carrying, so that one long span decides; none where the session wants no causes. */
static void begin_weight(uint32_t id)
{
	if (id < SM_NAME_WEIGHTS) {
		unsigned char weight =
			sm_session_here.long_span_us < 0 ? 0 : SM_NAME_WEIGHT_CARRY - 1;
		__atomic_store_n(&sm_name_weights[id], weight, __ATOMIC_RELAXED);
	}
}

void sm_name_reset_weights(void)
{
	/* no name at all: the inline path leaves it to the other, which says nothing */
	__atomic_store_n(&sm_name_weights[0], 1, __ATOMIC_RELAXED);
	for (uint32_t id = 1; id < count; id++) {
		begin_weight(id);
	}
}

unsigned char sm_name_lower_weight(uint32_t name)
{
	if (name >= SM_NAME_WEIGHTS) {
		return 0;
	}
	unsigned char weight = __atomic_load_n(&sm_name_weights[name], __ATOMIC_RELAXED);
	if (weight) {
		__atomic_store_n(
			&sm_name_weights[name], (unsigned char)(weight - 1), __ATOMIC_RELAXED);
	}
	return weight;
}

void sm_name_raise_weight(uint32_t name)
{
	if (name && name < SM_NAME_WEIGHTS && sm_session_here.long_span_us >= 0) {
		int weight = __atomic_load_n(&sm_name_weights[name], __ATOMIC_RELAXED) + 2;
		weight = weight > WEIGHT_MAX ? WEIGHT_MAX : weight;
		__atomic_store_n(&sm_name_weights[name], (unsigned char)weight, __ATOMIC_RELAXED);
	}
}

/* --- the table --- */

static struct name_entry *entry_of(uint32_t id)
{
	return &blocks[id / BLOCK_NAMES][id % BLOCK_NAMES];
}

static uint32_t hash_of(const struct name_entry *name)
{
	uint32_t hash = 2166136261u ^ ((uint32_t)name->kind << 8 | name->role);
	for (uint16_t i = 0; i < name->length; i++) {
		hash = (hash ^ (unsigned char)name->text[i]) * 16777619u;
	}
	return hash ^ hash >> 15;
}

static bool is_same(const struct name_entry *a, const struct name_entry *b)
{
	return a->hash == b->hash && a->kind == b->kind && a->role == b->role &&
	       a->length == b->length && !memcmp(a->text, b->text, a->length);
}

static uint32_t *place_of(struct name_lookup *table, const struct name_entry *name)
{
	uint32_t at = name->hash & (table->size - 1);
	while (table->ids[at] && !is_same(entry_of(table->ids[at]), name)) {
		at = (at + 1) & (table->size - 1);
	}
	return &table->ids[at];
}

static size_t lookup_bytes(uint32_t size)
{
	return sizeof(struct name_lookup) + size * sizeof(uint32_t);
}

static int grow_lookup(void)
{
	struct name_lookup *old = lookup;
	if (old && count < old->size / 2) {
		return 0;
	}
	uint32_t size = old ? old->size * 2 : LOOKUP_MIN;
	struct name_lookup *table = sm_mem_map(lookup_bytes(size));
	if (!table) {
		return -ENOMEM;
	}
	table->size = size;
	for (uint32_t id = 1; id < count; id++) {
		*place_of(table, entry_of(id)) = id;
	}
	__atomic_store_n(&lookup, table, __ATOMIC_RELEASE);
	if (old) {
		sm_mem_unmap(old, lookup_bytes(old->size));
	}
	return 0;
}

static int grow_blocks(void)
{
	struct name_entry **block = &blocks[count / BLOCK_NAMES];
	if (!*block) {
		*block = sm_mem_map(BLOCK_NAMES * sizeof(**block));
	}
	return *block ? 0 : -ENOMEM;
}

static const char *keep_text(const char *text, size_t length)
{
	if (!texts || length > TEXTS_BYTES - sizeof(*texts) - texts->used) {
		struct name_texts *next = sm_mem_map(TEXTS_BYTES);
		if (!next) {
			return NULL;
		}
		texts = next;
	}
	char *kept = texts->bytes + texts->used;
	memcpy(kept, text, length);
	texts->used += length;
	return kept;
}

static int write_one(struct sm_ring_writer *writer, uint32_t id, const struct name_entry *name)
{
	struct sm_ring_name head = {
		.id = id, .length = name->length, .kind = name->kind, .role = name->role};
	return sm_ring_writer_add_name(writer, &head, name->text);
}

/* The new id, or 0 where there is no room. */
static uint32_t add(const struct name_entry *name)
{
	uint32_t id = count;
	if (id >= SM_RING_NAMES_MAX || grow_blocks()) {
		return 0;
	}
	struct name_entry kept = *name;
	kept.text = keep_text(name->text, name->length);
	if (!kept.text || (sm_fork_state->open && write_one(&sm_fork_state->writer, id, &kept))) {
		return 0;
	}
	*entry_of(id) = kept;
	begin_weight(id);
	__atomic_store_n(&count, id + 1, __ATOMIC_RELEASE);
	__atomic_store_n(place_of(lookup, &kept), id, __ATOMIC_RELEASE);
	return id;
}

static uint32_t find_or_add(const struct name_entry *name)
{
	if (grow_lookup()) {
		return 0;
	}
	uint32_t id = *place_of(lookup, name);
	return id ? id : add(name);
}

int sm_name_write_all(struct sm_ring_writer *writer)
{
	for (uint32_t id = 1; id < count; id++) {
		int error = write_one(writer, id, entry_of(id));
		if (error) {
			return error;
		}
		if (lookup && !*place_of(lookup, entry_of(id))) {
			*place_of(lookup, entry_of(id)) =
				id; /* the fork came between the two stores */
		}
	}
	return 0;
}

/* --- what programs call --- */

uint32_t sm_name_register_role(enum sm_name_of kind, int role, const char *text, uint32_t length)
{
	if (!text || (unsigned)kind > SM_FACT || role < 0 || role > UINT8_MAX ||
		!sm_session_is_on()) {
		return 0;
	}
	struct name_entry name = {.text = text,
		.length =
			(uint16_t)(length < SM_RING_NAME_TEXT_MAX ? length : SM_RING_NAME_TEXT_MAX),
		.kind = (uint8_t)kind,
		.role = (uint8_t)role};
	name.hash = hash_of(&name);
	struct sm_fork_guard guard;
	sm_fork_lock(&guard);
	uint32_t id = sm_session_is_on() ? find_or_add(&name) : 0;
	sm_fork_unlock(&guard);
	return id;
}

uint32_t sm_name_register(enum sm_name_of kind, const char *text)
{
	return text ? sm_name_register_role(kind, 0, text, (uint32_t)strlen(text)) : 0;
}
