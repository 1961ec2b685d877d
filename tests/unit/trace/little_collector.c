#include "little_collector.h"

#include "trace/trace_output.h"

#include <errno.h>
#include <stddef.h>

static int take_segment(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct little_collector *collector = context;
	int error = sm_trace_writer_segment(
		collector->writer, collector->process, header, segment, words, bytes);
	if (collector->room_after && !--collector->room_after) {
		sm_trace_output_fill_after(-1);
	}
	if (!error && collector->stop_after && !--collector->stop_after) {
		return -EINTR;
	}
	return error;
}

static int take_names(void *context, const struct sm_ring_header *header, const void *entries,
	size_t bytes, uint64_t count)
{
	struct little_collector *collector = context;
	return sm_trace_writer_names(collector->writer, collector->process, entries, bytes, count);
}

int little_collector_open(struct little_collector *collector, const char *ring_path,
	const char *stall_path, bool take_back, uint64_t limit_bytes)
{
	struct sm_trace_writer_options options = {
		.run_id = "little",
		.started_mono_ns = 1,
		.started_real_ns = 1767225600000000001,
		.limit_bytes = limit_bytes,
	};
	*collector = (struct little_collector){.reader = SM_RING_READER_EMPTY};
	int error = sm_trace_writer_create(stall_path, &options, &collector->writer, NULL);
	error = error ? error : sm_ring_reader_open(&collector->reader, ring_path, take_back, NULL);
	error = error ? error
		      : sm_trace_writer_process(
				collector->writer, &collector->reader.header, &collector->process);
	return error;
}

int little_collector_drain(struct little_collector *collector, enum sm_ring_drain what)
{
	struct sm_ring_sink sink = {
		.context = collector, .segment = take_segment, .names = take_names};
	return sm_ring_reader_drain(&collector->reader, what, &sink);
}

int little_collector_finish(struct little_collector *collector)
{
	int error = sm_trace_writer_process_ended(
		collector->writer, collector->process, 1000000000, 0, true);
	return error ? error : sm_trace_writer_finish(collector->writer, NULL);
}

void little_collector_kill(struct little_collector *collector)
{
	sm_trace_writer_destroy(collector->writer);
	sm_ring_reader_close(&collector->reader);
	collector->writer = NULL;
}
