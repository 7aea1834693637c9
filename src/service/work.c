/* A sender's lanes at work, from when it has the lock until it lets it go. */

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "deliver_private.h"

#define STORE_POLL_MS 200 /* how often a locked database is asked again */
#define STORE_TRIES 15    /* of 20 s each, for a database that is locked */
#define FILL_SLICE_MS 20  /* rendering between two looks at the sessions */
#define REWIND_MS 1000    /* how often what has become due is looked for */

/* ---- lanes and letters ---- */

void sender_stop(struct sender *sender, const char *sentence)
{
	if (!sender->stopping)
		snprintf(sender->counts.relay, sizeof(sender->counts.relay),
		         "%s", sentence);
	sender->stopping = true;
}

void sender_stop_in_trouble(struct sender *sender, const char *sentence)
{
	sender_stop(sender, sentence);
	sender->in_trouble = true;
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

bool sender_has_lane(const struct sender *sender, const struct lane *lane,
                     enum lane_state least)
{
	for (size_t i = 0; i < sender->n_lanes; i++)
		if (&sender->lanes[i] != lane &&
		    sender->lanes[i].state >= least)
			return true;
	return false;
}

bool sender_holds(const struct sender *sender, int64_t delivery_id)
{
	for (size_t i = 0; i < sender->n_lanes; i++) {
		const struct lane *lane = &sender->lanes[i];

		if ((lane->current &&
		     lane->current->delivery.id == delivery_id) ||
		    (lane->next && lane->next->delivery.id == delivery_id))
			return true;
	}
	for (size_t i = 0; i < sender->n_spare; i++)
		if (sender->spare[i]->delivery.id == delivery_id)
			return true;
	return false;
}

static int64_t monotonic_ms(const struct sender *sender)
{
	return clock_monotonic_ms(&sender->service->world->clock);
}

/* What has become due since, or was queued by others. */
static void look_again(struct sender *sender, int64_t now_ms)
{
	struct service_world *world = sender->service->world;

	if (sender->is_once || !sender->outbox.empty ||
	    now_ms < sender->rewound_ms + REWIND_MS)
		return;
	sender->rewound_ms = now_ms;
	outbox_rewind(&sender->outbox, clock_now_sec(&world->clock));
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
	look_again(sender, now_ms);
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
		/* A probe travels alone. */
		return has_room(sender, lane) && !sender->breaker.is_open
		               ? take_letter(sender, &lane->next, err)
		               : 0;
	case LANE_OPENING:
	case LANE_BODY:
		break;
	}
	return 0;
}

/* How many lanes may be open. */
static size_t count_lanes(const struct sender *sender)
{
	return sender->breaker.is_open ? 1 : sender->pace.n_lanes;
}

/* Idle lanes beyond what the pace allows are closed, busy ones finish. */
static int fill(struct sender *sender, struct error *err)
{
	int64_t until_ms = monotonic_ms(sender) + FILL_SLICE_MS;

	for (size_t i = 0; i < sender->n_lanes; i++) {
		struct lane *lane = &sender->lanes[i];
		bool surplus = i >= count_lanes(sender);

		if (surplus && lane->state == LANE_IDLE && !lane->current)
			lane_close(lane);
		if (surplus || monotonic_ms(sender) > until_ms)
			continue;
		if (fill_lane(sender, lane, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the end of the work ---- */

static void tell_left(struct sender *sender,
                      const struct subscriber *subscriber)
{
	sender->counts.n_left++;
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
		.words = sender->counts.relay,
	};

	if (!letter)
		return 0;
	tell_left(sender, letter->subscriber);
	return letter->started
	               ? store_end_delivery(sender->service->store,
	                                    letter->delivery.id, &attempt, err)
	               : 0;
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

/* Those that were not even begun are told of, too. */
static int leave_behind(struct sender *sender, struct error *err)
{
	while (!sender->outbox.empty) {
		const struct subscriber *subscriber;

		if (outbox_skip(&sender->outbox, &subscriber, err) < 0)
			return -1;
		if (!subscriber)
			break;
		tell_left(sender, subscriber);
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
		if (i < count_lanes(sender) && has_letters(sender))
			return pace_look_ms(&sender->pace, now_ms);
	}
	return sender->is_once ? INT64_MAX : now_ms + REWIND_MS;
}

/*
 * Nothing that is known may be forgotten because another program keeps the
 * database locked for a while.
 */
static int wait_for_store(struct sender *sender, int64_t *ret_look_ms,
                          struct error *err)
{
	if (err->kind != ERROR_TEMPORARY || ++sender->n_busy > STORE_TRIES)
		return -1;
	log_warning("queue: %s", err->message);
	*ret_look_ms = monotonic_ms(sender) + STORE_POLL_MS;
	return SENDER_WORKS;
}

static int prepare(struct sender *sender, struct error *err)
{
	const struct service_deliver_events *events = sender->events;

	if (events->stop && events->stop(events->ctx))
		sender_stop(sender, "stopped by a signal");
	sender->stopping |= sender->is_ending;
	if (sender->stopping && wind_down(sender, err) < 0)
		return -1;
	return fill(sender, err);
}

int sender_work(struct sender *sender, int64_t *ret_look_ms, struct error *err)
{
	bool was_stopping = sender->stopping;

	if (prepare(sender, err) < 0)
		return -1;
	was_stopping |= sender->stopping;
	if (sender_settle(sender, err) < 0)
		return wait_for_store(sender, ret_look_ms, err);
	sender->n_busy = 0;
	for (size_t i = 0; i < sender->n_lanes; i++)
		if (!sender->stopping)
			lane_act(&sender->lanes[i]);
	/* What was settled may have stopped the work: then wind down first. */
	*ret_look_ms = monotonic_ms(sender);
	if (sender->stopping != was_stopping)
		return SENDER_WORKS;
	if (!is_done(sender)) {
		*ret_look_ms = next_look_ms(sender);
		return SENDER_WORKS;
	}
	if (sender->stopping && sender->is_once &&
	    leave_behind(sender, err) < 0)
		return -1;
	return SENDER_RESTS;
}

/* ---- its begin and end ---- */

int sender_begin_work(struct sender *sender, struct error *err)
{
	const struct smtp_options *smtp = &sender->service->conf->smtp;

	sender->counts = (struct service_deliver_counts){0};
	sender->stopping = false;
	sender->n_unopened = 0;
	sender->begun_at = clock_now_sec(&sender->service->world->clock);
	sender->rewound_ms = monotonic_ms(sender);
	pace_begin(&sender->pace, smtp);
	sender->n_lanes = smtp->connections;
	sender->lanes = mem_array(sender->n_lanes, sizeof(*sender->lanes));
	sender->spare = mem_array(2 * sender->n_lanes, sizeof(struct letter *));
	for (size_t i = 0; i < sender->n_lanes; i++)
		sender->lanes[i].sender = sender;
	return outbox_init(&sender->outbox, sender, err);
}

static void close_lane(struct lane *lane)
{
	lane_close(lane);
	letter_free(lane->current);
	letter_free(lane->next);
	for (size_t i = 0; i < lane->n_ended; i++)
		letter_free(lane->ended[i].letter);
}

void sender_end_work(struct sender *sender)
{
	for (size_t i = 0; i < sender->n_lanes; i++)
		close_lane(&sender->lanes[i]);
	free(take_ptr(sender->lanes));
	sender->n_lanes = 0;
	while (sender->n_spare > 0)
		letter_free(sender->spare[--sender->n_spare]);
	free(take_ptr(sender->spare));
	sender_forget_refused(sender);
	outbox_fini(&sender->outbox);
	sender->outbox = (struct outbox){0};
}
