#include "query_private.h"

#include "base/mem.h"

/* ---- reasons ---- */

struct question {
	struct query_index *index;
	size_t paper;
	struct numbers *leaves;
};

/* Keeps the leaves from `from` on in place of those from `to` on. */
static void move_leaves(struct numbers *leaves, size_t to, size_t from)
{
	size_t n = leaves->n - from;

	if (n > 0)
		memmove(leaves->items + to, leaves->items + from,
		        n * sizeof(*leaves->items));
	leaves->n = to + n;
}

static bool ask_node(const struct question *q, const uint32_t **code);

/*
 * A child is a reason for what its parent does if it does the same: of an AND
 * that fails inside a NOT only those that fail. So the first child that
 * decides takes the place of those before it, and the others count no more.
 */
static bool ask_list(const struct question *q, const uint32_t **code)
{
	uint32_t head = *(*code)++;
	bool decider = code_kind(head) == NODE_OR;
	bool decided = false;
	size_t n_before = q->leaves->n;

	for (uint32_t i = 0; i < code_number(head); i++) {
		size_t n_child = q->leaves->n;
		bool passes = ask_node(q, code);

		if (passes == decider && !decided) {
			move_leaves(q->leaves, n_before, n_child);
			decided = true;
		} else if (passes != decider && decided) {
			q->leaves->n = n_child;
		}
	}
	return decided ? decider : !decider;
}

/* Goes on to the node behind it. */
static bool ask_node(const struct question *q, const uint32_t **code)
{
	uint32_t head = **code;
	uint32_t clause;
	bool passes;

	if (code_kind(head) == NODE_AND || code_kind(head) == NODE_OR)
		return ask_list(q, code);
	(*code)++;
	if (code_kind(head) == NODE_NOT)
		return !ask_node(q, code);

	clause = leaf_clause(q->index->finder.pool, code_number(head));
	passes = index_posting(q->index, clause, q->paper) != NULL;
	if (passes)
		numbers_add(q->leaves, code_number(head));
	return passes;
}

static bool has_clause(const struct query_pool *pool,
                       const struct numbers *leaves, size_t n, uint32_t clause)
{
	for (size_t i = 0; i < n; i++)
		if (leaf_clause(pool, leaves->items[i]) == clause)
			return true;
	return false;
}

bool why_reasons(struct query_index *index, const struct query *query, size_t n,
                 struct numbers *ret_leaves)
{
	const struct query_pool *pool = index->finder.pool;
	struct question q = {index, n, ret_leaves};
	const uint32_t *code = query->code;
	bool passes = ask_node(&q, &code);
	size_t n_kept = 0;

	for (size_t i = 0; i < ret_leaves->n; i++) {
		uint32_t leaf = ret_leaves->items[i];

		if (!has_clause(pool, ret_leaves, n_kept,
		                leaf_clause(pool, leaf)))
			ret_leaves->items[n_kept++] = leaf;
	}
	ret_leaves->n = n_kept;
	return passes;
}

/* ---- why ---- */

static uint32_t part_of(const struct lexicon *lexicon, const struct hit *hit)
{
	return lexicon->docs[lexicon->places[hit->first].doc].part;
}

/* The whole original words of a hit. */
static void add_mark(const struct lexicon *lexicon, const struct hit *hit,
                     struct marks *marks)
{
	const struct place *first = &lexicon->places[hit->first];
	const struct place *last = first + hit->n - 1;

	marks_add(marks, first->start, last->start + last->len - first->start);
}

static unsigned mark_words(const struct lexicon *lexicon,
                           const struct hits *hits, struct match *match)
{
	unsigned fields = 0;

	for (size_t i = 0; i < hits->n; i++) {
		const struct hit *hit = &hits->items[i];
		unsigned field = part_of(lexicon, hit);

		add_mark(lexicon, hit,
		         field == CLAUSE_TITLE ? &match->title
		                               : &match->abstract);
		fields |= field;
	}
	return fields;
}

static unsigned mark_authors(const struct lexicon *lexicon,
                             const struct hits *hits, struct match *match)
{
	for (size_t i = 0; i < hits->n; i++)
		marks_add(&match->authors, part_of(lexicon, &hits->items[i]),
		          1);
	return CLAUSE_AUTHOR;
}

static void explain_leaf(struct query_index *index, uint32_t leaf, size_t n,
                         struct match *match)
{
	const struct query_pool *pool = index->finder.pool;
	const struct query_clause *clause =
		&pool->clause[leaf_clause(pool, leaf)];
	const struct lexicon *lexicon = find_lexicon(&index->finder, clause);
	struct range paper = {(uint32_t)n, (uint32_t)n + 1};
	unsigned fields = CLAUSE_OTHER;

	find_clause(&index->finder, clause, paper, &index->hits);
	if (lexicon)
		fields = clause->kind == KIND_AUTHOR
		                 ? mark_authors(lexicon, &index->hits, match)
		                 : mark_words(lexicon, &index->hits, match);
	match_add_clause(match, leaf_text(pool, leaf), fields);
}

static int compare_marks(const void *a, const void *b)
{
	const struct mark *left = a;
	const struct mark *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

/* Ascending, with those that overlap made one. */
static void merge(struct marks *marks)
{
	size_t n = 0;

	if (marks->n == 0)
		return;
	qsort(marks->items, marks->n, sizeof(*marks->items), compare_marks);
	for (size_t i = 1; i < marks->n; i++) {
		struct mark *last = &marks->items[n];
		struct mark *next = &marks->items[i];
		uint32_t end = next->start + next->len;

		if (next->start >= last->start + last->len)
			marks->items[++n] = *next;
		else if (end > last->start + last->len)
			last->len = end - last->start;
	}
	marks->n = n + 1;
}

void query_why(struct query_index *index, const struct query *query, size_t n,
               struct match *ret_match)
{
	owned(numbers) struct numbers leaves = {0};
	struct match match = {0};

	index_grow(index);
	why_reasons(index, query, n, &leaves);
	for (size_t i = 0; i < leaves.n; i++)
		explain_leaf(index, leaves.items[i], n, &match);
	merge(&match.title);
	merge(&match.abstract);
	merge(&match.authors);
	*ret_match = match;
}
