#include "base/span.h"
#include "recover_private.h"

/*
 * arXiv's days, info.arxiv.org/help/availability.html: what is submitted until
 * 14:00 in New York is announced at 20:00 and in the feed of the next day;
 * nothing is announced on Fridays and Saturdays.
 */
#define DEADLINE_SEC (14 * 3600)
#define FRIDAY 4

/* Papers that wait for a weekend, or for a moderator. */
#define EARLIER_DAYS 4

/* ---- gaps ---- */

bool gap_init(struct gap *ret_gap, int32_t since_day, uint32_t days)
{
	struct gap gap = {.known_since = INT32_MIN};
	bool found = false;

	for (int32_t i = 0; i < LIMIT_RECOVER_DAYS; i++) {
		int32_t day = since_day + i;

		if (!(days >> i & 1) || day_date(day).weekday > FRIDAY)
			continue;
		if (!found)
			gap.first_day = day;
		found = true;
		gap.last_day = day;
		gap.missed[day - gap.first_day] = true;
	}
	if (found)
		*ret_gap = gap;
	return found;
}

bool gap_find_day(const struct gap *gap, const struct zone *new_york,
                  int64_t at, int32_t *ret_day)
{
	int32_t day = recover_day(new_york, at);

	if (zone_day(new_york, at) < gap->first_day - EARLIER_DAYS ||
	    day < gap->known_since || day > gap->last_day)
		return false;
	if (day < gap->first_day)
		day = gap->first_day;
	while (!gap->missed[day - gap->first_day])
		day++;
	*ret_day = day;
	return true;
}

/* ---- what a feed would have said ---- */

int32_t recover_day(const struct zone *new_york, int64_t at)
{
	int32_t day = zone_day(new_york, at);
	int weekday;

	if (zone_second(new_york, at) >= DEADLINE_SEC)
		day++;
	weekday = day_date(day).weekday;
	if (weekday > FRIDAY) /* with Monday's, on Tuesday */
		return day + (7 - weekday) + 1;
	return weekday == FRIDAY ? day + 3 : day + 1;
}

/* Aliases, arxiv.org/category_taxonomy: one is announced as the other. */
static bool is_alias(struct span a, struct span b)
{
	static const char *const pairs[][2] = {
		{"cs.IT", "math.IT"},   {"cs.NA", "math.NA"},
		{"cs.SY", "eess.SY"},   {"econ.GN", "q-fin.EC"},
		{"math-ph", "math.MP"}, {"math.ST", "stat.TH"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if ((span_is(a, pairs[i][0]) && span_is(b, pairs[i][1])) ||
		    (span_is(a, pairs[i][1]) && span_is(b, pairs[i][0])))
			return true;
	return false;
}

static bool is_part(struct span category, struct span archive)
{
	return category.len > archive.len && category.ptr[archive.len] == '.' &&
	       span_equal(span_first(category, archive.len), archive);
}

enum announce_type recover_type(const char *category, const struct paper *paper)
{
	struct span asked = span_of(category);
	struct span primary;

	if (paper->categories.n == 0)
		return ANNOUNCE_CROSS;
	primary = span_of(paper->categories.items[0]);
	return span_equal(primary, asked) || is_alias(primary, asked) ||
	                       is_part(primary, asked)
	               ? ANNOUNCE_NEW
	               : ANNOUNCE_CROSS;
}

int64_t recover_back_off_sec(unsigned n_failed, int64_t first_sec,
                             int64_t most_sec)
{
	int64_t wait_sec = first_sec;

	for (unsigned i = 1; i < n_failed && wait_sec < most_sec; i++)
		wait_sec *= 2;
	return wait_sec < most_sec ? wait_sec : most_sec;
}
