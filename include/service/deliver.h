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
 * For a command. Makes deferred deliveries of the subscribers named in `ids`
 * (NULL: of all) due at once. Then delivers what is due of them, or, while
 * another process holds the send lock, watches it doing that. A delivery's
 * trouble is counted and told; fails only for the store, the templates or the
 * loop.
 */
MUST_CHECK int service_deliver(struct service *service,
                               const struct strings *ids,
                               const struct service_deliver_events *events,
                               struct service_deliver_counts *ret_counts,
                               struct error *err);

/*
 * For the daemon: the same in turns, for good. Whenever something is due and
 * no other process sends, it takes the lock and works; retries come at their
 * time. While the relay refuses everybody (no connection, no login, three
 * recipients in a row), it asks it with one mail an interval, counts no
 * attempt, and lets the lock go between.
 */
struct sender;

enum sender_turn {
	SENDER_WORKS = 0,
	SENDER_RESTS = 1, /* nothing is on its way: the config may change */
	SENDER_ENDED = 2,
};

/* `service` and `events` are borrowed. */
MUST_CHECK int sender_open(struct sender **ret_sender, struct service *service,
                           const struct service_deliver_events *events,
                           struct error *err);
/* Ends it as it stands; what was on its way is told apart by the next one. */
void sender_close(struct sender *sender);

OWNED_DEFINE(sender, struct sender, sender_close);

/*
 * One turn, a slice of some 30 ms at most. An enum sender_turn; the next turn
 * is wanted at *ret_look_ms (monotonic) or when a session of it has said
 * something. Fails with ERROR_TEMPORARY if the database is locked: the turn
 * may be taken again.
 */
MUST_CHECK int sender_turn(struct sender *sender, int64_t *ret_look_ms,
                           struct error *err);

/*
 * From now on nothing new is begun: what has no dot sent yet is handed back,
 * and turns go on until the replies to the others are there: SENDER_ENDED.
 */
void sender_end(struct sender *sender);

/* After SENDER_ENDED: it may begin anew, with another config. */
void sender_renew(struct sender *sender);

/* How many replies to final dots are missing. */
size_t sender_count_unanswered(const struct sender *sender);
