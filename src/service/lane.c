#include <assert.h>

#include "base/mem.h"
#include "deliver_private.h"

/* A letter that sessions lost so often is deferred like any other. */
#define LOST_MOST 3

static void end_letter(struct lane *lane, struct letter *letter,
                       const struct smtp_outcome *outcome)
{
	assert(lane->n_ended < sizeof(lane->ended) / sizeof(*lane->ended));
	lane->ended[lane->n_ended++] =
		(struct ended){.letter = letter, .outcome = *outcome};
}

/*
 * For another session; nothing is counted against it, unless sessions lose it
 * again and again.
 */
static void spare_letter(struct lane *lane, struct letter **slot,
                         const struct smtp_outcome *outcome)
{
	struct letter *letter = take_ptr(*slot);

	if (letter && ++letter->n_lost >= LOST_MOST)
		end_letter(lane, letter, outcome);
	else if (letter)
		sender_spare(lane->sender, letter);
}

static void lose_session(struct lane *lane, const struct smtp_outcome *outcome)
{
	lane_close(lane);
	spare_letter(lane, &lane->current, outcome);
	spare_letter(lane, &lane->next, outcome);
}

static void on_open(void *ctx)
{
	struct lane *lane = ctx;

	lane->state = LANE_IDLE;
	lane->sender->n_unopened = 0;
}

/*
 * A relay that only takes no more connections is not in trouble: others are
 * open, or may still be. Not for ever: they may take turns in failing.
 */
static bool may_others_open(const struct lane *lane)
{
	const struct sender *sender = lane->sender;

	if (sender_has_lane(sender, lane, LANE_IDLE))
		return true;
	return sender->n_unopened <= sender->n_lanes &&
	       sender_has_lane(sender, lane, LANE_OPENING);
}

static void on_closed(void *ctx, const struct smtp_outcome *outcome)
{
	struct lane *lane = ctx;
	bool opening = lane->state == LANE_OPENING;

	if (!opening) {
		lose_session(lane, outcome);
		return;
	}
	lane->sender->n_unopened++;
	lane_close(lane);
	if (lane->current)
		sender_spare(lane->sender, take_ptr(lane->current));
	if (may_others_open(lane))
		pace_slow_down(&lane->sender->pace);
	else
		sender_stop_in_trouble(lane->sender, outcome->sentence);
}

static void on_ready(void *ctx)
{
	struct lane *lane = ctx;

	lane->state = LANE_READY;
}

/* Had the server hung up before it was given this message, as it may? */
static bool was_lost_before(const struct lane *lane,
                            const struct smtp_outcome *outcome)
{
	return outcome->closed && outcome->verdict == SMTP_DEFERRED &&
	       (outcome->code == 0 || outcome->code == 421) &&
	       outcome->stage == SMTP_STAGE_MAIL && lane->n_on_connection > 1;
}

static void on_done(void *ctx, const struct smtp_outcome *outcome)
{
	struct lane *lane = ctx;

	if (was_lost_before(lane, outcome)) {
		lose_session(lane, outcome);
		return;
	}
	end_letter(lane, take_ptr(lane->current), outcome);
	if (outcome->closed) {
		lose_session(lane, outcome);
		return;
	}
	lane->current = take_ptr(lane->next);
	lane->state = lane->next_given ? LANE_COMMANDS : LANE_IDLE;
	lane->n_on_connection += lane->next_given;
	lane->next_given = false;
}

int lane_open(struct lane *lane, struct error *err)
{
	struct service_world *world = lane->sender->service->world;
	const struct smtp_events events = {on_open, on_closed, on_ready,
	                                   on_done, lane};

	lane->state = LANE_OPENING;
	lane->n_on_connection = 0;
	return world->relay_open(world->ctx, &events, &lane->relay, err);
}

void lane_close(struct lane *lane)
{
	if (lane->relay)
		lane->sender->service->world->relay_close(lane->relay);
	lane->relay = NULL;
	lane->next_given = false;
	lane->state = LANE_CLOSED;
}

void lane_act(struct lane *lane)
{
	struct service_world *world = lane->sender->service->world;

	if (lane->state == LANE_IDLE && lane->current) {
		lane->state = LANE_COMMANDS;
		lane->n_on_connection++;
		world->relay_send(lane->relay, &lane->current->smtp);
	} else if (lane->state == LANE_READY) {
		lane->state = LANE_BODY;
		lane->next_given = lane->next != NULL;
		world->relay_send_body(lane->relay,
		                       lane->next ? &lane->next->smtp : NULL);
	}
}
