#pragma once

/*
 * Filters: texts to trees, and trees with a batch of papers to matches and
 * the reasons. Pure. The language is that of arxmail-query in the manual;
 * nothing in a query is ever ignored or changed silently.
 *
 * A batch is tokenized once into folded words with their places; each
 * distinct clause is evaluated once per index, however many queries hold it.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "model/digest.h"
#include "model/paper.h"
#include "model/subscriber.h"

struct query;

/*
 * Parses a query. Fails with ERROR_SYNTAX or ERROR_LIMIT and "column N: what
 * is wrong and what to write" (columns count characters from 1).
 */
MUST_CHECK int query_parse(struct query **ret_query, const char *text,
                           struct error *err);

/*
 * The query of a topic: its query, or (any keyword OR any author) NOT any
 * exclude. A keyword is a word, words in a row (a phrase) or a prefix*.
 * Errors begin with where: `query: column 3: …`, `keywords[1]: …`.
 */
MUST_CHECK int query_from_topic(struct query **ret_query,
                                const struct topic *topic, struct error *err);
void query_free(struct query *query);

OWNED_DEFINE(query, struct query, query_free);

/* The tree as text, for golden files: (and (word ti "lattice") …). */
void query_add_tree(struct buf *out, const struct query *query);

/* A paper to be indexed; `type` is what type: looks at. */
struct query_paper {
	const struct paper *paper;
	enum announce_type type;
};

struct query_index;

/* The papers are borrowed and must outlive the index. */
struct query_index *query_index_new(const struct query_paper *papers,
                                    size_t n_papers);
void query_index_free(struct query_index *index);

OWNED_DEFINE(query_index, struct query_index, query_index_free);

/* uint64_t words in a bitmap over the index's papers. */
size_t query_index_words(const struct query_index *index);

/* Sets bit N for each paper N that passes, clears the others. */
void query_run(struct query_index *index, const struct query *query,
               uint64_t *ret_bits);

/*
 * Why paper `n`, which passes, does so: the clauses that made it pass and the
 * marked places in its display text. *ret_match is the caller's
 * (match_fini()).
 */
void query_why(struct query_index *index, const struct query *query, size_t n,
               struct match *ret_match);

/*
 * How well paper `n`, which passes, matches: higher is better, followed
 * authors (an author clause) above everything else.
 */
double query_score(struct query_index *index, const struct query *query,
                   size_t n);
