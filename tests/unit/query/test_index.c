#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "query/query.h"
#include "text/text.h"

#include "golden.h"

#define N(array) (sizeof(array) / sizeof(*(array)))

static void owned_release_match(struct match *match)
{
	match_fini(match);
}

/* ---- matches ---- */

struct sheet {
	struct query_pool *pool;
	struct paper *paper;
	enum announce_type type;
	struct buf out;
};

/* As the feeds' parser does it. */
static void set_text(char **field, struct span text)
{
	owned(buf) struct buf display = BUF_INIT(SIZE_MAX);

	text_add_display(&display, text);
	free(*field);
	*field = mem_dup(buf_str(&display));
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
		query_index_new(sheet->pool, &paper, 1);
	owned(query_results) struct query_results results = {0};
	owned(match) struct match match = {0};

	query_run(index, query, &results);
	if (results.n != 1) {
		buf_add_str(&sheet->out, results.n == 0 ? "no" : "TWICE");
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

static int parse_line(const struct sheet *sheet, struct query **ret_query,
                      char kind, char *text, struct error *err)
{
	struct topic topic = {0};
	struct strings list = {&text, 1, 1};

	if (kind == '?')
		return query_parse(ret_query, sheet->pool, text, err);
	if (kind == 'k')
		topic.keywords = list;
	else
		topic.authors = list;
	return query_from_topic(ret_query, sheet->pool, &topic, err);
}

static void ask(struct sheet *sheet, char kind, struct span question)
{
	owned(query) struct query *query = NULL;
	owned(mem) char *text = mem_dup_span(question);
	struct error err = {0};

	buf_add_char(&sheet->out, '\t');
	if (parse_line(sheet, &query, kind, text, &err) < 0)
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
	struct sheet sheet = {
		.pool = query_pool_new(),
		.out = BUF_INIT(SIZE_MAX),
	};
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
	query_pool_free(sheet.pool);
	buf_fini(&sheet.out);
}

static void add_times(struct buf *out, const char *piece, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_str(out, piece);
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

struct batch {
	struct query_pool *pool;
	struct query_index *index;
};

static struct batch index_papers(const struct query_paper *papers, size_t n)
{
	struct batch batch = {.pool = query_pool_new()};

	batch.index = query_index_new(batch.pool, papers, n);
	return batch;
}

static void owned_release_batch(struct batch *batch)
{
	query_index_free(batch->index);
	query_pool_free(batch->pool);
}

static void run_query(const struct batch *batch, const char *text,
                      struct query_results *ret_results)
{
	owned(query) struct query *query = NULL;
	struct error err = {0};

	if (query_parse(&query, batch->pool, text, &err) < 0)
		fail_msg("%s", err.message);
	query_run(batch->index, query, ret_results);
}

static size_t count_matches(const struct batch *batch, const char *text)
{
	owned(query_results) struct query_results results = {0};

	run_query(batch, text, &results);
	return results.n;
}

static void finds_papers_that_exist_only(void **state)
{
	static const size_t sizes[] = {0, 1, 63, 64, 65, 130};

	(void)state;
	for (size_t i = 0; i < N(sizes); i++) {
		size_t n = sizes[i];
		owned(papers) struct query_paper *papers = make_batch(n);
		owned(batch) struct batch batch = index_papers(papers, n);

		assert_int_equal(count_matches(&batch, "NOT nothing"), n);
		assert_int_equal(count_matches(&batch, "all"), n);
		assert_int_equal(count_matches(&batch, "odd"), n / 2);
		assert_int_equal(count_matches(&batch, "even NOT odd"),
		                 n - n / 2);
		assert_int_equal(count_matches(&batch, "odd even"), 0);
		assert_int_equal(count_matches(&batch, "odd OR -odd"), n);
		assert_int_equal(count_matches(&batch, "number1"), n > 1);
		assert_int_equal(count_matches(&batch, "numb*"), n);
	}
}

static double score_of(const struct batch *batch, const char *text, size_t n)
{
	owned(query_results) struct query_results results = {0};

	run_query(batch, text, &results);
	for (size_t i = 0; i < results.n; i++)
		if (results.items[i].paper == n)
			return results.items[i].score;
	fail_msg("%s does not find paper %zu", text, n);
	return 0;
}

static void scores_titles_above_abstracts_and_authors_above_all(void **state)
{
	owned(papers) struct query_paper *papers =
		mem_array(5, sizeof(*papers));
	owned(batch) struct batch batch = {0};
	double title;
	double abstract;

	(void)state;
	papers[0].paper = make_paper("graph learning", "on trees and more");
	papers[1].paper = make_paper("tree learning", "on graph and trees");
	papers[2].paper = make_paper("about learning", "of graph and graph");
	papers[3].paper = make_paper("about words", "of something else");
	batch = index_papers(papers, 4);

	title = score_of(&batch, "graph", 0);
	abstract = score_of(&batch, "graph", 1);
	assert_true(title > abstract && abstract > 0);
	assert_true(score_of(&batch, "graph", 2) > abstract);
	assert_true(score_of(&batch, "graph trees", 1) > abstract);
	assert_true(score_of(&batch, "something", 3) > abstract);
	assert_true(score_of(&batch, "au:Lovelace", 3) > 100 * title);
	assert_true(score_of(&batch, "au:Lovelace graph", 0) >
	            score_of(&batch, "au:Lovelace", 0));
	assert_true(score_of(&batch, "cat:cs.CL", 3) == 0);
	assert_true(score_of(&batch, "NOT nothing", 3) == 0);
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
		owned(batch) struct batch batch = {0};

		add_times(&text, pieces[i], 20000);
		papers[0].paper = make_paper(buf_str(&text), buf_str(&text));
		batch = index_papers(papers, 1);
		count_matches(&batch, "a");
		count_matches(&batch, "\"a a a\"");
		count_matches(&batch, "NEAR(a b, 3)");
		count_matches(&batch, "al*");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_people_mean),
		cmocka_unit_test(finds_papers_that_exist_only),
		cmocka_unit_test(
			scores_titles_above_abstracts_and_authors_above_all),
		cmocka_unit_test(indexes_hostile_papers),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
