#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "feed/parser.h"

/* The names of `line`, with " | " between them. The caller owns it. */
static char *split(struct span line)
{
	owned(strings) struct strings authors = {0};
	owned(buf) struct buf out = BUF_INIT(LIMIT_FEED_BYTES);

	feed_split_authors(line, &authors);
	for (size_t i = 0; i < authors.n; i++) {
		if (i > 0)
			buf_add_str(&out, " | ");
		buf_add_str(&out, authors.items[i]);
	}
	return mem_dup(buf_str(&out));
}

static void splits_a_line_into_names(void **state)
{
	static const struct {
		const char *line;
		const char *names;
	} cases[] = {
		{"", ""},
		{" , ,", ""},
		{"Ann Author", "Ann Author"},
		{"Ann Author, Bo Bell", "Ann Author | Bo Bell"},
		{"Ann Author,  Deepti, Bo Bell",
	         "Ann Author | Deepti | Bo Bell"},
		{"Ann Author (A, B (C, D), E), Bo Bell (F)",
	         "Ann Author | Bo Bell"},
		{"Wei (David) Zhang", "Wei Zhang"},
		{"Ann Author (A, Bo Bell", "Ann Author (A | Bo Bell"},
		{"Ann (A), Bo (B, Cy (C), Di", "Ann | Bo (B | Cy | Di"},
		{"Ann Author), Bo Bell", "Ann Author) | Bo Bell"},
		{"Joseph J. LaViola Jr., Bo Bell, Jr., Cy Cole, III",
	         "Joseph J. LaViola Jr. | Bo Bell Jr. | Cy Cole III"},
		{"Jr., Ann Author", "Jr. | Ann Author"},
		{"The Lab, :, Ann Author", "The Lab | Ann Author"},
		{"The Lab :, Ann Author", "The Lab | Ann Author"},
		{"LHCb collaboration: R. Aaij, et al. (909 additional authors)",
	         "LHCb collaboration | R. Aaij"},
		{"G\\\"unther Hajdu\\v{s}ek, Stanis{\\l}aw Hau{\\ss}er",
	         "Günther Hajdušek | Stanisław Haußer"},
		{"J.\\,R. Smith, A", "J. R. Smith | A"},
		{"李明, Émile Zola", "李明 | Émile Zola"},
		{"Evil\nBcc: x, B", "Evil Bcc | x | B"},
		{"?, 123, A", "A"},
		{"Ann Author and Bo Bell", "Ann Author | Bo Bell"},
		{"Ann, Bo, and\nCy (D and E) and F", "Ann | Bo | Cy | F"},
		{"Ann Sand, Andy Bo and", "Ann Sand | Andy Bo and"},
		{"and, Ann", "and | Ann"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(mem) char *names = split(span_of(cases[i].line));

		assert_string_equal(names, cases[i].names);
	}
}

/* Matching parentheses one by one would take hours for these. */
static void takes_hostile_parentheses_in_its_stride(void **state)
{
	static const char *const patterns[] = {"(", ")", "()", "(,", ")("};

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		owned(buf) struct buf line = BUF_INIT(2 * LIMIT_AUTHORS_BYTES);
		owned(mem) char *names = NULL;

		while (line.len < LIMIT_AUTHORS_BYTES)
			buf_add_str(&line, patterns[i]);
		names = split(buf_span(&line));
		assert_string_equal(names, "");
	}
}

static void adds_to_the_names_that_are_there(void **state)
{
	owned(strings) struct strings authors = {0};

	(void)state;
	strings_add(&authors, span_of("First"));
	feed_split_authors(span_of("Second"), &authors);
	assert_int_equal(authors.n, 2);
	assert_string_equal(authors.items[0], "First");
	assert_string_equal(authors.items[1], "Second");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_a_line_into_names),
		cmocka_unit_test(takes_hostile_parentheses_in_its_stride),
		cmocka_unit_test(adds_to_the_names_that_are_there),
	};

	return cmocka_run_group_tests_name("authors", tests, NULL, NULL);
}
