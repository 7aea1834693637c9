#include "service/deliver.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "deliver_private.h"

/* A delivery that another process may be sending. */
struct watched {
	int64_t id;
	const struct subscriber *subscriber;
};

/* What a command watches while it waits for the lock. */
struct watch {
	struct watched *items; /* NULL: it has not waited yet */
	size_t n;
	size_t capacity;
	size_t next; /* all before it have ended */
};

struct delivering {
	struct service *service;
	const struct strings *ids;
	const struct service_deliver_events *events;
	struct service_deliver_counts *counts;
	struct sender *sender;
	struct watch watch;
};

/* ---- watching another sender ---- */

static void watch_one(struct delivering *delivering,
                      const struct store_delivery *delivery)
{
	struct watch *watch = &delivering->watch;
	const struct subscriber *subscriber = conf_find_subscriber(
		delivering->service->conf, delivery->subscriber_id);

	if (!subscriber ||
	    (delivering->ids &&
	     !strings_has(delivering->ids, delivery->subscriber_id)))
		return;
	watch->items = mem_grow(watch->items, &watch->capacity, watch->n + 1,
	                        sizeof(*watch->items));
	watch->items[watch->n++] = (struct watched){delivery->id, subscriber};
}

static int begin_watch(struct delivering *delivering, struct error *err)
{
	struct service *service = delivering->service;
	struct store_deliveries list = {0};

	if (store_list_pending(service->store,
	                       clock_now_sec(&service->world->clock), &list,
	                       err) < 0)
		return -1;
	delivering->watch.items =
		mem_grow(NULL, &delivering->watch.capacity, list.n + 1,
	                 sizeof(*delivering->watch.items));
	for (size_t i = 0; i < list.n; i++)
		watch_one(delivering, &list.items[i]);
	store_deliveries_fini(&list);
	return 0;
}

static bool is_pending(const struct store_delivery *delivery, int64_t now)
{
	switch (delivery->state) {
	case DELIVERY_SENDING:
		return true;
	case DELIVERY_QUEUED:
	case DELIVERY_DEFERRED:
	case DELIVERY_UNKNOWN:
		return delivery->next_at <= now;
	case DELIVERY_SENT:
	case DELIVERY_HELD:
	case DELIVERY_FAILED:
	case DELIVERY_SUPERSEDED:
	case DELIVERY_CANCELLED:
	case DELIVERY_STATES:
		break;
	}
	return false;
}

/* Another process has brought it to its end, or to its next attempt. */
static void tell_watched(struct delivering *delivering,
                         const struct watched *item,
                         const struct store_delivery *delivery)
{
	const struct service_deliver_events *events = delivering->events;
	bool is_sent = delivery->state == DELIVERY_SENT;

	if (delivery->state == DELIVERY_SUPERSEDED ||
	    delivery->state == DELIVERY_CANCELLED)
		return;
	deliver_count(delivering->counts, delivery->state);
	if (events->delivered)
		events->delivered(
			events->ctx,
			&(struct service_delivered){
				.subscriber = item->subscriber,
				.state = delivery->state,
				.sentence =
					is_sent ? NULL : delivery->last_words,
			});
}

enum look {
	LOOK_ENDED = 0,
	LOOK_PENDING = 1,
};

static int look_at(struct delivering *delivering, const struct watched *item,
                   struct error *err)
{
	struct service *service = delivering->service;
	struct store_delivery delivery = {0};
	int found =
		store_get_delivery(service->store, item->id, &delivery, err);

	if (found < 0)
		return -1;
	if (found == STORE_FOUND &&
	    is_pending(&delivery, clock_now_sec(&service->world->clock))) {
		store_delivery_fini(&delivery);
		return LOOK_PENDING;
	}
	if (found == STORE_FOUND)
		tell_watched(delivering, item, &delivery);
	store_delivery_fini(&delivery);
	return LOOK_ENDED;
}

/* The other sender takes them in this order, more or less. */
static int look_on(struct delivering *delivering, struct error *err)
{
	struct watch *watch = &delivering->watch;
	int state = LOOK_ENDED;

	if (!watch->items && begin_watch(delivering, err) < 0)
		return -1;
	while (watch->next < watch->n && state == LOOK_ENDED) {
		state = look_at(delivering, &watch->items[watch->next], err);
		if (state < 0)
			return -1;
		watch->next += state == LOOK_ENDED;
	}
	if (state == LOOK_PENDING && delivering->events->waiting)
		delivering->events->waiting(delivering->events->ctx,
		                            watch->n - watch->next);
	return state;
}

/*
 * The other sender is gone: what it ended out of order is told, too, and the
 * rest is ours.
 */
static int end_watch(struct delivering *delivering, struct error *err)
{
	struct watch *watch = &delivering->watch;

	for (; watch->next < watch->n; watch->next++)
		if (look_at(delivering, &watch->items[watch->next], err) < 0)
			return -1;
	return LOOK_ENDED;
}

/* ---- to completion ---- */

static int hasten(struct service *service, const struct strings *ids,
                  struct error *err)
{
	if (!ids)
		return store_hasten_deliveries(service->store, NULL, err);
	for (size_t i = 0; i < ids->n; i++)
		if (store_hasten_deliveries(service->store, ids->items[i],
		                            err) < 0)
			return -1;
	return 0;
}

static bool is_stopped(const struct delivering *delivering)
{
	const struct service_deliver_events *events = delivering->events;

	return events->stop && events->stop(events->ctx);
}

static void add_counts(struct service_deliver_counts *counts,
                       const struct service_deliver_counts *more)
{
	counts->n_sent += more->n_sent;
	counts->n_deferred += more->n_deferred;
	counts->n_held += more->n_held;
	counts->n_failed += more->n_failed;
	counts->n_left += more->n_left;
	memcpy(counts->relay, more->relay, sizeof(counts->relay));
}

/* What is left when a signal ends the waiting. */
static int leave(struct delivering *delivering)
{
	const struct watch *watch = &delivering->watch;
	struct service_deliver_counts *counts = delivering->counts;

	counts->n_left = watch->n - watch->next;
	snprintf(counts->relay, sizeof(counts->relay), "stopped by a signal");
	return 0;
}

static int send_all(struct delivering *delivering, struct error *err)
{
	struct service_world *world = delivering->service->world;

	for (;;) {
		int64_t look_ms;
		int turn = sender_turn(delivering->sender, &look_ms, err);
		int looked = LOOK_PENDING;

		if (turn == SENDER_RESTS)
			looked = look_on(delivering, err);
		else if (turn >= 0)
			looked = end_watch(delivering, err);
		if (turn < 0 || looked < 0)
			return -1;
		if (turn == SENDER_ENDED ||
		    (turn == SENDER_RESTS && looked == LOOK_ENDED))
			return 0;
		if (turn == SENDER_RESTS && is_stopped(delivering))
			return leave(delivering);
		if (world->wait(world->ctx, look_ms, err) < 0)
			return -1;
	}
}

int service_deliver(struct service *service, const struct strings *ids,
                    const struct service_deliver_events *events,
                    struct service_deliver_counts *ret_counts,
                    struct error *err)
{
	owned(sender) struct sender *sender = NULL;
	struct delivering delivering = {
		.service = service,
		.ids = ids,
		.events = events,
		.counts = ret_counts,
	};
	int rc;

	*ret_counts = (struct service_deliver_counts){0};
	if (hasten(service, ids, err) < 0 ||
	    sender_open(&sender, service, events, err) < 0)
		return -1;
	sender->ids = ids;
	sender->is_once = true;
	delivering.sender = sender;
	rc = send_all(&delivering, err);
	add_counts(ret_counts, &sender->counts);
	free(delivering.watch.items);
	return rc;
}
