#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "deliver_private.h"
#include "service_private.h"

#define JITTER_PERCENT 10
#define SENT_TEXT_SIZE 64

static int64_t now_of(const struct sender *sender)
{
	return clock_now_sec(&sender->service->world->clock);
}

/* RFC 5321, section 4.5.4.1; the list's last entry repeats. */
static int64_t next_attempt_at(const struct sender *sender,
                               const struct store_delivery *delivery)
{
	const struct smtp_options *smtp = &sender->service->conf->smtp;
	size_t i = delivery->n_attempts < smtp->n_retry_min
	                   ? delivery->n_attempts
	                   : smtp->n_retry_min - 1;
	uint32_t wait_sec = smtp->retry_min[i] * 60;

	return now_of(sender) + wait_sec +
	       random_below(wait_sec * JITTER_PERCENT / 100 + 1);
}

static bool is_too_old(const struct sender *sender,
                       const struct store_delivery *delivery)
{
	int64_t age = now_of(sender) - delivery->created_at;

	return age >=
	       (int64_t)sender->service->conf->smtp.give_up_after_hours * 3600;
}

static enum delivery_state judge(const struct sender *sender,
                                 const struct ended *ended)
{
	switch (ended->outcome.verdict) {
	case SMTP_SENT:
		return DELIVERY_SENT;
	case SMTP_FAILED:
		return DELIVERY_FAILED;
	case SMTP_RELAY:
		return DELIVERY_QUEUED;
	case SMTP_UNKNOWN:
		if (sender->service->conf->smtp.hold_unknown)
			return DELIVERY_HELD;
		break;
	case SMTP_DEFERRED:
		break;
	}
	if (is_too_old(sender, &ended->letter->delivery))
		return DELIVERY_FAILED;
	return ended->outcome.verdict == SMTP_UNKNOWN ? DELIVERY_UNKNOWN
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

/* The sentence that says why it is not tried again. */
static void note_given_up(const struct sender *sender, struct ended *ended)
{
	char words[sizeof(ended->outcome.sentence)];

	if (ended->state != DELIVERY_FAILED ||
	    ended->outcome.verdict == SMTP_FAILED)
		return;
	memcpy(words, ended->outcome.sentence, sizeof(words));
	snprintf(ended->outcome.sentence, sizeof(ended->outcome.sentence),
	         "given up after %u hours: %.400s",
	         sender->service->conf->smtp.give_up_after_hours, words);
}

/* Three digests in a row that its address refused suspend a subscriber. */
static int note_refusal(struct sender *sender, const struct ended *ended,
                        struct error *err)
{
	const struct store_refusal refusal = {ended->letter->delivery.id,
	                                      ended->outcome.sentence,
	                                      now_of(sender)};
	int rc;

	if (ended->state != DELIVERY_FAILED || !ended->outcome.bad_recipient)
		return 0;
	rc = store_note_refusal(sender->service->store, &refusal, err);
	if (rc == STORE_SUSPENDED_NOW)
		log_warning(
			"subscriber %s: suspended, because %d digests in "
			"a row were refused; 'arxmail resume' lifts it: %s",
			ended->letter->subscriber->id, LIMIT_REFUSALS,
			ended->outcome.reply);
	return rc < 0 ? -1 : 0;
}

/* Of the digest's day, however late it comes. */
static int note_outcome(const struct sender *sender,
                        const struct letter *letter, enum outcome outcome,
                        const char *reason, struct error *err)
{
	return store_set_outcome(
		sender->service->store,
		&(struct store_outcome){
			.of_day = {OUTCOME_OF_SUBSCRIBER,
	                           letter->subscriber->id, letter->day},
			.outcome = outcome,
			.reason = reason,
			.at = now_of(sender),
		},
		err);
}

/* What is said of a mail that was sent. */
static const char *tell_sent(const struct sender *sender,
                             const struct letter *letter,
                             char text[SENT_TEXT_SIZE])
{
	time_t now = now_of(sender);
	struct tm local;
	size_t n;

	n = (size_t)snprintf(text, SENT_TEXT_SIZE, "%zu paper%s",
	                     letter->n_papers,
	                     letter->n_papers == 1 ? "" : "s");
	localtime_r(&now, &local);
	if (sender->is_once)
		strftime(text + n, SENT_TEXT_SIZE - n, ", by hand at %H:%M",
		         &local);
	return text;
}

static int record_end(struct sender *sender, struct ended *ended,
                      struct error *err)
{
	enum delivery_state state = judge(sender, ended);
	const struct letter *letter = ended->letter;
	char sent[SENT_TEXT_SIZE];
	struct store_attempt attempt = {
		.state = state,
		.at = now_of(sender),
		.next_at = next_attempt_at(sender, &letter->delivery),
	};

	ended->state = state;
	note_given_up(sender, ended);
	attempt.words = state == DELIVERY_SENT ? ended->outcome.reply
	                                       : ended->outcome.sentence;
	if (store_end_delivery(sender->service->store, letter->delivery.id,
	                       &attempt, err) < 0 ||
	    note_refusal(sender, ended, err) < 0)
		return -1;
	return note_outcome(sender, letter, outcome_of(state),
	                    state == DELIVERY_SENT
	                            ? tell_sent(sender, letter, sent)
	                            : attempt.words,
	                    err);
}

/* ---- what follows from it ---- */

void deliver_count(struct service_deliver_counts *counts,
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
	case DELIVERY_QUEUED:
		counts->n_left++;
		break;
	default:
		counts->n_deferred++;
	}
}

void sender_forget_refused(struct sender *sender)
{
	while (sender->n_refused > 0)
		letter_free(sender->refused[--sender->n_refused]);
}

/* A refusal that is not about this mailbox: the relay may refuse everybody. */
static bool is_suspect(const struct ended *ended)
{
	return ended->outcome.verdict == SMTP_FAILED &&
	       !ended->outcome.bad_recipient && ended->outcome.code != 0;
}

/*
 * Those that it refused in a row are queued again: it was not their fault. The
 * next probe is another one, if there is one.
 */
static int reopen_refused(struct sender *sender, struct error *err)
{
	for (unsigned i = 0; i < sender->n_refused; i++) {
		const struct letter *letter = sender->refused[i];

		if (store_reopen_delivery(sender->service->store,
		                          letter->delivery.id, now_of(sender),
		                          err) < 0 ||
		    note_outcome(sender, letter, OUTCOME_DEFERRED,
		                 sender->counts.relay, err) < 0)
			return -1;
		sender->counts.n_failed--;
		sender->counts.n_left++;
	}
	sender_forget_refused(sender);
	return 0;
}

/* Takes the letter. After refusals one more, of the probe, says enough. */
static int suspect(struct sender *sender, struct ended *ended,
                   struct error *err)
{
	if (sender->n_refused == REFUSED_MOST)
		sender_forget_refused(sender);
	sender->refused[sender->n_refused++] = ended->letter;
	if (sender->n_refused < REFUSED_MOST && !sender->stopping &&
	    !sender->breaker.is_refused)
		return 0;
	sender->breaker.is_refused = true;
	sender_stop_in_trouble(sender, ended->outcome.sentence);
	return reopen_refused(sender, err);
}

/* Does the outcome show that the relay talks to us as it should? */
static bool is_proof(const struct ended *ended)
{
	return ended->outcome.verdict == SMTP_SENT ||
	       (ended->outcome.code != 0 &&
	        ended->outcome.verdict != SMTP_RELAY && !is_suspect(ended));
}

static int watch_relay(struct sender *sender, const struct ended *ended,
                       struct error *err)
{
	const struct smtp_outcome *outcome = &ended->outcome;

	if (outcome->slow_down)
		pace_slow_down(&sender->pace);
	if (outcome->verdict == SMTP_RELAY)
		sender_stop_in_trouble(sender, outcome->sentence);
	if (outcome->verdict == SMTP_SENT) {
		pace_speed_up(&sender->pace);
		sender_forget_refused(sender);
	}
	return is_proof(ended) ? sender_close_breaker(sender, err) : 0;
}

static void tell(const struct sender *sender, const struct ended *ended)
{
	const struct letter *letter = ended->letter;

	if (ended->state == DELIVERY_SENT)
		log_debug("subscriber %s: sent", letter->subscriber->id);
	sender_tell(sender,
	            &(struct service_delivered){
			    letter->subscriber, ended->state, letter->n_papers,
			    ended->state == DELIVERY_SENT ||
					    ended->state == DELIVERY_QUEUED
				    ? NULL
				    : ended->outcome.sentence});
}

static int conclude(struct sender *sender, struct ended *ended,
                    struct error *err)
{
	deliver_count(&sender->counts, ended->state);
	tell(sender, ended);
	if (watch_relay(sender, ended, err) < 0) {
		letter_free(ended->letter);
		return -1;
	}
	if (is_suspect(ended))
		return suspect(sender, ended, err);
	letter_free(ended->letter);
	return 0;
}

/* ---- the transaction ---- */

static int start(struct sender *sender, struct letter *letter,
                 struct error *err)
{
	int found;

	if (!letter || letter->started)
		return 0;
	found = store_start_delivery(sender->service->store,
	                             letter->delivery.id, letter->to,
	                             now_of(sender), err);
	letter->gone = found == STORE_MISSING;
	return found < 0 ? -1 : 0;
}

static int settle_lane(struct sender *sender, struct lane *lane,
                       struct error *err)
{
	for (size_t i = 0; i < lane->n_ended; i++)
		if (record_end(sender, &lane->ended[i], err) < 0)
			return -1;
	if (lane->state == LANE_READY &&
	    (store_dot_delivery(sender->service->store,
	                        lane->current->delivery.id, now_of(sender),
	                        err) < 0 ||
	     start(sender, lane->next, err) < 0))
		return -1;
	if (lane->state == LANE_IDLE)
		return start(sender, lane->current, err);
	return 0;
}

/* What is durable now. */
static void note_started(struct letter **slot)
{
	if (!*slot)
		return;
	(*slot)->started = true;
	if ((*slot)->gone)
		letter_free(take_ptr(*slot));
}

static int conclude_lane(struct sender *sender, struct lane *lane,
                         struct error *err)
{
	size_t n = lane->n_ended;
	int rc = 0;

	lane->n_ended = 0;
	if (lane->state == LANE_IDLE)
		note_started(&lane->current);
	if (lane->state == LANE_READY)
		note_started(&lane->next);
	for (size_t i = 0; i < n; i++)
		if (conclude(sender, &lane->ended[i], err) < 0)
			rc = -1;
	return rc;
}

static bool has_news(const struct lane *lane)
{
	return lane->n_ended > 0 || lane->state == LANE_READY ||
	       (lane->state == LANE_IDLE && lane->current &&
	        !lane->current->started);
}

static int settle_all(struct sender *sender, struct error *err)
{
	for (size_t i = 0; i < sender->n_lanes; i++)
		if (settle_lane(sender, &sender->lanes[i], err) < 0)
			return -1;
	return 0;
}

static bool any_news(const struct sender *sender)
{
	for (size_t i = 0; i < sender->n_lanes; i++)
		if (has_news(&sender->lanes[i]))
			return true;
	return false;
}

int sender_settle(struct sender *sender, struct error *err)
{
	struct store *store = sender->service->store;

	if (!any_news(sender))
		return 0;
	if (store_begin(store, err) < 0)
		return -1;
	if (settle_all(sender, err) < 0) {
		store_rollback(store);
		return -1;
	}
	if (store_commit(store, err) < 0)
		return -1;

	for (size_t i = 0; i < sender->n_lanes; i++)
		if (conclude_lane(sender, &sender->lanes[i], err) < 0)
			return -1;
	return 0;
}
