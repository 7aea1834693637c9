#include "query_private.h"

#include <ctype.h>

#include "base/mem.h"

/* ---- looking up ---- */

void targets_fini(struct targets *targets)
{
	free(targets->items);
	free(targets->splits);
	*targets = (struct targets){0};
}

void targets_grow(struct targets *targets)
{
	size_t n = targets->pool->words.n;

	if (n <= targets->n)
		return;
	targets->items = mem_grow(targets->items, &targets->capacity, n,
	                          sizeof(*targets->items));
	memset(targets->items + targets->n, 0,
	       (n - targets->n) * sizeof(*targets->items));
	targets->n = n;
}

static struct target look_up(struct targets *targets, uint32_t word)
{
	enum word_kind kind = pool_word_kind(targets->pool, word);
	struct target target = {.known = true, .prose = kind == WORD_PROSE};
	struct span folded = pool_word(targets->pool, word);
	bool name = kind == WORD_NAME || kind == WORD_NAME_PREFIX;
	struct lexicon *lexicon = name ? targets->names : targets->prose;
	size_t first;
	size_t n;

	if (kind == WORD_PROSE || kind == WORD_NAME) {
		target.first = lexicon_find_key(lexicon, folded);
		target.n = target.first != NONE;
		return target;
	}
	lexicon_find_prefix(lexicon, folded, &first, &n);
	target.prefix = true;
	target.first = (uint32_t)first;
	target.n = (uint32_t)n;
	return target;
}

static const struct target *find_target(struct targets *targets, uint32_t word)
{
	static const struct target none = {.known = true};
	struct target *target;

	if (word == NONE)
		return &none;
	target = &targets->items[word];
	if (!target->known)
		*target = look_up(targets, word);
	return target;
}

static void add_split(struct targets *targets, struct target *target,
                      struct split split)
{
	targets->splits =
		mem_grow(targets->splits, &targets->splits_capacity,
	                 targets->n_splits + 1, sizeof(*targets->splits));
	targets->splits[targets->n_splits++] = split;
	target->n_splits++;
}

/* finetuning: fine tuning. */
static void look_up_splits(struct targets *targets, struct target *target,
                           struct span folded)
{
	struct lexicon *lexicon = targets->prose;
	uint32_t lengths = UINT32_MAX;

	target->split = true;
	target->first_split = (uint32_t)targets->n_splits;
	/* A number may be shorter than three bytes. */
	if (folded.len > 0 && !isdigit((unsigned char)folded.ptr[0]))
		lengths = lexicon_lengths(lexicon, folded);
	for (size_t n = 1; n < folded.len; n++) {
		struct span first = span_first(folded, n);
		struct span second = span_skip(folded, n);
		uint32_t form;
		uint32_t key;

		if (!(lengths >> (n < 31 ? n : 31) & 1) ||
		    !words_may_join(first, second))
			continue;
		form = intern_find(&lexicon->forms, first);
		if (form == NONE)
			continue;
		key = lexicon_find_key(lexicon, second);
		if (key != NONE)
			add_split(targets, target, (struct split){form, key});
	}
}

static const struct target *find_with_splits(struct targets *targets,
                                             uint32_t word)
{
	const struct target *target = find_target(targets, word);

	if (target->prose && !target->split)
		look_up_splits(targets, &targets->items[word],
		               pool_word(targets->pool, word));
	return target;
}

/* Can the first `n_terms` from `term` on be one word of the batch, or two? */
static bool is_possible(struct targets *targets, const struct term *term,
                        size_t n_terms)
{
	if (n_terms > 1)
		return find_target(targets, term->joined[n_terms - 2])->n > 0;
	if (find_target(targets, term->word)->n > 0)
		return true;
	return find_with_splits(targets, term->word)->n_splits > 0;
}

/*
 * Is there a way from the first term to the last? Most phrases have a word
 * that the batch lacks, and end here.
 */
static bool can_match(struct targets *targets, const struct phrase *phrase)
{
	const struct term *terms = pool_terms(targets->pool, phrase);
	unsigned reached = 1; /* bit 0: the term that comes next */

	for (size_t i = 0; i < phrase->n_terms && reached; i++) {
		bool here = reached & 1;

		reached >>= 1;
		for (unsigned n = 1; here && n <= MAX_JOINED; n++)
			if (is_possible(targets, &terms[i], n))
				reached |= 1U << (n - 1);
	}
	return reached & 1;
}

static void set_step(struct targets *targets, const struct term *term,
                     struct step *step)
{
	step->word = find_with_splits(targets, term->word);
	for (size_t i = 0; i < MAX_JOINED - 1; i++)
		step->joined[i] = find_target(targets, term->joined[i]);
}

/*
 * Does the step always take one place? *ret_n_places says how many there are.
 */
static bool is_plain(const struct step *step, const struct lexicon *lexicon,
                     size_t *ret_n_places)
{
	const struct key *key;

	if (step->word->prefix || step->word->n == 0 ||
	    step->word->n_splits > 0)
		return false;
	for (size_t i = 0; i < MAX_JOINED - 1; i++)
		if (step->joined[i]->n > 0)
			return false;
	key = &lexicon->key[step->word->first];
	*ret_n_places = key->n_places;
	return key->n_compounds == 0;
}

/*
 * The rarest of the plain steps at the beginning, or the first. Names are not
 * looked up in this way.
 */
static void choose_anchor(struct steps *steps)
{
	size_t least = SIZE_MAX;
	uint32_t i;

	steps->anchor = 0;
	for (i = 0; i < steps->n; i++) {
		size_t n;

		if (!is_plain(&steps->items[i], steps->lexicon, &n))
			break;
		if (n < least) {
			least = n;
			steps->anchor = i;
		}
	}
	steps->plain = i == steps->n;
}

static void set_splits(const struct targets *targets, struct step *step)
{
	step->splits = step->word->n_splits > 0
	                       ? &targets->splits[step->word->first_split]
	                       : NULL;
}

bool steps_set(struct steps *steps, struct targets *targets,
               const struct phrase *phrase)
{
	const struct term *terms = pool_terms(targets->pool, phrase);
	enum word_kind kind = pool_word_kind(targets->pool, terms[0].word);
	bool name = kind == WORD_NAME || kind == WORD_NAME_PREFIX;

	steps->lexicon = name ? targets->names : targets->prose;
	steps->n = 0;
	/* An initial makes a name of words that the batch lacks. */
	if (!name && !can_match(targets, phrase))
		return false;
	steps->items = mem_grow(steps->items, &steps->capacity, phrase->n_terms,
	                        sizeof(*steps->items));
	steps->n = phrase->n_terms;
	for (size_t i = 0; i < steps->n; i++)
		set_step(targets, &terms[i], &steps->items[i]);
	/* Only now, as looking up may move them. */
	for (size_t i = 0; i < steps->n; i++)
		set_splits(targets, &steps->items[i]);
	choose_anchor(steps);
	return true;
}

void steps_fini(struct steps *steps)
{
	free(steps->items);
	*steps = (struct steps){0};
}

/* ---- at one place ---- */

static bool meets(const struct target *target, const struct lexicon *lexicon,
                  uint32_t form)
{
	if (!target->prefix)
		return target->n > 0 && lexicon->key_of[form] == target->first;
	return target->n > 0 && lexicon->rank[form] - target->first < target->n;
}

/* The places of the longest compound there that is the word; 0 if none. */
static uint32_t take_compound(const struct target *target,
                              const struct lexicon *lexicon, uint32_t place)
{
	const struct compound *end;
	const struct compound *compound;
	uint32_t n = 0;

	if (!lexicon->places[place].compound)
		return 0;
	compound = lexicon_compounds_at(lexicon, place, &end);
	for (; compound < end; compound++)
		if (meets(target, lexicon, compound->form))
			n = compound->n;
	return n;
}

static bool is_split(const struct step *step, const struct lexicon *lexicon,
                     uint32_t place)
{
	const struct place *here = &lexicon->places[place];

	if (place + 1 == lexicon->n_places || here[1].breaks)
		return false;
	for (size_t i = 0; i < step->word->n_splits; i++)
		if (here->form == step->splits[i].form &&
		    lexicon->key_of[here[1].form] == step->splits[i].key)
			return true;
	return false;
}

uint32_t steps_take(const struct steps *steps, size_t i, uint32_t place,
                    size_t *ret_n_terms)
{
	const struct lexicon *lexicon = steps->lexicon;
	const struct step *step = &steps->items[i];
	uint32_t form = lexicon->places[place].form;
	uint32_t n;

	*ret_n_terms = 1;
	if (meets(step->word, lexicon, form))
		return 1;
	n = take_compound(step->word, lexicon, place);
	if (n > 0)
		return n;
	for (size_t j = 0; j < MAX_JOINED - 1; j++)
		if (meets(step->joined[j], lexicon, form)) {
			*ret_n_terms = j + 2;
			return 1;
		}
	return is_split(step, lexicon, place) ? 2 : 0;
}

/* ---- all places ---- */

/* The first of `n` ascending places that is not before `first`. */
static size_t find_first(const uint32_t *places, size_t n, uint32_t first)
{
	size_t low = 0;

	while (first > 0 && low < n) {
		size_t middle = low + (n - low) / 2;

		if (places[middle] < first)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

/* The places of a key; with a form, not NONE, only those that have it. */
static void add_places(const struct lexicon *lexicon, const struct key *key,
                       uint32_t form, struct range range,
                       struct numbers *ret_places)
{
	const uint32_t *places = lexicon->postings + key->places;
	size_t i = find_first(places, key->n_places, range.first);

	for (; i < key->n_places && places[i] < range.end; i++)
		if (form == NONE || lexicon->places[places[i]].form == form)
			numbers_add(ret_places, places[i]);
}

static void add_compounds(const struct lexicon *lexicon, const struct key *key,
                          uint32_t form, struct range range,
                          struct numbers *ret_places)
{
	for (uint32_t i = 0; i < key->n_compounds; i++) {
		uint32_t at = lexicon->postings[key->compounds + i];
		const struct compound *compound = &lexicon->compounds[at];

		if ((form == NONE || compound->form == form) &&
		    compound->first >= range.first &&
		    compound->first < range.end)
			numbers_add(ret_places, compound->first);
	}
}

void target_places(const struct target *target, const struct lexicon *lexicon,
                   struct range range, struct numbers *ret_places)
{
	for (uint32_t i = 0; i < target->n; i++) {
		uint32_t form = target->prefix
		                        ? lexicon->sorted[target->first + i]
		                        : NONE;
		const struct key *key =
			&lexicon->key[target->prefix ? lexicon->key_of[form]
		                                     : target->first];

		add_places(lexicon, key, form, range, ret_places);
		add_compounds(lexicon, key, form, range, ret_places);
	}
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void sort_unique(struct numbers *numbers)
{
	size_t n = 0;
	bool sorted = true;

	for (size_t i = 1; i < numbers->n; i++)
		sorted = sorted && numbers->items[i - 1] < numbers->items[i];
	if (sorted)
		return;

	qsort(numbers->items, numbers->n, sizeof(*numbers->items),
	      compare_numbers);
	for (size_t i = 0; i < numbers->n; i++)
		if (n == 0 || numbers->items[n - 1] != numbers->items[i])
			numbers->items[n++] = numbers->items[i];
	numbers->n = n;
}

static void add_step(const struct step *step, const struct lexicon *lexicon,
                     struct range range, struct numbers *ret_places)
{
	target_places(step->word, lexicon, range, ret_places);
	for (size_t i = 0; i < MAX_JOINED - 1; i++)
		target_places(step->joined[i], lexicon, range, ret_places);
	for (size_t i = 0; i < step->word->n_splits; i++) {
		uint32_t form = step->splits[i].form;

		add_places(lexicon, &lexicon->key[lexicon->key_of[form]], form,
		           range, ret_places);
	}
}

/* Are the plain steps there, their first at `first`? */
static bool match_keys(const struct steps *steps, uint32_t first)
{
	const uint32_t *keys = steps->lexicon->place_key + first;

	if (first + steps->n > steps->lexicon->n_places ||
	    (keys[0] & ~KEY_BREAKS) != steps->items[0].word->first)
		return false;
	for (size_t i = 1; i < steps->n; i++)
		if (keys[i] != steps->items[i].word->first)
			return false;
	return true;
}

void steps_places(const struct steps *steps, struct range range,
                  struct numbers *ret_places)
{
	uint32_t anchor = steps->anchor;
	size_t n = 0;

	ret_places->n = 0;
	add_step(&steps->items[anchor], steps->lexicon, range, ret_places);
	sort_unique(ret_places);
	for (size_t i = 0; i < ret_places->n; i++) {
		uint32_t place = ret_places->items[i];

		if (place >= range.first + anchor &&
		    (!steps->plain || match_keys(steps, place - anchor)))
			ret_places->items[n++] = place - anchor;
	}
	ret_places->n = n;
}
