#include "index_private.h"

#include "base/mem.h"
#include "model/category.h"

#define BITS 64

static void add_paper(struct finder *finder, const struct paper *paper,
                      uint32_t n)
{
	lexicon_add(&finder->prose, n, CLAUSE_TITLE, span_of(paper->title));
	lexicon_add(&finder->prose, n, CLAUSE_ABSTRACT,
	            span_of(paper->abstract));
	for (uint32_t i = 0; i < paper->authors.n; i++)
		lexicon_add(&finder->names, n, i,
		            span_of(paper->authors.items[i]));
}

static void init_finder(struct finder *finder, const struct query_pool *pool)
{
	finder->pool = pool;
	lexicon_init(&finder->prose, true);
	lexicon_init(&finder->names, false);
	finder->targets = (struct targets){
		.pool = pool,
		.prose = &finder->prose,
		.names = &finder->names,
	};
}

static void fini_finder(struct finder *finder)
{
	lexicon_fini(&finder->prose);
	lexicon_fini(&finder->names);
	targets_fini(&finder->targets);
	steps_fini(&finder->steps);
	numbers_fini(&finder->places);
}

static struct query_paper *copy_papers(const struct query_paper *papers,
                                       size_t n)
{
	struct query_paper *copy = mem_array(n, sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = papers[i];
	return copy;
}

struct query_index *query_index_begin(const struct query_pool *pool,
                                      const struct query_paper *papers,
                                      size_t n_papers)
{
	struct query_index *index = mem_new(sizeof(*index));

	init_finder(&index->finder, pool);
	index->papers = copy_papers(papers, n_papers);
	index->n_papers = n_papers;
	index->n_words = (n_papers + BITS - 1) / BITS;
	index->tallies = mem_array(n_papers, sizeof(*index->tallies));
	return index;
}

bool query_index_go_on(struct query_index *index, size_t most)
{
	for (; most > 0 && index->n_added < index->n_papers; most--) {
		add_paper(&index->finder, index->papers[index->n_added].paper,
		          index->n_added);
		index->n_added++;
	}
	if (index->n_added < index->n_papers)
		return false;
	lexicon_finish(&index->finder.prose);
	lexicon_finish(&index->finder.names);
	score_lengths(index);
	return true;
}

struct query_index *query_index_new(const struct query_pool *pool,
                                    const struct query_paper *papers,
                                    size_t n_papers)
{
	struct query_index *index = query_index_begin(pool, papers, n_papers);

	(void)query_index_go_on(index, n_papers);
	return index;
}

void query_index_free(struct query_index *index)
{
	if (!index)
		return;
	fini_finder(&index->finder);
	hits_fini(&index->hits);
	free(index->papers);
	free(index->lengths);
	free(index->results);
	free(index->postings);
	free(index->tallies);
	free(index);
}

/* ---- clauses ---- */

static void add_posting(struct query_index *index, size_t first, uint32_t paper)
{
	size_t n = index->n_postings;

	if (n > first && index->postings[n - 1].paper == paper)
		return;
	index->postings = mem_grow(index->postings, &index->postings_capacity,
	                           n + 1, sizeof(*index->postings));
	index->postings[index->n_postings++] = (struct posting){paper, 0};
}

/* What one hit adds to the posting of its paper. */
static void add_hit(struct query_index *index, const struct lexicon *lexicon,
                    const struct hit *hit, size_t first)
{
	const struct doc *doc = &lexicon->docs[lexicon->places[hit->first].doc];

	add_posting(index, first, doc->paper);
	if (lexicon == &index->finder.prose)
		index->postings[index->n_postings - 1].score +=
			score_weight(doc->part);
}

static bool has_category(const struct paper *paper, struct span pattern)
{
	for (size_t i = 0; i < paper->categories.n; i++)
		if (category_matches(pattern,
		                     span_of(paper->categories.items[i])))
			return true;
	return false;
}

static bool passes_value(const struct query_paper *paper, enum clause_kind kind,
                         struct span value)
{
	switch (kind) {
	case KIND_CATEGORY:
		return has_category(paper->paper, value);
	case KIND_ID:
		return span_is(value, paper->paper->id);
	case KIND_TYPE:
		return span_is(value, announce_type_name(paper->type));
	case KIND_PHRASE:
	case KIND_NEAR:
	case KIND_AUTHOR:
		break;
	}
	return false;
}

static void evaluate_value(struct query_index *index,
                           const struct query_clause *clause)
{
	struct span value = pool_value(index->finder.pool, clause);
	size_t first = index->n_postings;

	for (uint32_t i = 0; i < index->n_papers; i++)
		if (passes_value(&index->papers[i],
		                 (enum clause_kind)clause->kind, value))
			add_posting(index, first, i);
}

static void evaluate(struct query_index *index,
                     const struct query_clause *clause)
{
	const struct lexicon *lexicon = find_lexicon(&index->finder, clause);
	struct range all = {0, (uint32_t)index->n_papers};
	size_t first = index->n_postings;

	if (!lexicon) {
		evaluate_value(index, clause);
		return;
	}
	find_clause(&index->finder, clause, all, &index->hits);
	for (size_t i = 0; i < index->hits.n; i++)
		add_hit(index, lexicon, &index->hits.items[i], first);
	if (lexicon == &index->finder.prose)
		score_postings(index, first);
}

void index_grow(struct query_index *index)
{
	size_t n = index->finder.pool->clauses.n;

	targets_grow(&index->finder.targets);
	if (n <= index->n_results)
		return;
	index->results = mem_grow(index->results, &index->results_capacity, n,
	                          sizeof(*index->results));
	memset(index->results + index->n_results, 0,
	       (n - index->n_results) * sizeof(*index->results));
	index->n_results = n;
}

struct result *index_result(struct query_index *index, uint32_t clause)
{
	struct result *result = &index->results[clause];

	if (result->known)
		return result;
	result->known = true;
	result->author = index->finder.pool->clause[clause].kind == KIND_AUTHOR;
	result->first = (uint32_t)index->n_postings;
	evaluate(index, &index->finder.pool->clause[clause]);
	result->n = (uint32_t)index->n_postings - result->first;
	return result;
}

const struct posting *index_posting(struct query_index *index, uint32_t clause,
                                    size_t paper)
{
	const struct result *result = index_result(index, clause);
	const struct posting *postings;
	size_t low = 0;
	size_t high = result->n;

	if (result->n == 0)
		return NULL;
	postings = &index->postings[result->first];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (postings[middle].paper < paper)
			low = middle + 1;
		else
			high = middle;
	}
	return low < result->n && postings[low].paper == paper ? &postings[low]
	                                                       : NULL;
}
