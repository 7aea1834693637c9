#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../../src/feed/fetch_private.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"

#define START_SEC 1800000000
#define PAUSE_MS (LIMIT_FEED_PAUSE_SEC * 1000)
#define STEP_MS 10

/* A clock that is moved by hand, and a folder for the lock. */
struct world {
	struct clock clock;
	int64_t passed_ms;
	char folder[64];
};

static int64_t hand_sec(void *ctx)
{
	const struct world *world = ctx;

	return START_SEC + world->passed_ms / 1000;
}

static int64_t hand_ms(void *ctx)
{
	const struct world *world = ctx;

	return world->passed_ms;
}

static int open_world(void **state)
{
	struct world *world = mem_new(sizeof(*world));

	*state = world;
	world->clock = (struct clock){hand_sec, hand_ms, world};
	world->passed_ms = 999;
	snprintf(world->folder, sizeof(world->folder), "/tmp/arxmail-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;
	owned(mem) char *path = mem_printf("%s/feeds.lock", world->folder);

	unlink(path);
	rmdir(world->folder);
	free(world);
	return 0;
}

static struct gate *new_gate(struct world *world, const char *folder)
{
	struct gate *gate = NULL;
	struct error err = {0};

	assert_int_equal(gate_open(&gate, &world->clock, folder, &err), 0);
	return gate;
}

static int enter(struct gate *gate, int64_t *ret_wait_ms)
{
	struct error err = {0};
	int rc = gate_enter(gate, ret_wait_ms, &err);

	assert_int_not_equal(rc, -1);
	return rc;
}

/* Does as it is told until it has passed; how long that took. */
static int64_t wait_and_enter(struct world *world, struct gate *gate)
{
	int64_t start_ms = world->passed_ms, wait_ms = 0;

	while (enter(gate, &wait_ms) == GATE_WAIT) {
		assert_true(wait_ms > 0);
		assert_true(world->passed_ms - start_ms < 10 * PAUSE_MS);
		world->passed_ms += wait_ms;
	}
	return world->passed_ms - start_ms;
}

static void opens_at_once_and_then_after_the_pause(void **state)
{
	struct world *world = *state;
	const char *const folders[] = {NULL, world->folder};

	for (size_t i = 0; i < 2; i++) {
		owned(gate) struct gate *gate = new_gate(world, folders[i]);

		assert_int_equal(wait_and_enter(world, gate), 0);
		world->passed_ms += 5000; /* a slow request */
		gate_leave(gate);
		assert_int_equal(wait_and_enter(world, gate), PAUSE_MS);
		gate_leave(gate);
		world->passed_ms += 1000;
		assert_int_equal(wait_and_enter(world, gate), PAUSE_MS - 1000);
		gate_leave(gate);
		world->passed_ms += 10 * PAUSE_MS;
	}
}

/* Two gates are like two processes: each has opened the file by itself. */
static void lets_one_process_in_at_a_time(void **state)
{
	struct world *world = *state;
	owned(gate) struct gate *one = new_gate(world, world->folder);
	owned(gate) struct gate *other = new_gate(world, world->folder);
	int64_t wait_ms = 0;

	assert_int_equal(enter(one, &wait_ms), GATE_PASSED);
	assert_int_equal(enter(other, &wait_ms), GATE_WAIT);
	world->passed_ms += 60000;
	assert_int_equal(enter(other, &wait_ms), GATE_WAIT);
	assert_true(wait_ms < 1000);
	gate_leave(one);
	assert_int_equal(enter(other, &wait_ms), GATE_WAIT);
	assert_true(wait_ms >= PAUSE_MS && wait_ms <= PAUSE_MS + 1000);
}

/* Both always want in; none passes too early, and each has its turns. */
static void gives_every_process_its_turns(void **state)
{
	struct world *world = *state;
	owned(gate) struct gate *one = new_gate(world, world->folder);
	owned(gate) struct gate *other = new_gate(world, world->folder);
	struct gate *gates[] = {one, other};
	int64_t next_ms[2] = {0}, last_ms = -PAUSE_MS, wait_ms = 0;
	int n_passed[2] = {0};

	while (n_passed[0] + n_passed[1] < 10) {
		size_t i = next_ms[1] < next_ms[0];

		world->passed_ms = next_ms[i];
		if (enter(gates[i], &wait_ms) == GATE_PASSED) {
			assert_true(world->passed_ms - last_ms >= PAUSE_MS);
			n_passed[i]++;
			world->passed_ms += STEP_MS;
			last_ms = world->passed_ms;
			gate_leave(gates[i]);
			wait_ms = 0;
		}
		next_ms[i] = world->passed_ms + wait_ms;
	}
	assert_true(n_passed[0] >= 4 && n_passed[1] >= 4);
}

static void counts_from_the_start_of_a_request_that_was_killed(void **state)
{
	struct world *world = *state;
	struct gate *killed = new_gate(world, world->folder);
	owned(gate) struct gate *next = new_gate(world, world->folder);
	owned(mem) char *path = mem_printf("%s/feeds.lock", world->folder);
	owned(buf) struct buf stamp = BUF_INIT(100);
	struct error err = {0};
	int64_t wait_ms = 0;

	assert_int_equal(enter(killed, &wait_ms), GATE_PASSED);
	assert_int_equal(file_read(&stamp, path, &err), 0);
	assert_string_equal(buf_str(&stamp), "1800000001\n");
	gate_close(killed);
	assert_true(wait_and_enter(world, next) >= PAUSE_MS);
}

static void is_not_held_up_by_a_strange_stamp(void **state)
{
	static const struct {
		const char *stamp;
		int64_t least_ms, most_ms;
	} cases[] = {
		{"", 0, 0},
		{"nonsense", 0, 0},
		{"-5", 0, 0},
		{"99999999999999999999999999999999999999999", 0, 0},
		{"1799999997", 0, 0},
		{"1799999998", 1000, 1000},
		{"1800000000\n", 3000, 3000},
		{"1800000001", 3000, 4000},
		{"1800000002", 3000, 3000},
		{"9999999999", 3000, 3000},
	};
	struct world *world = *state;
	owned(mem) char *path = mem_printf("%s/feeds.lock", world->folder);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(gate) struct gate *gate = NULL;
		struct error err = {0};
		int64_t took_ms;

		assert_int_equal(
			file_replace(path, span_of(cases[i].stamp), 0600, &err),
			0);
		world->passed_ms = 0;
		gate = new_gate(world, world->folder);
		took_ms = wait_and_enter(world, gate);
		if (took_ms < cases[i].least_ms || took_ms > cases[i].most_ms)
			fail_msg("%s: %d ms", cases[i].stamp, (int)took_ms);
	}
}

static void names_the_folder_that_is_not_there(void **state)
{
	struct world *world = *state;
	struct gate *gate = NULL;
	struct error err = {0};

	assert_int_equal(gate_open(&gate, &world->clock, "/nonexistent", &err),
	                 -1);
	assert_null(gate);
	assert_string_equal(err.message,
	                    "/nonexistent/feeds.lock: cannot open: No such "
	                    "file or directory");
	gate_close(NULL);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_at_once_and_then_after_the_pause),
		TEST(lets_one_process_in_at_a_time),
		TEST(gives_every_process_its_turns),
		TEST(counts_from_the_start_of_a_request_that_was_killed),
		TEST(is_not_held_up_by_a_strange_stamp),
		TEST(names_the_folder_that_is_not_there),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
