#include "query_private.h"

#include "base/mem.h"
#include "model/category.h"

#define BITS 64

static void add_paper(struct query_index *index, uint32_t n)
{
	const struct paper *paper = index->papers[n].paper;

	lexicon_add(&index->prose, n, CLAUSE_TITLE, span_of(paper->title));
	lexicon_add(&index->prose, n, CLAUSE_ABSTRACT,
	            span_of(paper->abstract));
	for (uint32_t i = 0; i < paper->authors.n; i++)
		lexicon_add(&index->names, n, i,
		            span_of(paper->authors.items[i]));
}

struct query_index *query_index_new(const struct query_paper *papers,
                                    size_t n_papers)
{
	struct query_index *index = mem_new(sizeof(*index));

	index->papers = papers;
	index->n_papers = n_papers;
	index->n_words = (n_papers + BITS - 1) / BITS;
	index->clauses = INTERN_INIT;
	lexicon_init(&index->prose, true);
	lexicon_init(&index->names, false);
	for (uint32_t i = 0; i < n_papers; i++)
		add_paper(index, i);
	lexicon_finish(&index->prose);
	lexicon_finish(&index->names);
	return index;
}

void query_index_free(struct query_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->clauses.n; i++)
		free(index->results[i].bits);
	free(index->results);
	intern_fini(&index->clauses);
	lexicon_fini(&index->prose);
	lexicon_fini(&index->names);
	free(index);
}

size_t query_index_words(const struct query_index *index)
{
	return index->n_words;
}

/* ---- clauses ---- */

struct lexicon *index_lexicon(struct query_index *index,
                              const struct query_clause *clause)
{
	switch (clause->kind) {
	case KIND_PHRASE:
	case KIND_NEAR:
		return &index->prose;
	case KIND_AUTHOR:
		return &index->names;
	case KIND_CATEGORY:
	case KIND_ID:
	case KIND_TYPE:
		break;
	}
	return NULL;
}

static void set_paper(const struct query_index *index, struct result *result,
                      uint32_t n)
{
	uint64_t bit = (uint64_t)1 << n % BITS;

	if (!result->bits)
		result->bits = mem_array(index->n_words, sizeof(uint64_t));
	result->n_papers += !(result->bits[n / BITS] & bit);
	result->bits[n / BITS] |= bit;
}

static void evaluate_words(struct query_index *index, struct lexicon *lexicon,
                           const struct query_clause *clause,
                           struct result *result)
{
	owned(hits) struct hits hits = {0};
	struct range all = {0, (uint32_t)index->n_papers};

	find_clause(lexicon, clause, all, &hits);
	for (size_t i = 0; i < hits.n; i++) {
		uint32_t doc = lexicon->places[hits.items[i].first].doc;

		set_paper(index, result, lexicon->docs[doc].paper);
	}
}

static bool has_category(const struct paper *paper, const char *pattern)
{
	for (size_t i = 0; i < paper->categories.n; i++)
		if (category_matches(span_of(pattern),
		                     span_of(paper->categories.items[i])))
			return true;
	return false;
}

static bool passes_value(const struct query_paper *paper,
                         const struct query_clause *clause)
{
	switch (clause->kind) {
	case KIND_CATEGORY:
		return has_category(paper->paper, clause->value);
	case KIND_ID:
		return !strcmp(paper->paper->id, clause->value);
	case KIND_TYPE:
		return !strcmp(announce_type_name(paper->type), clause->value);
	case KIND_PHRASE:
	case KIND_NEAR:
	case KIND_AUTHOR:
		break;
	}
	return false;
}

static struct result evaluate(struct query_index *index,
                              const struct query_clause *clause)
{
	struct lexicon *lexicon = index_lexicon(index, clause);
	struct result result = {0};

	if (lexicon) {
		evaluate_words(index, lexicon, clause, &result);
		return result;
	}
	for (uint32_t i = 0; i < index->n_papers; i++)
		if (passes_value(&index->papers[i], clause))
			set_paper(index, &result, i);
	return result;
}

const struct result *index_result(struct query_index *index,
                                  const struct query_clause *clause)
{
	size_t n_known = index->clauses.n;
	uint32_t n = intern_add(&index->clauses, span_of(clause->canonical));

	if (n == n_known) {
		index->results =
			mem_grow(index->results, &index->results_capacity,
		                 n_known + 1, sizeof(*index->results));
		index->results[n] = evaluate(index, clause);
	}
	return &index->results[n];
}

static bool has_bit(const struct result *result, size_t n)
{
	return result->bits && (result->bits[n / BITS] >> n % BITS & 1);
}

bool index_passes(struct query_index *index, const struct node *node,
                  size_t paper)
{
	bool wanted = node->kind == NODE_OR;

	if (node->kind == NODE_CLAUSE)
		return has_bit(index_result(index, node->clause), paper);
	if (node->kind == NODE_NOT)
		return !index_passes(index, node->children[0], paper);
	for (size_t i = 0; i < node->n; i++)
		if (index_passes(index, node->children[i], paper) == wanted)
			return wanted;
	return !wanted;
}

/* ---- trees ---- */

static void fill(const struct query_index *index, uint64_t *bits,
                 uint64_t value)
{
	for (size_t i = 0; i < index->n_words; i++)
		bits[i] = value;
}

static void run_clause(struct query_index *index, const struct node *node,
                       uint64_t *bits)
{
	const struct result *result = index_result(index, node->clause);

	if (result->bits)
		memcpy(bits, result->bits, index->n_words * sizeof(*bits));
	else
		fill(index, bits, 0);
}

static void run_node(struct query_index *index, const struct node *node,
                     uint64_t *bits);

/* AND and OR: each child's bits into the node's. */
static void run_list(struct query_index *index, const struct node *node,
                     uint64_t *bits)
{
	owned(mem) uint64_t *child = mem_array(index->n_words, sizeof(*child));
	bool any = node->kind == NODE_OR;

	fill(index, bits, any ? 0 : UINT64_MAX);
	for (size_t i = 0; i < node->n; i++) {
		run_node(index, node->children[i], child);
		for (size_t j = 0; j < index->n_words; j++)
			bits[j] = any ? bits[j] | child[j] : bits[j] & child[j];
	}
}

static void run_node(struct query_index *index, const struct node *node,
                     uint64_t *bits)
{
	switch (node->kind) {
	case NODE_CLAUSE:
		run_clause(index, node, bits);
		break;
	case NODE_AND:
	case NODE_OR:
		run_list(index, node, bits);
		break;
	case NODE_NOT:
		run_node(index, node->children[0], bits);
		for (size_t i = 0; i < index->n_words; i++)
			bits[i] = ~bits[i];
		break;
	}
}

void query_run(struct query_index *index, const struct query *query,
               uint64_t *ret_bits)
{
	size_t n_last = index->n_papers % BITS;

	run_node(index, query->root, ret_bits);
	/* Papers that do not exist pass no NOT. */
	if (n_last > 0)
		ret_bits[index->n_words - 1] &= ((uint64_t)1 << n_last) - 1;
}
