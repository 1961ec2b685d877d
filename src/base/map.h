/* Hash map from uint64_t to uint64_t, open addressing. Keys are arbitrary; look-ups never allocate. */
#ifndef SM_BASE_MAP_H
#define SM_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sm_map_slot;
struct sm_map {
	struct sm_map_slot *slots; /* owned */
	size_t count, capacity;
};
#define SM_MAP_EMPTY ((struct sm_map){0})

int sm_map_set(struct sm_map *map, uint64_t key, uint64_t value); /* 0 or -ENOMEM */
bool sm_map_find(const struct sm_map *map, uint64_t key, uint64_t *ret_value);
void sm_map_finish(struct sm_map *map);

#endif
