#include "fixture.h"

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

static void marks_a_day_as_recovered_once(void **state)
{
	static const struct store_day lost = {OUTCOME_OF_CATEGORY, "cs.CL", 10};
	static const struct store_day none = {OUTCOME_OF_CATEGORY, "cs.CL", 11};
	static const struct store_outcome later[] = {
		{lost, OUTCOME_FRESH, "2 came later", 5, true},
		{lost, OUTCOME_FRESH, "0 came later", 6, true},
		{none, OUTCOME_UNREACHABLE, "not asked; 3 came later", 7, true},
	};
	struct store_outcomes list = {0};
	struct error err = {0};

	set_outcome(*state,
	            &(struct store_outcome){lost, OUTCOME_STALE,
	                                    "still the last one", 4, false});
	for (size_t i = 0; i < N_OF(later); i++)
		assert_done(store_set_recovered(*state, &later[i], &err));
	assert_done(store_list_outcomes(*state, 0, &list, &err));
	assert_int_equal(list.n, 2);
	assert_int_equal(list.items[0].outcome, OUTCOME_STALE);
	assert_true(list.items[0].recovered);
	assert_int_equal(list.items[0].at, 4);
	assert_string_equal(list.items[0].reason,
	                    "still the last one; 2 came later");
	assert_int_equal(list.items[1].outcome, OUTCOME_UNREACHABLE);
	assert_true(list.items[1].recovered);
	assert_string_equal(list.items[1].reason, "not asked; 3 came later");
	store_outcomes_fini(&list);
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
		test_in_memory(marks_a_day_as_recovered_once),
		test_in_memory(lists_outcomes_from_a_day_on),
		test_in_memory(keeps_every_outcome_there_is),
		cmocka_unit_test(names_each_outcome_once),
	};

	return cmocka_run_group_tests_name("store: outcomes", tests, NULL,
	                                   NULL);
}
