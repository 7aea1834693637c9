/* When which feed is asked. */

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "model/calendar.h"
#include "model/day.h"
#include "poll_private.h"

#define MS_PER_SEC 1000
#define SEC_PER_MIN 60
#define JITTER_PERCENT 10
/* After a failure: doubled each time, up to the usual interval. */
#define BACK_OFF_FIRST_SEC 120
/* The wall clock was set back if it is behind by so much. */
#define JUMP_SEC 3
/* Days without this program that get an outcome afterwards. */
#define LOOK_BACK_DAYS 14

struct feed_plan {
	char *category;
	int64_t at; /* Unix seconds */
	unsigned n_failed;
	bool is_asked; /* its answer is awaited */
};

struct poller {
	struct poll poll;
	struct service_poll_events events;
	struct feed_plan *plans;
	size_t n;
	int64_t seen_at; /* both clocks when they were last compared */
	int64_t seen_ms;
	void (*brought)(void *ctx);
	void *ctx;
};

static int64_t now_of(const struct poller *poller)
{
	return clock_now_sec(&poller->poll.service->world->clock);
}

static const struct feed_options *options_of(const struct poller *poller)
{
	return &poller->poll.service->conf->feeds;
}

static uint32_t jitter(uint32_t sec)
{
	return random_below(sec * JITTER_PERCENT / 100 + 1);
}

/* ---- when ---- */

/* The next time that the polls of a day begin. */
static int64_t next_begin(const struct poller *poller, int64_t after)
{
	int minute = (int)options_of(poller)->poll_from_min;
	int32_t day = zone_day(poller->poll.new_york, after);
	int64_t at = after;

	while (at <= after) {
		if (zone_instant(poller->poll.new_york, day++, minute, &at) !=
		    ZONE_INSTANT)
			at = after;
	}
	return at;
}

static bool is_open_at(const struct poller *poller, int64_t at)
{
	uint32_t minute =
		(uint32_t)zone_second(poller->poll.new_york, at) / SEC_PER_MIN;

	return minute >= options_of(poller)->poll_from_min &&
	       minute < options_of(poller)->poll_until_min;
}

static void plan(struct poller *poller, struct feed_plan *item, int64_t at)
{
	item->at = is_open_at(poller, at) ? at
	                                  : next_begin(poller, now_of(poller));
}

static int64_t back_off_sec(const struct poller *poller,
                            const struct feed_plan *item)
{
	int64_t most =
		(int64_t)options_of(poller)->poll_every_min * SEC_PER_MIN;
	int64_t wait = BACK_OFF_FIRST_SEC;

	for (unsigned i = 1; i < item->n_failed && wait < most; i++)
		wait *= 2;
	return wait < most ? wait : most;
}

/* An empty feed is the day's last word where nothing was to be expected. */
static bool is_settled(const struct poller *poller, enum outcome outcome)
{
	const struct conf *conf = poller->poll.service->conf;
	int32_t today = zone_day(poller->poll.new_york, now_of(poller));

	return outcome == OUTCOME_NO_ANNOUNCEMENT &&
	       !calendar_has_batch(&conf->holidays, today);
}

static struct feed_plan *find_plan(const struct poller *poller,
                                   const char *category)
{
	for (size_t i = 0; i < poller->n; i++)
		if (!strcmp(poller->plans[i].category, category))
			return &poller->plans[i];
	return NULL;
}

static void on_result(void *ctx, const struct service_poll_result *result)
{
	struct poller *poller = ctx;
	struct feed_plan *item = find_plan(poller, result->category);
	int64_t now = now_of(poller);
	int64_t wait =
		(int64_t)options_of(poller)->poll_every_min * SEC_PER_MIN;

	poll_log(result);
	if (!item)
		return;
	item->is_asked = false;
	if (result->outcome == OUTCOME_UNREACHABLE ||
	    result->outcome == OUTCOME_INVALID) {
		item->n_failed++;
		wait = back_off_sec(poller, item);
	} else {
		item->n_failed = 0;
	}
	if (wait < result->retry_after_sec)
		wait = result->retry_after_sec;
	if (is_settled(poller, result->outcome))
		item->at = next_begin(poller, now);
	else
		plan(poller, item, now + wait + jitter((uint32_t)wait));
	if (poller->brought)
		poller->brought(poller->ctx);
}

/* ---- its life ---- */

/* Since it was polled last; never before the first time. */
static int note_days_off(const struct poller *poller, const char *category,
                         struct error *err)
{
	const struct service *service = poller->poll.service;
	int32_t today = zone_day(poller->poll.new_york, now_of(poller));
	struct store_feed feed = {0};
	int32_t first;

	if (store_get_feed(service->store, category, &feed, err) < 0)
		return -1;
	first = zone_day(poller->poll.new_york, feed.polled_at) + 1;
	if (feed.polled_at == 0)
		first = today;
	store_feed_fini(&feed);
	if (first < today - LOOK_BACK_DAYS)
		first = today - LOOK_BACK_DAYS;
	for (int32_t day = first; day < today; day++)
		if (poll_note_day_off(service, category, day, err) < 0)
			return -1;
	return 0;
}

/* At the start: at once if today has no outcome yet, whatever the hour. */
static int begin_plan(struct poller *poller, struct feed_plan *item,
                      struct error *err)
{
	const struct service *service = poller->poll.service;
	int64_t now = now_of(poller);
	const struct store_day key = {OUTCOME_OF_CATEGORY, item->category,
	                              zone_day(poller->poll.new_york, now)};
	enum outcome had;
	int found = store_get_outcome(service->store, &key, &had, err);

	if (found < 0 || note_days_off(poller, item->category, err) < 0)
		return -1;
	item->at = now;
	if (found == STORE_FOUND && !is_open_at(poller, now))
		item->at = next_begin(poller, now);
	return 0;
}

int poller_open(struct poller **ret_poller, struct service *service,
                void (*brought)(void *ctx), void *ctx, struct error *err)
{
	owned(poller) struct poller *poller = mem_new(sizeof(*poller));
	owned(strings) struct strings categories = {0};

	poller->seen_at = clock_now_sec(&service->world->clock);
	poller->seen_ms = clock_monotonic_ms(&service->world->clock);
	poller->brought = brought;
	poller->ctx = ctx;
	poller->events = (struct service_poll_events){on_result, poller};
	if (poll_open(&poller->poll, service, &poller->events, err) < 0)
		return -1;
	service_categories(service->conf, NULL, &categories);
	poller->plans = mem_array(categories.n, sizeof(*poller->plans));
	for (; poller->n < categories.n; poller->n++) {
		struct feed_plan *item = &poller->plans[poller->n];

		item->category = mem_dup(categories.items[poller->n]);
		if (begin_plan(poller, item, err) < 0) {
			free(item->category);
			return -1;
		}
	}
	*ret_poller = take_ptr(poller);
	return 0;
}

void poller_close(struct poller *poller)
{
	if (!poller)
		return;
	for (size_t i = 0; i < poller->n; i++)
		free(poller->plans[i].category);
	free(poller->plans);
	poll_close(&poller->poll);
	free(poller);
}

/* ---- turns ---- */

static int start(struct poller *poller, struct feed_plan *item,
                 struct error *err)
{
	if (note_days_off(poller, item->category, err) < 0 ||
	    poll_start(&poller->poll, item->category, err) < 0)
		return -1;
	item->is_asked = true;
	return 0;
}

/* Answers that the store did not take: those feeds are asked again. */
static int take_failure(struct poller *poller, struct error *err)
{
	struct strings *unheard = &poller->poll.unheard;

	if (!poller->poll.failed)
		return 0;
	for (size_t i = 0; i < unheard->n; i++) {
		struct feed_plan *item = find_plan(poller, unheard->items[i]);

		if (!item)
			continue;
		item->is_asked = false;
		item->at = now_of(poller) + BACK_OFF_FIRST_SEC;
	}
	strings_fini(unheard);
	poller->poll.failed = false;
	*err = poller->poll.error;
	return -1;
}

/*
 * The clock was set back: polls come as soon as they were to; those that were
 * for another day, now.
 */
static void follow_clock(struct poller *poller, int64_t now, int64_t now_ms)
{
	int64_t back = (now_ms - poller->seen_ms) / MS_PER_SEC -
	               (now - poller->seen_at);

	poller->seen_at = now;
	poller->seen_ms = now_ms;
	for (size_t i = 0; back > JUMP_SEC && i < poller->n; i++) {
		struct feed_plan *item = &poller->plans[i];

		item->at -= back;
		if (!is_open_at(poller, item->at))
			plan(poller, item, now);
	}
}

int poller_turn(struct poller *poller, int64_t *ret_look_ms, struct error *err)
{
	int64_t now = now_of(poller);
	int64_t now_ms =
		clock_monotonic_ms(&poller->poll.service->world->clock);

	*ret_look_ms = INT64_MAX;
	follow_clock(poller, now, now_ms);
	service_poll_results_fini(&poller->poll.results);
	if (take_failure(poller, err) < 0)
		return -1;
	for (size_t i = 0; i < poller->n; i++) {
		struct feed_plan *item = &poller->plans[i];

		if (!item->is_asked && item->at <= now &&
		    start(poller, item, err) < 0)
			return -1;
		if (!item->is_asked &&
		    now_ms + (item->at - now) * MS_PER_SEC < *ret_look_ms)
			*ret_look_ms = now_ms + (item->at - now) * MS_PER_SEC;
	}
	return 0;
}

bool poller_is_idle(const struct poller *poller)
{
	return poller->poll.n_pending == 0;
}

int64_t poller_next_at(const struct poller *poller)
{
	int64_t at = INT64_MAX;

	for (size_t i = 0; i < poller->n; i++)
		if (!poller->plans[i].is_asked && poller->plans[i].at < at)
			at = poller->plans[i].at;
	return at;
}
