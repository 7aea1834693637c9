#pragma once

/*
 * The store's days: how each category's and each subscriber's day ended, and
 * what came of it later. A part of store/store.h, which has the rest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strings.h"

struct store;

enum outcome_of {
	OUTCOME_OF_CATEGORY,
	OUTCOME_OF_SUBSCRIBER,
};

enum outcome {
	/* a category's day */
	OUTCOME_FRESH,
	OUTCOME_STALE,
	OUTCOME_PARTIAL,
	OUTCOME_NO_ANNOUNCEMENT, /* also a subscriber's */
	OUTCOME_UNREACHABLE,
	OUTCOME_INVALID,
	/* a subscriber's day */
	OUTCOME_SENT,
	OUTCOME_NOTHING_MATCHED,
	OUTCOME_WAITING,
	OUTCOME_DEFERRED,
	OUTCOME_HELD,
	OUTCOME_FAILED,
	OUTCOME_SUSPENDED,
	OUTCOME_PAUSED,
	OUTCOMES,
};

const char *outcome_name(enum outcome outcome);

/* Whose day, and which. */
struct store_day {
	enum outcome_of of;
	const char *name; /* a category, or a subscriber's id */
	int32_t day;
};

struct store_outcome {
	struct store_day of_day;
	enum outcome outcome;
	const char *reason;
	int64_t at;
	bool recovered; /* what it lacked has come since; only read */
};

struct store_outcomes {
	struct store_outcome *items;
	size_t n;
	size_t capacity;
	struct strings texts; /* the items' names and reasons */
};

void store_outcomes_fini(struct store_outcomes *outcomes);

/* Sets the outcome of a day, replacing the one it had. */
MUST_CHECK int store_set_outcome(struct store *store,
                                 const struct store_outcome *outcome,
                                 struct error *err);

/* STORE_FOUND or STORE_MISSING. */
MUST_CHECK int store_get_outcome(struct store *store,
                                 const struct store_day *day,
                                 enum outcome *ret_outcome, struct error *err);

/* All from `since_day` on, by name, then by day. */
MUST_CHECK int store_list_outcomes(struct store *store, int32_t since_day,
                                   struct store_outcomes *ret_outcomes,
                                   struct error *err);

/* Of one category or subscriber, from a day on, by day. */
MUST_CHECK int store_list_outcomes_of(struct store *store,
                                      const struct store_day *since,
                                      struct store_outcomes *ret_outcomes,
                                      struct error *err);

/* ---- days that were recovered ---- */

/* Which of a category's days ended without the batch that they should have. */
struct store_missed {
	int32_t since_day;
	uint32_t days;     /* bit I: since_day + I */
	int32_t first_day; /* of which there is an outcome; 0: there is none */
};

/*
 * Of the LIMIT_RECOVER_DAYS before `today`: those that ended stale, unreachable
 * or invalid and are not recovered for good. arXiv may be late itself, so what
 * was asked the day after is asked again.
 */
MUST_CHECK int store_get_missed(struct store *store, const char *category,
                                int32_t today, struct store_missed *ret_missed,
                                struct error *err);

/* What has come of a category's day later. */
struct store_recovered {
	const char *category;
	int32_t day;
	int32_t on_day; /* when */
	size_t n_papers;
	const char *reason;
};

/*
 * Marks a day as recovered. Its outcome stays, and this reason is added to its
 * own; the second time only if there are papers. A day that had its batch is
 * marked if there are papers.
 */
MUST_CHECK int store_set_recovered(struct store *store,
                                   const struct store_recovered *recovered,
                                   struct error *err);
