#include "scripted.h"

#include "base/limits.h"

static void sends_the_bytes_of_a_message_dot_stuffed(void **state)
{
	static const struct {
		const char *message;
		const char *script;
	} cases[] = {
		{".\r\n", "< ..\n< .\n"},
		{"..\r\n", "< ...\n< .\n"},
		{"a\r\n.\r\n.\r\n\r\n.b\r\n",
	         "< a\n< ..\n< ..\n< \n< ..b\n< .\n"},
		{"a.\r\nb .c\r\n", "< a.\n< b .c\n< .\n"},
		{"\r\n", "< \n< .\n"},
		{"..\r\n.x\r\n", "< ...\n< ..x\n< .\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *script =
			mem_printf(PIPELINED TO_354 "%squiet\n> 250 ok\n" QUIT,
		                   cases[i].script);
		struct client client;

		start_client(&client, script);
		client.letters[0].message = span_of(cases[i].message);
		run_to_done(&client, SMTP_SENT);
	}
}

/* Far more than both sockets hold, so that the dot stays behind. */
#define BIG_LINES 200000U
#define BIG_LINE "12345678901234567890123456789012345678901234567890123456\r\n"

static void knows_that_the_dot_was_not_sent(void **state)
{
	static const struct {
		const char *script;
		enum smtp_verdict verdict;
		enum smtp_stage stage;
		int code;
	} cases[] = {
		{"lines 200000\n> 250 ok\n" QUIT, SMTP_SENT, SMTP_STAGE_DOT,
	         250},
		{"< 1*\nreset\n", SMTP_DEFERRED, SMTP_STAGE_BODY, 0},
		{"< 1*\n> 451 4.3.0 disk\nstall\n", SMTP_DEFERRED,
	         SMTP_STAGE_BODY, 451},
		{"< 1*\n> 552 5.3.4 big\nstall\n", SMTP_FAILED, SMTP_STAGE_BODY,
	         552},
		{"< 1*\n> 250 ok\nstall\n", SMTP_DEFERRED, SMTP_STAGE_BODY,
	         250},
		{"< 1*\nclose\nstall\n", SMTP_DEFERRED, SMTP_STAGE_BODY, 0},
	};
	owned(buf) struct buf big = BUF_INIT(16000000);

	(void)state;
	for (unsigned i = 0; i < BIG_LINES; i++)
		buf_add_str(&big, BIG_LINE);
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *script = mem_printf("%s%s%s", PIPELINED,
		                                     TO_354, cases[i].script);
		struct client client;

		start_client(&client, script);
		client.letters[0].message = buf_span(&big);
		run_to_done(&client, cases[i].verdict);
		assert_int_equal(client.outcome.stage, cases[i].stage);
		assert_int_equal(client.outcome.code, cases[i].code);
		assert_int_equal(client.outcome.closed,
		                 cases[i].verdict != SMTP_SENT);
	}
}

/* Each turn takes a minute, and what makes progress has one more. */
static void gives_up_on_a_server_that_stops_reading(void **state)
{
	owned(buf) struct buf big = BUF_INIT(16000000);
	struct client client;

	(void)state;
	for (unsigned i = 0; i < BIG_LINES; i++)
		buf_add_str(&big, BIG_LINE);
	start_client(&client, PIPELINED TO_354 "< 1*\nstall\n");
	client.letters[0].message = buf_span(&big);
	open_client(&client);
	while (!client.is_over) {
		turn_client(&client);
		client.ahead_ms += client.is_ready ? 61000 : 0;
	}
	stop_client(&client);
	assert_true(stop_server(&client.server));
	assert_int_equal(client.outcome.verdict, SMTP_DEFERRED);
	assert_int_equal(client.outcome.stage, SMTP_STAGE_BODY);
	assert_string_equal(strchr(client.outcome.sentence, ' '),
	                    " did not answer within 60 s: it was not sent; "
	                    "the same may work later");
}

/* "250 x", so long that it has `n` bytes before its line's end. */
static void read_long_reply(size_t n, enum smtp_verdict verdict)
{
	owned(buf) struct buf script = BUF_INIT(10000);
	struct client client;

	buf_add_str(&script, PIPELINED TO_DOT "+ 250 ");
	for (size_t i = strlen("250 "); i < n; i++)
		buf_add_char(&script, 'x');
	buf_add_str(&script, "|\nstall\n");
	start_client(&client, buf_str(&script));
	run_to_done(&client, verdict);
}

static void reads_a_line_up_to_its_limit(void **state)
{
	(void)state;
	/* CR belongs to the line. */
	read_long_reply(LIMIT_SMTP_LINE_BYTES - 1, SMTP_SENT);
	read_long_reply(LIMIT_SMTP_LINE_BYTES, SMTP_UNKNOWN);
}

static void waits_ten_minutes_for_the_last_reply(void **state)
{
	owned(mem) char *in_time =
		mem_printf(PIPELINED TO_DOT "tick %d\nquiet\n> 250 ok\n" QUIT,
	                   LIMIT_SMTP_DOT_SEC - 1);
	owned(mem) char *too_late = mem_printf(
		PIPELINED TO_DOT "tick %d\nstall\n", LIMIT_SMTP_DOT_SEC + 1);
	struct client client;

	(void)state;
	start_client(&client, in_time);
	run_to_done(&client, SMTP_SENT);
	start_client(&client, too_late);
	run_to_done(&client, SMTP_UNKNOWN);
}

static void keeps_replies_within_limits(void **state)
{
	owned(buf) struct buf lines = BUF_INIT(100000);
	owned(buf) struct buf line = BUF_INIT(100000);
	const struct {
		struct buf *reply;
		const char *end;
		const char *sentence;
	} cases[] = {
		{&lines, "stall\n",
	         " sent no SMTP reply (more than 128 lines): "},
		{&line, "|\nstall\n",
	         " sent no SMTP reply (a line longer than 2048 bytes): "},
	};

	(void)state;
	buf_add_str(&line, "+ 250 ");
	for (int i = 0; i < 129; i++) {
		buf_add_str(&lines, "> 250-x\n");
		buf_add_str(&line, "12345678901234567890");
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *script =
			mem_printf("%s%s%s%s", PIPELINED, TO_DOT,
		                   buf_str(cases[i].reply), cases[i].end);
		struct client client;

		start_client(&client, script);
		run_to_done(&client, SMTP_UNKNOWN);
		assert_true(span_starts(
			span_of(strchr(client.outcome.sentence, ' ')),
			cases[i].sentence));
	}
}

static void cleans_and_cuts_the_servers_words(void **state)
{
	static const struct {
		const char *reply;
		const char *words;
	} cases[] = {
		{"> 250-2.0.0 queued\n> 250-2.0.0  as\n> 250 2.0.0 1A\n",
	         "queued as 1A"},
		{"> 250 \x1b[31mred\x07 \xe2\x80\xae evil\t\n", "[31mred evil"},
		{"> 250\n", ""},
		{"> 250 bad\xff utf\n", "bad\uFFFD utf"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *script = mem_printf("%s%s%s" QUIT, PIPELINED,
		                                     TO_DOT, cases[i].reply);
		struct client client;

		start_client(&client, script);
		run_to_done(&client, SMTP_SENT);
		assert_string_equal(client.outcome.reply, cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_the_bytes_of_a_message_dot_stuffed),
		cmocka_unit_test(knows_that_the_dot_was_not_sent),
		cmocka_unit_test(gives_up_on_a_server_that_stops_reading),
		cmocka_unit_test(reads_a_line_up_to_its_limit),
		cmocka_unit_test(waits_ten_minutes_for_the_last_reply),
		cmocka_unit_test(keeps_replies_within_limits),
		cmocka_unit_test(cleans_and_cuts_the_servers_words),
	};

	return cmocka_run_group_tests_name("smtp body", tests, NULL, NULL);
}
