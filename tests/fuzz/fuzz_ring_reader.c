/* Any bytes as another process's mapping: the reader must stay in bounds, deliver whole words and whole names, keep time
 * from running backwards, and come to an end. Drained twice, as a collector does: sealed slots first, then all. */
#include "ring/ring_reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_words(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct sm_ring_cursor cursor;
	struct sm_ring_word word;
	int64_t last_ns = INT64_MIN;
	sm_ring_cursor_init(&cursor, header, segment, words, bytes);
	while (sm_ring_cursor_next(&cursor, &word) > 0) {
		if (word.time_ns < last_ns) {
			abort();
		}
		last_ns = word.time_ns;
		for (uint32_t i = 0; i < word.payload_words * 8; i++) {
			*(uint64_t *)context += word.payload[i];
		}
	}
	return 0;
}

static int read_names(void *context, const struct sm_ring_header *header, const void *entries,
	size_t bytes, uint64_t count)
{
	const unsigned char *at = entries, *end = at + bytes;
	for (; at < end; count--) {
		struct sm_ring_name name;
		memcpy(&name, at, sizeof(name));
		for (size_t i = 0; i < name.length; i++) {
			*(uint64_t *)context += at[sizeof(name) + i];
		}
		at += sizeof(name) + (name.length + 7) / 8 * 8;
	}
	if (at != end || count) {
		abort();
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[32];
	uint64_t sum = 0;
	struct sm_ring_reader reader = SM_RING_READER_EMPTY;
	struct sm_ring_sink sink = {.context = &sum, .segment = read_words, .names = read_names};
	int fd = memfd_create("ring", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		abort();
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (sm_ring_reader_open(&reader, path, true, NULL) == 0) {
		(void)sm_ring_reader_drain(&reader, SM_RING_DRAIN_SEALED, &sink);
		(void)sm_ring_reader_drain(&reader, SM_RING_DRAIN_ALL, &sink);
	}
	sm_ring_reader_close(&reader);
	close(fd);
	return 0;
}
