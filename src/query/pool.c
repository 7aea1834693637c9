#include "query_private.h"

#include "base/mem.h"

struct query_pool *query_pool_new(void)
{
	struct query_pool *pool = mem_new(sizeof(*pool));

	pool->words = INTERN_INIT;
	pool->clauses = INTERN_INIT;
	pool->leaves = INTERN_INIT;
	pool->text = BUF_INIT(SIZE_MAX);
	return pool;
}

void query_pool_free(struct query_pool *pool)
{
	if (!pool)
		return;
	intern_fini(&pool->words);
	intern_fini(&pool->clauses);
	intern_fini(&pool->leaves);
	free(pool->leaf_clause);
	free(pool->clause);
	free(pool->phrases);
	free(pool->terms);
	buf_fini(&pool->text);
	free(pool);
}

/* ---- what stands in it ---- */

struct span leaf_text(const struct query_pool *pool, uint32_t leaf)
{
	return span_skip(intern_text(&pool->leaves, leaf), sizeof(uint32_t));
}

struct span pool_word(const struct query_pool *pool, uint32_t word)
{
	return span_skip(intern_text(&pool->words, word), 1);
}

enum word_kind pool_word_kind(const struct query_pool *pool, uint32_t word)
{
	return (enum word_kind)intern_text(&pool->words, word).ptr[0];
}

struct span pool_value(const struct query_pool *pool,
                       const struct query_clause *clause)
{
	return pool_word(pool, clause->value);
}

/* ---- a clause in the making ---- */

void pool_begin_clause(struct query_pool *pool, enum clause_kind kind,
                       unsigned fields)
{
	pool->draft = (struct query_clause){
		.kind = kind & 0xFFU,
		.fields = fields & 0xFFU,
		.first_phrase = (uint32_t)pool->n_phrases,
	};
	pool->n_draft_terms = 0;
}

static uint32_t add_word(struct query_pool *pool, enum word_kind kind,
                         struct span folded)
{
	buf_clear(&pool->text);
	buf_add_char(&pool->text, (char)kind);
	buf_add_span(&pool->text, folded);
	return intern_add(&pool->words, buf_span(&pool->text));
}

void pool_set_value(struct query_pool *pool, struct span value)
{
	pool->draft.value = add_word(pool, WORD_VALUE, value);
}

static struct phrase *begin_phrase(struct query_pool *pool, bool prefix)
{
	size_t n = pool->n_phrases + pool->draft.n_phrases++;

	pool->phrases = mem_grow(pool->phrases, &pool->phrases_capacity, n + 1,
	                         sizeof(*pool->phrases));
	pool->phrases[n] = (struct phrase){
		.first_term = (uint32_t)(pool->n_terms + pool->n_draft_terms),
		.prefix = prefix,
	};
	return &pool->phrases[n];
}

static void add_terms(struct query_pool *pool, struct phrase *phrase,
                      const struct words *words, enum word_kind kind)
{
	size_t first = pool->n_terms + pool->n_draft_terms;

	pool->terms = mem_grow(pool->terms, &pool->terms_capacity,
	                       first + words->n, sizeof(*pool->terms));
	for (size_t i = 0; i < words->n; i++)
		pool->terms[first + i] = (struct term){
			add_word(pool, kind, words_folded(words, i)),
			{NONE, NONE, NONE},
			words->items[i].gap,
		};
	pool->n_draft_terms += words->n;
	phrase->n_terms += words->n & 0x7FFFFFFFU;
}

/* Of a prefix the last word, and what is joined with it, is another word. */
static enum word_kind kind_of(const struct phrase *phrase, bool prose,
                              size_t last)
{
	if (phrase->prefix && last + 1 == phrase->n_terms)
		return prose ? WORD_PROSE_PREFIX : WORD_NAME_PREFIX;
	return prose ? WORD_PROSE : WORD_NAME;
}

/* May the term count as one word with the `n - 1` that follow it? */
static bool may_join(const struct query_pool *pool, const struct term *term,
                     size_t n, bool prose)
{
	if (term[n - 1].gap == GAP_LINK)
		return n == 2 || term[1].gap == GAP_LINK;
	return prose && n == 2 && term[1].gap == GAP_BLANK &&
	       words_may_join(pool_word(pool, term[0].word),
	                      pool_word(pool, term[1].word));
}

static void join_term(struct query_pool *pool, const struct phrase *phrase,
                      size_t i, bool prose)
{
	struct term *terms = &pool->terms[phrase->first_term];
	owned(buf) struct buf joined = BUF_INIT(SIZE_MAX);

	for (size_t n = 2; n <= MAX_JOINED && i + n <= phrase->n_terms; n++) {
		if (!may_join(pool, &terms[i], n, prose))
			return;
		if (n == 2)
			buf_add_span(&joined, pool_word(pool, terms[i].word));
		buf_add_span(&joined, pool_word(pool, terms[i + n - 1].word));
		terms[i].joined[n - 2] =
			add_word(pool, kind_of(phrase, prose, i + n - 1),
		                 buf_span(&joined));
	}
}

/* Called when all its terms are there. */
static void finish_phrase(struct query_pool *pool, const struct phrase *phrase,
                          bool prose)
{
	size_t last = phrase->n_terms - 1;
	struct term *terms = &pool->terms[phrase->first_term];
	owned(buf) struct buf folded = BUF_INIT(SIZE_MAX);

	for (size_t i = 0; i < phrase->n_terms; i++)
		join_term(pool, phrase, i, prose);
	if (!phrase->prefix)
		return;
	buf_add_span(&folded, pool_word(pool, terms[last].word));
	terms[last].word =
		add_word(pool, kind_of(phrase, prose, last), buf_span(&folded));
}

void pool_add_phrase(struct query_pool *pool, const struct words *words,
                     bool prefix)
{
	struct phrase *phrase = begin_phrase(pool, prefix);

	add_terms(pool, phrase, words, WORD_PROSE);
	finish_phrase(pool, phrase, true);
}

void pool_add_name(struct query_pool *pool, struct span name, bool prefix)
{
	owned(words) struct words words = WORDS_INIT;
	struct phrase *phrase = begin_phrase(pool, prefix);
	size_t comma = span_find(name, ",");

	if (comma < name.len) {
		words_read(&words, span_skip(name, comma + 1));
		add_terms(pool, phrase, &words, WORD_NAME);
	}
	words_read(&words, span_first(name, comma));
	add_terms(pool, phrase, &words, WORD_NAME);
	finish_phrase(pool, phrase, false);
}

/* ---- its canonical form ---- */

static const char *name_fields(unsigned fields)
{
	switch (fields) {
	case CLAUSE_TITLE:
		return "ti";
	case CLAUSE_ABSTRACT:
		return "abs";
	default:
		return "any";
	}
}

/* The words with a hyphen where they may join without one. */
static void add_words(struct buf *out, const struct query_pool *pool,
                      const struct phrase *phrase)
{
	const struct term *terms = pool_terms(pool, phrase);

	buf_add_char(out, '"');
	for (size_t i = 0; i < phrase->n_terms; i++) {
		if (i > 0)
			buf_add_char(out, terms[i].gap == GAP_LINK ? '-' : ' ');
		buf_add_span(out, pool_word(pool, terms[i].word));
	}
	buf_add_str(out, phrase->prefix ? "*\"" : "\"");
}

static const char *name_phrase(const struct phrase *phrase)
{
	if (phrase->n_terms > 1)
		return "phrase";
	return phrase->prefix ? "prefix" : "word";
}

static void add_value(struct buf *out, const struct query_pool *pool,
                      const struct query_clause *clause, const char *name)
{
	buf_add_char(out, '(');
	buf_add_str(out, name);
	buf_add_str(out, " \"");
	buf_add_span(out, pool_value(pool, clause));
	buf_add_char(out, '"');
}

static void add_head(struct buf *out, const struct query_pool *pool,
                     const struct query_clause *clause)
{
	switch ((enum clause_kind)clause->kind) {
	case KIND_PHRASE:
		buf_add_char(out, '(');
		buf_add_str(out, name_phrase(pool_phrase(pool, clause, 0)));
		buf_add_char(out, ' ');
		buf_add_str(out, name_fields(clause->fields));
		break;
	case KIND_NEAR:
		buf_addf(out, "(near %s %u", name_fields(clause->fields),
		         clause->distance);
		break;
	case KIND_AUTHOR:
		buf_add_str(out, "(author");
		break;
	case KIND_CATEGORY:
		add_value(out, pool, clause, "category");
		break;
	case KIND_ID:
		add_value(out, pool, clause, "id");
		break;
	case KIND_TYPE:
		add_value(out, pool, clause, "type");
		break;
	}
}

static uint32_t add_leaf(struct query_pool *pool, uint32_t clause,
                         struct span text)
{
	size_t n_known = pool->leaves.n;
	uint32_t leaf;

	buf_clear(&pool->text);
	buf_add(&pool->text, &clause, sizeof(clause));
	buf_add_span(&pool->text, text);
	leaf = intern_add(&pool->leaves, buf_span(&pool->text));
	if (leaf == n_known) {
		pool->leaf_clause =
			mem_grow(pool->leaf_clause, &pool->leaf_capacity,
		                 n_known + 1, sizeof(*pool->leaf_clause));
		pool->leaf_clause[leaf] = clause;
	}
	return leaf;
}

uint32_t pool_end_clause(struct query_pool *pool, struct span text)
{
	struct query_clause *draft = &pool->draft;
	uint32_t n_known = (uint32_t)pool->clauses.n;
	uint32_t number;

	buf_clear(&pool->text);
	add_head(&pool->text, pool, draft);
	for (size_t i = 0; i < draft->n_phrases; i++) {
		buf_add_char(&pool->text, ' ');
		add_words(&pool->text, pool, pool_phrase(pool, draft, i));
	}
	buf_add_char(&pool->text, ')');
	number = intern_add(&pool->clauses, buf_span(&pool->text));
	if (number == n_known) {
		pool->clause = mem_grow(pool->clause, &pool->clause_capacity,
		                        n_known + 1, sizeof(*pool->clause));
		pool->clause[number] = *draft;
		pool->n_phrases += draft->n_phrases;
		pool->n_terms += pool->n_draft_terms;
	}
	return add_leaf(pool, number, text);
}
