/* A name that is never found holds neither the loop nor the end. */

#include "fixture.h"

#include "../slow.h"
#include "base/clock.h"
#include "base/limits.h"
#include "llm/client.h"

static void on_answer(void *ctx, struct llm_answer *answer)
{
	struct error *said = ctx;

	*said = answer->error;
}

static void pass_seconds(struct net *net, struct clock *clock, int seconds)
{
	struct error err = {0};

	for (int i = 0; i < 4 * seconds; i++) {
		assert_int_equal(
			net_turn(net, clock_monotonic_ms(clock) + 2, &err), 0);
		slow_passed_ms += 250;
	}
}

static void waits_for_no_name(void **state)
{
	struct clock clock = clock_real();
	struct llm_options options = options_of("Write {language}.");
	struct llm_client *client;
	struct net *net = NULL;
	struct error said = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(pipe(slow_names), 0);
	free(options.url);
	options.url = mem_dup("https://slow.example.org/v1");
	assert_int_equal(net_open(&net, &clock, &err), 0);
	client = llm_client_open(net, &options);

	llm_ask(client, &english, on_answer, &said);
	pass_seconds(net, &clock, LIMIT_LLM_CONNECT_SEC - 2);
	assert_string_equal(said.message, "");
	pass_seconds(net, &clock, 4);
	assert_non_null(strstr(said.message, "slow.example.org"));

	llm_ask(client, &english, on_answer, &said);
	pass_seconds(net, &clock, 1);
	llm_client_close(client);
	net_close(net);
	llm_options_fini(&options);
	close(slow_names[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_no_name),
	};

	return cmocka_run_group_tests_name("llm: patience", tests, NULL, NULL);
}
