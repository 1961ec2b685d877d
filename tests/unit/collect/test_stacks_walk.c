/* Stacks of a thread that stands, that runs, that ends, and of memory that is none. */
#include "collect/stacks_interpreter.h"
#include "collect/stacks_walk.h"
#include "make/fake_python.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the three above */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

static const int minors[] = {10, 11, 12, 13};
static struct fake_python fake;
static struct sm_stacks_memory memory;
static struct sm_stacks_walk *walk;
static struct sm_stacks_thread_place place;
static struct sm_stacks_frames frames;
static uint64_t code[8];

static const unsigned char lines[] = {0x80 | 13 << 3 | 7, 0};
static const unsigned char instructions[16] = {0};

static void begin(int minor)
{
	fake_python_init(&fake, minor);
	memory = fake_python_memory(&fake);
	for (int i = 0; i < 8; i++) {
		char name[2] = {(char)('a' + i), '\0'};
		code[i] = fake_python_code(&fake, "/job/train.py", name, 10 * (uint32_t)i + 1,
			lines, sizeof(lines), instructions, sizeof(instructions));
	}
	place = (struct sm_stacks_thread_place){.address = fake.thread,
		.interpreter = fake.interpreter,
		.native_id = 77,
		.gil = fake.gil + fake.layout.gil_holder};
}

static int take(void)
{
	return sm_stacks_walk_take(walk, &memory, &fake.layout, &place, &frames);
}

static int make_walk(void **state)
{
	walk = sm_stacks_walk_create();
	return !walk;
}

static int destroy_walk(void **state)
{
	sm_stacks_walk_destroy(walk);
	return 0;
}

static void test_frames_come_innermost_first(void **state)
{
	for (size_t v = 0; v < 4; v++) {
		begin(minors[v]);
		for (uint32_t i = 0; i < 5; i++) {
			fake_python_push(&fake, code[i], i);
		}
		assert_int_equal(take(), 0);
		assert_int_equal(frames.count, 5);
		assert_false(frames.deeper);
		assert_true(frames.locked);
		for (int i = 0; i < 5; i++) {
			const struct sm_stacks_frame *frame = &frames.frame[4 - i];
			uint64_t instruction = fake_python_instruction(&fake, code[i], (uint32_t)i);
			assert_int_equal(frame->code, code[i]);
			assert_int_equal(
				minors[v] == 10 ? frame->instruction : frame->pointer, instruction);
		}
	}
}

static void test_the_same_stack_again_is_one_read(void **state)
{
	for (size_t v = 0; v < 4; v++) {
		begin(minors[v]);
		for (uint32_t i = 0; i < 5; i++) {
			fake_python_push(&fake, code[i], i);
		}
		assert_int_equal(take(), 0);
		fake_python_pop(&fake);
		fake_python_push(&fake, code[7], 3);
		assert_int_equal(take(), 0);
		int reads = fake.reads;
		assert_int_equal(take(), 0);
		assert_int_equal(fake.reads, reads + 1);
		assert_int_equal(frames.frame[0].code, code[7]);
	}
}

static void test_who_holds_the_lock_is_told_apart(void **state)
{
	begin(12);
	fake_python_push(&fake, code[0], 0);
	fake_python_set(&fake, fake.gil + fake.layout.gil_holder, fake.thread + 8);
	assert_int_equal(take(), 0);
	assert_false(frames.locked);
	fake_python_set(&fake, fake.gil + fake.layout.gil_holder, fake.thread);
	fake_python_set(&fake, fake.gil + fake.layout.gil_locked, 0);
	assert_int_equal(take(), 0);
	assert_false(frames.locked);
}

static void test_frames_of_c_are_passed_over(void **state)
{
	begin(12);
	fake_python_push(&fake, code[0], 0);
	uint64_t shim = fake_python_push(&fake, 0, 0);
	unsigned char owner = 3;
	memcpy(fake.memory + (shim - FAKE_PYTHON_BASE) + fake.layout.frame_owner, &owner, 1);
	fake_python_push(&fake, code[1], 0);
	assert_int_equal(take(), 0);
	assert_int_equal(frames.count, 2);
	assert_int_equal(frames.frame[1].code, code[0]);
}

static void test_an_older_chunk_is_followed(void **state)
{
	begin(13);
	for (int i = 0; i < 20; i++) {
		fake_python_push(&fake, code[0], 0);
	}
	uint64_t head[3] = {fake.chunk, 1024, 0};
	fake_python_set(&fake, fake.chunk + 16, (fake.top - fake.chunk - 24) / 8);
	uint64_t next = fake_python_put(&fake, head, sizeof(head));
	fake.used += 4096;
	fake.top = next + 24;
	fake_python_set(&fake, fake.thread + fake.layout.thread_chunk, next);
	fake_python_push(&fake, code[1], 0);
	assert_int_equal(take(), 0);
	assert_int_equal(frames.count, 21);
	assert_int_equal(place.region_count, 1);
	int reads = fake.reads;
	assert_int_equal(take(), 0);
	assert_int_equal(fake.reads, reads + 1);
}

static void test_a_very_deep_stack_is_cut_at_its_outer_end(void **state)
{
	begin(11);

	for (int i = 0; i < 80; i++) {
		fake_python_push(&fake, code[i % 8], 0);
	}
	/* An endless way: the outermost frame's caller is the one behind it, as no real stack has it. */
	uint64_t outermost = fake.chunk + 24;
	fake_python_set(&fake, outermost + fake.layout.frame_previous, fake.innermost);
	assert_int_equal(take(), 0);
	assert_int_equal(frames.count, SM_STACKS_DEPTH_MAX);
	assert_true(frames.deeper);
}

/* --- a thread that runs --- */

static int ticks;

/* Calls something else at every part that is read: no two copies are alike. */
static void flutter(struct fake_python *python)
{
	fake_python_pop(python);
	fake_python_push(python, code[1 + ticks++ % 7], 0);
}

static void test_a_stack_that_always_changes_is_torn(void **state)
{
	for (size_t v = 1; v < 4; v++) { /* in 3.10 a new frame lies elsewhere each time */
		begin(minors[v]);
		fake_python_push(&fake, code[0], 0);
		fake_python_push(&fake, code[1], 0);
		assert_int_equal(take(), 0);
		fake.meanwhile = flutter;
		assert_int_equal(take(), -EAGAIN);
		assert_true(fake.reads < 64);
	}
}

/* Only goes on in the innermost frame. */
static void step(struct fake_python *python)
{
	fake_python_set(python, python->innermost + python->layout.frame_instruction,
		fake_python_instruction(python, code[1], (uint32_t)(ticks++ % 8)));
}

static void test_an_innermost_frame_that_goes_on_is_no_tear(void **state)
{
	for (size_t v = 0; v < 4; v++) {
		begin(minors[v]);
		fake_python_push(&fake, code[0], 0);
		fake_python_push(&fake, code[1], 0);
		fake.meanwhile = step;
		assert_int_equal(take(), 0);
		assert_int_equal(frames.count, 2);
	}
}

/* The outer frame's instruction moves while the innermost is there: two stacks in one copy. */
static void move_caller(struct fake_python *python)
{
	uint64_t caller =
		fake_python_get(python, python->innermost + python->layout.frame_previous);
	fake_python_set(python, caller + python->layout.frame_instruction,
		fake_python_instruction(python, code[0], (uint32_t)(ticks++ % 8)));
}

static void test_a_caller_that_moves_is_a_tear(void **state)
{
	for (size_t v = 0; v < 4; v++) {
		begin(minors[v]);
		fake_python_push(&fake, code[0], 0);
		fake_python_push(&fake, code[1], 0);
		fake.meanwhile = move_caller;
		assert_int_equal(take(), -EAGAIN);
	}
}

static void test_a_thread_that_ended_is_gone(void **state)
{
	begin(12);
	fake_python_push(&fake, code[0], 0);
	assert_int_equal(take(), 0);
	fake_python_set(&fake, fake.thread + fake.layout.thread_native_id, 78);
	assert_int_equal(take(), -ESRCH);
	begin(11);
	fake_python_set(&fake, fake.thread + fake.layout.thread_interpreter, 0);
	assert_int_equal(take(), -ESRCH);
}

static void test_memory_that_is_gone_is_an_error_and_no_stack(void **state)
{
	for (size_t v = 0; v < 4; v++) {
		begin(minors[v]);
		fake_python_push(&fake, code[0], 0);
		assert_int_equal(take(), 0);
		place.address = 0x40;
		assert_int_equal(take(), -EFAULT);
	}
}

static void test_a_pointer_into_nowhere_is_a_tear(void **state)
{
	for (size_t v = 0; v < 4; v++) {
		begin(minors[v]);
		uint64_t frame = fake_python_push(&fake, code[0], 0);
		fake_python_set(&fake, frame + fake.layout.frame_previous, 0x77770000);
		assert_int_equal(take(), -EAGAIN);
		fake_python_set(&fake, frame + fake.layout.frame_previous, frame + 1);
		assert_int_equal(take(), -EAGAIN);
	}
}

/* --- the interpreter --- */

static void test_an_interpreter_is_proved_before_it_is_believed(void **state)
{
	static struct sm_stacks_python_thread threads[SM_STACKS_THREADS_MAX];
	struct sm_stacks_interpreter interpreter;
	char why[SM_STACKS_WHY];
	for (size_t v = 0; v < 3; v++) { /* 3.13 publishes its layout; that is another test */
		begin(minors[v]);
		assert_int_equal(sm_stacks_interpreter_open_at(
					 &interpreter, memory, fake.runtime, fake.version, why),
			0);
		assert_int_equal(sm_stacks_interpreter_threads(&interpreter, threads), 1);
		assert_int_equal(threads[0].address, fake.thread);
		assert_int_equal(threads[0].gil, fake.gil + fake.layout.gil_holder);
		fake_python_set(&fake, fake.thread + fake.layout.thread_interpreter, fake.thread);
		assert_int_equal(sm_stacks_interpreter_open_at(
					 &interpreter, memory, fake.runtime, fake.version, why),
			-ENOENT);
	}
}

static void test_an_unknown_version_is_refused_in_words(void **state)
{
	struct sm_stacks_interpreter interpreter;
	char why[SM_STACKS_WHY];
	begin(12);
	fake_python_set(&fake, fake.version, 3u << 24 | 9 << 16);
	assert_int_equal(sm_stacks_interpreter_open_at(
				 &interpreter, memory, fake.runtime, fake.version, why),
		-ENOTSUP);
	assert_non_null(strstr(why, "Python 3.9"));
	fake_python_set(&fake, fake.version, 3u << 24 | 14 << 16);
	assert_int_equal(sm_stacks_interpreter_open_at(
				 &interpreter, memory, fake.runtime, fake.version, why),
		-ENOTSUP);
	assert_non_null(strstr(why, "Python 3.14"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_come_innermost_first),
		cmocka_unit_test(test_the_same_stack_again_is_one_read),
		cmocka_unit_test(test_who_holds_the_lock_is_told_apart),
		cmocka_unit_test(test_frames_of_c_are_passed_over),
		cmocka_unit_test(test_an_older_chunk_is_followed),
		cmocka_unit_test(test_a_very_deep_stack_is_cut_at_its_outer_end),
		cmocka_unit_test(test_a_stack_that_always_changes_is_torn),
		cmocka_unit_test(test_an_innermost_frame_that_goes_on_is_no_tear),
		cmocka_unit_test(test_a_caller_that_moves_is_a_tear),
		cmocka_unit_test(test_a_thread_that_ended_is_gone),
		cmocka_unit_test(test_memory_that_is_gone_is_an_error_and_no_stack),
		cmocka_unit_test(test_a_pointer_into_nowhere_is_a_tear),
		cmocka_unit_test(test_an_interpreter_is_proved_before_it_is_believed),
		cmocka_unit_test(test_an_unknown_version_is_refused_in_words),
	};
	return cmocka_run_group_tests(tests, make_walk, destroy_walk);
}
