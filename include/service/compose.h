#pragma once

/*
 * Composing: stored announcements and a subscriber to a digest, and digests
 * to the queue (DESIGN section 4: candidates and marks).
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "model/digest.h"
#include "service/world.h"

/*
 * A batch loaded and indexed once, for many subscribers: everything that was
 * announced after the oldest of their marks.
 */
struct service_composer;

enum compose_outcome {
	COMPOSED = 0,
	COMPOSE_NOTHING = 1, /* nothing matched, or nothing was announced */
	COMPOSE_PAUSED = 2,
	COMPOSE_SUSPENDED = 3,
};

/* What composing gave for one subscriber. */
struct service_composed {
	struct digest *digest;  /* entries may be none; owned */
	struct store_move move; /* of the subscriber's mark */
	bool begin;             /* new or resumed: its mark is not stored yet */
	bool lift;              /* it was suspended for another address */
	/*
	 * Earlier deliveries that did not arrive: their papers are in `digest`,
	 * too, and theirs.
	 */
	struct store_deliveries superseded;
	struct store_digest **carried;
	size_t n_carried;
};

void service_composed_fini(struct service_composed *composed);

static inline void owned_release_composed(struct service_composed *composed)
{
	service_composed_fini(composed);
}

MUST_CHECK int service_composer_new(struct service_composer **ret_composer,
                                    struct service *service,
                                    const struct subscriber *const *subscribers,
                                    size_t n, struct error *err);

enum composer_outcome {
	COMPOSER_READY = 0,
	COMPOSER_MORE = 1,
};

/*
 * The same in steps, for a loop that may not be kept: go on until it is ready;
 * then it can be used. The list is borrowed until then. An enum
 * composer_outcome; after a failure the step may be tried again.
 */
struct service_composer *
service_composer_begin(struct service *service,
                       const struct subscriber *const *subscribers, size_t n);
MUST_CHECK int service_composer_go_on(struct service_composer *composer,
                                      struct error *err);

void service_composer_free(struct service_composer *composer);

OWNED_DEFINE(service_composer, struct service_composer, service_composer_free);

/*
 * The subscriber's digest as it would be now; changes nothing. An enum
 * compose_outcome; *ret_composed is the caller's with the first two.
 * The digest's papers are the composer's.
 */
MUST_CHECK int service_compose(struct service_composer *composer,
                               const struct subscriber *subscriber,
                               struct service_composed *ret_composed,
                               struct error *err);

struct service_queue_counts {
	size_t n_queued;
	size_t n_nothing; /* nothing matched or was announced */
	size_t n_paused;
	size_t n_suspended;
	size_t n_elsewhere; /* another process was there first */
};

/* Whom to compose for, and who is told. */
struct service_queue_job {
	const struct subscriber *const *subscribers;
	size_t n;
	/*
	 * Each one's enum compose_outcome and, with COMPOSE_NOTHING, why.
	 * May be NULL itself.
	 */
	void (*done)(void *ctx, const struct subscriber *subscriber,
	             int outcome, const char *reason);
	/* Part of each one's transaction; may be NULL. */
	int (*settle)(void *ctx, const struct subscriber *subscriber,
	              struct error *err);
	void *ctx;
};

/*
 * Composes for each of the subscribers, queues the digests, moves the marks
 * and records the outcomes of those for whom nothing is to be sent: in slices,
 * one transaction each. The job's list is borrowed until the end; so is the
 * config.
 */
struct service_queue_run;

enum queue_state {
	QUEUE_MORE = 0,
	QUEUE_DONE = 1,
};

struct service_queue_run *
service_queue_begin(struct service *service,
                    const struct service_queue_job *job);
void service_queue_end(struct service_queue_run *run);

OWNED_DEFINE(queue_run, struct service_queue_run, service_queue_end);

/*
 * Some tens of milliseconds of the work. An enum queue_state; after a failure
 * the slice may be tried again.
 */
MUST_CHECK int service_queue_slice(struct service_queue_run *run,
                                   struct error *err);
struct service_queue_counts
service_queue_counts(const struct service_queue_run *run);

/* All slices of it. */
MUST_CHECK int service_queue(struct service *service,
                             const struct service_queue_job *job,
                             struct service_queue_counts *ret_counts,
                             struct error *err);
