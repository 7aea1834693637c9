#pragma once

/*
 * Looking into what is stored, for `try` and `explain`: changes nothing, and
 * may run while another process writes.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "query/query.h"
#include "service/world.h"
#include "store/store.h"

/* An e-print of the stored days, as it was announced first among them. */
struct service_explored {
	const struct paper *paper; /* its newest version */
	enum announce_type type;
	int32_t day; /* New York's */
};

struct service_exploration {
	struct store_candidates *candidates;
	struct service_explored *items; /* newest day first */
	size_t n;
	int32_t first_day;
	int32_t last_day; /* today in New York */
};

void service_exploration_free(struct service_exploration *exploration);

OWNED_DEFINE(service_exploration, struct service_exploration,
             service_exploration_free);

/*
 * What was announced in the last `n_days`, in the categories that `category`
 * matches (category_matches()); NULL: in all. The caller owns it.
 */
MUST_CHECK int service_explore(struct service_exploration **ret_exploration,
                               struct service *service, const char *category,
                               uint32_t n_days, struct error *err);

/* What happened to one paper, and what became of it for one subscriber. */
struct service_story {
	struct store_candidates *candidates;
	const struct announcement **announced; /* of this paper, by seq */
	size_t n_announced;
	const struct paper *paper; /* newest version; NULL: nothing is stored */
	enum announce_type type;   /* the one that counts for the subscriber */
	bool subscribed; /* announced in one of the subscriber's categories */
	bool wanted;     /* as a type that the subscriber wants */
	bool too_old;    /* for any digest from now on */
	bool looked_at;  /* the subscriber's mark has passed it */
	bool suspended;
	struct store_sent sent; /* version 0: no digest has carried it */
	struct store_deliveries deliveries; /* of that digest, oldest first */
};

void service_story_free(struct service_story *story);

OWNED_DEFINE(service_story, struct service_story, service_story_free);

/* `id` is without version. The caller owns *ret_story. */
MUST_CHECK int service_tell(struct service_story **ret_story,
                            struct service *service,
                            const struct subscriber *subscriber, const char *id,
                            struct error *err);
