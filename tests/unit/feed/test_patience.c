/* How long a slow server is borne, in minutes that the test passes by hand. */

#include "../slow.h"
#include "fetch_world.h"

/* One answer; every second the server sends `per_second` bytes more. */
static void serve_slowly(struct world *world, const char *head,
                         size_t per_second)
{
	static const char bytes[1024] = "";
	struct server *server = &world->server;
	int64_t begin_ms = slow_passed_ms;

	server->answer = span_of(head);
	ask(world, server->url);
	while (world->n_answers == 0) {
		assert_true(slow_passed_ms - begin_ms < INT64_C(3600000));
		for (int i = 0; i < 4; i++)
			turn(world);
		if (server->n_requests > 0 && server->connections[0].watch)
			(void)send(server->connections[0].fd, bytes, per_second,
			           MSG_NOSIGNAL | MSG_DONTWAIT);
		slow_passed_ms += 1000;
		world->passed_ms += 1000;
	}
}

static void assert_took(int64_t begin_ms, int64_t least_sec, int64_t most_sec)
{
	int64_t took_sec = (slow_passed_ms - begin_ms) / 1000;

	if (took_sec < least_sec || took_sec > most_sec)
		fail_msg("%d s", (int)took_sec);
}

static void gives_up_one_byte_a_second(void **state)
{
	struct world *world = *state;
	int64_t begin_ms = slow_passed_ms;

	serve_slowly(world, "HTTP/1.1 200 OK\r\n\r\n", 1);
	assert_int_equal(world->last.kind, FEED_ANSWER_FAILED);
	assert_non_null(strstr(world->last.error.message, "too slow"));
	assert_took(begin_ms, LIMIT_FEED_SLOW_SEC, 2 * LIMIT_FEED_SLOW_SEC);
}

/* Faster than too slow, for ever. */
static void gives_up_an_answer_that_takes_too_long(void **state)
{
	struct world *world = *state;
	int64_t begin_ms = slow_passed_ms;

	serve_slowly(world, "HTTP/1.1 200 OK\r\n\r\n",
	             LIMIT_FEED_SLOW_BYTES_SEC * 2);
	assert_int_equal(world->last.kind, FEED_ANSWER_FAILED);
	assert_non_null(strstr(world->last.error.message, "in time"));
	assert_took(begin_ms, LIMIT_FEED_TRANSFER_SEC - 2,
	            LIMIT_FEED_TRANSFER_SEC + 30);
}

static void gives_up_a_server_that_says_nothing(void **state)
{
	struct world *world = *state;
	int64_t begin_ms = slow_passed_ms;

	serve_slowly(world, "HTTP/1.1 200 OK\r\n", 0);
	assert_int_equal(world->last.kind, FEED_ANSWER_FAILED);
	assert_took(begin_ms, LIMIT_FEED_SLOW_SEC, 2 * LIMIT_FEED_SLOW_SEC);
}

/* The loop turns on while a name is looked up, and the fetcher closes. */
static void waits_for_no_name(void **state)
{
	struct world *world = *state;
	int64_t begin_ms = slow_passed_ms;
	struct timespec real[2];

	assert_int_equal(pipe(slow_names), 0);
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &real[0]);
	ask(world, "https://slow.example.org/rss/x");
	ask(world, "https://slow.example.org/rss/y");
	while (world->n_answers == 0) {
		assert_true(slow_passed_ms - begin_ms < INT64_C(3600000));
		for (int i = 0; i < 4; i++)
			turn(world);
		slow_passed_ms += 1000;
		world->passed_ms += 1000;
	}
	assert_int_equal(world->last.kind, FEED_ANSWER_FAILED);
	assert_took(begin_ms, LIMIT_FEED_CONNECT_SEC - 2,
	            LIMIT_FEED_CONNECT_SEC + 10);
	/* The second look-up is under way. */
	for (int i = 0; i < 10; i++) {
		turn(world);
		world->passed_ms += 1000;
	}
	feed_fetcher_close(take_ptr(world->fetcher));
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &real[1]);
	assert_true(real[1].tv_sec - real[0].tv_sec < 20);
	close(slow_names[1]);
}

int main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		CASE(gives_up_one_byte_a_second),
		CASE(gives_up_an_answer_that_takes_too_long),
		CASE(gives_up_a_server_that_says_nothing),
		CASE(waits_for_no_name),
	};

	return cmocka_run_group_tests_name("fetch: patience", tests, NULL,
	                                   NULL);
}
