#include <stdio.h>

#include "base/mem.h"
#include "service/compose.h"
#include "service_private.h"

/*
 * Subscribers whose digests share a transaction: at some 100 µs each a slice
 * stays below 50 ms.
 */
#define SLICE 200

struct queue_run {
	struct service *service;
	struct service_composer *composer;
	service_queue_fn done;
	void *ctx;
	struct service_queue_counts *counts;
};

static int set_outcome(struct service *service,
                       const struct subscriber *subscriber,
                       enum outcome outcome, const char *reason,
                       struct error *err)
{
	int32_t day;

	if (service_local_day(service, subscriber, &day, err) < 0)
		return -1;
	return store_set_outcome(service->store, OUTCOME_OF_SUBSCRIBER,
	                         subscriber->id, day, outcome, reason,
	                         clock_now_sec(&service->world->clock), err);
}

int service_note_outcome(struct service *service,
                         const struct subscriber *subscriber,
                         enum outcome outcome, const char *reason,
                         struct error *err)
{
	enum outcome had;
	int32_t day;
	int found;

	if (service_local_day(service, subscriber, &day, err) < 0)
		return -1;
	found = store_get_outcome(service->store, OUTCOME_OF_SUBSCRIBER,
	                          subscriber->id, day, &had, err);
	if (found < 0)
		return -1;
	if (found == STORE_FOUND && had == OUTCOME_SENT)
		return 0;
	return set_outcome(service, subscriber, outcome, reason, err);
}

static int note_nothing(struct service *service,
                        const struct subscriber *subscriber,
                        const struct digest *digest, struct error *err)
{
	char reason[80];

	if (digest->n_considered == 0)
		return service_note_outcome(service, subscriber,
		                            OUTCOME_NO_ANNOUNCEMENT,
		                            "nothing new was announced", err);
	snprintf(reason, sizeof(reason), "none of %u new papers matched",
	         digest->n_considered);
	return service_note_outcome(service, subscriber,
	                            OUTCOME_NOTHING_MATCHED, reason, err);
}

static int begin_subscriber(struct service *service,
                            const struct subscriber *subscriber,
                            const struct service_composed *composed,
                            struct error *err)
{
	if (!composed->begin)
		return 0;
	return store_begin_subscriber(
		service->store, subscriber->id, composed->old_mark,
		clock_now_sec(&service->world->clock), err);
}

/* STORE_QUEUED, STORE_MARK_MOVED or -1. */
static int queue_composed(struct queue_run *run,
                          const struct subscriber *subscriber,
                          const struct service_composed *composed, int outcome,
                          struct error *err)
{
	struct store *store = run->service->store;
	int64_t delivery;

	if (begin_subscriber(run->service, subscriber, composed, err) < 0)
		return -1;
	if (outcome == COMPOSED)
		return store_queue_digest(store, composed->digest,
		                          subscriber->email, composed->old_mark,
		                          composed->new_mark, &delivery, err);
	if (note_nothing(run->service, subscriber, composed->digest, err) < 0)
		return -1;
	return store_move_mark(store, subscriber->id, composed->old_mark,
	                       composed->new_mark, err);
}

static int rest_subscriber(struct queue_run *run,
                           const struct subscriber *subscriber, int outcome,
                           struct error *err)
{
	struct service *service = run->service;

	if (outcome == COMPOSE_SUSPENDED) {
		run->counts->n_suspended++;
		return set_outcome(service, subscriber, OUTCOME_SUSPENDED,
		                   "its address was refused too often", err);
	}
	run->counts->n_paused++;
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

static int queue_one(struct queue_run *run, const struct subscriber *subscriber,
                     struct error *err)
{
	owned(composed) struct service_composed composed = {0};
	int outcome =
		service_compose(run->composer, subscriber, &composed, err);
	int queued;

	if (outcome < 0)
		return -1;
	if (outcome == COMPOSE_PAUSED || outcome == COMPOSE_SUSPENDED) {
		if (run->done)
			run->done(run->ctx, subscriber, outcome, NULL);
		return rest_subscriber(run, subscriber, outcome, err);
	}
	queued = queue_composed(run, subscriber, &composed, outcome, err);
	if (queued < 0)
		return -1;
	count(run->counts, outcome, queued);
	if (run->done && queued == STORE_QUEUED)
		run->done(run->ctx, subscriber, outcome, composed.digest);
	return 0;
}

static int queue_slice(struct queue_run *run,
                       const struct subscriber *const *subscribers, size_t n,
                       struct error *err)
{
	struct store *store = run->service->store;

	if (store_begin(store, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (queue_one(run, subscribers[i], err) < 0) {
			store_rollback(store);
			return -1;
		}
	}
	return store_commit(store, err);
}

int service_queue(struct service *service,
                  const struct subscriber *const *subscribers, size_t n,
                  service_queue_fn done, void *ctx,
                  struct service_queue_counts *ret_counts, struct error *err)
{
	owned(service_composer) struct service_composer *composer = NULL;
	struct service_queue_counts counts = {0};
	struct queue_run run = {service, NULL, done, ctx, &counts};

	if (service_composer_new(&composer, service, subscribers, n, err) < 0)
		return -1;
	run.composer = composer;

	for (size_t i = 0; i < n; i += SLICE)
		if (queue_slice(&run, subscribers + i,
		                n - i < SLICE ? n - i : SLICE, err) < 0)
			return -1;
	*ret_counts = counts;
	return 0;
}
