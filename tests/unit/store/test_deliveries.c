#include "fixture.h"

#define A "2401.00001"
#define B "2401.00002"

static const struct plan ada = {"ada", "m1@example.org", 10, 100, {{A, 1, 0}}};
static const struct plan emmy = {
	"emmy", "m2@example.org", 10, 101, {{A, 1, 0}}};
static const struct plan grace = {
	"gr'ace", "m3@example.org", 10, 102, {{B, 1, 0}}};

static int open_with_papers(void **state)
{
	if (open_in_memory(state) < 0)
		return -1;
	add_batch(*state,
	          &(struct batch){"cs.CL", 10, 50, {{A, 1, 0}, {B, 1, 0}}});
	begin_subscriber(*state, ada.subscriber_id);
	begin_subscriber(*state, emmy.subscriber_id);
	begin_subscriber(*state, grace.subscriber_id);
	return 0;
}

#define test_with_papers(function) \
	cmocka_unit_test_setup_teardown(function, open_with_papers, close_store)

static bool is_offered(struct store *store, int64_t id, int64_t now)
{
	struct store_deliveries page = {0};
	struct error err = {0};
	bool found = false;

	assert_done(store_next_deliveries(
		store, &(struct store_page){now, 0, 0, 100}, &page, &err));
	for (size_t i = 0; i < page.n; i++)
		found = found || page.items[i].id == id;
	store_deliveries_fini(&page);
	return found;
}

/* ---- one delivery's way ---- */

static void ends_a_delivery_as_it_was_told(void **state)
{
	static const struct {
		struct store_attempt attempt;
		uint32_t n_attempts;
		bool offered_early; /* just before next_at */
		bool offered;       /* from next_at on */
		bool offered_by_hand;
	} cases[] = {
		{{DELIVERY_SENT, 200, 0, "250 2.0.0 ok"},
	         1,
	         false,
	         false,
	         false},
		{{DELIVERY_DEFERRED, 200, 500, "451 later"},
	         1,
	         false,
	         true,
	         true},
		{{DELIVERY_UNKNOWN, 200, 500, NULL}, 1, false, true, true},
		{{DELIVERY_HELD, 200, 0, "552 <id> is full"},
	         1,
	         false,
	         false,
	         false},
		{{DELIVERY_FAILED, 200, 0, "550 'no'"}, 1, false, false, false},
		{{DELIVERY_QUEUED, 200, 0, NULL}, 0, true, true, true},
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		int64_t id = queue(*state, &ada);
		struct store_delivery delivery;

		print_message("case %zu\n", i);
		assert_true(is_offered(*state, id, 200));
		deliver(*state, id, &cases[i].attempt);
		delivery = get_delivery(*state, id);
		assert_int_equal(delivery.state, cases[i].attempt.state);
		assert_int_equal(delivery.n_attempts, cases[i].n_attempts);
		if (cases[i].attempt.words)
			assert_string_equal(delivery.last_words,
			                    cases[i].attempt.words);
		else
			assert_null(delivery.last_words);
		assert_int_equal(is_offered(*state, id, 499),
		                 cases[i].offered_early);
		assert_int_equal(is_offered(*state, id, 500), cases[i].offered);
		assert_int_equal(is_offered(*state, id, INT64_MAX),
		                 cases[i].offered_by_hand);
		store_delivery_fini(&delivery);
	}
}

static void walks_from_queued_to_sent(void **state)
{
	const struct store_attempt sent = {DELIVERY_SENT, 202, 0, "250 ok"};
	int64_t id = queue(*state, &ada);
	struct store_delivery delivery;
	struct error err = {0};

	assert_int_equal(state_of(*state, id), DELIVERY_QUEUED);
	assert_done(
		store_start_delivery(*state, id, "new@example.org", 200, &err));
	assert_int_equal(state_of(*state, id), DELIVERY_SENDING);
	assert_false(is_offered(*state, id, INT64_MAX));
	assert_done(store_dot_delivery(*state, id, 201, &err));
	assert_int_equal(state_of(*state, id), DELIVERY_SENDING);
	assert_done(store_end_delivery(*state, id, &sent, &err));
	delivery = get_delivery(*state, id);
	assert_int_equal(delivery.state, DELIVERY_SENT);
	assert_string_equal(delivery.address, "new@example.org");
	assert_string_equal(delivery.message_id, ada.message_id);
	assert_string_equal(delivery.last_words, "250 ok");
	store_delivery_fini(&delivery);
}

/* A server may refuse before DATA: there is no dot then. */
static void ends_without_a_dot(void **state)
{
	const struct store_attempt failed = {DELIVERY_FAILED, 9, 0, "550 no"};
	int64_t id = queue(*state, &ada);
	struct error err = {0};

	assert_done(store_start_delivery(*state, id, "a@example.org", 8, &err));
	assert_done(store_end_delivery(*state, id, &failed, &err));
	assert_int_equal(state_of(*state, id), DELIVERY_FAILED);
}

static void counts_attempts_but_not_what_was_handed_back(void **state)
{
	static const struct store_attempt attempts[] = {
		{DELIVERY_DEFERRED, 1, 2, "451 a"},
		{DELIVERY_QUEUED, 2, 0, NULL},
		{DELIVERY_UNKNOWN, 3, 4, "lost"},
		{DELIVERY_DEFERRED, 5, 6, "451 b"},
		{DELIVERY_SENT, 7, 0, "250"},
	};
	int64_t id = queue(*state, &ada);
	struct store_delivery delivery;

	for (size_t i = 0; i < N_OF(attempts); i++)
		deliver(*state, id, &attempts[i]);
	delivery = get_delivery(*state, id);
	assert_int_equal(delivery.n_attempts, 4);
	assert_string_equal(delivery.last_words, "250");
	store_delivery_fini(&delivery);
}

/* Steps of a sender that lost its delivery to another. */
static void refuses_steps_that_do_not_follow(void **state)
{
	static const enum delivery_state ends[] = {DELIVERY_SENT, DELIVERY_HELD,
	                                           DELIVERY_FAILED};
	const struct store_attempt sent = {DELIVERY_SENT, 9, 0, NULL};
	struct error err = {0};
	int64_t id = queue(*state, &ada);

	assert_fails(store_dot_delivery(*state, id, 1, &err));
	assert_fails(store_end_delivery(*state, id, &sent, &err));
	assert_int_equal(state_of(*state, id), DELIVERY_QUEUED);
	assert_done(store_start_delivery(*state, id, "a@b", 1, &err));
	assert_int_equal(store_start_delivery(*state, id, "a@b", 1, &err),
	                 STORE_MISSING);
	for (size_t i = 0; i < N_OF(ends); i++) {
		const struct store_attempt end = {ends[i], 2, 0, "x"};

		id = queue(*state, &ada);
		deliver(*state, id, &end);
		assert_int_equal(
			store_start_delivery(*state, id, "a@b", 3, &err),
			STORE_MISSING);
		assert_fails(store_dot_delivery(*state, id, 3, &err));
		assert_fails(store_end_delivery(*state, id, &sent, &err));
		assert_int_equal(state_of(*state, id), ends[i]);
	}
	assert_int_equal(store_start_delivery(*state, 999, "a@b", 1, &err),
	                 STORE_MISSING);
	assert_fails(store_dot_delivery(*state, -1, 1, &err));
	assert_fails(store_end_delivery(*state, 0, &sent, &err));
}

/* ---- the queue ---- */

static void assert_page(struct store *store, const struct store_page *asked,
                        const int64_t *wanted)
{
	struct store_deliveries page = {0};
	struct error err = {0};
	size_t n = 0;

	assert_done(store_next_deliveries(store, asked, &page, &err));
	for (; wanted[n]; n++) {
		assert_true(n < page.n);
		assert_int_equal(page.items[n].id, wanted[n]);
	}
	assert_int_equal(page.n, n);
	store_deliveries_fini(&page);
}

static void offers_deliveries_page_by_page(void **state)
{
	const struct store_attempt later = {DELIVERY_DEFERRED, 5, 300, "451"};
	const struct store_attempt lost = {DELIVERY_UNKNOWN, 5, 200, NULL};
	const struct store_attempt sent = {DELIVERY_SENT, 5, 0, NULL};
	int64_t ids[5];

	for (size_t i = 0; i < N_OF(ids); i++)
		ids[i] = queue(*state, &ada);
	deliver(*state, ids[0], &later);
	deliver(*state, ids[2], &sent);
	deliver(*state, ids[3], &lost);

	assert_page(*state, &(struct store_page){199, 0, 0, 9},
	            (int64_t[]){ids[1], ids[4], 0});
	assert_page(*state, &(struct store_page){200, 0, 0, 9},
	            (int64_t[]){ids[1], ids[4], ids[3], 0});
	assert_page(*state, &(struct store_page){300, 0, 0, 2},
	            (int64_t[]){ids[1], ids[4], 0});
	assert_page(*state, &(struct store_page){INT64_MAX, 0, ids[4], 2},
	            (int64_t[]){ids[3], ids[0], 0});
	assert_page(*state, &(struct store_page){INT64_MAX, 300, ids[0], 2},
	            (int64_t[]){0});
	assert_page(*state, &(struct store_page){INT64_MAX, INT64_MAX, 0, 2},
	            (int64_t[]){0});
	assert_page(*state, &(struct store_page){INT64_MAX, 0, 0, 0},
	            (int64_t[]){0});
	assert_page(*state, &(struct store_page){0, 0, 0, 1},
	            (int64_t[]){ids[1], 0});
}

static void counts_deliveries_by_state(void **state)
{
	static const enum delivery_state ends[] = {
		DELIVERY_DEFERRED, DELIVERY_UNKNOWN, DELIVERY_HELD,
		DELIVERY_FAILED};
	struct store_queue_counts counts;
	struct error err = {0};

	for (size_t i = 0; i < N_OF(ends); i++)
		for (size_t j = 0; j <= i; j++)
			deliver(*state, queue(*state, &ada),
			        &(struct store_attempt){ends[i], 1, 9, "x"});
	queue(*state, &ada);
	assert_done(store_start_delivery(*state, queue(*state, &ada), "a@b", 1,
	                                 &err));
	counts = count_states(*state);
	for (size_t i = 0; i < N_OF(ends); i++)
		assert_int_equal(counts.n[ends[i]], i + 1);
	assert_int_equal(counts.n[DELIVERY_QUEUED], 1);
	assert_int_equal(counts.n[DELIVERY_SENDING], 1);
}

static void lists_what_needs_a_look_newest_first(void **state)
{
	static const enum delivery_state ends[] = {
		DELIVERY_FAILED, DELIVERY_SENT,    DELIVERY_QUEUED,
		DELIVERY_HELD,   DELIVERY_UNKNOWN, DELIVERY_DEFERRED};
	struct store_deliveries list = {0};
	struct error err = {0};
	int64_t ids[N_OF(ends)];

	for (size_t i = 0; i < N_OF(ends); i++) {
		ids[i] = queue(*state, &grace);
		deliver(*state, ids[i],
		        &(struct store_attempt){ends[i], 1, 9, "why"});
	}
	assert_done(store_list_deliveries(*state, 100, &list, &err));
	/* Handed back with a reason, a queued one needs a look, too. */
	assert_int_equal(list.n, 5);
	assert_int_equal(list.items[0].id, ids[5]);
	assert_int_equal(list.items[1].id, ids[4]);
	assert_int_equal(list.items[2].id, ids[3]);
	assert_int_equal(list.items[3].id, ids[2]);
	assert_int_equal(list.items[4].id, ids[0]);
	assert_string_equal(list.items[4].subscriber_id, "gr'ace");
	assert_string_equal(list.items[4].last_words, "why");
	store_deliveries_fini(&list);
	assert_done(store_list_deliveries(*state, 1, &list, &err));
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0].id, ids[5]);
	store_deliveries_fini(&list);
}

/* ---- after a crash ---- */

static void recovers_what_a_dead_sender_left(void **state)
{
	static const struct {
		bool was_deferred_after_a_dot; /* in an earlier attempt */
		bool dot;
		bool hold;
		enum delivery_state wanted;
		size_t n_unknown;
	} cases[] = {
		{false, false, false, DELIVERY_QUEUED, 0},
		{false, false, true, DELIVERY_QUEUED, 0},
		{false, true, false, DELIVERY_UNKNOWN, 1},
		{false, true, true, DELIVERY_HELD, 1},
		{true, false, false, DELIVERY_QUEUED, 0},
		{true, false, true, DELIVERY_QUEUED, 0},
		{true, true, false, DELIVERY_UNKNOWN, 1},
	};
	const struct store_attempt later = {DELIVERY_DEFERRED, 5, 6, "451"};
	struct error err = {0};

	for (size_t i = 0; i < N_OF(cases); i++) {
		int64_t id = queue(*state, &ada);
		size_t n = 77;

		print_message("case %zu\n", i);
		if (cases[i].was_deferred_after_a_dot)
			deliver(*state, id, &later);
		assert_done(store_start_delivery(*state, id, "a@b", 7, &err));
		if (cases[i].dot)
			assert_done(store_dot_delivery(*state, id, 8, &err));
		assert_done(store_recover_deliveries(*state, 9, cases[i].hold,
		                                     &n, &err));
		assert_int_equal(n, cases[i].n_unknown);
		assert_int_equal(state_of(*state, id), cases[i].wanted);
		assert_int_equal(is_offered(*state, id, 9),
		                 cases[i].wanted != DELIVERY_HELD);
		assert_done(store_recover_deliveries(*state, 9, cases[i].hold,
		                                     &n, &err));
		assert_int_equal(n, 0);
		assert_int_equal(state_of(*state, id), cases[i].wanted);
	}
}

static void recovers_only_what_was_being_sent(void **state)
{
	static const enum delivery_state ends[] = {
		DELIVERY_SENT, DELIVERY_DEFERRED, DELIVERY_UNKNOWN,
		DELIVERY_HELD, DELIVERY_FAILED,   DELIVERY_QUEUED};
	struct error err = {0};
	size_t n = 77;

	for (size_t i = 0; i < N_OF(ends); i++)
		deliver(*state, queue(*state, &ada),
		        &(struct store_attempt){ends[i], 1, 9, NULL});
	assert_done(store_recover_deliveries(*state, 9, false, &n, &err));
	assert_int_equal(n, 0);
	for (size_t i = 0; i < N_OF(ends); i++)
		assert_int_equal(state_of(*state, (int64_t)i + 1), ends[i]);
}

/* ---- once more ---- */

static void sends_the_last_digest_once_more(void **state)
{
	static const struct {
		enum delivery_state end;
		bool anew;
	} cases[] = {
		{DELIVERY_SENT, true},      {DELIVERY_FAILED, true},
		{DELIVERY_HELD, false},     {DELIVERY_UNKNOWN, false},
		{DELIVERY_DEFERRED, false}, {DELIVERY_QUEUED, false},
	};
	struct error err = {0};

	for (size_t i = 0; i < N_OF(cases); i++) {
		const struct store_attempt end = {cases[i].end, 5, 1000, "x"};
		int64_t first = queue(*state, &ada);
		struct store_again again = {
			.address = "new@b", .message_id = "again@b", .at = 6};
		struct store_delivery delivery;
		int64_t id;

		print_message("case %zu\n", i);
		deliver(*state, first, &end);
		again.last = get_last(*state, "ada");
		assert_done(store_requeue_digest(*state, &again, &err));
		id = get_last(*state, "ada").delivery_id;
		assert_int_equal(id != first, cases[i].anew);
		delivery = get_delivery(*state, id);
		assert_int_equal(delivery.state, DELIVERY_QUEUED);
		assert_int_equal(delivery.digest_id, again.last.digest_id);
		assert_string_equal(delivery.message_id,
		                    cases[i].anew ? "again@b" : ada.message_id);
		assert_true(is_offered(*state, id, 6));
		if (cases[i].anew)
			assert_int_equal(state_of(*state, first), cases[i].end);
		store_delivery_fini(&delivery);
	}
}

static void sends_a_cancelled_digest_anew(void **state)
{
	int64_t first = queue(*state, &ada);
	struct strings nobody = {0};
	struct store_again again = {
		.address = "new@b", .message_id = "again@b", .at = 6};
	struct error err = {0};
	int64_t id;
	size_t n = 0;

	assert_done(store_keep_subscribers(*state, &nobody, 5, &n, &err));
	again.last = get_last(*state, "ada");
	assert_int_equal(again.last.state, DELIVERY_CANCELLED);
	assert_done(store_requeue_digest(*state, &again, &err));
	id = get_last(*state, "ada").delivery_id;
	assert_int_not_equal(id, first);
	assert_int_equal(state_of(*state, first), DELIVERY_CANCELLED);
	assert_int_equal(state_of(*state, id), DELIVERY_QUEUED);
}

/* ---- subscribers ---- */

static void cancels_what_is_open_of_those_who_left(void **state)
{
	static const struct {
		enum delivery_state end;
		enum delivery_state wanted;
	} cases[] = {
		{DELIVERY_QUEUED, DELIVERY_CANCELLED},
		{DELIVERY_DEFERRED, DELIVERY_CANCELLED},
		{DELIVERY_UNKNOWN, DELIVERY_CANCELLED},
		{DELIVERY_SENT, DELIVERY_SENT},
		{DELIVERY_FAILED, DELIVERY_FAILED},
	};
	owned(strings) struct strings here = {0};
	struct error err = {0};
	int64_t ids[N_OF(cases)];
	int64_t kept;
	size_t n = 0;

	for (size_t i = 0; i < N_OF(cases); i++) {
		ids[i] = queue(*state, &emmy);
		deliver(*state, ids[i],
		        &(struct store_attempt){cases[i].end, 1, 9, "x"});
	}
	kept = queue(*state, &grace);
	strings_add(&here, span_of("gr'ace"));
	strings_add(&here, span_of("ada"));
	strings_add(&here, span_of("a newcomer"));
	strings_add(&here, span_of("ada"));
	assert_done(store_keep_subscribers(*state, &here, 9, &n, &err));
	assert_int_equal(n, 3);
	for (size_t i = 0; i < N_OF(cases); i++)
		assert_int_equal(state_of(*state, ids[i]), cases[i].wanted);
	assert_int_equal(state_of(*state, kept), DELIVERY_QUEUED);
	assert_true(get_subscriber(*state, "emmy").paused);
	assert_false(get_subscriber(*state, "ada").paused);
	assert_false(get_subscriber(*state, "gr'ace").paused);
	assert_done(store_keep_subscribers(*state, &here, 9, &n, &err));
	assert_int_equal(n, 0);
}

static void pauses_and_resumes_a_subscriber(void **state)
{
	struct store_subscriber unknown;
	struct error err = {0};

	assert_gives(store_get_subscriber(*state, "x", &unknown, &err),
	             STORE_MISSING);
	assert_false(get_subscriber(*state, "ada").paused);
	assert_int_equal(get_subscriber(*state, "ada").suspended_at, 0);
	assert_done(store_pause_subscriber(*state, "ada", &err));
	assert_true(get_subscriber(*state, "ada").paused);
	assert_gives(try_queue(*state, &ada, 0, 1, &err), STORE_MARK_MOVED);
	assert_gives(store_move_mark(*state, "ada", &(struct store_move){0, 1},
	                             &err),
	             STORE_MARK_MOVED);
	assert_done(store_begin_subscriber(*state, "ada", 42, 7, &err));
	assert_false(get_subscriber(*state, "ada").paused);
	assert_int_equal(get_subscriber(*state, "ada").mark, 42);
	assert_done(store_pause_subscriber(*state, "never seen", &err));
	assert_true(get_subscriber(*state, "never seen").paused);
	assert_false(get_subscriber(*state, "emmy").paused);
}

/* ---- groups ---- */

static void joins_changes_into_one(void **state)
{
	const struct store_attempt sent = {DELIVERY_SENT, 3, 0, NULL};
	struct error err = {0};
	int64_t first = queue(*state, &ada);
	uint64_t n = count_deliveries(*state);

	assert_done(store_begin(*state, &err));
	deliver(*state, first, &sent);
	queue(*state, &emmy);
	add_batch(*state,
	          &(struct batch){"cs.LG", 10, 60, {{A, 1, 0}, {A, 2, 0}}});
	assert_done(store_pause_subscriber(*state, "ada", &err));
	store_rollback(*state);
	assert_int_equal(state_of(*state, first), DELIVERY_QUEUED);
	assert_int_equal(count_deliveries(*state), n);
	assert_int_equal(last_seq(*state), 2);
	assert_false(get_subscriber(*state, "ada").paused);
	assert_int_equal(get_subscriber(*state, "emmy").mark, 0);

	assert_done(store_begin(*state, &err));
	deliver(*state, first, &sent);
	queue(*state, &emmy);
	assert_done(store_commit(*state, &err));
	store_rollback(*state); /* nothing is open: nothing happens */
	assert_int_equal(state_of(*state, first), DELIVERY_SENT);
	assert_int_equal(get_subscriber(*state, "emmy").mark, 1);
}

static void undoes_a_group_after_a_failed_call(void **state)
{
	struct error err = {0};
	int64_t first = queue(*state, &ada);

	assert_done(store_begin(*state, &err));
	assert_done(store_start_delivery(*state, first, "a@b", 1, &err));
	assert_fails(store_dot_delivery(*state, 999, 1, &err));
	store_rollback(*state);
	assert_int_equal(state_of(*state, first), DELIVERY_QUEUED);
	assert_done(store_begin(*state, &err));
	assert_done(store_commit(*state, &err));
}

static void names_each_state_once(void **state)
{
	(void)state;
	for (int i = 0; i < DELIVERY_STATES; i++) {
		const char *name = delivery_state_name((enum delivery_state)i);

		assert_non_null(name);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
				name,
				delivery_state_name((enum delivery_state)j));
	}
	assert_string_equal(delivery_state_name(DELIVERY_SENT), "sent");
	assert_string_equal(delivery_state_name(DELIVERY_SUPERSEDED),
	                    "superseded");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_papers(ends_a_delivery_as_it_was_told),
		test_with_papers(walks_from_queued_to_sent),
		test_with_papers(ends_without_a_dot),
		test_with_papers(counts_attempts_but_not_what_was_handed_back),
		test_with_papers(refuses_steps_that_do_not_follow),
		test_with_papers(offers_deliveries_page_by_page),
		test_with_papers(counts_deliveries_by_state),
		test_with_papers(lists_what_needs_a_look_newest_first),
		test_with_papers(recovers_what_a_dead_sender_left),
		test_with_papers(recovers_only_what_was_being_sent),
		test_with_papers(sends_the_last_digest_once_more),
		test_with_papers(sends_a_cancelled_digest_anew),
		test_with_papers(cancels_what_is_open_of_those_who_left),
		test_with_papers(pauses_and_resumes_a_subscriber),
		test_with_papers(joins_changes_into_one),
		test_with_papers(undoes_a_group_after_a_failed_call),
		cmocka_unit_test(names_each_state_once),
	};

	return cmocka_run_group_tests_name("store: deliveries", tests, NULL,
	                                   NULL);
}
