#include "scripted.h"

struct scene {
	const char *name;
	const char *script;
	enum smtp_verdict verdict;
	enum smtp_stage stage;
	bool closed;
	int code;
	const char *enhanced;
};

static void play(const struct scene *scene, const char *before)
{
	owned(mem) char *script = mem_printf("%s%s", before, scene->script);
	struct client client;
	bool went_well;

	start_client(&client, script);
	run_client(&client);
	stop_client(&client);
	went_well = stop_server(&client.server);

	if (!went_well || client.outcome.verdict != scene->verdict ||
	    client.outcome.stage != scene->stage ||
	    client.outcome.closed != scene->closed ||
	    client.outcome.code != scene->code ||
	    strcmp(client.outcome.enhanced, scene->enhanced) != 0)
		fail_msg(
			"%s: server %d, verdict %d, stage %d, closed %d, "
			"code %d, enhanced '%s': %s",
			scene->name, went_well, client.outcome.verdict,
			client.outcome.stage, client.outcome.closed,
			client.outcome.code, client.outcome.enhanced,
			client.outcome.sentence);
	assert_true(strstr(client.outcome.sentence, "127.0.0.1:"));
}

/* The scripts suit both modes: the server reads a line when it comes. */
static void judges_each_fault_at_each_stage(void **state)
{
	static const struct scene scenes[] = {
		{"sent", TO_DOT "> 250 2.0.0 queued as 1\n" QUIT, SMTP_SENT,
	         SMTP_STAGE_DOT, false, 250, "2.0.0"},

		{"MAIL 421", MAIL "> 421 4.3.2 bye\n", SMTP_DEFERRED,
	         SMTP_STAGE_MAIL, true, 421, "4.3.2"},
		{"MAIL 250 and 9 instead of a blank", MAIL "> 2509\n",
	         SMTP_DEFERRED, SMTP_STAGE_MAIL, true, 0, ""},
		{"MAIL 354", MAIL "> 354 what?\n", SMTP_DEFERRED,
	         SMTP_STAGE_MAIL, true, 354, ""},
		{"MAIL FIN", MAIL "close\n", SMTP_DEFERRED, SMTP_STAGE_MAIL,
	         true, 0, ""},
		{"MAIL RST", MAIL "reset\n", SMTP_DEFERRED, SMTP_STAGE_MAIL,
	         true, 0, ""},
		{"MAIL half a reply", MAIL "+ 25\nclose\n", SMTP_DEFERRED,
	         SMTP_STAGE_MAIL, true, 0, ""},
		{"MAIL no reply", MAIL "tick 61\nstall\n", SMTP_DEFERRED,
	         SMTP_STAGE_MAIL, true, 0, ""},
		{"MAIL garbage", MAIL "> hello\n", SMTP_DEFERRED,
	         SMTP_STAGE_MAIL, true, 0, ""},
		{"MAIL two codes in one reply", MAIL "> 250-a\n> 251 b\n",
	         SMTP_DEFERRED, SMTP_STAGE_MAIL, true, 0, ""},
		{"MAIL code out of range", MAIL "> 199 a\n", SMTP_DEFERRED,
	         SMTP_STAGE_MAIL, true, 0, ""},

		{"RCPT 421", MAIL "> 250 ok\n" RCPT "> 421 bye\n",
	         SMTP_DEFERRED, SMTP_STAGE_RCPT, true, 421, ""},
		{"RCPT FIN", MAIL "> 250 ok\n" RCPT "close\n", SMTP_DEFERRED,
	         SMTP_STAGE_RCPT, true, 0, ""},
		{"RCPT no reply",
	         MAIL "> 250 ok\n" RCPT "tick 30\ntick 31\nstall\n",
	         SMTP_DEFERRED, SMTP_STAGE_RCPT, true, 0, ""},
		{"RCPT 251 is a yes",
	         MAIL "> 250 ok\n" RCPT "> 251 will forward\n" DATA
	              "> 354 go\n" BODY "> 250 ok\n" QUIT,
	         SMTP_SENT, SMTP_STAGE_DOT, false, 250, ""},

		{"DATA 450",
	         MAIL "> 250 ok\n" RCPT "> 250 ok\n" DATA
	              "> 450 4.2.0 later\n" QUIT,
	         SMTP_DEFERRED, SMTP_STAGE_DATA, false, 450, "4.2.0"},
		{"DATA 554",
	         MAIL "> 250 ok\n" RCPT "> 250 ok\n" DATA
	              "> 554 5.7.1 no\n" QUIT,
	         SMTP_FAILED, SMTP_STAGE_DATA, false, 554, "5.7.1"},
		{"DATA 530",
	         MAIL "> 250 ok\n" RCPT "> 250 ok\n" DATA
	              "> 530 5.7.0 auth\n" QUIT,
	         SMTP_RELAY, SMTP_STAGE_DATA, false, 530, "5.7.0"},
		{"DATA 250",
	         MAIL "> 250 ok\n" RCPT "> 250 ok\n" DATA "> 250 ok\n",
	         SMTP_DEFERRED, SMTP_STAGE_DATA, true, 250, ""},
		{"DATA FIN", MAIL "> 250 ok\n" RCPT "> 250 ok\n" DATA "close\n",
	         SMTP_DEFERRED, SMTP_STAGE_DATA, true, 0, ""},

		{"after 354, before the body: a reply",
	         MAIL "> 250 ok\n" RCPT "> 250 ok\n" DATA
	              "+ 354 go|250 ok|\nstall\n",
	         SMTP_DEFERRED, SMTP_STAGE_BODY, true, 250, ""},

		{"dot 450", TO_DOT "> 450 4.3.0 later\n" QUIT, SMTP_DEFERRED,
	         SMTP_STAGE_DOT, false, 450, "4.3.0"},
		{"dot 421", TO_DOT "> 421 4.3.2 bye\n", SMTP_DEFERRED,
	         SMTP_STAGE_DOT, true, 421, "4.3.2"},
		{"dot 554", TO_DOT "> 554 5.6.0 no\n" QUIT, SMTP_FAILED,
	         SMTP_STAGE_DOT, false, 554, "5.6.0"},
		{"dot 530", TO_DOT "> 530 no\n" QUIT, SMTP_RELAY,
	         SMTP_STAGE_DOT, false, 530, ""},
		{"dot 251", TO_DOT "> 251 hm\n", SMTP_UNKNOWN, SMTP_STAGE_DOT,
	         true, 251, ""},
		{"dot 354", TO_DOT "> 354 hm\n", SMTP_UNKNOWN, SMTP_STAGE_DOT,
	         true, 354, ""},
		{"dot FIN", TO_DOT "close\n", SMTP_UNKNOWN, SMTP_STAGE_DOT,
	         true, 0, ""},
		{"dot RST", TO_DOT "reset\n", SMTP_UNKNOWN, SMTP_STAGE_DOT,
	         true, 0, ""},
		{"dot half a code", TO_DOT "+ 25\nclose\n", SMTP_UNKNOWN,
	         SMTP_STAGE_DOT, true, 0, ""},
		{"dot a reply without its end", TO_DOT "+ 250 ok\nclose\n",
	         SMTP_UNKNOWN, SMTP_STAGE_DOT, true, 0, ""},
		{"dot a reply without its last line",
	         TO_DOT "> 250-2.0.0 ok\nclose\n", SMTP_UNKNOWN, SMTP_STAGE_DOT,
	         true, 0, ""},
		{"dot garbage", TO_DOT "> ok\n", SMTP_UNKNOWN, SMTP_STAGE_DOT,
	         true, 0, ""},
		{"dot no reply", TO_DOT "tick 601\nstall\n", SMTP_UNKNOWN,
	         SMTP_STAGE_DOT, true, 0, ""},
		{"dot a late reply", TO_DOT "tick 599\n> 250 ok\n" QUIT,
	         SMTP_SENT, SMTP_STAGE_DOT, false, 250, ""},
		{"dot a reply in pieces",
	         TO_DOT "+ 2\n+ 50\n+ -2.0.0 a\n> \n> 250 2.0.0 b\n" QUIT,
	         SMTP_SENT, SMTP_STAGE_DOT, false, 250, "2.0.0"},
		{"dot 250 and RST", TO_DOT "> 250 ok\nclose\n", SMTP_SENT,
	         SMTP_STAGE_DOT, false, 250, ""},
		{"dot 250 and 421 at once", TO_DOT "+ 250 ok|421 bye|\n",
	         SMTP_SENT, SMTP_STAGE_DOT, true, 250, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(scenes); i++) {
		play(&scenes[i], PLAIN);
		play(&scenes[i], PIPELINED);
	}
}

static void stops_at_the_first_refusal_without_pipelining(void **state)
{
	static const struct scene scenes[] = {
		{"MAIL 450", MAIL "> 450 4.7.1 later\n" QUIT, SMTP_DEFERRED,
	         SMTP_STAGE_MAIL, false, 450, "4.7.1"},
		{"MAIL 530", MAIL "> 530 5.7.0 auth\n" QUIT, SMTP_RELAY,
	         SMTP_STAGE_MAIL, false, 530, "5.7.0"},
		{"MAIL 550", MAIL "> 550 5.7.1 not you\n" QUIT, SMTP_RELAY,
	         SMTP_STAGE_MAIL, false, 550, "5.7.1"},
		{"MAIL 552", MAIL "> 552 5.3.4 big\n" QUIT, SMTP_FAILED,
	         SMTP_STAGE_MAIL, false, 552, "5.3.4"},
		{"MAIL 554 5.3.4", MAIL "> 554 5.3.4 big\n" QUIT, SMTP_FAILED,
	         SMTP_STAGE_MAIL, false, 554, "5.3.4"},
		{"MAIL 554 5.6.1", MAIL "> 554 5.6.1 media\n" QUIT, SMTP_FAILED,
	         SMTP_STAGE_MAIL, false, 554, "5.6.1"},
		{"MAIL 503", MAIL "> 503 5.5.1 order\n" QUIT, SMTP_RELAY,
	         SMTP_STAGE_MAIL, false, 503, "5.5.1"},
		{"RCPT 450", MAIL "> 250 ok\n" RCPT "> 450 4.2.0 grey\n" QUIT,
	         SMTP_DEFERRED, SMTP_STAGE_RCPT, false, 450, "4.2.0"},
		{"RCPT 550", MAIL "> 250 ok\n" RCPT "> 550 5.1.1 no\n" QUIT,
	         SMTP_FAILED, SMTP_STAGE_RCPT, false, 550, "5.1.1"},
		{"RCPT 552", MAIL "> 250 ok\n" RCPT "> 552 5.2.2 full\n" QUIT,
	         SMTP_FAILED, SMTP_STAGE_RCPT, false, 552, "5.2.2"},
		{"one command at a time",
	         MAIL "quiet\n> 250 ok\n" RCPT "quiet\n> 250 ok\n" DATA
	              "quiet\n> 354 go\n" BODY "> 250 ok\n" QUIT,
	         SMTP_SENT, SMTP_STAGE_DOT, false, 250, ""},
		{"replies before their commands",
	         MAIL "+ 250 a|250 b|354 c|\ngone\n", SMTP_DEFERRED,
	         SMTP_STAGE_RCPT, true, 250, ""},
		{"an enhanced code of another class is none",
	         MAIL "> 250 ok\n" RCPT "> 550 4.1.1 no\n" QUIT, SMTP_FAILED,
	         SMTP_STAGE_RCPT, false, 550, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(scenes); i++)
		play(&scenes[i], PLAIN);
}

/* RFC 2920, section 3.1. */
static void hears_a_refused_group_to_its_end(void **state)
{
	static const struct scene scenes[] = {
		{"all in one flight",
	         GROUP "+ 250 a|250 b|354 c|\n" BODY "> 250 ok\n" QUIT,
	         SMTP_SENT, SMTP_STAGE_DOT, false, 250, ""},
		{"MAIL refused, and so the others",
	         GROUP "+ 550 5.7.1 not you|503 5.5.1 b|503 5.5.1 c|\n" QUIT,
	         SMTP_RELAY, SMTP_STAGE_MAIL, false, 550, "5.7.1"},
		{"MAIL deferred, and so the others",
	         GROUP "+ 451 a|503 b|503 c|\n" QUIT, SMTP_DEFERRED,
	         SMTP_STAGE_MAIL, false, 451, ""},
		{"RCPT refused, DATA refused",
	         GROUP "+ 250 a|550 5.1.1 b|554 5.5.1 c|\n" QUIT, SMTP_FAILED,
	         SMTP_STAGE_RCPT, false, 550, "5.1.1"},
		{"RCPT refused, DATA accepted: a dot, and 250 is no delivery",
	         GROUP "+ 250 a|550 5.1.1 b|354 c|\n< .\n> 250 ok\n" QUIT,
	         SMTP_FAILED, SMTP_STAGE_RCPT, false, 550, "5.1.1"},
		{"RCPT deferred, DATA accepted: a dot, and 554",
	         GROUP "+ 250 a|450 4.2.0 b|354 c|\n< .\n> 554 none\n" QUIT,
	         SMTP_DEFERRED, SMTP_STAGE_RCPT, false, 450, "4.2.0"},
		{"MAIL and RCPT refused, DATA accepted",
	         GROUP "+ 550 a|550 b|354 c|\n< .\n> 250 ok\n" QUIT, SMTP_RELAY,
	         SMTP_STAGE_MAIL, false, 550, ""},
		{"MAIL refused, RCPT and DATA accepted: never a dot",
	         GROUP "+ 552 a|250 b|354 c|\ngone\n", SMTP_FAILED,
	         SMTP_STAGE_MAIL, true, 552, ""},
		{"RCPT refused, then gone",
	         GROUP "+ 250 a|550 5.1.1 b|\nclose\n", SMTP_FAILED,
	         SMTP_STAGE_RCPT, true, 550, "5.1.1"},
		{"RCPT refused, then silence",
	         GROUP "+ 250 a|550 5.1.1 b|\ntick 61\nstall\n", SMTP_FAILED,
	         SMTP_STAGE_RCPT, true, 550, "5.1.1"},
		{"RCPT refused, 421 for DATA",
	         GROUP "+ 250 a|550 5.1.1 b|421 c|\n", SMTP_FAILED,
	         SMTP_STAGE_RCPT, true, 550, "5.1.1"},
		{"RCPT refused, DATA accepted, gone at the dot",
	         GROUP "+ 250 a|550 b|354 c|\n< .\nclose\n", SMTP_FAILED,
	         SMTP_STAGE_RCPT, true, 550, ""},
		{"one reply too many",
	         GROUP "+ 250 a|250 b|250 c|354 d|\nstall\n", SMTP_DEFERRED,
	         SMTP_STAGE_DATA, true, 250, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(scenes); i++)
		play(&scenes[i], PIPELINED);
}

static void sends_nothing_that_could_be_a_command(void **state)
{
	static char long_line[1100];
	static const struct {
		const char *from;
		const char *to;
		struct span message;
		const char *sentence;
	} cases[] = {
		{"a@b>\r\nRCPT TO:<c@d", "a@b", TEXT("x\r\n"),
	         "it holds < or >; only the address itself belongs here"},
		{"a@b", "a@b\r\nDATA", TEXT("x\r\n"),
	         "it holds a control character"},
		{"a@b", "a@b> NOTIFY=NEVER", TEXT("x\r\n"),
	         "it holds < or >; only the address itself belongs here"},
		{"a@b", "", TEXT("x\r\n"), "'' is no address: it is empty"},
		{"a@b", "x@müller.example", TEXT("x\r\n"),
	         "'x@müller.example': its domain is not in A-labels"},
		{"a@b", "a@b", TEXT(""), "the message does not end in CRLF"},
		{"a@b", "a@b", TEXT("x"), "the message does not end in CRLF"},
		{"a@b", "a@b", TEXT("x\n"), "the message does not end in CRLF"},
		{"a@b", "a@b", TEXT("x\r\ny\n.\nz\r\n"),
	         "the message's line 2 has a bare LF"},
		{"a@b", "a@b", TEXT("x\r\ny\r.\rz\r\n"),
	         "the message's line 2 has a bare CR"},
		{"a@b", "a@b", TEXT("x\r\r\n"),
	         "the message's line 1 has a bare CR"},
		{"a@b", "a@b", TEXT("x\r\n\r\n\0\r\n"),
	         "the message has a NUL"},
		{"a@b",
	         "a@b",
	         {long_line, sizeof(long_line)},
	         "the message's line 1 is longer than 998 bytes"},
		{"a@b", "ü@b.example", TEXT("x\r\n"),
	         "the address needs SMTPUTF8, which 127.0.0.1:"},
		{"a@b", "a@b", TEXT("To: ü@b\r\n"),
	         "the address needs SMTPUTF8, which 127.0.0.1:"},
		{"a@b", "a@b", TEXT("1234567890123456789\r\n"),
	         "the message has 21 bytes, and 127.0.0.1:"},
	};

	(void)state;
	memset(long_line, 'x', sizeof(long_line));
	memcpy(long_line + sizeof(long_line) - 2, "\r\n", 2);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct client client;

		start_client(&client, GREETED
		             "> 250-relay.example\n> 250-PIPELINING\n"
		             "> 250 SIZE 20\n" QUIT "gone\n");
		client.letters[0].from = cases[i].from;
		client.letters[0].to = cases[i].to;
		client.letters[0].message = cases[i].message;
		run_to_done(&client, SMTP_FAILED);
		assert_int_equal(client.outcome.stage, SMTP_STAGE_MAIL);
		assert_int_equal(client.outcome.code, 0);
		assert_false(client.outcome.closed);
		if (!strstr(client.outcome.sentence, cases[i].sentence))
			fail_msg("'%s' is not in '%s'", cases[i].sentence,
			         client.outcome.sentence);
	}
}

static void uses_what_the_server_offers(void **state)
{
	struct client client;

	(void)state;
	start_client(&client, GREETED
	             "> 250-relay.example\n> 250-size 1000\n"
	             "> 250-8BITMIME\n> 250 SMTPUTF8\n"
	             "< MAIL FROM:<digest@example.org> SIZE=20 SMTPUTF8\n"
	             "> 250 ok\n"
	             "< RCPT TO:<jürgen@xn--mller-kva.example>\n> 250 ok\n" DATA
	             "> 354 go\n" BODY "> 250 ok\n" QUIT);
	client.letters[0].to = "jürgen@xn--mller-kva.example";
	client.letters[0].message = span_of(ADA_MESSAGE);
	run_to_done(&client, SMTP_SENT);
}

static void goes_on_after_each_outcome_that_leaves_it_open(void **state)
{
	static const struct {
		const char *script;
		unsigned n_messages;
	} cases[] = {
		{PIPELINED TO_DOT "> 250 ok\n" TO_DOT "> 250 ok\n" TO_DOT
	                          "> 250 ok\n" QUIT,
	         3},
		{PLAIN TO_DOT "> 554 no\n" TO_DOT "> 250 ok\n" QUIT, 2},
		{PLAIN MAIL "> 450 later\n" TO_DOT "> 250 ok\n" QUIT, 2},
		{PLAIN MAIL "> 250 ok\n" RCPT
	                    "> 550 no\n< RSET\n> 250 ok\n" TO_DOT
	                    "> 250 ok\n" QUIT,
	         2},
		{PIPELINED GROUP "+ 250 a|550 b|503 c|\n"
	                         "< RSET\n" GROUP
	                         "+ 250 r|250 a|250 b|354 c|\n" BODY
	                         "> 250 ok\n" QUIT,
	         2},
		{PIPELINED GROUP
	         "+ 250 a|550 b|354 c|\n< .\n> 554 none\n" TO_DOT
	         "> 250 ok\n" QUIT,
	         2},
		{PIPELINED GROUP "+ 550 a|503 b|503 c|\n" TO_DOT
	                         "> 250 ok\n" QUIT,
	         2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct client client;

		start_client(&client, cases[i].script);
		client.n_messages = cases[i].n_messages;
		run_to_done(&client, SMTP_SENT);
		assert_int_equal(client.n_done, cases[i].n_messages);
	}
}

static void says_nothing_more_after_a_refusal(void **state)
{
	static const char *const refusals[] = {
		PLAIN MAIL "> 450 later\n",
		PLAIN MAIL "> 250 ok\n" RCPT "> 550 no\n",
		PIPELINED GROUP "+ 250 a|550 b|503 c|\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		owned(mem) char *script =
			mem_printf("%squiet\n> 421 bye\ngone\n", refusals[i]);
		struct client client;

		start_client(&client, script);
		client.closes_at = CLOSES_NEVER;
		run_to_done(&client, SMTP_DEFERRED);
		assert_int_equal(client.n_done, 1);
		assert_int_equal(client.outcome.code, 421);
	}
}

static void a_refused_reset_ends_the_session(void **state)
{
	struct client client;

	(void)state;
	start_client(&client, PLAIN MAIL
	             "> 250 ok\n" RCPT "> 550 no\n< RSET\n> 500 what?\ngone\n");
	client.n_messages = 2;
	run_to_done(&client, SMTP_DEFERRED);
	assert_true(client.outcome.closed);
	assert_int_equal(client.outcome.code, 500);
}

static void tells_when_the_server_ends_an_idle_session(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *sentence;
	} cases[] = {
		{"> 421 4.4.2 timeout\n", 421,
	         " ended the session: no message was under way (it said: 421 "
	         "4.4.2 timeout)"},
		{"> 250 hello?\n", 250,
	         " spoke out of turn: no message was under way (it said: 250 "
	         "hello?)"},
		{"close\n", 0,
	         " closed the connection: no message was under way"},
		{"> nonsense\n", 0,
	         " sent no SMTP reply (no reply code): no message was under "
	         "way"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *script =
			mem_printf("%sopen\n%s", PIPELINED, cases[i].script);
		struct client client;

		start_client(&client, script);
		client.n_messages = 0;
		run_to_done(&client, SMTP_DEFERRED);
		assert_true(client.is_open);
		assert_int_equal(client.n_done, 0);
		assert_true(client.outcome.closed);
		assert_int_equal(client.outcome.code, cases[i].code);
		assert_string_equal(strchr(client.outcome.sentence, ' '),
		                    cases[i].sentence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_each_fault_at_each_stage),
		cmocka_unit_test(stops_at_the_first_refusal_without_pipelining),
		cmocka_unit_test(hears_a_refused_group_to_its_end),
		cmocka_unit_test(sends_nothing_that_could_be_a_command),
		cmocka_unit_test(uses_what_the_server_offers),
		cmocka_unit_test(
			goes_on_after_each_outcome_that_leaves_it_open),
		cmocka_unit_test(says_nothing_more_after_a_refusal),
		cmocka_unit_test(a_refused_reset_ends_the_session),
		cmocka_unit_test(tells_when_the_server_ends_an_idle_session),
	};

	return cmocka_run_group_tests_name("smtp session", tests, NULL, NULL);
}
