#include "fixture.h"

#include <string.h>

#include "base/limits.h"

#define ADDRESS "ada@example.org"
#define OTHER "lovelace@example.org"

/* ---- digests and what became of them ---- */

static int64_t queue_for(struct store *store, const char *subscriber_id, int i)
{
	owned(mem) char *message_id = mem_printf("%032x@example.org", i);
	struct plan plan = {subscriber_id,
	                    message_id,
	                    19800 + i,
	                    1000 + i,
	                    {{"2401.00001", 1, 0}}};

	return queue(store, &plan);
}

static void end(struct store *store, int64_t id, const char *address,
                enum delivery_state state)
{
	struct store_attempt attempt = {state, 2000, 0, "250 ok"};
	struct error err = {0};

	assert_done(store_start_delivery(store, id, address, 2000, &err));
	assert_done(store_end_delivery(store, id, &attempt, &err));
}

static int refuse(struct store *store, int64_t id)
{
	struct error err = {0};
	int rc = store_note_refusal(
		store, &(struct store_refusal){id, "550 5.1.1 nobody", 3000},
		&err);

	if (rc < 0)
		fail_msg("%s", err.message);
	return rc;
}

static bool is_suspended(struct store *store, const char *address)
{
	struct error err = {0};
	bool suspended = false;

	assert_done(
		store_is_suspended(store, "ada", address, &suspended, &err));
	return suspended;
}

/*
 * A digest a letter: s sent, r refused, b sent and bounced when all are under
 * way, d deferred, x refused by another address.
 */
static void play(struct store *store, const char *fates, int first)
{
	int64_t ids[32];
	size_t n = strlen(fates);

	assert_true(n <= N_OF(ids));
	for (size_t i = 0; i < n; i++) {
		char fate = fates[i];
		bool failed = strchr("rx", fate) != NULL;

		ids[i] = queue_for(store, "ada", first + (int)i);
		end(store, ids[i], fate == 'x' ? OTHER : ADDRESS,
		    failed        ? DELIVERY_FAILED
		    : fate == 'd' ? DELIVERY_DEFERRED
		                  : DELIVERY_SENT);
		if (failed)
			(void)refuse(store, ids[i]);
	}
	for (size_t i = n; i > 0; i--)
		if (fates[i - 1] == 'b')
			(void)refuse(store, ids[i - 1]);
}

/* ---- tests ---- */

static void suspends_after_three_in_a_row(void **state)
{
	static const struct {
		const char *fates;
		bool suspended;
	} cases[] = {
		{"rr", false},     {"rrr", true},   {"rrsr", false},
		{"srrr", true},    {"bbb", true},   {"bbbs", true},
		{"bbsb", false},   {"rbr", true},   {"rdrdr", true},
		{"rxr", false},    {"rrxr", false}, {"xxx", false},
		{"rrdddd", false}, {"ss", false},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		owned(store) struct store *store = NULL;
		struct error err = {0};

		assert_done(store_open(&store, "", STORE_WRITE, &err));
		begin_subscriber(store, "ada");
		play(store, cases[i].fates, 0);
		if (is_suspended(store, ADDRESS) != cases[i].suspended)
			fail_msg("%s", cases[i].fates);
	}
}

static void says_which_refusal_suspended(void **state)
{
	begin_subscriber(*state, "ada");
	for (int i = 1; i <= LIMIT_REFUSALS + 1; i++) {
		int64_t id = queue_for(*state, "ada", i);

		end(*state, id, ADDRESS, DELIVERY_FAILED);
		assert_int_equal(refuse(*state, id),
		                 i == LIMIT_REFUSALS ? STORE_SUSPENDED_NOW
		                                     : STORE_REFUSED);
	}
}

static void counts_a_delivery_once(void **state)
{
	int64_t id;

	begin_subscriber(*state, "ada");
	id = queue_for(*state, "ada", 1);
	end(*state, id, ADDRESS, DELIVERY_SENT);
	assert_int_equal(refuse(*state, id), STORE_REFUSED);
	for (int i = 0; i < 5; i++)
		assert_int_equal(refuse(*state, id), STORE_REFUSED_ALREADY);
	assert_false(is_suspended(*state, ADDRESS));
}

static void counts_a_digest_once_that_was_sent_again(void **state)
{
	struct error err = {0};

	begin_subscriber(*state, "ada");
	end(*state, queue_for(*state, "ada", 1), ADDRESS, DELIVERY_FAILED);
	for (int i = 0; i < 4; i++) {
		struct store_again again = {get_last(*state, "ada"), ADDRESS,
		                            "again@example.org", 1500};

		assert_int_equal(refuse(*state, again.last.delivery_id),
		                 STORE_REFUSED);
		assert_done(store_requeue_digest(*state, &again, &err));
		end(*state, get_last(*state, "ada").delivery_id, ADDRESS,
		    DELIVERY_FAILED);
	}
	assert_false(is_suspended(*state, ADDRESS));
}

static void a_bounce_makes_what_was_sent_failed(void **state)
{
	struct store_delivery delivery;
	int64_t id;

	begin_subscriber(*state, "ada");
	id = queue_for(*state, "ada", 1);
	end(*state, id, ADDRESS, DELIVERY_SENT);
	(void)refuse(*state, id);
	delivery = get_delivery(*state, id);
	assert_int_equal(delivery.state, DELIVERY_FAILED);
	assert_string_equal(delivery.last_words, "550 5.1.1 nobody");
	store_delivery_fini(&delivery);
}

static void leaves_what_is_being_sent_to_its_sender(void **state)
{
	struct store_refusal refusal = {1, "no", 3000};
	struct error err = {0};

	begin_subscriber(*state, "ada");
	(void)queue_for(*state, "ada", 1);
	assert_done(store_start_delivery(*state, 1, ADDRESS, 2000, &err));
	assert_fails(store_note_refusal(*state, &refusal, &err));
	assert_int_equal(err.kind, ERROR_TEMPORARY);
	assert_int_equal(state_of(*state, 1), DELIVERY_SENDING);
	refusal.delivery_id = 77;
	assert_fails(store_note_refusal(*state, &refusal, &err));
}

static void lifting_begins_anew(void **state)
{
	struct error err = {0};

	begin_subscriber(*state, "ada");
	assert_gives(store_lift_suspension(*state, "ada", &err), STORE_MISSING);
	assert_gives(store_lift_suspension(*state, "nobody", &err),
	             STORE_MISSING);
	play(*state, "rrr", 0);
	assert_true(get_subscriber(*state, "ada").suspended_at == 3000);
	assert_gives(store_lift_suspension(*state, "ada", &err), STORE_FOUND);
	assert_int_equal(get_subscriber(*state, "ada").suspended_at, 0);
	play(*state, "rr", 10);
	assert_false(is_suspended(*state, ADDRESS));
	play(*state, "r", 20);
	assert_true(is_suspended(*state, ADDRESS));
}

static void a_suspension_is_for_one_address(void **state)
{
	begin_subscriber(*state, "ada");
	play(*state, "rrr", 0);
	assert_true(is_suspended(*state, ADDRESS));
	assert_false(is_suspended(*state, OTHER));
	assert_false(is_suspended(*state, ""));
	play(*state, "xxx", 10);
	assert_true(is_suspended(*state, OTHER));
}

static void lists_who_is_suspended(void **state)
{
	struct store_suspended_list list = {0};
	struct error err = {0};

	begin_subscriber(*state, "ada");
	begin_subscriber(*state, "emmy");
	assert_done(store_list_suspended(*state, &list, &err));
	assert_int_equal(list.n, 0);
	play(*state, "rrr", 0);
	assert_done(store_list_suspended(*state, &list, &err));
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0].subscriber_id, "ada");
	assert_string_equal(list.items[0].address, ADDRESS);
	assert_string_equal(list.items[0].words, "550 5.1.1 nobody");
	assert_int_equal(list.items[0].since, 3000);
	store_suspended_list_fini(&list);
}

/* ---- by Message-ID ---- */

/* The delivery's id; 0: there is none. */
static int64_t find(struct store *store, const char *message_id)
{
	struct store_delivery delivery = {0};
	struct error err = {0};
	int64_t id = 0;
	int rc = store_find_by_message_id(store, message_id, &delivery, &err);

	if (rc < 0)
		fail_msg("%s", err.message);
	if (rc == STORE_FOUND)
		id = delivery.id;
	store_delivery_fini(&delivery);
	return id;
}

static void finds_a_delivery_by_its_message(void **state)
{
	int64_t first;
	int64_t second;

	begin_subscriber(*state, "ada");
	first = queue_for(*state, "ada", 1);
	second = queue_for(*state, "ada", 2);
	assert_int_equal(find(*state,
	                      "00000000000000000000000000000001"
	                      "@example.org"),
	                 first);
	assert_int_equal(find(*state, "00000000000000000000000000000002"),
	                 second);
	assert_int_equal(find(*state,
	                      "00000000000000000000000000000002"
	                      "@example.com"),
	                 0);
	assert_int_equal(find(*state, "00000000000000000000000000000003"), 0);
	assert_int_equal(find(*state, "00000000"), 0);
	assert_int_equal(find(*state, "0000000000000000000000000000000%"), 0);
	assert_int_equal(find(*state, "@example.org"), 0);
	assert_int_equal(find(*state, ""), 0);
}

static void forgets_the_messages_of_old_digests(void **state)
{
	int64_t others;

	begin_subscriber(*state, "ada");
	begin_subscriber(*state, "emmy");
	others = queue_for(*state, "emmy", 100);
	for (int i = 1; i <= LIMIT_BOUNCE_DIGESTS; i++)
		(void)queue_for(*state, "ada", i);
	assert_true(find(*state, "00000000000000000000000000000001") > 0);
	(void)queue_for(*state, "ada", LIMIT_BOUNCE_DIGESTS + 1);
	assert_int_equal(find(*state, "00000000000000000000000000000001"), 0);
	assert_true(find(*state, "00000000000000000000000000000002") > 0);
	assert_int_equal(find(*state, "00000000000000000000000000000064"),
	                 others);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suspends_after_three_in_a_row),
		test_in_memory(says_which_refusal_suspended),
		test_in_memory(counts_a_delivery_once),
		test_in_memory(counts_a_digest_once_that_was_sent_again),
		test_in_memory(a_bounce_makes_what_was_sent_failed),
		test_in_memory(leaves_what_is_being_sent_to_its_sender),
		test_in_memory(lifting_begins_anew),
		test_in_memory(a_suspension_is_for_one_address),
		test_in_memory(lists_who_is_suspended),
		test_in_memory(finds_a_delivery_by_its_message),
		test_in_memory(forgets_the_messages_of_old_digests),
	};

	return cmocka_run_group_tests_name("store: refused addresses", tests,
	                                   NULL, NULL);
}
