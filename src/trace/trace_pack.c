/* The last thing that happens to a trace: its RAW events become PACKED ones, in a new file beside it that then takes its
 * place. One RAW block becomes one PACKED block, or several where a slot changed threads, so memory stays bounded and
 * the order stays. All other blocks are copied as they are. */
#include "base/mem.h"
#include "base/str.h"
#include "trace/trace_input.h"
#include "trace/trace_output.h"
#include "trace/trace_packer.h"
#include "trace/trace_writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct packing {
	struct sm_trace_input input;
	struct sm_trace_output output;
	struct sm_trace_packer *packer; /* owned */
	struct sm_trace_columns columns;
};

static int append(
	struct packing *packing, struct sm_trace_block *block, const void *body, size_t bytes)
{
	struct sm_trace_part part = {body, bytes};
	return sm_trace_output_append(&packing->output, block, &part, 1, SM_TRACE_CLAIM_INDEX);
}

static int pack_columns(struct packing *packing, const struct sm_trace_block *from,
	const struct sm_trace_raw *raw, uint32_t tid)
{
	struct sm_trace_block block = {
		.type = SM_TRACE_EVENTS, .process = from->process, .tid = tid};
	const void *body;
	size_t bytes;
	int error = sm_trace_packer_encode(
		packing->packer, &packing->columns, raw, &block, &body, &bytes);
	return error ? error : append(packing, &block, body, bytes);
}

static int pack_events(
	struct packing *packing, const struct sm_trace_block *from, const unsigned char *body)
{
	struct sm_trace_raw_cursor cursor;
	struct sm_trace_raw raw;
	uint32_t tid;
	int got = sm_trace_columns_begin_raw(&cursor, from, body);
	if (got) {
		return got;
	}
	memcpy(&raw, body, sizeof(raw));
	while ((got = sm_trace_columns_next_raw(
			&cursor, &packing->columns, SM_TRACE_BLOCK_EVENTS_MAX, &tid)) > 0) {
		int error = pack_columns(packing, from, &raw, tid);
		if (error) {
			return error;
		}
	}
	return got ? got : cursor.damaged ? -SM_ERR_FORMAT : 0;
}

static int pack_blocks(struct packing *packing)
{
	struct sm_trace_block block;
	const unsigned char *body;
	int got, error = 0;
	while (!error && (got = sm_trace_input_next(&packing->input, &block, &body)) > 0) {
		if (got != SM_TRACE_INPUT_BLOCK) {
			return -SM_ERR_CHECKSUM;
		}
		if (block.type == SM_TRACE_INDEX) {
			continue;
		}
		bool is_raw = block.type == SM_TRACE_EVENTS && block.codec == SM_TRACE_RAW;
		error = is_raw ? pack_events(packing, &block, body)
			       : append(packing, &block, body, block.stored_bytes);
	}
	return error ? error : got;
}

static int pack_into(
	struct packing *packing, const char *path, const char *beside, struct sm_error *reterr)
{
	int error = sm_trace_input_open(&packing->input, path, reterr);
	error = error ? error : sm_trace_packer_create(&packing->packer);
	struct sm_trace_file_header header = packing->input.header;
	header.header_bytes = sizeof(header); /* a later minor version may have had more */
	unlink(beside);			      /* what a pack that was killed left */
	error = error ? error : sm_trace_output_open(&packing->output, beside, &header, 0, reterr);
	error = error ? error : pack_blocks(packing);
	if (!error && !packing->input.complete) {
		error = -SM_ERR_TORN; /* not finished: whoever comes to it next still needs it as it is */
	}
	error = error ? error : sm_trace_output_finish(&packing->output);
	if (!error && fdatasync(packing->output.fd)) {
		error = -errno;
	}
	return error;
}

int sm_trace_writer_pack(const char *path, struct sm_error *reterr)
{
	struct packing packing = {.input = SM_TRACE_INPUT_EMPTY, .output = SM_TRACE_OUTPUT_EMPTY};
	struct sm_error own = {0};
	struct sm_error *told = reterr ? reterr : &own;
	struct sm_str beside = SM_STR_EMPTY;
	told->code = 0;
	sm_str_addf(&beside, "%s.packing", path);
	int error = beside.failed ? -ENOMEM : pack_into(&packing, path, sm_str_text(&beside), told);
	if (!error && rename(sm_str_text(&beside), path)) {
		error = -errno;
	}
	if (error && !beside.failed) {
		unlink(sm_str_text(&beside));
	}
	sm_trace_input_close(&packing.input);
	sm_trace_output_close(&packing.output);
	sm_trace_packer_destroy(packing.packer);
	sm_trace_columns_finish(&packing.columns);
	sm_str_finish(&beside);
	return error && !told->code ? sm_error_set(told, error, -1, "%s", sm_error_text(error))
				    : error;
}
