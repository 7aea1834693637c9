#include "query_private.h"

#include "base/mem.h"
#include "base/utf8.h"

void hits_fini(struct hits *hits)
{
	free(hits->items);
	*hits = (struct hits){0};
}

static void add_hit(struct hits *hits, uint32_t first, uint32_t n)
{
	hits->items = mem_grow(hits->items, &hits->capacity, hits->n + 1,
	                       sizeof(*hits->items));
	hits->items[hits->n++] = (struct hit){first, n};
}

/* ---- phrases ---- */

/* How many places the phrase takes from `first` on; 0: it is not there. */
static uint32_t match_phrase(const struct steps *steps, uint32_t first)
{
	const struct lexicon *lexicon = steps->lexicon;
	uint32_t place = first;
	size_t i = 0;

	while (i < steps->n) {
		size_t n_terms;
		uint32_t n;

		if (place == lexicon->n_places ||
		    (i > 0 && lexicon->places[place].breaks))
			return 0;
		n = steps_take(steps, i, place, &n_terms);
		if (n == 0)
			return 0;
		place += n;
		i += n_terms;
	}
	return place - first;
}

static bool is_in_fields(const struct lexicon *lexicon, uint32_t place,
                         unsigned fields)
{
	return fields == (CLAUSE_TITLE | CLAUSE_ABSTRACT) ||
	       lexicon->docs[lexicon->places[place].doc].part & fields;
}

/* `range` is of places here. */
static void find_steps(struct finder *finder, const struct phrase *phrase,
                       unsigned fields, struct range range,
                       struct hits *ret_hits)
{
	const struct numbers *places = &finder->places;

	if (!steps_set(&finder->steps, &finder->targets, phrase))
		return;
	steps_places(&finder->steps, range, &finder->places);
	for (size_t i = 0; i < places->n; i++) {
		uint32_t n;

		if (!is_in_fields(&finder->prose, places->items[i], fields))
			continue;
		n = finder->steps.plain
		            ? (uint32_t)finder->steps.n
		            : match_phrase(&finder->steps, places->items[i]);
		if (n > 0)
			add_hit(ret_hits, places->items[i], n);
	}
}

void find_phrase(struct finder *finder, const struct phrase *phrase,
                 unsigned fields, struct range papers, struct hits *ret_hits)
{
	find_steps(finder, phrase, fields,
	           lexicon_places_of(&finder->prose, papers), ret_hits);
}

/* ---- NEAR ---- */

/* The hits of one of NEAR's phrases, and the one that is looked at. */
struct operand {
	struct hits hits;
	size_t at;
};

static const struct hit *head(const struct operand *operand)
{
	return &operand->hits.items[operand->at];
}

/* Where the one that comes first ends; of several, the longest. */
static uint32_t end_of_first(const struct operand *operands, size_t n,
                             size_t first)
{
	uint32_t end = 0;

	for (size_t i = 0; i < n; i++) {
		const struct hit *hit = head(&operands[i]);

		if (hit->first == head(&operands[first])->first &&
		    hit->first + hit->n > end)
			end = hit->first + hit->n;
	}
	return end;
}

/*
 * Are the heads near enough, which means in one text and with at most
 * `distance` words between the end of the first and the start of the last?
 * *ret_first is the operand whose head comes first.
 */
static bool are_near(const struct lexicon *lexicon,
                     const struct operand *operands, size_t n,
                     uint32_t distance, size_t *ret_first)
{
	size_t first = 0;
	size_t last = 0;

	for (size_t i = 1; i < n; i++) {
		if (head(&operands[i])->first < head(&operands[first])->first)
			first = i;
		if (head(&operands[i])->first > head(&operands[last])->first)
			last = i;
	}
	*ret_first = first;
	return lexicon->places[head(&operands[first])->first].doc ==
	               lexicon->places[head(&operands[last])->first].doc &&
	       head(&operands[last])->first <=
	               end_of_first(operands, n, first) + distance;
}

static int compare_hits(const void *a, const void *b)
{
	const struct hit *left = a;
	const struct hit *right = b;

	if (left->first != right->first)
		return left->first < right->first ? -1 : 1;
	return (left->n > right->n) - (left->n < right->n);
}

static void sort_unique(struct hits *hits)
{
	size_t n = 0;

	if (hits->n == 0)
		return;
	qsort(hits->items, hits->n, sizeof(*hits->items), compare_hits);
	for (size_t i = 0; i < hits->n; i++)
		if (n == 0 ||
		    compare_hits(&hits->items[n - 1], &hits->items[i]) != 0)
			hits->items[n++] = hits->items[i];
	hits->n = n;
}

/*
 * For each hit as the first one, the nearest hits of the others are those at
 * which their operands stand when it is the earliest head.
 */
static void find_near_heads(const struct lexicon *lexicon,
                            const struct query_clause *clause,
                            struct operand *operands, struct hits *ret_hits)
{
	size_t n = clause->n_phrases;

	for (size_t i = 0; i < n; i++)
		if (operands[i].hits.n == 0)
			return;
	for (;;) {
		size_t first;

		if (are_near(lexicon, operands, n, clause->distance, &first))
			for (size_t i = 0; i < n; i++)
				add_hit(ret_hits, head(&operands[i])->first,
				        head(&operands[i])->n);
		if (++operands[first].at == operands[first].hits.n)
			break;
	}
	sort_unique(ret_hits);
}

static void find_near(struct finder *finder, const struct query_clause *clause,
                      struct range range, struct hits *ret_hits)
{
	owned(mem) struct operand *operands =
		mem_array(clause->n_phrases, sizeof(*operands));

	for (size_t i = 0; i < clause->n_phrases; i++)
		find_steps(finder, pool_phrase(finder->pool, clause, i),
		           clause->fields, range, &operands[i].hits);
	find_near_heads(&finder->prose, clause, operands, ret_hits);
	for (size_t i = 0; i < clause->n_phrases; i++)
		hits_fini(&operands[i].hits);
}

/* ---- names ---- */

static bool is_one_character(struct span word)
{
	if (word.len == 0)
		return false;
	utf8_next(&word);
	return word.len == 0;
}

/* Y. and Yann, whichever of them is the query's. */
static bool is_initial(struct span a, struct span b)
{
	return (is_one_character(a) && span_equal(span_first(b, a.len), a)) ||
	       (is_one_character(b) && span_equal(span_first(a, b.len), b));
}

/* A name that is looked for in the names of a batch. */
struct name {
	const struct query_pool *pool;
	const struct lexicon *lexicon;
	const struct phrase *phrase;
	const struct steps *steps;
};

/*
 * As steps_take(), but a given name also meets its initial, the first one only
 * at the beginning of the name.
 */
static uint32_t take_part(const struct name *name, size_t i, uint32_t place,
                          size_t *ret_n_terms)
{
	const struct lexicon *lexicon = name->lexicon;
	const struct place *here = &lexicon->places[place];
	const struct term *terms = pool_terms(name->pool, name->phrase);
	uint32_t n = steps_take(name->steps, i, place, ret_n_terms);
	struct span part = intern_text(&lexicon->forms, here->form);

	if (n > 0 || i + 1 == name->phrase->n_terms)
		return n;
	if (i == 0 && place != lexicon->docs[here->doc].first)
		return 0;
	return is_initial(pool_word(name->pool, terms[i].word), part);
}

/* All parts in their order; others may come between: Yann A. LeCun. */
static bool match_name(const struct name *name, struct range places)
{
	uint32_t place = places.first;
	size_t i = 0;

	while (i < name->phrase->n_terms && place < places.end) {
		size_t n_terms = 1;
		uint32_t n = take_part(name, i, place, &n_terms);

		i += n > 0 ? n_terms : 0;
		place += n > 0 ? n : 1;
	}
	return i == name->phrase->n_terms;
}

/* Where a last name stands that ends the phrase, alone or joined. */
static void find_last_names(const struct steps *steps, struct range range,
                            struct numbers *ret_places)
{
	size_t n = steps->n;

	ret_places->n = 0;
	target_places(steps->items[n - 1].word, steps->lexicon, range,
	              ret_places);
	for (size_t i = 2; i <= MAX_JOINED && i <= n; i++)
		target_places(steps->items[n - i].joined[i - 2], steps->lexicon,
		              range, ret_places);
}

static void find_names(struct finder *finder, const struct phrase *phrase,
                       struct range range, struct hits *ret_hits)
{
	const struct lexicon *lexicon = &finder->names;
	const struct numbers *places = &finder->places;
	struct name name = {finder->pool, lexicon, phrase, &finder->steps};

	if (!steps_set(&finder->steps, &finder->targets, phrase))
		return;
	find_last_names(&finder->steps, range, &finder->places);
	for (size_t i = 0; i < places->n; i++) {
		uint32_t doc = lexicon->places[places->items[i]].doc;
		struct range all = {lexicon->docs[doc].first,
		                    lexicon->docs[doc + 1].first};

		if (match_name(&name, all))
			add_hit(ret_hits, all.first, all.end - all.first);
	}
	sort_unique(ret_hits);
}

void find_author(struct finder *finder, const struct phrase *phrase,
                 struct range papers, struct hits *ret_hits)
{
	find_names(finder, phrase, lexicon_places_of(&finder->names, papers),
	           ret_hits);
}

const struct lexicon *find_lexicon(const struct finder *finder,
                                   const struct query_clause *clause)
{
	switch ((enum clause_kind)clause->kind) {
	case KIND_PHRASE:
	case KIND_NEAR:
		return &finder->prose;
	case KIND_AUTHOR:
		return &finder->names;
	case KIND_CATEGORY:
	case KIND_ID:
	case KIND_TYPE:
		break;
	}
	return NULL;
}

void find_clause(struct finder *finder, const struct query_clause *clause,
                 struct range papers, struct hits *ret_hits)
{
	const struct lexicon *lexicon = find_lexicon(finder, clause);
	struct range places;

	ret_hits->n = 0;
	if (!lexicon)
		return;
	places = lexicon_places_of(lexicon, papers);
	if (clause->kind == KIND_NEAR)
		find_near(finder, clause, places, ret_hits);
	else if (clause->kind == KIND_AUTHOR)
		find_names(finder, pool_phrase(finder->pool, clause, 0), places,
		           ret_hits);
	else
		find_steps(finder, pool_phrase(finder->pool, clause, 0),
		           clause->fields, places, ret_hits);
}
