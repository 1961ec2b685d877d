/* Names and lines of code objects, read once, and again when another takes the address. */
#include "base/err.h"
#include "collect/stacks_code.h"
#include "make/fake_python.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the three above */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#define SECOND 1000000000LL

static const int minors[] = {10, 11, 12, 13};
/* An instruction that calls, of each version, between two that do not. */
static const unsigned char plain_lines_10[] = {2, 0, 2, 3, 2, 1};
static const unsigned char plain_lines[] = {
	0x80 | 13 << 3, 0, 0x80 | 13 << 3, 6, 0x80 | 13 << 3, 2};

static struct fake_python fake;
static struct sm_stacks_memory memory;
static struct sm_stacks_table table;
static struct sm_stacks_code_bodies bodies;
static struct sm_stacks_codes codes;
static struct sm_stacks_code_source source;

static uint64_t make_code(int minor, const char *file, const char *name)
{
	const unsigned char call[] = {[0] = 142, [1] = 142, [2] = 142, [3] = 54};
	const unsigned char instructions[] = {1, 0, call[minor - 10], 0, 1, 0};
	return minor == 10
		       ? fake_python_code(&fake, file, name, 5, plain_lines_10, 6, instructions, 6)
		       : fake_python_code(&fake, file, name, 5, plain_lines, 6, instructions, 6);
}

static void begin(int minor)
{
	fake_python_init(&fake, minor);
	memory = fake_python_memory(&fake);
	sm_stacks_table_finish(&table);
	sm_stacks_code_bodies_finish(&bodies);
	sm_stacks_code_forget(&codes);
	source = (struct sm_stacks_code_source){.memory = &memory,
		.layout = &fake.layout,
		.table = &table,
		.bodies = &bodies,
		.now_ns = SECOND};
}

static int end(void **state)
{
	sm_stacks_table_finish(&table);
	sm_stacks_code_bodies_finish(&bodies);
	sm_stacks_code_forget(&codes);
	return 0;
}

static struct sm_stacks_frame frame_at(int minor, uint64_t code, uint32_t n)
{
	uint64_t instruction = fake_python_instruction(&fake, code, n);
	return minor == 10 ? (struct sm_stacks_frame){.code = code,
				     .instruction = (uint32_t)instruction}
			   : (struct sm_stacks_frame){.code = code, .pointer = instruction};
}

static void test_lines_and_calls(void **state)
{
	for (size_t v = 0; v < 4; v++) {
		const uint32_t lines[] = {5, 8, 9};
		begin(minors[v]);
		uint64_t code = make_code(minors[v], "/job/data.py", "Images.load");
		int64_t at = sm_stacks_code_find(&source, &codes, code);
		assert_int_equal(at, 0);
		for (uint32_t n = 0; n < 3; n++) {
			struct sm_stacks_spot spot;
			struct sm_stacks_frame frame = frame_at(minors[v], code, n);
			assert_true(sm_stacks_code_locate(&bodies, &codes.code[at], &frame, &spot));
			assert_int_equal(spot.line, lines[n]);
			assert_int_equal(spot.calls, n == 1);
			assert_string_equal(table.function[spot.function].name, "Images.load");
			assert_string_equal(table.function[spot.function].file, "/job/data.py");
		}
	}
}

static void test_an_instruction_of_other_code_is_a_tear(void **state)
{
	for (size_t v = 0; v < 4; v++) {
		struct sm_stacks_spot spot;
		begin(minors[v]);
		uint64_t code = make_code(minors[v], "a.py", "f");
		int64_t at = sm_stacks_code_find(&source, &codes, code);
		struct sm_stacks_frame frame = frame_at(minors[v], code, 3);
		assert_false(sm_stacks_code_locate(&bodies, &codes.code[at], &frame, &spot));
		if (minors[v] > 10) {
			frame.pointer = code + fake.layout.code_instructions + 1;
			assert_false(
				sm_stacks_code_locate(&bodies, &codes.code[at], &frame, &spot));
			frame.pointer = code + fake.layout.code_instructions - 2; /* just made */
			assert_true(sm_stacks_code_locate(&bodies, &codes.code[at], &frame, &spot));
			assert_int_equal(spot.line, 5);
		}
	}
}

static void test_code_is_read_once_and_looked_at_again(void **state)
{
	begin(12);
	uint64_t code = make_code(12, "a.py", "f");
	assert_int_equal(sm_stacks_code_find(&source, &codes, code), 0);
	int reads = fake.reads;
	assert_int_equal(sm_stacks_code_find(&source, &codes, code), 0);
	assert_int_equal(fake.reads, reads);
	source.now_ns += SECOND;
	assert_int_equal(sm_stacks_code_find(&source, &codes, code), 0);
	assert_int_equal(fake.reads, reads + 1);
	assert_int_equal(table.function_count, 1);
}

static void test_many_are_looked_at_again_by_one_read(void **state)
{
	struct sm_stacks_frame frames[40];
	begin(12);
	for (int i = 0; i < 40; i++) {
		frames[i].code = make_code(12, "a.py", "f");
		assert_int_equal(sm_stacks_code_find(&source, &codes, frames[i].code), i);
	}
	fake_python_set(
		&fake, frames[7].code + fake.layout.code_name, fake_python_text(&fake, "g"));
	source.now_ns += SECOND;
	int reads = fake.reads;
	sm_stacks_code_check(&source, &codes, frames, 40);
	assert_int_equal(fake.reads, reads + 2);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(sm_stacks_code_find(&source, &codes, frames[i].code), i);
	}
	assert_true(fake.reads > reads + 2);
	assert_int_equal(table.function_count, 2);
	const struct sm_stacks_code_body *body = &bodies.body[codes.code[7].body];
	assert_string_equal(table.function[body->function].name, "g");
}

static void test_another_code_at_the_same_address_is_seen(void **state)
{
	begin(12);
	uint64_t code = make_code(12, "a.py", "f"), other = make_code(12, "b.py", "g");
	assert_int_equal(sm_stacks_code_find(&source, &codes, code), 0);
	memcpy(fake.memory + (code - FAKE_PYTHON_BASE), fake.memory + (other - FAKE_PYTHON_BASE),
		fake.layout.code_bytes);
	source.now_ns += SECOND;
	assert_int_equal(sm_stacks_code_find(&source, &codes, code), 0);
	const struct sm_stacks_code_body *body = &bodies.body[codes.code[0].body];
	assert_string_equal(table.function[body->function].name, "g");
}

static void test_the_same_function_in_two_processes_is_kept_once(void **state)
{
	struct sm_stacks_codes others = {0};
	begin(11);
	uint64_t code = make_code(11, "a.py", "f");
	assert_int_equal(sm_stacks_code_find(&source, &codes, code), 0);
	assert_int_equal(sm_stacks_code_find(&source, &others, code), 0);
	assert_int_equal(bodies.count, 1);
	assert_int_equal(table.function_count, 1);
	sm_stacks_code_forget(&others);
}

static void test_what_is_no_code_is_refused(void **state)
{
	for (size_t v = 0; v < 4; v++) {
		begin(minors[v]);
		uint64_t code = make_code(minors[v], "a.py", "f");
		uint64_t zeros = fake.used + FAKE_PYTHON_BASE + 1024;
		assert_true(sm_stacks_code_find(&source, &codes, zeros) < 0);
		assert_true(sm_stacks_code_find(&source, &codes, 8) < 0);
		assert_int_equal(sm_stacks_code_find(&source, &codes, code), 0);
		fake_python_set(&fake, code + 8, fake.type + 8); /* another type */
		source.now_ns += SECOND;
		assert_int_equal(sm_stacks_code_find(&source, &codes, code), -EAGAIN);
	}
}

static void test_texts_of_every_width_become_utf8(void **state)
{
	begin(13);
	uint64_t code = make_code(13, "a.py", "f");
	const struct sm_stacks_layout *layout = &fake.layout;
	const uint16_t wide[] = {0xe4, 0x4e2d, 'x', 0xd800};
	unsigned char object[128] = {0};
	const uint64_t length = 4;
	const uint32_t two_bytes = 2 << 2 | 1 << 5;
	memcpy(object + layout->text_length, &length, 8);
	memcpy(object + layout->text_state, &two_bytes, 4);
	memcpy(object + layout->text_compact_bytes, wide, sizeof(wide));
	fake_python_set(
		&fake, code + layout->code_name, fake_python_put(&fake, object, sizeof(object)));
	assert_int_equal(sm_stacks_code_find(&source, &codes, code), 0);
	assert_string_equal(table.function[0].name, "\xc3\xa4\xe4\xb8\xad"
						    "x\xef\xbf\xbd");
}

static void test_a_long_path_keeps_its_end(void **state)
{
	char path[2001];
	memset(path, 'p', 2000);
	memcpy(path + 1990, "/train.py", 10);
	path[1999] = '\0';
	begin(12);
	uint64_t code = make_code(12, path, "f");
	assert_int_equal(sm_stacks_code_find(&source, &codes, code), 0);
	const char *kept = table.function[0].file;
	assert_int_equal(strlen(kept), SM_STACKS_TEXT_MAX);
	assert_string_equal(kept + SM_STACKS_TEXT_MAX - 9, "/train.py");
}

static void test_a_full_table_says_so(void **state)
{
	struct sm_stacks_table full = {0};
	int64_t node = -1;
	for (uint32_t i = 0; i < SM_STACKS_NODES_MAX; i++) {
		node = sm_stacks_table_node(&full, -1, 0, i);
		assert_int_equal(node, i);
	}
	assert_int_equal(sm_stacks_table_node(&full, -1, 1, 0), -SM_ERR_LIMIT);
	assert_int_equal(sm_stacks_table_node(&full, -1, 0, 7), 7);
	sm_stacks_table_finish(&full);
}

static void test_a_published_layout_is_taken(void **state)
{
	uint64_t words[71] = {0, 0x030d00f0};
	const struct {
		int word;
		uint64_t value;
	} offsets[] = {{5, 632}, {8, 7264}, {9, 7344}, {14, 16}, {21, 8}, {22, 16}, {23, 72},
		{24, 152}, {25, 160}, {26, 232}, {29, 8}, {30, 0}, {31, 56}, {33, 70}, {35, 112},
		{36, 120}, {37, 128}, {38, 136}, {39, 68}, {43, 200}, {47, 24}, {65, 16}, {66, 32},
		{68, 32}, {69, 16}, {70, 40}};
	struct sm_stacks_layout layout;
	memcpy(words, "xdebugpy", 8);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		words[offsets[i].word] = offsets[i].value;
	}
	begin(13);
	uint64_t runtime = fake_python_put(&fake, words, sizeof(words));
	assert_int_equal(sm_stacks_layout_published(&memory, runtime, &layout), 0);
	assert_memory_equal(&layout, sm_stacks_layout_find(13), sizeof(layout));
	fake_python_set(&fake, runtime + 16, 1); /* without a GIL */
	assert_int_equal(sm_stacks_layout_published(&memory, runtime, &layout), -ENOTSUP);
	fake_python_set(&fake, runtime + 16, 0);
	fake_python_set(&fake, runtime + 8 * 22, 1 << 20); /* no offset */
	assert_int_equal(sm_stacks_layout_published(&memory, runtime, &layout), -ENOTSUP);
	fake_python_set(&fake, runtime, 0);
	assert_int_equal(sm_stacks_layout_published(&memory, runtime, &layout), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_and_calls),
		cmocka_unit_test(test_an_instruction_of_other_code_is_a_tear),
		cmocka_unit_test(test_code_is_read_once_and_looked_at_again),
		cmocka_unit_test(test_many_are_looked_at_again_by_one_read),
		cmocka_unit_test(test_another_code_at_the_same_address_is_seen),
		cmocka_unit_test(test_the_same_function_in_two_processes_is_kept_once),
		cmocka_unit_test(test_what_is_no_code_is_refused),
		cmocka_unit_test(test_texts_of_every_width_become_utf8),
		cmocka_unit_test(test_a_long_path_keeps_its_end),
		cmocka_unit_test(test_a_full_table_says_so),
		cmocka_unit_test(test_a_published_layout_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
