#include "fixture.h"

#include "base/limits.h"

static int get(struct store *store, const struct store_day *day,
               enum outcome *ret_outcome)
{
	struct error err = {0};

	return store_get_outcome(store, day, ret_outcome, &err);
}

static void keeps_one_outcome_a_day(void **state)
{
	static const struct store_day day = {OUTCOME_OF_CATEGORY, "cs.CL", 10};
	static const struct store_day others[] = {
		{OUTCOME_OF_CATEGORY, "cs.CL", 11},
		{OUTCOME_OF_SUBSCRIBER, "cs.CL", 10},
		{OUTCOME_OF_CATEGORY, "cs", 10},
	};
	enum outcome outcome = OUTCOMES;

	assert_int_equal(get(*state, &day, &outcome), STORE_MISSING);
	set_outcome(*state, &(struct store_outcome){day, OUTCOME_UNREACHABLE,
	                                            "no answer", 1, false});
	set_outcome(*state, &(struct store_outcome){day, OUTCOME_FRESH,
	                                            "80 papers", 2, false});
	assert_int_equal(get(*state, &day, &outcome), STORE_FOUND);
	assert_int_equal(outcome, OUTCOME_FRESH);
	for (size_t i = 0; i < N_OF(others); i++)
		assert_int_equal(get(*state, &others[i], &outcome),
		                 STORE_MISSING);
}

static void lists_outcomes_by_name_and_day(void **state)
{
	static const char why[] = "it's \"quoted\": Grüße";
	static const struct store_outcome given[] = {
		{{OUTCOME_OF_SUBSCRIBER, "ada", 13},
	         OUTCOME_SENT,
	         why,
	         7,
	         false},
		{{OUTCOME_OF_CATEGORY, "math.AG", 12},
	         OUTCOME_STALE,
	         why,
	         6,
	         false},
		{{OUTCOME_OF_CATEGORY, "cs.CL", 11},
	         OUTCOME_FRESH,
	         "",
	         5,
	         false},
		{{OUTCOME_OF_CATEGORY, "cs.CL", 10},
	         OUTCOME_PARTIAL,
	         why,
	         4,
	         false},
		{{OUTCOME_OF_CATEGORY, "cs.CL", -3},
	         OUTCOME_INVALID,
	         why,
	         3,
	         false},
	};
	struct store_outcomes list = {0};
	struct error err = {0};

	for (size_t i = 0; i < N_OF(given); i++)
		set_outcome(*state, &given[i]);
	assert_done(store_list_outcomes(*state, 10, &list, &err));
	assert_int_equal(list.n, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct store_outcome *wanted = &given[3 - i];
		const struct store_outcome *found = &list.items[i];

		assert_int_equal(found->of_day.of, wanted->of_day.of);
		assert_string_equal(found->of_day.name, wanted->of_day.name);
		assert_int_equal(found->of_day.day, wanted->of_day.day);
		assert_int_equal(found->outcome, wanted->outcome);
		assert_string_equal(found->reason, wanted->reason);
		assert_int_equal(found->at, wanted->at);
	}
	store_outcomes_fini(&list);
}

static void set_day(struct store *store, int32_t day, enum outcome outcome)
{
	set_outcome(store,
	            &(struct store_outcome){{OUTCOME_OF_CATEGORY, "cs.CL", day},
	                                    outcome,
	                                    "so it was",
	                                    4,
	                                    false});
}

static void set_recovered(struct store *store, int32_t day, int32_t on_day,
                          size_t n_papers)
{
	owned(mem) char *reason = mem_printf("%zu came later", n_papers);
	struct error err = {0};

	assert_done(store_set_recovered(
		store,
		&(struct store_recovered){"cs.CL", day, on_day, n_papers,
	                                  reason},
		&err));
}

static void marks_a_day_as_recovered(void **state)
{
	static const struct {
		enum outcome outcome;
		size_t n_papers[3]; /* on the days after it */
		bool recovered;
		const char *reason;
	} cases[] = {
		{OUTCOME_STALE, {2, 0, 0}, true, "so it was; 2 came later"},
		{OUTCOME_UNREACHABLE,
	         {0, 0, 3},
	         true,
	         "so it was; 0 came later; 3 came later"},
		{OUTCOME_INVALID, {0, 0, 0}, true, "so it was; 0 came later"},
		{OUTCOME_FRESH, {0, 0, 0}, false, "so it was"},
		{OUTCOME_NO_ANNOUNCEMENT,
	         {0, 4, 0},
	         true,
	         "so it was; 4 came later"},
	};
	struct store_outcomes list = {0};
	struct error err = {0};

	for (int32_t i = 0; i < (int32_t)N_OF(cases); i++) {
		set_day(*state, i, cases[i].outcome);
		for (int32_t j = 0; j < 3; j++)
			set_recovered(*state, i, i + j + 1,
			              cases[i].n_papers[j]);
	}
	set_recovered(*state, 99, 100, 1); /* which is none */
	assert_done(store_list_outcomes(*state, 0, &list, &err));
	assert_int_equal(list.n, N_OF(cases));
	for (size_t i = 0; i < N_OF(cases); i++) {
		assert_int_equal(list.items[i].outcome, cases[i].outcome);
		assert_int_equal(list.items[i].recovered, cases[i].recovered);
		assert_int_equal(list.items[i].at, 4);
		assert_string_equal(list.items[i].reason, cases[i].reason);
	}
	store_outcomes_fini(&list);
}

static void finds_the_days_that_were_missed(void **state)
{
	static const enum outcome outcomes[] = {
		OUTCOME_STALE,           OUTCOME_FRESH,   OUTCOME_UNREACHABLE,
		OUTCOME_NO_ANNOUNCEMENT, OUTCOME_INVALID, OUTCOME_PARTIAL,
	};
	static const struct {
		int32_t today;
		uint32_t days; /* from the tenth on */
	} cases[] = {
		{10, 0},
		{11, 1 << 0},
		{14, 1 << 0 | 1 << 2},
		{16, 1 << 0 | 1 << 2 | 1 << 4},
		{10 + LIMIT_RECOVER_DAYS, 1 << 0 | 1 << 2 | 1 << 4},
		{11 + LIMIT_RECOVER_DAYS, 1 << 2 | 1 << 4},
	};
	struct store_missed missed = {1, 1, 1};
	struct error err = {0};

	assert_done(store_get_missed(*state, "cs.CL", 20, &missed, &err));
	assert_int_equal(missed.days, 0);
	assert_int_equal(missed.first_day, 0);
	for (size_t i = 0; i < N_OF(outcomes); i++)
		set_day(*state, 10 + (int32_t)i, outcomes[i]);
	for (size_t i = 0; i < N_OF(cases); i++) {
		int32_t since = cases[i].today - LIMIT_RECOVER_DAYS;

		assert_done(store_get_missed(*state, "cs.CL", cases[i].today,
		                             &missed, &err));
		assert_int_equal(missed.since_day, since);
		assert_int_equal(since < 10 ? missed.days >> (10 - since)
		                            : missed.days << (since - 10),
		                 cases[i].days);
		assert_int_equal(missed.first_day, 10);
	}
	assert_done(store_get_missed(*state, "cs.LG", 20, &missed, &err));
	assert_int_equal(missed.days, 0);
}

/* What was asked on the next day is asked once more on the one after. */
static void misses_a_day_until_it_is_settled(void **state)
{
	static const struct {
		int32_t on_day;
		int32_t today;
		bool is_missed;
	} cases[] = {
		{11, 11, false}, {11, 12, true},  {11, 19, true},
		{12, 12, false}, {12, 13, false}, {13, 13, false},
	};
	struct store_missed missed = {0};
	struct error err = {0};

	for (size_t i = 0; i < N_OF(cases); i++) {
		set_day(*state, 10, OUTCOME_UNREACHABLE);
		set_recovered(*state, 10, cases[i].on_day, 0);
		assert_done(store_get_missed(*state, "cs.CL", cases[i].today,
		                             &missed, &err));
		assert_int_equal(missed.days != 0, cases[i].is_missed);
	}
}

static void lists_outcomes_from_a_day_on(void **state)
{
	static const struct {
		int32_t since_day;
		size_t n;
	} cases[] = {{INT32_MIN, 3}, {-3, 3}, {0, 2}, {13, 1}, {INT32_MAX, 0}};
	static const struct store_outcome given[] = {
		{{OUTCOME_OF_SUBSCRIBER, "ada", 13},
	         OUTCOME_SENT,
	         "",
	         1,
	         false},
		{{OUTCOME_OF_CATEGORY, "cs.CL", 12},
	         OUTCOME_FRESH,
	         "",
	         1,
	         false},
		{{OUTCOME_OF_CATEGORY, "cs.CL", -3},
	         OUTCOME_INVALID,
	         "",
	         1,
	         false},
	};
	struct error err = {0};

	for (size_t i = 0; i < N_OF(given); i++)
		set_outcome(*state, &given[i]);
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct store_outcomes list = {0};

		assert_done(store_list_outcomes(*state, cases[i].since_day,
		                                &list, &err));
		assert_int_equal(list.n, cases[i].n);
		store_outcomes_fini(&list);
	}
}

static void keeps_every_outcome_there_is(void **state)
{
	for (int i = 0; i < OUTCOMES; i++) {
		const struct store_day day = {OUTCOME_OF_SUBSCRIBER, "x", i};
		enum outcome back = OUTCOMES;

		set_outcome(*state,
		            &(struct store_outcome){day, (enum outcome)i, "", i,
		                                    false});
		assert_int_equal(get(*state, &day, &back), STORE_FOUND);
		assert_int_equal(back, i);
	}
}

static void names_each_outcome_once(void **state)
{
	(void)state;
	for (int i = 0; i < OUTCOMES; i++) {
		assert_non_null(outcome_name((enum outcome)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(outcome_name((enum outcome)i),
			                        outcome_name((enum outcome)j));
	}
	assert_string_equal(outcome_name(OUTCOME_NO_ANNOUNCEMENT),
	                    "no-announcement");
	assert_string_equal(outcome_name(OUTCOME_NOTHING_MATCHED),
	                    "nothing-matched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_memory(keeps_one_outcome_a_day),
		test_in_memory(lists_outcomes_by_name_and_day),
		test_in_memory(marks_a_day_as_recovered),
		test_in_memory(finds_the_days_that_were_missed),
		test_in_memory(misses_a_day_until_it_is_settled),
		test_in_memory(lists_outcomes_from_a_day_on),
		test_in_memory(keeps_every_outcome_there_is),
		cmocka_unit_test(names_each_outcome_once),
	};

	return cmocka_run_group_tests_name("store: outcomes", tests, NULL,
	                                   NULL);
}
