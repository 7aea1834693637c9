#pragma once

/*
 * From text to matches:
 *
 *   words.c    any text to words: the one definition of a word
 *   singular.c a word to the key that it shares with its plural
 *   intern.c   strings to small numbers
 *   token.c    a query to tokens; parse.c tokens to a tree; topic.c lists
 *   pool.c     distinct words and clauses; tree.c the trees above them
 *   lexicon.c  a batch's words with their places
 *   steps.c    a phrase looked up in a lexicon
 *   find.c     the places where a clause stands
 *   index.c    clauses to postings, once each
 *   run.c      queries to papers, by their clauses' postings or by bitmaps
 *   score.c    how well a paper matches a clause
 *   why.c      what made a paper pass, and what is marked
 *   explain.c  each clause of a tree about one paper, and the nearest miss
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
#include "words_private.h"

/* ---- pool.c ---- */

/* How a word is looked for; the letter stands before it in pool->words. */
enum word_kind {
	WORD_PROSE = 'w',
	WORD_PROSE_PREFIX = 'p',
	WORD_NAME = 'n',
	WORD_NAME_PREFIX = 'q',
	WORD_VALUE = 'v', /* no word: what follows cat:, id: or type: */
};

/* Words are numbers of the pool's. */
struct term {
	uint32_t word;
	/* As one word with the next 1, 2, 3 terms; NONE: they do not join. */
	uint32_t joined[MAX_JOINED - 1];
	enum gap gap;
};

/* Words in a row; of the last only the beginning if `prefix`. */
struct phrase {
	uint32_t first_term;
	unsigned n_terms : 31;
	bool prefix : 1;
};

enum clause_kind {
	KIND_PHRASE,
	KIND_NEAR,
	KIND_AUTHOR,
	KIND_CATEGORY,
	KIND_ID,
	KIND_TYPE,
};

/* What a leaf of a tree asks for. */
struct query_clause {
	unsigned kind : 8;      /* enum clause_kind */
	unsigned fields : 8;    /* clause_field bits: where to look */
	unsigned distance : 16; /* KIND_NEAR */
	uint32_t first_phrase;
	uint32_t n_phrases;
	uint32_t value; /* KIND_CATEGORY, KIND_ID, KIND_TYPE: a WORD_VALUE */
};

/*
 * A clause's canonical form says all that counts: those with equal ones match
 * the same papers, whoever wrote them. A leaf is a clause as somebody wrote
 * it: in `leaves` it is the clause's number in four bytes, then the text.
 */
struct query_pool {
	struct intern words;
	struct intern clauses; /* canonical forms */
	struct intern leaves;
	uint32_t *leaf_clause; /* the number once more, quicker to get at */
	size_t leaf_capacity;
	struct query_clause *clause;
	size_t clause_capacity;
	struct phrase *phrases;
	size_t n_phrases;
	size_t phrases_capacity;
	struct term *terms;
	size_t n_terms;
	size_t terms_capacity;
	/* The clause in the making; its phrases and terms stand at the ends. */
	struct query_clause draft;
	size_t n_draft_terms;
	struct buf text; /* scratch */
};

/* Begins a clause; one that was begun and not ended is forgotten. */
void pool_begin_clause(struct query_pool *pool, enum clause_kind kind,
                       unsigned fields);
void pool_add_phrase(struct query_pool *pool, const struct words *words,
                     bool prefix);
/* A name: "Last, First" is turned round. */
void pool_add_name(struct query_pool *pool, struct span name, bool prefix);
void pool_set_value(struct query_pool *pool, struct span value);
/* Ends it and returns its leaf; `text` is what the subscriber wrote. */
uint32_t pool_end_clause(struct query_pool *pool, struct span text);

static inline uint32_t leaf_clause(const struct query_pool *pool, uint32_t leaf)
{
	return pool->leaf_clause[leaf];
}

struct span leaf_text(const struct query_pool *pool, uint32_t leaf);
/* A word without the letter of its kind. */
struct span pool_word(const struct query_pool *pool, uint32_t word);
enum word_kind pool_word_kind(const struct query_pool *pool, uint32_t word);
struct span pool_value(const struct query_pool *pool,
                       const struct query_clause *clause);

static inline const struct phrase *
pool_phrase(const struct query_pool *pool, const struct query_clause *clause,
            size_t i)
{
	return &pool->phrases[clause->first_phrase + i];
}

static inline const struct term *pool_terms(const struct query_pool *pool,
                                            const struct phrase *phrase)
{
	return &pool->terms[phrase->first_term];
}

/* ---- tree.c ---- */

enum node_kind {
	NODE_CLAUSE,
	NODE_AND, /* with no children it passes every paper */
	NODE_OR,
	NODE_NOT, /* has one child */
};

/* A tree while it is parsed. */
struct node {
	enum node_kind kind;
	uint32_t leaf; /* NODE_CLAUSE */
	struct node **children;
	size_t n;
	size_t capacity;
};

struct node *node_new(enum node_kind kind);
struct node *node_new_leaf(uint32_t leaf);
void node_free(struct node *node);
/* Takes the child. */
void node_add(struct node *node, struct node *child);
/*
 * Why no paper can pass `node` and a child of `list`; NULL: nothing so plain
 * speaks against it.
 */
const char *node_find_conflict(const struct query_pool *pool,
                               const struct node *list,
                               const struct node *node);

OWNED_DEFINE(node, struct node, node_free);

/*
 * A tree as it stays: each node is a number, followed by its children. There
 * may be a hundred thousand of them.
 */
struct query {
	const struct query_pool *pool;
	uint32_t n;
	uint32_t code[];
};

#define CODE_KIND_SHIFT 30

static inline uint32_t code_make(enum node_kind kind, size_t number)
{
	return (uint32_t)kind << CODE_KIND_SHIFT | (uint32_t)number;
}

static inline enum node_kind code_kind(uint32_t code)
{
	return (enum node_kind)(code >> CODE_KIND_SHIFT);
}

/* A clause's leaf, or how many children there are. */
static inline uint32_t code_number(uint32_t code)
{
	return code & (((uint32_t)1 << CODE_KIND_SHIFT) - 1);
}

struct numbers {
	uint32_t *items;
	size_t n;
	size_t capacity;
};

void numbers_fini(struct numbers *numbers);
void numbers_add(struct numbers *numbers, uint32_t number);

static inline void owned_release_numbers(struct numbers *numbers)
{
	numbers_fini(numbers);
}

/* Copies the code. */
struct query *query_new(const struct query_pool *pool,
                        const struct numbers *code);
void code_add_node(struct numbers *code, const struct node *node);

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
MUST_CHECK int token_check_name(struct words *words, struct span name,
                                bool *ret_prefix, const char **ret_at,
                                struct error *err);

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

/*
 * What the forms of a word share: where they stand, ascending. A word and its
 * plural have one key.
 */
struct key {
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

#define LENGTHS_SIZE 4096U
#define KEY_BREAKS ((uint32_t)1 << 31)

struct lexicon {
	bool prose;          /* plurals and words joined over blanks count */
	struct intern forms; /* distinct words, and their keys */
	uint32_t *key_of;    /* each form's */
	size_t form_capacity;
	struct key *key; /* what has this form as its key */
	size_t key_capacity;
	struct place *places;
	size_t n_places;
	size_t places_capacity;
	uint32_t *place_key; /* of each place, with KEY_BREAKS */
	/* Bit N: a form of N bytes begins with letters of this hash. */
	uint32_t lengths[LENGTHS_SIZE];
	struct compound *compounds;
	size_t n_compounds;
	size_t compounds_capacity;
	struct doc *docs; /* one more than n_docs, where the last one ends */
	size_t n_docs;
	size_t docs_capacity;
	uint32_t *postings; /* places by key, then compounds by key */
	uint32_t *sorted;   /* forms by their text; made when first needed */
	uint32_t *rank;     /* of each form in `sorted` */
	struct words words; /* scratch */
	struct buf scratch;
};

void lexicon_init(struct lexicon *lexicon, bool prose);
void lexicon_fini(struct lexicon *lexicon);
void lexicon_add(struct lexicon *lexicon, uint32_t paper, uint32_t part,
                 struct span text);
/* After the last text: makes the postings. */
void lexicon_finish(struct lexicon *lexicon);

/* Which lengths the forms may have that begin as `text` does. */
uint32_t lexicon_lengths(const struct lexicon *lexicon, struct span text);
/* The key of a folded word; NONE if no word of the batch has it. */
uint32_t lexicon_find_key(struct lexicon *lexicon, struct span folded);

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

/* A word of the pool as the batch has it. */
struct target {
	bool known;  /* it was looked up */
	bool prefix; /* numbers are sorted forms, else `first` is the key */
	bool split;  /* its splits were looked up */
	bool prose;  /* a word of titles and abstracts, no prefix */
	uint32_t first;
	uint32_t n; /* 0: the batch lacks it */
	uint32_t first_split;
	uint32_t n_splits;
};

/* A word as two words: finetuning, fine tuning. */
struct split {
	uint32_t form; /* of the first word */
	uint32_t key;  /* of the second */
};

/* The pool's words in a batch, each looked up once. */
struct targets {
	const struct query_pool *pool;
	struct lexicon *prose;
	struct lexicon *names;
	struct target *items;
	size_t n;
	size_t capacity;
	struct split *splits;
	size_t n_splits;
	size_t splits_capacity;
};

void targets_fini(struct targets *targets);
/* To be called after clauses were added to the pool. */
void targets_grow(struct targets *targets);

/* One term of a phrase with all the ways in which a text may have it. */
struct step {
	const struct target *word;
	/* With the next 1, 2, 3 terms. */
	const struct target *joined[MAX_JOINED - 1];
	const struct split *splits; /* as two words */
};

struct steps {
	const struct lexicon *lexicon;
	struct step *items;
	size_t n;
	size_t capacity;
	bool plain; /* each takes one place, which has its key */
	uint32_t anchor;
};

/*
 * Looks `phrase` up. False if the batch lacks what every match needs; then
 * there is nothing to look for. What `steps` held before is gone.
 */
bool steps_set(struct steps *steps, struct targets *targets,
               const struct phrase *phrase);
void steps_fini(struct steps *steps);

static inline void owned_release_steps(struct steps *steps)
{
	steps_fini(steps);
}

/*
 * How many places step `i` takes at `place`, 0 if it does not stand there;
 * *ret_n_terms is how many terms that satisfies.
 */
uint32_t steps_take(const struct steps *steps, size_t i, uint32_t place,
                    size_t *ret_n_terms);

/* Adds the places in `range` where a word or compound meets the target. */
void target_places(const struct target *target, const struct lexicon *lexicon,
                   struct range range, struct numbers *ret_places);
/*
 * All places in `range` where the steps might begin (plain ones: where they
 * do), each once and ascending; looked up by the rarest word that stands at a
 * known distance from there.
 */
void steps_places(const struct steps *steps, struct range range,
                  struct numbers *ret_places);

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

/* What finding needs, kept from clause to clause. */
struct finder {
	const struct query_pool *pool;
	struct lexicon prose; /* titles and abstracts */
	struct lexicon names;
	struct targets targets;
	struct steps steps;
	struct numbers places;
};

/* The lexicon in which the clause looks; NULL: it looks at other fields. */
const struct lexicon *find_lexicon(const struct finder *finder,
                                   const struct query_clause *clause);

/*
 * The places of a clause of words or authors in these papers, ascending. Of a
 * NEAR they are the places of its phrases that are near enough. An author's
 * hit is the whole name.
 */
void find_clause(struct finder *finder, const struct query_clause *clause,
                 struct range papers, struct hits *ret_hits);

/* The same for one of its phrases alone. */
void find_phrase(struct finder *finder, const struct phrase *phrase,
                 unsigned fields, struct range papers, struct hits *ret_hits);

void find_author(struct finder *finder, const struct phrase *phrase,
                 struct range papers, struct hits *ret_hits);
