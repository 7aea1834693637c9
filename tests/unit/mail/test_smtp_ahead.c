/* The next message's commands, in the flight of the body before. */

#include "scripted.h"

#define OFFERS                                                       \
	GREETED "> 250-relay.example\n> 250-PIPELINING\n> 250 SIZE " \
		"100\n"
#define SIZED "< MAIL FROM:<digest@example.org> SIZE=20\n" RCPT DATA
#define THREE_YES "> 250 a\n> 250 b\n> 354 c\n"

/* All three bodies and the commands behind them in one piece each. */
static void sends_each_body_and_the_next_commands_together(void **state)
{
	struct client client;

	(void)state;
	start_client(&client, PIPELINED GROUP THREE_YES BODY GROUP
	             "+ 250 ok|250 a|250 b|354 c|\n" BODY GROUP
	             "quiet\n+ 250 o\n+ k|250 a|25\n+ 0 b|354 c|\n" BODY
	             "quiet\n> 250 2.0.0 last\n" QUIT);
	client.n_messages = 3;
	client.is_ahead = true;
	run_to_done(&client, SMTP_SENT);
	assert_int_equal(client.n_done, 3);
	assert_string_equal(client.outcome.reply, "last");
}

static void waits_for_the_outcome_without_pipelining(void **state)
{
	struct client client;

	(void)state;
	start_client(&client, PLAIN TO_DOT "quiet\n> 250 ok\n" TO_DOT
	                                   "quiet\n> 554 5.6.0 no\n" TO_DOT
	                                   "quiet\n> 250 ok\n" QUIT);
	client.n_messages = 3;
	client.is_ahead = true;
	run_to_done(&client, SMTP_SENT);
	assert_int_equal(client.n_done, 3);
	assert_int_equal(client.outcomes[1].verdict, SMTP_FAILED);
}

static void tells_a_faulty_next_message_after_the_first(void **state)
{
	static char big[200];
	static const struct {
		struct smtp_letter letter;
		const char *sentence;
	} cases[] = {
		{{"digest@example.org", "ada@example.org", {big, sizeof(big)}},
	         "the message has 200 bytes, and "},
		{{"digest@example.org", "\u00fc@example.org", TEXT("x\r\n")},
	         "the address needs SMTPUTF8, which "},
		{{"digest@example.org", "ada@example.org",
	          TEXT("x\r\n\r\n\xc3\xbc\r\n")},
	         "the message needs 8BITMIME, which "},
		{{"digest@example.org", "ada@example.org>", TEXT("x\r\n")},
	         "it holds < or >; only the address itself belongs here"},
		{{"digest@example.org", "ada@example.org", TEXT("x\n")},
	         "the message does not end in CRLF"},
	};

	(void)state;
	memset(big, 'x', sizeof(big));
	memcpy(big + sizeof(big) - 2, "\r\n", 2);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct client client;

		start_client(&client, OFFERS SIZED THREE_YES BODY
		             "quiet\n> 250 ok\n" SIZED THREE_YES BODY
		             "> 250 ok\n" QUIT);
		client.letters[1] = cases[i].letter;
		client.n_messages = 3;
		client.is_ahead = true;
		run_to_done(&client, SMTP_SENT);
		assert_int_equal(client.n_done, 3);
		assert_int_equal(client.outcomes[0].verdict, SMTP_SENT);
		assert_int_equal(client.outcomes[1].verdict, SMTP_FAILED);
		assert_int_equal(client.outcomes[1].stage, SMTP_STAGE_MAIL);
		assert_int_equal(client.outcomes[1].code, 0);
		assert_false(client.outcomes[1].closed);
		assert_non_null(
			strstr(client.outcomes[1].sentence, cases[i].sentence));
	}
}

/* What is said after a message's outcome is about the session. */
static void says_nothing_of_a_next_message_that_was_not_touched(void **state)
{
	static const struct {
		const char *script;
		enum smtp_verdict verdict;
		bool is_told_closed;
	} cases[] = {
		{"+ 250 ok|421 4.3.2 bye|\n", SMTP_SENT, true},
		{"> 250 ok\nclose\n", SMTP_SENT, true},
		{"> 250 ok\nreset\n", SMTP_SENT, true},
		{"> 554 5.6.0 no\nclose\n", SMTP_FAILED, true},
		{"> 250 ok\ntick 61\nstall\n", SMTP_SENT, true},
		{"> 421 4.3.2 bye\n", SMTP_DEFERRED, false},
		{"close\n", SMTP_UNKNOWN, false},
		{"> 251 ok\n", SMTP_UNKNOWN, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *script =
			mem_printf("%s%s", PIPELINED GROUP THREE_YES BODY GROUP,
		                   cases[i].script);
		struct client client;

		start_client(&client, script);
		client.n_messages = 2;
		client.is_ahead = true;
		run_client(&client);
		stop_client(&client);
		assert_true(stop_server(&client.server));
		assert_int_equal(client.n_done, 1);
		assert_int_equal(client.outcomes[0].verdict, cases[i].verdict);
		assert_int_equal(client.outcomes[0].closed,
		                 !cases[i].is_told_closed);
		assert_int_equal(client.is_told_closed,
		                 cases[i].is_told_closed);
		if (cases[i].is_told_closed)
			assert_non_null(strstr(client.outcome.sentence,
			                       "no message was under way"));
	}
}

/* Replies that were not asked for must not be taken for others. */
static void never_takes_one_reply_for_another(void **state)
{
	static const char *const scripts[] = {
		"+ 250 ok|250 ok|250 a|250 b|354 c|\n",
		"+ 250 ok|250 a|250 b|250 c|\n",
		"+ 250 ok|354 go|\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		owned(mem) char *script = mem_printf(
			"%s%sstall\n", PIPELINED GROUP THREE_YES BODY GROUP,
			scripts[i]);
		struct client client;

		start_client(&client, script);
		client.n_messages = 2;
		client.is_ahead = true;
		run_to_done(&client, SMTP_DEFERRED);
		assert_int_equal(client.outcomes[0].verdict, SMTP_SENT);
		assert_int_equal(client.n_done, 2);
		assert_true(client.outcome.closed);
	}
}

static void may_be_closed_when_the_first_is_done(void **state)
{
	struct client client;

	(void)state;
	start_client(&client, PIPELINED GROUP THREE_YES BODY GROUP
	             "+ 250 ok|250 a|250 b|354 c|\ngone\n");
	client.n_messages = 2;
	client.is_ahead = true;
	client.closes_at = CLOSES_AT_DONE;
	run_to_done(&client, SMTP_SENT);
	assert_int_equal(client.n_done, 1);
}

static void says_8bitmime_only_where_it_must(void **state)
{
	static const struct {
		struct span message;
		const char *words;
	} cases[] = {
		{TEXT("x\r\n\r\ny\r\n"), ""},
		{TEXT("x\r\n\r\n\xc3\xbc\r\n"), " BODY=8BITMIME"},
		{TEXT("\xc3\xbc\r\n\r\ny\r\n"), " BODY=8BITMIME SMTPUTF8"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *script =
			mem_printf(GREETED
		                   "> 250-relay.example\n> 250-SMTPUTF8\n"
		                   "> 250 8BITMIME\n"
		                   "< MAIL FROM:<digest@example.org>%s\n"
		                   "> 250 a\n" RCPT "> 250 b\n" DATA
		                   "> 354 c\nlines 3\n> 250 ok\n" QUIT,
		                   cases[i].words);
		struct client client;

		start_client(&client, script);
		client.letters[0].message = cases[i].message;
		run_to_done(&client, SMTP_SENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			sends_each_body_and_the_next_commands_together),
		cmocka_unit_test(waits_for_the_outcome_without_pipelining),
		cmocka_unit_test(tells_a_faulty_next_message_after_the_first),
		cmocka_unit_test(
			says_nothing_of_a_next_message_that_was_not_touched),
		cmocka_unit_test(never_takes_one_reply_for_another),
		cmocka_unit_test(may_be_closed_when_the_first_is_done),
		cmocka_unit_test(says_8bitmime_only_where_it_must),
	};

	return cmocka_run_group_tests_name("smtp ahead", tests, NULL, NULL);
}
