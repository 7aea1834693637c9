#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "digest/style.h"

static const char sheet[] =
	"/* a comment with { and } */\n"
	"p, td.cell { margin : 0;\n\tcolor:red; }\n"
	".soft { color: gray }\n"
	"a { color: blue }\n"
	"a.soft { font-family: 'A B' , serif; }\n"
	"@media (max-width: 5px) { .soft { margin: 1px } p { a: b } }\n"
	"p { color: green }\n";

static void moves_rules_into_tags(void **state)
{
	static const char *const cases[][2] = {
		{"plain & text", "plain & text"},
		{"<i>x</i>", "<i>x</i>"},
		{"<p>x</p>",
	         "<p style=\"margin : 0;color:red;color: green\">"
	         "x</p>"},
		{"<td class=\"cell\">",
	         "<td class=\"cell\" style=\""
	         "margin : 0;color:red\">"},
		{"<td class=\"cells\">", "<td class=\"cells\">"},
		{"<td>", "<td>"},
		{"<a class='big soft' href=\"x>y\">",
	         "<a class='big soft' href=\"x>y\" style=\"color: blue;color: "
	         "gray;font-family: 'A B' , serif\">"},
		{"<b class=soft style='x:\"y\"' id=z>",
	         "<b class=soft id=z style=\"color: gray;x:'y'\">"},
		{"<b style=\"\">", "<b>"},
		{"<br/><br />", "<br/><br/>"},
		{"<a\n  disabled>", "<a disabled style=\"color: blue\">"},
		{"<!-- <p> --><p>",
	         "<!-- <p> --><p style=\"margin : 0;color:red;color: "
	         "green\">"},
		{"<style>a{b:\"<p>\"}</style>", "<style>a{b:\"<p>\"}</style>"},
		{"<!DOCTYPE html>", "<!DOCTYPE html>"},
		{"a < b <3 <", "a < b <3 <"},
		{"<i", "<i"},
		{"<!-- open", "<!-- open"},
	};
	owned(style) struct style *style = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(style_parse(&style, "s", span_of(sheet), &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(buf) struct buf out = BUF_INIT(LIMIT_KIB);

		style_inline(&out, style, span_of(cases[i][0]));
		assert_string_equal(buf_str(&out), cases[i][1]);
	}
	assert_true(span_is(style_head(style),
	                    "@media (max-width: 5px) { .soft { margin: 1px } "
	                    "p { a: b } }\n"));
}

static void decodes_references_that_html_does_not_need(void **state)
{
	static const char *const cases[][2] = {
		{"a&#46; b&#42;&#95;", "a. b*_"},
		{"&#60;&#62;&#38;&#34;&#39;", "&#60;&#62;&#38;&#34;&#39;"},
		{"&#65; &#48; &#10; &#160; &#0; &#99999999999;",
	         "&#65; &#48; &#10; &#160; &#0; &#99999999999;"},
		{"&#46", "&#46"},
		{"&#", "&#"},
		{"&amp;#46;", "&amp;#46;"},
		{"&#&#46;", "&#."},
		{"<a href=\"https&#58;&#47;&#47;x&#34;&#62;\">",
	         "<a href=\"https://x&#34;&#62;\">"},
		{"<!--&#46;-->", "<!--&#46;-->"},
	};
	owned(style) struct style *style = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(style_parse(&style, "s", SPAN_NONE, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(buf) struct buf out = BUF_INIT(LIMIT_KIB);

		style_inline(&out, style, span_of(cases[i][0]));
		assert_string_equal(buf_str(&out), cases[i][1]);
	}
}

static void refuses_what_cannot_be_moved(void **state)
{
	static const char selector[] =
		"s:2: a selector is an element, a .class or an "
		"element.class; others stand inside @media";
	static const char character[] =
		"s:2: \" < > & { cannot stand in a style attribute (write ' "
		"for \")";
	static const char *const cases[][2] = {
		{"\np a { x: y }", selector},
		{"\np > a { x: y }", selector},
		{"\n#id { x: y }", selector},
		{"\na:hover { x: y }", selector},
		{"\n* { x: y }", selector},
		{"\na, { x: y }", selector},
		{"\na.b.c { x: y }", selector},
		{"\n{ x: y }", selector},
		{"\na { font: \"x\" }", character},
		{"/*\n*/a { x: y<z }", character},
		{"\na { b { c: d } }", character},
		{"p {}\na {", "s:2: { and } do not pair"},
		{"p {}\n}", "s:2: { and } do not pair"},
		{"p {}\nx", "s:2: { and } do not pair"},
		{"p {}\nx: y;", "s:2: a rule without { }"},
		{"/* open", NULL},
		{"@import url(x);", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(style) struct style *style = NULL;
		struct error err = {0};
		int outcome =
			style_parse(&style, "s", span_of(cases[i][0]), &err);

		assert_int_equal(outcome, cases[i][1] ? -1 : 0);
		if (cases[i][1])
			assert_string_equal(err.message, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_rules_into_tags),
		cmocka_unit_test(decodes_references_that_html_does_not_need),
		cmocka_unit_test(refuses_what_cannot_be_moved),
	};

	return cmocka_run_group_tests_name("style", tests, NULL, NULL);
}
