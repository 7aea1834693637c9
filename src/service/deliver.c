#include "service/deliver.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "service/letter.h"
#include "service_private.h"

#define PAGE 100         /* deliveries read at a time */
#define LOCK_POLL_MS 200 /* how often the other sender is asked after */
#define MS_PER_MINUTE 60000
#define JITTER_PERCENT 10

/* Where the message under way stands. */
enum phase {
	PHASE_IDLE,
	PHASE_OPENING,
	PHASE_OPEN,
	PHASE_SENT_COMMANDS,
	PHASE_READY,
	PHASE_SENT_BODY,
	PHASE_DONE,
	PHASE_CLOSED,
};

struct run {
	struct service *service;
	const struct strings *ids;
	const struct service_deliver_events *events;
	struct service_deliver_counts *counts;
	char *from; /* as SMTP wants it */
	struct buf message;

	void *relay; /* NULL: no session */
	enum phase phase;
	struct smtp_outcome outcome; /* with PHASE_DONE and PHASE_CLOSED */
	uint32_t n_on_connection;
	int64_t not_before_ms; /* smtp.per_minute */
};

static int64_t now_of(const struct run *run)
{
	return clock_now_sec(&run->service->world->clock);
}

static bool is_wanted(const struct run *run,
                      const struct store_delivery *delivery)
{
	return !run->ids || strings_has(run->ids, delivery->subscriber_id);
}

/* ---- the session ---- */

static void on_open(void *ctx)
{
	struct run *run = ctx;

	run->phase = PHASE_OPEN;
}

static void on_closed(void *ctx, const struct smtp_outcome *outcome)
{
	struct run *run = ctx;

	run->phase = PHASE_CLOSED;
	run->outcome = *outcome;
}

static void on_ready(void *ctx)
{
	struct run *run = ctx;

	run->phase = PHASE_READY;
}

static void on_done(void *ctx, const struct smtp_outcome *outcome)
{
	struct run *run = ctx;

	run->phase = PHASE_DONE;
	run->outcome = *outcome;
}

/* Waits while the session is in `phase`. */
static int wait_while(struct run *run, enum phase phase, struct error *err)
{
	struct service_world *world = run->service->world;

	while (run->phase == phase)
		if (world->wait(world->ctx, INT64_MAX, err) < 0)
			return -1;
	return 0;
}

static void close_relay(struct run *run)
{
	if (run->relay)
		run->service->world->relay_close(run->relay);
	run->relay = NULL;
	run->phase = PHASE_IDLE;
}

/* Sees to an open session; phase CLOSED if the relay would not have us. */
static int open_relay(struct run *run, struct error *err)
{
	struct service_world *world = run->service->world;
	uint32_t most = run->service->conf->smtp.per_connection;
	const struct smtp_events events = {on_open, on_closed, on_ready,
	                                   on_done, run};

	if (run->phase == PHASE_CLOSED ||
	    (run->relay && most > 0 && run->n_on_connection >= most))
		close_relay(run);
	if (run->relay) {
		run->phase = PHASE_OPEN;
		return 0;
	}
	run->phase = PHASE_OPENING;
	run->n_on_connection = 0;
	if (world->relay_open(world->ctx, &events, &run->relay, err) < 0)
		return -1;
	return wait_while(run, PHASE_OPENING, err);
}

static int keep_pace(struct run *run, struct error *err)
{
	struct service_world *world = run->service->world;
	uint32_t per_minute = run->service->conf->smtp.per_minute;
	int64_t now_ms = clock_monotonic_ms(&world->clock);

	if (per_minute == 0)
		return 0;
	while (now_ms < run->not_before_ms) {
		if (world->wait(world->ctx, run->not_before_ms, err) < 0)
			return -1;
		now_ms = clock_monotonic_ms(&world->clock);
	}
	run->not_before_ms = now_ms + MS_PER_MINUTE / per_minute;
	return 0;
}

/* ---- one message ---- */

/*
 * From an open session to an outcome in run->outcome. What is known of the
 * message is durable before each step that cannot be taken back.
 */
static int send_message(struct run *run, const struct store_delivery *delivery,
                        const char *to, struct error *err)
{
	struct service_world *world = run->service->world;
	struct store *store = run->service->store;

	if (store_start_delivery(store, delivery->id, to, now_of(run), err) < 0)
		return -1;

	run->phase = PHASE_SENT_COMMANDS;
	run->n_on_connection++;
	world->relay_send(run->relay, run->from, to, buf_span(&run->message));
	if (wait_while(run, PHASE_SENT_COMMANDS, err) < 0)
		return -1;
	if (run->phase != PHASE_READY)
		return 0;

	if (store_dot_delivery(store, delivery->id, now_of(run), err) < 0)
		return -1;
	run->phase = PHASE_SENT_BODY;
	world->relay_send_body(run->relay);
	return wait_while(run, PHASE_SENT_BODY, err);
}

/* RFC 5321, section 4.5.4.1; the list's last entry repeats. */
static int64_t next_attempt_at(const struct run *run,
                               const struct store_delivery *delivery)
{
	const struct smtp_options *smtp = &run->service->conf->smtp;
	size_t i = delivery->n_attempts < smtp->n_retry_min
	                   ? delivery->n_attempts
	                   : smtp->n_retry_min - 1;
	uint32_t wait_sec = smtp->retry_min[i] * 60;

	return now_of(run) + wait_sec +
	       random_below(wait_sec * JITTER_PERCENT / 100 + 1);
}

static bool is_too_old(const struct run *run,
                       const struct store_delivery *delivery)
{
	int64_t age = now_of(run) - delivery->created_at;

	return age >=
	       (int64_t)run->service->conf->smtp.give_up_after_hours * 3600;
}

static enum delivery_state judge(const struct run *run,
                                 const struct store_delivery *delivery)
{
	switch (run->outcome.verdict) {
	case SMTP_SENT:
		return DELIVERY_SENT;
	case SMTP_FAILED:
		return DELIVERY_FAILED;
	case SMTP_RELAY:
		return DELIVERY_QUEUED;
	case SMTP_UNKNOWN:
		if (run->service->conf->smtp.hold_unknown)
			return DELIVERY_HELD;
		break;
	case SMTP_DEFERRED:
		break;
	}
	if (is_too_old(run, delivery))
		return DELIVERY_FAILED;
	return run->outcome.verdict == SMTP_UNKNOWN ? DELIVERY_UNKNOWN
	                                            : DELIVERY_DEFERRED;
}

static enum outcome outcome_of(enum delivery_state state)
{
	switch (state) {
	case DELIVERY_SENT:
		return OUTCOME_SENT;
	case DELIVERY_HELD:
		return OUTCOME_HELD;
	case DELIVERY_FAILED:
	case DELIVERY_SUPERSEDED:
	case DELIVERY_CANCELLED:
		return OUTCOME_FAILED;
	case DELIVERY_QUEUED:
	case DELIVERY_SENDING:
	case DELIVERY_DEFERRED:
	case DELIVERY_UNKNOWN:
	case DELIVERY_STATES:
		break;
	}
	return OUTCOME_DEFERRED;
}

static void count(struct service_deliver_counts *counts,
                  enum delivery_state state)
{
	switch (state) {
	case DELIVERY_SENT:
		counts->n_sent++;
		break;
	case DELIVERY_HELD:
		counts->n_held++;
		break;
	case DELIVERY_FAILED:
		counts->n_failed++;
		break;
	default:
		counts->n_deferred++;
	}
}

static void tell(struct run *run, const struct subscriber *subscriber,
                 enum delivery_state state)
{
	const struct service_delivered delivered = {
		subscriber, state,
		state == DELIVERY_SENT ? NULL : run->outcome.sentence};

	if (state == DELIVERY_SENT)
		log_debug("subscriber %s: sent", subscriber->id);
	if (run->events->delivered)
		run->events->delivered(run->events->ctx, &delivered);
}

/* The end of an attempt and the subscriber's day, as one change. */
static int record(struct run *run, const struct subscriber *subscriber,
                  const struct store_delivery *delivery,
                  enum delivery_state state, struct error *err)
{
	struct store *store = run->service->store;
	const struct store_attempt attempt = {
		.state = state,
		.at = now_of(run),
		.next_at = next_attempt_at(run, delivery),
		.words = state == DELIVERY_SENT ? run->outcome.reply
	                                        : run->outcome.sentence,
	};
	const char *reason = state == DELIVERY_SENT ? "" : attempt.words;

	if (store_begin(store, err) < 0)
		return -1;
	if (store_end_delivery(store, delivery->id, &attempt, err) < 0 ||
	    service_note_outcome(run->service, subscriber, outcome_of(state),
	                         reason, err) < 0) {
		store_rollback(store);
		return -1;
	}
	return store_commit(store, err);
}

static void stop_run(struct run *run)
{
	memcpy(run->counts->relay, run->outcome.sentence,
	       sizeof(run->counts->relay));
}

/* The sentence that says why it is not tried again. */
static void note_given_up(struct run *run, enum delivery_state state)
{
	char words[ERROR_MESSAGE_MAX];

	if (state != DELIVERY_FAILED || run->outcome.verdict == SMTP_FAILED)
		return;
	memcpy(words, run->outcome.sentence, sizeof(words));
	snprintf(run->outcome.sentence, sizeof(run->outcome.sentence),
	         "given up after %u hours: %.400s",
	         run->service->conf->smtp.give_up_after_hours, words);
}

static int finish(struct run *run, const struct subscriber *subscriber,
                  const struct store_delivery *delivery, struct error *err)
{
	enum delivery_state state = judge(run, delivery);

	note_given_up(run, state);
	if (record(run, subscriber, delivery, state, err) < 0)
		return -1;
	if (run->outcome.closed)
		run->phase = PHASE_CLOSED;
	if (run->outcome.verdict == SMTP_RELAY) {
		stop_run(run);
		return 0;
	}
	count(run->counts, state);
	tell(run, subscriber, state);
	return 0;
}

static int write_message(struct run *run, const struct subscriber *subscriber,
                         const struct store_delivery *delivery,
                         struct error *err)
{
	owned(store_digest) struct store_digest *stored = NULL;

	if (store_load_digest(run->service->store, delivery->digest_id, &stored,
	                      err) < 0)
		return -1;
	/* A digest that is sent again has a message of its own. */
	free(stored->digest->message_id);
	stored->digest->message_id = mem_dup(delivery->message_id);
	stored->digest->created_at = delivery->created_at;
	buf_clear(&run->message);
	return service_write_letter(run->service, subscriber, stored->digest,
	                            &run->message, err);
}

/* Did the server end the session between two messages, as servers may? */
static bool was_closed_between(const struct run *run)
{
	return run->phase == PHASE_DONE && run->n_on_connection > 1 &&
	       run->outcome.verdict == SMTP_DEFERRED && run->outcome.closed &&
	       run->outcome.code == 0 && run->outcome.stage == SMTP_STAGE_MAIL;
}

/*
 * A session that is found closed between two messages is opened again, and
 * no message blamed; one that cannot be opened is the relay's trouble.
 */
static int send_once(struct run *run, const struct store_delivery *delivery,
                     const char *to, struct error *err)
{
	if (open_relay(run, err) < 0)
		return -1;
	if (run->phase != PHASE_OPEN)
		return 0;
	return send_message(run, delivery, to, err);
}

static int hand_back(struct run *run, const struct store_delivery *delivery,
                     struct error *err)
{
	return store_end_delivery(
		run->service->store, delivery->id,
		&(struct store_attempt){.state = DELIVERY_QUEUED,
	                                .at = now_of(run)},
		err);
}

static int deliver_one(struct run *run, const struct subscriber *subscriber,
                       const struct store_delivery *delivery, struct error *err)
{
	owned(mem) char *to = NULL;

	if (write_message(run, subscriber, delivery, err) < 0 ||
	    mail_address_for_smtp(&to, span_of(subscriber->email), err) < 0 ||
	    keep_pace(run, err) < 0 || send_once(run, delivery, to, err) < 0)
		return -1;
	if (was_closed_between(run)) {
		run->phase = PHASE_CLOSED;
		if (hand_back(run, delivery, err) < 0 ||
		    send_once(run, delivery, to, err) < 0)
			return -1;
	}
	if (run->phase == PHASE_CLOSED) {
		stop_run(run);
		return 0;
	}
	return finish(run, subscriber, delivery, err);
}

/* ---- the queue ---- */

/* Those that the relay's trouble leaves behind have a day's outcome, too. */
static int leave_behind(struct run *run, const struct subscriber *subscriber,
                        struct error *err)
{
	run->counts->n_left++;
	return service_note_outcome(run->service, subscriber, OUTCOME_DEFERRED,
	                            run->counts->relay, err);
}

static int take_one(struct run *run, const struct store_delivery *delivery,
                    struct error *err)
{
	const struct subscriber *subscriber = conf_find_subscriber(
		run->service->conf, delivery->subscriber_id);

	if (!subscriber || !is_wanted(run, delivery))
		return 0;
	if (run->counts->relay[0] == '\0' &&
	    deliver_one(run, subscriber, delivery, err) < 0)
		return -1;
	if (run->counts->relay[0] != '\0')
		return leave_behind(run, subscriber, err);
	return 0;
}

/* Takes a page behind *after_id; false in *ret_more when there was none. */
static int take_page(struct run *run, int64_t *after_id, bool *ret_more,
                     struct error *err)
{
	struct store_deliveries page = {0};
	const struct store_page next = {INT64_MAX, *after_id, PAGE};
	int rc = store_next_deliveries(run->service->store, &next, &page, err);

	for (size_t i = 0; rc == 0 && i < page.n; i++) {
		*after_id = page.items[i].id;
		rc = take_one(run, &page.items[i], err);
	}
	*ret_more = page.n > 0;
	store_deliveries_fini(&page);
	return rc;
}

static int work_off(struct run *run, struct error *err)
{
	int64_t after_id = 0;
	bool more = true;

	while (more)
		if (take_page(run, &after_id, &more, err) < 0)
			return -1;
	return 0;
}

/* ---- the lock ---- */

static int wait_for_lock(struct run *run, struct lock *lock, struct error *err)
{
	struct service_world *world = run->service->world;
	struct store_queue_counts counts;
	int taken = lock_try(lock, err);

	while (taken == LOCK_BUSY) {
		if (store_count_deliveries(run->service->store, &counts, err) <
		    0)
			return -1;
		if (run->events->waiting)
			run->events->waiting(
				run->events->ctx,
				counts.n[DELIVERY_QUEUED] +
					counts.n[DELIVERY_SENDING]);
		if (world->wait(world->ctx,
		                clock_monotonic_ms(&world->clock) +
		                        LOCK_POLL_MS,
		                err) < 0)
			return -1;
		taken = lock_try(lock, err);
	}
	return taken;
}

static int recover(struct run *run, struct error *err)
{
	size_t n_unknown = 0;

	if (store_recover_deliveries(run->service->store, now_of(run),
	                             run->service->conf->smtp.hold_unknown,
	                             &n_unknown, err) < 0)
		return -1;
	if (n_unknown > 0)
		log_warning(
			"queue: %zu mails were being accepted when the "
			"last sender ended: they may have arrived, and "
			"are %s",
			n_unknown,
			run->service->conf->smtp.hold_unknown
				? "held"
				: "sent again with the same Message-ID");
	return 0;
}

static int run_all(struct run *run, struct error *err)
{
	const struct conf *conf = run->service->conf;
	owned(mem) char *path = mem_printf("%s/send.lock", conf->state_dir);
	owned(lock) struct lock *lock = NULL;

	if (lock_open(&lock, path, err) < 0 ||
	    wait_for_lock(run, lock, err) < 0 || recover(run, err) < 0)
		return -1;
	return work_off(run, err);
}

int service_deliver(struct service *service, const struct strings *ids,
                    const struct service_deliver_events *events,
                    struct service_deliver_counts *ret_counts,
                    struct error *err)
{
	struct run run = {
		.service = service,
		.ids = ids,
		.events = events,
		.counts = ret_counts,
		.message = BUF_INIT(LIMIT_MESSAGE_BYTES),
	};
	int rc;

	*ret_counts = (struct service_deliver_counts){0};
	rc = mail_address_for_smtp(
		&run.from, span_of(service->conf->sender.from.address), err);
	if (rc == 0)
		rc = run_all(&run, err);
	close_relay(&run);
	buf_fini(&run.message);
	free(run.from);
	return rc;
}
