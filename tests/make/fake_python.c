#include "make/fake_python.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { FRAME_BYTES = 96, TYPE_AT = 8, SIZE_AT = 16, COMPACT_ASCII = 1 << 2 | 1 << 5 | 1 << 6 };

static unsigned char *at(struct fake_python *fake, uint64_t address)
{
	assert(address >= FAKE_PYTHON_BASE && address < FAKE_PYTHON_BASE + FAKE_PYTHON_BYTES);
	return fake->memory + (address - FAKE_PYTHON_BASE);
}

void fake_python_set(struct fake_python *fake, uint64_t address, uint64_t word)
{
	memcpy(at(fake, address), &word, sizeof(word));
}

uint64_t fake_python_get(const struct fake_python *fake, uint64_t address)
{
	uint64_t word;
	memcpy(&word, fake->memory + (address - FAKE_PYTHON_BASE), sizeof(word));
	return word;
}

static uint64_t take(struct fake_python *fake, size_t bytes)
{
	uint64_t address = FAKE_PYTHON_BASE + fake->used;
	fake->used += (bytes + 15) / 16 * 16;
	assert(fake->used <= FAKE_PYTHON_BYTES);
	return address;
}

uint64_t fake_python_put(struct fake_python *fake, const void *bytes, size_t count)
{
	uint64_t address = take(fake, count);
	memcpy(at(fake, address), bytes, count);
	return address;
}

uint64_t fake_python_text(struct fake_python *fake, const char *text)
{
	const struct sm_stacks_layout *layout = &fake->layout;
	size_t length = strlen(text);
	uint32_t state = COMPACT_ASCII;
	uint64_t address = take(fake, layout->text_ascii_bytes + length + 1);
	fake_python_set(fake, address + layout->text_length, length);
	memcpy(at(fake, address + layout->text_state), &state, sizeof(state));
	memcpy(at(fake, address + layout->text_ascii_bytes), text, length + 1);
	return address;
}

static uint64_t put_bytes(struct fake_python *fake, const void *bytes, size_t count)
{
	const struct sm_stacks_layout *layout = &fake->layout;
	uint64_t address = take(fake, layout->bytes_begin + count + 1);
	fake_python_set(fake, address + layout->bytes_length, count);
	memcpy(at(fake, address + layout->bytes_begin), bytes, count);
	return address;
}

uint64_t fake_python_code(struct fake_python *fake, const char *file, const char *name,
	uint32_t first_line, const void *lines, size_t line_bytes, const void *instructions,
	size_t instruction_bytes)
{
	const struct sm_stacks_layout *layout = &fake->layout;
	uint64_t code = take(fake, layout->code_bytes + instruction_bytes);
	fake_python_set(fake, code + TYPE_AT, fake->type);
	fake_python_set(fake, code + layout->code_file, fake_python_text(fake, file));
	fake_python_set(fake, code + layout->code_name, fake_python_text(fake, name));
	fake_python_set(fake, code + layout->code_lines, put_bytes(fake, lines, line_bytes));
	memcpy(at(fake, code + layout->code_first_line), &first_line, sizeof(first_line));
	if (layout->minor == 10) {
		fake_python_set(fake, code + layout->code_instructions,
			put_bytes(fake, instructions, instruction_bytes));
	} else {
		fake_python_set(fake, code + SIZE_AT, instruction_bytes / 2);
		memcpy(at(fake, code + layout->code_instructions), instructions, instruction_bytes);
	}
	return code;
}

uint64_t fake_python_instruction(const struct fake_python *fake, uint64_t code, uint32_t n)
{
	return fake->layout.minor == 10 ? n : code + fake->layout.code_instructions + 2 * n;
}

static void point_to(struct fake_python *fake, uint64_t frame)
{
	const struct sm_stacks_layout *layout = &fake->layout;
	bool by_cframe = layout->cframe_current != SM_STACKS_NONE;
	fake_python_set(fake,
		by_cframe ? fake->cframe + layout->cframe_current
			  : fake->thread + layout->thread_frame,
		frame);
	if (layout->thread_top != SM_STACKS_NONE) {
		fake_python_set(fake, fake->thread + layout->thread_top, fake->top);
	}
	fake->innermost = frame;
}

uint64_t fake_python_push(struct fake_python *fake, uint64_t code, uint32_t instruction)
{
	const struct sm_stacks_layout *layout = &fake->layout;
	uint64_t frame = fake->top;
	if (layout->minor == 10) {
		frame = take(fake, layout->frame_bytes);
	} else {
		fake->top += FRAME_BYTES;
	}
	memset(at(fake, frame), 0, layout->frame_bytes);
	fake_python_set(fake, frame + layout->frame_code, code);
	fake_python_set(fake, frame + layout->frame_instruction,
		fake_python_instruction(fake, code, instruction));
	fake_python_set(fake, frame + layout->frame_previous, fake->innermost);
	point_to(fake, frame);
	return frame;
}

void fake_python_pop(struct fake_python *fake)
{
	uint64_t previous = fake_python_get(fake, fake->innermost + fake->layout.frame_previous);
	if (fake->layout.minor != 10) {
		fake->top -= FRAME_BYTES;
	}
	point_to(fake, previous);
}

static void make_thread(struct fake_python *fake)
{
	const struct sm_stacks_layout *layout = &fake->layout;
	fake->thread = take(fake, layout->thread_bytes);
	fake_python_set(fake, fake->thread + layout->thread_interpreter, fake->interpreter);
	if (layout->thread_native_id != SM_STACKS_NONE) {
		fake_python_set(fake, fake->thread + layout->thread_native_id, 77);
		fake->chunk = take(fake, FAKE_PYTHON_CHUNK);
		fake->top = fake->chunk + 24;
		fake_python_set(fake, fake->thread + layout->thread_chunk, fake->chunk);
	}
	if (layout->cframe_current != SM_STACKS_NONE) {
		fake->cframe = take(fake, 32);
		fake_python_set(fake, fake->thread + layout->thread_frame, fake->cframe);
	}
	point_to(fake, 0);
}

void fake_python_init(struct fake_python *fake, int minor)
{
	const char name[] = "code";
	const uint64_t version = 3u << 24 | (uint64_t)minor << 16;
	*fake = (struct fake_python){.layout = *sm_stacks_layout_find(minor)};
	const struct sm_stacks_layout *layout = &fake->layout;
	fake->version = minor == 10 ? 0 : fake_python_put(fake, &version, sizeof(version));
	fake->runtime = take(fake, 1024);
	fake->interpreter = take(fake, 8192);
	fake->type = take(fake, 64);
	fake_python_set(
		fake, fake->type + layout->type_name, fake_python_put(fake, name, sizeof(name)));
	fake_python_set(fake, fake->runtime + layout->runtime_interpreters, fake->interpreter);
	make_thread(fake);
	fake_python_set(fake, fake->interpreter + layout->interpreter_threads, fake->thread);
	fake->gil = fake->runtime + layout->runtime_gil;
	if (layout->interpreter_gil != SM_STACKS_NONE) {
		fake->gil = take(fake, 32);
		fake_python_set(fake, fake->interpreter + layout->interpreter_gil, fake->gil);
	}
	fake_python_set(fake, fake->gil + layout->gil_holder, fake->thread);
	fake_python_set(fake, fake->gil + layout->gil_locked, 1);
}

static int read_fake(void *context, const struct sm_stacks_part *parts, int count)
{
	struct fake_python *fake = context;
	fake->reads++;
	for (int i = 0; i < count; i++) {
		uint64_t offset = parts[i].address - FAKE_PYTHON_BASE;
		if (offset > FAKE_PYTHON_BYTES || parts[i].bytes > FAKE_PYTHON_BYTES - offset) {
			return -EFAULT;
		}
		if (fake->meanwhile) {
			fake->meanwhile(fake);
		}
		memcpy(parts[i].to, fake->memory + offset, parts[i].bytes);
	}
	return 0;
}

struct sm_stacks_memory fake_python_memory(struct fake_python *fake)
{
	return (struct sm_stacks_memory){.context = fake, .read = read_fake};
}
