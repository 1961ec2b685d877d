#include "ring_oracle.h"

#include "base/crc32c.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void complain(struct oracle *oracle, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void complain(struct oracle *oracle, const char *format, ...)
{
	va_list args;
	if (!oracle->problem[0]) {
		va_start(args, format);
		vsnprintf(oracle->problem, sizeof(oracle->problem), format, args);
		va_end(args);
	}
}

static void load(struct oracle *oracle, const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		complain(oracle, "cannot open %s", path);
		return;
	}
	fseek(file, 0, SEEK_END);
	oracle->size = (size_t)ftell(file);
	rewind(file);
	oracle->bytes = calloc(1, oracle->size + SM_RING_SEGMENT_BYTES);
	if (fread(oracle->bytes, 1, oracle->size, file) != oracle->size) {
		complain(oracle, "short read of %s", path);
	}
	fclose(file);
}

static struct oracle_thread *thread_of(struct oracle *oracle, uint32_t tid)
{
	for (uint32_t i = oracle->thread_count; i-- > 0;) {
		if (oracle->threads[i].tid == tid) {
			return &oracle->threads[i];
		}
	}
	if (oracle->thread_count == ORACLE_THREADS_MAX) {
		complain(oracle, "too many threads");
		return &oracle->threads[0];
	}
	struct oracle_thread *thread = &oracle->threads[oracle->thread_count++];
	thread->tid = tid;
	return thread;
}

/* --- names --- */

static void read_names(struct oracle *oracle, const unsigned char *at, const unsigned char *end)
{
	struct sm_ring_name name;
	while (at + sizeof(name) <= end && (memcpy(&name, at, sizeof(name)), name.id)) {
		const char *text = (const char *)at + sizeof(name);
		at += sizeof(name) + (name.length + 7u) / 8 * 8;
		if (at > end) {
			complain(oracle, "name %u reaches over its slot", name.id);
			return;
		}
		if (name.id >= ORACLE_NAMES_MAX) {
			continue;
		}
		if (oracle->names[name.id][0]) {
			complain(oracle, "name %u twice", name.id);
		}
		snprintf(oracle->names[name.id], sizeof(oracle->names[0]), "%.*s", (int)name.length,
			text);
		oracle->name_kinds[name.id] = name.kind;
		oracle->name_roles[name.id] = name.role;
		oracle->name_count++;
	}
}

/* --- words --- */

struct position {
	struct oracle_thread *thread;
	uint64_t time; /* units, full width */
	uint32_t mark; /* name of the mark directly before, or 0 */
	bool first;
};

static void begin(struct oracle *oracle, struct position *position, uint32_t name, int64_t now_ns)
{
	struct oracle_thread *thread = position->thread;
	if (!name || (name < ORACLE_NAMES_MAX && !oracle->names[name][0])) {
		complain(oracle, "begin of unknown name %u", name);
	}
	if (thread->depth < ORACLE_DEPTH_MAX) {
		thread->open[thread->depth] = name;
		thread->begun_ns[thread->depth] = now_ns;
	}
	thread->depth++;
}

static void end(struct oracle *oracle, struct position *position, int64_t now_ns)
{
	struct oracle_thread *thread = position->thread;
	if (!thread->depth) {
		thread->orphans++;
		return;
	}
	thread->depth--;
	thread->closed++;
	oracle->closed++;
	if (thread->depth < ORACLE_DEPTH_MAX && thread->open[thread->depth] < ORACLE_NAMES_MAX) {
		uint32_t name = thread->open[thread->depth];
		oracle->closed_of[name]++;
		oracle->wall_ns_of[name] += now_ns - thread->begun_ns[thread->depth];
	}
}

static void payload(struct oracle *oracle, struct position *position, uint32_t type,
	const unsigned char *words, uint32_t count)
{
	uint64_t first = 0;
	memcpy(&first, words, count ? sizeof(first) : 0);
	position->mark = type < SM_RING_ARG ? 0 : position->mark; /* no longer directly behind it */
	if (type == SM_RING_CAUSE) {
		struct oracle_thread *thread = position->thread;
		memcpy(&oracle->last_cause, words, sizeof(oracle->last_cause));
		if (count != 8 || !thread->depth) {
			complain(oracle, "cause of %u words at depth %u", count, thread->depth);
		} else if (thread->open[thread->depth - 1] < ORACLE_NAMES_MAX) {
			oracle->causes_of[thread->open[thread->depth - 1]]++;
		}
	} else if (type == SM_RING_COUNTER && count == 2 && first < ORACLE_NAMES_MAX) {
		oracle->events++;
		memcpy(&oracle->counter_of[first], words + 8, sizeof(double));
	} else if (type == SM_RING_THREAD && count == 1) {
		struct oracle_thread *thread = thread_of(oracle, (uint32_t)first);
		if (thread != position->thread) {
			thread->depth = 0;
		}
		thread->name = (uint32_t)(first >> 32) ? (uint32_t)(first >> 32) : thread->name;
		position->thread = thread;
		oracle->thread_words++;
		oracle->events += first >> 32 != 0; /* a name, and not just another thread */
	} else if (type == SM_RING_SYNC && count == 1) {
		position->time = first >> oracle->header->tick_shift;
		oracle->syncs++;
	} else if (type == SM_RING_LOST && count == 1) {
		position->thread->lost += first;
		position->thread->depth = 0;
		oracle->lost += first;
	} else if (type >= SM_RING_ARG && type < 256 && count == 1) {
		oracle->arguments++;
		oracle->events += position->mark == 0;
		oracle->marks_between += position->mark != 0;
		oracle->last_argument = (int64_t)first;
		oracle->last_key = type - SM_RING_ARG;
	} else {
		complain(oracle, "payload of type %u with %u words", type, count);
	}
}

static int64_t ns_of(
	const struct oracle *oracle, const struct sm_ring_segment *segment, uint64_t time)
{
	uint64_t ticks = time << oracle->header->tick_shift;
	return segment->mono_ns +
	       (int64_t)((double)(int64_t)(ticks - segment->ticks) * oracle->ns_per_tick);
}

/* A short word is less than 2^20 ahead; a long one is the nearest instant with these bits, on either side. */
static void complete(struct position *position, uint64_t low, int bits)
{
	uint64_t mask = ((uint64_t)1 << bits) - 1;
	uint64_t ahead = (low - position->time) & mask;
	position->time += bits == 40 && ahead >> 39 ? ahead - mask - 1 : ahead;
}

static void read_words(struct oracle *oracle, const struct sm_ring_segment *segment,
	const unsigned char *at, const unsigned char *limit)
{
	struct position position = {.thread = thread_of(oracle, segment->tid),
		.time = segment->ticks >> oracle->header->tick_shift,
		.first = true};
	const unsigned char *start = at;
	if (segment->sequence <= position.thread->sequence) {
		complain(oracle, "segments out of order");
	}
	position.thread->sequence = segment->sequence;
	for (;;) {
		uint32_t low;
		uint64_t word;
		if (at + sizeof(low) > limit || (memcpy(&low, at, sizeof(low)), !low)) {
			break;
		}
		oracle->words++;
		if (!(low & 1)) {
			if (position.first) {
				complain(oracle, "first word is short");
			}
			complete(&position, low >> 12, 20);
			int64_t now_ns = ns_of(oracle, segment, position.time);
			at += sizeof(low);
			position.mark = 0;
			oracle->events++;
			if (low >> 1 & 1) {
				end(oracle, &position, now_ns);
			} else {
				begin(oracle, &position, low >> 2 & 1023, now_ns);
			}
			continue;
		}
		memcpy(&word, at, sizeof(word));
		uint32_t field = (uint32_t)(word >> 3 & 0x1fffff);
		enum sm_ring_word_kind kind = word >> 1 & 3;
		complete(&position, word >> 24, 40);
		int64_t now_ns = ns_of(oracle, segment, position.time);
		at += sizeof(word);
		position.first = false;
		if (kind == SM_RING_PAYLOAD) {
			uint32_t count = field >> 8;
			if (at + 8 * (size_t)count > limit) {
				complain(oracle, "payload reaches over its slot");
				break;
			}
			payload(oracle, &position, field & 255, at, count);
			at += 8 * (size_t)count;
			continue;
		}
		oracle->events++;
		position.mark = kind == SM_RING_MARK ? field : 0;
		if (kind == SM_RING_BEGIN) {
			begin(oracle, &position, field, now_ns);
		} else if (kind == SM_RING_END) {
			end(oracle, &position, now_ns);
		} else if (field < ORACLE_NAMES_MAX) {
			oracle->marks_of[field]++;
		}
	}
	oracle->word_bytes += (uint64_t)(at - start);
	if (segment->w_state == SM_RING_SEALED && at != limit) {
		complain(oracle, "sealed segment %llu ends early",
			(unsigned long long)segment->sequence);
	}
}

/* --- segments --- */

static const unsigned char *words_limit(
	struct oracle *oracle, const struct sm_ring_segment *segment)
{
	const unsigned char *words = (const unsigned char *)(segment + 1);
	if (segment->w_state != SM_RING_SEALED) {
		return words + SM_RING_SEGMENT_BYTES - SM_RING_SEGMENT_HEADER_BYTES;
	}
	if (segment->w_length > SM_RING_SEGMENT_BYTES - SM_RING_SEGMENT_HEADER_BYTES) {
		complain(oracle, "sealed length %u", segment->w_length);
		return words;
	}
	if (sm_crc32c_add(0, words, segment->w_length) != segment->w_crc) {
		complain(oracle, "checksum of segment %llu", (unsigned long long)segment->sequence);
	}
	return words + segment->w_length;
}

static int by_sequence(const void *a, const void *b)
{
	const struct sm_ring_segment *const *x = a, *const *y = b;
	return (*x)->sequence < (*y)->sequence ? -1 : (*x)->sequence > (*y)->sequence;
}

static void read_segments(struct oracle *oracle)
{
	uint32_t count = 0;
	const struct sm_ring_segment **all = calloc(oracle->slots + 1, sizeof(*all));
	for (uint32_t slot = 0; slot < oracle->slots; slot++) {
		const struct sm_ring_segment *segment =
			(const void *)(oracle->bytes + SM_RING_HEADER_BYTES +
				       (size_t)slot * SM_RING_SEGMENT_BYTES);
		if (segment->magic != SM_RING_SEGMENT_MAGIC) {
			complain(oracle, "slot %u has no magic", slot);
		} else if (segment->w_state != SM_RING_FREE) {
			all[count++] = segment;
			oracle->sealed += segment->w_state == SM_RING_SEALED;
			oracle->adoptable += segment->adoptable == 1;
		}
	}
	qsort(all, count, sizeof(*all), by_sequence);
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < count; i++) {
			const unsigned char *limit = words_limit(oracle, all[i]);
			if (all[i]->kind == (pass ? SM_RING_EVENTS : SM_RING_NAMES)) {
				if (pass) {
					read_words(oracle, all[i],
						(const unsigned char *)(all[i] + 1), limit);
				} else {
					read_names(
						oracle, (const unsigned char *)(all[i] + 1), limit);
				}
			}
		}
	}
	free(all);
}

static void read_header(struct oracle *oracle)
{
	const struct sm_ring_header *header = (const void *)oracle->bytes;
	oracle->header = header;
	if (oracle->size < SM_RING_HEADER_BYTES ||
		memcmp(header->magic, SM_RING_MAGIC, sizeof(header->magic))) {
		complain(oracle, "not a ring");
		return;
	}
	oracle->slots = header->w_segment_count;
	if (SM_RING_HEADER_BYTES + (uint64_t)oracle->slots * SM_RING_SEGMENT_BYTES > oracle->size) {
		complain(oracle, "%u slots in %zu bytes", oracle->slots, oracle->size);
		oracle->slots = 0;
	}
	if (oracle->size > header->limit_bytes) {
		complain(oracle, "%zu bytes are over the limit", oracle->size);
	}
	double ticks = (double)(header->latest.ticks - header->opened.ticks);
	double ns = (double)(header->latest.mono_ns - header->opened.mono_ns);
	oracle->ns_per_tick = ticks > 0 ? ns / ticks : 1;
}

struct oracle *oracle_read(const char *path)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));
	oracle->threads = calloc(ORACLE_THREADS_MAX, sizeof(*oracle->threads));
	load(oracle, path);
	if (!oracle->problem[0]) {
		read_header(oracle);
	}
	if (!oracle->problem[0]) {
		read_segments(oracle);
	}
	for (uint32_t i = 0; i < oracle->thread_count; i++) {
		oracle->open_at_end += oracle->threads[i].depth;
	}
	return oracle;
}

void oracle_free(struct oracle *oracle)
{
	free(oracle->bytes);
	free(oracle->threads);
	free(oracle);
}

uint32_t oracle_find(const struct oracle *oracle, const char *name)
{
	for (uint32_t id = 1; id < ORACLE_NAMES_MAX; id++) {
		if (!strcmp(oracle->names[id], name)) {
			return id;
		}
	}
	return 0;
}
