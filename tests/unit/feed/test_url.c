#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../src/feed/fetch_private.h"
#include "base/mem.h"
#include "feed/fetch.h"

#define HTTP_ERROR "http is for this machine's own addresses only: use https"
#define USER_ERROR "a feed URL must not hold a user name or password"

static void says_which_urls_may_be_fetched(void **state)
{
	static const struct {
		const char *url;
		const char *error; /* NULL: it may; "": whatever libcurl says */
	} cases[] = {
		{"https://rss.arxiv.org/rss/cs.CL", NULL},
		{"https://rss.arxiv.org/rss/{category}", NULL},
		{"HTTPS://RSS.ARXIV.ORG/rss/cs.CL", NULL},
		{"https://192.168.1.1/feed", NULL},
		{"https://[2001:db8::1]:8443/feed?x=1", NULL},
		{"http://localhost/feed", NULL},
		{"http://LOCALHOST:8080/feed", NULL},
		{"http://127.0.0.1:8080/feed", NULL},
		{"http://127.1.2.3/feed", NULL},
		{"http://[::1]:8080/feed", NULL},
		{"file:///var/lib/feed.xml", NULL},
		{"file:///feeds/{category}.xml", NULL},
		{"http://rss.arxiv.org/rss/cs.CL", HTTP_ERROR},
		{"http://127.0.0.1.example.org/", HTTP_ERROR},
		{"http://localhost.example.org/", HTTP_ERROR},
		{"http://10.0.0.1/", HTTP_ERROR},
		{"http://0.0.0.0/", HTTP_ERROR},
		{"http://[::2]/", HTTP_ERROR},
		{"http://127.0.0.1@example.org/", USER_ERROR},
		{"https://user:secret@example.org/", USER_ERROR},
		{"https://user@example.org/", USER_ERROR},
		{"ftp://example.org/feed",
	         "a feed comes by https (or file), not by ftp"},
		{"gopher://example.org/",
	         "a feed comes by https (or file), not by gopher"},
		{"javascript://x/alert(1)",
	         "a feed comes by https (or file), not by javascript"},
		{"", ""},
		{"rss.arxiv.org/rss/cs.CL", ""},
		{"/feeds/cs.CL.xml", ""},
		{"file://example.org/feed.xml", ""},
		{"https://", ""},
		{"https://exa mple.org/", ""},
		{"https://example.org/a b", ""},
		{"https://example.org/a\r\nX: y", ""},
		{"https://example.org:99999/", ""},
		{"http://127.0.0.1\\@example.org/", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = {0};
		int rc = feed_check_url(cases[i].url, &err);

		if (rc != (cases[i].error ? -1 : 0))
			fail_msg("%s: %s", cases[i].url, err.message);
		if (cases[i].error && *cases[i].error)
			assert_string_equal(err.message, cases[i].error);
		assert_int_equal(err.kind, rc ? ERROR_SYNTAX : ERROR_NONE);
	}
}

static void puts_the_category_into_the_url(void **state)
{
	static const struct {
		const char *url, *category, *result;
	} cases[] = {
		{"https://rss.arxiv.org/rss/{category}", "cs.CL",
	         "https://rss.arxiv.org/rss/cs.CL"},
		{"https://x/{category}?q={category}", "hep-th",
	         "https://x/hep-th?q=hep-th"},
		{"file:///feeds/all.xml", "cs.CL", "file:///feeds/all.xml"},
		{"https://x/{category}", "a/../b ?#&\r\n%",
	         "https://x/a%2F..%2Fb%20%3F%23%26%0D%0A%25"},
		{"https://x/{category", "cs.CL", "https://x/{category"},
		{"{category}", "", ""},
		{"", "cs.CL", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(mem) char *url =
			feed_url(cases[i].url, cases[i].category);

		assert_string_equal(url, cases[i].result);
	}
}

static void tells_public_addresses_from_others(void **state)
{
	static const struct {
		const char *address;
		bool is_public, is_loopback;
	} cases[] = {
		{"151.101.3.42", true, false},
		{"9.255.255.255", true, false},
		{"10.0.0.0", false, false},
		{"10.255.255.255", false, false},
		{"11.0.0.0", true, false},
		{"0.0.0.0", false, false},
		{"100.63.255.255", true, false},
		{"100.64.0.1", false, false},
		{"100.127.255.255", false, false},
		{"100.128.0.0", true, false},
		{"127.0.0.1", false, true},
		{"127.255.255.255", false, true},
		{"169.254.169.254", false, false},
		{"172.15.255.255", true, false},
		{"172.16.0.1", false, false},
		{"172.31.255.255", false, false},
		{"172.32.0.0", true, false},
		{"192.168.0.1", false, false},
		{"192.169.0.1", true, false},
		{"198.18.0.1", false, false},
		{"198.20.0.1", true, false},
		{"224.0.0.1", false, false},
		{"255.255.255.255", false, false},
		{"2a04:4e42::1", true, false},
		{"::", false, false},
		{"::1", false, true},
		{"::127.0.0.1", false, false},
		{"::ffff:127.0.0.1", false, false},
		{"::ffff:10.0.0.1", false, false},
		{"::ffff:151.101.3.42", true, false},
		{"64:ff9b::a00:1", false, false},
		{"64:ff9b:1::9765:32a", false, false},
		{"64:ff9b:2::1", true, false},
		{"2001::1", false, false},
		{"2001:1ff:ffff::1", false, false},
		{"2001:200::1", true, false},
		{"2001:db8::1", false, false},
		{"2002:a00:1::1", false, false},
		{"2003::1", true, false},
		{"3fff:fff::1", false, false},
		{"3fff:1000::1", true, false},
		{"5f00::1", false, false},
		{"5f01::1", true, false},
		{"64:ff9b::9765:32a", true, false},
		{"fc00::1", false, false},
		{"fdff::1", false, false},
		{"fe80::1", false, false},
		{"febf::1", false, false},
		{"fec0::1", false, false},
		{"ff02::1", false, false},
		{"2001:db8::1", false, false},
		{"localhost", false, false},
		{"", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (address_is_public(cases[i].address) != cases[i].is_public ||
		    address_is_loopback(cases[i].address) !=
		            cases[i].is_loopback)
			fail_msg("%s", cases[i].address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_which_urls_may_be_fetched),
		cmocka_unit_test(puts_the_category_into_the_url),
		cmocka_unit_test(tells_public_addresses_from_others),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
