#pragma once

/* The index, for those who ask it: index.c, run.c, score.c, why.c, explain.c.
 */

#include "query_private.h"

/* ---- index.c ---- */

/* A paper that a clause passes, and what that adds to its score. */
struct posting {
	uint32_t paper;
	float score;
};

/* A clause's postings, once it was evaluated. */
struct result {
	bool known;
	bool author;
	uint32_t turn; /* of the query that has used it last */
	uint32_t first;
	uint32_t n;
};

/* A paper in the eyes of one query. */
struct tally {
	uint32_t turn;
	bool followed; /* by an author */
	bool unwanted;
	double score;
};

struct query_index {
	struct query_paper *papers;
	size_t n_papers;
	uint32_t n_added; /* of the papers */
	size_t n_words;   /* of a bitmap */
	struct finder finder;
	struct hits hits;       /* scratch */
	float *lengths;         /* each paper's, the average is 1 */
	struct result *results; /* by clause */
	size_t n_results;
	size_t results_capacity;
	struct posting *postings;
	size_t n_postings;
	size_t postings_capacity;
	struct tally *tallies;
	uint32_t turn;
};

/* Makes room for the clauses that the pool has now. */
void index_grow(struct query_index *index);
/* Evaluated when it is asked for first. */
struct result *index_result(struct query_index *index, uint32_t clause);
/* The paper's posting, or NULL. */
const struct posting *index_posting(struct query_index *index, uint32_t clause,
                                    size_t paper);

/* ---- score.c ---- */

/* Gives the postings that begin at `first` their scores. */
void score_postings(struct query_index *index, size_t first);
/* For an occurrence in this part of a paper. */
float score_weight(unsigned part);
void score_lengths(struct query_index *index);

#define SCORE_AUTHOR 1000.0

/* ---- why.c ---- */

/*
 * The leaves that made paper `n` pass (or fail) the query. True if it passes.
 * A clause is named once, whoever wrote it twice.
 */
bool why_reasons(struct query_index *index, const struct query *query, size_t n,
                 struct numbers *ret_leaves);
