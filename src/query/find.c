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
static uint32_t match_phrase(const struct lexicon *lexicon,
                             const struct steps *steps, uint32_t first)
{
	uint32_t place = first;
	size_t i = 0;

	while (i < steps->n) {
		size_t n_terms;
		uint32_t n;

		if (place == lexicon->n_places ||
		    (i > 0 && lexicon->places[place].breaks))
			return 0;
		n = step_take(&steps->items[i], lexicon, place, &n_terms);
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

static void find_phrase(struct lexicon *lexicon, const struct phrase *phrase,
                        unsigned fields, struct range range,
                        struct hits *ret_hits)
{
	owned(steps) struct steps steps = {0};
	owned(numbers) struct numbers places = {0};

	if (!steps_init(&steps, lexicon, phrase))
		return;
	steps_places(&steps, lexicon, range, &places);
	for (size_t i = 0; i < places.n; i++) {
		uint32_t n;

		if (!is_in_fields(lexicon, places.items[i], fields))
			continue;
		n = match_phrase(lexicon, &steps, places.items[i]);
		if (n > 0)
			add_hit(ret_hits, places.items[i], n);
	}
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
	               head(&operands[first])->first +
	                       head(&operands[first])->n + distance;
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

static void find_near(struct lexicon *lexicon,
                      const struct query_clause *clause, struct range range,
                      struct hits *ret_hits)
{
	owned(mem) struct operand *operands =
		mem_array(clause->n_phrases, sizeof(*operands));

	for (size_t i = 0; i < clause->n_phrases; i++)
		find_phrase(lexicon, &clause->phrases[i], clause->fields, range,
		            &operands[i].hits);
	find_near_heads(lexicon, clause, operands, ret_hits);
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
	const struct lexicon *lexicon;
	const struct phrase *phrase;
	struct steps steps;
};

/*
 * As step_take(), but a given name also meets its initial, the first one only
 * at the beginning of the name.
 */
static uint32_t take_part(const struct name *name, size_t i, uint32_t place,
                          size_t *ret_n_terms)
{
	const struct lexicon *lexicon = name->lexicon;
	const struct place *here = &lexicon->places[place];
	uint32_t n =
		step_take(&name->steps.items[i], lexicon, place, ret_n_terms);
	struct span part = intern_text(&lexicon->forms, here->form);

	if (n > 0 || i + 1 == name->phrase->n)
		return n;
	if (i == 0 && place != lexicon->docs[here->doc].first)
		return 0;
	return is_initial(span_of(name->phrase->terms[i].folded), part);
}

/* All parts in their order; others may come between: Yann A. LeCun. */
static bool match_name(const struct name *name, struct range places)
{
	uint32_t place = places.first;
	size_t i = 0;

	while (i < name->phrase->n && place < places.end) {
		size_t n_terms = 1;
		uint32_t n = take_part(name, i, place, &n_terms);

		i += n > 0 ? n_terms : 0;
		place += n > 0 ? n : 1;
	}
	return i == name->phrase->n;
}

/* Where a last name stands that ends the phrase, alone or joined. */
static void find_last_names(const struct name *name, struct range range,
                            struct numbers *ret_places)
{
	size_t n = name->steps.n;

	target_places(&name->steps.items[n - 1].word, name->lexicon, range,
	              ret_places);
	for (size_t i = 2; i <= MAX_JOINED && i <= n; i++)
		target_places(&name->steps.items[n - i].joined[i - 2],
		              name->lexicon, range, ret_places);
}

static void find_author(struct lexicon *lexicon, const struct phrase *phrase,
                        struct range range, struct hits *ret_hits)
{
	struct name name = {.lexicon = lexicon, .phrase = phrase};
	owned(numbers) struct numbers places = {0};

	/* An initial makes a name of words that the batch lacks. */
	steps_init(&name.steps, lexicon, phrase);
	find_last_names(&name, range, &places);
	for (size_t i = 0; i < places.n; i++) {
		uint32_t doc = lexicon->places[places.items[i]].doc;
		struct range all = {lexicon->docs[doc].first,
		                    lexicon->docs[doc + 1].first};

		if (match_name(&name, all))
			add_hit(ret_hits, all.first, all.end - all.first);
	}
	steps_fini(&name.steps);
	sort_unique(ret_hits);
}

void find_clause(struct lexicon *lexicon, const struct query_clause *clause,
                 struct range papers, struct hits *ret_hits)
{
	struct range places = lexicon_places_of(lexicon, papers);

	switch (clause->kind) {
	case KIND_PHRASE:
		find_phrase(lexicon, &clause->phrases[0], clause->fields,
		            places, ret_hits);
		break;
	case KIND_NEAR:
		find_near(lexicon, clause, places, ret_hits);
		break;
	case KIND_AUTHOR:
		find_author(lexicon, &clause->phrases[0], places, ret_hits);
		break;
	case KIND_CATEGORY:
	case KIND_ID:
	case KIND_TYPE:
		break;
	}
}
