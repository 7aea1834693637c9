#pragma once

/*
 * Who is due when (DESIGN section 4). A slot is a subscriber's local day with
 * its send_at. Due is the latest slot that has passed and is not done; earlier
 * ones that were missed are made up with it. At its slot a digest waits, up to
 * digest_wait_min, for a batch of today that should be there and is missing.
 * Clocks that are set, suspended machines and months of downtime end in the
 * same question: which slot has passed last?
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "model/day.h"
#include "service/world.h"

enum slot {
	SLOT_FOUND = 0,
	SLOT_NONE = 1,
};

/*
 * The latest slot at or before `at`, of the last 14 days; and the first one
 * behind it. *ret_day is the local day, *ret_at when it is.
 */
enum slot slot_last(const struct subscriber *subscriber,
                    const struct zone *zone, int64_t at, int32_t *ret_day,
                    int64_t *ret_at);
enum slot slot_next(const struct subscriber *subscriber,
                    const struct zone *zone, int64_t at, int32_t *ret_day,
                    int64_t *ret_at);

struct schedule;

/* `service` is borrowed. A subscriber who is new begins with the next slot. */
MUST_CHECK int schedule_open(struct schedule **ret_schedule,
                             struct service *service, struct error *err);
void schedule_close(struct schedule *schedule);

OWNED_DEFINE(schedule, struct schedule, schedule_close);

/*
 * One slice of what is due: composes and queues, with the outcomes of who gets
 * nothing. *ret_look_ms (monotonic) is when the next one is wanted. After a
 * failure it may be called again.
 */
MUST_CHECK int schedule_turn(struct schedule *schedule, int64_t *ret_look_ms,
                             struct error *err);

/* A feed has brought something: who waits for it is looked at again. */
void schedule_wake(struct schedule *schedule);

/* When the next digests are due (Unix seconds), and how many; false: never. */
bool schedule_next(const struct schedule *schedule, int64_t *ret_at,
                   size_t *ret_n);
