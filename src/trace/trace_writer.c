/* What the collector tells, as blocks of one file. A block that finds no room is no error here: trace_backlog.c keeps
 * account of it, and every function returns 0 as long as the losses are counted. */
#include "trace/trace_writer.h"

#include "base/mem.h"
#include "base/str.h"
#include "ring/ring_reader.h"
#include "trace/trace_backlog.h"
#include "trace/trace_output.h"
#include "trace/trace_samples.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <zstd.h>

enum { ZSTD_LEVEL = 1 };

struct sm_trace_writer {
	struct sm_trace_output output;
	uint64_t *lost_events; /* owned; per process, what its mapping says so far */
	size_t process_count, process_capacity;
	struct sm_trace_backlog backlog;
	uint64_t lost_samples;
	struct sm_trace_samples_columns samples;
	unsigned char *plain, *packed; /* owned; bodies before (of SAMPLES) and after zstd */
	size_t packed_capacity;
};

/* --- opening --- */

static int get_buffers(struct sm_trace_writer *writer)
{
	const size_t plain = (size_t)SM_TRACE_SAMPLES_MAX * SM_TRACE_SAMPLE_BYTES;
	writer->plain = sm_mem_alloc(plain);
	return writer->plain ? sm_mem_grow(&writer->packed, &writer->packed_capacity,
				       ZSTD_compressBound(plain), 1)
			     : -ENOMEM;
}

static struct sm_trace_file_header header_of(const struct sm_trace_writer_options *options)
{
	struct sm_trace_file_header header = {
		.magic = SM_TRACE_MAGIC,
		.major = SM_TRACE_MAJOR,
		.minor = SM_TRACE_MINOR,
		.header_bytes = sizeof(header),
		.rank = options->rank,
		.started_real_ns = options->started_real_ns,
		.started_mono_ns = options->started_mono_ns,
	};
	if (options->run_id) {
		size_t length = strnlen(options->run_id, sizeof(header.run_id) - 1);
		memcpy(header.run_id, options->run_id, length);
	}
	return header;
}

int sm_trace_writer_create(const char *path, const struct sm_trace_writer_options *options,
	struct sm_trace_writer **ret_writer, struct sm_error *reterr)
{
	struct sm_trace_writer *writer = sm_mem_calloc(1, sizeof(*writer));
	if (!writer) {
		return sm_error_set(reterr, -ENOMEM, -1, "out of memory");
	}
	writer->output = SM_TRACE_OUTPUT_EMPTY;
	struct sm_trace_file_header header = header_of(options);
	int error = get_buffers(writer);
	error = error ? sm_error_set(reterr, error, -1, "out of memory")
		      : sm_trace_output_open(
				&writer->output, path, &header, options->limit_bytes, reterr);
	if (error) {
		sm_trace_writer_destroy(writer);
		return error;
	}
	*ret_writer = writer;
	return 0;
}

void sm_trace_writer_destroy(struct sm_trace_writer *writer)
{
	if (!writer) {
		return;
	}
	sm_trace_output_close(&writer->output);
	sm_trace_backlog_finish(&writer->backlog);
	sm_mem_free(writer->lost_events);
	sm_mem_free(writer->plain);
	sm_mem_free(writer->packed);
	sm_mem_free(writer);
}

/* --- blocks --- */

static int write_data(struct sm_trace_writer *writer, struct sm_trace_block *block,
	const struct sm_trace_part *parts, int count)
{
	size_t bytes = 0;
	for (int i = 0; i < count; i++) {
		bytes += parts[i].count;
	}
	if (!sm_trace_output_has_room(&writer->output, bytes, SM_TRACE_CLAIM_DATA)) {
		return -SM_ERR_LIMIT;
	}
	int error = sm_trace_backlog_settle(&writer->backlog, &writer->output, SM_TRACE_LOSSES_ALL);
	return error ? error
		     : sm_trace_output_append(
			       &writer->output, block, parts, count, SM_TRACE_CLAIM_DATA);
}

/* Words are written in their order, or kept until they can be. */
static int write_block(struct sm_trace_writer *writer, struct sm_trace_block *block,
	const void *body, size_t bytes)
{
	struct sm_trace_part part = {body, bytes};
	int error = sm_trace_backlog_write_held(&writer->backlog, &writer->output);
	error = error ? error
		      : sm_trace_output_append(
				&writer->output, block, &part, 1, SM_TRACE_CLAIM_WORDS);
	return error ? sm_trace_backlog_hold(&writer->backlog, block, body, bytes) : 0;
}

static int write_words(struct sm_trace_writer *writer, enum sm_trace_block_type type,
	uint32_t process, uint64_t count, const void *body, size_t bytes)
{
	struct sm_trace_block block = {
		.type = (uint16_t)type,
		.codec = SM_TRACE_PLAIN,
		.process = process,
		.plain_bytes = (uint32_t)bytes,
		.count = count,
	};
	return write_block(writer, &block, body, bytes);
}

static int write_lines(struct sm_trace_writer *writer, enum sm_trace_block_type type,
	uint32_t process, struct sm_str *lines)
{
	int error = lines->failed ? -ENOMEM
				  : write_words(writer, type, process, 0, sm_str_text(lines),
					    lines->length);
	sm_str_finish(lines);
	return error;
}

/* --- words --- */

int sm_trace_writer_run(struct sm_trace_writer *writer, const char *lines)
{
	return write_words(writer, SM_TRACE_RUN, 0, 0, lines, strlen(lines));
}

/* `key=value` and a newline; newlines of the value become spaces. */
static void add_line(struct sm_str *lines, const char *key, const char *value)
{
	sm_str_addf(lines, "%s=", key);
	size_t from = lines->length;
	sm_str_add(lines, value);
	for (size_t i = from; i < lines->length; i++) {
		if (lines->text[i] == '\n') {
			lines->text[i] = ' ';
		}
	}
	sm_str_add(lines, "\n");
}

int sm_trace_writer_note(struct sm_trace_writer *writer, const char *what, const char *why)
{
	struct sm_str lines = SM_STR_EMPTY;
	add_line(&lines, what, why);
	return write_lines(writer, SM_TRACE_NOTE, 0, &lines);
}

int sm_trace_writer_alert(struct sm_trace_writer *writer, const struct sm_trace_alert *alert)
{
	struct sm_str lines = SM_STR_EMPTY;
	sm_trace_alert_add_lines(alert, &lines);
	struct sm_trace_block block = {
		.type = SM_TRACE_ALERT,
		.codec = SM_TRACE_PLAIN,
		.plain_bytes = (uint32_t)lines.length,
		.count = 1,
		.first_ns = alert->time_ns,
		.last_ns = alert->time_ns,
	};
	int error = lines.failed ? -ENOMEM
				 : write_block(writer, &block, sm_str_text(&lines), lines.length);
	sm_str_finish(&lines);
	return error;
}

int sm_trace_writer_process(
	struct sm_trace_writer *writer, const struct sm_ring_header *header, uint32_t *ret_process)
{
	int error = sm_mem_grow(&writer->lost_events, &writer->process_capacity,
		writer->process_count + 1, sizeof(*writer->lost_events));
	if (error) {
		return error;
	}
	error = sm_trace_backlog_add_process(&writer->backlog);
	if (error) {
		return error;
	}
	struct sm_str lines = SM_STR_EMPTY;
	sm_str_addf(&lines, "pid=%d\nppid=%d\nrank=%d\n", header->pid, header->ppid, header->rank);
	sm_str_addf(&lines, "start_time=%" PRIu64 "\n", header->start_time);
	sm_str_addf(&lines, "opened_mono_ns=%" PRId64 "\n", header->opened.mono_ns);
	sm_str_addf(&lines, "opened_real_ns=%" PRId64 "\n", header->opened.real_ns);
	add_line(&lines, "unique", header->unique);
	add_line(&lines, "parent", header->parent);
	add_line(&lines, "boot_id", header->boot_id);
	add_line(&lines, "program", header->program);
	error = write_lines(writer, SM_TRACE_PROCESS, (uint32_t)writer->process_count, &lines);
	if (!error) {
		*ret_process = (uint32_t)writer->process_count;
		writer->lost_events[writer->process_count++] = header->w_lost_events;
	}
	return error;
}

int sm_trace_writer_process_ended(struct sm_trace_writer *writer, uint32_t process,
	int64_t ended_ns, int exit_status, bool complete)
{
	if (process >= writer->process_count) {
		return -EINVAL;
	}
	struct sm_str lines = SM_STR_EMPTY;
	sm_str_addf(&lines, "ended_ns=%" PRId64 "\nexit=%d\n", ended_ns, exit_status);
	sm_str_addf(&lines, "complete=%d\nlost_events=%" PRIu64 "\n", complete,
		writer->lost_events[process]);
	return write_lines(writer, SM_TRACE_PROCESS, process, &lines);
}

int sm_trace_writer_names(struct sm_trace_writer *writer, uint32_t process, const void *entries,
	size_t bytes, uint64_t count)
{
	if (process >= writer->process_count) {
		return -EINVAL;
	}
	return write_words(writer, SM_TRACE_NAMES, process, count, entries, bytes);
}

/* --- events --- */

/* Counts the words and finds the times of the first, which is long, and the last. */
static void survey(struct sm_trace_block *block, const struct sm_trace_raw *raw,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct sm_ring_cursor cursor;
	struct sm_ring_word word;
	sm_ring_cursor_init_rate(&cursor, raw->tick_shift, raw->ns_per_tick, segment, words, bytes);
	while (sm_ring_cursor_next(&cursor, &word) > 0) {
		if (!block->count++) {
			block->first_ns = word.time_ns;
		}
		block->count += sm_ring_cursor_pass_short(&cursor);
	}
	block->last_ns = sm_ring_cursor_ns(&cursor, cursor.units);
	block->first_ns = block->count ? block->first_ns : block->last_ns;
}

int sm_trace_writer_segment(struct sm_trace_writer *writer, uint32_t process,
	const struct sm_ring_header *header, const struct sm_ring_segment *segment,
	const void *words, size_t bytes)
{
	if (process >= writer->process_count) {
		return -EINVAL;
	}
	writer->lost_events[process] = header->w_lost_events;
	struct sm_trace_raw raw = {
		.sequence = segment->sequence,
		.begin_bytes = segment->reserved,
		.end_bytes = segment->reserved + (uint32_t)bytes,
		.ticks = segment->ticks,
		.mono_ns = segment->mono_ns,
		.ns_per_tick = sm_ring_cursor_rate(header, segment),
		.tick_shift = header->tick_shift,
	};
	struct sm_trace_block block = {
		.type = SM_TRACE_EVENTS,
		.codec = SM_TRACE_RAW,
		.plain_bytes = (uint32_t)(sizeof(raw) + bytes),
		.process = process,
		.tid = segment->tid,
	};
	survey(&block, &raw, segment, words, bytes);
	struct sm_trace_part parts[2] = {{&raw, sizeof(raw)}, {words, bytes}};
	if (write_data(writer, &block, parts, 2)) {
		sm_trace_backlog_lose(&writer->backlog, &writer->output, process, block.count,
			block.first_ns, block.last_ns);
	}
	return 0;
}

int sm_trace_writer_loss(struct sm_trace_writer *writer, uint32_t process, uint64_t events,
	int64_t first_ns, int64_t last_ns)
{
	if (process >= writer->process_count) {
		return -EINVAL;
	}
	sm_trace_backlog_lose(
		&writer->backlog, &writer->output, process, events, first_ns, last_ns);
	return 0;
}

/* --- samples --- */

/* A body that may be smaller as a zstd frame. */
static int write_packed(struct sm_trace_writer *writer, struct sm_trace_block *block,
	const void *plain, size_t bytes)
{
	size_t room = ZSTD_compressBound(bytes);
	int error = sm_mem_grow(&writer->packed, &writer->packed_capacity, room, 1);
	if (error) {
		return error;
	}
	size_t packed = ZSTD_compress(writer->packed, room, plain, bytes, ZSTD_LEVEL);
	bool smaller = !ZSTD_isError(packed) && packed < bytes;
	block->codec = smaller ? SM_TRACE_ZSTD : SM_TRACE_PLAIN;
	block->plain_bytes = (uint32_t)bytes;
	struct sm_trace_part part = {smaller ? writer->packed : plain, smaller ? packed : bytes};
	return write_data(writer, block, &part, 1);
}

int sm_trace_writer_flush(struct sm_trace_writer *writer)
{
	struct sm_trace_samples_columns *samples = &writer->samples;
	if (!samples->count) {
		return 0;
	}
	size_t plain = sm_trace_samples_encode(samples, writer->plain);
	struct sm_trace_block block = {
		.type = SM_TRACE_SAMPLES,
		.count = samples->count,
		.first_ns = samples->time_ns[0],
		.last_ns = samples->time_ns[samples->count - 1],
	};
	int error = write_packed(writer, &block, writer->plain, plain);
	writer->lost_samples += error ? samples->count : 0;
	samples->count = 0;
	return 0;
}

int sm_trace_writer_stacks(struct sm_trace_writer *writer, const void *body, size_t bytes)
{
	struct sm_trace_block block = {.type = SM_TRACE_STACKS};
	return write_packed(writer, &block, body, bytes);
}

int sm_trace_writer_stack_samples(struct sm_trace_writer *writer, const void *body, size_t bytes,
	uint64_t count, int64_t first_ns, int64_t last_ns)
{
	struct sm_trace_block block = {
		.type = SM_TRACE_STACK_SAMPLES,
		.count = count,
		.first_ns = first_ns,
		.last_ns = last_ns,
	};
	return write_packed(writer, &block, body, bytes);
}

int sm_trace_writer_sample(struct sm_trace_writer *writer, int64_t time_ns, uint16_t metric,
	int64_t instance, double value)
{
	struct sm_trace_samples_columns *samples = &writer->samples;
	size_t at = samples->count++;
	samples->time_ns[at] = time_ns;
	samples->metric[at] = metric;
	samples->instance[at] = instance;
	samples->value[at] = value;
	return samples->count == SM_TRACE_SAMPLES_MAX ? sm_trace_writer_flush(writer) : 0;
}

/* --- the end --- */

static int note_lost_samples(struct sm_trace_writer *writer)
{
	struct sm_str why = SM_STR_EMPTY;
	sm_str_addf(&why, "%" PRIu64 " values found no room in the file", writer->lost_samples);
	int error =
		why.failed ? -ENOMEM : sm_trace_writer_note(writer, "counters", sm_str_text(&why));
	sm_str_finish(&why);
	return error;
}

int sm_trace_writer_finish(struct sm_trace_writer *writer, struct sm_error *reterr)
{
	int error = sm_trace_writer_flush(writer);
	if (!error && writer->lost_samples) {
		error = note_lost_samples(writer);
	}
	error = error ? error
		      : sm_trace_backlog_settle(
				&writer->backlog, &writer->output, SM_TRACE_LOSSES_ALL);
	error = error ? error : sm_trace_output_finish(&writer->output);
	return error ? sm_error_set(reterr, error, (int64_t)writer->output.at, "%s",
			       sm_error_text(error))
		     : 0;
}

void sm_trace_writer_set_limit(struct sm_trace_writer *writer, uint64_t limit_bytes)
{
	sm_trace_output_limit(&writer->output, limit_bytes);
}

uint64_t sm_trace_writer_bytes(const struct sm_trace_writer *writer)
{
	return writer->output.at;
}

uint64_t sm_trace_writer_lost(const struct sm_trace_writer *writer)
{
	return writer->backlog.lost;
}
