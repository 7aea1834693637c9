#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strings.h"
#include "digest/lint.h"

static void names_each_fault(void **state)
{
	static const struct {
		const char *html;
		const char *text;
		const char *problem; /* NULL: none */
	} cases[] = {
		{"<html lang=\"en\"><p>a &amp; b &#60; c</p></html>", "", NULL},
		{"<style>a > b {}</style><!-- a & <b --><p>x</p>", "", NULL},
		{"<a href=\"x\"><b>yes</b></a> <a href=\"x\">abs</a>", "",
	         NULL},
		{"<p>words & more</p>", "", "unescaped text: & more"},
		{"<html><p>x</p></html>", "", "the page has no lang"},
		{"<p>a & b</p>", "", "unescaped text: & b"},
		{"<p>1 < 2</p>", "", "unescaped text: < 2"},
		{"<p>1 > 2</p>", "", "unescaped text: > 2"},
		{"<p>a &nbsp b</p>", "", "unescaped text: &nbsp b"},
		{"<p>x <b", "", "unescaped text: <b"},
		{"<a href=\"x\"> <b></b></a>", "",
	         "a link without text: <a href=\"x\">"},
		{"<a href=\"x\">", "", "a link without text: <a href=\"x\">"},
		{"<a href=\"\">y</a>", "",
	         "a link without a target: <a href=\"\">"},
		{"<a>y</a>", "", "a link without a target: <a>"},
		{"",
	         "123456789 123456789 123456789 123456789 123456789 123456789 "
	         "123456789 12",
	         NULL},
		{"",
	         "x\n123456789 123456789 123456789 123456789 123456789 "
	         "123456789 123456789 123\n",
	         "a line of 73 columns in the text: 123456789 123456789 "
	         "123456789 123456789"},
		{"",
	         "  https://example.org/123456789/123456789/123456789/"
	         "123456789/123456789/123456789",
	         NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(strings) struct strings problems = {0};

		digest_lint(cases[i].html, cases[i].text, &problems);
		assert_int_equal(problems.n, cases[i].problem != NULL);
		if (cases[i].problem)
			assert_string_equal(problems.items[0],
			                    cases[i].problem);
	}
}

static void knows_what_gmail_cuts(void **state)
{
	owned(strings) struct strings problems = {0};
	owned(mem) char *page = mem_new(103001);

	(void)state;
	memset(page, 'x', 90000);
	digest_lint(page, "", &problems);
	assert_int_equal(problems.n, 0);
	memset(page, 'x', 103000);
	digest_lint(page, "", &problems);
	assert_int_equal(problems.n, 1);
	assert_true(span_starts(span_of(problems.items[0]), "size: 10"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_each_fault),
		cmocka_unit_test(knows_what_gmail_cuts),
	};

	return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
