#pragma once

/* Polling: each category's feed is fetched, parsed, stored, and its day ends
   in an outcome. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "service/world.h"

struct service_poll_result {
	char *category;
	enum outcome outcome;
	char *reason;
	size_t n_papers;         /* in the feed */
	size_t n_new;            /* announcements not stored before */
	size_t n_skipped;        /* items that were left out */
	int64_t retry_after_sec; /* the server's wish; 0: none */
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

/*
 * For the daemon: each category from feeds.poll_from to feeds.poll_until in New
 * York, every feeds.poll_every_min; sooner after a failure, though never
 * sooner than Retry-After, and then less and less often. An empty feed is asked
 * again on days that should bring a batch. A day that began without this
 * program is asked for once, whatever the hour: tomorrow it cannot be had.
 */
struct poller;

/* `brought` is called after each answer, if it is not NULL. */
MUST_CHECK int poller_open(struct poller **ret_poller, struct service *service,
                           void (*brought)(void *ctx), void *ctx,
                           struct error *err);
/* Nothing may be on its way, unless the world has gone before. */
void poller_close(struct poller *poller);

OWNED_DEFINE(poller, struct poller, poller_close);

/*
 * Starts what is due; *ret_look_ms (monotonic) is when the next one is. Fails
 * for the store only; ERROR_TEMPORARY may be tried again.
 */
MUST_CHECK int poller_turn(struct poller *poller, int64_t *ret_look_ms,
                           struct error *err);

/* Is no request on its way? */
bool poller_is_idle(const struct poller *poller);

/* When the next feed is asked (Unix seconds). */
int64_t poller_next_at(const struct poller *poller);
