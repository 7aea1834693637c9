#include "query_private.h"

#include "base/mem.h"

/* ---- looking up ---- */

static struct target look_up_prefix(struct lexicon *lexicon, struct span text)
{
	struct target target = {.key = NONE, .prefix = mem_dup_span(text)};

	lexicon_find_prefix(lexicon, text, &target.first_sorted,
	                    &target.n_sorted);
	return target;
}

static uint32_t look_up_key(struct lexicon *lexicon, struct span folded)
{
	buf_clear(&lexicon->scratch);
	if (!lexicon->prose)
		return intern_find(&lexicon->keys, folded);
	singular_add(&lexicon->scratch, folded);
	return intern_find(&lexicon->keys, buf_span(&lexicon->scratch));
}

static bool is_possible(const struct target *target)
{
	return target->key != NONE || target->n_sorted > 0;
}

static bool is_prefix(const struct phrase *phrase, size_t i)
{
	return phrase->prefix && i + 1 == phrase->n;
}

static struct target look_up_word(struct lexicon *lexicon,
                                  const struct phrase *phrase, size_t i)
{
	const struct term *term = &phrase->terms[i];

	if (is_prefix(phrase, i))
		return look_up_prefix(lexicon, span_of(term->folded));
	return (struct target){
		.key = intern_find(&lexicon->keys, span_of(term->key)),
	};
}

/* May terms `i` to `i + n - 1` count as one joined word? */
static bool may_join(const struct lexicon *lexicon, const struct phrase *phrase,
                     size_t i, size_t n)
{
	const struct term *terms = &phrase->terms[i];

	for (size_t j = 1; j < n; j++)
		if (terms[j].gap != GAP_LINK)
			return lexicon->prose && n == 2 &&
			       terms[j].gap == GAP_BLANK &&
			       words_may_join(span_of(terms[0].folded),
			                      span_of(terms[1].folded));
	return true;
}

static void look_up_joined(struct lexicon *lexicon, struct step *step,
                           const struct phrase *phrase, size_t i)
{
	owned(buf) struct buf joined = BUF_INIT(SIZE_MAX);

	for (size_t n = 2; n <= MAX_JOINED; n++)
		step->joined[n - 2].key = NONE;

	buf_add_str(&joined, phrase->terms[i].folded);
	for (size_t n = 2; n <= MAX_JOINED && i + n <= phrase->n; n++) {
		if (!may_join(lexicon, phrase, i, n))
			return;
		buf_add_str(&joined, phrase->terms[i + n - 1].folded);
		if (is_prefix(phrase, i + n - 1))
			step->joined[n - 2] =
				look_up_prefix(lexicon, buf_span(&joined));
		else
			step->joined[n - 2].key =
				look_up_key(lexicon, buf_span(&joined));
	}
}

static void add_split(struct step *step, struct split split)
{
	size_t capacity = step->n_splits;

	step->splits = mem_grow(step->splits, &capacity, step->n_splits + 1,
	                        sizeof(*step->splits));
	step->splits[step->n_splits++] = split;
}

/* finetuning: fine tuning. */
static void look_up_splits(struct lexicon *lexicon, struct step *step,
                           struct span folded)
{
	for (size_t n = 1; n < folded.len; n++) {
		struct span second = span_skip(folded, n);
		uint32_t form;
		uint32_t key;

		if (!words_may_join(span_first(folded, n), second))
			continue;
		form = intern_find(&lexicon->forms, span_first(folded, n));
		if (form == NONE)
			continue;
		key = look_up_key(lexicon, second);
		if (key != NONE)
			add_split(step, (struct split){form, key});
	}
}

/* Is there a way from the first term to the last? */
static bool can_match(const struct steps *steps)
{
	uint64_t reached = 1; /* bit 0: the term that comes next */

	for (size_t i = 0; i < steps->n; i++) {
		const struct step *step = &steps->items[i];
		bool here = reached & 1;

		reached >>= 1;
		if (!here)
			continue;
		if (is_possible(&step->word) || step->n_splits > 0)
			reached |= 1;
		for (size_t j = 0; j < MAX_JOINED - 1; j++)
			if (is_possible(&step->joined[j]))
				reached |= (uint64_t)2 << j;
	}
	return reached & 1;
}

bool steps_init(struct steps *steps, struct lexicon *lexicon,
                const struct phrase *phrase)
{
	steps->n = phrase->n;
	steps->items = mem_array(phrase->n, sizeof(*steps->items));
	for (size_t i = 0; i < phrase->n; i++) {
		struct step *step = &steps->items[i];

		step->word = look_up_word(lexicon, phrase, i);
		look_up_joined(lexicon, step, phrase, i);
		if (lexicon->prose && !is_prefix(phrase, i))
			look_up_splits(lexicon, step,
			               span_of(phrase->terms[i].folded));
	}
	return can_match(steps);
}

void steps_fini(struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		struct step *step = &steps->items[i];

		free(step->word.prefix);
		for (size_t j = 0; j < MAX_JOINED - 1; j++)
			free(step->joined[j].prefix);
		free(step->splits);
	}
	free(steps->items);
	*steps = (struct steps){0};
}

/* ---- at one place ---- */

static bool meets(const struct target *target, const struct lexicon *lexicon,
                  uint32_t form)
{
	if (!target->prefix)
		return lexicon->form[form].key == target->key;
	return target->n_sorted > 0 &&
	       span_starts(intern_text(&lexicon->forms, form), target->prefix);
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
	for (size_t i = 0; i < step->n_splits; i++)
		if (here->form == step->splits[i].form &&
		    lexicon->form[here[1].form].key == step->splits[i].key)
			return true;
	return false;
}

uint32_t step_take(const struct step *step, const struct lexicon *lexicon,
                   uint32_t place, size_t *ret_n_terms)
{
	uint32_t form = lexicon->places[place].form;
	uint32_t n;

	*ret_n_terms = 1;
	if (meets(&step->word, lexicon, form))
		return 1;
	n = take_compound(&step->word, lexicon, place);
	if (n > 0)
		return n;
	for (size_t i = 0; i < MAX_JOINED - 1; i++)
		if (meets(&step->joined[i], lexicon, form)) {
			*ret_n_terms = i + 2;
			return 1;
		}
	return is_split(step, lexicon, place) ? 2 : 0;
}

/* ---- all places ---- */

void numbers_fini(struct numbers *numbers)
{
	free(numbers->items);
	*numbers = (struct numbers){0};
}

static void add_number(struct numbers *numbers, uint32_t number)
{
	numbers->items = mem_grow(numbers->items, &numbers->capacity,
	                          numbers->n + 1, sizeof(*numbers->items));
	numbers->items[numbers->n++] = number;
}

/* The first of `n` ascending places that is not before `first`. */
static size_t find_first(const uint32_t *places, size_t n, uint32_t first)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;

		if (places[middle] < first)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

static void add_places(const struct lexicon *lexicon, const struct form *form,
                       struct range range, struct numbers *ret_places)
{
	const uint32_t *places = lexicon->postings + form->places;
	size_t i = find_first(places, form->n_places, range.first);

	for (; i < form->n_places && places[i] < range.end; i++)
		add_number(ret_places, places[i]);
}

static void add_compounds(const struct lexicon *lexicon,
                          const struct form *form, struct range range,
                          struct numbers *ret_places)
{
	for (uint32_t i = 0; i < form->n_compounds; i++) {
		uint32_t at = lexicon->postings[form->compounds + i];
		uint32_t place = lexicon->compounds[at].first;

		if (place >= range.first && place < range.end)
			add_number(ret_places, place);
	}
}

static void add_form(const struct lexicon *lexicon, uint32_t number,
                     struct range range, struct numbers *ret_places)
{
	const struct form *form = &lexicon->form[number];

	add_places(lexicon, form, range, ret_places);
	add_compounds(lexicon, form, range, ret_places);
}

void target_places(const struct target *target, const struct lexicon *lexicon,
                   struct range range, struct numbers *ret_places)
{
	for (size_t i = 0; i < target->n_sorted; i++)
		add_form(lexicon, lexicon->sorted[target->first_sorted + i],
		         range, ret_places);
	if (target->key == NONE)
		return;
	for (uint32_t form = lexicon->key_form[target->key]; form != NONE;
	     form = lexicon->form[form].next)
		add_form(lexicon, form, range, ret_places);
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
	target_places(&step->word, lexicon, range, ret_places);
	for (size_t i = 0; i < MAX_JOINED - 1; i++)
		target_places(&step->joined[i], lexicon, range, ret_places);
	for (size_t i = 0; i < step->n_splits; i++)
		add_places(lexicon, &lexicon->form[step->splits[i].form], range,
		           ret_places);
}

/*
 * Does the step always take one place? *ret_n_places says how many there are.
 */
static bool is_plain(const struct step *step, const struct lexicon *lexicon,
                     size_t *ret_n_places)
{
	size_t n = 0;

	if (step->word.prefix || step->n_splits > 0)
		return false;
	for (size_t i = 0; i < MAX_JOINED - 1; i++)
		if (is_possible(&step->joined[i]))
			return false;
	for (uint32_t form = lexicon->key_form[step->word.key]; form != NONE;
	     form = lexicon->form[form].next) {
		if (lexicon->form[form].n_compounds > 0)
			return false;
		n += lexicon->form[form].n_places;
	}
	*ret_n_places = n;
	return true;
}

/* The rarest of the plain steps at the beginning; the first if there is none.
 */
static uint32_t choose_anchor(const struct steps *steps,
                              const struct lexicon *lexicon)
{
	size_t least = SIZE_MAX;
	uint32_t anchor = 0;

	for (uint32_t i = 0; i < steps->n; i++) {
		size_t n;

		if (!is_plain(&steps->items[i], lexicon, &n))
			break;
		if (n < least) {
			least = n;
			anchor = i;
		}
	}
	return anchor;
}

void steps_places(const struct steps *steps, const struct lexicon *lexicon,
                  struct range range, struct numbers *ret_places)
{
	uint32_t anchor = choose_anchor(steps, lexicon);
	size_t n = 0;

	add_step(&steps->items[anchor], lexicon, range, ret_places);
	sort_unique(ret_places);
	for (size_t i = 0; i < ret_places->n; i++)
		if (ret_places->items[i] >= range.first + anchor)
			ret_places->items[n++] = ret_places->items[i] - anchor;
	ret_places->n = n;
}
