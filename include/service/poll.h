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
	size_t n_papers;  /* in the feed */
	size_t n_new;     /* announcements not stored before */
	size_t n_skipped; /* items that were left out */
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

/* Who is told of each result instead of the log. */
struct service_poll_events {
	void (*result)(void *ctx, const struct service_poll_result *result);
	void *ctx;
};

/*
 * Polls the categories one after the other. A feed's trouble is its result;
 * fails only for the store or the loop.
 */
MUST_CHECK int service_poll(struct service *service,
                            const struct strings *categories,
                            const struct service_poll_events *events,
                            struct service_poll_results *ret_results,
                            struct error *err);
