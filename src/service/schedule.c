#include "service/schedule.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/category.h"
#include "model/day.h"
#include "schedule_private.h"
#include "service/compose.h"
#include "service/poll.h"
#include "service/summarize.h"
#include "service_private.h"

#define MS_PER_SEC 1000
/* How often a missing batch is looked for again. */
#define WAIT_LOOK_SEC 30
/* Composed together: more would hold up the loop when they are loaded. */
#define TOGETHER 5000
/* Missed days that get an outcome afterwards. */
#define LOOK_BACK_DAYS 14

static int64_t now_of(const struct schedule *schedule)
{
	return clock_now_sec(&schedule->service->world->clock);
}

static int64_t monotonic_ms(const struct schedule *schedule)
{
	return clock_monotonic_ms(&schedule->service->world->clock);
}

/* ---- its life ---- */

int schedule_open(struct schedule **ret_schedule, struct service *service,
                  struct error *err)
{
	owned(schedule) struct schedule *schedule = mem_new(sizeof(*schedule));
	const struct conf *conf = service->conf;

	schedule->service = service;
	schedule->new_york = zone_open(DAY_NEW_YORK);
	if (!schedule->new_york)
		return error_set(err, ERROR_SYSTEM,
		                 "the time zone " DAY_NEW_YORK
		                 " is unknown here: install the package "
		                 "tzdata");
	schedule->n = conf->n_subscribers;
	schedule->items = mem_array(schedule->n, sizeof(*schedule->items));
	for (size_t i = 0; i < schedule->n; i++)
		schedule->items[i].subscriber = conf->subscribers[i];
	if (appointments_begin(schedule, err) < 0)
		return -1;
	*ret_schedule = take_ptr(schedule);
	return 0;
}

static void end_run(struct schedule *schedule)
{
	service_queue_end(take_ptr(schedule->run));
	free(take_ptr(schedule->due));
	free(take_ptr(schedule->due_items));
	schedule->n_due = 0;
	schedule->n_settled = 0;
}

void schedule_close(struct schedule *schedule)
{
	if (!schedule)
		return;
	end_run(schedule);
	zone_close(schedule->new_york);
	free(schedule->items);
	free(schedule);
}

/* ---- waiting for a batch ---- */

/* Has this day's feed of the category not brought what it should yet? */
static int is_missing(const struct schedule *schedule, const char *category,
                      int32_t day, struct error *err)
{
	const struct store_day key = {OUTCOME_OF_CATEGORY, category, day};
	enum outcome outcome;
	int found = store_get_outcome(schedule->service->store, &key, &outcome,
	                              err);

	if (found < 0)
		return -1;
	return found == STORE_MISSING ||
	       (outcome != OUTCOME_FRESH && outcome != OUTCOME_PARTIAL);
}

/* The categories whose batch of today should be there and is missing. */
static int find_missing(const struct schedule *schedule,
                        struct strings *missing, struct error *err)
{
	const struct conf *conf = schedule->service->conf;
	owned(strings) struct strings categories = {0};
	int64_t now = now_of(schedule);
	int32_t day = zone_day(schedule->new_york, now);
	int32_t minute = zone_second(schedule->new_york, now) / 60;

	if (!calendar_has_batch(&conf->holidays, day) ||
	    minute >= (int32_t)conf->feeds.poll_until_min)
		return 0;
	service_categories(conf, NULL, &categories);
	for (size_t i = 0; i < categories.n; i++) {
		int rc = is_missing(schedule, categories.items[i], day, err);

		if (rc < 0)
			return -1;
		if (rc)
			strings_add(missing, span_of(categories.items[i]));
	}
	return 0;
}

static const char *find_wanted(const struct subscriber *subscriber,
                               const struct strings *missing)
{
	for (size_t i = 0; i < missing->n; i++)
		if (service_is_subscribed(subscriber, missing->items[i]))
			return missing->items[i];
	return NULL;
}

/* ---- what is due ---- */

/* What the day ended in already stays, unless that says less. */
static int note(struct schedule *schedule, const struct subscriber *subscriber,
                int32_t day, const char *reason, struct error *err)
{
	struct store_outcome row = {
		.of_day = {OUTCOME_OF_SUBSCRIBER, subscriber->id, day},
		.outcome = OUTCOME_WAITING,
		.reason = reason,
		.at = now_of(schedule),
	};
	enum outcome had;
	int found = store_get_outcome(schedule->service->store, &row.of_day,
	                              &had, err);

	if (found < 0)
		return -1;
	if (found == STORE_FOUND && had != OUTCOME_NO_ANNOUNCEMENT &&
	    had != OUTCOME_WAITING)
		return 0;
	return store_set_outcome(schedule->service->store, &row, err);
}

/*
 * The days of the slots that are made up today: what becomes of them is today's
 * outcome.
 */
static int note_missed(struct schedule *schedule,
                       const struct appointment *item, struct error *err)
{
	const struct subscriber *subscriber = item->subscriber;
	char text[DAY_TEXT_SIZE];
	owned(mem) char *reason = NULL;
	int32_t day = item->due_day - LOOK_BACK_DAYS;
	int32_t today;

	if (service_local_day(schedule->service, subscriber, &today, err) < 0)
		return -1;
	reason = mem_printf("made up on %s", day_format(today, text));
	if (day < item->done_day + 1)
		day = item->done_day + 1;
	for (; day <= item->due_day && day < today; day++)
		if ((subscriber->days >> day_date(day).weekday & 1) &&
		    note(schedule, subscriber, day, reason, err) < 0)
			return -1;
	return 0;
}

enum judgement {
	IS_DUE = 0,
	IS_LATER = 1,
};

static int wait_for(struct schedule *schedule, struct appointment *item,
                    const char *reason, struct error *err)
{
	item->at = now_of(schedule) + WAIT_LOOK_SEC;
	if (item->told_day == item->due_day)
		return IS_LATER;
	if (note(schedule, item->subscriber, item->due_day, reason, err) < 0)
		return -1;
	item->told_day = item->due_day;
	return IS_LATER;
}

static int wait_for_batch(struct schedule *schedule, struct appointment *item,
                          const char *category, struct error *err)
{
	owned(mem) char *reason =
		mem_printf("for today's batch of %s", category);

	return wait_for(schedule, item, reason, err);
}

/* Never after llm.max_wait_min, whatever the model does. */
static int wait_for_words(struct schedule *schedule, struct appointment *item,
                          int64_t until, struct error *err)
{
	int rc = wait_for(schedule, item, "for the model's summaries", err);

	if (item->at > until)
		item->at = until;
	return rc;
}

static bool may_have_words(const struct schedule *schedule,
                           const struct appointment *item)
{
	const struct summarizer *summarizer = schedule->service->summarizer;

	return summarizer && summarizer_keeps(summarizer, item->subscriber);
}

static int judge(struct schedule *schedule, struct appointment *item,
                 const struct strings *missing, struct error *err)
{
	owned(zone) struct zone *zone = zone_open(item->subscriber->timezone);
	int64_t now = now_of(schedule);
	const char *category;
	int64_t slot_at;
	int64_t words_until;

	if (!zone ||
	    slot_last(item->subscriber, zone, now, &item->due_day, &slot_at) !=
	            SLOT_FOUND ||
	    item->due_day <= item->done_day) {
		appointment_plan(item, now);
		return IS_LATER;
	}
	category = find_wanted(item->subscriber, missing);
	if (category &&
	    now < slot_at + (int64_t)item->subscriber->digest_wait_min * 60)
		return wait_for_batch(schedule, item, category, err);
	words_until = slot_at +
	              (int64_t)schedule->service->conf->llm.max_wait_min * 60;
	if (now < words_until && may_have_words(schedule, item))
		return wait_for_words(schedule, item, words_until, err);
	return IS_DUE;
}

static int collect(struct schedule *schedule, const struct strings *missing,
                   struct error *err)
{
	int64_t now = now_of(schedule);

	for (size_t i = 0; i < schedule->n; i++) {
		struct appointment *item = &schedule->items[i];
		int rc;

		if (item->at > now || schedule->n_due == TOGETHER)
			continue;
		rc = judge(schedule, item, missing, err);
		if (rc < 0)
			return -1;
		if (rc == IS_LATER)
			continue;
		schedule->due[schedule->n_due] = item->subscriber;
		schedule->due_items[schedule->n_due++] = i;
	}
	return 0;
}

/* ---- composing ---- */

static void on_composed(void *ctx, const struct subscriber *subscriber,
                        int outcome, const char *reason)
{
	(void)ctx;
	if (outcome == COMPOSE_NOTHING)
		log_info("subscriber %s: nothing to send: %s", subscriber->id,
		         reason);
	else if (outcome != COMPOSED)
		log_info("subscriber %s: %s", subscriber->id,
		         outcome == COMPOSE_PAUSED ? "paused" : "suspended");
}

/* They come in the order of `due`; a slice may be tried again. */
static int on_settled(void *ctx, const struct subscriber *subscriber,
                      struct error *err)
{
	struct schedule *schedule = ctx;
	const struct appointment *item;
	size_t i = schedule->n_settled;

	while (i == schedule->n_due || schedule->due[i] != subscriber)
		i = i == schedule->n_due ? 0 : i + 1;
	schedule->n_settled = i + 1;
	item = &schedule->items[schedule->due_items[i]];
	if (note_missed(schedule, item, err) < 0)
		return -1;
	return store_set_slot(schedule->service->store, subscriber->id,
	                      item->due_day, err);
}

static int begin_run(struct schedule *schedule, struct error *err)
{
	owned(strings) struct strings missing = {0};
	struct service_queue_job job = {
		.done = on_composed,
		.settle = on_settled,
		.ctx = schedule,
	};
	size_t most = schedule->n < TOGETHER ? schedule->n : TOGETHER;

	if (find_missing(schedule, &missing, err) < 0)
		return -1;
	schedule->due = mem_array(most, sizeof(struct subscriber *));
	schedule->due_items = mem_array(most, sizeof(size_t));
	if (collect(schedule, &missing, err) < 0)
		return -1;
	job.subscribers = schedule->due;
	job.n = schedule->n_due;
	if (schedule->n_due > 0)
		schedule->run = service_queue_begin(schedule->service, &job);
	return 0;
}

/* All slices are durable. */
static void finish_run(struct schedule *schedule)
{
	struct service_queue_counts counts =
		service_queue_counts(schedule->run);
	int64_t now = now_of(schedule);

	log_info(
		"digests: %zu queued, nothing for %zu, %zu paused, %zu "
		"suspended",
		counts.n_queued, counts.n_nothing, counts.n_paused,
		counts.n_suspended);
	for (size_t i = 0; i < schedule->n_due; i++) {
		struct appointment *item =
			&schedule->items[schedule->due_items[i]];

		item->done_day = item->due_day;
		appointment_plan(item, now);
	}
	end_run(schedule);
	appointments_find_next(schedule);
}

static int take_slice(struct schedule *schedule, struct error *err)
{
	int state;

	if (!schedule->run) {
		end_run(schedule);
		if (begin_run(schedule, err) < 0) {
			end_run(schedule);
			return -1;
		}
	}
	if (!schedule->run) {
		end_run(schedule);
		appointments_find_next(schedule);
		return 0;
	}
	state = service_queue_slice(schedule->run, err);
	if (state == QUEUE_DONE)
		finish_run(schedule);
	return state < 0 ? -1 : 0;
}

/* ---- turns ---- */

int schedule_turn(struct schedule *schedule, int64_t *ret_look_ms,
                  struct error *err)
{
	int64_t now_ms = monotonic_ms(schedule);

	if (appointments_check(schedule, err) < 0)
		return -1;
	if ((schedule->run || schedule->next_at <= now_of(schedule)) &&
	    take_slice(schedule, err) < 0)
		return -1;
	*ret_look_ms = INT64_MAX;
	if (schedule->run)
		*ret_look_ms = now_ms;
	else if (schedule->next_at < INT64_MAX)
		*ret_look_ms = now_ms + (schedule->next_at - now_of(schedule)) *
		                                MS_PER_SEC;
	return 0;
}

void schedule_wake(struct schedule *schedule)
{
	int64_t now = now_of(schedule);

	for (size_t i = 0; i < schedule->n; i++) {
		struct appointment *item = &schedule->items[i];

		if (item->at > now && item->at <= now + WAIT_LOOK_SEC &&
		    item->due_day > item->done_day)
			item->at = now;
	}
	appointments_find_next(schedule);
}

bool schedule_next(const struct schedule *schedule, int64_t *ret_at,
                   size_t *ret_n)
{
	*ret_at = schedule->next_at;
	*ret_n = 0;
	for (size_t i = 0; i < schedule->n; i++)
		*ret_n += schedule->items[i].at == schedule->next_at;
	return schedule->next_at < INT64_MAX;
}
