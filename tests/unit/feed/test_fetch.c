/* What the fetcher makes of answers, and what it asks. */

#include "fetch_world.h"

/* ---- answers ---- */

#define ERROR_FEED                                                    \
	"<rss version=\"2.0\"><channel><title>Feed error for query: " \
	"x</title><description>Bad archive</description></channel></rss>"

struct answer_case {
	const char *etag; /* what the request says; NULL: nothing */
	const char *head; /* of the answer */
	const char *body;
	enum feed_answer_kind kind;
	enum error_kind error;
	const char *message; /* part of it */
};

static void check_answer(struct world *world, const struct answer_case *c)
{
	owned(mem) char *answer =
		mem_printf("%s%s%s", c->head, *c->head ? "\r\n" : "", c->body);
	const struct feed_answer *last = &world->last;

	world->server.answer = span_of(answer);
	world->server.hangs_up = true;
	fetch(world, world->server.url, c->etag, NULL);
	if (last->kind != c->kind || last->error.kind != c->error ||
	    !strstr(last->error.message, c->message))
		fail_msg("%s: %d %d %s", c->head, last->kind, last->error.kind,
		         last->error.message);
	if (c->kind == FEED_ANSWER_FAILED)
		assert_true(span_starts(span_of(last->error.message),
		                        world->server.url));
}

static const struct answer_case answer_cases[] = {
	{NULL, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", "<x/>",
         FEED_ANSWER_BODY, ERROR_NONE, ""},
	{"e1", "HTTP/1.1 304 Not Modified\r\n", "", FEED_ANSWER_NOT_MODIFIED,
         ERROR_NONE, ""},
	{NULL, "HTTP/1.1 304 Not Modified\r\n", "", FEED_ANSWER_FAILED,
         ERROR_TEMPORARY, "no feed (status 304)"},
	{NULL, "HTTP/1.1 400 Bad Request\r\n", ERROR_FEED, FEED_ANSWER_FAILED,
         ERROR_PERMANENT,
         "arXiv refused the query: Feed error for query: x: Bad "
         "archive"},
	{NULL, "HTTP/1.1 400 Bad Request\r\n", "no", FEED_ANSWER_FAILED,
         ERROR_PERMANENT, "refused: check the URL"},
	{NULL, "HTTP/1.1 403 Forbidden\r\n", "", FEED_ANSWER_FAILED,
         ERROR_TEMPORARY, "forbidden"},
	{NULL, "HTTP/1.1 404 Not Found\r\n", "", FEED_ANSWER_FAILED,
         ERROR_PERMANENT, "not found: check the URL"},
	{NULL, "HTTP/1.1 410 Gone\r\n", "", FEED_ANSWER_FAILED, ERROR_PERMANENT,
         "gone"},
	{NULL, "HTTP/1.1 418 Teapot\r\n", "", FEED_ANSWER_FAILED,
         ERROR_PERMANENT, "status 418"},
	{NULL, "HTTP/1.1 429 Slow down\r\n", "", FEED_ANSWER_FAILED,
         ERROR_TEMPORARY, "too many requests (status 429)"},
	{NULL, "HTTP/1.1 500 Oops\r\n", "", FEED_ANSWER_FAILED, ERROR_TEMPORARY,
         "in trouble (status 500)"},
	{NULL, "HTTP/1.1 204 No Content\r\n", "", FEED_ANSWER_FAILED,
         ERROR_TEMPORARY, "status 204"},
	{NULL, "HTTP/1.1 302 Found\r\n", "", FEED_ANSWER_FAILED,
         ERROR_TEMPORARY, "status 302"},
	{NULL, "HTTP/1.1 302 F\r\nLocation: /again\r\n", "", FEED_ANSWER_FAILED,
         ERROR_TEMPORARY, "redirected too often"},
	{NULL, "HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\n", "",
         FEED_ANSWER_FAILED, ERROR_PERMANENT, "something other than https"},
	{NULL, "HTTP/1.1 302 F\r\nLocation: ftp://127.0.0.1/\r\n", "",
         FEED_ANSWER_FAILED, ERROR_PERMANENT, "something other than https"},
	{NULL, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n", "<rss",
         FEED_ANSWER_FAILED, ERROR_TEMPORARY, "broke before the whole feed"},
	{NULL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
         "5\r\nhello\r\n", FEED_ANSWER_FAILED, ERROR_TEMPORARY,
         "broke before the whole feed"},
	{NULL, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n",
         "no gzip at all", FEED_ANSWER_FAILED, ERROR_TEMPORARY, "gzip"},
	{NULL, "HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n", "x",
         FEED_ANSWER_FAILED, ERROR_PERMANENT, "larger than"},
	{NULL, "nonsense", "", FEED_ANSWER_FAILED, ERROR_TEMPORARY, "not HTTP"},
	{NULL, "", "", FEED_ANSWER_FAILED, ERROR_TEMPORARY, "hung up"},
};

#define ANSWER_CASES (sizeof(answer_cases) / sizeof(*answer_cases))

static void says_what_became_of_a_request(void **state)
{
	for (size_t i = 0; i < ANSWER_CASES; i++) {
		struct world *world;

		check_answer(*state, &answer_cases[i]);
		close_world(state);
		open_world(state);
		world = *state;
		assert_int_equal(world->n_answers, 0);
	}
}

static void gives_what_the_server_said_about_the_body(void **state)
{
	struct world *world = *state;

	world->server.answer = span_of(
		"HTTP/1.1 200 OK\r\nETag: 5e1f\r\nContent-Length: 5\r\n"
		"Last-Modified: Mon, 27 Apr 2026 04:00:00 GMT\r\n\r\nhello");
	fetch(world, world->server.url, NULL, NULL);
	assert_int_equal(world->last.kind, FEED_ANSWER_BODY);
	assert_int_equal(world->last.http_status, 200);
	assert_string_equal(world->last.etag, "5e1f");
	assert_string_equal(world->last.last_modified,
	                    "Mon, 27 Apr 2026 04:00:00 GMT");
	assert_string_equal(world->body, "hello");
}

static void unpacks_gzip(void **state)
{
	static const char packed[] =
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		"Content-Length: 25\r\n\r\n"
		"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86"
		"\xa6\x10\x36\x05\0\0\0";
	struct world *world = *state;

	world->server.answer = (struct span){packed, sizeof(packed) - 1};
	fetch(world, world->server.url, NULL, NULL);
	assert_string_equal(world->last.error.message, "");
	assert_string_equal(world->body, "hello");
}

static void stops_an_endless_answer(void **state)
{
	struct world *world = *state;

	world->server.answer = span_of("HTTP/1.1 200 OK\r\n\r\n");
	world->server.is_endless = true;
	fetch(world, world->server.url, NULL, NULL);
	assert_int_equal(world->last.error.kind, ERROR_PERMANENT);
	assert_non_null(strstr(world->last.error.message, "larger than"));
}

static void gives_the_time_that_the_server_asks_for(void **state)
{
	struct world *world = *state;

	world->server.answer =
		span_of("HTTP/1.1 429 Slow down\r\n"
	                "Retry-After: 120\r\n"
	                "Content-Length: 0\r\n\r\n");
	fetch(world, world->server.url, NULL, NULL);
	assert_int_equal(world->last.retry_after_sec, 120);
	assert_non_null(strstr(world->last.error.message,
	                       "(status 429; try again in 120 s)"));

	world->server.answer =
		span_of("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n"
	                "Retry-After: Wed, 01 Jan 2098 00:00:00 GMT\r\n\r\n");
	fetch(world, world->server.url, NULL, NULL);
	assert_true(world->last.retry_after_sec > 86400);
}

static void follows_a_redirect_on_this_machine(void **state)
{
	struct world *world = *state;
	owned(mem) char *redirect = mem_printf(
		"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n"
		"Location: %s/again\r\n\r\n",
		world->server.url);

	world->server.answer = span_of(redirect);
	ask(world, world->server.url);
	while (world->server.n_requests == 0)
		turn(world);
	world->server.answer =
		span_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
	wait_for(world, 1);
	assert_string_equal(world->body, "new");
	assert_true(span_starts(span_of(world->server.requests[1]),
	                        "GET /rss/x/again "));
}

/* ---- requests ---- */

static void says_who_asks_and_for_what(void **state)
{
	struct world *world = *state;
	const char *request;

	world->server.answer =
		span_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	fetch(world, world->server.url, "5e1f", "Mon, 27 Apr 2026");
	request = world->server.requests[0];
	assert_true(span_starts(span_of(request), "GET /rss/x HTTP/1.1\r\n"));
	assert_non_null(strstr(request, "\r\nUser-Agent: arxmail/"));
	assert_non_null(strstr(request, " (+mailto:admin@example.org)\r\n"));
	assert_non_null(strstr(request, "\r\nAccept-Encoding: gzip\r\n"));
	assert_non_null(strstr(request, "\r\nIf-None-Match: 5e1f\r\n"));
	assert_non_null(
		strstr(request, "\r\nIf-Modified-Since: Mon, 27 Apr 2026\r\n"));

	fetch(world, world->server.url, "a\r\nX: y", "");
	request = world->server.requests[1];
	assert_null(strstr(request, "X: y"));
	assert_null(strstr(request, "If-"));
}

static void keeps_the_connection_and_the_pause(void **state)
{
	struct world *world = *state;
	struct server *server = &world->server;

	server->answer =
		span_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	world->asks_again = true;
	ask(world, server->url);
	ask(world, server->url);
	wait_for(world, 3);
	assert_int_equal(server->n_requests, 3);
	assert_int_equal(server->n_accepted, 1);
	for (size_t i = 1; i < server->n_requests; i++) {
		int64_t pause_ms =
			server->asked_at_ms[i] - server->asked_at_ms[i - 1];

		assert_true(pause_ms >= LIMIT_FEED_PAUSE_SEC * 1000);
		assert_true(pause_ms < LIMIT_FEED_PAUSE_SEC * 2000);
	}
}

/* ---- no server at all ---- */

static void reads_files_without_a_pause(void **state)
{
	struct world *world = *state;
	owned(mem) char *folder = realpath(world->state_dir, NULL);
	owned(mem) char *path = mem_printf("%s/feed.xml", folder);
	owned(mem) char *url = mem_printf("file://%s", path);
	struct error err = {0};
	int64_t start_ms = world->passed_ms;

	assert_int_equal(file_replace(path, span_of("<rss/>"), 0600, &err), 0);
	fetch(world, url, "etag", NULL);
	fetch(world, url, NULL, NULL);
	assert_int_equal(world->last.kind, FEED_ANSWER_BODY);
	assert_int_equal(world->last.http_status, 0);
	assert_string_equal(world->body, "<rss/>");
	assert_null(world->last.etag);
	assert_true(world->passed_ms - start_ms < 2000);

	unlink(path);
	fetch(world, url, NULL, NULL);
	assert_int_equal(world->last.kind, FEED_ANSWER_FAILED);
	assert_int_equal(world->last.error.kind, ERROR_PERMANENT);
	assert_non_null(strstr(world->last.error.message,
	                       "cannot read the file: does it exist"));
}

static void names_what_cannot_be_asked(void **state)
{
	struct world *world = *state;

	fetch(world, "http://example.org/", NULL, NULL);
	assert_int_equal(world->last.kind, FEED_ANSWER_FAILED);
	assert_int_equal(world->last.error.kind, ERROR_PERMANENT);
	assert_string_equal(world->last.error.message,
	                    "http://example.org/: http is for this machine's "
	                    "own addresses only: use https");

	close_server(&world->server);
	fetch(world, world->server.url, NULL, NULL);
	assert_int_equal(world->last.error.kind, ERROR_TEMPORARY);
	assert_non_null(strstr(world->last.error.message, "cannot connect"));
	open_server(&world->server, world->net, &world->clock);
}

static void fails_to_open_without_its_folder(void **state)
{
	struct world *world = *state;
	owned(feed_fetcher) struct feed_fetcher *other = NULL;
	struct error err = {0};

	assert_int_equal(feed_fetcher_open(&other, world->net, &world->clock,
	                                   &world->options, "/nonexistent",
	                                   &err),
	                 -1);
	assert_null(other);
	assert_non_null(strstr(err.message, "/nonexistent/feeds.lock"));
}

static void works_without_a_folder(void **state)
{
	struct world *world = *state;
	struct server *server = &world->server;
	struct error err = {0};

	feed_fetcher_close(world->fetcher);
	assert_int_equal(feed_fetcher_open(&world->fetcher, world->net,
	                                   &world->clock, &world->options, NULL,
	                                   &err),
	                 0);
	server->answer =
		span_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	fetch(world, server->url, NULL, NULL);
	fetch(world, server->url, NULL, NULL);
	assert_true(server->asked_at_ms[1] - server->asked_at_ms[0] >=
	            LIMIT_FEED_PAUSE_SEC * 1000);
}

static void can_be_closed_in_the_middle(void **state)
{
	struct world *world = *state;

	world->server.answer = span_of("HTTP/1.1 200 OK\r\n");
	ask(world, world->server.url);
	ask(world, world->server.url);
	while (world->server.n_requests == 0)
		turn(world);
	feed_fetcher_close(take_ptr(world->fetcher));
	turn(world);
	assert_int_equal(world->n_answers, 0);
}

static void can_be_closed_by_its_callback(void **state)
{
	struct world *world = *state;

	world->server.answer =
		span_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	world->closes = true;
	ask(world, world->server.url);
	ask(world, world->server.url);
	wait_for(world, 1);
	turn(world);
	assert_null(world->fetcher);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_world, close_world)

/* What the environment says must not matter. */
static char proxies[][40] = {"http_proxy=http://127.0.0.1:1/",
                             "all_proxy=http://127.0.0.1:1/"};

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_what_became_of_a_request),
		TEST(gives_what_the_server_said_about_the_body),
		TEST(unpacks_gzip),
		TEST(stops_an_endless_answer),
		TEST(gives_the_time_that_the_server_asks_for),
		TEST(follows_a_redirect_on_this_machine),
		TEST(says_who_asks_and_for_what),
		TEST(keeps_the_connection_and_the_pause),
		TEST(reads_files_without_a_pause),
		TEST(names_what_cannot_be_asked),
		TEST(fails_to_open_without_its_folder),
		TEST(works_without_a_folder),
		TEST(can_be_closed_in_the_middle),
		TEST(can_be_closed_by_its_callback),
	};

	for (size_t i = 0; i < sizeof(proxies) / sizeof(*proxies); i++)
		putenv(proxies[i]);
	return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
