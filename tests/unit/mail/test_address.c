#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "mail/address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEN "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define LABEL63 SIXTY "aaa"
#define DOMAIN255 LABEL63 "." LABEL63 "." LABEL63 "." LABEL63

static void accepts_what_smtp_commands_can_carry(void **state)
{
	static const struct {
		const char *address;
		const char *for_smtp;
		bool needs_utf8;
	} cases[] = {
		{"ada@example.org", "ada@example.org", false},
		{"Ada.Lovelace+arxiv=x@Example.ORG",
	         "Ada.Lovelace+arxiv=x@Example.ORG", false},
		{"!#$%&'*+-/=?^_`{|}~@a-b.example",
	         "!#$%&'*+-/=?^_`{|}~@a-b.example", false},
		{"root@localhost", "root@localhost", false},
		{"x@1.example", "x@1.example", false},
		{"x@xn--mller-kva.example", "x@xn--mller-kva.example", false},
		{"x@müller.example", "x@xn--mller-kva.example", false},
		{"x@МОСКВА.example", "x@xn--80adxhks.example", false},
		{"jürgen@müller.example", "jürgen@xn--mller-kva.example", true},
		{"用户@例子.example", "用户@xn--fsqu00a.example", true},
		{SIXTY "1234@" DOMAIN255, SIXTY "1234@" DOMAIN255, false},
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span address = span_of(cases[i].address);
		owned(mem) char *for_smtp = NULL;

		assert_int_equal(mail_check_address(address, &err), 0);
		assert_int_equal(
			mail_address_for_smtp(&for_smtp, address, &err), 0);
		assert_string_equal(for_smtp, cases[i].for_smtp);
		assert_int_equal(mail_address_needs_utf8(address),
		                 cases[i].needs_utf8);
	}
}

static void refuses_everything_else_with_a_reason(void **state)
{
	static const struct {
		struct span address;
		const char *message;
	} cases[] = {
#define TEXT(literal) {literal, sizeof(literal) - 1}
		{TEXT(""), "'' is no address: it is empty"},
		{TEXT("ada"), "'ada' is no address: it has no '@' and domain"},
		{TEXT("ada@"),
	         "'ada@' is no address: no domain stands behind the '@'"},
		{TEXT("@b"),
	         "'@b' is no address: nothing stands before the '@'"},
		{TEXT("a@b@c"),
	         "'a@b@c' is no address: it has more than one '@'"},
		{TEXT("a@b\r\nRCPT TO:<x@y>"),
	         "'a@b\uFFFD\uFFFDRCPT TO:<x@y>' is no address: it holds a "
	         "control character"},
		{TEXT("a\n@b"),
	         "'a\uFFFD@b' is no address: it holds a control character"},
		{TEXT("a\0@b"),
	         "'a\uFFFD@b' is no address: it holds a control character"},
		{TEXT("a@b\0.example"),
	         "'a@b\uFFFD.example' is no address: it "
	         "holds a control character"},
		{TEXT("a\u202E@b"),
	         "'a\uFFFD@b' is no address: it holds a control character"},
		{TEXT("a b@c"), "'a b@c' is no address: it holds a blank"},
		{TEXT(" a@c"), "' a@c' is no address: it holds a blank"},
		{TEXT("a@c "), "'a@c ' is no address: it holds a blank"},
		{TEXT("a\u00A0b@c"),
	         "'a\u00A0b@c' is no address: it holds a blank"},
		{TEXT("Bob <a@b>"),
	         "'Bob <a@b>' is no address: it holds a blank"},
		{TEXT("<a@b>"),
	         "'<a@b>' is no address: it holds < or >; only the address "
	         "itself belongs here"},
		{TEXT("<a@b>NOTIFY=x"),
	         "'<a@b>NOTIFY=x' is no address: it holds < or >; only the "
	         "address itself belongs here"},
		{TEXT("<a@b> NOTIFY=x"),
	         "'<a@b> NOTIFY=x' is no address: it "
	         "holds < or >; only the address "
	         "itself belongs here"},
		{TEXT("\"a\"@b"),
	         "'\"a\"@b' is no address: quoted local parts "
	         "are not supported"},
		{TEXT(".a@b"),
	         "'.a@b' is no address: before the '@', dots may only stand "
	         "between other characters"},
		{TEXT("a..b@c"),
	         "'a..b@c' is no address: before the '@', dots may only stand "
	         "between other characters"},
		{TEXT("a.@b"),
	         "'a.@b' is no address: before the '@', dots may only stand "
	         "between other characters"},
		{TEXT("a,b@c"),
	         "'a,b@c' is no address: before the '@', ( ) , "
	         ": ; [ ] \\ are not allowed"},
		{TEXT("a\\b@c"),
	         "'a\\b@c' is no address: before the '@', ( ) "
	         ", : ; [ ] \\ are not allowed"},
		{TEXT("a(b)@c"),
	         "'a(b)@c' is no address: before the '@', ( ) "
	         ", : ; [ ] \\ are not allowed"},
		{TEXT("a@[127.0.0.1]"),
	         "'a@[127.0.0.1]' is no address: a domain must stand behind "
	         "the '@', not a number in brackets"},
		{TEXT("a@-b.example"),
	         "'a@-b.example' is no address: its domain is none: letters, "
	         "digits and hyphens, joined by dots, are"},
		{TEXT("a@b-.example"),
	         "'a@b-.example' is no address: its domain is none: letters, "
	         "digits and hyphens, joined by dots, are"},
		{TEXT("a@b..c"),
	         "'a@b..c' is no address: its domain is none: letters, digits "
	         "and hyphens, joined by dots, are"},
		{TEXT("a@b.c."),
	         "'a@b.c.' is no address: its domain is none: letters, digits "
	         "and hyphens, joined by dots, are"},
		{TEXT("a@b_c"),
	         "'a@b_c' is no address: its domain is none: letters, digits "
	         "and hyphens, joined by dots, are"},
		{TEXT("a@" LABEL63 "a"),
	         "'a@" LABEL63 "a' is no address: its domain is none: letters, "
	         "digits and hyphens, joined by dots, are"},
		{TEXT("a@\uFF1Cb\uFF1E.example"),
	         "'a@\uFF1Cb\uFF1E.example' is no address: its domain is "
	         "none: letters, digits and hyphens, joined by dots, are"},
		{TEXT("a@\u3000.example"),
	         "'a@\u3000.example' is no address: it holds a blank"},
		{TEXT("a@b\xff.example"),
	         "'a@b\uFFFD.example' is no address: it is not UTF-8"},
		{TEXT("\xc3@b"), "'\uFFFD@b' is no address: it is not UTF-8"},
		{TEXT(SIXTY "12345@b"),
	         "'" SIXTY "12345@b' is no address: more than 64 bytes stand "
	         "before the '@'"},
		{TEXT("a@" DOMAIN255 "b"),
	         "'a@" LABEL63 "." TEN TEN TEN
	         "aaaa...' is no address: its domain is longer than 255 "
	         "bytes"},
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		owned(mem) char *for_smtp = NULL;

		assert_int_equal(mail_check_address(cases[i].address, &err),
		                 -1);
		assert_string_equal(err.message, cases[i].message);
		assert_int_equal(err.kind, ERROR_SYNTAX);
		assert_int_equal(mail_address_for_smtp(&for_smtp,
		                                       cases[i].address, &err),
		                 -1);
		assert_null(for_smtp);
	}
}

static void gives_the_domain_of_an_address(void **state)
{
	(void)state;
	assert_true(span_is(mail_address_domain(span_of("a@b.c")), "b.c"));
	assert_true(span_is(mail_address_domain(span_of("ab")), ""));
}

static void reads_names_before_addresses(void **state)
{
	static const struct {
		const char *text;
		const char *name;
		const char *address;
	} cases[] = {
		{"ada@example.org", NULL, "ada@example.org"},
		{" <ada@example.org> ", NULL, "ada@example.org"},
		{"Ada <ada@example.org>", "Ada", "ada@example.org"},
		{"Ada<ada@example.org>", "Ada", "ada@example.org"},
		{"Lovelace, Ada <a@b>", "Lovelace, Ada", "a@b"},
		{"\"Lovelace, Ada\" <a@b>", "Lovelace, Ada", "a@b"},
		{"\"A \\\"x\\\\y\\\" <z>\" <a@b>", "A \"x\\y\" <z>", "a@b"},
		{"\"\" <a@b>", NULL, "a@b"},
		{"Ada \"the first\" L. <a@b>", "Ada \"the first\" L.", "a@b"},
		{"arXiv 摘要 <a@b>", "arXiv 摘要", "a@b"},
		{"Jürgen <jürgen@müller.example>", "Jürgen",
	         "jürgen@müller.example"},
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mail_mailbox mailbox = {0};

		assert_int_equal(
			mail_parse_mailbox(&mailbox, cases[i].text, &err), 0);
		assert_string_equal(mailbox.address, cases[i].address);
		if (cases[i].name)
			assert_string_equal(mailbox.name, cases[i].name);
		else
			assert_null(mailbox.name);
		mail_mailbox_fini(&mailbox);
		assert_null(mailbox.address);
	}
}

static void refuses_names_that_could_break_out(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{"", "'' is no address: it is empty"},
		{"Ada", "'Ada' is no address: it has no '@' and domain"},
		{"Ada <>", "'' is no address: it is empty"},
		{"Ada <a@b> x",
	         "'Ada <a@b> x' is no address: it holds a blank"},
		{"Ada <a@b>, Bob <c@d>",
	         "a name with < or > must stand in quotation marks"},
		{"A\r\nBcc: x <a@b>", "the name holds a control character"},
		{"A\u202E <a@b>", "the name holds a control character"},
		{"A\xff <a@b>", "the name is not UTF-8"},
		{"\"A <a@b>", "the name's quotation mark is not closed"},
		{"\" <a@b>", "the name's quotation mark is not closed"},
		{"\"A\\\" <a@b>",
	         "inside the quoted name, \\ needs a backslash before it"},
		{"\"A\" \"B\" <a@b>",
	         "inside the quoted name, \" needs a backslash before it"},
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mail_mailbox mailbox = {0};

		assert_int_equal(
			mail_parse_mailbox(&mailbox, cases[i].text, &err), -1);
		assert_string_equal(err.message, cases[i].message);
		assert_null(mailbox.address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_smtp_commands_can_carry),
		cmocka_unit_test(refuses_everything_else_with_a_reason),
		cmocka_unit_test(gives_the_domain_of_an_address),
		cmocka_unit_test(reads_names_before_addresses),
		cmocka_unit_test(refuses_names_that_could_break_out),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
