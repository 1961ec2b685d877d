/* The slots that hold names. They only grow, and are never given back. */
#include "ring/ring_names.h"

#include "base/mem.h"
#include "ring/ring_file.h"

#include <stdlib.h>
#include <string.h>

static int list_name_slots(struct sm_ring_reader *reader)
{
	reader->list_count = 0;
	for (uint32_t slot = 0; slot < reader->slot_count; slot++) {
		struct sm_ring_segment segment;
		int error = sm_ring_file_segment(reader, slot, &segment);
		if (error) {
			return error;
		}
		if (segment.magic != SM_RING_SEGMENT_MAGIC || segment.kind != SM_RING_NAMES) {
			continue;
		}
		error = sm_mem_grow(&reader->lists, &reader->list_capacity, reader->list_count + 1,
			sizeof(*reader->lists));
		if (error) {
			return error;
		}
		reader->lists[reader->list_count++] =
			(struct sm_ring_due){.sequence = segment.sequence, .slot = slot};
	}
	if (reader->list_count > 1) { /* NULL where there is no name yet */
		qsort(reader->lists, reader->list_count, sizeof(*reader->lists),
			sm_ring_file_order);
	}
	return 0;
}

/* Bytes of whole entries at the front of `bytes`; *ret_sound is false where garbage follows them.
 */
static size_t measure_names(
	const unsigned char *bytes, size_t size, uint64_t *ret_count, bool *ret_sound)
{
	size_t at = 0;
	*ret_count = 0;
	*ret_sound = true;
	while (size - at >= sizeof(struct sm_ring_name)) {
		struct sm_ring_name name;
		memcpy(&name, bytes + at, sizeof(name));
		size_t whole = sizeof(name) + ((size_t)name.length + 7) / 8 * 8;
		if (!name.id) {
			break;
		}
		if (name.id >= SM_RING_NAMES_MAX || name.length > SM_RING_NAME_TEXT_MAX ||
			whole > size - at) {
			*ret_sound = false;
			break;
		}
		at += whole;
		++*ret_count;
	}
	return at;
}

static int deliver_names(struct sm_ring_reader *reader, const struct sm_ring_due *list,
	const struct sm_ring_sink *sink)
{
	struct sm_ring_slot *state = &reader->slots[list->slot];
	if (state->sequence != list->sequence) {
		*state = (struct sm_ring_slot){.sequence = list->sequence};
	}
	size_t room = sm_ring_file_slot_room(reader) - state->bytes, bytes;
	uint64_t count;
	bool sound;
	int error = sm_ring_file_words(reader, list->slot, reader->names, state->bytes, room);
	if (error) {
		return error;
	}
	bytes = measure_names(reader->names, room, &count, &sound);
	if (bytes) { /* once more: entries are complete only if read after their id was seen */
		error = sm_ring_file_words(reader, list->slot, reader->names, state->bytes, bytes);
		bytes = measure_names(reader->names, bytes, &count, &sound);
	}
	if (!error && bytes && sink->names) {
		error = sink->names(sink->context, &reader->header, reader->names, bytes, count);
	}
	if (error) {
		return error;
	}
	state->bytes += (uint32_t)bytes;
	if (!sound) {
		reader->damaged_segments++;
		state->bytes = sm_ring_file_slot_room(reader);
	}
	return 0;
}

static bool has_new_names(struct sm_ring_reader *reader, const struct sm_ring_due *list)
{
	const struct sm_ring_slot *state = &reader->slots[list->slot];
	uint32_t from = state->sequence == list->sequence ? state->bytes : 0, id = 0;
	return from + sizeof(struct sm_ring_name) <= sm_ring_file_slot_room(reader) &&
	       !sm_ring_file_words(reader, list->slot, &id, from, sizeof(id)) && id;
}

int sm_ring_names_catch_up(struct sm_ring_reader *reader, const struct sm_ring_sink *sink)
{
	uint64_t as_of;
	int error = sm_ring_file_read(
		reader->fd, &as_of, sizeof(as_of), offsetof(struct sm_ring_header, w_sequence));
	if (!error && (as_of != reader->lists_as_of || !reader->list_count)) {
		error = sm_ring_file_refresh(reader);
		error = error ? error : list_name_slots(reader);
		reader->lists_as_of = error ? reader->lists_as_of : as_of;
	}
	for (size_t i = 0; !error && i < reader->list_count; i++) {
		if (has_new_names(reader, &reader->lists[i])) {
			error = deliver_names(reader, &reader->lists[i], sink);
		}
	}
	return error;
}
