#include "fixture.h"

static void set(struct store *store, const struct store_outcome *outcome)
{
	struct error err = {0};

	assert_done(store_set_outcome(store, outcome->of, outcome->name,
	                              outcome->day, outcome->outcome,
	                              outcome->reason, outcome->at, &err));
}

static void keeps_one_outcome_a_day(void **state)
{
	enum outcome outcome = OUTCOMES;
	struct error err = {0};
	char name[] = "cs.CL";
	char first[] = "no answer";
	char second[] = "80 papers";

	assert_gives(store_get_outcome(*state, OUTCOME_OF_CATEGORY, name, 10,
	                               &outcome, &err),
	             STORE_MISSING);
	set(*state, &(struct store_outcome){OUTCOME_OF_CATEGORY, name, 10,
	                                    OUTCOME_UNREACHABLE, first, 1});
	set(*state, &(struct store_outcome){OUTCOME_OF_CATEGORY, name, 10,
	                                    OUTCOME_FRESH, second, 2});
	assert_gives(store_get_outcome(*state, OUTCOME_OF_CATEGORY, name, 10,
	                               &outcome, &err),
	             STORE_FOUND);
	assert_int_equal(outcome, OUTCOME_FRESH);
	assert_gives(store_get_outcome(*state, OUTCOME_OF_CATEGORY, name, 11,
	                               &outcome, &err),
	             STORE_MISSING);
	assert_gives(store_get_outcome(*state, OUTCOME_OF_SUBSCRIBER, name, 10,
	                               &outcome, &err),
	             STORE_MISSING);
	assert_gives(store_get_outcome(*state, OUTCOME_OF_CATEGORY, "cs", 10,
	                               &outcome, &err),
	             STORE_MISSING);
}

static void lists_outcomes_by_name_and_day(void **state)
{
	static char cs[] = "cs.CL";
	static char math[] = "math.AG";
	static char ada[] = "ada@example.org";
	static char why[] = "it's \"quoted\": Grüße";
	static const struct store_outcome given[] = {
		{OUTCOME_OF_CATEGORY, math, 12, OUTCOME_STALE, why, 6},
		{OUTCOME_OF_CATEGORY, cs, 11, OUTCOME_FRESH, why, 5},
		{OUTCOME_OF_CATEGORY, cs, 10, OUTCOME_PARTIAL, why, 4},
		{OUTCOME_OF_CATEGORY, cs, -3, OUTCOME_INVALID, why, 3},
	};
	struct store_outcomes list = {0};
	struct error err = {0};

	for (size_t i = 0; i < N_OF(given); i++)
		set(*state, &given[i]);
	assert_done(store_list_outcomes(*state, 10, &list, &err));
	assert_int_equal(list.n, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct store_outcome *wanted = &given[2 - i];

		assert_int_equal(list.items[i].of, wanted->of);
		assert_string_equal(list.items[i].name, wanted->name);
		assert_int_equal(list.items[i].day, wanted->day);
		assert_int_equal(list.items[i].outcome, wanted->outcome);
		assert_string_equal(list.items[i].reason, wanted->reason);
		assert_int_equal(list.items[i].at, wanted->at);
	}
	store_outcomes_fini(&list);

	set(*state, &(struct store_outcome){OUTCOME_OF_SUBSCRIBER, ada, 13,
	                                    OUTCOME_SENT, why, 7});
	assert_done(store_list_outcomes(*state, 13, &list, &err));
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0].of, OUTCOME_OF_SUBSCRIBER);
	store_outcomes_fini(&list);
	assert_done(store_list_outcomes(*state, INT32_MIN, &list, &err));
	assert_int_equal(list.n, 5);
	store_outcomes_fini(&list);
	assert_done(store_list_outcomes(*state, INT32_MAX, &list, &err));
	assert_int_equal(list.n, 0);
	store_outcomes_fini(&list);
}

static void keeps_every_outcome_there_is(void **state)
{
	struct error err = {0};
	char name[] = "x";
	char none[] = "";

	for (int i = 0; i < OUTCOMES; i++) {
		enum outcome back = OUTCOMES;

		set(*state,
		    &(struct store_outcome){OUTCOME_OF_SUBSCRIBER, name, i,
		                            (enum outcome)i, none, i});
		assert_gives(store_get_outcome(*state, OUTCOME_OF_SUBSCRIBER,
		                               name, i, &back, &err),
		             STORE_FOUND);
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
		test_in_memory(keeps_every_outcome_there_is),
		cmocka_unit_test(names_each_outcome_once),
	};

	return cmocka_run_group_tests_name("store: outcomes", tests, NULL,
	                                   NULL);
}
