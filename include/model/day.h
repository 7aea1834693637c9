#pragma once

/*
 * Days and time zones. A day is a calendar date as days since 1970-01-01
 * (int32_t), whatever the zone; it has no time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/owned.h"
#include "base/span.h"

#define DAY_NEW_YORK "America/New_York" /* where arXiv's days are counted */
#define DAY_TEXT_SIZE 16

struct day_date {
	int year;
	int month;   /* 1 to 12 */
	int day;     /* 1 to 31 */
	int weekday; /* 0 is Monday */
};

struct day_date day_date(int32_t day);
int32_t day_from_date(int year, int month, int day);

/* "2026-09-22", from year 1970 to 9999; false if it is not a date. */
bool day_parse(struct span text, int32_t *ret_day);
/* Writes "2026-09-22" and returns `text`. */
const char *day_format(int32_t day, char text[DAY_TEXT_SIZE]);

/* A time zone by its IANA name; GLib's GTimeZone underneath. */
struct zone;

/* NULL if there is no such zone. */
struct zone *zone_open(const char *name);
void zone_close(struct zone *zone);

OWNED_DEFINE(zone, struct zone, zone_close);

/* The zone's date at an instant (Unix seconds). */
int32_t zone_day(const struct zone *zone, int64_t at);
/* The zone's time of day at an instant, in seconds since local midnight. */
int32_t zone_second(const struct zone *zone, int64_t at);
/* The zone's offset from UTC at an instant, in seconds. */
int32_t zone_offset(const struct zone *zone, int64_t at);

enum zone_instant {
	ZONE_INSTANT = 0,
	ZONE_NO_SUCH_DAY = 1, /* the zone has skipped the whole day */
};

/*
 * When the zone's clock shows `minute` (after midnight) of `day`: the first
 * time if it does so twice, the end of the gap if it never does.
 */
enum zone_instant zone_instant(const struct zone *zone, int32_t day, int minute,
                               int64_t *ret_at);
