/* Appending, such that a reader finds whole blocks whatever happens.
 *
 * Every block is one pwritev(2) at the place where the last good block ended. Where that comes back short (full disk,
 * quota) the rest is tried once more; if it fails, the file is cut back and the next block goes to the same place. A
 * crash in between leaves a torn block at the end, which readers recognise by its header and length.
 *
 * RLIMIT_FSIZE is treated as a limit of ours: running into it would raise SIGXFSZ. */
#include "trace/trace_output.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	PARTS_MAX = 10,		   /* a header, a body's pieces, padding */
	WORDS_RESERVE = 16 * 1024, /* bytes kept free for LOSS, NOTE and PROCESS blocks */
};

static int64_t room_on_disk = -1; /* tests only */

void sm_trace_output_fill_after(int64_t bytes)
{
	room_on_disk = bytes;
}

static ssize_t write_some(int fd, const struct iovec *parts, int count, uint64_t at)
{
	if (room_on_disk < 0) {
		return pwritev(fd, parts, count, (off_t)at);
	}
	size_t bytes =
		parts[0].iov_len < (size_t)room_on_disk ? parts[0].iov_len : (size_t)room_on_disk;
	if (!bytes) {
		errno = ENOSPC;
		return -1;
	}
	room_on_disk -= (int64_t)bytes;
	return pwrite(fd, parts[0].iov_base, bytes, (off_t)at);
}

static int write_all(int fd, struct iovec *parts, int count, uint64_t at)
{
	for (;;) {
		while (count && !parts->iov_len) {
			parts++;
			count--;
		}
		if (!count) {
			return 0;
		}
		ssize_t done = write_some(fd, parts, count, at);
		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done <= 0) {
			return done < 0 ? -errno : -ENOSPC;
		}
		at += (uint64_t)done;
		for (int i = 0; done && i < count; i++) {
			size_t step =
				(size_t)done < parts[i].iov_len ? (size_t)done : parts[i].iov_len;
			parts[i].iov_base = (char *)parts[i].iov_base + step;
			parts[i].iov_len -= step;
			done -= (ssize_t)step;
		}
	}
}

/* All or nothing. */
static int put(struct sm_trace_output *output, struct iovec *parts, int count, uint64_t bytes)
{
	int error = write_all(output->fd, parts, count, output->at);
	if (error) {
		int cut = ftruncate(output->fd, (off_t)output->at);
		(void)cut; /* where it fails, the next block overwrites the torn one */
		return error;
	}
	output->at += bytes;
	return 0;
}

static struct iovec iov_of(const void *bytes, size_t count)
{
	struct iovec part = {.iov_len = count};
	memcpy(&part.iov_base, &bytes, sizeof(bytes)); /* iovec knows no const */
	return part;
}

static uint64_t effective_limit(uint64_t limit_bytes)
{
	struct rlimit limit;
	uint64_t own = limit_bytes ? limit_bytes : UINT64_MAX;
	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY) {
		return own;
	}
	return limit.rlim_cur < own ? limit.rlim_cur : own;
}

int sm_trace_output_open(struct sm_trace_output *output, const char *path,
	const struct sm_trace_file_header *header, uint64_t limit_bytes, struct sm_error *reterr)
{
	*output = SM_TRACE_OUTPUT_EMPTY;
	output->limit_bytes = effective_limit(limit_bytes);
	output->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int error = output->fd < 0 ? -errno : 0;
	if (error) {
		return sm_error_set(reterr, error, -1, "%s", sm_error_text(error));
	}
	struct iovec part = iov_of(header, sizeof(*header));
	error = put(output, &part, 1, sizeof(*header));
	if (error) {
		sm_trace_output_close(output);
		unlink(path);
		return sm_error_set(reterr, error, 0, "%s", sm_error_text(error));
	}
	return 0;
}

void sm_trace_output_limit(struct sm_trace_output *output, uint64_t limit_bytes)
{
	output->limit_bytes = effective_limit(limit_bytes);
}

void sm_trace_output_close(struct sm_trace_output *output)
{
	if (output->fd >= 0) {
		close(output->fd);
	}
	sm_mem_free(output->index);
	*output = SM_TRACE_OUTPUT_EMPTY;
}

/* What must stay free behind a block of this claim. */
static uint64_t reserve(const struct sm_trace_output *output, enum sm_trace_claim claim)
{
	uint64_t index = sizeof(struct sm_trace_block) + sizeof(struct sm_trace_tail) +
			 (output->block_count + 1) * sizeof(struct sm_trace_index_entry);
	switch (claim) {
	case SM_TRACE_CLAIM_DATA:
		return index + WORDS_RESERVE;
	case SM_TRACE_CLAIM_WORDS:
		return index;
	default:
		return sizeof(struct sm_trace_tail);
	}
}

bool sm_trace_output_has_room(
	const struct sm_trace_output *output, size_t body_bytes, enum sm_trace_claim claim)
{
	return output->at + sizeof(struct sm_trace_block) + sm_trace_block_padded(body_bytes) +
		       reserve(output, claim) <=
	       output->limit_bytes;
}

static void note_in_index(struct sm_trace_output *output, const struct sm_trace_block *block)
{
	output->index[output->block_count++] = (struct sm_trace_index_entry){
		.offset = output->at,
		.type = block->type,
		.process = block->process,
		.first_ns = block->first_ns,
		.last_ns = block->last_ns,
		.count = block->count,
	};
}

int sm_trace_output_append(struct sm_trace_output *output, struct sm_trace_block *block,
	const struct sm_trace_part *parts, int count, enum sm_trace_claim claim)
{
	static const char zeros[8];
	assert(count <= PARTS_MAX - 2);
	sm_trace_block_seal(block, parts, count);
	uint64_t body = sm_trace_block_padded(block->stored_bytes);
	uint64_t bytes = sizeof(*block) + body;
	if (block->stored_bytes > SM_TRACE_BLOCK_BYTES_MAX ||
		!sm_trace_output_has_room(output, block->stored_bytes, claim)) {
		return -SM_ERR_LIMIT;
	}
	struct iovec pieces[PARTS_MAX];
	pieces[0] = iov_of(block, sizeof(*block));
	for (int i = 0; i < count; i++) {
		pieces[1 + i] = iov_of(parts[i].bytes, parts[i].count);
	}
	pieces[1 + count] = iov_of(zeros, body - block->stored_bytes);
	int error = sm_mem_grow(&output->index, &output->index_capacity, output->block_count + 1,
		sizeof(*output->index));
	if (error) {
		return error;
	}
	note_in_index(output, block);
	error = put(output, pieces, count + 2, bytes);
	output->block_count -= error != 0;
	return error;
}

int sm_trace_output_finish(struct sm_trace_output *output)
{
	struct sm_trace_tail tail = {
		.index_offset = output->at,
		.block_count = output->block_count,
	};
	/* Now, since appending must not move the array it writes. */
	int error = sm_mem_grow(&output->index, &output->index_capacity, output->block_count + 1,
		sizeof(*output->index));
	if (error) {
		return error;
	}
	size_t bytes = output->block_count * sizeof(*output->index);
	struct sm_trace_block block = {
		.type = SM_TRACE_INDEX,
		.plain_bytes = (uint32_t)bytes,
		.count = output->block_count,
	};
	struct sm_trace_part body = {output->index, bytes};
	error = bytes > SM_TRACE_BLOCK_BYTES_MAX
			? 0 /* too many blocks to list; the reader walks them */
			: sm_trace_output_append(output, &block, &body, 1, SM_TRACE_CLAIM_INDEX);
	if (error) {
		return error;
	}
	sm_trace_block_seal_tail(&tail);
	struct iovec part = iov_of(&tail, sizeof(tail));
	return put(output, &part, 1, sizeof(tail));
}
