/* An interpreter whose memory holds whatever the fuzzer likes, and changes between two reads.
 *
 * The input: a byte that says which version to take it for (its layout is taken even where the memory does not say so), one that
 * says what changes, the addresses of _PyRuntime and Py_Version, then the memory, from address BASE on. The interpreter is
 * opened, its threads looked at, each frame resolved to a line, and every name read. */
#include "collect/stacks_code.h"
#include "collect/stacks_interpreter.h"
#include "collect/stacks_walk.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BASE 0x100000ULL

enum { HEAD = 2 + 2 * 8, LOOKS = 3 };

struct picture {
	unsigned char *bytes;
	size_t count;
	unsigned char change;
	unsigned reads;
};

static int read_picture(void *context, const struct sm_stacks_part *parts, int count)
{
	struct picture *picture = context;
	for (int i = 0; i < count; i++) {
		uint64_t offset = parts[i].address - BASE;
		if (offset > picture->count || parts[i].bytes > picture->count - offset) {
			return -EFAULT;
		}
		memcpy(parts[i].to, picture->bytes + offset, parts[i].bytes);
		if (picture->change && picture->count) {
			size_t at = (size_t)++picture->reads * picture->change * 8;
			picture->bytes[at % picture->count] ^= picture->change;
		}
	}
	return 0;
}

static void resolve(const struct sm_stacks_code_source *source, struct sm_stacks_codes *codes,
	const struct sm_stacks_frames *frames)
{
	int64_t node = -1;
	for (int i = frames->count - 1; i >= 0; i--) {
		struct sm_stacks_spot spot;
		int64_t place = sm_stacks_code_find(source, codes, frames->frame[i].code);
		if (place < 0 || !sm_stacks_code_locate(source->bodies, &codes->code[place],
					 &frames->frame[i], &spot)) {
			return;
		}
		node = sm_stacks_table_node(source->table, node, spot.function, spot.line);
		if (strlen(source->table->function[spot.function].name) > SM_STACKS_TEXT_MAX) {
			abort();
		}
	}
}

static void look(struct sm_stacks_interpreter *interpreter)
{
	static struct sm_stacks_python_thread threads[SM_STACKS_THREADS_MAX];
	static struct sm_stacks_frames frames;
	struct sm_stacks_walk *walk = sm_stacks_walk_create();
	struct sm_stacks_table table = {0};
	struct sm_stacks_code_bodies bodies = {0};
	struct sm_stacks_codes codes = {0};
	int count = sm_stacks_interpreter_threads(interpreter, threads);
	for (int i = 0; i < count && i < 4; i++) {
		struct sm_stacks_thread_place place = {.address = threads[i].address,
			.interpreter = threads[i].interpreter,
			.native_id = threads[i].native_id,
			.gil = threads[i].gil};
		for (int again = 0; again < LOOKS; again++) {
			const struct sm_stacks_code_source source = {
				.memory = &interpreter->memory,
				.layout = &interpreter->layout,
				.table = &table,
				.bodies = &bodies,
				.now_ns = again * 1000000000LL,
			};
			if (!sm_stacks_walk_take(walk, &interpreter->memory, &interpreter->layout,
				    &place, &frames)) {
				resolve(&source, &codes, &frames);
			}
		}
	}
	sm_stacks_walk_destroy(walk);
	sm_stacks_table_finish(&table);
	sm_stacks_code_bodies_finish(&bodies);
	sm_stacks_code_forget(&codes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[SM_STACKS_WHY];
	uint64_t runtime, version;
	if (size < HEAD) {
		return 0;
	}
	memcpy(&runtime, data + 2, sizeof(runtime));
	memcpy(&version, data + 10, sizeof(version));
	struct picture picture = {
		.bytes = malloc(size - HEAD + 1), .count = size - HEAD, .change = data[1]};
	memcpy(picture.bytes, data + HEAD, picture.count);
	const struct sm_stacks_memory memory = {.context = &picture, .read = read_picture};
	struct sm_stacks_interpreter interpreter;
	if (sm_stacks_interpreter_open_at(&interpreter, memory, runtime, version, why)) {
		const struct sm_stacks_layout *layout =
			sm_stacks_layout_find(10 + (data[0] + 2) % 4);
		interpreter = (struct sm_stacks_interpreter){
			.memory = memory, .layout = *layout, .runtime = runtime};
	}
	look(&interpreter);
	free(picture.bytes);
	return 0;
}
