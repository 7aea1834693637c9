#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "query/query.h"

#define N(array) (sizeof(array) / sizeof(*(array)))
#define GOLDEN "tests/golden/query/"

static void owned_release_match(struct match *match)
{
	match_fini(match);
}

static void read_golden(struct buf *text, const char *name)
{
	owned(mem) char *path = mem_printf(GOLDEN "%s", name);
	struct error err = {0};

	if (file_read(text, path, &err) < 0)
		fail_msg("%s", err.message);
}

static void write_golden(const char *name, struct span got)
{
	owned(mem) char *path = mem_printf(GOLDEN "%s", name);
	struct error err = {0};

	if (file_replace(path, got, 0644, &err) < 0)
		fail_msg("%s", err.message);
}

/*
 * Line by line, so that a failure shows which one it is. GOLDEN_ACCEPT=1
 * writes the file instead.
 */
static void assert_golden(const char *name, struct span got)
{
	owned(buf) struct buf want = BUF_INIT(SIZE_MAX);
	struct span rest;
	struct span line;
	struct span other = SPAN_NONE;

	if (getenv("GOLDEN_ACCEPT"))
		write_golden(name, got);
	read_golden(&want, name);
	rest = buf_span(&want);
	while (span_split(&got, '\n', &line)) {
		span_split(&rest, '\n', &other);
		if (!span_equal(line, other))
			fail_msg("%s:\n got: %.*s\nwant: %.*s", name,
			         (int)line.len, line.ptr, (int)other.len,
			         other.ptr);
	}
	assert_int_equal(rest.len, 0);
}

/* ---- trees and errors ---- */

static void add_tree_or_error(struct buf *out, const char *text)
{
	owned(query) struct query *query = NULL;
	struct error err = {0};

	if (query_parse(&query, text, &err) < 0)
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

/* ---- matches ---- */

struct sheet {
	struct paper *paper;
	enum announce_type type;
	struct buf out;
};

static void set_text(char **field, struct span text)
{
	free(*field);
	*field = mem_dup_span(text);
}

static void set_list(struct strings *list, struct span text, char separator)
{
	struct span item;

	strings_fini(list);
	while (span_split(&text, separator, &item))
		strings_add(list, span_trim(item));
}

static void add_marked(struct buf *out, const char *text,
                       const struct marks *marks)
{
	for (size_t i = 0; i < marks->n; i++)
		buf_addf(out, " [%.*s]", (int)marks->items[i].len,
		         text + marks->items[i].start);
}

static void add_clauses(struct buf *out, const struct match *match)
{
	static const char *const names[] = {"title", "abstract", "author",
	                                    "other"};

	for (size_t i = 0; i < match->n_clauses; i++) {
		buf_addf(out, " {%s:", match->clauses[i].text);
		for (unsigned j = 0; j < N(names); j++)
			if (match->clauses[i].fields & 1U << j)
				buf_addf(out, " %s", names[j]);
		buf_add_char(out, '}');
	}
}

static void add_match(struct sheet *sheet, const struct query *query)
{
	struct query_paper paper = {sheet->paper, sheet->type};
	owned(query_index) struct query_index *index =
		query_index_new(&paper, 1);
	owned(match) struct match match = {0};
	uint64_t bits;

	query_run(index, query, &bits);
	if (bits != 1) {
		buf_add_str(&sheet->out, bits == 0 ? "no" : "BITS");
		return;
	}
	query_why(index, query, 0, &match);
	buf_add_str(&sheet->out, "yes");
	add_marked(&sheet->out, sheet->paper->title, &match.title);
	add_marked(&sheet->out, sheet->paper->abstract, &match.abstract);
	for (size_t i = 0; i < match.authors.n; i++)
		buf_addf(&sheet->out, " [%s]",
		         sheet->paper->authors
		                 .items[match.authors.items[i].start]);
	add_clauses(&sheet->out, &match);
}

static int parse_line(struct query **ret_query, char kind, char *text,
                      struct error *err)
{
	struct topic topic = {0};
	struct strings list = {&text, 1, 1};

	if (kind == '?')
		return query_parse(ret_query, text, err);
	if (kind == 'k')
		topic.keywords = list;
	else
		topic.authors = list;
	return query_from_topic(ret_query, &topic, err);
}

static void ask(struct sheet *sheet, char kind, struct span question)
{
	owned(query) struct query *query = NULL;
	owned(mem) char *text = mem_dup_span(question);
	struct error err = {0};

	buf_add_char(&sheet->out, '\t');
	if (parse_line(&query, kind, text, &err) < 0)
		buf_addf(&sheet->out, "error: %s", err.message);
	else
		add_match(sheet, query);
	buf_add_char(&sheet->out, '\n');
}

static void begin_paper(struct sheet *sheet, struct span title)
{
	paper_free(sheet->paper);
	sheet->paper = paper_new();
	sheet->paper->id = mem_dup("2403.17887");
	sheet->type = ANNOUNCE_NEW;
	set_text(&sheet->paper->title, title);
	set_text(&sheet->paper->abstract, SPAN_NONE);
}

/* T title, A abstract, U authors; C categories; Y type; ? query, k keyword,
 * a author. */
static void read_sheet_line(struct sheet *sheet, struct span line)
{
	struct span value = span_skip(line, 2);

	switch (line.ptr[0]) {
	case 'T':
		begin_paper(sheet, value);
		break;
	case 'A':
		set_text(&sheet->paper->abstract, value);
		break;
	case 'U':
		set_list(&sheet->paper->authors, value, ';');
		break;
	case 'C':
		set_list(&sheet->paper->categories, value, ' ');
		break;
	case 'Y':
		assert_true(announce_type_parse(value, &sheet->type));
		break;
	case '?':
	case 'k':
	case 'a':
		ask(sheet, line.ptr[0], value);
		break;
	default:
		assert_int_equal(line.ptr[0], '#');
	}
}

static void finds_what_people_mean(void **state)
{
	owned(buf) struct buf in = BUF_INIT(SIZE_MAX);
	struct sheet sheet = {.out = BUF_INIT(SIZE_MAX)};
	struct span rest;
	struct span line;

	(void)state;
	read_golden(&in, "match.in");
	rest = buf_span(&in);
	while (span_split(&rest, '\n', &line)) {
		if (line.len == 0 && rest.len == 0)
			break;
		buf_add_span(&sheet.out, line);
		buf_add_char(&sheet.out, '\n');
		if (line.len > 1)
			read_sheet_line(&sheet, line);
	}
	assert_golden("match.out", buf_span(&sheet.out));
	paper_free(sheet.paper);
	buf_fini(&sheet.out);
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

static int read_topic(struct query **ret_query, const struct lists *lists,
                      struct error *err)
{
	struct topic topic = {.query = mem_dup(lists->query)};
	int rc;

	add_items(&topic.keywords, lists->keywords);
	add_items(&topic.authors, lists->authors);
	add_items(&topic.exclude, lists->exclude);
	rc = query_from_topic(ret_query, &topic, err);
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
		owned(query) struct query *query = NULL;
		struct error err = {0};

		if (read_topic(&query, &cases[i].lists, &err) < 0)
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
		struct query *query = NULL;
		struct error err = {0};

		assert_int_equal(read_topic(&query, &cases[i].lists, &err), -1);
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
		struct query *query = NULL;
		struct error err = {0};

		add_times(&text, cases[i].piece, cases[i].n);
		buf_add_str(&text, cases[i].after);
		assert_int_equal(query_parse(&query, buf_str(&text), &err), -1);
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
			owned(query) struct query *query = NULL;
			struct error err = {0};

			add_times(&text, pieces[i], 20);
			add_times(&text, pieces[j], 20);
			if (query_parse(&query, buf_str(&text), &err) < 0)
				assert_true(err.kind == ERROR_SYNTAX ||
				            err.kind == ERROR_LIMIT);
			else
				assert_non_null(query);
		}
}

/* ---- batches ---- */

static struct paper *make_paper(const char *title, const char *abstract)
{
	struct paper *paper = paper_new();

	paper->id = mem_dup("2403.00001");
	paper->title = mem_dup(title);
	paper->abstract = mem_dup(abstract);
	strings_add(&paper->authors, span_of("Ada Lovelace"));
	strings_add(&paper->categories, span_of("cs.CL"));
	return paper;
}

static void owned_release_papers(struct query_paper **papers)
{
	for (size_t i = 0; (*papers)[i].paper; i++) {
		union {
			const struct paper *borrowed;
			struct paper *own;
		} paper = {(*papers)[i].paper};

		paper_free(paper.own);
	}
	free(*papers);
}

static struct query_paper *make_batch(size_t n)
{
	struct query_paper *papers = mem_array(n + 1, sizeof(*papers));

	for (size_t i = 0; i < n; i++) {
		owned(mem) char *title = mem_printf("number%zu of all", i);

		papers[i].paper = make_paper(title, i % 2 ? "odd" : "even");
	}
	return papers;
}

static size_t count_matches(struct query_index *index, const char *text)
{
	owned(mem) uint64_t *bits =
		mem_array(query_index_words(index), sizeof(*bits));
	owned(query) struct query *query = NULL;
	struct error err = {0};
	size_t n = 0;

	if (query_parse(&query, text, &err) < 0)
		fail_msg("%s", err.message);
	query_run(index, query, bits);
	for (size_t i = 0; i < query_index_words(index); i++)
		n += (size_t)__builtin_popcountll(bits[i]);
	return n;
}

static void sets_bits_of_papers_that_exist_only(void **state)
{
	static const size_t sizes[] = {0, 1, 63, 64, 65, 130};

	(void)state;
	for (size_t i = 0; i < N(sizes); i++) {
		size_t n = sizes[i];
		owned(papers) struct query_paper *papers = make_batch(n);
		owned(query_index) struct query_index *index =
			query_index_new(papers, n);

		assert_int_equal(query_index_words(index), (n + 63) / 64);
		assert_int_equal(count_matches(index, "NOT nothing"), n);
		assert_int_equal(count_matches(index, "all"), n);
		assert_int_equal(count_matches(index, "odd"), n / 2);
		assert_int_equal(count_matches(index, "even NOT odd"),
		                 n - n / 2);
		assert_int_equal(count_matches(index, "odd even"), 0);
		assert_int_equal(count_matches(index, "odd OR -odd"), n);
		assert_int_equal(count_matches(index, "number1"), n > 1);
		assert_int_equal(count_matches(index, "numb*"), n);
	}
}

static double score_of(struct query_index *index, const char *text, size_t n)
{
	owned(query) struct query *query = NULL;
	struct error err = {0};

	assert_int_equal(query_parse(&query, text, &err), 0);
	return query_score(index, query, n);
}

static void scores_titles_above_abstracts_and_authors_above_all(void **state)
{
	owned(papers) struct query_paper *papers =
		mem_array(5, sizeof(*papers));
	owned(query_index) struct query_index *index = NULL;
	double title;
	double abstract;

	(void)state;
	papers[0].paper = make_paper("graph learning", "on trees and more");
	papers[1].paper = make_paper("tree learning", "on graph and trees");
	papers[2].paper = make_paper("about learning", "of graph and graph");
	papers[3].paper = make_paper("about words", "of something else");
	index = query_index_new(papers, 4);

	title = score_of(index, "graph", 0);
	abstract = score_of(index, "graph", 1);
	assert_true(title > abstract && abstract > 0);
	assert_true(score_of(index, "graph", 2) > abstract);
	assert_true(score_of(index, "graph trees", 1) > abstract);
	assert_true(score_of(index, "something", 3) > abstract);
	assert_true(score_of(index, "au:Lovelace", 3) > 100 * title);
	assert_true(score_of(index, "au:Lovelace graph", 0) >
	            score_of(index, "au:Lovelace", 0));
	assert_true(score_of(index, "cat:cs.CL", 3) == 0);
	assert_true(score_of(index, "NOT nothing", 3) == 0);
}

static void indexes_hostile_papers(void **state)
{
	static const char *const pieces[] = {
		"\xFF", "$",    "\\(", "a-",   "a.",     "\u0301", "\\alpha",
		"{a}",  "a++ ", "深",  "a b ", "\u200B", "'",      "$x$-",
	};

	(void)state;
	for (size_t i = 0; i < N(pieces); i++) {
		owned(papers) struct query_paper *papers =
			mem_array(2, sizeof(*papers));
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);
		owned(query_index) struct query_index *index = NULL;

		add_times(&text, pieces[i], 20000);
		papers[0].paper = make_paper(buf_str(&text), buf_str(&text));
		index = query_index_new(papers, 1);
		count_matches(index, "a");
		count_matches(index, "\"a a a\"");
		count_matches(index, "NEAR(a b, 3)");
		count_matches(index, "al*");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_queries_to_trees_or_errors),
		cmocka_unit_test(finds_what_people_mean),
		cmocka_unit_test(reads_the_lists_of_a_topic),
		cmocka_unit_test(says_where_a_topic_is_wrong),
		cmocka_unit_test(refuses_what_is_beyond_its_limits),
		cmocka_unit_test(survives_hostile_queries),
		cmocka_unit_test(sets_bits_of_papers_that_exist_only),
		cmocka_unit_test(
			scores_titles_above_abstracts_and_authors_above_all),
		cmocka_unit_test(indexes_hostile_papers),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
