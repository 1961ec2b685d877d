#include "base/map.h"

#include "base/mem.h"

#include <errno.h>

struct sm_map_slot {
	uint64_t key, value;
	bool used;
};

/* Finaliser of MurmurHash3 (public domain constants): spreads pids and small ids over the whole table. */
static uint64_t mix(uint64_t key)
{
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdULL;
	key ^= key >> 33;
	key *= 0xc4ceb9fe1a85ec53ULL;
	return key ^ key >> 33;
}

static struct sm_map_slot *seek(const struct sm_map *map, uint64_t key)
{
	size_t at = (size_t)mix(key) & (map->capacity - 1);
	while (map->slots[at].used && map->slots[at].key != key) {
		at = (at + 1) & (map->capacity - 1);
	}
	return &map->slots[at];
}

static int grow(struct sm_map *map)
{
	struct sm_map next = {.capacity = map->capacity ? map->capacity * 2 : 64};
	next.slots = sm_mem_calloc(next.capacity, sizeof(*next.slots));
	if (!next.slots) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < map->capacity; i++) {
		if (map->slots[i].used) {
			*seek(&next, map->slots[i].key) = map->slots[i];
		}
	}
	next.count = map->count;
	sm_mem_free(map->slots);
	*map = next;
	return 0;
}

int sm_map_set(struct sm_map *map, uint64_t key, uint64_t value)
{
	if (map->count * 4 >= map->capacity * 3) {
		int error = grow(map);
		if (error) {
			return error;
		}
	}
	struct sm_map_slot *slot = seek(map, key);
	map->count += !slot->used;
	*slot = (struct sm_map_slot){key, value, true};
	return 0;
}

bool sm_map_find(const struct sm_map *map, uint64_t key, uint64_t *ret_value)
{
	if (!map->capacity) {
		return false;
	}
	const struct sm_map_slot *slot = seek(map, key);
	if (slot->used && ret_value) {
		*ret_value = slot->value;
	}
	return slot->used;
}

void sm_map_finish(struct sm_map *map)
{
	sm_mem_free(map->slots);
	*map = SM_MAP_EMPTY;
}
