/* When a sender works: what is due, the lock, and the breaker. */

#include <inttypes.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver_private.h"

#define LOCK_POLL_MS 200 /* how often the other sender is asked after */
#define MS_PER_SEC 1000
/* Between two probes: doubled each time. */
#define PROBE_FIRST_MS 60000
#define PROBE_MOST_MS 900000

static int64_t monotonic_ms(const struct sender *sender)
{
	return clock_monotonic_ms(&sender->service->world->clock);
}

static int64_t now_of(const struct sender *sender)
{
	return clock_now_sec(&sender->service->world->clock);
}

/* ---- its life ---- */

int sender_open(struct sender **ret_sender, struct service *service,
                const struct service_deliver_events *events, struct error *err)
{
	owned(mem) char *path =
		mem_printf("%s/send.lock", service->conf->state_dir);
	owned(sender) struct sender *sender = mem_new(sizeof(*sender));

	sender->service = service;
	sender->events = events;
	if (lock_open(&sender->lock, path, err) < 0)
		return -1;
	pace_init(&sender->pace, sender->lock);
	*ret_sender = take_ptr(sender);
	return 0;
}

void sender_close(struct sender *sender)
{
	if (!sender)
		return;
	sender_end_work(sender);
	lock_close(sender->lock);
	free(sender);
}

void sender_end(struct sender *sender)
{
	sender->is_ending = true;
}

void sender_renew(struct sender *sender)
{
	sender->is_ending = false;
	sender->phase = PHASE_REST;
}

size_t sender_count_unanswered(const struct sender *sender)
{
	size_t n = 0;

	for (size_t i = 0; i < sender->n_lanes; i++)
		n += sender->lanes[i].state == LANE_BODY;
	return n;
}

/* ---- the breaker ---- */

/* A trouble that is stored, perhaps by another process, makes us careful. */
static int find_trouble(struct sender *sender, struct error *err)
{
	struct store_trouble trouble = {0};
	int found = store_get_trouble(sender->service->store, &trouble, err);

	if (found < 0)
		return -1;
	sender->breaker.is_open = found == STORE_FOUND;
	store_trouble_fini(&trouble);
	return 0;
}

static int64_t probe_interval_ms(unsigned n_probes)
{
	int64_t interval_ms = PROBE_FIRST_MS;

	for (unsigned i = 0; i < n_probes && interval_ms < PROBE_MOST_MS; i++)
		interval_ms *= 2;
	return interval_ms < PROBE_MOST_MS ? interval_ms : PROBE_MOST_MS;
}

int sender_open_breaker(struct sender *sender, struct error *err)
{
	struct breaker *breaker = &sender->breaker;
	int64_t wait_ms = probe_interval_ms(breaker->n_probes);
	const struct store_trouble trouble = {
		.since = now_of(sender),
		.next_at = now_of(sender) + wait_ms / MS_PER_SEC,
		.words = sender->counts.relay,
	};

	if (!sender->is_once)
		log_line(breaker->n_probes == 0 ? LOG_LEVEL_WARNING
		                                : LOG_LEVEL_INFO,
		         "relay: takes nothing, asked again in %" PRId64
		         " s: %s",
		         wait_ms / MS_PER_SEC, trouble.words);
	breaker->is_open = true;
	breaker->n_probes++;
	breaker->probe_ms = monotonic_ms(sender) + wait_ms;
	return store_set_trouble(sender->service->store, &trouble, err);
}

int sender_close_breaker(struct sender *sender, struct error *err)
{
	const struct store_trouble none = {0};

	if (!sender->breaker.is_open)
		return 0;
	log_notice("relay: takes mails again");
	sender->breaker = (struct breaker){0};
	return store_set_trouble(sender->service->store, &none, err);
}

/* ---- rest ---- */

static int hold_restored(struct sender *sender, struct error *err)
{
	size_t n_held = 0;
	int found = store_hold_restored(sender->service->store, now_of(sender),
	                                &n_held, err);

	if (found == STORE_FOUND)
		log_warning(
			"queue: the database is a backup that was put in "
			"its place: %zu mails that are older than a day "
			"may have been sent since, and are held: send-now "
			"--again sends them",
			n_held);
	return found < 0 ? -1 : 0;
}

static int recover(struct sender *sender, struct error *err)
{
	struct service *service = sender->service;
	size_t n_unknown = 0;

	if (hold_restored(sender, err) < 0)
		return -1;
	if (store_recover_deliveries(service->store, now_of(sender),
	                             service->conf->smtp.hold_unknown,
	                             &n_unknown, err) < 0)
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

static int begin(struct sender *sender, struct error *err)
{
	if (recover(sender, err) < 0 || find_trouble(sender, err) < 0 ||
	    sender_begin_work(sender, err) < 0) {
		sender_end_work(sender);
		lock_release(sender->lock);
		return -1;
	}
	sender->phase = PHASE_WORK;
	return SENDER_WORKS;
}

/* Is there something to do now? If not, *ret_look_ms says when there is. */
static int is_due(const struct sender *sender, int64_t *ret_look_ms,
                  struct error *err)
{
	const struct breaker *breaker = &sender->breaker;
	int64_t now_ms = monotonic_ms(sender);
	int64_t at = 0;
	int found = store_next_due(sender->service->store, &at, err);

	if (found < 0)
		return -1;
	*ret_look_ms = INT64_MAX;
	if (found == STORE_MISSING)
		return false;
	*ret_look_ms = now_ms;
	if (at > now_of(sender))
		*ret_look_ms += (at - now_of(sender)) * MS_PER_SEC;
	if (!sender->is_once && breaker->is_open &&
	    breaker->probe_ms > *ret_look_ms)
		*ret_look_ms = breaker->probe_ms;
	return *ret_look_ms <= now_ms;
}

static int rest(struct sender *sender, int64_t *ret_look_ms, struct error *err)
{
	int due = is_due(sender, ret_look_ms, err);
	int taken;

	if (due < 0)
		return -1;
	if (sender->is_ending || (sender->is_once && !due))
		sender->phase = PHASE_END;
	if (sender->phase == PHASE_END)
		return SENDER_ENDED;
	if (!due)
		return SENDER_RESTS;
	taken = lock_try(sender->lock, err);
	if (taken < 0)
		return -1;
	if (taken == LOCK_TAKEN)
		return begin(sender, err);
	*ret_look_ms = monotonic_ms(sender) + LOCK_POLL_MS;
	return SENDER_RESTS;
}

/* ---- work ---- */

static void log_work(const struct sender *sender)
{
	const struct service_deliver_counts *counts = &sender->counts;

	if (sender->is_once || counts->n_sent + counts->n_deferred +
	                                       counts->n_held +
	                                       counts->n_failed ==
	                               0)
		return;
	log_info(
		"queue: sent %zu, deferred %zu, held %zu, failed %zu in "
		"%" PRId64 " s",
		counts->n_sent, counts->n_deferred, counts->n_held,
		counts->n_failed, now_of(sender) - sender->begun_at);
}

static int work(struct sender *sender, int64_t *ret_look_ms, struct error *err)
{
	int rc = sender_work(sender, ret_look_ms, err);

	if (rc != SENDER_RESTS)
		return rc;
	if (sender->in_trouble && sender_open_breaker(sender, err) < 0)
		return -1;
	sender->in_trouble = false;
	log_work(sender);
	sender_end_work(sender);
	lock_release(sender->lock);
	sender->phase =
		sender->is_once || sender->is_ending ? PHASE_END : PHASE_REST;
	return sender->phase == PHASE_END ? SENDER_ENDED : SENDER_RESTS;
}

int sender_turn(struct sender *sender, int64_t *ret_look_ms, struct error *err)
{
	*ret_look_ms = INT64_MAX;
	switch (sender->phase) {
	case PHASE_REST:
		return rest(sender, ret_look_ms, err);
	case PHASE_WORK:
		return work(sender, ret_look_ms, err);
	case PHASE_END:
		break;
	}
	return SENDER_ENDED;
}
