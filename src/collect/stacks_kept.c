#include "collect/stacks_kept.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

enum {
	BODY_BYTES = sizeof(struct sm_trace_stack_samples_head) +
		     SM_TRACE_STACK_SAMPLES_MAX * SM_TRACE_STACK_SAMPLE_BYTES,
	TABLE_BYTES = 1024 * 1024, /* of one block, about; what is more goes into the next */
};

int sm_stacks_kept_open(struct sm_stacks_kept *kept, struct sm_trace_writer *writer)
{
	*kept = (struct sm_stacks_kept){.writer = writer};
	kept->columns = sm_mem_alloc(sizeof(*kept->columns));
	kept->body = sm_mem_alloc(BODY_BYTES);
	if (!kept->columns || !kept->body) {
		sm_stacks_kept_close(kept);
		return -ENOMEM;
	}
	kept->columns->count = 0;
	return 0;
}

void sm_stacks_kept_close(struct sm_stacks_kept *kept)
{
	sm_stacks_table_finish(&kept->table);
	sm_mem_free(kept->columns);
	sm_mem_free(kept->body);
	*kept = (struct sm_stacks_kept){0};
}

/* --- the table --- */

static size_t add_functions(const struct sm_stacks_kept *kept, struct sm_str *body)
{
	size_t at = kept->functions_written;
	for (; at < kept->table.function_count && body->length < TABLE_BYTES; at++) {
		const struct sm_stacks_named *function = &kept->table.function[at];
		sm_trace_stacks_add_function(
			body, function->file, function->name, function->first_line);
	}
	return at;
}

static size_t add_places(const struct sm_stacks_kept *kept, struct sm_str *body)
{
	size_t at = kept->nodes_written;
	for (; at < kept->table.node_count && body->length < TABLE_BYTES; at++) {
		const struct sm_stacks_node *node = &kept->table.node[at];
		sm_trace_stacks_add_place(body, node->parent, node->function, node->line);
	}
	return at;
}

static size_t add_threads(const struct sm_stacks_kept *kept, struct sm_str *body)
{
	size_t at = kept->threads_written;
	for (; at < kept->table.thread_count && body->length < TABLE_BYTES; at++) {
		const struct sm_stacks_thread_name *thread = &kept->table.thread[at];
		sm_trace_stacks_add_thread(body, thread->pid, thread->tid, thread->name);
	}
	return at;
}

static bool is_written(const struct sm_stacks_kept *kept)
{
	return kept->functions_written == kept->table.function_count &&
	       kept->nodes_written == kept->table.node_count &&
	       kept->threads_written == kept->table.thread_count;
}

/* What did not fit the file this time is tried again before the next samples. */
static int write_table(struct sm_stacks_kept *kept)
{
	struct sm_str body = SM_STR_EMPTY;
	struct sm_trace_stacks_head head = {
		.first_function = (uint32_t)kept->functions_written,
		.first_place = (uint32_t)kept->nodes_written,
		.first_thread = (uint32_t)kept->threads_written,
	};
	sm_str_add_bytes(&body, (const char *)&head, sizeof(head));
	size_t functions = add_functions(kept, &body);
	size_t nodes = add_places(kept, &body);
	size_t threads = add_threads(kept, &body);
	head.function_count = (uint32_t)(functions - kept->functions_written);
	head.place_count = (uint32_t)(nodes - kept->nodes_written);
	head.thread_count = (uint32_t)(threads - kept->threads_written);
	int r = body.failed ? -ENOMEM : 0;
	if (!r) {
		memcpy(body.text, &head, sizeof(head));
		r = sm_trace_writer_stacks(kept->writer, body.text, body.length);
	}
	if (!r) {
		kept->functions_written = functions;
		kept->nodes_written = nodes;
		kept->threads_written = threads;
	}
	sm_str_finish(&body);
	return r;
}

static int write_tables(struct sm_stacks_kept *kept)
{
	int r = 0;
	while (!r && !is_written(kept)) {
		r = write_table(kept);
	}
	return r;
}

/* --- samples --- */

static int write_samples(struct sm_stacks_kept *kept)
{
	const struct sm_trace_stack_columns *columns = kept->columns;
	size_t count = columns->count;
	size_t bytes = sm_trace_stacks_encode(&kept->head, columns, kept->body);
	return sm_trace_writer_stack_samples(kept->writer, kept->body, bytes, count,
		count ? columns->time_ns[0] : 0, count ? columns->time_ns[count - 1] : 0);
}

static uint64_t count_looks(const struct sm_trace_stack_columns *columns)
{
	uint64_t looks = 0;
	for (size_t i = 0; i < columns->count; i++) {
		looks += columns->looks[i];
	}
	return looks;
}

static bool has_something(const struct sm_stacks_kept *kept)
{
	const struct sm_trace_stack_samples_head *head = &kept->head;
	return kept->columns->count || head->torn || head->unread || head->missed;
}

void sm_stacks_kept_flush(struct sm_stacks_kept *kept, int64_t interval_ns)
{
	if (has_something(kept)) {
		bool written = !write_tables(kept) && !write_samples(kept);
		kept->lost += written ? 0 : count_looks(kept->columns);
	}
	kept->columns->count = 0;
	kept->head = (struct sm_trace_stack_samples_head){.interval_ns = (uint64_t)interval_ns};
}

void sm_stacks_kept_add(struct sm_stacks_kept *kept, const struct sm_stacks_look *look)
{
	struct sm_trace_stack_columns *columns = kept->columns;
	size_t at = columns->count++;
	columns->time_ns[at] = look->first_ns;
	columns->span_ns[at] = (uint64_t)(look->last_ns - look->first_ns);
	columns->thread[at] = look->thread;
	columns->place[at] = look->place;
	columns->looks[at] = (uint16_t)look->looks;
	uint64_t cpu_us = look->cpu_ns / 1000;
	columns->cpu_us[at] = cpu_us < UINT32_MAX ? (uint32_t)cpu_us : UINT32_MAX;
	columns->state[at] = look->state;
	if (columns->count == SM_TRACE_STACK_SAMPLES_MAX) {
		sm_stacks_kept_flush(kept, (int64_t)kept->head.interval_ns);
	}
}
