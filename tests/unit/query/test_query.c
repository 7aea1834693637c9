#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "query/query.h"

#include "golden.h"

#define N(array) (sizeof(array) / sizeof(*(array)))

/* ---- trees and errors ---- */

static void add_tree_or_error(struct buf *out, const char *text)
{
	owned(query_pool) struct query_pool *pool = query_pool_new();
	owned(query) struct query *query = NULL;
	struct error err = {0};

	if (query_parse(&query, pool, text, &err) < 0)
		buf_addf(out, "error: %s", err.message);
	else
		query_add_tree(out, query);
}

static void parses_queries_to_trees_or_errors(void **state)
{
	owned(buf) struct buf in = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf out = BUF_INIT(SIZE_MAX);
	struct span rest;
	struct span line;

	(void)state;
	read_golden(&in, "tree.in");
	rest = buf_span(&in);
	while (span_split(&rest, '\n', &line)) {
		owned(mem) char *text = mem_dup_span(line);

		if (line.len == 0 && rest.len == 0)
			break;
		buf_addf(&out, "%s\n", text);
		if (line.len > 0 && line.ptr[0] != '#') {
			buf_add_str(&out, "\t");
			add_tree_or_error(&out, text);
			buf_add_char(&out, '\n');
		}
	}
	assert_golden("tree.out", buf_span(&out));
}

/* ---- topics ---- */

struct lists {
	const char *keywords[4];
	const char *authors[4];
	const char *exclude[4];
	const char *query;
};

static void add_items(struct strings *list, const char *const *items)
{
	for (size_t i = 0; items[i]; i++)
		strings_add(list, span_of(items[i]));
}

static int read_topic(struct query **ret_query, struct query_pool *pool,
                      const struct lists *lists, struct error *err)
{
	struct topic topic = {.query = mem_dup(lists->query)};
	int rc;

	add_items(&topic.keywords, lists->keywords);
	add_items(&topic.authors, lists->authors);
	add_items(&topic.exclude, lists->exclude);
	rc = query_from_topic(ret_query, pool, &topic, err);
	strings_fini(&topic.keywords);
	strings_fini(&topic.authors);
	strings_fini(&topic.exclude);
	free(topic.query);
	return rc;
}

static void reads_the_lists_of_a_topic(void **state)
{
	static const struct {
		struct lists lists;
		const char *tree;
	} cases[] = {
		{{{0}, {0}, {0}, NULL}, "(all)"},
		{{.keywords = {"graph"}}, "(and (or (word any \"graph\")))"},
		{{.keywords = {"large lang*", "quantiz*"},
	          .authors = {"Y. LeCun", "LeCun, Y"},
	          .exclude = {"survey"}},
	         "(and (or (phrase any \"large lang*\") "
	         "(prefix any \"quantiz*\") (author \"y lecun\") "
	         "(author \"y lecun\")) (not (or (word any \"survey\"))))"},
		{{.exclude = {"survey"}},
	         "(and (not (or (word any \"survey\"))))"},
		{{.keywords = {"AND", " fine-tuning "}},
	         "(and (or (word any \"and\") (phrase any \"fine-tuning\")))"},
		{{.keywords = {"Schr\\\"odinger bridge"},
	          .authors = {"M\\\"uller"}},
	         "(and (or (phrase any \"schrodinger bridge\") "
	         "(author \"muller\")))"},
		{{.keywords = {"x"}, .query = "lattice"},
	         "(word any \"lattice\")"},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		owned(buf) struct buf tree = BUF_INIT(SIZE_MAX);
		owned(query_pool) struct query_pool *pool = query_pool_new();
		owned(query) struct query *query = NULL;
		struct error err = {0};

		if (read_topic(&query, pool, &cases[i].lists, &err) < 0)
			fail_msg("%s", err.message);
		query_add_tree(&tree, query);
		assert_string_equal(buf_str(&tree), cases[i].tree);
	}
}

static void says_where_a_topic_is_wrong(void **state)
{
	static const struct {
		struct lists lists;
		const char *message;
	} cases[] = {
		{{.query = "a )"},
	         "query: column 3: no '(' belongs to this ')'"},
		{{.keywords = {"a", ""}},
	         "keywords[1]: there is no word in it"},
		{{.keywords = {"***"}}, "keywords[0]: there is no word in it"},
		{{.keywords = {"ti:foo"}},
	         "keywords[0]: fields (ti: au: cat:) work in `query` only: "
	         "make "
	         "a topic with a query of it"},
		{{.keywords = {"a AND b"}},
	         "keywords[0]: AND, OR and NOT work in `query` only: make a "
	         "topic with a query of it"},
		{{.keywords = {"-survey"}},
	         "keywords[0]: '-' works in `query` only: put the word under "
	         "`exclude` instead"},
		{{.keywords = {"\"a b\""}},
	         "keywords[0]: leave the quotes out: words in a row are a "
	         "phrase already"},
		{{.keywords = {"(a b)"}},
	         "keywords[0]: parentheses and NEAR work in `query` only: make "
	         "a topic with a query of it"},
		{{.keywords = {"graphs, trees"}},
	         "keywords[0]: ',' ends a phrase, so nothing matches across "
	         "it: leave it out or write two phrases"},
		{{.keywords = {"fo*o"}},
	         "keywords[0]: '*' works at the end of the last word only"},
		{{.keywords = {"x*"}},
	         "keywords[0]: two letters or more must stand before '*'"},
		{{.authors = {"Tao", "A; B"}},
	         "authors[1]: write one name, as \"Yann LeCun\", \"Y. LeCun\" "
	         "or \"LeCun, Y\""},
		{{.authors = {" "}}, "authors[0]: there is no name in it"},
		{{.authors = {"au:Tao"}},
	         "authors[0]: leave 'au:' out: these are authors already"},
		{{.exclude = {"a|b"}}, "exclude[0]: write OR instead of '|'"},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		owned(query_pool) struct query_pool *pool = query_pool_new();
		struct query *query = NULL;
		struct error err = {0};

		assert_int_equal(
			read_topic(&query, pool, &cases[i].lists, &err), -1);
		assert_int_equal(err.kind, ERROR_SYNTAX);
		assert_string_equal(err.message, cases[i].message);
		assert_null(query);
	}
}

/* ---- limits ---- */

static void add_times(struct buf *out, const char *piece, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_str(out, piece);
}

static void refuses_what_is_beyond_its_limits(void **state)
{
	static const struct {
		const char *piece;
		size_t n;
		const char *after;
		const char *message;
	} cases[] = {
		{"(", 1000, "a",
	         "parentheses and NOT go at most 100 levels deep"},
		{"NOT ", 1000, "a",
	         "parentheses and NOT go at most 100 levels deep"},
		{"-(", 1000, "a",
	         "parentheses and NOT go at most 100 levels deep"},
		{"a ", 4001, "",
	         "a query has at most 4000 words, phrases and operators"},
		{"a", 65536, "", "the query is longer than 16384 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);
		owned(query_pool) struct query_pool *pool = query_pool_new();
		struct query *query = NULL;
		struct error err = {0};

		add_times(&text, cases[i].piece, cases[i].n);
		buf_add_str(&text, cases[i].after);
		assert_int_equal(
			query_parse(&query, pool, buf_str(&text), &err), -1);
		assert_int_equal(err.kind, ERROR_LIMIT);
		assert_string_equal(err.message, cases[i].message);
	}
}

static void survives_hostile_queries(void **state)
{
	static const char *const pieces[] = {
		"\xFF", "\xF0\x9F",  "\"",  "ti:",   "\\",  "$",   "a\u0301",
		"-a ",  "NEAR(a b,", "a.b", "a-b-",  "C++", "{a}", "*",
		"'s ",  "深",        "OR ", "cat:x", "a:",  "&",   "\x01",
	};

	(void)state;
	for (size_t i = 0; i < N(pieces); i++)
		for (size_t j = 0; j < N(pieces); j++) {
			owned(buf) struct buf text = BUF_INIT(SIZE_MAX);
			owned(query_pool) struct query_pool *pool =
				query_pool_new();
			owned(query) struct query *query = NULL;
			struct error err = {0};

			add_times(&text, pieces[i], 20);
			add_times(&text, pieces[j], 20);
			if (query_parse(&query, pool, buf_str(&text), &err) < 0)
				assert_true(err.kind == ERROR_SYNTAX ||
				            err.kind == ERROR_LIMIT);
			else
				assert_non_null(query);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_queries_to_trees_or_errors),
		cmocka_unit_test(reads_the_lists_of_a_topic),
		cmocka_unit_test(says_where_a_topic_is_wrong),
		cmocka_unit_test(refuses_what_is_beyond_its_limits),
		cmocka_unit_test(survives_hostile_queries),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
