#pragma once

/*
 * Filters: texts to queries, and queries with a batch of papers to matches and
 * the reasons. Pure. The language, and what a word is, a plural and a name,
 * says arxmail-query(7); nothing in a query is ever ignored or changed
 * silently.
 *
 * The words and clauses of many queries are kept once, in a pool. A batch is
 * tokenized once into folded words with their places; each distinct clause is
 * evaluated once per index, however many queries hold it, and one with a word
 * that the batch lacks costs next to nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "model/digest.h"
#include "model/paper.h"
#include "model/subscriber.h"

/* The distinct words and clauses of queries, which must not outlive it. */
struct query_pool;

struct query_pool *query_pool_new(void);
void query_pool_free(struct query_pool *pool);

OWNED_DEFINE(query_pool, struct query_pool, query_pool_free);

struct query;

/*
 * Parses a query. Fails with ERROR_SYNTAX or ERROR_LIMIT and "column N: what
 * is wrong and what to write" (columns count characters from 1).
 */
MUST_CHECK int query_parse(struct query **ret_query, struct query_pool *pool,
                           const char *text, struct error *err);

/*
 * The query of a topic: its query, or (any keyword OR any author) NOT any
 * exclude. A keyword is a word, words in a row (a phrase), either with a * at
 * its end (large lang*). Its operators are plain words, but what looks as if
 * it was meant for a query (ti:x, a AND b, -x, quotes) fails. An entry of
 * `authors` is what may follow au:. Keywords and authors may hold TeX
 * accents. Errors begin with where: `query: column 3: …`, `keywords[1]: …`
 * (counted from 0, as libconfig does).
 */
MUST_CHECK int query_from_topic(struct query **ret_query,
                                struct query_pool *pool,
                                const struct topic *topic, struct error *err);

/* The same errors for who only wants to know. */
MUST_CHECK int query_check_topic(const struct topic *topic, struct error *err);

void query_free(struct query *query);

OWNED_DEFINE(query, struct query, query_free);

/*
 * The tree as text, for golden files: (and (word ti "lattice") …). Words are
 * folded; a hyphen stands where they may join; (all) passes every paper.
 */
void query_add_tree(struct buf *out, const struct query *query);

/* A paper to be indexed; `type` is what type: looks at. */
struct query_paper {
	const struct paper *paper;
	enum announce_type type;
};

struct query_index;

/*
 * An index for queries of the pool, also later ones. The pool is borrowed;
 * the papers are, too, and `papers` is copied.
 */
struct query_index *query_index_new(const struct query_pool *pool,
                                    const struct query_paper *papers,
                                    size_t n_papers);

/*
 * The same in steps, for who must not be kept long: query_index_go_on() adds
 * up to `most` papers more, and is true once all are there. Nothing may be
 * asked of the index before.
 */
struct query_index *query_index_begin(const struct query_pool *pool,
                                      const struct query_paper *papers,
                                      size_t n_papers);
bool query_index_go_on(struct query_index *index, size_t most);

void query_index_free(struct query_index *index);

OWNED_DEFINE(query_index, struct query_index, query_index_free);

/*
 * A paper that passes, and how well: the sum over the clauses of words that
 * made it pass (those of query_why()) of
 *
 *      rarity * hits * 2.2 / (hits + 1.2 * (0.25 + 0.75 * length))
 *
 * hits    how often it stands in the abstract, plus 3 times in the title
 * length  the paper's words over the average of the index
 * rarity  log2(1 + (N - n + 0.5) / (n + 0.5)), n of N papers having it (bm25)
 *
 * and 1000 if one of the clauses is an author. cat:, id: and type: add
 * nothing. Without clauses it is 0.
 */
struct query_found {
	uint32_t paper; /* its place in `papers` */
	double score;
};

/* Kept from query to query, to spare the memory. */
struct query_results {
	struct query_found *items;
	size_t n;
	size_t capacity;
};

void query_results_fini(struct query_results *results);

static inline void owned_release_query_results(struct query_results *results)
{
	query_results_fini(results);
}

/* The papers that pass, best first; of equals the one that comes first. */
void query_run(struct query_index *index, const struct query *query,
               struct query_results *ret_results);

/*
 * Why paper `n`, which passes, does so: the clauses that made it pass, each
 * once and as the subscriber wrote it, and the marked places in its display
 * text: whole words, a phrase as one mark, math with its dollars. A paper
 * that passes because something is absent has no clauses. *ret_match is the
 * caller's (match_fini()).
 */
void query_why(struct query_index *index, const struct query *query, size_t n,
               struct match *ret_match);

/* ---- what people ask about ---- */

enum query_part {
	QUERY_CLAUSE,
	QUERY_ALL, /* of those below it */
	QUERY_ANY,
	QUERY_NOT,
};

/* A line of a query's tree; those below it are deeper. */
struct query_verdict {
	enum query_part part;
	unsigned depth;
	bool passes;
	char *text;      /* a clause as written; NULL for the others */
	size_t n_papers; /* of the index: how many a clause passes */
	/* A clause that fails: what comes nearest, in words; NULL: nothing. */
	char *miss;
};

struct query_verdicts {
	struct query_verdict *items;
	size_t n;
	size_t capacity;
};

void query_verdicts_fini(struct query_verdicts *verdicts);

static inline void owned_release_query_verdicts(struct query_verdicts *verdicts)
{
	query_verdicts_fini(verdicts);
}

/* The query's tree about paper `n`, whether it passes or not. */
void query_explain(struct query_index *index, const struct query *query,
                   size_t n, struct query_verdicts *ret_verdicts);
