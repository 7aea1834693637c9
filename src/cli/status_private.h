#pragma once

/* What `status` knows, and the forms it is shown in. */

#include "base/owned.h"
#include "base/strings.h"
#include "cli/cli.h"
#include "model/day.h"
#include "store/words.h"

struct status {
	struct cli *cli;
	int64_t now;
	int32_t last_day; /* the latest date that it is for anyone */
	uint32_t n_days;  /* up to it */
	/* What was asked for by name; else all. */
	bool is_named;
	struct strings categories;
	const struct subscriber **subscribers;
	size_t n_subscribers;
	/* The queue. */
	struct store_queue_counts counts;
	struct store_queue_view view;
	struct store_trouble trouble; /* since 0: none */
	/* The language model, where the config has one. */
	struct store_trouble model_trouble; /* since 0: none */
	struct store_asked asked;           /* today, UTC */
	struct store_suspended_list suspended;
	struct store_deliveries undelivered; /* STATUS_DELIVERIES + 1 */
	/* The next digests: when (INT64_MAX: never) and how many. */
	int64_t next_at;
	size_t n_next;
};

#define STATUS_DELIVERIES 50

/* One category or subscriber. */
struct status_row {
	enum outcome_of of;
	const char *name;
	const struct subscriber *subscriber; /* NULL: it is a category */
	struct store_outcomes outcomes;      /* of the days that are shown */
};

typedef int (*status_visit_fn)(void *ctx, const struct status_row *row,
                               struct error *err);

MUST_CHECK int status_open(struct status *status, struct cli *cli,
                           uint32_t n_days, struct error *err);
void status_close(struct status *status);

static inline void owned_release_status(struct status *status)
{
	status_close(status);
}

/* Only these: categories, and subscribers' ids or addresses. CLI_DONE or not */
MUST_CHECK int status_choose(struct status *status, int n, char **names);

/* Calls `visit` for each category or subscriber; ends when it gives -1. */
MUST_CHECK int status_each(const struct status *status, enum outcome_of of,
                           status_visit_fn visit, void *ctx, struct error *err);

/* The newest outcome; NULL: nothing is known. */
const struct store_outcome *status_newest(const struct status_row *row);

/* Does the day want an admin's look? */
bool status_is_trouble(const struct store_outcome *outcome);

/* Sent, superseded, cancelled: not counted. */
bool status_is_done(enum delivery_state state);

/* Each prints all of it to stdout. */
MUST_CHECK int status_print_text(const struct status *status,
                                 struct error *err);
MUST_CHECK int status_print_json(const struct status *status,
                                 struct error *err);
MUST_CHECK int status_print_prometheus(const struct status *status,
                                       struct error *err);
