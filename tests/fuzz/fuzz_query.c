/*
 * Queries, first line of the input, about a paper, its other lines: parses,
 * runs, marks and explains, in title and abstract and as an author.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "fuzz.h"
#include "query/query.h"

static void ask(struct query_index *index, const struct query *query)
{
	struct query_results results = {0};
	struct query_verdicts verdicts = {0};
	struct match match = {0};

	query_run(index, query, &results);
	query_explain(index, query, 0, &verdicts);
	/* Two ways to the same answer. */
	if (verdicts.items[0].passes != (results.n == 1))
		abort();
	if (results.n == 1)
		query_why(index, query, 0, &match);
	match_fini(&match);
	query_verdicts_fini(&verdicts);
	query_results_fini(&results);
}

static struct paper *make_paper(struct span text)
{
	struct paper *paper = paper_new();
	struct span title = {"", 0};

	if (text.ptr)
		span_split(&text, '\n', &title);
	paper->id = mem_dup("2601.00001");
	paper->title = mem_dup_span(title);
	paper->abstract = mem_dup_span(text);
	strings_add(&paper->authors, title);
	strings_add(&paper->categories, span_of("cs.CL"));
	return paper;
}

static void ask_text(struct span written, struct span text)
{
	owned(paper) struct paper *paper = make_paper(text);
	struct query_paper batch = {paper, ANNOUNCE_NEW};
	owned(query_pool) struct query_pool *pool = query_pool_new();
	owned(query_index) struct query_index *index =
		query_index_new(pool, &batch, 1);
	owned(query) struct query *query = NULL;
	owned(query) struct query *keyword = NULL;
	owned(mem) char *string = mem_dup_span(written);
	struct topic topic = {.keywords = {&string, 1, 1}};
	struct error err = {0};

	if (query_parse(&query, pool, string, &err) == 0)
		ask(index, query);
	if (query_from_topic(&keyword, pool, &topic, &err) == 0)
		ask(index, keyword);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	struct span query = {"", 0};

	if (size > 0)
		span_split(&text, '\n', &query);
	ask_text(query, text);
	return 0;
}
