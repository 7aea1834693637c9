/* Which papers are old, and which come later than they should. */

#include "rig.h"

#include "base/limits.h"

/* Of an announcement `sec` after it was stored. */
static size_t send_after(struct rig *rig, int64_t sec)
{
	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	rig->now += sec;
	rig->feed[0] = '\0';
	return send_now(rig);
}

static void papers_of_exactly_two_weeks_come(void **state)
{
	struct rig *rig = *state;

	announce(rig, NULL, 0);
	send_now(rig);
	assert_int_equal(send_after(rig, LIMIT_CANDIDATE_DAYS * DAY_SEC), 1);
}

static void papers_of_a_second_more_do_not(void **state)
{
	struct rig *rig = *state;

	announce(rig, NULL, 0);
	send_now(rig);
	assert_int_equal(send_after(rig, LIMIT_CANDIDATE_DAYS * DAY_SEC + 1),
	                 0);
}

static bool message_has(const struct rig *rig, const char *text)
{
	return strstr(buf_str(&rig->message), text) != NULL;
}

static void papers_that_came_too_late_for_their_digest_say_so(void **state)
{
	struct rig *rig = *state;
	struct error err = {0};

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	assert_int_equal(send_now(rig), 1);
	assert_false(message_has(rig, "too late"));
	/* Tuesday's slot has passed when Tuesday's batch comes. */
	rig->now += DAY_SEC;
	assert_int_equal(store_set_slot(rig->store, "ada",
	                                day_from_date(2026, 9, 22), &err),
	                 0);
	ANNOUNCE(rig, "2609.00011v1 new Another retrieval method");
	assert_int_equal(send_now(rig), 1);
	assert_true(message_has(rig, "announced on Tue 22 Sep, too late"));
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00021v1 new A third retrieval method");
	assert_int_equal(send_now(rig), 1);
	assert_false(message_has(rig, "too late"));
}

static void papers_of_a_digest_that_did_not_arrive_say_so(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	deliver(rig, ACT_DEFER);
	for (int i = 0; i < 2; i++) {
		static const char *const papers[] = {
			"2609.00011v1 new Another retrieval method",
			"2609.00021v1 new A third retrieval method",
		};

		rig->now += DAY_SEC;
		announce(rig, &papers[i], 1);
		poll(rig);
		queue(rig);
		deliver(rig, i == 0 ? ACT_DEFER : ACT_ACCEPT);
	}
	assert_true(message_has(rig, "from the digest of Mon 21 Sep, which"));
	assert_true(message_has(rig, "from the digest of Tue 22 Sep, which"));
	assert_false(message_has(rig, "from the digest of Wed"));
}

/* ---- a backup in the database's place ---- */

/* A queued mail, a backup, the mail is sent; then the backup is restored. */
static void send_and_restore(struct rig *rig)
{
	owned(mem) char *copy = mem_printf("%s/copy", rig->dir);
	owned(mem) char *path = mem_printf("%s/arxmail.db", rig->dir);
	struct error err = {0};

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	assert_int_equal(store_backup(rig->store, copy, &err), 0);
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 1);
	store_close(rig->store);
	remove_file(rig, "arxmail.db-wal");
	remove_file(rig, "arxmail.db-shm");
	assert_int_equal(rename(copy, path), 0);
	assert_int_equal(store_open(&rig->store, rig->dir, STORE_WRITE, &err),
	                 0);
	rig->service.store = rig->store;
}

static void a_backup_sends_no_mail_that_is_older_than_a_day(void **state)
{
	struct rig *rig = *state;

	send_and_restore(rig);
	rig->now += LIMIT_RESTORED_SEC + 1;
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 0);
	assert_state(rig, "ada", DELIVERY_HELD);
	/* It goes on, and new mails do not wait. */
	ANNOUNCE(rig, "2609.00011v1 new Another retrieval method");
	assert_int_equal(send_now(rig), 1);
	assert_last_digest(rig, "ada", "2609.00011v1");
}

static void a_backup_sends_what_is_younger(void **state)
{
	struct rig *rig = *state;

	send_and_restore(rig);
	rig->now += LIMIT_RESTORED_SEC;
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 1);
	assert_state(rig, "ada", DELIVERY_SENT);
}

/* Only a backup holds: a sender that was away for days does not. */
static void what_is_no_backup_sends_old_mails(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	rig->now += 2 * LIMIT_RESTORED_SEC;
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(papers_of_exactly_two_weeks_come),
		CASE(papers_of_a_second_more_do_not),
		CASE(papers_that_came_too_late_for_their_digest_say_so),
		CASE(papers_of_a_digest_that_did_not_arrive_say_so),
		CASE(a_backup_sends_no_mail_that_is_older_than_a_day),
		CASE(a_backup_sends_what_is_younger),
		CASE(what_is_no_backup_sends_old_mails),
	};

	return cmocka_run_group_tests_name("service: candidates", tests, NULL,
	                                   NULL);
}
