#include "query_private.h"

#include "base/mem.h"

#define ANY_FIELD (CLAUSE_TITLE | CLAUSE_ABSTRACT)
#define MAX_NAMED 5 /* so many near words or names are told */

void query_verdicts_fini(struct query_verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->n; i++) {
		free(verdicts->items[i].text);
		free(verdicts->items[i].miss);
	}
	free(verdicts->items);
	*verdicts = (struct query_verdicts){0};
}

/* A question about one paper, and a clause that it fails. */
struct inquiry {
	struct query_index *index;
	size_t paper;
	struct query_verdicts *verdicts;
	struct buf miss;
};

static struct range one_paper(const struct inquiry *q)
{
	return (struct range){(uint32_t)q->paper, (uint32_t)q->paper + 1};
}

/* ---- what comes nearest ---- */

/* Where the phrase stands, as clause_field bits. */
static unsigned find_fields(const struct inquiry *q,
                            const struct phrase *phrase, unsigned fields)
{
	struct finder *finder = &q->index->finder;
	const struct lexicon *prose = &finder->prose;
	struct hits *hits = &q->index->hits;
	unsigned found = 0;

	hits->n = 0;
	find_phrase(finder, phrase, fields, one_paper(q), hits);
	for (size_t i = 0; i < hits->n; i++)
		found |= prose->docs[prose->places[hits->items[i].first].doc]
		                 .part;
	return found;
}

static struct phrase one_word(const struct phrase *phrase, uint32_t i)
{
	return (struct phrase){
		.first_term = phrase->first_term + i,
		.n_terms = 1,
		.prefix = phrase->prefix && i + 1 == phrase->n_terms,
	};
}

/* Words of the paper that begin as the word does: graphene for graph. */
static void add_longer_words(struct inquiry *q, const struct phrase *phrase)
{
	const struct query_pool *pool = q->index->finder.pool;
	struct lexicon *prose = &q->index->finder.prose;
	struct span word = pool_word(pool, pool_terms(pool, phrase)->word);
	struct numbers *places = &q->index->finder.places;
	struct range range = lexicon_places_of(prose, one_paper(q));
	size_t n_named = 0;
	size_t first;
	size_t n;

	lexicon_find_prefix(prose, word, &first, &n);
	for (size_t i = first; i < first + n && n_named < MAX_NAMED; i++) {
		struct target target = {
			.prefix = true, .first = (uint32_t)i, .n = 1};
		struct span form = intern_text(&prose->forms, prose->sorted[i]);

		places->n = 0;
		target_places(&target, prose, range, places);
		if (places->n == 0)
			continue;
		buf_add_str(&q->miss, n_named++ ? ", " : "there is only ");
		buf_add_span(&q->miss, form);
	}
	if (n_named == 0)
		buf_add_str(&q->miss, "does not occur");
}

static void add_word_list(struct inquiry *q, const struct phrase *phrase,
                          uint64_t which)
{
	const struct query_pool *pool = q->index->finder.pool;
	const struct term *terms = pool_terms(pool, phrase);
	const char *before = "";

	for (uint32_t i = 0; i < phrase->n_terms && i < 64; i++) {
		if (!(which >> i & 1))
			continue;
		buf_add_str(&q->miss, before);
		buf_add_span(&q->miss, pool_word(pool, terms[i].word));
		before = ", ";
	}
}

static void miss_row(struct inquiry *q, const struct phrase *phrase)
{
	uint32_t n = phrase->n_terms < 64 ? phrase->n_terms : 64;
	uint64_t missing = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct phrase word = one_word(phrase, i);

		if (!find_fields(q, &word, ANY_FIELD))
			missing |= (uint64_t)1 << i;
	}
	if (missing == 0) {
		buf_add_str(&q->miss, "its words occur, but not together");
		return;
	}
	add_word_list(q, phrase, missing);
	buf_add_str(&q->miss, missing & (missing - 1) ? " do not occur"
	                                              : " does not occur");
}

static void miss_phrase(struct inquiry *q, const struct query_clause *clause)
{
	const struct phrase *phrase =
		pool_phrase(q->index->finder.pool, clause, 0);
	unsigned elsewhere = find_fields(q, phrase, ANY_FIELD);

	if (elsewhere == CLAUSE_TITLE)
		buf_add_str(&q->miss, "stands in the title only");
	else if (elsewhere)
		buf_add_str(&q->miss, "stands in the abstract only");
	else if (phrase->n_terms > 1)
		miss_row(q, phrase);
	else
		add_longer_words(q, phrase);
}

static void miss_near(struct inquiry *q, const struct query_clause *clause)
{
	const struct query_pool *pool = q->index->finder.pool;

	for (uint32_t i = 0; i < clause->n_phrases; i++) {
		const struct phrase *phrase = pool_phrase(pool, clause, i);

		if (find_fields(q, phrase, clause->fields))
			continue;
		add_word_list(q, phrase, UINT64_MAX);
		buf_add_str(&q->miss, phrase->n_terms > 1
		                              ? " does not occur together"
		                              : " does not occur");
		return;
	}
	buf_addf(&q->miss,
	         "all occur, but never with %u words or fewer between",
	         clause->distance);
}

/* Authors who have the last name at least. */
static void miss_author(struct inquiry *q, const struct query_clause *clause)
{
	struct finder *finder = &q->index->finder;
	const struct phrase *phrase = pool_phrase(finder->pool, clause, 0);
	struct phrase last = one_word(phrase, phrase->n_terms - 1);
	const struct lexicon *names = &finder->names;
	const struct strings *authors =
		&q->index->papers[q->paper].paper->authors;
	struct hits *hits = &q->index->hits;

	hits->n = 0;
	find_author(finder, &last, one_paper(q), hits);
	if (hits->n == 0) {
		buf_add_str(&q->miss, "no author has this name");
		return;
	}
	buf_add_str(&q->miss, "there is only ");
	for (size_t i = 0; i < hits->n && i < MAX_NAMED; i++) {
		uint32_t doc = names->places[hits->items[i].first].doc;

		buf_add_str(&q->miss, i > 0 ? ", " : "");
		buf_add_str(&q->miss, authors->items[names->docs[doc].part]);
	}
}

static void miss_category(struct inquiry *q)
{
	const struct strings *categories =
		&q->index->papers[q->paper].paper->categories;

	buf_add_str(&q->miss, "the paper is in ");
	for (size_t i = 0; i < categories->n; i++) {
		buf_add_str(&q->miss, i > 0 ? ", " : "");
		buf_add_str(&q->miss, categories->items[i]);
	}
}

static void add_miss(struct inquiry *q, const struct query_clause *clause)
{
	const struct query_paper *paper = &q->index->papers[q->paper];

	switch ((enum clause_kind)clause->kind) {
	case KIND_PHRASE:
		miss_phrase(q, clause);
		break;
	case KIND_NEAR:
		miss_near(q, clause);
		break;
	case KIND_AUTHOR:
		miss_author(q, clause);
		break;
	case KIND_CATEGORY:
		miss_category(q);
		break;
	case KIND_ID:
		buf_addf(&q->miss, "the paper is %s", paper->paper->id);
		break;
	case KIND_TYPE:
		buf_addf(&q->miss, "it was announced as %s",
		         announce_type_name(paper->type));
		break;
	}
}

/* ---- the tree ---- */

static size_t add_verdict(struct query_verdicts *verdicts, unsigned depth)
{
	verdicts->items = mem_grow(verdicts->items, &verdicts->capacity,
	                           verdicts->n + 1, sizeof(*verdicts->items));
	verdicts->items[verdicts->n] = (struct query_verdict){.depth = depth};
	return verdicts->n++;
}

static bool judge_leaf(struct inquiry *q, uint32_t leaf,
                       struct query_verdict *verdict)
{
	const struct query_pool *pool = q->index->finder.pool;
	uint32_t number = leaf_clause(pool, leaf);

	verdict->part = QUERY_CLAUSE;
	verdict->text = mem_dup_span(leaf_text(pool, leaf));
	verdict->n_papers = index_result(q->index, number)->n;
	verdict->passes = index_posting(q->index, number, q->paper) != NULL;
	if (!verdict->passes) {
		buf_clear(&q->miss);
		add_miss(q, &pool->clause[number]);
		verdict->miss = mem_dup(buf_str(&q->miss));
	}
	return verdict->passes;
}

static enum query_part part_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_AND:
		return QUERY_ALL;
	case NODE_OR:
		return QUERY_ANY;
	case NODE_NOT:
		return QUERY_NOT;
	case NODE_CLAUSE:
		break;
	}
	return QUERY_CLAUSE;
}

/* Goes on to the node behind it. */
static bool judge_node(struct inquiry *q, const uint32_t **code, unsigned depth)
{
	uint32_t head = *(*code)++;
	enum node_kind kind = code_kind(head);
	size_t number = add_verdict(q->verdicts, depth);
	bool passes = kind != NODE_OR;

	if (kind == NODE_CLAUSE)
		return judge_leaf(q, code_number(head),
		                  &q->verdicts->items[number]);
	for (uint32_t i = 0; i < code_number(head); i++) {
		bool child = judge_node(q, code, depth + 1);

		passes = kind == NODE_OR ? passes || child : passes && child;
	}
	passes = kind == NODE_NOT ? !passes : passes;
	q->verdicts->items[number].part = part_of(kind);
	q->verdicts->items[number].passes = passes;
	return passes;
}

void query_explain(struct query_index *index, const struct query *query,
                   size_t n, struct query_verdicts *ret_verdicts)
{
	struct inquiry q = {index, n, ret_verdicts, BUF_INIT(SIZE_MAX)};
	const uint32_t *code = query->code;

	index_grow(index);
	judge_node(&q, &code, 0);
	buf_fini(&q.miss);
}
