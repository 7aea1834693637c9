/* Digests that leave before arXiv's batch of the day comes. */

#include <inttypes.h>

#include "base/mem.h"
#include "conf_private.h"
#include "model/day.h"

#define MIN_PER_HOUR 60
#define MON (1U << 0)
#define SAT (1U << 5)
/* Of a batch that has come, some time until all feeds are read. */
#define ROUND_UP_MIN 30

/* A day of each half of the year, for summer time. */
#define WINTER 20468 /* 2026-01-15 */
#define SUMMER 20649 /* 2026-07-15 */

/*
 * When in the zone's day the batch of that day comes, in minutes; 0 where it
 * has come on the day before, as it does west of New York.
 */
static uint32_t batch_minute(const struct zone *zone, uint32_t poll_from_min,
                             int32_t day)
{
	owned(zone) struct zone *new_york = zone_open(DAY_NEW_YORK);
	int64_t at;

	if (!new_york ||
	    zone_instant(new_york, day, (int)poll_from_min, &at) !=
	            ZONE_INSTANT ||
	    zone_day(zone, at) < day)
		return 0;
	return (uint32_t)zone_second(zone, at) / MIN_PER_HOUR;
}

static uint32_t latest_batch(const struct conf *conf, const char *timezone)
{
	owned(zone) struct zone *zone = zone_open(timezone);
	uint32_t winter;
	uint32_t summer;

	if (!zone)
		return 0;
	winter = batch_minute(zone, conf->feeds.poll_from_min, WINTER);
	summer = batch_minute(zone, conf->feeds.poll_from_min, SUMMER);
	return winter > summer ? winter : summer;
}

/* Who leaves Monday out and has Saturday knows it. */
static bool is_meant(const struct subscriber *subscriber)
{
	return !(subscriber->days & MON) && (subscriber->days & SAT);
}

static char *describe(const struct subscriber *subscriber, uint32_t batch)
{
	uint32_t later = (batch / ROUND_UP_MIN + 1) * ROUND_UP_MIN;

	return mem_printf(
		"send_at %02" PRIu32 ":%02" PRIu32
		" in %s is before arXiv's batch of the day, which comes at "
		"%02" PRIu32 ":%02" PRIu32
		" there: each digest has the batch of the day before; "
		"write send_at = \"%02" PRIu32 ":%02" PRIu32
		"\", or days = \"tue-sat\"",
		subscriber->send_at_min / MIN_PER_HOUR,
		subscriber->send_at_min % MIN_PER_HOUR, subscriber->timezone,
		batch / MIN_PER_HOUR, batch % MIN_PER_HOUR,
		later / MIN_PER_HOUR, later % MIN_PER_HOUR);
}

void conf_warn_of_times(struct conf_loader *loader)
{
	const struct conf *conf = loader->conf;
	owned(strings) struct strings said = {0};

	for (size_t i = 0; i < conf->n_subscribers; i++) {
		const struct subscriber *subscriber = conf->subscribers[i];
		uint32_t batch = latest_batch(conf, subscriber->timezone);
		owned(mem) char *text = NULL;

		if (subscriber->send_at_min >= batch || is_meant(subscriber))
			continue;
		text = describe(subscriber, batch);
		if (strings_has(&said, text))
			continue;
		strings_add(&said, span_of(text));
		conf_problems_add(&loader->warnings, loader->places[i],
		                  "subscriber %s: %s", subscriber->id, text);
	}
}
