#pragma once

/*
 * Delivering: the queue to the relay, one sender at a time on the machine
 * (DESIGN invariant 10).
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "service/world.h"

/* How one delivery of this run ended. */
struct service_delivered {
	const struct subscriber *subscriber;
	enum delivery_state state;
	size_t n_papers;
	const char *sentence; /* what went wrong; NULL: nothing did, or (with
	                         DELIVERY_QUEUED) what stopped the run */
};

struct service_deliver_events {
	/* One delivery has ended. */
	void (*delivered)(void *ctx, const struct service_delivered *delivered);
	/* Is it to stop after the dots that are out? NULL: never. */
	bool (*stop)(void *ctx);
	/* Another sender is at work; `n_open` deliveries are left. */
	void (*waiting)(void *ctx, uint64_t n_open);
	void *ctx;
};

struct service_deliver_counts {
	size_t n_sent;
	size_t n_deferred; /* also unknown ones that will be sent again */
	size_t n_held;
	size_t n_failed;
	size_t n_left; /* not tried, because the relay stopped the run */
	char relay[ERROR_MESSAGE_MAX]; /* why it stopped the run; "" */
};

/*
 * Waits for the send lock, then delivers what is queued, deferred or unknown,
 * whatever its next_at, of the subscribers named in `ids` (NULL: of all). A
 * delivery's trouble is counted and told; fails only for the store, the
 * templates or the loop.
 */
MUST_CHECK int service_deliver(struct service *service,
                               const struct strings *ids,
                               const struct service_deliver_events *events,
                               struct service_deliver_counts *ret_counts,
                               struct error *err);
