#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/category.h"
#include "model/day.h"
#include "model/digest.h"
#include "model/paper.h"
#include "model/subscriber.h"

static void takes_ids_apart(void **state)
{
	static const struct {
		const char *text;
		const char *id; /* NULL: not one */
		uint32_t version;
	} cases[] = {
		{"2403.17887", "2403.17887", 0},
		{"2403.17887v1", "2403.17887", 1},
		{"0704.0001v12", "0704.0001", 12},
		{"hep-th/9901001", "hep-th/9901001", 0},
		{"hep-th/9901001v3", "hep-th/9901001", 3},
		{"math.GT/0309136", "math.GT/0309136", 0},
		{"cond-mat/0102536v1", "cond-mat/0102536", 1},
		{"", NULL, 0},
		{"2403.178", NULL, 0},
		{"2403.178877", NULL, 0},
		{"24031.7887", NULL, 0},
		{"2403.17887v", NULL, 0},
		{"2403.17887v0", NULL, 0},
		{"2403.17887v1000", NULL, 0},
		{"2403.17887v1x", NULL, 0},
		{"2403.17887 ", NULL, 0},
		{"hep-th/990100", NULL, 0},
		{"hep-th/99010011", NULL, 0},
		{"math.gt/0309136", NULL, 0},
		{"/9901001", NULL, 0},
		{"-th/9901001", NULL, 0},
		{"2403.17887/../../x", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct span id = SPAN_NONE;
		uint32_t version = 0;
		bool ok = paper_parse_id(span_of(cases[i].text), &id, &version);

		assert_int_equal(ok, cases[i].id != NULL);
		if (!ok)
			continue;
		assert_true(span_is(id, cases[i].id));
		assert_int_equal(version, cases[i].version);
	}
}

static void names_types_as_arxiv_does(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ANNOUNCE_TYPES; i++) {
		enum announce_type type = ANNOUNCE_TYPES;

		assert_true(announce_type_parse(
			span_of(announce_type_name((enum announce_type)i)),
			&type));
		assert_int_equal(type, i);
	}
	assert_string_equal(announce_type_name(ANNOUNCE_REPLACE_CROSS),
	                    "replace-cross");
}

static void knows_arxivs_categories(void **state)
{
	static const struct {
		const char *pattern;
		bool valid;
	} cases[] = {
		{"cs.CL", true},    {"hep-th", true},     {"stat", true},
		{"math.*", true},   {"cond-mat.*", true}, {"math-ph", true},
		{"cs.cl", false},   {"cs.IA", false},     {"*", false},
		{"cs.", false},     {"hep-th.*", false},  {"", false},
		{"bogus.*", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(
			category_pattern_valid(span_of(cases[i].pattern)),
			cases[i].valid);
	assert_true(span_is(category_find(span_of("cs.CL"))->name,
	                    "Computation and Language"));
}

static void matches_archives_by_their_parts(void **state)
{
	(void)state;
	assert_true(category_matches(span_of("cs.*"), span_of("cs.CL")));
	assert_true(category_matches(span_of("cs.CL"), span_of("cs.CL")));
	assert_false(category_matches(span_of("cs.*"), span_of("cs")));
	assert_false(category_matches(span_of("cs.*"), span_of("cs.")));
	assert_false(category_matches(span_of("math.*"), span_of("math-ph")));
	assert_false(category_matches(span_of("cs.CL"), span_of("cs.CLX")));
}

static void suggests_what_was_meant(void **state)
{
	assert_true(span_is(category_nearest(span_of("cs.cl")), "cs.CL"));
	assert_true(span_is(category_nearest(span_of("hepth")), "hep-th"));
	assert_true(span_is(category_nearest(span_of("quantph")), "quant-ph"));
	assert_int_equal(category_nearest(span_of("nonsense")).len, 0);
	assert_int_equal(category_nearest(span_of("")).len, 0);
	(void)state;
}

static void counts_days_from_1970(void **state)
{
	static const struct {
		const char *text;
		int32_t day;
		int weekday;
	} cases[] = {
		{"1970-01-01", 0, 3},
		{"2000-02-29", 11016, 1},
		{"2026-11-22", 20779, 6},
		{"9999-12-31", 2932896, 4},
	};
	char text[DAY_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int32_t day = -1;

		assert_true(day_parse(span_of(cases[i].text), &day));
		assert_int_equal(day, cases[i].day);
		assert_string_equal(day_format(day, text), cases[i].text);
		assert_int_equal(day_date(day).weekday, cases[i].weekday);
	}
}

static void refuses_dates_that_do_not_exist(void **state)
{
	static const char *const cases[] = {
		"2026-02-29", "2026-13-01", "2026-00-01", "2026-1-1",
		"2026/01/01", "26-01-01",   "",           "1969-12-31",
	};
	int32_t day;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_false(day_parse(span_of(cases[i]), &day));
}

static void tells_local_days_in_every_zone(void **state)
{
	/* 2026-03-29 00:59:59 UTC and one second later: Berlin springs. */
	static const struct {
		const char *zone;
		int64_t at;
		const char *day;
		int32_t second;
	} cases[] = {
		{"Europe/Berlin", 1774745999, "2026-03-29", 7199},
		{"Europe/Berlin", 1774746000, "2026-03-29", 10800},
		{"America/New_York", 1774745999, "2026-03-28", 75599},
		{"Asia/Kathmandu", 1774745999, "2026-03-29", 24299},
		{"UTC", -1, "1969-12-31", 86399},
	};
	char text[DAY_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(zone) struct zone *zone = zone_open(cases[i].zone);

		assert_non_null(zone);
		assert_string_equal(
			day_format(zone_day(zone, cases[i].at), text),
			cases[i].day);
		assert_int_equal(zone_second(zone, cases[i].at),
		                 cases[i].second);
	}
	assert_null(zone_open("Europe/Nowhere"));
	assert_null(zone_open("CET+1"));
	assert_null(zone_open("UTC-3"));
	assert_null(zone_open("+02:00"));
}

static void pauses_until_a_day(void **state)
{
	struct subscriber subscriber = {0};

	(void)state;
	assert_false(subscriber_paused(&subscriber, 100));
	subscriber.paused = true;
	assert_true(subscriber_paused(&subscriber, 100));
	subscriber.paused_until = 100;
	assert_true(subscriber_paused(&subscriber, 99));
	assert_false(subscriber_paused(&subscriber, 100));
}

static void a_digest_owns_its_matches(void **state)
{
	owned(digest) struct digest *digest = digest_new();

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct digest_entry *entry = digest_add(digest);

		match_add_clause(&entry->match, span_of("clause"),
		                 CLAUSE_TITLE);
		match_add_clause(&entry->match, span_of("other"),
		                 CLAUSE_AUTHOR);
		marks_add(&entry->match.title, 3, 4);
	}
	assert_int_equal(digest->n_entries, 20);
	assert_string_equal(digest->entries[19].match.clauses[1].text, "other");
}

/* Instants from zdump(8) and date(1). */
static void finds_when_a_clock_shows_a_time(void **state)
{
	static const struct {
		const char *zone;
		int year, month, day, minute;
		int64_t at; /* -1: no such day */
	} cases[] = {
		{"UTC", 2026, 9, 21, 450, 1789975800},
		{"Europe/Berlin", 2026, 9, 21, 450, 1789968600},
		/* spring: 02:30 does not exist, 03:00 CEST is 01:00 UTC */
		{"Europe/Berlin", 2026, 3, 29, 150, 1774746000},
		{"Europe/Berlin", 2026, 3, 29, 180, 1774746000},
		{"Europe/Berlin", 2026, 3, 29, 119, 1774745940},
		/* autumn: 02:30 comes twice, first as 00:30 UTC */
		{"Europe/Berlin", 2026, 10, 25, 150, 1792888200},
		{"America/New_York", 2026, 11, 1, 90, 1793511000},
		/* half an hour of daylight saving: 02:15 is in the gap */
		{"Australia/Lord_Howe", 2026, 10, 4, 135, 1791041400},
		{"Asia/Kathmandu", 2026, 1, 1, 0, 1767204900},
		{"Pacific/Chatham", 2026, 4, 5, 180, 1775308500},
		{"Pacific/Apia", 2011, 12, 30, 450, -1},
		{"Pacific/Apia", 2011, 12, 31, 0, 1325239200},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(zone) struct zone *zone = zone_open(cases[i].zone);
		int32_t day = day_from_date(cases[i].year, cases[i].month,
		                            cases[i].day);
		int64_t at = -1;

		assert_int_equal(zone_instant(zone, day, cases[i].minute, &at),
		                 cases[i].at < 0 ? ZONE_NO_SUCH_DAY
		                                 : ZONE_INSTANT);
		if (at != cases[i].at)
			fail_msg("case %zu: %lld", i, (long long)at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_ids_apart),
		cmocka_unit_test(finds_when_a_clock_shows_a_time),
		cmocka_unit_test(names_types_as_arxiv_does),
		cmocka_unit_test(knows_arxivs_categories),
		cmocka_unit_test(matches_archives_by_their_parts),
		cmocka_unit_test(suggests_what_was_meant),
		cmocka_unit_test(counts_days_from_1970),
		cmocka_unit_test(refuses_dates_that_do_not_exist),
		cmocka_unit_test(tells_local_days_in_every_zone),
		cmocka_unit_test(pauses_until_a_day),
		cmocka_unit_test(a_digest_owns_its_matches),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
