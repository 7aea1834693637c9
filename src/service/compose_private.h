#pragma once

/* Shared by batch.c, which loads what was announced, and compose.c. */

#include "model/day.h"
#include "query/query.h"
#include "service/compose.h"

/* A paper of the batch; several may be versions of one e-print. */
struct batch_paper {
	size_t first; /* index of the first one with the same id */
	/* of `first`: the e-print's first announcement ever; 0: not known */
	int64_t first_seq;
	/* of `first`, for the subscriber of `turn`; NULL: none */
	const struct announcement *as_first; /* new, cross */
	const struct announcement *as_again; /* replace, replace-cross */
	unsigned turn;
	size_t entry;     /* of what was found, */
	unsigned claimed; /* for this subscriber */
};

enum composer_phase {
	PHASE_MARKS, /* of the subscribers, one by one */
	PHASE_LOADING,
	PHASE_INDEXING,
	PHASE_READY,
};

struct service_composer {
	struct service *service;
	enum composer_phase phase;
	const struct subscriber *const *subscribers; /* borrowed */
	size_t n_subscribers;
	size_t n_asked;      /* of the subscribers */
	int64_t oldest_mark; /* of those */
	struct store_candidates *candidates;
	struct batch_paper *papers; /* as candidates->papers */
	size_t *paper_of;           /* of each announcement */
	struct strings categories;  /* of the announcements, each once */
	size_t *category_of;        /* of each announcement */
	struct query_pool *pool;
	struct query_index *index;
	struct query_results results; /* of one topic */
	int64_t last_seq;
	struct zone *new_york; /* NULL: unknown here */
	unsigned turn;
};

/* Where a subscriber stands. */
struct standing {
	int64_t mark;
	bool begin; /* new or resumed */
	bool suspended;
	bool lift;        /* it was suspended for another address */
	int32_t slot_day; /* of the last slot that is done; 0: none yet */
};

MUST_CHECK int service_find_standing(struct service *service,
                                     const struct subscriber *subscriber,
                                     struct standing *ret_standing,
                                     struct error *err);

/* By topic, the updates last, and best first. */
void service_sort_entries(struct digest *digest);

/*
 * Adds to a digest that has papers those of the subscriber's digests that
 * provably did not arrive: one mail takes all of them along.
 */
MUST_CHECK int service_carry(struct service *service,
                             struct service_composed *composed,
                             struct error *err);

/* Their deliveries end; part of the transaction that queues the digest. */
MUST_CHECK int service_supersede(struct service *service,
                                 const struct service_composed *composed,
                                 struct error *err);
