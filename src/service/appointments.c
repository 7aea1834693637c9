/* Which slots are done, and when the next ones are, whatever clocks do. */

#include "base/log.h"
#include "model/day.h"
#include "schedule_private.h"

#define MS_PER_SEC 1000
/* The wall clock was set, or the machine slept, if it is off by so much. */
#define JUMP_SEC 3
/* So far ahead it may be back where it was before. */
#define LEAP_SEC 86400

static int64_t now_of(const struct schedule *schedule)
{
	return clock_now_sec(&schedule->service->world->clock);
}

static int64_t monotonic_ms(const struct schedule *schedule)
{
	return clock_monotonic_ms(&schedule->service->world->clock);
}

/* ---- clocks ---- */

static void note_clocks(struct schedule *schedule)
{
	schedule->seen_at = now_of(schedule);
	schedule->seen_ms = monotonic_ms(schedule);
}

/* By how much the wall clock went ahead of the time that has passed. */
static int64_t jump_of(const struct schedule *schedule)
{
	return now_of(schedule) - schedule->seen_at -
	       (monotonic_ms(schedule) - schedule->seen_ms) / MS_PER_SEC;
}

static bool has_jumped(const struct schedule *schedule)
{
	return jump_of(schedule) > JUMP_SEC || jump_of(schedule) < -JUMP_SEC;
}

static bool is_leap(const struct schedule *schedule)
{
	return jump_of(schedule) > LEAP_SEC;
}

/* ---- appointments ---- */

/* Zones were checked with the config; GLib keeps them, so this is cheap. */
void appointment_plan(struct appointment *item, int64_t now)
{
	owned(zone) struct zone *zone = zone_open(item->subscriber->timezone);
	int32_t day;
	int64_t at;

	item->at = INT64_MAX;
	if (!zone)
		return;
	if (slot_last(item->subscriber, zone, now, &day, &at) == SLOT_FOUND &&
	    day > item->done_day)
		item->at = at;
	else if (slot_next(item->subscriber, zone, now, &day, &at) ==
	         SLOT_FOUND)
		item->at = at;
}

/*
 * Which slot is done if that which is said to be lies ahead, because the clock
 * was wrong, or is? What the day of the last one that has passed ended in tells
 * it.
 */
static int find_done(const struct schedule *schedule,
                     const struct appointment *item, const struct zone *zone,
                     int32_t *ret_day, struct error *err)
{
	struct store_day key = {OUTCOME_OF_SUBSCRIBER, item->subscriber->id, 0};
	int64_t now = now_of(schedule);
	enum outcome had = OUTCOME_WAITING;
	int64_t at;

	if (slot_last(item->subscriber, zone, now, &key.day, &at) == SLOT_NONE)
		key.day = zone_day(zone, now) - 1;
	if (store_get_outcome(schedule->service->store, &key, &had, err) < 0)
		return -1;
	*ret_day = had == OUTCOME_WAITING ? key.day - 1 : key.day;
	return 0;
}

/* Stored, or else a restart would believe the other one when its day comes. */
static int set_done(const struct schedule *schedule, struct appointment *item,
                    int32_t day, struct error *err)
{
	if (store_set_slot(schedule->service->store, item->subscriber->id, day,
	                   err) < 0)
		return -1;
	item->done_day = day;
	return 0;
}

/* 1 if its last slot lay ahead. */
static int correct_done(const struct schedule *schedule,
                        struct appointment *item, const struct zone *zone,
                        struct error *err)
{
	int32_t latest = zone_day(zone, now_of(schedule)) + 1;
	int32_t day;

	if (is_leap(schedule)) {
		item->before_day = item->done_day;
		/* The clock was behind, and is set forward again. */
		if (item->ahead_day > item->done_day &&
		    item->ahead_day <= latest)
			return set_done(schedule, item, item->ahead_day, err);
	}
	item->ahead_day = 0;
	if (item->done_day <= latest)
		return 0;
	if (find_done(schedule, item, zone, &day, err) < 0)
		return -1;
	if (day < item->before_day && item->before_day <= latest)
		day = item->before_day;
	item->ahead_day = item->done_day;
	return set_done(schedule, item, day, err) < 0 ? -1 : 1;
}

static int plan_again(struct schedule *schedule, struct appointment *item,
                      struct error *err)
{
	owned(zone) struct zone *zone = zone_open(item->subscriber->timezone);
	int rc = zone ? correct_done(schedule, item, zone, err) : 0;

	if (rc >= 0)
		appointment_plan(item, now_of(schedule));
	return rc;
}

static int plan_each(struct schedule *schedule, struct error *err)
{
	size_t n_ahead = 0;

	for (size_t i = 0; i < schedule->n; i++) {
		int rc = plan_again(schedule, &schedule->items[i], err);

		if (rc < 0)
			return -1;
		n_ahead += rc > 0;
	}
	if (n_ahead > 0)
		log_warning(
			"schedule: the last slots of %zu subscribers lie "
			"in the future: the clock was wrong; ignored",
			n_ahead);
	return 0;
}

void appointments_find_next(struct schedule *schedule)
{
	schedule->next_at = INT64_MAX;
	for (size_t i = 0; i < schedule->n; i++)
		if (schedule->items[i].at < schedule->next_at)
			schedule->next_at = schedule->items[i].at;
}

/* After a failure it is done again: the clocks are noted last. */
static int plan_all(struct schedule *schedule, struct error *err)
{
	struct store *store = schedule->service->store;

	if (store_begin(store, err) < 0)
		return -1;
	if (plan_each(schedule, err) < 0 || store_commit(store, err) < 0) {
		store_rollback(store);
		return -1;
	}
	appointments_find_next(schedule);
	note_clocks(schedule);
	return 0;
}

static int begin_item(struct schedule *schedule, struct appointment *item,
                      struct error *err)
{
	struct store *store = schedule->service->store;
	const struct subscriber *subscriber = item->subscriber;
	owned(zone) struct zone *zone = zone_open(subscriber->timezone);
	int64_t now = now_of(schedule);
	int32_t last_day = 0;
	int64_t at;

	if (store_get_slot(store, subscriber->id, &item->done_day, err) < 0)
		return -1;
	if (!zone)
		return 0;
	if (item->done_day > 0)
		return 0;
	/* New: what has passed before it came is not for it. */
	(void)slot_last(subscriber, zone, now, &last_day, &at);
	item->done_day = last_day > 0 ? last_day : zone_day(zone, now) - 1;
	return store_set_slot(store, subscriber->id, item->done_day, err);
}

static int begin_all(struct schedule *schedule, struct error *err)
{
	struct store *store = schedule->service->store;

	if (store_begin(store, err) < 0)
		return -1;
	for (size_t i = 0; i < schedule->n; i++) {
		if (begin_item(schedule, &schedule->items[i], err) < 0) {
			store_rollback(store);
			return -1;
		}
	}
	return store_commit(store, err);
}

int appointments_begin(struct schedule *schedule, struct error *err)
{
	note_clocks(schedule);
	if (begin_all(schedule, err) < 0)
		return -1;
	return plan_all(schedule, err);
}

/* During a run nobody is planned: what jumped is seen after it. */
int appointments_check(struct schedule *schedule, struct error *err)
{
	if (schedule->run)
		return 0;
	if (!has_jumped(schedule)) {
		note_clocks(schedule);
		return 0;
	}
	log_notice("schedule: the clock was set, or the machine slept");
	return plan_all(schedule, err);
}
