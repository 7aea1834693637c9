#include "query_private.h"

#include "base/mem.h"

#define MAX_COMPOUND_BYTES 100

void lexicon_init(struct lexicon *lexicon, bool prose)
{
	*lexicon = (struct lexicon){
		.prose = prose,
		.forms = INTERN_INIT,
		.words = WORDS_INIT,
		.scratch = BUF_INIT(SIZE_MAX),
	};
}

void lexicon_fini(struct lexicon *lexicon)
{
	intern_fini(&lexicon->forms);
	free(lexicon->key_of);
	free(lexicon->key);
	free(lexicon->places);
	free(lexicon->place_key);
	free(lexicon->compounds);
	free(lexicon->docs);
	free(lexicon->postings);
	free(lexicon->sorted);
	free(lexicon->rank);
	words_fini(&lexicon->words);
	buf_fini(&lexicon->scratch);
}

/* Three bytes or more. */
static size_t hash_beginning(struct span text)
{
	return ((unsigned char)text.ptr[0] + (unsigned char)text.ptr[1] * 37U +
	        (unsigned char)text.ptr[2] * 1369U) %
	       LENGTHS_SIZE;
}

static uint32_t length_bit(size_t len)
{
	return (uint32_t)1 << (len < 31 ? len : 31);
}

static void note_length(struct lexicon *lexicon, struct span text)
{
	if (text.len >= 3)
		lexicon->lengths[hash_beginning(text)] |= length_bit(text.len);
}

/* The key of a folded word, into scratch memory. */
static struct span make_key(struct lexicon *lexicon, struct span folded)
{
	if (!lexicon->prose)
		return folded;
	buf_clear(&lexicon->scratch);
	singular_add(&lexicon->scratch, folded);
	return buf_span(&lexicon->scratch);
}

static uint32_t add_form(struct lexicon *lexicon, struct span folded);

/* The key is itself a form, though perhaps no text has it. */
static uint32_t add_key(struct lexicon *lexicon, uint32_t form)
{
	struct span folded = intern_text(&lexicon->forms, form);
	struct span key = make_key(lexicon, folded);

	return span_equal(key, folded) ? form : add_form(lexicon, key);
}

/* Singular upon singular, a form becomes shorter: this soon ends. */
static uint32_t add_form(struct lexicon *lexicon, struct span folded)
{
	size_t n_forms = lexicon->forms.n;
	uint32_t form = intern_add(&lexicon->forms, folded);
	uint32_t key;

	if (form < n_forms)
		return form;
	lexicon->key_of = mem_grow(lexicon->key_of, &lexicon->form_capacity,
	                           n_forms + 1, sizeof(*lexicon->key_of));
	lexicon->key = mem_grow(lexicon->key, &lexicon->key_capacity,
	                        n_forms + 1, sizeof(*lexicon->key));
	lexicon->key[form] = (struct key){0};
	note_length(lexicon, folded);
	key = add_key(lexicon, form);
	lexicon->key_of[form] = key;
	return form;
}

static void add_compound(struct lexicon *lexicon, struct span folded,
                         uint32_t first, uint32_t n)
{
	uint32_t form = add_form(lexicon, folded);

	lexicon->compounds =
		mem_grow(lexicon->compounds, &lexicon->compounds_capacity,
	                 lexicon->n_compounds + 1, sizeof(*lexicon->compounds));
	lexicon->compounds[lexicon->n_compounds++] =
		(struct compound){form, first, n};
	lexicon->key[lexicon->key_of[form]].n_compounds++;
	lexicon->places[first].compound = true;
}

/* Word `i` as one with the next 1, 2, 3 that hyphens link to it. */
static void add_linked(struct lexicon *lexicon, size_t i, uint32_t place)
{
	const struct words *words = &lexicon->words;
	owned(buf) struct buf joined = BUF_INIT(MAX_COMPOUND_BYTES);

	buf_add_span(&joined, words_folded(words, i));
	for (uint32_t n = 2; n <= MAX_JOINED && i + n <= words->n; n++) {
		if (words->items[i + n - 1].gap != GAP_LINK)
			return;
		buf_add_span(&joined, words_folded(words, i + n - 1));
		if (joined.failed)
			return;
		add_compound(lexicon, buf_span(&joined), place, n);
	}
}

/* The compounds that begin with word `i`, which stands at `place`. */
static void add_compounds(struct lexicon *lexicon, size_t i, uint32_t place)
{
	const struct words *words = &lexicon->words;
	const struct word *word = &words->items[i];
	bool links = i + 1 < words->n && words->items[i + 1].gap == GAP_LINK;

	if (word->plain_len < word->folded_len)
		add_compound(
			lexicon,
			span_first(words_folded(words, i), word->plain_len),
			place, 1);

	if (links)
		add_linked(lexicon, i, place);
}

static void add_place(struct lexicon *lexicon, size_t i)
{
	const struct word *word = &lexicon->words.items[i];
	uint32_t form = add_form(lexicon, words_folded(&lexicon->words, i));

	lexicon->places[lexicon->n_places++] = (struct place){
		.form = form,
		.doc = (uint32_t)lexicon->n_docs,
		.start = word->start,
		.len = word->len & 0x3FFFFFFFU,
		.breaks = word->gap == GAP_BREAK,
	};
	lexicon->key[lexicon->key_of[form]].n_places++;
}

static void add_doc(struct lexicon *lexicon, uint32_t paper, uint32_t part)
{
	lexicon->docs = mem_grow(lexicon->docs, &lexicon->docs_capacity,
	                         lexicon->n_docs + 1, sizeof(*lexicon->docs));
	lexicon->docs[lexicon->n_docs] =
		(struct doc){paper, part, (uint32_t)lexicon->n_places};
}

void lexicon_add(struct lexicon *lexicon, uint32_t paper, uint32_t part,
                 struct span text)
{
	uint32_t first = (uint32_t)lexicon->n_places;

	words_read(&lexicon->words, text);
	if (lexicon->words.n == 0)
		return;

	add_doc(lexicon, paper, part);
	lexicon->places = mem_grow(lexicon->places, &lexicon->places_capacity,
	                           lexicon->n_places + lexicon->words.n,
	                           sizeof(*lexicon->places));
	for (size_t i = 0; i < lexicon->words.n; i++)
		add_place(lexicon, i);
	for (uint32_t i = 0; i < lexicon->words.n; i++)
		add_compounds(lexicon, i, first + i);
	lexicon->n_docs++;
}

/* Where each key's postings begin; the counts are filled in again. */
static void lay_out_postings(struct lexicon *lexicon)
{
	uint32_t at = 0;

	for (size_t i = 0; i < lexicon->forms.n; i++) {
		struct key *key = &lexicon->key[i];

		key->places = at;
		at += key->n_places;
		key->compounds = at;
		at += key->n_compounds;
		key->n_places = 0;
		key->n_compounds = 0;
	}
}

static void fill_place_keys(struct lexicon *lexicon)
{
	lexicon->place_key =
		mem_array(lexicon->n_places, sizeof(*lexicon->place_key));
	for (size_t i = 0; i < lexicon->n_places; i++) {
		const struct place *place = &lexicon->places[i];

		lexicon->place_key[i] = lexicon->key_of[place->form] |
		                        (place->breaks ? KEY_BREAKS : 0);
	}
}

static struct key *key_of(struct lexicon *lexicon, uint32_t form)
{
	return &lexicon->key[lexicon->key_of[form]];
}

void lexicon_finish(struct lexicon *lexicon)
{
	add_doc(lexicon, NONE, 0);
	lexicon->postings = mem_array(lexicon->n_places + lexicon->n_compounds,
	                              sizeof(*lexicon->postings));
	lay_out_postings(lexicon);
	fill_place_keys(lexicon);

	for (uint32_t i = 0; i < lexicon->n_places; i++) {
		struct key *key = key_of(lexicon, lexicon->places[i].form);

		lexicon->postings[key->places + key->n_places++] = i;
	}
	for (uint32_t i = 0; i < lexicon->n_compounds; i++) {
		struct key *key = key_of(lexicon, lexicon->compounds[i].form);

		lexicon->postings[key->compounds + key->n_compounds++] = i;
	}
}

uint32_t lexicon_lengths(const struct lexicon *lexicon, struct span text)
{
	return text.len < 3 ? UINT32_MAX
	                    : lexicon->lengths[hash_beginning(text)];
}

uint32_t lexicon_find_key(struct lexicon *lexicon, struct span folded)
{
	struct span text = make_key(lexicon, folded);
	uint32_t form = NONE;

	/* Most words that the batch lacks have no need to be looked up. */
	if (lexicon_lengths(lexicon, text) & length_bit(text.len))
		form = intern_find(&lexicon->forms, text);
	if (form == NONE)
		return NONE;
	return lexicon->key[form].n_places + lexicon->key[form].n_compounds > 0
	               ? form
	               : NONE;
}

static int compare_spans(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

static int compare_forms(const void *a, const void *b, void *forms)
{
	return compare_spans(intern_text(forms, *(const uint32_t *)a),
	                     intern_text(forms, *(const uint32_t *)b));
}

static void sort_forms(struct lexicon *lexicon)
{
	size_t n = lexicon->forms.n;

	lexicon->sorted = mem_array(n, sizeof(*lexicon->sorted));
	for (uint32_t i = 0; i < n; i++)
		lexicon->sorted[i] = i;
	qsort_r(lexicon->sorted, n, sizeof(*lexicon->sorted), compare_forms,
	        &lexicon->forms);
	lexicon->rank = mem_array(n, sizeof(*lexicon->rank));
	for (uint32_t i = 0; i < n; i++)
		lexicon->rank[lexicon->sorted[i]] = i;
}

/* The first sorted form whose beginning is not before `prefix`. */
static size_t find_lower(const struct lexicon *lexicon, struct span prefix)
{
	size_t low = 0;
	size_t high = lexicon->forms.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct span text =
			intern_text(&lexicon->forms, lexicon->sorted[middle]);

		if (compare_spans(text, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void lexicon_find_prefix(struct lexicon *lexicon, struct span prefix,
                         size_t *ret_first, size_t *ret_n)
{
	size_t first;
	size_t end;

	if (!lexicon->sorted)
		sort_forms(lexicon);
	first = find_lower(lexicon, prefix);
	end = first;
	while (end < lexicon->forms.n &&
	       span_equal(span_first(intern_text(&lexicon->forms,
	                                         lexicon->sorted[end]),
	                             prefix.len),
	                  prefix))
		end++;
	*ret_first = first;
	*ret_n = end - first;
}

const struct compound *lexicon_compounds_at(const struct lexicon *lexicon,
                                            uint32_t place,
                                            const struct compound **ret_end)
{
	size_t low = 0;
	size_t high = lexicon->n_compounds;
	size_t end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lexicon->compounds[middle].first < place)
			low = middle + 1;
		else
			high = middle;
	}
	end = low;
	while (end < lexicon->n_compounds &&
	       lexicon->compounds[end].first == place)
		end++;
	*ret_end = lexicon->compounds + end;
	return lexicon->compounds + low;
}

/* The first place of the first text that is of `paper` or a later one. */
static uint32_t find_paper(const struct lexicon *lexicon, uint32_t paper)
{
	size_t low = 0;
	size_t high = lexicon->n_docs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lexicon->docs[middle].paper < paper)
			low = middle + 1;
		else
			high = middle;
	}
	return lexicon->docs[low].first;
}

struct range lexicon_places_of(const struct lexicon *lexicon,
                               struct range papers)
{
	return (struct range){find_paper(lexicon, papers.first),
	                      find_paper(lexicon, papers.end)};
}
