#pragma once

/*
 * From text to matches:
 *
 *   words.c    any text to words: the one definition of a word
 *   singular.c a word to the key that it shares with its plural
 *   intern.c   strings to small numbers
 *   token.c    a query to tokens; parse.c tokens to a tree; topic.c lists
 *   clause.c   leaves of trees; tree.c the nodes above them
 *   lexicon.c  a batch's words with their places
 *   steps.c    a phrase looked up in a lexicon
 *   find.c     the places where a clause stands
 *   index.c    clauses to bitmaps, once each; queries to bitmaps
 *   why.c      what made a paper pass, and how well it does
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"
#include "model/digest.h"
#include "model/paper.h"
#include "query/query.h"

/* So many words linked by hyphens also count as one joined word. */
#define MAX_JOINED 4
#define NONE UINT32_MAX

/* ---- words.c ---- */

/* What stands between a word and the one before it. */
enum gap {
	GAP_BREAK, /* punctuation that ends a phrase, or the beginning */
	GAP_BLANK, /* blanks */
	GAP_LINK,  /* a hyphen, slash or the like, no blank */
	GAP_NONE,  /* nothing, as between ideographs */
};

struct word {
	uint32_t start; /* of the whole original word, in bytes of the text */
	uint32_t len;
	uint32_t folded; /* place in words.folded */
	uint32_t folded_len;
	uint32_t plain_len; /* without ++; folded_len if there is none */
	enum gap gap;
};

struct words {
	struct buf folded;
	struct word *items;
	size_t n;
	size_t capacity;
	/* The first character that ends a phrase, or SPAN_NONE. */
	struct span first_break;
};

#define WORDS_INIT ((struct words){.folded = BUF_INIT(SIZE_MAX)})

void words_fini(struct words *words);

static inline void owned_release_words(struct words *words)
{
	words_fini(words);
}

/* Takes `text` apart; what `words` held before is gone. */
void words_read(struct words *words, struct span text);
struct span words_folded(const struct words *words, size_t i);

/*
 * May two words with a blank between them count as one joined word? If each
 * has three characters, or one has and the other is a number.
 */
bool words_may_join(struct span first, struct span second);

/* ---- singular.c ---- */

/*
 * Appends the key of a folded word: English singular and plural have the same
 * one. It is for comparing only and not always a word.
 */
void singular_add(struct buf *out, struct span folded);

/* ---- intern.c ---- */

/* Distinct strings, numbered from 0 in the order of their arrival. */
struct intern {
	struct buf text;
	struct {
		uint32_t start;
		uint32_t len;
	} * items;
	size_t n;
	size_t capacity;
	uint32_t *slots;
	size_t n_slots;
};

#define INTERN_INIT ((struct intern){.text = BUF_INIT(SIZE_MAX)})

void intern_fini(struct intern *intern);
uint32_t intern_add(struct intern *intern, struct span text);
/* NONE if it was never added. */
uint32_t intern_find(const struct intern *intern, struct span text);
struct span intern_text(const struct intern *intern, uint32_t i);

/* ---- clause.c ---- */

struct term {
	char *folded;
	char *key;
	enum gap gap;
};

/* Words in a row; of the last only the beginning if `prefix`. */
struct phrase {
	struct term *terms;
	size_t n;
	bool prefix;
};

enum clause_kind {
	KIND_PHRASE,
	KIND_NEAR,
	KIND_AUTHOR,
	KIND_CATEGORY,
	KIND_ID,
	KIND_TYPE,
};

/*
 * A leaf of the tree. `canonical` says all that counts: clauses with equal
 * ones match the same papers, whoever wrote them.
 */
struct query_clause {
	enum clause_kind kind;
	unsigned fields; /* clause_field bits: where to look */
	struct phrase *phrases;
	size_t n_phrases;
	uint32_t distance; /* KIND_NEAR */
	char *value;       /* KIND_CATEGORY, KIND_ID, KIND_TYPE */
	char *text;        /* as the subscriber wrote it */
	char *canonical;
};

/* `text` is what the subscriber wrote. */
struct query_clause *clause_new(enum clause_kind kind, unsigned fields,
                                struct span text);
void clause_free(struct query_clause *clause);

OWNED_DEFINE(clause, struct query_clause, clause_free);

/* Adds the words from `first` on, `n` of them, as a phrase. */
void clause_add_phrase(struct query_clause *clause, const struct words *words,
                       bool prefix);
/* A name: "Last, First" is turned round. */
void clause_add_name(struct query_clause *clause, struct span name,
                     bool prefix);
/* To be called when the clause is complete: makes its canonical form. */
void clause_finish(struct query_clause *clause);

/* ---- tree.c ---- */

enum node_kind {
	NODE_CLAUSE,
	NODE_AND, /* with no children it passes every paper */
	NODE_OR,
	NODE_NOT, /* has one child */
};

struct node {
	enum node_kind kind;
	struct query_clause *clause;
	struct node **children;
	size_t n;
	size_t capacity;
};

struct query {
	struct node *root;
};

struct node *node_new(enum node_kind kind);
/* Takes the clause. */
struct node *node_new_clause(struct query_clause *clause);
void node_free(struct node *node);
/* Takes the child. */
void node_add(struct node *node, struct node *child);
/* Takes the root. */
struct query *query_new(struct node *root);

OWNED_DEFINE(node, struct node, node_free);

/* ---- token.c ---- */

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* value: the word */
	TOKEN_PHRASE, /* value: what stands between the quotes */
	TOKEN_FIELD,  /* value: its name; the operand follows at once */
	TOKEN_NEAR,   /* "NEAR(" */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
	TOKEN_MINUS,
};

struct token {
	enum token_kind kind;
	struct span text; /* as written */
	struct span value;
};

struct tokens {
	struct span all;
	struct span rest;
};

MUST_CHECK int token_next(struct tokens *tokens, struct token *ret_token,
                          struct error *err);

/* "column N: ..." for the place `at` in the query. Returns -1. */
int token_fail(const struct tokens *tokens, const char *at, struct error *err,
               const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Reads the words of a phrase or a word of a query or a keyword; a star at
 * its end makes a prefix. What is wrong with it, if anything, is at *ret_at.
 */
MUST_CHECK int token_read_words(struct words *words, struct span text,
                                bool *ret_prefix, const char **ret_at,
                                struct error *err);
/* Checks a name in the same way. */
MUST_CHECK int token_check_name(struct span name, bool *ret_prefix,
                                const char **ret_at, struct error *err);

/* ---- lexicon.c ---- */

/* A word of a text. */
struct place {
	uint32_t form;
	uint32_t doc;
	uint32_t start; /* bytes in the display text */
	unsigned len : 30;
	bool breaks : 1;   /* no phrase goes on from the word before it */
	bool compound : 1; /* a compound begins here */
};

/* Words linked by hyphens, as one word; or one word without its ++. */
struct compound {
	uint32_t form;
	uint32_t first; /* place */
	uint32_t n;
};

/* A distinct word, by its folded form; the number is the intern's. */
struct form {
	uint32_t key;
	uint32_t next; /* form with the same key, or NONE */
	uint32_t places;
	uint32_t n_places;
	uint32_t compounds;
	uint32_t n_compounds;
};

/* A title, an abstract or one author's name. */
struct doc {
	uint32_t paper;
	uint32_t part;  /* clause_field, or the author's number */
	uint32_t first; /* place */
};

struct lexicon {
	bool prose; /* plurals and words joined over blanks count */
	struct intern forms;
	struct intern keys;
	struct form *form;
	size_t form_capacity;
	uint32_t *key_form; /* the first form of each key */
	size_t key_capacity;
	struct place *places;
	size_t n_places;
	size_t places_capacity;
	struct compound *compounds;
	size_t n_compounds;
	size_t compounds_capacity;
	struct doc *docs; /* one more than n_docs, where the last one ends */
	size_t n_docs;
	size_t docs_capacity;
	uint32_t *postings; /* places by form, then compounds by form */
	uint32_t *sorted;   /* forms by their text; made when first needed */
	struct words words; /* scratch */
	struct buf scratch;
};

void lexicon_init(struct lexicon *lexicon, bool prose);
void lexicon_fini(struct lexicon *lexicon);
void lexicon_add(struct lexicon *lexicon, uint32_t paper, uint32_t part,
                 struct span text);
/* After the last text: makes the postings. */
void lexicon_finish(struct lexicon *lexicon);

/* Forms that begin with `prefix`: lexicon->sorted[*ret_first], *ret_n. */
void lexicon_find_prefix(struct lexicon *lexicon, struct span prefix,
                         size_t *ret_first, size_t *ret_n);
/* The first compound that begins at `place`, one past the last in *ret_end. */
const struct compound *lexicon_compounds_at(const struct lexicon *lexicon,
                                            uint32_t place,
                                            const struct compound **ret_end);

/* Numbers from `first` to before `end`: of papers or of places. */
struct range {
	uint32_t first;
	uint32_t end;
};

struct range lexicon_places_of(const struct lexicon *lexicon,
                               struct range papers);

/* ---- steps.c ---- */

/* One word that is looked for: a key, or the beginning of a form. */
struct target {
	uint32_t key;        /* NONE: no such word in the batch */
	char *prefix;        /* NULL: the whole word counts */
	size_t first_sorted; /* the prefix's forms */
	size_t n_sorted;
};

struct split {
	uint32_t form; /* of the first word */
	uint32_t key;  /* of the second */
};

/* One term of a phrase with all the ways in which a text may have it. */
struct step {
	struct target word;
	struct target joined[MAX_JOINED - 1]; /* with the next 1, 2, 3 terms */
	struct split *splits;                 /* as two words */
	size_t n_splits;
};

struct steps {
	struct step *items;
	size_t n;
};

/*
 * Looks `phrase` up. False if the batch lacks what every match needs; then
 * there is nothing to look for.
 */
bool steps_init(struct steps *steps, struct lexicon *lexicon,
                const struct phrase *phrase);
void steps_fini(struct steps *steps);

static inline void owned_release_steps(struct steps *steps)
{
	steps_fini(steps);
}

/*
 * How many places the step takes at `place`, 0 if it does not stand there;
 * *ret_n_terms is how many terms that satisfies.
 */
uint32_t step_take(const struct step *step, const struct lexicon *lexicon,
                   uint32_t place, size_t *ret_n_terms);

struct numbers {
	uint32_t *items;
	size_t n;
	size_t capacity;
};

void numbers_fini(struct numbers *numbers);

static inline void owned_release_numbers(struct numbers *numbers)
{
	numbers_fini(numbers);
}

/* Adds the places in `range` where a word or compound meets the target. */
void target_places(const struct target *target, const struct lexicon *lexicon,
                   struct range range, struct numbers *ret_places);
/*
 * All places in `range` where the steps might begin, each once and ascending;
 * looked up by the rarest word that stands at a known distance from there.
 */
void steps_places(const struct steps *steps, const struct lexicon *lexicon,
                  struct range range, struct numbers *ret_places);

/* ---- find.c ---- */

struct hit {
	uint32_t first; /* place */
	uint32_t n;
};

struct hits {
	struct hit *items;
	size_t n;
	size_t capacity;
};

void hits_fini(struct hits *hits);

static inline void owned_release_hits(struct hits *hits)
{
	hits_fini(hits);
}

/*
 * The places of a clause of words or authors in these papers, ascending. Of a
 * NEAR they are the places of its phrases that are near enough. An author's
 * hit is the whole name.
 */
void find_clause(struct lexicon *lexicon, const struct query_clause *clause,
                 struct range papers, struct hits *ret_hits);

/* ---- index.c ---- */

struct result {
	uint64_t *bits; /* NULL: no paper */
	size_t n_papers;
};

struct query_index {
	const struct query_paper *papers;
	size_t n_papers;
	size_t n_words;
	struct lexicon prose; /* titles and abstracts */
	struct lexicon names;
	struct intern clauses; /* canonical forms: numbers of results */
	struct result *results;
	size_t results_capacity;
};

/* The lexicon in which the clause looks; NULL: it looks at other fields. */
struct lexicon *index_lexicon(struct query_index *index,
                              const struct query_clause *clause);
/* Evaluated when it is asked for first. */
const struct result *index_result(struct query_index *index,
                                  const struct query_clause *clause);
bool index_passes(struct query_index *index, const struct node *node,
                  size_t paper);
