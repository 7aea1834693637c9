/* The client against a small server in the same loop. */

#include "../feed/server.h"
#include "base/limits.h"
#include "fixture.h"
#include "llm/client.h"

struct world {
	struct clock clock;
	struct net *net;
	struct server server;
	struct llm_options options;
	struct llm_client *client;
	/* What came: */
	size_t n_answers;
	struct llm_answer last;
};

static void open_client(struct world *world)
{
	llm_client_close(world->client);
	free(world->options.url);
	/* The server's is an address with a path of its own. */
	world->options.url = mem_printf(
		"%.*s/v1/", (int)(strlen(world->server.url) - strlen("/rss/x")),
		world->server.url);
	world->client = llm_client_open(world->net, &world->options);
}

static int open_world(void **state)
{
	struct world *world = mem_new(sizeof(*world));
	struct error err = {0};

	*state = world;
	world->clock = clock_real();
	assert_int_equal(net_open(&world->net, &world->clock, &err), 0);
	open_server(&world->server, world->net, &world->clock);
	world->options = options_of("Write {language}.");
	world->options.api_key = mem_dup("sk-secret");
	open_client(world);
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	llm_client_close(world->client);
	close_server(&world->server);
	net_close(world->net);
	paper_words_fini(&world->last.words);
	llm_options_fini(&world->options);
	free(world);
	return 0;
}

static void on_answer(void *ctx, struct llm_answer *answer)
{
	struct world *world = ctx;

	world->n_answers++;
	paper_words_fini(&world->last.words);
	world->last = *answer;
	answer->words = (struct paper_words){0};
}

static void wait_for_answers(struct world *world, size_t n)
{
	struct error err = {0};

	while (world->n_answers < n)
		assert_int_equal(net_turn(world->net, INT64_MAX, &err), 0);
}

static const struct llm_answer *ask(struct world *world, const char *response)
{
	world->server.answer = span_of(response);
	llm_ask(world->client, &english, on_answer, world);
	wait_for_answers(world, world->n_answers + 1);
	return &world->last;
}

#define OK(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define SUMMARY "An index of ten million papers."
#define COMPLETION                                    \
	"{\"choices\": [{\"message\": {\"content\": " \
	"\"{\\\"summary\\\": \\\"" SUMMARY            \
	"\\\"}\"}}], \"usage\": {\"total_tokens\": 321}}"

static void gives_an_answer(void **state)
{
	struct world *world = *state;
	const struct llm_answer *answer;

	world->server.hangs_up = true;
	answer = ask(world, OK(COMPLETION));
	if (answer->kind != LLM_ANSWERED)
		fail_msg("%s", answer->error.message);
	assert_string_equal(answer->words.summary, SUMMARY);
	assert_string_equal(answer->words.model, "test-model");
	assert_int_equal(answer->n_tokens, 321);
	assert_non_null(strstr(world->server.requests[0],
	                       "POST /v1/chat/completions HTTP/1.1\r\n"));
	assert_non_null(strstr(world->server.requests[0],
	                       "Authorization: Bearer sk-secret\r\n"));
	assert_non_null(strstr(world->server.requests[0],
	                       "Content-Type: application/json\r\n"));
}

static void estimates_tokens_that_are_not_told(void **state)
{
	struct world *world = *state;

	world->server.hangs_up = true;
	assert_true(ask(world, OK("{\"choices\": [{\"message\":"
	                          " {\"content\": \"no\"}}]}"))
	                    ->n_tokens > 0);
	assert_int_equal(world->last.kind, LLM_FAULTY);
}

struct fault {
	const char *response;
	enum llm_kind kind;
	enum error_kind error;
	const char *words;
};

static void explains_what_goes_wrong(void **state)
{
	static const struct fault cases[] = {
		{"", LLM_FAILED, ERROR_TEMPORARY, "the connection broke"},
		{"garbage\r\n\r\n", LLM_FAILED, ERROR_TEMPORARY, "broke"},
		{OK("<html>"), LLM_FAILED, ERROR_TEMPORARY, "not JSON"},
		{OK("{\"choices\": []}"), LLM_FAILED, ERROR_TEMPORARY,
	         "no chat completion"},
		{OK("{\"choices\": [{\"message\": {\"content\":"
	            " \"words\"}}]}"),
	         LLM_FAULTY, ERROR_SYNTAX, "no JSON object"},
		{"HTTP/1.1 401 No\r\nConnection: close\r\n\r\n{\"error\":"
	         " {\"message\": \"bad key\"}}",
	         LLM_FAILED, ERROR_PERMANENT, "api_key_file (status 401: bad"},
		{"HTTP/1.1 401 No\r\nConnection: close\r\n\r\n{\"error\":"
	         " {\"message\": \"bad key sk-secret\"}}",
	         LLM_FAILED, ERROR_PERMANENT, "api_key_file (status 401)"},
		{"HTTP/1.1 404 No\r\nConnection: close\r\n\r\n", LLM_FAILED,
	         ERROR_PERMANENT, "check llm.url and llm.model"},
		{"HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:9/\r\n"
	         "Connection: close\r\n\r\n",
	         LLM_FAILED, ERROR_PERMANENT, "points elsewhere"},
		{"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n", LLM_FAILED,
	         ERROR_TEMPORARY, "in trouble (status 500)"},
	};
	struct world *world = *state;

	world->server.hangs_up = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct llm_answer *answer = ask(world, cases[i].response);

		assert_int_equal(answer->kind, cases[i].kind);
		assert_int_equal(answer->error.kind, cases[i].error);
		if (!strstr(answer->error.message, cases[i].words))
			fail_msg("%zu: %s", i, answer->error.message);
	}
}

static void reads_how_long_to_wait(void **state)
{
	struct world *world = *state;
	const struct llm_answer *answer;

	world->server.hangs_up = true;
	answer = ask(world,
	             "HTTP/1.1 429 Slow\r\nRetry-After: 77\r\n"
	             "Connection: close\r\n\r\n");
	assert_int_equal(answer->kind, LLM_FAILED);
	assert_int_equal(answer->error.kind, ERROR_TEMPORARY);
	assert_int_equal(answer->retry_after_sec, 77);
}

static void tries_the_formats_in_turn_and_remembers(void **state)
{
	struct world *world = *state;
	const struct llm_answer *answer;

	world->server.hangs_up = true;
	world->server.later = span_of(OK(COMPLETION));
	answer = ask(world, "HTTP/1.1 400 What\r\nConnection: close\r\n\r\n");
	assert_int_equal(answer->kind, LLM_ANSWERED);
	assert_int_equal(world->server.n_requests, 2);
	assert_non_null(strstr(world->server.requests[0], "json_schema"));
	assert_null(strstr(world->server.requests[1], "json_schema"));
	assert_non_null(strstr(world->server.requests[1], "json_object"));

	answer = ask(world, OK(COMPLETION));
	assert_int_equal(answer->kind, LLM_ANSWERED);
	assert_int_equal(world->server.n_requests, 3);
	assert_null(strstr(world->server.requests[2], "json_schema"));
}

static void gives_up_when_no_format_is_taken(void **state)
{
	struct world *world = *state;
	const struct llm_answer *answer;

	world->server.hangs_up = true;
	answer = ask(world, "HTTP/1.1 400 What\r\nConnection: close\r\n\r\n");
	assert_int_equal(answer->kind, LLM_FAILED);
	assert_int_equal(world->server.n_requests, LLM_FORMATS);
}

static void stops_a_body_without_end(void **state)
{
	struct world *world = *state;
	const struct llm_answer *answer;

	world->server.is_endless = true;
	answer = ask(world, "HTTP/1.1 200 OK\r\n\r\n");
	assert_int_equal(answer->kind, LLM_FAILED);
	assert_non_null(strstr(answer->error.message, "longer than any"));
}

static void stops_header_lines_without_end(void **state)
{
	struct world *world = *state;
	const struct llm_answer *answer;

	world->server.is_endless = true;
	answer = ask(world, "HTTP/1.1 200 OK\r\nX: ");
	assert_int_equal(answer->kind, LLM_FAILED);
	assert_non_null(strstr(answer->error.message, "longer than any"));
}

/* A body of so many bytes, which is no JSON. */
static const char *answer_to_body(struct world *world, size_t n)
{
	world->server.is_endless = true;
	world->server.n_more = n;
	return ask(world, "HTTP/1.1 200 OK\r\n\r\n")->error.message;
}

static void takes_a_body_up_to_its_limit(void **state)
{
	struct world *world = *state;

	assert_null(strstr(answer_to_body(world, LIMIT_LLM_ANSWER_BYTES),
	                   "longer than any"));
	assert_non_null(
		strstr(answer_to_body(world, LIMIT_LLM_ANSWER_BYTES + 1),
	               "longer than any"));
}

static void gives_up_a_server_that_says_nothing(void **state)
{
	struct world *world = *state;
	const struct llm_answer *answer;

	world->options.timeout_s = 1;
	open_client(world);
	answer = ask(world, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
	assert_int_equal(answer->kind, LLM_FAILED);
	assert_non_null(strstr(answer->error.message, "llm.timeout_s"));
}

static void asks_several_at_once(void **state)
{
	struct world *world = *state;

	world->server.hangs_up = true;
	world->server.answer = span_of(OK(COMPLETION));
	for (int i = 0; i < 4; i++)
		llm_ask(world->client, &english, on_answer, world);
	wait_for_answers(world, 4);
	assert_int_equal(world->server.n_requests, 4);
}

static void forgets_what_is_on_its_way_when_it_closes(void **state)
{
	struct world *world = *state;

	llm_ask(world->client, &english, on_answer, world);
	open_client(world);
	assert_int_equal(world->n_answers, 0);
}

int main(void)
{
#define WITH_WORLD(test) \
	cmocka_unit_test_setup_teardown(test, open_world, close_world)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(gives_an_answer),
		WITH_WORLD(estimates_tokens_that_are_not_told),
		WITH_WORLD(explains_what_goes_wrong),
		WITH_WORLD(reads_how_long_to_wait),
		WITH_WORLD(tries_the_formats_in_turn_and_remembers),
		WITH_WORLD(gives_up_when_no_format_is_taken),
		WITH_WORLD(stops_a_body_without_end),
		WITH_WORLD(stops_header_lines_without_end),
		WITH_WORLD(takes_a_body_up_to_its_limit),
		WITH_WORLD(gives_up_a_server_that_says_nothing),
		WITH_WORLD(asks_several_at_once),
		WITH_WORLD(forgets_what_is_on_its_way_when_it_closes),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
