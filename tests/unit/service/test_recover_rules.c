#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../src/service/recover_private.h"

#define N_OF(list) (sizeof(list) / sizeof((list)[0]))

static int32_t day_of(const char *text)
{
	int32_t day = 0;

	assert_true(day_parse(span_of(text), &day));
	return day;
}

/* Of a New York wall clock. */
static int64_t instant(const struct zone *new_york, const char *day, int minute)
{
	int64_t at = 0;

	assert_int_equal(zone_instant(new_york, day_of(day), minute, &at),
	                 ZONE_INSTANT);
	return at;
}

#define BEFORE (14 * 60 - 1)
#define AT (14 * 60)

/* As in arXiv's table, info.arxiv.org/help/availability.html. */
static void knows_the_day_of_a_submission(void **state)
{
	static const struct {
		const char *submitted;
		int minute;
		const char *day;
	} cases[] = {
		{"2026-09-14", BEFORE, "2026-09-15"}, /* Monday */
		{"2026-09-14", AT, "2026-09-16"},
		{"2026-09-17", BEFORE, "2026-09-18"}, /* Thursday */
		{"2026-09-17", AT, "2026-09-21"},     /* on Sunday evening */
		{"2026-09-18", BEFORE, "2026-09-21"},
		{"2026-09-18", AT, "2026-09-22"}, /* with Monday's */
		{"2026-09-19", BEFORE, "2026-09-22"},
		{"2026-09-20", AT, "2026-09-22"},
		{"2026-09-21", BEFORE, "2026-09-22"},
		/* In the nights in which the clocks are set. */
		{"2026-03-08", AT, "2026-03-10"},
		{"2026-11-01", BEFORE, "2026-11-03"},
	};
	owned(zone) struct zone *new_york = zone_open(DAY_NEW_YORK);

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		assert_int_equal(
			recover_day(new_york,
		                    instant(new_york, cases[i].submitted,
		                            cases[i].minute)),
			day_of(cases[i].day));
}

static void finds_the_days_of_a_gap(void **state)
{
	/* From Wednesday, 2026-09-09, on. */
	static const struct {
		uint32_t days;
		const char *first;
		const char *last;
		size_t n;
	} cases[] = {
		{1U << 0, "2026-09-09", "2026-09-09", 1},
		{1U << 13, "2026-09-22", "2026-09-22", 1},
		{1U << 1 | 1U << 6, "2026-09-10", "2026-09-15", 2},
		{0x3FFF, "2026-09-09", "2026-09-22", 10},
		/* Days that would be today or later are not counted. */
		{1U << 0 | 1U << 14, "2026-09-09", "2026-09-09", 1},
		/* From Friday to Monday, over a weekend. */
		{0xFU << 2, "2026-09-11", "2026-09-14", 2},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct gap gap;
		size_t n = 0;

		assert_true(
			gap_init(&gap, day_of("2026-09-09"), cases[i].days));
		assert_int_equal(gap.first_day, day_of(cases[i].first));
		assert_int_equal(gap.last_day, day_of(cases[i].last));
		for (size_t j = 0; j < LIMIT_RECOVER_DAYS; j++)
			n += gap.missed[j];
		assert_int_equal(n, cases[i].n);
	}
}

static void needs_no_batch_of_a_weekend(void **state)
{
	struct gap gap;

	(void)state;
	assert_false(gap_init(&gap, day_of("2026-09-19"), 3));
	assert_false(gap_init(&gap, day_of("2026-09-09"), 0));
}

/* Missed are Wednesday the 16th and Friday the 18th. */
static void gives_papers_to_the_days_that_missed_them(void **state)
{
	static const struct {
		const char *submitted;
		int minute;
		const char *known_since;
		const char *day; /* NULL: none */
	} cases[] = {
		{"2026-09-15", BEFORE, "2026-01-01", "2026-09-16"},
		{"2026-09-15", AT, "2026-01-01", "2026-09-18"}, /* Thursday's */
		{"2026-09-16", AT, "2026-01-01", "2026-09-18"},
		{"2026-09-17", BEFORE, "2026-01-01", "2026-09-18"},
		{"2026-09-17", AT, "2026-01-01", NULL}, /* Monday's feed */
		{"2026-09-12", 0, "2026-01-01", "2026-09-16"},
		{"2026-09-11", 1439, "2026-01-01", NULL},
		/* On days before the first one we never asked. */
		{"2026-09-14", BEFORE, "2026-09-15", "2026-09-16"},
		{"2026-09-14", BEFORE, "2026-09-16", NULL},
		{"2026-09-15", BEFORE, "2026-09-16", "2026-09-16"},
	};
	owned(zone) struct zone *new_york = zone_open(DAY_NEW_YORK);
	struct gap gap;

	(void)state;
	assert_true(gap_init(&gap, day_of("2026-09-16"), 5));
	for (size_t i = 0; i < N_OF(cases); i++) {
		int32_t day = 0;

		print_message("case %zu\n", i);
		gap.known_since = day_of(cases[i].known_since);
		assert_int_equal(
			gap_find_day(&gap, new_york,
		                     instant(new_york, cases[i].submitted,
		                             cases[i].minute),
		                     &day),
			cases[i].day != NULL);
		if (cases[i].day)
			assert_int_equal(day, day_of(cases[i].day));
	}
}

static void tells_new_papers_from_cross_lists(void **state)
{
	static const struct {
		const char *asked;
		const char *primary;
		enum announce_type type;
	} cases[] = {
		{"cs.CL", "cs.CL", ANNOUNCE_NEW},
		{"cs.CL", "cs.LG", ANNOUNCE_CROSS},
		{"cs", "cs.LG", ANNOUNCE_NEW},
		{"cs", "csx.LG", ANNOUNCE_CROSS},
		{"math", "math-ph", ANNOUNCE_CROSS},
		{"hep-th", "hep-th", ANNOUNCE_NEW},
		{"math.IT", "cs.IT", ANNOUNCE_NEW},
		{"stat.TH", "math.ST", ANNOUNCE_NEW},
		{"stat.TH", "math.NA", ANNOUNCE_CROSS},
		{"cs.CL", NULL, ANNOUNCE_CROSS},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		owned(paper) struct paper *paper = paper_new();

		if (cases[i].primary)
			strings_add(&paper->categories,
			            span_of(cases[i].primary));
		strings_add(&paper->categories, span_of("stat.ML"));
		if (!cases[i].primary)
			strings_fini(&paper->categories);
		assert_int_equal(recover_type(cases[i].asked, paper),
		                 cases[i].type);
	}
}

static void rests_longer_each_time(void **state)
{
	static const struct {
		unsigned n_failed;
		int64_t sec;
	} cases[] = {{0, 5},  {1, 5},  {2, 10},         {3, 20},
	             {4, 40}, {5, 60}, {UINT32_MAX, 60}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		assert_int_equal(recover_back_off_sec(cases[i].n_failed, 5, 60),
		                 cases[i].sec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_day_of_a_submission),
		cmocka_unit_test(finds_the_days_of_a_gap),
		cmocka_unit_test(needs_no_batch_of_a_weekend),
		cmocka_unit_test(gives_papers_to_the_days_that_missed_them),
		cmocka_unit_test(tells_new_papers_from_cross_lists),
		cmocka_unit_test(rests_longer_each_time),
	};

	return cmocka_run_group_tests_name("recover: rules", tests, NULL, NULL);
}
