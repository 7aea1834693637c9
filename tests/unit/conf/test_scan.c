#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/scan.h"

static const struct conf_place file = {.file = "f", .rank = 1};

/* All problems as lines, joined by '|'. */
static char *scan(const char *text, enum conf_scan_outcome *ret_outcome)
{
	owned(conf_values) struct conf_values values = {0};
	owned(conf_problems) struct conf_problems problems = {0};
	owned(strings) struct strings lines = {0};
	char *joined = mem_dup("");

	*ret_outcome = conf_scan(span_of(text), file, &values, &problems);
	conf_problems_print(&problems, &lines);
	for (size_t i = 0; i < lines.n; i++) {
		char *longer = mem_printf("%s%s%s", joined, i > 0 ? "|" : "",
		                          lines.items[i]);

		free(joined);
		joined = longer;
	}
	return joined;
}

static void passes_what_libconfig_reads_rightly(void **state)
{
	static const char *const cases[] = {
		"",
		"\n\n",
		"a = 1;",
		"a: 1, b: 2 c = 3",
		"a = { }; b = ( ); c = [ ];",
		"a = { b = { c = ( { d = [1, 2]; }, [\"x\"], 3 ); } };",
		"a = [\"x\", \"y\"];",
		"a = \"x\"; b = \"y\";",
		"a = \"x\" b = \"y\"",
		"a = true; b = FALSE; c = -5; d = 0x7FFFFFFF; e = 5L;",
		"a = 1.5; b = -.5e-3; c = 5e3; d = 5.;",
		"a = -2147483648; b = 2147483647;",
		"a = \"@include, \\\" ; { and // and /* and # in a text\";",
		"# \"a\" \"b\" { @include\na = 1; // }\n/* ( \n\n */ c = 3;",
		"a = \"x\" /* between */ ; # the end",
		"a = \"\\\\\"; b = \"\\\\x00\"; c = \"\\x01\";",
		"a = \"several\nlines\";",
		"*a-b_c = 1;",
		"group: { a = 1; }; other: { a = 2; }; a = 3;",
	};
	enum conf_scan_outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(mem) char *found = scan(cases[i], &outcome);

		assert_string_equal(found, "");
		assert_int_equal(outcome, CONF_SCAN_READABLE);
	}
}

static void reports_what_libconfig_would_read_wrongly(void **state)
{
	static const struct {
		const char *text;
		const char *problems;
	} cases[] = {
		{"a = [\"x\"\n\"y\"];",
	         "f:1: a: a comma is missing between \"x\" and \"y\""},
		{"a = \"x\" \"y\";",
	         "f:1: a: a comma is missing between \"x\" and \"y\""},
		{"a = \"x\" /* \", \" */\n# ,\n\"y\";",
	         "f:1: a: a comma is missing between \"x\" and \"y\""},
		{"a = 2147483648;", "f:1: a: 2147483648 is beyond 32 bits"},
		{"a = -2147483649;", "f:1: a: -2147483649 is beyond 32 bits"},
		{"a = 0x80000000;", "f:1: a: 0x80000000 is beyond 32 bits"},
		{"a = 99999999999999999999L;",
	         "f:1: a: 99999999999999999999L is beyond 32 bits"},
		{"g = { a = [1,\n4294967296]; };",
	         "f:2: g.a: 4294967296 is beyond 32 bits"},
		{"a = \"x\\x00y\";", "f:1: a: \\x00 cannot be in a text"},
		{"a = \"\\\\\\X00\";", "f:1: a: \\x00 cannot be in a text"},
	};
	enum conf_scan_outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(mem) char *found = scan(cases[i].text, &outcome);

		assert_string_equal(found, cases[i].problems);
		assert_int_equal(outcome, CONF_SCAN_READABLE);
	}
}

#define VALUES "a value: \"text\", a number, true, false, [ ], ( ) or { }"

static const struct {
	const char *text;
	const char *problems;
} syntax_errors[] = {
	{"a = 1;\na = 2;\na = 3;",
         "f:2: a: is set twice: on line 1 already"
         "|f:3: a: is set twice: on line 2 "
         "already"},
	{"g = {\n a = 1;\n b = { a = 2; };\n a = 3; };",
         "f:4: g.a: is set twice: on line 2 already"},
	{"a = [\"x\", 5,\n1.5, 2];",
         "f:1: a: the values of an array [ ] are all of one type"
         "|f:2: a: the values of an array [ ] are all of one type"
         "|f:2: a: the values of an array [ ] are all of one type"},
	{"@include \"x\"",
         "f:1: syntax: @include is not allowed: put "
         "subscribers into files of subscribers.d"},
	{"a = 1;\n  @include \"x\"",
         "f:2: syntax: @include is not allowed: put subscribers into "
         "files of subscribers.d"},
	{"a = {\n b = 1;\n", "f:1: a: the '{' that opens here is never closed"},
	{"a = (\n 1, 2\n", "f:1: a: the '(' that opens here is never closed"},
	{"a = [1, 2);",
         "f:1: a: expected ',' or ']', found ')' (the '[' "
         "of line 1 is open)"},
	{"a = 1; }", "f:1: syntax: expected a setting's name, found '}'"},
	{"a = 1;;", "f:1: syntax: expected a setting's name, found ';'"},
	{"a 1;", "f:1: a: expected '=', found '1'"},
	{"a = ;", "f:1: a: expected " VALUES ", found ';'"},
	{"a =", "f:1: a: expected " VALUES ", found the end of the file"},
	{"a = [1,\n2,\n];",
         "f:2: a: the comma after the last value is one too many"},
	{"a = ({}\n{});",
         "f:2: a: expected a comma, found '{' (the '(' of "
         "line 1 is open)"},
	{"a = [{}];",
         "f:1: a: an array [ ] holds only texts or numbers: "
         "write a list ( ) instead"},
	{"a = yes;", "f:1: a: expected " VALUES ", found 'yes'"},
	{"a = 12abc;", "f:1: a: expected a number, found '12abc'"},
	{"a = .;", "f:1: a: expected a number, found '.'"},
	{"a = -0x5;", "f:1: a: expected a number, found '-0x5'"},
	{"a = 0x;", "f:1: a: expected a number, found '0x'"},
	{"true = 1;",
         "f:1: syntax: expected a setting's name, found "
         "'true'"},
	{"a = 1 /* b = 2;",
         "f:1: syntax: the comment that begins here has no closing "
         "'*/'"},
	{"a = 1;\nb = \"x;\n",
         "f:2: b: the text that begins here has no closing '\"'"},
	{"a = [\"x, \"y\"];\nb = \"z\";",
         "f:1: a: expected ',' or ']', found 'y' (the '[' of line 1 is "
         "open)"},
	{"a = \"x;\nb = [\"y\"];\n",
         "f:2: y: the text that begins here has no closing '\"' (is a "
         "'\"' missing in line 1, where a text of several lines "
         "begins?)"},
};

static void stops_at_a_syntax_error_with_its_place(void **state)
{
	enum conf_scan_outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof(syntax_errors) / sizeof(*syntax_errors);
	     i++) {
		owned(mem) char *found = scan(syntax_errors[i].text, &outcome);

		assert_string_equal(found, syntax_errors[i].problems);
		assert_int_equal(outcome, CONF_SCAN_BROKEN);
	}
}

static void knows_the_line_on_which_each_value_begins(void **state)
{
	static const char text[] =
		"a = [\"x\",\n"
		"     \"y\"\n"
		"    ];\n"
		"b: {\n"
		"  c = \"several\n"
		"lines\";\n"
		"  d\n"
		"   = 5;\n"
		"};\n"
		"e = 99999999999;";
	static const unsigned lines[] = {1, 1, 2, 4, 5, 8, 10};
	owned(conf_values) struct conf_values values = {0};
	owned(conf_problems) struct conf_problems problems = {0};

	(void)state;
	conf_scan(span_of(text), file, &values, &problems);
	assert_int_equal(values.n, sizeof(lines) / sizeof(*lines));
	for (size_t i = 0; i < values.n; i++) {
		assert_int_equal(values.items[i].line, lines[i]);
		assert_int_equal(values.items[i].bad, i + 1 == values.n);
	}
}

static void refuses_bytes_that_are_no_text(void **state)
{
	static const struct span cases[] = {
		{"a = 1;\0b = 2;", 13},
		{"\0", 1},
		{"a = 1;\v", 7},
		{"\x80\xFF = 1;", 7},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(conf_values) struct conf_values values = {0};
		owned(conf_problems) struct conf_problems problems = {0};

		assert_int_equal(conf_scan(cases[i], file, &values, &problems),
		                 CONF_SCAN_BROKEN);
		assert_int_equal(problems.n, 1);
	}
}

static char *repeat(const char *text, size_t n)
{
	size_t len = strlen(text);
	char *many = mem_new(n * len + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(many + i * len, text, len);
	return many;
}

static void bears_brackets_without_end(void **state)
{
	owned(mem) char *brackets = repeat("(", 100000);
	owned(mem) char *text = mem_printf("a = %s", brackets);
	enum conf_scan_outcome outcome;
	owned(mem) char *found = scan(text, &outcome);

	(void)state;
	assert_string_equal(found,
	                    "f:1: a: too many brackets inside each other");
	assert_int_equal(outcome, CONF_SCAN_BROKEN);
}

/* Quadratic work would not end within the time of a test. */
static void reads_large_files_in_linear_time(void **state)
{
	owned(mem) char *same = repeat("key = 1; ", 200000);
	owned(conf_values) struct conf_values values = {0};
	owned(conf_problems) struct conf_problems problems = {0};

	(void)state;
	assert_int_equal(conf_scan(span_of(same), file, &values, &problems),
	                 CONF_SCAN_BROKEN);
	assert_int_equal(values.n, 200000);
	assert_int_equal(problems.n, 199999);
}

/* Every beginning of a good file is read to its end without a fault. */
static void bears_any_truncation(void **state)
{
	static const char text[] =
		"a = { b = [\"x\\\"\", \"y\\\\\"]; /* c */ d = ( -0x5, 1.5e3, "
		"true ); # e\n f = \"\\x0\"; };";
	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		owned(mem) char *part = mem_dup_span((struct span){text, i});
		enum conf_scan_outcome outcome;
		owned(mem) char *found = scan(part, &outcome);

		assert_non_null(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_what_libconfig_reads_rightly),
		cmocka_unit_test(reports_what_libconfig_would_read_wrongly),
		cmocka_unit_test(stops_at_a_syntax_error_with_its_place),
		cmocka_unit_test(knows_the_line_on_which_each_value_begins),
		cmocka_unit_test(refuses_bytes_that_are_no_text),
		cmocka_unit_test(bears_brackets_without_end),
		cmocka_unit_test(reads_large_files_in_linear_time),
		cmocka_unit_test(bears_any_truncation),
	};

	return cmocka_run_group_tests_name("conf scan", tests, NULL, NULL);
}
