#include "query_private.h"

#include "base/mem.h"

struct query_clause *clause_new(enum clause_kind kind, unsigned fields,
                                struct span text)
{
	struct query_clause *clause = mem_new(sizeof(*clause));

	clause->kind = kind;
	clause->fields = fields;
	clause->text = mem_dup_span(text);
	return clause;
}

static void free_phrase(struct phrase *phrase)
{
	for (size_t i = 0; i < phrase->n; i++) {
		free(phrase->terms[i].folded);
		free(phrase->terms[i].key);
	}
	free(phrase->terms);
}

void clause_free(struct query_clause *clause)
{
	if (!clause)
		return;
	for (size_t i = 0; i < clause->n_phrases; i++)
		free_phrase(&clause->phrases[i]);
	free(clause->phrases);
	free(clause->value);
	free(clause->text);
	free(clause->canonical);
	free(clause);
}

static struct phrase *add_phrase(struct query_clause *clause, bool prefix)
{
	size_t capacity = clause->n_phrases;
	struct phrase *phrase;

	clause->phrases =
		mem_grow(clause->phrases, &capacity, clause->n_phrases + 1,
	                 sizeof(*clause->phrases));
	phrase = &clause->phrases[clause->n_phrases++];
	*phrase = (struct phrase){.prefix = prefix};
	return phrase;
}

/* Authors have no plural: the key of a name is the name. */
static struct term make_term(const struct words *words, size_t i, bool prose)
{
	owned(buf) struct buf key = BUF_INIT(SIZE_MAX);
	struct span folded = words_folded(words, i);

	if (prose)
		singular_add(&key, folded);
	else
		buf_add_span(&key, folded);
	return (struct term){
		.folded = mem_dup_span(folded),
		.key = mem_dup(buf_str(&key)),
		.gap = words->items[i].gap,
	};
}

static void add_terms(struct phrase *phrase, const struct words *words,
                      bool prose)
{
	size_t capacity = phrase->n;

	phrase->terms = mem_grow(phrase->terms, &capacity, phrase->n + words->n,
	                         sizeof(*phrase->terms));
	for (size_t i = 0; i < words->n; i++)
		phrase->terms[phrase->n++] = make_term(words, i, prose);
}

void clause_add_phrase(struct query_clause *clause, const struct words *words,
                       bool prefix)
{
	add_terms(add_phrase(clause, prefix), words, true);
}

void clause_add_name(struct query_clause *clause, struct span name, bool prefix)
{
	owned(words) struct words words = WORDS_INIT;
	struct phrase *phrase = add_phrase(clause, prefix);
	size_t comma = span_find(name, ",");

	if (comma < name.len) {
		words_read(&words, span_skip(name, comma + 1));
		add_terms(phrase, &words, false);
	}
	words_read(&words, span_first(name, comma));
	add_terms(phrase, &words, false);
}

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
static void add_words(struct buf *out, const struct phrase *phrase)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < phrase->n; i++) {
		const struct term *term = &phrase->terms[i];

		if (i > 0)
			buf_add_char(out, term->gap == GAP_LINK ? '-' : ' ');
		buf_add_str(out, term->folded);
	}
	buf_add_str(out, phrase->prefix ? "*\"" : "\"");
}

static const char *name_phrase(const struct phrase *phrase)
{
	if (phrase->n > 1)
		return "phrase";
	return phrase->prefix ? "prefix" : "word";
}

static void add_canonical(struct buf *out, const struct query_clause *clause)
{
	const char *fields = name_fields(clause->fields);

	switch (clause->kind) {
	case KIND_PHRASE:
		buf_addf(out, "(%s %s ", name_phrase(&clause->phrases[0]),
		         fields);
		break;
	case KIND_NEAR:
		buf_addf(out, "(near %s %u ", fields, clause->distance);
		break;
	case KIND_AUTHOR:
		buf_add_str(out, "(author ");
		break;
	case KIND_CATEGORY:
		buf_addf(out, "(category \"%s\"", clause->value);
		break;
	case KIND_ID:
		buf_addf(out, "(id \"%s\"", clause->value);
		break;
	case KIND_TYPE:
		buf_addf(out, "(type \"%s\"", clause->value);
		break;
	}
	for (size_t i = 0; i < clause->n_phrases; i++) {
		if (i > 0)
			buf_add_char(out, ' ');
		add_words(out, &clause->phrases[i]);
	}
	buf_add_char(out, ')');
}

void clause_finish(struct query_clause *clause)
{
	owned(buf) struct buf out = BUF_INIT(SIZE_MAX);

	add_canonical(&out, clause);
	clause->canonical = mem_dup(buf_str(&out));
}
