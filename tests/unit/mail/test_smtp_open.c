#include "scripted.h"

#include "base/limits.h"

#define LETTERS35 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LETTERS70 LETTERS35 LETTERS35
#define OFFERS_LOGIN GREETED "> 250-relay.example\n> 250 AUTH PLAIN LOGIN\n"

static void run_and_stop(struct client *client)
{
	run_client(client);
	stop_client(client);
	(void)stop_server(&client->server);
}

static void assert_sentence(const struct client *client, const char *sentence)
{
	const char *said = strchr(client->outcome.sentence, ' ');

	assert_non_null(said);
	assert_true(
		span_starts(span_of(client->outcome.sentence), "127.0.0.1:"));
	if (!span_starts(span_of(said + 1), sentence))
		fail_msg("'%s' does not begin with '%s'", said + 1, sentence);
}

static void says_why_it_could_not_be_opened(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *sentence;
	} cases[] = {
		{"close\n", 0,
	         "closed the connection while the session was opened"},
		{"reset\n", 0,
	         "closed the connection while the session was opened"},
		{GREETED "close\n", 0,
	         "closed the connection while the session was opened"},
		{"> 421 4.3.2 too busy\n", 421,
	         "takes no sessions now: the same may work later (it said: "
	         "421 4.3.2 too busy)"},
		{"> 554 5.7.1 you are listed\n", 554,
	         "refuses this machine: its admin can say why; it may take "
	         "mail only with a login on port 587 or 465 (it said: 554 "
	         "5.7.1 you are listed)"},
		{"> 220 x\n< EHLO *\n> 502 no\n< HELO *\n> 550 no\n", 550,
	         "refuses this machine: "},
		{"> SSH-2.0-OpenSSH_9.2\nstall\n", 0,
	         "sent no SMTP reply (no reply code): "},
		{"> HTTP/1.1 400 Bad Request\nstall\n", 0,
	         "sent no SMTP reply (no reply code): "},
		{"> 220-x\n> 250 y\nstall\n", 0,
	         "sent no SMTP reply (codes 220 and 250 in one reply): "},
		{"> \nstall\n", 0, "sent no SMTP reply (no reply code): "},
		{"> \x80\xff\xfe\nstall\n", 0,
	         "sent no SMTP reply (no reply code): "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct client client;

		start_client(&client, cases[i].script);
		run_and_stop(&client);
		assert_false(client.is_open);
		assert_int_equal(client.outcome.verdict, SMTP_RELAY);
		assert_int_equal(client.outcome.stage, SMTP_STAGE_CONNECT);
		assert_true(client.outcome.closed);
		assert_int_equal(client.outcome.code, cases[i].code);
		assert_sentence(&client, cases[i].sentence);
	}
}

/* Lines of EHLO's reply, the last one, and what comes of it. */
static void open_with_lines(struct client *client, size_t n)
{
	owned(buf) struct buf script = BUF_INIT(SIZE_MAX);

	buf_add_str(&script, GREETED);
	for (size_t i = 1; i < n; i++)
		buf_add_str(&script, "> 250-x\n");
	buf_add_str(&script, "> 250 x\n< MAIL *\n> 421 4.3.2 later\nclose\n");
	start_client(client, buf_str(&script));
	run_client(client);
}

static void reads_replies_up_to_their_limit(void **state)
{
	struct client client;

	(void)state;
	open_with_lines(&client, LIMIT_SMTP_REPLY_LINES);
	assert_true(client.is_open);
	stop_client(&client);
	(void)stop_server(&client.server);

	open_with_lines(&client, LIMIT_SMTP_REPLY_LINES + 1);
	stop_client(&client);
	(void)stop_server(&client.server);
	assert_false(client.is_open);
	assert_sentence(&client, "sent no SMTP reply (more than 128 lines): ");

	/* And no more is read of them. */
	open_with_lines(&client, 10000);
	stop_client(&client);
	(void)stop_server(&client.server);
	assert_sentence(&client, "sent no SMTP reply (");
}

static void never_sends_without_the_login_it_is_given(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *sentence;
	} cases[] = {
		{GREETED "> 250 relay.example\nstall\n", 0,
	         "offers no login of the kinds PLAIN and LOGIN: "},
		{GREETED "> 250-relay.example\n> 250 AUTH GSSAPI\nstall\n", 0,
	         "offers no login of the kinds PLAIN and LOGIN: "},
		{OFFERS_LOGIN "< AUTH PLAIN\n> 334 \n< *\n"
	                      "> 535 5.7.8 wrong password\nstall\n",
	         535,
	         "refuses the login: check smtp.username and "
	         "smtp.password_file; providers with two-step login want an "
	         "app password (it said: 535 5.7.8 wrong password)"},
		{OFFERS_LOGIN "< AUTH PLAIN\n> 334 \n< *\n"
	                      "> 454 4.7.0 try later\nstall\n",
	         454,
	         "cannot check the login now: the same may work later (it "
	         "said: 454 4.7.0 try later)"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct client client;

		start_client(&client, cases[i].script);
		client.options.username = (char[]){"digest"};
		client.options.password = (char[]){"secret"};
		run_and_stop(&client);
		assert_false(client.is_open);
		assert_int_equal(client.outcome.verdict, SMTP_RELAY);
		assert_int_equal(client.outcome.stage, SMTP_STAGE_LOGIN);
		assert_int_equal(client.outcome.code, cases[i].code);
		assert_sentence(&client, cases[i].sentence);
	}
}

/* Addresses for documentation: refused before a packet is sent to them. */
static void keeps_the_password_from_the_open_network(void **state)
{
	static const char *const urls[] = {
		"smtp://192.0.2.1",
		"smtp://[2001:db8::1]:587",
		"smtp://[::ffff:192.0.2.1]:587",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		owned(mem) char *url = mem_dup(urls[i]);
		struct client client;

		start_client(&client, "stall\n");
		client.options.url = url;
		client.options.username = (char[]){"digest"};
		client.options.password = (char[]){"secret"};
		run_client(&client);
		stop_client(&client);
		abandon_server(&client.server);
		assert_int_equal(client.outcome.verdict, SMTP_RELAY);
		assert_int_equal(client.outcome.stage, SMTP_STAGE_LOGIN);
		assert_string_equal(strchr(client.outcome.sentence, ' '),
		                    " would get the password unencrypted: set "
		                    "smtp.tls to \"required\", or leave out "
		                    "smtp.username");
	}
}

/* The words are those of a user and a password in PLAIN (RFC 4616). */
static void logs_in_on_loopback(void **state)
{
	struct client client;

	(void)state;
	start_client(&client, OFFERS_LOGIN
	             "< AUTH PLAIN\n> 334 \n< AGRpZ2VzdABzZWNyZXQ=\n"
	             "> 235 2.7.0 welcome\n< QUIT\n");
	client.options.username = (char[]){"digest"};
	client.options.password = (char[]){"secret"};
	client.closes_at = CLOSES_AT_OPEN;
	run_client(&client);
	stop_client(&client);
	assert_true(client.is_open);
	assert_true(stop_server(&client.server));
}

static void never_goes_on_without_tls_where_it_is_required(void **state)
{
	static const char *const scripts[] = {
		GREETED "> 250 relay.example\nstall\n",
		GREETED
		"> 250-relay.example\n> 250 STARTTLS\n< STARTTLS\n"
		"> 454 4.7.0 not now\nstall\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		struct client client;

		start_client(&client, scripts[i]);
		client.options.tls = SMTP_TLS_REQUIRED;
		run_and_stop(&client);
		assert_false(client.is_open);
		assert_int_equal(client.outcome.verdict, SMTP_RELAY);
		assert_int_equal(client.outcome.stage, SMTP_STAGE_CONNECT);
		assert_sentence(&client,
		                "offers no STARTTLS, and nothing is sent "
		                "without TLS");
	}
}

/* What is said in the clear behind STARTTLS's reply would count as if TLS had.
 */
static void takes_nothing_in_the_clear_after_starttls(void **state)
{
	static const char *const scripts[] = {
		GREETED
		"> 250-relay.example\n> 250 STARTTLS\n< STARTTLS\n"
		"+ 220 go|250-relay.example|250 AUTH PLAIN|\nstall\n",
		GREETED
		"> 250-relay.example\n> 250 STARTTLS\n< STARTTLS\n"
		"+ 220 go|220 again|\nstall\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		struct client client;

		start_client(&client, scripts[i]);
		client.options.tls = SMTP_TLS_REQUIRED;
		run_and_stop(&client);
		assert_false(client.is_open);
		assert_int_equal(client.outcome.verdict, SMTP_RELAY);
		assert_int_equal(client.outcome.stage, SMTP_STAGE_CONNECT);
	}
}

static void says_when_a_port_does_not_begin_with_tls(void **state)
{
	owned(mem) char *url = NULL;
	struct client client;

	(void)state;
	start_client(&client, "> 220 relay.example\nstall\n");
	url = mem_printf("smtps%s", strchr(client.server.url, ':'));
	client.options.url = url;
	client.options.tls = SMTP_TLS_REQUIRED;
	run_and_stop(&client);
	assert_int_equal(client.outcome.verdict, SMTP_RELAY);
	assert_sentence(&client,
	                "does not begin with TLS that both sides know");
}

/* A port on which nothing listens: it was free a moment ago. */
static unsigned find_free_port(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);
	owned(fd) int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_return_code(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_return_code(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static void says_when_nothing_listens(void **state)
{
	owned(mem) char *url =
		mem_printf("smtp://127.0.0.1:%u", find_free_port());
	struct client client;

	(void)state;
	start_client(&client, "stall\n");
	client.options.url = url;
	run_client(&client);
	stop_client(&client);
	abandon_server(&client.server);
	assert_int_equal(client.outcome.verdict, SMTP_RELAY);
	assert_sentence(&client, "cannot be reached (Connection refused): ");
}

static void says_when_a_name_is_unknown(void **state)
{
	struct client client;

	(void)state;
	start_client(&client, "stall\n");
	/* A label of 70 letters: no server is asked for it. */
	client.options.url = (char[]){"smtp://" LETTERS70 ".invalid"};
	run_client(&client);
	stop_client(&client);
	abandon_server(&client.server);
	assert_int_equal(client.outcome.verdict, SMTP_RELAY);
	assert_string_equal(client.outcome.sentence, LETTERS70
	                    ".invalid:25 has no address that this "
	                    "machine can find: check the name in "
	                    "smtp.url, and DNS");
}

static void says_when_no_greeting_comes(void **state)
{
	struct client client;

	(void)state;
	start_client(&client, "stall\n");
	client.options.timeout_s = 1;
	run_and_stop(&client);
	assert_int_equal(client.outcome.verdict, SMTP_RELAY);
	assert_sentence(&client,
	                "takes the connection, but sends no greeting "
	                "(within 1 s): a port that begins with TLS "
	                "(465) needs smtps://");
}

static void refuses_urls_of_other_kinds(void **state)
{
	static const char *const urls[] = {
		"",
		"relay.example",
		"http://relay.example",
		"smtp://",
		"smtp://user:secret@relay.example",
		"smtp://a b",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		const struct smtp_events events = {0};
		struct smtp_session *session = NULL;
		struct client client;
		struct error err = {0};
		owned(mem) char *url = mem_dup(urls[i]);

		start_client(&client, "");
		client.options.url = url;
		assert_int_equal(smtp_open(&session, client.net, &client.clock,
		                           &client.options, &events, &err),
		                 -1);
		assert_string_equal(err.message,
		                    "smtp.url is not smtp://HOST[:PORT] or "
		                    "smtps://HOST[:PORT]");
		stop_client(&client);
		abandon_server(&client.server);
	}
}

/* A server that hangs must not hang the loop when a session is given up. */
static void closes_at_any_moment_without_waiting(void **state)
{
	static const char *const scripts[] = {
		"tick 1\nstall\n",
		"> 220 x\n< EHLO *\ntick 1\nstall\n",
		OFFERS_LOGIN "< AUTH PLAIN\ntick 1\nstall\n",
		OFFERS_LOGIN
		"< AUTH PLAIN\n> 334 \n< *\n> 235 ok\n"
		"< MAIL *\ntick 1\ngone\n",
		OFFERS_LOGIN
		"< AUTH PLAIN\n> 334 \n< *\n> 235 ok\n< MAIL *\n> 250 ok\n"
		"< RCPT *\n> 250 ok\n< DATA\n> 354 go\n< Subject*\n< \n"
		"< body\n< .\ntick 1\ngone\n",
	};
	struct clock real = clock_real();

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		struct client client;
		int64_t start_ms;

		start_client(&client, scripts[i]);
		client.options.username = (char[]){"digest"};
		client.options.password = (char[]){"secret"};
		open_client(&client);
		while (client.ahead_ms == 0)
			turn_client(&client);
		start_ms = clock_monotonic_ms(&real);
		stop_client(&client);
		assert_in_range(clock_monotonic_ms(&real) - start_ms, 0, 500);
		assert_true(stop_server(&client.server));
	}
}

static void may_be_closed_inside_its_callbacks(void **state)
{
	static const char script[] = GREETED
		"> 250 relay.example\n< MAIL *\n> 250 ok\n< RCPT *\n"
		"> 250 ok\n< DATA\n> 354 go\n";
	static const struct {
		const char *script;
		enum client_close closes_at;
	} cases[] = {
		{"< QUIT\ngone\n", CLOSES_AT_OPEN},
		{"gone\n", CLOSES_AT_READY},
		{"< Subject*\n< \n< body\n< .\n> 250 ok\n< QUIT\ngone\n",
	         CLOSES_AT_DONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *whole =
			mem_printf("%s%s", script, cases[i].script);
		struct client client;

		start_client(&client, cases[i].closes_at == CLOSES_AT_OPEN
		                              ? GREETED
		                              "> 250 relay.example\n"
		                              "< QUIT\ngone\n"
		                              : whole);
		client.closes_at = cases[i].closes_at;
		run_client(&client);
		assert_null(client.session);
		stop_client(&client);
		assert_true(stop_server(&client.server));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_why_it_could_not_be_opened),
		cmocka_unit_test(reads_replies_up_to_their_limit),
		cmocka_unit_test(never_sends_without_the_login_it_is_given),
		cmocka_unit_test(keeps_the_password_from_the_open_network),
		cmocka_unit_test(logs_in_on_loopback),
		cmocka_unit_test(
			never_goes_on_without_tls_where_it_is_required),
		cmocka_unit_test(takes_nothing_in_the_clear_after_starttls),
		cmocka_unit_test(says_when_a_port_does_not_begin_with_tls),
		cmocka_unit_test(says_when_nothing_listens),
		cmocka_unit_test(says_when_a_name_is_unknown),
		cmocka_unit_test(says_when_no_greeting_comes),
		cmocka_unit_test(refuses_urls_of_other_kinds),
		cmocka_unit_test(closes_at_any_moment_without_waiting),
		cmocka_unit_test(may_be_closed_inside_its_callbacks),
	};

	return cmocka_run_group_tests_name("smtp open", tests, NULL, NULL);
}
