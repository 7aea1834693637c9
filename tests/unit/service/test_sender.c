#include "rig.h"

#define MINUTE 60
#define HOUR 3600

static const struct service_deliver_events no_events;

/* The daemon's sender, from one thing to do to the next, until then. */
static void pass(struct rig *rig, struct sender *sender, int64_t sec)
{
	int64_t until = rig->now + sec;
	struct error err = {0};
	int64_t look_ms;
	int turn;

	for (;;) {
		turn = sender_turn(sender, &look_ms, &err);
		assert_true(turn >= 0);
		if (turn != SENDER_WORKS && look_ms > until * 1000)
			break;
		if (turn == SENDER_RESTS && look_ms > read_ms(rig))
			rig->now = (look_ms + 999) / 1000;
		else if (turn == SENDER_WORKS)
			assert_int_equal(fake_wait(rig, read_ms(rig), &err), 0);
	}
	rig->now = until;
}

static void queue_one(struct rig *rig, const char *paper)
{
	announce(rig, &paper, 1);
	poll(rig);
	queue(rig);
}

static struct sender *begin(struct rig *rig, enum relay_act act)
{
	struct sender *sender = NULL;
	struct error err = {0};

	rig->act = act;
	assert_int_equal(sender_open(&sender, &rig->service, &no_events, &err),
	                 0);
	return sender;
}

static bool is_in_trouble(struct rig *rig)
{
	struct store_trouble trouble = {0};
	struct error err = {0};
	int found = store_get_trouble(rig->store, &trouble, &err);

	store_trouble_fini(&trouble);
	assert_true(found >= 0);
	return found == STORE_FOUND;
}

static uint32_t count_attempts(struct rig *rig, int64_t id)
{
	struct store_delivery delivery = {0};
	struct error err = {0};
	uint32_t n;

	assert_int_equal(store_get_delivery(rig->store, id, &delivery, &err),
	                 STORE_FOUND);
	n = delivery.n_attempts;
	store_delivery_fini(&delivery);
	return n;
}

static void sends_what_is_queued_and_rests(void **state)
{
	struct rig *rig = *state;
	owned(sender) struct sender *sender = begin(rig, ACT_ACCEPT);

	pass(rig, sender, MINUTE);
	assert_int_equal(rig->n_sent, 0);
	queue_one(rig, "2609.00001v1 new A retrieval method");
	pass(rig, sender, MINUTE);
	assert_int_equal(rig->n_sent, 1);
	assert_day(rig, "ada", OUTCOME_SENT);
}

static void tries_a_deferred_mail_again_at_its_times(void **state)
{
	struct rig *rig = *state;
	owned(sender) struct sender *sender = begin(rig, ACT_DEFER);

	queue_one(rig, "2609.00001v1 new A retrieval method");
	pass(rig, sender, MINUTE);
	assert_int_equal(count_attempts(rig, 1), 1);
	pass(rig, sender, 3 * MINUTE);
	assert_int_equal(count_attempts(rig, 1), 1);
	pass(rig, sender, 3 * MINUTE);
	assert_int_equal(count_attempts(rig, 1), 2);
	pass(rig, sender, 18 * MINUTE);
	assert_int_equal(count_attempts(rig, 1), 3);
	pass(rig, sender, 24 * HOUR);
	assert_in_range(count_attempts(rig, 1), 13, 16);
	rig->act = ACT_ACCEPT;
	pass(rig, sender, 3 * HOUR);
	assert_int_equal(rig->n_sent, 1);
	assert_state(rig, "ada", DELIVERY_SENT);
}

static void gives_a_deferred_mail_up_after_its_time(void **state)
{
	struct rig *rig = *state;
	owned(sender) struct sender *sender = begin(rig, ACT_DEFER);

	queue_one(rig, "2609.00001v1 new A retrieval method");
	pass(rig, sender, 47 * HOUR);
	assert_state(rig, "ada", DELIVERY_DEFERRED);
	pass(rig, sender, 4 * HOUR);
	assert_state(rig, "ada", DELIVERY_FAILED);
}

static void asks_a_relay_in_trouble_now_and_then(void **state)
{
	static const enum relay_act acts[] = {ACT_RELAY_DOWN, ACT_RELAY_REFUSES,
	                                      ACT_REFUSE_POLICY};
	struct rig *rig = *state;

	configure(rig, ADA("") ", { email = \"bob@example.org\";"
	                       " categories = [\"cs.CL\"]; }"
	                       ", { email = \"eve@example.org\";"
	                       " categories = [\"cs.CL\"]; }"
	                       ", { email = \"joe@example.org\";"
	                       " categories = [\"cs.CL\"]; }");
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		owned(sender) struct sender *sender = begin(rig, acts[i]);
		owned(mem) char *paper =
			mem_printf("2609.0000%zuv1 new A method", i);
		size_t n_sent = rig->n_sent;

		queue_one(rig, paper);
		pass(rig, sender, 30 * HOUR);
		assert_true(is_in_trouble(rig));
		assert_int_equal(rig->n_sent, n_sent);
		assert_state(rig, "ada", DELIVERY_QUEUED);
		rig->act = ACT_ACCEPT;
		pass(rig, sender, 15 * MINUTE);
		assert_false(is_in_trouble(rig));
		assert_int_equal(rig->n_sent, n_sent + 4);
	}
}

static void counts_no_attempt_while_the_relay_is_down(void **state)
{
	struct rig *rig = *state;
	owned(sender) struct sender *sender = begin(rig, ACT_RELAY_DOWN);

	queue_one(rig, "2609.00001v1 new A retrieval method");
	pass(rig, sender, 30 * HOUR);
	assert_int_equal(count_attempts(rig, 1), 0);
}

static void the_next_digest_takes_a_deferred_one_along(void **state)
{
	struct rig *rig = *state;
	struct store_delivery old = {0};
	struct error err = {0};

	queue_one(rig, "2609.00001v1 new A retrieval method");
	deliver(rig, ACT_DEFER);
	rig->now += DAY_SEC;
	queue_one(rig, "2609.00002v1 new Another retrieval method");
	assert_last_digest(rig, "ada", "2609.00002v1 2609.00001v1");
	assert_int_equal(store_get_delivery(rig->store, 1, &old, &err),
	                 STORE_FOUND);
	assert_int_equal(old.state, DELIVERY_SUPERSEDED);
	store_delivery_fini(&old);
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 1);
	assert_int_equal(send_now(rig), 0);
}

static void without_news_a_deferred_one_keeps_its_life(void **state)
{
	struct rig *rig = *state;

	queue_one(rig, "2609.00001v1 new A retrieval method");
	deliver(rig, ACT_DEFER);
	rig->now += DAY_SEC;
	queue_one(rig, "2609.00002v1 new About nothing");
	assert_state(rig, "ada", DELIVERY_DEFERRED);
	assert_last_digest(rig, "ada", "2609.00001v1");
}

/* Once lost after the dot, it may have arrived, whatever comes after. */
static void what_may_have_arrived_is_not_taken_along(void **state)
{
	struct rig *rig = *state;
	struct store_delivery old = {0};
	struct error err = {0};

	queue_one(rig, "2609.00001v1 new A retrieval method");
	deliver(rig, ACT_LOSE_AFTER_DOT);
	deliver(rig, ACT_DEFER);
	deliver(rig, ACT_RELAY_DOWN);
	assert_state(rig, "ada", DELIVERY_UNKNOWN);
	rig->now += DAY_SEC;
	queue_one(rig, "2609.00002v1 new Another retrieval method");
	assert_last_digest(rig, "ada", "2609.00002v1");
	assert_int_equal(store_get_delivery(rig->store, 1, &old, &err),
	                 STORE_FOUND);
	assert_int_equal(old.state, DELIVERY_UNKNOWN);
	store_delivery_fini(&old);
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 2);
}

static void ends_when_it_is_told_to(void **state)
{
	struct rig *rig = *state;
	owned(sender) struct sender *sender = begin(rig, ACT_ACCEPT);
	struct error err = {0};
	int64_t look_ms;

	queue_one(rig, "2609.00001v1 new A retrieval method");
	sender_end(sender);
	assert_int_equal(sender_turn(sender, &look_ms, &err), SENDER_ENDED);
	assert_int_equal(rig->n_sent, 0);
	sender_renew(sender);
	pass(rig, sender, MINUTE);
	assert_int_equal(rig->n_sent, 1);
}

static void waits_for_the_reply_to_a_dot_before_it_ends(void **state)
{
	struct rig *rig = *state;
	owned(sender) struct sender *sender = begin(rig, ACT_ACCEPT);
	struct error err = {0};
	int64_t look_ms;

	queue_one(rig, "2609.00001v1 new A retrieval method");
	while (sender_count_unanswered(sender) == 0) {
		assert_int_equal(sender_turn(sender, &look_ms, &err),
		                 SENDER_WORKS);
		if (sender_count_unanswered(sender) == 0)
			assert_int_equal(fake_wait(rig, 0, &err), 0);
	}
	sender_end(sender);
	assert_int_equal(sender_turn(sender, &look_ms, &err), SENDER_WORKS);
	assert_int_equal(look_ms > read_ms(rig), true);
	assert_int_equal(fake_wait(rig, look_ms, &err), 0);
	while (sender_turn(sender, &look_ms, &err) == SENDER_WORKS)
		;
	assert_state(rig, "ada", DELIVERY_SENT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sends_what_is_queued_and_rests),
		CASE(tries_a_deferred_mail_again_at_its_times),
		CASE(gives_a_deferred_mail_up_after_its_time),
		CASE(asks_a_relay_in_trouble_now_and_then),
		CASE(counts_no_attempt_while_the_relay_is_down),
		CASE(the_next_digest_takes_a_deferred_one_along),
		CASE(without_news_a_deferred_one_keeps_its_life),
		CASE(what_may_have_arrived_is_not_taken_along),
		CASE(ends_when_it_is_told_to),
		CASE(waits_for_the_reply_to_a_dot_before_it_ends),
	};

	return cmocka_run_group_tests_name("service: the sender", tests, NULL,
	                                   NULL);
}
