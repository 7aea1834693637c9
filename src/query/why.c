#include "query_private.h"

#include <math.h>

#include "base/mem.h"

#define BM25_K 1.2
#define BM25_B 0.75
#define TITLE_FACTOR 3.0
#define AUTHOR_SCORE 1000.0

/* Clauses that made a paper pass, each once. */
struct reasons {
	const struct query_clause **items;
	size_t n;
	size_t capacity;
};

static void owned_release_reasons(struct reasons *reasons)
{
	free(reasons->items);
}

static void add_reason(struct reasons *reasons,
                       const struct query_clause *clause)
{
	for (size_t i = 0; i < reasons->n; i++)
		if (!strcmp(reasons->items[i]->canonical, clause->canonical))
			return;
	reasons->items = mem_grow(reasons->items, &reasons->capacity,
	                          reasons->n + 1, sizeof(*reasons->items));
	reasons->items[reasons->n++] = clause;
}

struct question {
	struct query_index *index;
	size_t paper;
	struct reasons *reasons;
};

/*
 * A child is a reason for what its parent does if it does the same: of an AND
 * that fails inside a NOT only those that fail.
 */
static void collect(const struct question *q, const struct node *node)
{
	bool passes = index_passes(q->index, node, q->paper);

	if (node->kind == NODE_CLAUSE && passes)
		add_reason(q->reasons, node->clause);
	for (size_t i = 0; i < node->n; i++)
		if (node->kind == NODE_NOT ||
		    index_passes(q->index, node->children[i], q->paper) ==
		            passes)
			collect(q, node->children[i]);
}

static void find_reasons(struct query_index *index, const struct query *query,
                         size_t n, struct reasons *ret_reasons)
{
	struct question q = {index, n, ret_reasons};

	collect(&q, query->root);
}

static void find_hits(struct query_index *index,
                      const struct query_clause *clause, size_t n,
                      struct hits *ret_hits)
{
	struct lexicon *lexicon = index_lexicon(index, clause);
	struct range paper = {(uint32_t)n, (uint32_t)n + 1};

	if (lexicon)
		find_clause(lexicon, clause, paper, ret_hits);
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

static void explain_clause(struct query_index *index,
                           const struct query_clause *clause, size_t n,
                           struct match *match)
{
	struct lexicon *lexicon = index_lexicon(index, clause);
	owned(hits) struct hits hits = {0};
	unsigned fields = CLAUSE_OTHER;

	find_hits(index, clause, n, &hits);
	if (lexicon)
		fields = clause->kind == KIND_AUTHOR
		                 ? mark_authors(lexicon, &hits, match)
		                 : mark_words(lexicon, &hits, match);
	match_add_clause(match, span_of(clause->text), fields);
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
	owned(reasons) struct reasons reasons = {0};
	struct match match = {0};

	find_reasons(index, query, n, &reasons);
	for (size_t i = 0; i < reasons.n; i++)
		explain_clause(index, reasons.items[i], n, &match);
	merge(&match.title);
	merge(&match.abstract);
	merge(&match.authors);
	*ret_match = match;
}

/* ---- score ---- */

/*
 * The binary logarithm of a number from 1 on, as straight lines between the
 * powers of two: for an order of papers that is as good as the curve.
 */
static double measure_log(double x)
{
	int exponent;
	double fraction = frexp(x, &exponent);

	return exponent - 2 + 2 * fraction;
}

/* How much it says that a paper has this clause: rare ones say more. */
static double weigh_rarity(struct query_index *index,
                           const struct query_clause *clause)
{
	double all = (double)index->n_papers;
	double having = (double)index_result(index, clause)->n_papers;

	return measure_log(1 + (all - having + 0.5) / (having + 0.5));
}

/* The paper's length in words against the average one. */
static double measure_length(const struct query_index *index, size_t n)
{
	struct range paper = {(uint32_t)n, (uint32_t)n + 1};
	struct range places = lexicon_places_of(&index->prose, paper);
	double average =
		(double)index->prose.n_places / (double)index->n_papers;

	return average > 0 ? (places.end - places.first) / average : 1;
}

static double count_hits(const struct lexicon *lexicon, const struct hits *hits)
{
	double count = 0;

	for (size_t i = 0; i < hits->n; i++)
		count += part_of(lexicon, &hits->items[i]) == CLAUSE_TITLE
		                 ? TITLE_FACTOR
		                 : 1;
	return count;
}

static double score_clause(struct query_index *index,
                           const struct query_clause *clause, size_t n)
{
	owned(hits) struct hits hits = {0};
	double count;
	double damping;

	if (index_lexicon(index, clause) != &index->prose)
		return 0;
	find_hits(index, clause, n, &hits);
	count = count_hits(&index->prose, &hits);
	damping = BM25_K * (1 - BM25_B + BM25_B * measure_length(index, n));
	return weigh_rarity(index, clause) * count * (BM25_K + 1) /
	       (count + damping);
}

double query_score(struct query_index *index, const struct query *query,
                   size_t n)
{
	owned(reasons) struct reasons reasons = {0};
	double score = 0;
	bool followed = false;

	find_reasons(index, query, n, &reasons);
	for (size_t i = 0; i < reasons.n; i++) {
		followed = followed || reasons.items[i]->kind == KIND_AUTHOR;
		score += score_clause(index, reasons.items[i], n);
	}
	return followed ? score + AUTHOR_SCORE : score;
}
