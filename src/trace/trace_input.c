/* Walks blocks and survives what lies between them.
 *
 * A block is believed when its header's hash is right; its body when the header's hash of it is. After a header that is
 * not believed the next one is looked for at every multiple of 8. A block that reaches beyond the end of the file, or
 * less than a header there, is a torn end and no damage: that is what a kill leaves. */
#include "trace/trace_input.h"

#include "base/mem.h"
#include "trace/trace_unpacker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WINDOW_BYTES = 1024 * 1024,
	SKIM_BYTES = 4096,
};

/* --- the window --- */

static int read_into(struct sm_trace_input *input, size_t have, size_t want)
{
	while (have < want) {
		ssize_t got = pread(input->fd, input->window + have, want - have,
			(off_t)(input->window_at + have));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -errno;
		}
		if (got == 0) {
			break; /* cut short since it was opened */
		}
		have += (size_t)got;
	}
	input->window_bytes = have;
	return 0;
}

static int move_window(struct sm_trace_input *input, uint64_t from, size_t bytes)
{
	size_t most = bytes > input->read_ahead ? bytes : input->read_ahead;
	size_t kept = 0,
	       room = (most > WINDOW_BYTES ? most : WINDOW_BYTES) + SM_TRACE_UNPACKER_SLACK;
	int error = sm_mem_grow(&input->window, &input->window_capacity, room, 1);
	if (error) {
		return error;
	}
	if (from >= input->window_at && from < input->window_at + input->window_bytes) {
		size_t gone = (size_t)(from - input->window_at);
		kept = input->window_bytes - gone;
		memmove(input->window, input->window + gone, kept);
	}
	most = most > kept ? most : kept;
	uint64_t left = input->file_bytes - from;
	input->window_at = from;
	return read_into(input, kept, left < most ? (size_t)left : most);
}

/* `bytes` of the file at `from`. 1, 0 where the file ends before, or an error. */
static int look(
	struct sm_trace_input *input, uint64_t from, size_t bytes, const unsigned char **ret_bytes)
{
	if (from > input->file_bytes || bytes > input->file_bytes - from) {
		return 0;
	}
	bool inside =
		from >= input->window_at && from + bytes <= input->window_at + input->window_bytes;
	int error = inside ? 0 : move_window(input, from, bytes);
	if (error < 0) {
		return error;
	}
	if (from + bytes > input->window_at + input->window_bytes) {
		return 0;
	}
	*ret_bytes = input->window + (from - input->window_at);
	return 1;
}

/* --- open, close --- */

static int check_header(const struct sm_trace_file_header *header, struct sm_error *reterr)
{
	if (memcmp(header->magic, SM_TRACE_MAGIC, sizeof(header->magic)) ||
		header->header_bytes < sizeof(*header) || header->header_bytes % 8) {
		return sm_error_set(reterr, -SM_ERR_FORMAT, 0, "not a trace of stallmeter");
	}
	if (header->major > SM_TRACE_MAJOR) {
		return sm_error_set(reterr, -SM_ERR_VERSION, 8,
			"format %u.%u; this program reads up to %d.x: use a newer stallmeter",
			header->major, header->minor, SM_TRACE_MAJOR);
	}
	return 0;
}

static int begin(struct sm_trace_input *input, struct sm_error *reterr)
{
	struct stat st;
	if (fstat(input->fd, &st)) {
		return sm_error_set(reterr, -errno, -1, "%s", strerror(errno));
	}
	if (!S_ISREG(st.st_mode)) {
		return sm_error_set(reterr, -SM_ERR_FORMAT, -1, "not a regular file");
	}
	input->file_bytes = (uint64_t)st.st_size;
	input->read_ahead = SKIM_BYTES;
	const unsigned char *bytes;
	int got = look(input, 0, sizeof(input->header), &bytes);
	if (got < 0) {
		return sm_error_set(reterr, got, 0, "%s", sm_error_text(got));
	}
	if (!got) {
		return input->file_bytes
			       ? sm_error_set(reterr, -SM_ERR_TORN, 0, "shorter than its header")
			       : sm_error_set(reterr, -SM_ERR_EMPTY, 0, "empty");
	}
	memcpy(&input->header, bytes, sizeof(input->header));
	input->header.run_id[sizeof(input->header.run_id) - 1] = '\0';
	input->at = input->header.header_bytes;
	return check_header(&input->header, reterr);
}

int sm_trace_input_open(struct sm_trace_input *input, const char *path, struct sm_error *reterr)
{
	*input = SM_TRACE_INPUT_EMPTY;
	input->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error = input->fd < 0 ? -errno : 0;
	error = error ? sm_error_set(reterr, error, -1, "%s", sm_error_text(error))
		      : begin(input, reterr);
	if (error) {
		sm_trace_input_close(input);
	}
	return error;
}

void sm_trace_input_close(struct sm_trace_input *input)
{
	if (input->fd >= 0) {
		close(input->fd);
	}
	sm_mem_free(input->window);
	*input = SM_TRACE_INPUT_EMPTY;
}

void sm_trace_input_rewind(struct sm_trace_input *input)
{
	input->at = input->header.header_bytes;
	input->blocks = input->damaged = 0;
	input->complete = input->torn = false;
}

/* What lay behind `at` in the window may have been half a block that was taken back. */
int sm_trace_input_go_on(struct sm_trace_input *input, uint64_t at)
{
	struct stat st;
	if (fstat(input->fd, &st)) {
		return -errno;
	}
	uint64_t kept = at > input->window_at ? at - input->window_at : 0;
	input->window_bytes = kept < input->window_bytes ? (size_t)kept : input->window_bytes;
	input->file_bytes = (uint64_t)st.st_size;
	input->at = at;
	input->torn = false;
	return 0;
}

/* --- blocks --- */

/* Whether the file's tail stands at `at`. */
static bool at_tail(struct sm_trace_input *input)
{
	struct sm_trace_tail tail;
	const unsigned char *bytes;
	if (look(input, input->at, sizeof(tail), &bytes) <= 0) {
		return false;
	}
	memcpy(&tail, bytes, sizeof(tail));
	return sm_trace_block_is_tail(&tail) && tail.index_offset < input->at;
}

static bool head_at(struct sm_trace_input *input, uint64_t at, struct sm_trace_block *ret_block)
{
	const unsigned char *bytes;
	if (look(input, at, sizeof(*ret_block), &bytes) <= 0) {
		return false;
	}
	memcpy(ret_block, bytes, sizeof(*ret_block));
	return sm_trace_block_is_head(ret_block);
}

/* Moves to the next believable header. */
static int skip_gap(struct sm_trace_input *input)
{
	struct sm_trace_block block;
	uint64_t at = input->at + 8;
	while (at + sizeof(block) <= input->file_bytes && !head_at(input, at, &block)) {
		at += 8;
	}
	if (at + sizeof(block) > input->file_bytes) {
		input->at = input->file_bytes;
		input->damaged++;
		return SM_TRACE_INPUT_GAP;
	}
	input->at = at;
	input->damaged++;
	return SM_TRACE_INPUT_GAP;
}

/* A believable header at `at`, or why there is none. */
static int next_head(struct sm_trace_input *input, struct sm_trace_block *ret_block)
{
	if (input->at >= input->file_bytes || input->complete) {
		return SM_TRACE_INPUT_END;
	}
	if (at_tail(input)) {
		input->complete = true;
		return SM_TRACE_INPUT_END;
	}
	if (input->file_bytes - input->at < sizeof(*ret_block)) {
		input->torn = true;
		return SM_TRACE_INPUT_END;
	}
	if (!head_at(input, input->at, ret_block)) {
		return skip_gap(input);
	}
	uint64_t end =
		input->at + sizeof(*ret_block) + sm_trace_block_padded(ret_block->stored_bytes);
	if (end > input->file_bytes) {
		input->torn = true;
		input->at = input->file_bytes;
		return SM_TRACE_INPUT_END;
	}
	return SM_TRACE_INPUT_BLOCK;
}

static int next_block(struct sm_trace_input *input, unsigned types,
	struct sm_trace_block *ret_block, const unsigned char **ret_body)
{
	int got = next_head(input, ret_block);
	if (got != SM_TRACE_INPUT_BLOCK) {
		return got;
	}
	uint64_t body_at = input->at + sizeof(*ret_block);
	*ret_body = NULL;
	if (ret_block->type >= 32 || !(types >> ret_block->type & 1)) {
		input->at = body_at + sm_trace_block_padded(ret_block->stored_bytes);
		return got;
	}
	got = look(input, body_at, ret_block->stored_bytes, ret_body);
	if (got <= 0) {
		input->torn = true;
		return got;
	}
	input->at = body_at + sm_trace_block_padded(ret_block->stored_bytes);
	if (!sm_trace_block_is_body(ret_block, *ret_body)) {
		input->damaged++;
		return SM_TRACE_INPUT_DAMAGED;
	}
	input->blocks++;
	return SM_TRACE_INPUT_BLOCK;
}

int sm_trace_input_next(struct sm_trace_input *input, struct sm_trace_block *ret_block,
	const unsigned char **ret_body)
{
	input->read_ahead = WINDOW_BYTES;
	return next_block(input, ~0U, ret_block, ret_body);
}

int sm_trace_input_skim(struct sm_trace_input *input, unsigned types,
	struct sm_trace_block *ret_block, const unsigned char **ret_body)
{
	input->read_ahead = SKIM_BYTES;
	return next_block(input, types, ret_block, ret_body);
}
