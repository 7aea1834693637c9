#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/formats.h"

static void reads_times_of_day(void **state)
{
	static const struct {
		const char *text;
		uint32_t minute;
	} cases[] = {
		{"00:00", 0},
		{"07:30", 450},
		{"23:59", 1439},
		{"10:01", 601},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t minute = 0;

		assert_true(conf_parse_time(span_of(cases[i].text), &minute));
		assert_int_equal(minute, cases[i].minute);
	}
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const cases[] = {
		"",      "7:30",  "07:3",  "07:300", "24:00", "23:60",  "0730",
		"07.30", "-1:00", " 7:30", "07:30 ", "aa:bb", "07:3\n",
	};
	uint32_t minute = 4711;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_false(conf_parse_time(span_of(cases[i]), &minute));
	assert_int_equal(minute, 4711);
}

#define MON 1U
#define TUE 2U
#define WED 4U
#define THU 8U
#define FRI 16U
#define SAT 32U
#define SUN 64U

static void reads_days_of_the_week(void **state)
{
	static const struct {
		const char *text;
		uint32_t days;
	} cases[] = {
		{"mon", MON},
		{"sun", SUN},
		{"mon-fri", MON | TUE | WED | THU | FRI},
		{"mon-sun", 127},
		{"tue,thu", TUE | THU},
		{"sat-mon", SAT | SUN | MON},
		{"fri-fri", FRI},
		{"tue-mon", 127},
		{"mon,wed-thu,sun", MON | WED | THU | SUN},
		{" Mon - Fri , SAT ", MON | TUE | WED | THU | FRI | SAT},
		{"mon,mon-tue", MON | TUE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = {0};
		uint32_t days = 0;

		assert_int_equal(
			conf_parse_days(span_of(cases[i].text), &days, &err),
			0);
		assert_int_equal(days, cases[i].days);
	}
}

static void refuses_what_is_no_day(void **state)
{
	static const char *const cases[] = {
		"",       "monday", "mo",       "mon-",    "-fri",
		"mon,",   ",mon",   "mon--fri", "mon fri", "mon-fri-sat",
		"montag", "1-5",    "mon;tue",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = {0};
		uint32_t days = 4711;

		assert_int_equal(
			conf_parse_days(span_of(cases[i]), &days, &err), -1);
		assert_int_equal(err.kind, ERROR_SYNTAX);
		assert_int_equal(days, 4711);
	}
}

static void takes_urls_apart(void **state)
{
	static const struct {
		const char *text;
		const char *scheme;
		const char *user;
		const char *host;
		uint32_t port;
		const char *path;
	} cases[] = {
		{"smtp://mail.example.org", "smtp", "", "mail.example.org", 0,
	         ""},
		{"smtps://mail.example.org:465", "smtps", "",
	         "mail.example.org", 465, ""},
		{"smtp://[::1]:25", "smtp", "", "::1", 25, ""},
		{"http://10.0.0.1:8080/v1?x=y", "http", "", "10.0.0.1", 8080,
	         "/v1?x=y"},
		{"https://a:b@h/", "https", "a:b", "h", 0, "/"},
		{"https://h#f", "https", "", "h", 0, "#f"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = {0};
		struct conf_url url;

		assert_int_equal(
			conf_parse_url(&url, span_of(cases[i].text), &err), 0);
		assert_true(span_is(url.scheme, cases[i].scheme));
		assert_true(span_is(url.user, cases[i].user));
		assert_true(span_is(url.host, cases[i].host));
		assert_int_equal(url.port, cases[i].port);
		assert_true(span_is(url.path, cases[i].path));
	}
}

static void refuses_what_is_no_url(void **state)
{
	static const char *const cases[] = {
		"",
		"mail.example.org",
		"://x",
		"smtp://",
		"smtp://:25",
		"smtp://h:0",
		"smtp://h:65536",
		"smtp://h:x",
		"smtp://h:",
		"smtp://[::1",
		"smtp://[::1]25",
		"smtp://h h",
		"smtp://h\r\nQUIT",
		"smtp://m\xC3\xBCller.example",
		"https://h/\">",
		"https://h_%2F/",
		"https://h*st",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = {0};
		struct conf_url url;

		assert_int_equal(conf_parse_url(&url, span_of(cases[i]), &err),
		                 -1);
		assert_int_equal(err.kind, ERROR_SYNTAX);
	}
}

static void tells_loopback_and_private_hosts_from_public_ones(void **state)
{
	static const struct {
		const char *host;
		enum conf_host kind;
	} cases[] = {
		{"localhost", CONF_HOST_LOOPBACK},
		{"LOCALHOST", CONF_HOST_LOOPBACK},
		{"127.0.0.1", CONF_HOST_LOOPBACK},
		{"127.255.1.2", CONF_HOST_LOOPBACK},
		{"::1", CONF_HOST_LOOPBACK},
		{"10.1.2.3", CONF_HOST_PRIVATE},
		{"172.16.0.1", CONF_HOST_PRIVATE},
		{"172.31.255.255", CONF_HOST_PRIVATE},
		{"192.168.0.1", CONF_HOST_PRIVATE},
		{"169.254.1.1", CONF_HOST_PRIVATE},
		{"fd12::1", CONF_HOST_PRIVATE},
		{"fe80::1", CONF_HOST_PRIVATE},
		{"172.32.0.1", CONF_HOST_PUBLIC},
		{"128.0.0.1", CONF_HOST_PUBLIC},
		{"11.0.0.1", CONF_HOST_PUBLIC},
		{"2001:db8::1", CONF_HOST_PUBLIC},
		{"mail.example.org", CONF_HOST_PUBLIC},
		{"localhost.example.org", CONF_HOST_PUBLIC},
		{"127.0.0.1.example.org", CONF_HOST_PUBLIC},
		{"127.1", CONF_HOST_PUBLIC},
		{"0x7f.0.0.1", CONF_HOST_PUBLIC},
		{"", CONF_HOST_PUBLIC},
		{"a-very-long-host-name-that-fits-into-no-address.example.org",
	         CONF_HOST_PUBLIC},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(conf_classify_host(span_of(cases[i].host)),
		                 cases[i].kind);
}

static void knows_what_a_list_id_may_be(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{"arxmail.example.org", true},
		{"a.b", true},
		{"a_1.b-2", true},
		{"localhost", false},
		{"", false},
		{".", false},
		{"a..b", false},
		{"a.b.", false},
		{"a b.c", false},
		{"<a.b>", false},
		{"a.b\r\nBcc:", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(conf_is_dotted_name(span_of(cases[i].text)),
		                 cases[i].valid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_times_of_day),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(reads_days_of_the_week),
		cmocka_unit_test(refuses_what_is_no_day),
		cmocka_unit_test(takes_urls_apart),
		cmocka_unit_test(refuses_what_is_no_url),
		cmocka_unit_test(
			tells_loopback_and_private_hosts_from_public_ones),
		cmocka_unit_test(knows_what_a_list_id_may_be),
	};

	return cmocka_run_group_tests_name("conf formats", tests, NULL, NULL);
}
