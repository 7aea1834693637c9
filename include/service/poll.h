#pragma once

/* Polling: each category's feed is fetched, parsed, stored, and its day ends
   in an outcome. */

#include <stddef.h>

#include "base/error.h"
#include "service/world.h"

struct service_poll_result {
	char *category;
	enum outcome outcome;
	char *reason;
	size_t n_papers; /* in the feed */
	size_t n_new;    /* announcements not stored before */
};

struct service_poll_results {
	struct service_poll_result *items;
	size_t n;
	size_t capacity;
};

void service_poll_results_fini(struct service_poll_results *results);

static inline void
owned_release_poll_results(struct service_poll_results *results)
{
	service_poll_results_fini(results);
}

/*
 * Appends the categories that the subscribers need, each once: what they
 * name, and for "math.*" all its parts. `subscriber` NULL: of all.
 */
void service_categories(const struct conf *conf,
                        const struct subscriber *subscriber,
                        struct strings *categories);

/*
 * Polls the categories one after the other; `progress` (may be NULL) is told
 * of each result. A feed's trouble is its result; fails only for the store
 * or the loop.
 */
typedef void (*service_poll_fn)(void *ctx,
                                const struct service_poll_result *result);

MUST_CHECK int service_poll(struct service *service,
                            const struct strings *categories,
                            service_poll_fn progress, void *ctx,
                            struct service_poll_results *ret_results,
                            struct error *err);
