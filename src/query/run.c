#include "index_private.h"

#include "base/mem.h"

#define BITS 64

void query_results_fini(struct query_results *results)
{
	free(results->items);
	*results = (struct query_results){0};
}

static void add_found(struct query_results *results, uint32_t paper,
                      double score)
{
	results->items = mem_grow(results->items, &results->capacity,
	                          results->n + 1, sizeof(*results->items));
	results->items[results->n++] = (struct query_found){paper, score};
}

static bool ranks_before(const struct query_found *a,
                         const struct query_found *b)
{
	return a->score > b->score ||
	       (a->score == b->score && a->paper < b->paper);
}

/*
 * Shell sort: nearly all lists are short, and a sort that must call for each
 * comparison takes as long as the matching.
 */
static void sort_found(struct query_results *results)
{
	static const size_t gaps[] = {1968, 336, 57, 1};
	struct query_found *items = results->items;

	for (size_t g = 0; g < sizeof(gaps) / sizeof(*gaps); g++)
		for (size_t i = gaps[g]; i < results->n; i++) {
			struct query_found found = items[i];
			size_t j = i;

			for (; j >= gaps[g] &&
			       ranks_before(&found, &items[j - gaps[g]]);
			     j -= gaps[g])
				items[j] = items[j - gaps[g]];
			items[j] = found;
		}
}

/* ---- lists, as nearly all subscribers have ---- */

/* Any of the wanted leaves and none of the unwanted ones. */
struct lists {
	const uint32_t *wanted;
	const uint32_t *unwanted;
	uint32_t n_wanted;
	uint32_t n_unwanted;
};

static bool is_leaf(uint32_t code)
{
	return code_kind(code) == NODE_CLAUSE;
}

/* Takes an OR of leaves, or a leaf, off the code. */
static bool take_leaves(const uint32_t **code, const uint32_t **ret_leaves,
                        uint32_t *ret_n)
{
	const uint32_t *at = *code;
	uint32_t n = is_leaf(*at) ? 1 : code_number(*at);

	if (!is_leaf(*at) && code_kind(*at) != NODE_OR)
		return false;
	at += is_leaf(*at) ? 0 : 1;
	for (uint32_t i = 0; i < n; i++)
		if (!is_leaf(at[i]))
			return false;
	*ret_leaves = at;
	*ret_n = n;
	*code = at + n;
	return true;
}

/* False if it is another kind of query. */
static bool read_lists(const struct query *query, struct lists *ret_lists)
{
	const uint32_t *code = query->code;
	const uint32_t *end = query->code + query->n;
	struct lists lists = {0};

	if (code_kind(*code) == NODE_AND)
		code++;
	if (code == end || !take_leaves(&code, &lists.wanted, &lists.n_wanted))
		return false;
	if (code < end && code_kind(*code) == NODE_NOT) {
		code++;
		if (!take_leaves(&code, &lists.unwanted, &lists.n_unwanted))
			return false;
	}
	*ret_lists = lists;
	return code == end;
}

/* The clause's postings; none the second time that the query asks. */
static const struct result *use_clause(struct query_index *index,
                                       uint32_t clause)
{
	static const struct result none = {.known = true};
	struct result *result = index_result(index, clause);

	if (result->turn == index->turn)
		return &none;
	result->turn = index->turn;
	return result;
}

static void add_wanted(struct query_index *index, uint32_t clause,
                       struct query_results *results)
{
	const struct result *result = use_clause(index, clause);
	for (uint32_t i = 0; i < result->n; i++) {
		const struct posting *posting =
			&index->postings[result->first + i];
		struct tally *tally = &index->tallies[posting->paper];

		if (tally->turn != index->turn) {
			*tally = (struct tally){.turn = index->turn};
			add_found(results, posting->paper, 0);
		}
		tally->score += (double)posting->score;
		tally->followed = tally->followed || result->author;
	}
}

static void strike_unwanted(struct query_index *index, uint32_t clause)
{
	const struct result *result = index_result(index, clause);

	for (uint32_t i = 0; i < result->n; i++) {
		const struct posting *posting =
			&index->postings[result->first + i];

		index->tallies[posting->paper].unwanted = true;
	}
}

/*
 * The results of a subscriber's clauses lie far apart. Asked for beforehand
 * they come from memory all at once, not one after the other.
 */
static void fetch_results(const struct query_index *index,
                          const struct lists *lists)
{
	const struct query_pool *pool = index->finder.pool;

	for (uint32_t i = 0; i < lists->n_wanted; i++)
		__builtin_prefetch(&index->results[leaf_clause(
			pool, code_number(lists->wanted[i]))]);
}

static void run_lists(struct query_index *index, const struct lists *lists,
                      struct query_results *results)
{
	const struct query_pool *pool = index->finder.pool;
	size_t n = 0;

	index->turn++;
	fetch_results(index, lists);
	for (uint32_t i = 0; i < lists->n_wanted; i++)
		add_wanted(index,
		           leaf_clause(pool, code_number(lists->wanted[i])),
		           results);
	if (results->n > 0)
		for (uint32_t i = 0; i < lists->n_unwanted; i++)
			strike_unwanted(
				index,
				leaf_clause(pool,
			                    code_number(lists->unwanted[i])));
	for (size_t i = 0; i < results->n; i++) {
		struct query_found found = results->items[i];
		const struct tally *tally = &index->tallies[found.paper];

		if (tally->unwanted)
			continue;
		found.score =
			tally->score + (tally->followed ? SCORE_AUTHOR : 0);
		results->items[n++] = found;
	}
	results->n = n;
}

/* ---- all other trees: bitmaps over the papers ---- */

static void fill(const struct query_index *index, uint64_t *bits,
                 uint64_t value)
{
	for (size_t i = 0; i < index->n_words; i++)
		bits[i] = value;
}

static const uint32_t *run_node(struct query_index *index, const uint32_t *code,
                                uint64_t *bits);

static void run_clause(struct query_index *index, uint32_t clause,
                       uint64_t *bits)
{
	const struct result *result = index_result(index, clause);

	fill(index, bits, 0);
	for (uint32_t i = 0; i < result->n; i++) {
		uint32_t n = index->postings[result->first + i].paper;

		bits[n / BITS] |= (uint64_t)1 << n % BITS;
	}
}

/* AND and OR: each child's bits into the node's. */
static const uint32_t *run_list(struct query_index *index, const uint32_t *code,
                                uint64_t *bits)
{
	owned(mem) uint64_t *child = mem_array(index->n_words, sizeof(*child));
	bool any = code_kind(*code) == NODE_OR;
	uint32_t n = code_number(*code++);

	fill(index, bits, any ? 0 : UINT64_MAX);
	for (uint32_t i = 0; i < n; i++) {
		code = run_node(index, code, child);
		for (size_t j = 0; j < index->n_words; j++)
			bits[j] = any ? bits[j] | child[j] : bits[j] & child[j];
	}
	return code;
}

/* Returns the node behind it. */
static const uint32_t *run_node(struct query_index *index, const uint32_t *code,
                                uint64_t *bits)
{
	const struct query_pool *pool = index->finder.pool;

	switch (code_kind(*code)) {
	case NODE_CLAUSE:
		run_clause(index, leaf_clause(pool, code_number(*code)), bits);
		break;
	case NODE_AND:
	case NODE_OR:
		return run_list(index, code, bits);
	case NODE_NOT:
		code = run_node(index, code + 1, bits);
		for (size_t i = 0; i < index->n_words; i++)
			bits[i] = ~bits[i];
		return code;
	}
	return code + 1;
}

static double score_paper(struct query_index *index, const struct query *query,
                          uint32_t paper, struct numbers *leaves)
{
	const struct query_pool *pool = index->finder.pool;
	double score = 0;
	bool followed = false;

	leaves->n = 0;
	why_reasons(index, query, paper, leaves);
	for (size_t i = 0; i < leaves->n; i++) {
		uint32_t clause = leaf_clause(pool, leaves->items[i]);

		score += (double)index_posting(index, clause, paper)->score;
		followed = followed || pool->clause[clause].kind == KIND_AUTHOR;
	}
	return followed ? score + SCORE_AUTHOR : score;
}

static void run_tree(struct query_index *index, const struct query *query,
                     struct query_results *results)
{
	owned(mem) uint64_t *bits = mem_array(index->n_words, sizeof(*bits));
	owned(numbers) struct numbers leaves = {0};

	run_node(index, query->code, bits);
	/* The last word may have bits of papers that there are not. */
	for (uint32_t i = 0; i < index->n_papers; i++)
		if (bits[i / BITS] >> i % BITS & 1)
			add_found(results, i,
			          score_paper(index, query, i, &leaves));
}

void query_run(struct query_index *index, const struct query *query,
               struct query_results *ret_results)
{
	struct lists lists;

	ret_results->n = 0;
	index_grow(index);
	if (read_lists(query, &lists))
		run_lists(index, &lists, ret_results);
	else
		run_tree(index, query, ret_results);
	sort_found(ret_results);
}
