#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/num.h"
#include "base/span.h"
#include "base/utf8.h"

#define SPAN(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

struct escape_case {
	struct span in;
	const char *out;
};

static void check_escapes(void (*add)(struct buf *, struct span),
                          const struct escape_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		owned(buf) struct buf buf = BUF_INIT(1000);

		add(&buf, cases[i].in);
		assert_string_equal(buf_str(&buf), cases[i].out);
	}
}

static void escapes_for_html(void **state)
{
	static const struct escape_case cases[] = {
		{SPAN("a & <b> \"c\" 'd'"),
	         "a &amp; &lt;b&gt; &quot;c&quot; &#39;d&#39;"},
		{SPAN("Ren\xC3\xA9"), "Ren\xC3\xA9"},
		{SPAN("bro\xFFken \xC3"), "bro\xEF\xBF\xBDken \xEF\xBF\xBD"},
	};

	(void)state;
	check_escapes(buf_add_html, cases, 3);
}

static void escapes_for_markdown(void **state)
{
	static const struct escape_case cases[] = {
		{SPAN("a](b) *c*"), "a&#93;&#40;b&#41; &#42;c&#42;"},
		{SPAN("line\r\nend\tx\0y"), "line  end x y"},
		{SPAN("1. \xE8\xAE\xBA"), "1&#46; \xE8\xAE\xBA"},
	};

	(void)state;
	check_escapes(buf_add_markdown, cases, 3);
}

static void escapes_for_urls_terminals_and_json(void **state)
{
	static const struct escape_case urls[] = {
		{SPAN("hep-th/9901001"), "hep-th%2F9901001"},
		{SPAN("a b\xC3\xA9~"), "a%20b%C3%A9~"},
	};
	static const struct escape_case terminals[] = {
		{SPAN("a\x1b[31mb\nc"),
	         "a\xEF\xBF\xBD[31mb\xEF\xBF\xBD"
	         "c"},
		{SPAN("a\xE2\x80\xAE"
	              "b"),
	         "a\xEF\xBF\xBD"
	         "b"},
	};
	static const struct escape_case json[] = {
		{SPAN("a\"\\\n"), "\"a\\\"\\\\\\u000a\""},
		{SPAN(""), "\"\""},
	};

	(void)state;
	check_escapes(buf_add_url, urls, 2);
	check_escapes(buf_add_terminal, terminals, 2);
	check_escapes(buf_add_json, json, 2);
}

static void knows_valid_utf8(void **state)
{
	static const struct {
		struct span text;
		bool valid;
	} cases[] = {
		{SPAN(""), true},
		{SPAN("plain"), true},
		{SPAN("\xF0\x9F\x8E\x89"), true},
		{SPAN("\xF4\x8F\xBF\xBF"), true},
		{SPAN("\xC0\x80"), false},         /* overlong */
		{SPAN("\xE0\x80\x80"), false},     /* overlong */
		{SPAN("\xF0\x80\x80\x80"), false}, /* overlong */
		{SPAN("\xED\xA0\x80"), false},     /* surrogate */
		{SPAN("\xF4\x90\x80\x80"), false}, /* too high */
		{SPAN("\x80"), false},             /* continuation alone */
		{SPAN("\xE2\x82"), false},         /* cut */
		{SPAN("\xFE"), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(utf8_valid(cases[i].text), cases[i].valid);
}

static void reads_back_every_character_it_writes(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
		owned(buf) struct buf buf = BUF_INIT(4);
		struct span rest;

		if (c >= 0xD800 && c <= 0xDFFF)
			continue;
		utf8_add(&buf, c);
		rest = buf_span(&buf);
		assert_int_equal(utf8_next(&rest), c);
		assert_int_equal(rest.len, 0);
	}
}

static void tells_what_must_not_reach_a_screen(void **state)
{
	static const uint32_t controls[] = {0,       0x1B,   0x7F,   0x9B,
	                                    0x200B,  0x202E, 0x2066, 0xFEFF,
	                                    0xE0041, 0xFFFF};
	static const uint32_t harmless[] = {' ',    'a',    0xE9,
	                                    0x4E00, 0x200D, 0x1F389};

	(void)state;
	for (size_t i = 0; i < 10; i++)
		assert_true(utf8_is_control(controls[i]));
	for (size_t i = 0; i < 6; i++)
		assert_false(utf8_is_control(harmless[i]));
}

static void splits_trims_and_finds(void **state)
{
	struct span rest = span_of("a,,b");
	struct span part;
	struct span empty = span_of("");

	(void)state;
	assert_true(span_split(&rest, ',', &part));
	assert_true(span_is(part, "a"));
	assert_true(span_split(&rest, ',', &part));
	assert_true(span_is(part, ""));
	assert_true(span_split(&rest, ',', &part));
	assert_true(span_is(part, "b"));
	assert_false(span_split(&rest, ',', &part));
	assert_true(span_split(&empty, ',', &part));
	assert_false(span_split(&empty, ',', &part));

	assert_true(span_is(span_trim(span_of(" \t x y\r\n")), "x y"));
	assert_int_equal(span_find(span_of("hello"), "lo"), 3);
	assert_int_equal(span_find(span_of("hello"), "z"), 5);
	assert_true(span_starts(span_of("abc"), "ab"));
	assert_false(span_ends(span_of("c"), "bc"));
}

static void reads_only_whole_numbers_within_bounds(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
	} cases[] = {
		{"0", true, 0},
		{"007", true, 7},
		{"100", true, 100},
		{"101", false, 0},
		{"", false, 0},
		{"-1", false, 0},
		{"+1", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"0x1", false, 0},
		{"18446744073709551617", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t value = 0;

		assert_int_equal(
			num_parse(span_of(cases[i].text), 0, 100, &value),
			cases[i].ok);
		assert_int_equal(value, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_for_html),
		cmocka_unit_test(escapes_for_markdown),
		cmocka_unit_test(escapes_for_urls_terminals_and_json),
		cmocka_unit_test(knows_valid_utf8),
		cmocka_unit_test(reads_back_every_character_it_writes),
		cmocka_unit_test(tells_what_must_not_reach_a_screen),
		cmocka_unit_test(splits_trims_and_finds),
		cmocka_unit_test(reads_only_whole_numbers_within_bounds),
	};

	return cmocka_run_group_tests_name("text of base", tests, NULL, NULL);
}
