#include "model/day.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/num.h"

#define SECONDS_PER_DAY 86400
#define EPOCH_JULIAN 719163U /* 1970-01-01 as GLib counts: 0001-01-01 is 1 */

struct day_date day_date(int32_t day)
{
	GDate date;

	g_date_clear(&date, 1);
	g_date_set_julian(&date, (guint32)(day + (int32_t)EPOCH_JULIAN));
	return (struct day_date){
		g_date_get_year(&date),
		(int)g_date_get_month(&date),
		g_date_get_day(&date),
		(int)g_date_get_weekday(&date) - 1,
	};
}

int32_t day_from_date(int year, int month, int day)
{
	GDate date;

	g_date_clear(&date, 1);
	g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month,
	               (GDateYear)year);
	return (int32_t)g_date_get_julian(&date) - (int32_t)EPOCH_JULIAN;
}

bool day_parse(struct span text, int32_t *ret_day)
{
	uint64_t year;
	uint64_t month;
	uint64_t day;

	if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-' ||
	    !num_parse(span_first(text, 4), 1970, 9999, &year) ||
	    !num_parse(span_first(span_skip(text, 5), 2), 1, 12, &month) ||
	    !num_parse(span_skip(text, 8), 1, 31, &day) ||
	    !g_date_valid_dmy((GDateDay)day, (GDateMonth)month,
	                      (GDateYear)year))
		return false;
	*ret_day = day_from_date((int)year, (int)month, (int)day);
	return true;
}

const char *day_format(int32_t day, char text[DAY_TEXT_SIZE])
{
	struct day_date date = day_date(day);

	snprintf(text, DAY_TEXT_SIZE, "%04d-%02d-%02d", date.year, date.month,
	         date.day);
	return text;
}

/* GLib also reads "CET+1", in which + is west: a trap, not a name. */
static bool is_posix_rule(const char *name)
{
	const char *sign = strpbrk(name, "+-");

	return sign && sign[1] >= '0' && sign[1] <= '9' &&
	       strncmp(name, "Etc/", 4) != 0;
}

/* A GTimeZone under our own name. */
struct zone *zone_open(const char *name)
{
	if (is_posix_rule(name))
		return NULL;
	return (struct zone *)g_time_zone_new_identifier(name);
}

static GTimeZone *tz_of(const struct zone *zone)
{
	return (GTimeZone *)(uintptr_t)zone;
}

void zone_close(struct zone *zone)
{
	if (zone)
		g_time_zone_unref(tz_of(zone));
}

int32_t zone_offset(const struct zone *zone, int64_t at)
{
	GTimeZone *tz = tz_of(zone);
	int interval = g_time_zone_find_interval(tz, G_TIME_TYPE_UNIVERSAL, at);

	return g_time_zone_get_offset(tz, interval);
}

/* Rounds down, also before 1970. */
static int64_t floor_day(int64_t local)
{
	int64_t day = local / SECONDS_PER_DAY;

	return local % SECONDS_PER_DAY < 0 ? day - 1 : day;
}

int32_t zone_day(const struct zone *zone, int64_t at)
{
	return (int32_t)floor_day(at + zone_offset(zone, at));
}

int32_t zone_second(const struct zone *zone, int64_t at)
{
	int64_t local = at + zone_offset(zone, at);

	return (int32_t)(local - floor_day(local) * SECONDS_PER_DAY);
}

/* The first instant in (from, to] that has the offset of `to`. */
static int64_t find_change(const struct zone *zone, int64_t from, int64_t to)
{
	int32_t offset = zone_offset(zone, to);

	while (to - from > 1) {
		int64_t middle = from + (to - from) / 2;

		if (zone_offset(zone, middle) == offset)
			to = middle;
		else
			from = middle;
	}
	return to;
}

/*
 * Read with the offset of the day before and with that of the day after, a
 * local time is right with one of them, or both (then the former is earlier),
 * or it is in a gap between them.
 */
enum zone_instant zone_instant(const struct zone *zone, int32_t day, int minute,
                               int64_t *ret_at)
{
	int64_t local = (int64_t)day * SECONDS_PER_DAY + minute * 60;
	int32_t before = zone_offset(zone, local - 2 * SECONDS_PER_DAY);
	int32_t after = zone_offset(zone, local + 2 * SECONDS_PER_DAY);
	int64_t at = local - before;

	if (zone_offset(zone, at) != before) {
		at = local - after;
		if (zone_offset(zone, at) != after)
			at = find_change(zone, local - after, local - before);
	}
	if (zone_day(zone, at) != day)
		return ZONE_NO_SUCH_DAY;
	*ret_at = at;
	return ZONE_INSTANT;
}
