#include "fixture.h"

#define A "2401.00001"
#define B "2401.00002"
#define C "2401.00003"
#define D "2401.00004"
#define E "2401.00005"

#define DAY_SEC 86400
/* What is stored in these tests as old is older than this. */
#define BEFORE (100 * (int64_t)DAY_SEC)

static int open_with_papers(void **state)
{
	static const struct batch old = {
		"cs.CL", 10, 10 * DAY_SEC, {{A, 1, 0}, {B, 1, 0}, {C, 1, 0}}};
	static const struct batch recent = {
		"cs.LG", 100, BEFORE, {{C, 1, 0}, {D, 1, 0}}};

	if (open_in_memory(state) < 0)
		return -1;
	add_batch(*state, &old);
	add_batch(*state, &recent);
	begin_subscriber(*state, "ada");
	begin_subscriber(*state, "emmy");
	begin_subscriber(*state, "probe");
	return 0;
}

#define test_with_papers(function) \
	cmocka_unit_test_setup_teardown(function, open_with_papers, close_store)

/* Until nothing is left to do; how many calls that took. */
static size_t prune(struct store *store, size_t max_rows)
{
	struct error err = {0};
	bool more = true;
	size_t n = 0;

	while (more) {
		assert_true(n < 100);
		assert_done(store_prune(store, BEFORE, max_rows, &more, &err));
		n++;
	}
	return n;
}

static bool has_delivery(struct store *store, int64_t id)
{
	struct store_delivery delivery = {0};
	struct error err = {0};
	int rc = store_get_delivery(store, id, &delivery, &err);

	assert_true(rc >= 0);
	store_delivery_fini(&delivery);
	return rc == STORE_FOUND;
}

/* Can its digest be loaded with all papers? */
static void assert_readable(struct store *store, int64_t delivery_id)
{
	owned(store_digest) struct store_digest *loaded = NULL;
	struct store_delivery delivery = get_delivery(store, delivery_id);
	struct error err = {0};

	assert_done(
		store_load_digest(store, delivery.digest_id, &loaded, &err));
	assert_true(loaded->digest->n_entries > 0);
	for (size_t i = 0; i < loaded->digest->n_entries; i++)
		assert_non_null(loaded->digest->entries[i].paper->title);
	store_delivery_fini(&delivery);
}

/* A digest can be of papers that are there, and of no others. */
static bool has_paper(struct store *store, const char *id)
{
	const struct plan plan = {
		"probe", "p@example.org", 1, 2 * BEFORE, {{id, 1, 0}}};
	int64_t mark = get_subscriber(store, "probe").mark;
	owned(store_digest) struct store_digest *loaded = NULL;
	struct error err = {0};

	return try_queue(store, &plan, mark, mark + 1, &err) == STORE_QUEUED &&
	       store_load_digest(store, get_last(store, "probe").digest_id,
	                         &loaded, &err) == 0;
}

static void keeps_the_newest_digest_of_each(void **state)
{
	static const struct plan plans[] = {
		{"ada", "m1@example.org", 10, 20 * DAY_SEC, {{A, 1, 0}}},
		{"ada", "m2@example.org", 11, 21 * DAY_SEC, {{B, 1, 0}}},
		{"emmy", "m3@example.org", 10, 20 * DAY_SEC, {{C, 1, 0}}},
	};
	static const bool kept[] = {false, true, true};
	const struct store_attempt sent = {DELIVERY_SENT, 30, 0, "250"};
	int64_t ids[N_OF(plans)];

	for (size_t i = 0; i < N_OF(plans); i++) {
		ids[i] = queue(*state, &plans[i]);
		deliver(*state, ids[i], &sent);
	}
	prune(*state, 1000);
	for (size_t i = 0; i < N_OF(plans); i++) {
		assert_int_equal(has_delivery(*state, ids[i]), kept[i]);
		if (kept[i])
			assert_readable(*state, ids[i]);
	}
	assert_int_equal(get_subscriber(*state, "ada").mark, 2);
}

static void keeps_digests_whose_delivery_is_open(void **state)
{
	static const struct plan plan = {
		"ada", "m1@example.org", 10, 20 * DAY_SEC, {{A, 1, 0}}};
	static const struct {
		enum delivery_state end;
		bool kept;
	} cases[] = {
		{DELIVERY_QUEUED, true},  {DELIVERY_DEFERRED, true},
		{DELIVERY_UNKNOWN, true}, {DELIVERY_HELD, true},
		{DELIVERY_SENT, false},   {DELIVERY_FAILED, false},
	};
	int64_t ids[N_OF(cases)];
	struct error err = {0};
	int64_t sending;

	for (size_t i = 0; i < N_OF(cases); i++) {
		ids[i] = queue(*state, &plan);
		deliver(*state, ids[i],
		        &(struct store_attempt){cases[i].end, 1, 9, "x"});
	}
	sending = queue(*state, &plan);
	assert_done(store_start_delivery(*state, sending, "a@b", 1, &err));
	queue(*state, &plan);
	prune(*state, 1000);
	for (size_t i = 0; i < N_OF(cases); i++)
		assert_int_equal(has_delivery(*state, ids[i]), cases[i].kept);
	assert_readable(*state, ids[0]);
	assert_readable(*state, sending);
}

static void keeps_what_is_recent(void **state)
{
	static const struct plan plans[] = {
		{"ada", "m1@example.org", 99, BEFORE, {{D, 1, 0}}},
		{"ada", "m2@example.org", 99, BEFORE + 1, {{D, 1, 0}}},
	};
	const struct store_attempt sent = {DELIVERY_SENT, 30, 0, "250"};
	owned(store_candidates) struct store_candidates *left = NULL;
	int64_t ids[N_OF(plans)];

	for (size_t i = 0; i < N_OF(plans); i++) {
		ids[i] = queue(*state, &plans[i]);
		deliver(*state, ids[i], &sent);
	}
	add_batch(*state,
	          &(struct batch){"cs.CL", 61, 61 * DAY_SEC, {{E, 1, 0}}});
	prune(*state, 1000);
	assert_readable(*state, ids[0]);
	assert_readable(*state, ids[1]);
	assert_true(has_paper(*state, E)); /* a digest may have been late */
	left = load_all(*state);
	assert_int_equal(left->n, 2);
	assert_string_equal(left->announcements[0].category, "cs.LG");
}

static void keeps_the_papers_of_what_it_keeps(void **state)
{
	static const struct plan newest = {
		"ada", "m1@example.org", 10, 20 * DAY_SEC, {{B, 1, 0}}};
	const struct store_attempt sent = {DELIVERY_SENT, 30, 0, "250"};

	deliver(*state, queue(*state, &newest), &sent);
	prune(*state, 1000);
	assert_false(has_paper(*state, A)); /* old, and nobody's */
	assert_true(has_paper(*state, B));  /* of a digest that is kept */
	assert_true(has_paper(*state, C));  /* cross-listed not long ago */
	assert_true(has_paper(*state, D));
}

static void forgets_outcomes_of_old_days(void **state)
{
	struct store_outcomes list = {0};
	struct error err = {0};

	for (int32_t day = 38; day <= 41; day++)
		set_outcome(*state, &(struct store_outcome){
					    {OUTCOME_OF_CATEGORY, "cs.CL", day},
					    OUTCOME_FRESH,
					    "",
					    1,
					    false});
	/* Those before day 100 go 60 days later. */
	prune(*state, 1000);
	assert_done(store_list_outcomes(*state, 0, &list, &err));
	assert_int_equal(list.n, 2);
	assert_int_equal(list.items[0].of_day.day, 40);
	assert_int_equal(list.items[1].of_day.day, 41);
	store_outcomes_fini(&list);
}

static void prunes_in_slices(void **state)
{
	struct error err = {0};
	bool more = true;
	size_t n_left = 5 + 20;

	for (int i = 0; i < 20; i++) {
		owned(mem) char *id = mem_printf("2402.%05d", i);

		add_batch(*state,
		          &(struct batch){
				  "cs.CL", 11, 11 * DAY_SEC, {{id, 1, 0}}});
		set_outcome(*state, &(struct store_outcome){
					    {OUTCOME_OF_CATEGORY, "cs.CL", i},
					    OUTCOME_FRESH,
					    "",
					    1,
					    false});
	}
	for (int i = 0; more; i++) {
		owned(store_candidates) struct store_candidates *left = NULL;

		assert_true(i < 100);
		assert_done(store_prune(*state, BEFORE, 3, &more, &err));
		left = load_all(*state);
		assert_true(left->n + 3 >= n_left);
		n_left = left->n;
	}
	assert_int_equal(n_left, 2);
	assert_false(has_paper(*state, "2402.00000"));
	assert_false(has_paper(*state, "2402.00019"));
	assert_int_equal(prune(*state, 3), 1);
}

static void prunes_an_empty_store(void **state)
{
	struct error err = {0};
	bool more = true;

	assert_done(store_prune(*state, INT64_MAX / 2, 10, &more, &err));
	assert_false(more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_papers(keeps_the_newest_digest_of_each),
		test_with_papers(keeps_digests_whose_delivery_is_open),
		test_with_papers(keeps_what_is_recent),
		test_with_papers(keeps_the_papers_of_what_it_keeps),
		test_with_papers(forgets_outcomes_of_old_days),
		test_with_papers(prunes_in_slices),
		test_in_memory(prunes_an_empty_store),
	};

	return cmocka_run_group_tests_name("store: prune", tests, NULL, NULL);
}
