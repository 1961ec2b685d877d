/* A code object lives as long as its function and is read when it is first met. Its address may soon belong to another
 * one: a module's own code is freed after the import, and the next function that is made gets its place. So what
 * identifies it is looked at again at every look at a stack in which it has newly come up. Bytes and lengths come from a running program and may be anything: each length is bounded
 * before it is used. */
#include "collect/stacks_code.h"

#include "base/err.h"
#include "base/mem.h"
#include "collect/stacks_lines.h"
#include "collect/stacks_opcodes.h"

#include <errno.h>
#include <string.h>

enum {
	CODE_MAX = 512,
	CHECKS_MAX = 32,   /* by one read */
	CODES_MAX = 16384, /* of a process; then it begins anew */
	LINES_BYTES_MAX = 256 * 1024,
	INSTRUCTION_BYTES_MAX = 256 * 1024,
	UNIT_BYTES = 2,
	BODY_BYTES_MAX = 32 * 1024 * 1024, /* of all together */
	CHARACTERS_MAX = 4096,
	TYPE_AT = 8, /* in every object */
	SIZE_AT = 16,
};

static uint64_t word_at(const unsigned char *bytes, size_t offset)
{
	uint64_t word;
	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

static uint32_t half_at(const unsigned char *bytes, size_t offset)
{
	uint32_t half;
	memcpy(&half, bytes + offset, sizeof(half));
	return half;
}

/* --- texts --- */

static size_t put_utf8(char *to, uint32_t point)
{
	if (point < 0x80) {
		to[0] = (char)point;
		return 1;
	}
	size_t bytes = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (size_t i = bytes - 1; i; i--, point >>= 6) {
		to[i] = (char)(0x80 | (point & 0x3f));
	}
	to[0] = (char)((0xf00 >> bytes & 0xff) | point);
	return bytes;
}

static uint32_t point_at(const unsigned char *units, size_t index, unsigned width)
{
	uint32_t point = 0;
	memcpy(&point, units + index * width, width);
	bool is_character = point < 0x110000 && (point < 0xd800 || point > 0xdfff) &&
			    (point >= 0x20 || point == '\t');
	return is_character ? point : 0xfffd;
}

/* The last of them, where there are too many: of a path that is its end. */
static void keep_text(
	char text[SM_STACKS_TEXT_MAX + 1], const unsigned char *units, size_t count, unsigned width)
{
	size_t length = 0, begin = 0, need = 0;
	char one[4];
	for (size_t i = count; i > 0; i--) {
		need += put_utf8(one, point_at(units, i - 1, width));
		if (need > SM_STACKS_TEXT_MAX) {
			begin = i;
			break;
		}
	}
	for (size_t i = begin; i < count; i++) {
		length += put_utf8(text + length, point_at(units, i, width));
	}
	text[length] = '\0';
}

/* A str object: `state` says how wide its characters are and whether they follow its short head or its long one. */
static int read_text(const struct sm_stacks_code_source *source, uint64_t address,
	char text[SM_STACKS_TEXT_MAX + 1])
{
	const struct sm_stacks_layout *layout = source->layout;
	unsigned char head[64], units[CHARACTERS_MAX * 4];
	int r = address % 8 || !address ? -EAGAIN
					: sm_stacks_memory_read(source->memory, address, head,
						  layout->text_ascii_bytes);
	if (r) {
		return r;
	}
	uint64_t count = word_at(head, layout->text_length);
	uint32_t state = half_at(head, layout->text_state);
	unsigned width = state >> 2 & 7;
	bool compact = state >> 5 & 1, ascii = state >> 6 & 1;
	if (count > CHARACTERS_MAX || !compact || (width != 1 && width != 2 && width != 4)) {
		return -EAGAIN;
	}
	uint16_t before = ascii ? layout->text_ascii_bytes : layout->text_compact_bytes;
	r = count ? sm_stacks_memory_read(
			    source->memory, address + before, units, (size_t)count * width)
		  : 0;
	if (!r) {
		keep_text(text, units, (size_t)count, width);
	}
	return r;
}

/* --- bodies --- */

void sm_stacks_code_bodies_finish(struct sm_stacks_code_bodies *bodies)
{
	for (size_t i = 0; i < bodies->count; i++) {
		sm_mem_free(bodies->body[i].lines);
		sm_mem_free(bodies->body[i].calls);
	}
	sm_mem_free(bodies->body);
	sm_map_finish(&bodies->by_content);
	*bodies = (struct sm_stacks_code_bodies){0};
}

static uint64_t hash_bytes(uint64_t hash, const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	}
	return hash;
}

static int read_lines(const struct sm_stacks_code_source *source, uint64_t address,
	struct sm_stacks_code_body *body)
{
	const struct sm_stacks_layout *layout = source->layout;
	uint64_t length;
	int r = sm_stacks_memory_read(
		source->memory, address + layout->bytes_length, &length, sizeof(length));
	if (r || length > LINES_BYTES_MAX) {
		return r ? r : -EAGAIN;
	}
	body->lines = sm_mem_alloc((size_t)length + 1);
	body->line_bytes = (uint32_t)length;
	if (!body->lines) {
		return -ENOMEM;
	}
	return length ? sm_stacks_memory_read(source->memory, address + layout->bytes_begin,
				body->lines, (size_t)length)
		      : 0;
}

static int read_calls(const struct sm_stacks_code_source *source, uint64_t address,
	struct sm_stacks_code_body *body)
{
	size_t count = body->instructions;
	unsigned char *units = sm_mem_alloc(count * UNIT_BYTES + 1);
	body->calls = sm_mem_calloc(count / 8 + 1, 1);
	int r = units && body->calls ? count ? sm_stacks_memory_read(source->memory, address, units,
						       count * UNIT_BYTES)
					     : 0
				     : -ENOMEM;
	for (size_t i = 0; !r && i < count; i++) {
		if (sm_stacks_opcodes_is_call(body->minor, units[i * UNIT_BYTES])) {
			body->calls[i / 8] |= (unsigned char)(1 << i % 8);
		}
	}
	sm_mem_free(units);
	return r;
}

static int64_t keep_body(struct sm_stacks_code_bodies *bodies, struct sm_stacks_code_body *body)
{
	uint64_t key =
		hash_bytes(0xcbf29ce484222325ULL + body->function, body->lines, body->line_bytes);
	uint64_t place;
	size_t bytes = body->line_bytes + body->instructions / 8;
	key = hash_bytes(key, body->calls, body->instructions / 8 + 1);
	if (sm_map_find(&bodies->by_content, key, &place)) {
		return (int64_t)place;
	}
	if (bodies->bytes + bytes > BODY_BYTES_MAX) {
		return -SM_ERR_LIMIT;
	}
	if (sm_mem_grow(&bodies->body, &bodies->capacity, bodies->count + 1, sizeof(*body)) ||
		sm_map_set(&bodies->by_content, key, bodies->count)) {
		return -ENOMEM;
	}
	bodies->bytes += bytes;
	bodies->body[bodies->count] = *body;
	body->lines = body->calls = NULL;
	return (int64_t)bodies->count++;
}

/* --- code objects --- */

void sm_stacks_code_forget(struct sm_stacks_codes *codes)
{
	sm_mem_free(codes->code);
	sm_map_finish(&codes->by_address);
	*codes = (struct sm_stacks_codes){0};
}

static bool is_code_type(const struct sm_stacks_code_source *source, uint64_t type)
{
	uint64_t name;
	char text[5];
	return type && type % 8 == 0 &&
	       !sm_stacks_memory_read_pointer(
		       source->memory, type + source->layout->type_name, &name) &&
	       name && !sm_stacks_memory_read(source->memory, name, text, sizeof(text)) &&
	       !memcmp(text, "code", sizeof(text));
}

static int read_code(const struct sm_stacks_code_source *source, struct sm_stacks_codes *codes,
	uint64_t address, unsigned char bytes[CODE_MAX])
{
	int r = sm_stacks_memory_read(source->memory, address, bytes, source->layout->code_bytes);
	uint64_t type = r ? 0 : word_at(bytes, TYPE_AT);
	if (r || type == codes->type) {
		return r;
	}
	if (codes->type || !is_code_type(source, type)) {
		return -EAGAIN;
	}
	codes->type = type;
	return 0;
}

static uint64_t identify(const struct sm_stacks_layout *layout, const unsigned char *bytes)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	hash = hash_bytes(hash, bytes + layout->code_file, 8);
	hash = hash_bytes(hash, bytes + layout->code_name, 8);
	hash = hash_bytes(hash, bytes + layout->code_lines, 8);
	return hash_bytes(hash, bytes + layout->code_first_line, 4);
}

static bool is_apart(const struct sm_stacks_layout *layout) /* 3.10: instructions lie elsewhere */
{
	return layout->code_instructions != layout->code_bytes;
}

static int find_instructions(const struct sm_stacks_code_source *source, uint64_t address,
	const unsigned char *bytes, uint64_t *ret_begin, uint32_t *ret_count)
{
	const struct sm_stacks_layout *layout = source->layout;
	uint64_t length = word_at(bytes, SIZE_AT) * UNIT_BYTES;
	*ret_begin = address + layout->code_instructions;
	if (is_apart(layout)) {
		uint64_t object = word_at(bytes, layout->code_instructions);
		int r = sm_stacks_memory_read(
			source->memory, object + layout->bytes_length, &length, sizeof(length));
		if (r) {
			return r;
		}
		*ret_begin = object + layout->bytes_begin;
	}
	if (length > INSTRUCTION_BYTES_MAX) {
		return -EAGAIN;
	}
	*ret_count = (uint32_t)(length / UNIT_BYTES);
	return 0;
}

/* From 3.12 a class that is called is entered through a little code object that calls itself by its own file's name. */
static bool is_shim(const struct sm_stacks_layout *layout, const unsigned char *bytes)
{
	return word_at(bytes, layout->code_file) == word_at(bytes, layout->code_name);
}

static int64_t read_body(const struct sm_stacks_code_source *source, uint64_t address,
	const unsigned char *bytes, uint64_t *ret_instructions)
{
	const struct sm_stacks_layout *layout = source->layout;
	char file[SM_STACKS_TEXT_MAX + 1], name[SM_STACKS_TEXT_MAX + 1];
	struct sm_stacks_code_body body = {
		.minor = layout->minor,
		.first_line = half_at(bytes, layout->code_first_line),
		.shim = is_shim(layout, bytes),
	};
	int64_t r = read_text(source, word_at(bytes, layout->code_file), file);
	r = r ? r : read_text(source, word_at(bytes, layout->code_name), name);
	r = r ? r : find_instructions(source, address, bytes, ret_instructions, &body.instructions);
	r = r ? r : read_lines(source, word_at(bytes, layout->code_lines), &body);
	r = r ? r : read_calls(source, *ret_instructions, &body);
	if (!r) {
		r = sm_stacks_table_function(source->table, file, name, body.first_line);
		body.function = r < 0 ? 0 : (uint32_t)r;
		r = r < 0 ? r : keep_body(source->bodies, &body);
	}
	sm_mem_free(body.lines);
	sm_mem_free(body.calls);
	return r;
}

static int64_t renew(const struct sm_stacks_code_source *source, struct sm_stacks_codes *codes,
	uint64_t address, int64_t place)
{
	unsigned char bytes[CODE_MAX];
	struct sm_stacks_code code = {.address = address, .seen_ns = source->now_ns};
	int64_t r = read_code(source, codes, address, bytes);
	if (r) {
		return r;
	}
	code.identity = identify(source->layout, bytes);
	if (place >= 0 && codes->code[place].identity == code.identity) {
		codes->code[place].seen_ns = source->now_ns;
		return place;
	}
	r = read_body(source, address, bytes, &code.instructions);
	if (r < 0) {
		return r;
	}
	code.body = (uint32_t)r;
	if (place < 0) {
		place = (int64_t)codes->count;
		if (sm_mem_grow(&codes->code, &codes->capacity, codes->count + 1, sizeof(code)) ||
			sm_map_set(&codes->by_address, address, (uint64_t)place)) {
			return -ENOMEM;
		}
		codes->count++;
	}
	codes->code[place] = code;
	return place;
}

static int find_known(const struct sm_stacks_code_source *source, struct sm_stacks_codes *codes,
	const struct sm_stacks_frame *frames, int count,
	struct sm_stacks_code *ret_known[CHECKS_MAX])
{
	int known = 0;
	for (int i = 0; i < count; i++) {
		uint64_t place;
		if (sm_map_find(&codes->by_address, frames[i].code, &place) &&
			codes->code[place].seen_ns != source->now_ns) {
			ret_known[known++] = &codes->code[place];
		}
	}
	return known;
}

static void check_some(const struct sm_stacks_code_source *source, struct sm_stacks_codes *codes,
	const struct sm_stacks_frame *frames, int count)
{
	unsigned char bytes[CHECKS_MAX][CODE_MAX];
	struct sm_stacks_part parts[CHECKS_MAX];
	struct sm_stacks_code *known[CHECKS_MAX];
	int number = find_known(source, codes, frames, count, known);
	for (int i = 0; i < number; i++) {
		parts[i] = (struct sm_stacks_part){
			known[i]->address, bytes[i], source->layout->code_bytes};
	}
	if (!number || source->memory->read(source->memory->context, parts, number)) {
		return;
	}
	for (int i = 0; i < number; i++) {
		if (word_at(bytes[i], TYPE_AT) == codes->type &&
			identify(source->layout, bytes[i]) == known[i]->identity) {
			known[i]->seen_ns = source->now_ns;
		}
	}
}

void sm_stacks_code_check(const struct sm_stacks_code_source *source, struct sm_stacks_codes *codes,
	const struct sm_stacks_frame *frames, int count)
{
	for (int i = 0; i < count; i += CHECKS_MAX) {
		int some = count - i < CHECKS_MAX ? count - i : CHECKS_MAX;
		check_some(source, codes, frames + i, some);
	}
}

int64_t sm_stacks_code_find(
	const struct sm_stacks_code_source *source, struct sm_stacks_codes *codes, uint64_t address)
{
	uint64_t place;
	if (sm_map_find(&codes->by_address, address, &place)) {
		bool fresh = source->now_ns == codes->code[place].seen_ns;
		return fresh ? (int64_t)place : renew(source, codes, address, (int64_t)place);
	}
	if (codes->count >= CODES_MAX) {
		uint64_t type = codes->type;
		sm_stacks_code_forget(codes);
		codes->type = type;
	}
	return renew(source, codes, address, -1);
}

bool sm_stacks_code_locate(const struct sm_stacks_code_bodies *bodies,
	const struct sm_stacks_code *code, const struct sm_stacks_frame *frame,
	struct sm_stacks_spot *ret_spot)
{
	const struct sm_stacks_code_body *body = &bodies->body[code->body];
	uint64_t index = frame->instruction; /* 3.10; -1: before the first */
	if (frame->pointer) {
		/* One before the first where the frame has just been made. */
		uint64_t offset = frame->pointer - code->instructions;
		index = offset / UNIT_BYTES;
		if (offset == (uint64_t)-UNIT_BYTES) {
			index = UINT32_MAX;
		} else if (offset % UNIT_BYTES) {
			return false;
		}
	}
	if (index == UINT32_MAX) {
		*ret_spot = (struct sm_stacks_spot){
			body->function, body->first_line, false, body->shim};
		return true;
	}
	if (index >= body->instructions) {
		return false;
	}
	*ret_spot = (struct sm_stacks_spot){
		.function = body->function,
		.line = sm_stacks_lines_find(body->minor, body->lines, body->line_bytes,
			body->first_line, (uint32_t)index * UNIT_BYTES),
		.calls = body->calls[index / 8] >> index % 8 & 1,
		.shim = body->shim,
	};
	return true;
}
