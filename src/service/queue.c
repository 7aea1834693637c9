#include <stdio.h>

#include "base/mem.h"
#include "compose_private.h"
#include "service_private.h"

/*
 * What ends a slice, whose digests share a transaction: so many subscribers,
 * at some 100 µs each, or the time.
 */
#define SLICE 200
#define SLICE_MS 25

/* All of arXiv's categories, and some words. */
#define REASON_BYTES 8192U

struct service_queue_run {
	struct service *service;
	struct service_composer *composer;
	struct service_queue_job job;
	struct service_queue_counts counts;
	size_t next; /* of the job's subscribers */
};

static int set_outcome(struct service *service,
                       const struct subscriber *subscriber,
                       enum outcome outcome, const char *reason,
                       struct error *err)
{
	struct store_outcome row = {
		.of_day = {OUTCOME_OF_SUBSCRIBER, subscriber->id, 0},
		.outcome = outcome,
		.reason = reason,
		.at = clock_now_sec(&service->world->clock),
	};

	if (service_local_day(service, subscriber, &row.of_day.day, err) < 0)
		return -1;
	return store_set_outcome(service->store, &row, err);
}

/* How much an outcome says: what says less does not replace what says more. */
static int weigh(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_NO_ANNOUNCEMENT:
		return 0;
	case OUTCOME_WAITING:
		return 1;
	case OUTCOME_NOTHING_MATCHED:
		return 2;
	default:
		return 3;
	}
}

int service_note_outcome(struct service *service,
                         const struct subscriber *subscriber,
                         enum outcome outcome, const char *reason,
                         struct error *err)
{
	struct store_day day = {OUTCOME_OF_SUBSCRIBER, subscriber->id, 0};
	enum outcome had;
	int found;

	if (service_local_day(service, subscriber, &day.day, err) < 0)
		return -1;
	found = store_get_outcome(service->store, &day, &had, err);
	if (found < 0)
		return -1;
	if (found == STORE_FOUND && weigh(outcome) < weigh(had))
		return 0;
	return set_outcome(service, subscriber, outcome, reason, err);
}

/* Why there is no digest: an outcome and its reason. */
static int explain_nothing(struct service *service,
                           const struct subscriber *subscriber,
                           const struct digest *digest, struct buf *reason,
                           struct error *err)
{
	owned(strings) struct strings late = {0};

	if (digest->n_considered > 0) {
		buf_addf(reason, "none of %u new papers matched",
		         digest->n_considered);
		return OUTCOME_NOTHING_MATCHED;
	}
	if (service_find_late(service, subscriber,
	                      clock_now_sec(&service->world->clock), &late,
	                      err) < 0)
		return -1;
	if (late.n == 0) {
		buf_add_str(reason, "nothing new was announced");
		return OUTCOME_NO_ANNOUNCEMENT;
	}
	buf_add_str(reason, "no new batch of ");
	for (size_t i = 0; i < late.n; i++)
		buf_addf(reason, "%s%s", i > 0 ? ", " : "", late.items[i]);
	return OUTCOME_WAITING;
}

static int begin_subscriber(struct service *service,
                            const struct subscriber *subscriber,
                            const struct service_composed *composed,
                            struct error *err)
{
	if (composed->lift &&
	    store_lift_suspension(service->store, subscriber->id, err) < 0)
		return -1;
	if (!composed->begin)
		return 0;
	return store_begin_subscriber(
		service->store, subscriber->id, composed->move.from,
		clock_now_sec(&service->world->clock), err);
}

/* Until it is sent, the day's outcome is that it was not. */
static int queue_digest(struct service *service,
                        const struct subscriber *subscriber,
                        const struct service_composed *composed,
                        struct error *err)
{
	int queued =
		store_queue_digest(service->store, composed->digest,
	                           subscriber->email, &composed->move, err);

	if (queued != STORE_QUEUED)
		return queued;
	if (service_supersede(service, composed, err) < 0)
		return -1;
	return service_note_outcome(service, subscriber, OUTCOME_DEFERRED,
	                            "in the queue", err);
}

/* STORE_QUEUED, STORE_MARK_MOVED or -1. */
static int queue_composed(struct service *service,
                          const struct subscriber *subscriber,
                          const struct service_composed *composed,
                          struct buf *reason, struct error *err)
{
	const struct digest *digest = composed->digest;
	int outcome;

	if (begin_subscriber(service, subscriber, composed, err) < 0)
		return -1;
	if (digest->n_entries > 0)
		return queue_digest(service, subscriber, composed, err);
	outcome = explain_nothing(service, subscriber, digest, reason, err);
	if (outcome < 0 ||
	    service_note_outcome(service, subscriber, (enum outcome)outcome,
	                         buf_str(reason), err) < 0)
		return -1;
	return store_move_mark(service->store, subscriber->id, &composed->move,
	                       err);
}

static void tell(const struct service_queue_run *run,
                 const struct subscriber *subscriber, int outcome,
                 const char *reason)
{
	if (run->job.done)
		run->job.done(run->job.ctx, subscriber, outcome, reason);
}

static int rest_subscriber(struct service_queue_run *run,
                           const struct subscriber *subscriber, int outcome,
                           struct error *err)
{
	struct service *service = run->service;

	if (outcome == COMPOSE_SUSPENDED) {
		run->counts.n_suspended++;
		return set_outcome(service, subscriber, OUTCOME_SUSPENDED,
		                   "its address was refused too often", err);
	}
	run->counts.n_paused++;
	if (store_pause_subscriber(service->store, subscriber->id, err) < 0)
		return -1;
	return set_outcome(service, subscriber, OUTCOME_PAUSED,
	                   "the config says so", err);
}

static void count(struct service_queue_counts *counts, int outcome, int queued)
{
	if (queued == STORE_MARK_MOVED)
		counts->n_elsewhere++;
	else if (outcome == COMPOSED)
		counts->n_queued++;
	else
		counts->n_nothing++;
}

static int compose_one(struct service_queue_run *run,
                       const struct subscriber *subscriber, struct error *err)
{
	owned(composed) struct service_composed composed = {0};
	owned(buf) struct buf reason = BUF_INIT(REASON_BYTES);
	int outcome =
		service_compose(run->composer, subscriber, &composed, err);
	int queued;

	if (outcome < 0)
		return -1;
	if (outcome == COMPOSE_PAUSED || outcome == COMPOSE_SUSPENDED) {
		tell(run, subscriber, outcome, "");
		return rest_subscriber(run, subscriber, outcome, err);
	}
	queued = queue_composed(run->service, subscriber, &composed, &reason,
	                        err);
	if (queued < 0)
		return -1;
	count(&run->counts, outcome, queued);
	if (queued == STORE_QUEUED)
		tell(run, subscriber, outcome, buf_str(&reason));
	return 0;
}

static int queue_one(struct service_queue_run *run,
                     const struct subscriber *subscriber, struct error *err)
{
	const struct service_queue_job *job = &run->job;

	if (compose_one(run, subscriber, err) < 0)
		return -1;
	return job->settle ? job->settle(job->ctx, subscriber, err) : 0;
}

static int64_t monotonic_ms(const struct service_queue_run *run)
{
	return clock_monotonic_ms(&run->service->world->clock);
}

/* Those whose digests share a transaction. */
static int queue_slice(struct service_queue_run *run, struct error *err)
{
	struct service_queue_counts counts = run->counts;
	struct store *store = run->service->store;
	int64_t until_ms = monotonic_ms(run) + SLICE_MS;
	size_t i = run->next;

	if (store_begin(store, err) < 0)
		return -1;
	for (; i < run->job.n && i < run->next + SLICE &&
	       monotonic_ms(run) < until_ms;
	     i++) {
		if (queue_one(run, run->job.subscribers[i], err) < 0) {
			run->counts = counts;
			store_rollback(store);
			return -1;
		}
	}
	if (store_commit(store, err) < 0) {
		run->counts = counts;
		return -1;
	}
	run->next = i;
	return 0;
}

struct service_queue_run *
service_queue_begin(struct service *service,
                    const struct service_queue_job *job)
{
	struct service_queue_run *run = mem_new(sizeof(*run));

	run->service = service;
	run->job = *job;
	run->composer =
		service_composer_begin(service, job->subscribers, job->n);
	return run;
}

void service_queue_end(struct service_queue_run *run)
{
	if (!run)
		return;
	service_composer_free(run->composer);
	free(run);
}

int service_queue_slice(struct service_queue_run *run, struct error *err)
{
	int state;

	if (run->next >= run->job.n)
		return QUEUE_DONE;
	state = service_composer_go_on(run->composer, err);
	if (state < 0)
		return -1;
	if (state == COMPOSER_MORE)
		return QUEUE_MORE;
	if (queue_slice(run, err) < 0)
		return -1;
	return run->next < run->job.n ? QUEUE_MORE : QUEUE_DONE;
}

struct service_queue_counts
service_queue_counts(const struct service_queue_run *run)
{
	return run->counts;
}

int service_queue(struct service *service, const struct service_queue_job *job,
                  struct service_queue_counts *ret_counts, struct error *err)
{
	owned(queue_run) struct service_queue_run *run =
		service_queue_begin(service, job);
	int state = QUEUE_MORE;

	while (state == QUEUE_MORE)
		state = service_queue_slice(run, err);
	if (state < 0)
		return -1;
	*ret_counts = run->counts;
	return 0;
}
