#include "service/deliver.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "deliver_private.h"
#include "service_private.h"

#define LOCK_POLL_MS 200 /* how often the other sender is asked after */
#define STORE_TRIES 15   /* of 20 s each, for a database that is locked */
#define FILL_SLICE_MS 20 /* rendering between two looks at the sessions */

/* ---- lanes and letters ---- */

void sender_stop(struct sender *sender, const char *sentence)
{
	if (!sender->stopping)
		snprintf(sender->counts->relay, sizeof(sender->counts->relay),
		         "%s", sentence);
	sender->stopping = true;
}

void sender_tell(const struct sender *sender,
                 const struct service_delivered *delivered)
{
	if (sender->events->delivered)
		sender->events->delivered(sender->events->ctx, delivered);
}

void sender_spare(struct sender *sender, struct letter *letter)
{
	sender->spare[sender->n_spare++] = letter;
}

bool sender_is_open_elsewhere(const struct sender *sender,
                              const struct lane *lane)
{
	for (size_t i = 0; i < sender->n_lanes; i++)
		if (&sender->lanes[i] != lane &&
		    sender->lanes[i].state > LANE_OPENING)
			return true;
	return false;
}

static int64_t monotonic_ms(const struct sender *sender)
{
	return clock_monotonic_ms(&sender->service->world->clock);
}

/* A letter, if the pace and the queue have one; *slot stays NULL if not. */
static int take_letter(struct sender *sender, struct letter **slot,
                       struct error *err)
{
	int64_t now_ms = monotonic_ms(sender);

	if (*slot || sender->stopping)
		return 0;
	if (sender->n_spare > 0) {
		*slot = sender->spare[--sender->n_spare];
		return 0;
	}
	if (sender->outbox.empty || !pace_allows(&sender->pace, now_ms))
		return 0;
	if (outbox_next(&sender->outbox, slot, err) < 0)
		return -1;
	if (*slot)
		pace_take(&sender->pace, now_ms);
	return 0;
}

/* May the connection carry one more message after the one it has? */
static bool has_room(const struct sender *sender, const struct lane *lane)
{
	uint32_t most = sender->service->conf->smtp.per_connection;

	return most == 0 || lane->n_on_connection < most;
}

static int fill_lane(struct sender *sender, struct lane *lane,
                     struct error *err)
{
	switch (lane->state) {
	case LANE_CLOSED:
		if (take_letter(sender, &lane->current, err) < 0)
			return -1;
		return lane->current ? lane_open(lane, err) : 0;
	case LANE_IDLE:
		if (!has_room(sender, lane)) {
			lane_close(lane);
			return fill_lane(sender, lane, err);
		}
		return take_letter(sender, &lane->current, err);
	case LANE_COMMANDS:
	case LANE_READY:
		return has_room(sender, lane)
		               ? take_letter(sender, &lane->next, err)
		               : 0;
	case LANE_OPENING:
	case LANE_BODY:
		break;
	}
	return 0;
}

/* Idle lanes beyond what the pace allows are closed, busy ones finish. */
static int fill(struct sender *sender, struct error *err)
{
	int64_t until_ms = monotonic_ms(sender) + FILL_SLICE_MS;

	for (size_t i = 0; i < sender->n_lanes; i++) {
		struct lane *lane = &sender->lanes[i];
		bool surplus = i >= sender->pace.n_lanes;

		if (surplus && lane->state == LANE_IDLE && !lane->current)
			lane_close(lane);
		if (surplus || monotonic_ms(sender) > until_ms)
			continue;
		if (fill_lane(sender, lane, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the end of a run ---- */

static void tell_left(struct sender *sender,
                      const struct subscriber *subscriber)
{
	sender->counts->n_left++;
	sender_tell(sender,
	            &(struct service_delivered){.subscriber = subscriber,
	                                        .state = DELIVERY_QUEUED});
}

static int hand_back(struct sender *sender, struct letter **slot,
                     struct error *err)
{
	owned(letter) struct letter *letter = take_ptr(*slot);
	const struct store_attempt attempt = {
		.state = DELIVERY_QUEUED,
		.at = clock_now_sec(&sender->service->world->clock),
		.words = sender->counts->relay,
	};

	if (!letter)
		return 0;
	tell_left(sender, letter->subscriber);
	if (letter->started &&
	    store_end_delivery(sender->service->store, letter->delivery.id,
	                       &attempt, err) < 0)
		return -1;
	return service_note_outcome(sender->service, letter->subscriber,
	                            OUTCOME_DEFERRED, sender->counts->relay,
	                            err);
}

/* All that has not sent its dot goes back; the others are waited for. */
static int wind_down(struct sender *sender, struct error *err)
{
	for (size_t i = 0; i < sender->n_lanes; i++) {
		struct lane *lane = &sender->lanes[i];

		if (lane->state == LANE_BODY)
			continue;
		lane_close(lane);
		if (hand_back(sender, &lane->current, err) < 0 ||
		    hand_back(sender, &lane->next, err) < 0)
			return -1;
	}
	while (sender->n_spare > 0)
		if (hand_back(sender, &sender->spare[--sender->n_spare], err) <
		    0)
			return -1;
	return 0;
}

/* Those that were not even begun have a day's outcome, too. */
static int leave_behind(struct sender *sender, struct error *err)
{
	while (!sender->outbox.empty) {
		const struct subscriber *subscriber;

		if (outbox_skip(&sender->outbox, &subscriber, err) < 0)
			return -1;
		if (!subscriber)
			break;
		tell_left(sender, subscriber);
		if (service_note_outcome(sender->service, subscriber,
		                         OUTCOME_DEFERRED,
		                         sender->counts->relay, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_done(const struct sender *sender)
{
	for (size_t i = 0; i < sender->n_lanes; i++)
		if (sender->lanes[i].current || sender->lanes[i].n_ended > 0 ||
		    sender->lanes[i].state == LANE_OPENING)
			return false;
	return sender->n_spare == 0 &&
	       (sender->outbox.empty || sender->stopping);
}

/* ---- the loop ---- */

static bool has_letters(const struct sender *sender)
{
	return !sender->stopping &&
	       (sender->n_spare > 0 || !sender->outbox.empty);
}

/* When there is something to do even if no session says anything. */
static int64_t next_look_ms(const struct sender *sender)
{
	int64_t now_ms = monotonic_ms(sender);

	for (size_t i = 0; i < sender->n_lanes; i++) {
		const struct lane *lane = &sender->lanes[i];

		if (lane->n_ended > 0)
			return now_ms;
		if (lane->state != LANE_CLOSED && lane->state != LANE_IDLE)
			continue;
		if (i < sender->pace.n_lanes && has_letters(sender))
			return pace_look_ms(&sender->pace, now_ms);
	}
	return INT64_MAX;
}

/*
 * Nothing that is known may be forgotten because another program keeps the
 * database locked for a while.
 */
static int wait_for_store(struct sender *sender, struct error *err)
{
	struct service_world *world = sender->service->world;

	if (err->kind != ERROR_TEMPORARY || ++sender->n_busy > STORE_TRIES)
		return -1;
	log_warning("queue: %s", err->message);
	return world->wait(world->ctx, monotonic_ms(sender) + LOCK_POLL_MS,
	                   err);
}

static int take_turn(struct sender *sender, struct error *err)
{
	struct service_world *world = sender->service->world;
	bool winding_down;

	if (sender->events->stop && sender->events->stop(sender->events->ctx))
		sender_stop(sender, "stopped by a signal");
	winding_down = sender->stopping;
	if (winding_down && wind_down(sender, err) < 0)
		return -1;
	if (fill(sender, err) < 0)
		return -1;
	if (sender_settle(sender, err) < 0)
		return wait_for_store(sender, err);
	sender->n_busy = 0;
	for (size_t i = 0; i < sender->n_lanes; i++)
		if (!sender->stopping)
			lane_act(&sender->lanes[i]);
	/* What was settled may have stopped the run: then wind down first. */
	if (is_done(sender) || sender->stopping != winding_down)
		return 0;
	return world->wait(world->ctx, next_look_ms(sender), err);
}

static int send_all(struct sender *sender, struct error *err)
{
	while (!is_done(sender))
		if (take_turn(sender, err) < 0)
			return -1;
	if (!sender->stopping)
		return 0;
	return leave_behind(sender, err);
}

static void fini_lanes(struct sender *sender)
{
	for (size_t i = 0; i < sender->n_lanes; i++) {
		struct lane *lane = &sender->lanes[i];

		lane_close(lane);
		letter_free(lane->current);
		letter_free(lane->next);
		for (size_t j = 0; j < lane->n_ended; j++)
			letter_free(lane->ended[j].letter);
	}
	free(sender->lanes);
	while (sender->n_spare > 0)
		letter_free(sender->spare[--sender->n_spare]);
	free(sender->spare);
	sender_forget_refused(sender);
}

static int run(struct sender *sender, const struct strings *ids,
               struct lock *lock, struct error *err)
{
	const struct smtp_options *smtp = &sender->service->conf->smtp;
	int rc;

	pace_init(&sender->pace, smtp, lock);
	sender->n_lanes = smtp->connections;
	sender->lanes = mem_array(sender->n_lanes, sizeof(*sender->lanes));
	sender->spare = mem_array(2 * sender->n_lanes, sizeof(struct letter *));
	for (size_t i = 0; i < sender->n_lanes; i++)
		sender->lanes[i].sender = sender;
	rc = outbox_init(&sender->outbox, sender->service, ids, err);
	if (rc == 0)
		rc = send_all(sender, err);
	fini_lanes(sender);
	outbox_fini(&sender->outbox);
	return rc;
}

/* ---- the lock ---- */

static int wait_for_lock(struct sender *sender, struct lock *lock,
                         struct error *err)
{
	struct service_world *world = sender->service->world;
	struct store_queue_counts counts;
	int taken = lock_try(lock, err);

	while (taken == LOCK_BUSY) {
		if (store_count_deliveries(sender->service->store, &counts,
		                           err) < 0)
			return -1;
		if (sender->events->waiting)
			sender->events->waiting(
				sender->events->ctx,
				counts.n[DELIVERY_QUEUED] +
					counts.n[DELIVERY_SENDING]);
		if (world->wait(world->ctx, monotonic_ms(sender) + LOCK_POLL_MS,
		                err) < 0)
			return -1;
		taken = lock_try(lock, err);
	}
	return taken;
}

static int recover(struct service *service, struct error *err)
{
	size_t n_unknown = 0;

	if (store_recover_deliveries(
		    service->store, clock_now_sec(&service->world->clock),
		    service->conf->smtp.hold_unknown, &n_unknown, err) < 0)
		return -1;
	if (n_unknown > 0)
		log_warning(
			"queue: %zu mails were being accepted when the "
			"last sender ended: they may have arrived, and "
			"are %s",
			n_unknown,
			service->conf->smtp.hold_unknown
				? "held"
				: "sent again with the same Message-ID");
	return 0;
}

int service_deliver(struct service *service, const struct strings *ids,
                    const struct service_deliver_events *events,
                    struct service_deliver_counts *ret_counts,
                    struct error *err)
{
	owned(mem) char *path =
		mem_printf("%s/send.lock", service->conf->state_dir);
	owned(lock) struct lock *lock = NULL;
	struct sender sender = {
		.service = service,
		.events = events,
		.counts = ret_counts,
	};

	*ret_counts = (struct service_deliver_counts){0};
	if (lock_open(&lock, path, err) < 0 ||
	    wait_for_lock(&sender, lock, err) < 0 || recover(service, err) < 0)
		return -1;
	return run(&sender, ids, lock, err);
}
