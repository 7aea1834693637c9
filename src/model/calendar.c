#include "model/calendar.h"

#include <stdlib.h>

#include "base/embed.h"
#include "base/mem.h"
#include "model/day.h"

EMBED(holidays, "etc/holidays");

#define SATURDAY 5

void calendar_fini(struct calendar *calendar)
{
	free(calendar->items);
	*calendar = (struct calendar){0};
}

static int compare_days(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a;
	int32_t right = *(const int32_t *)b;

	return left < right ? -1 : left > right;
}

static void add(struct calendar *calendar, int32_t day)
{
	calendar->items = mem_grow(calendar->items, &calendar->capacity,
	                           calendar->n + 1, sizeof(*calendar->items));
	calendar->items[calendar->n++] = day;
}

int calendar_parse(struct calendar *ret_calendar, struct span text,
                   struct error *err)
{
	struct calendar calendar = {0};
	struct span line;

	for (unsigned number = 1; span_split(&text, '\n', &line); number++) {
		int32_t day;

		line = span_trim(span_first(line, span_find(line, "#")));
		if (line.len == 0)
			continue;
		if (!day_parse(line, &day)) {
			calendar_fini(&calendar);
			return error_set(err, ERROR_SYNTAX,
			                 "%u: '%.*s' is not a date like "
			                 "2026-12-25",
			                 number, (int)line.len, line.ptr);
		}
		add(&calendar, day);
	}
	if (calendar.n > 0)
		qsort(calendar.items, calendar.n, sizeof(*calendar.items),
		      compare_days);
	*ret_calendar = calendar;
	return 0;
}

void calendar_init(struct calendar *ret_calendar)
{
	struct error err;

	if (calendar_parse(ret_calendar, EMBEDDED(holidays), &err) < 0)
		abort();
}

static bool is_holiday(const struct calendar *calendar, int32_t day)
{
	return calendar->n > 0 && bsearch(&day, calendar->items, calendar->n,
	                                  sizeof(day), compare_days);
}

bool calendar_has_batch(const struct calendar *calendar, int32_t day)
{
	return day_date(day).weekday < SATURDAY && !is_holiday(calendar, day) &&
	       !is_holiday(calendar, day - 1);
}
