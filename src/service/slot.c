#include "model/day.h"
#include "service/schedule.h"

/* Every slot lies within a week; gaps and paused weeks add to it. */
#define SEARCH_DAYS 14

static bool is_slot(const struct subscriber *subscriber,
                    const struct zone *zone, int32_t day, int64_t *ret_at)
{
	return (subscriber->days >> day_date(day).weekday & 1) &&
	       zone_instant(zone, day, (int)subscriber->send_at_min, ret_at) ==
	               ZONE_INSTANT;
}

enum slot slot_last(const struct subscriber *subscriber,
                    const struct zone *zone, int64_t at, int32_t *ret_day,
                    int64_t *ret_at)
{
	int32_t today = zone_day(zone, at);

	for (int32_t day = today; day > today - SEARCH_DAYS; day--) {
		int64_t slot_at;

		if (!is_slot(subscriber, zone, day, &slot_at) || slot_at > at)
			continue;
		*ret_day = day;
		*ret_at = slot_at;
		return SLOT_FOUND;
	}
	return SLOT_NONE;
}

enum slot slot_next(const struct subscriber *subscriber,
                    const struct zone *zone, int64_t at, int32_t *ret_day,
                    int64_t *ret_at)
{
	int32_t today = zone_day(zone, at);

	for (int32_t day = today; day < today + SEARCH_DAYS; day++) {
		int64_t slot_at;

		if (!is_slot(subscriber, zone, day, &slot_at) || slot_at <= at)
			continue;
		*ret_day = day;
		*ret_at = slot_at;
		return SLOT_FOUND;
	}
	return SLOT_NONE;
}
