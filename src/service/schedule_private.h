#pragma once

/* Shared by schedule.c, what is due, and appointments.c, when. */

#include "service/schedule.h"

/* When a subscriber is to be looked at again. */
struct appointment {
	const struct subscriber *subscriber;
	int64_t at;         /* Unix seconds; INT64_MAX: never */
	int32_t done_day;   /* of the last slot that is done */
	int32_t due_day;    /* of the one that is due, while it is */
	int32_t told_day;   /* of the last one that was said to wait */
	int32_t ahead_day;  /* done, and not believed since the clock was set */
	int32_t before_day; /* done when the clock was set forward */
};

struct schedule {
	struct service *service;
	struct zone *new_york;
	struct appointment *items; /* as conf->subscribers */
	size_t n;
	int64_t next_at; /* the earliest of them */
	int64_t seen_at; /* both clocks when they were last compared */
	int64_t seen_ms;
	/* who is being composed for */
	const struct subscriber **due;
	size_t *due_items; /* their appointments */
	size_t n_due;
	size_t n_settled;
	struct service_queue_run *run;
};

/* When it is to be looked at again, after `done_day`. */
void appointment_plan(struct appointment *item, int64_t now);

/* Of all subscribers: what the store says is done, and plans. */
MUST_CHECK int appointments_begin(struct schedule *schedule, struct error *err);
void appointments_find_next(struct schedule *schedule);

/* Plans them again if a clock was set. After a failure it may be called again.
 */
MUST_CHECK int appointments_check(struct schedule *schedule, struct error *err);
