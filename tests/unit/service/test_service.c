#include "rig.h"

static void sends_what_matches_and_sends_it_once(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method",
	         "2609.00002v1 new Something else",
	         "2609.00003v1 cross More on Retrieval");
	assert_int_equal(send_now(rig), 1);
	assert_string_equal(rig->sent[0].to, "ada@example.org");
	assert_last_digest(rig, "ada", "2609.00001v1 2609.00003v1");
	assert_day(rig, "ada", OUTCOME_SENT);

	assert_int_equal(send_now(rig), 0);
	assert_day(rig, "ada", OUTCOME_SENT);
}

static void says_when_nothing_matched_or_came(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00002v1 new Something else");
	assert_int_equal(send_now(rig), 0);
	assert_day(rig, "ada", OUTCOME_NOTHING_MATCHED);
	rig->now += DAY_SEC;
	announce(rig, NULL, 0);
	assert_int_equal(send_now(rig), 0);
	assert_day(rig, "ada", OUTCOME_NO_ANNOUNCEMENT);
}

static void a_newcomer_gets_the_newest_batch_only(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	send_now(rig);
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00011v1 new Another retrieval method");
	configure(rig, ADA("keywords = [\"retrieval\"];")
	          ", { id = \"bob\"; email = \"bob@example.org\";"
	          " categories = [\"cs.CL\"]; }");
	assert_int_equal(send_now(rig), 2);
	assert_last_digest(rig, "bob", "2609.00011v1");
	assert_last_digest(rig, "ada", "2609.00011v1");
}

static void a_changed_keyword_sends_nothing_old(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method",
	         "2609.00002v1 new Something else");
	send_now(rig);
	configure(rig, ADA("keywords = [\"something\"];"));
	assert_int_equal(send_now(rig), 0);
}

static void a_changed_address_keeps_its_history(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	send_now(rig);
	configure(rig,
	          "{ id = \"ada\"; email = \"ada@new.example\";"
	          " categories = [\"cs.CL\"]; }");
	assert_int_equal(send_now(rig), 0);
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00011v1 new Another one");
	assert_int_equal(send_now(rig), 1);
	assert_string_equal(rig->sent[1].to, "ada@new.example");
}

static void a_paper_comes_once_over_days_and_versions(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	send_now(rig);
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00001v2 cross A retrieval method");
	assert_int_equal(send_now(rig), 0);
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00001v3 replace A retrieval method");
	assert_int_equal(send_now(rig), 0);
	assert_day(rig, "ada", OUTCOME_NO_ANNOUNCEMENT);
}

static void replacements_come_once_per_version_to_who_asks(void **state)
{
	struct rig *rig = *state;

	configure(rig, ADA("announce = [\"new\", \"cross\", \"replace\"];"));
	ANNOUNCE(rig, "2609.00001v1 new A method");
	assert_int_equal(send_now(rig), 1);
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00001v2 replace A method");
	assert_int_equal(send_now(rig), 1);
	assert_last_digest(rig, "ada", "2609.00001v2");
	rig->now += DAY_SEC;
	assert_int_equal(send_now(rig), 0);
}

static void a_replacement_before_the_first_digest_is_what_comes(void **state)
{
	struct rig *rig = *state;

	announce(rig, NULL, 0);
	configure(rig, ADA("announce = [\"new\", \"replace\"];")
	          ", { id = \"bob\"; email = \"bob@example.org\";"
	          " categories = [\"cs.CL\"]; announce = [\"replace\"]; }");
	send_now(rig);
	ANNOUNCE(rig, "2609.00001v1 new A method");
	poll(rig);
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00001v2 replace A method");
	assert_int_equal(send_now(rig), 2);
	assert_last_digest(rig, "ada", "2609.00001v2");
	assert_last_digest(rig, "bob", "2609.00001v2");
}

static void a_paused_subscriber_gets_no_deferred_mail(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	deliver(rig, ACT_DEFER);
	configure(rig, ADA("keywords = [\"retrieval\"]; paused = true;"));
	assert_int_equal(send_now(rig), 0);
	assert_state(rig, "ada", DELIVERY_DEFERRED);
	configure(rig, ADA("keywords = [\"retrieval\"];"));
	assert_int_equal(send_now(rig), 1);
}

static void a_relay_that_refuses_everybody_loses_nothing(void **state)
{
	struct rig *rig = *state;
	owned(buf) struct buf list = BUF_INIT(4096);

	for (int i = 0; i < 6; i++)
		buf_addf(&list,
		         "%s{ email = \"r%d@example.org\";"
		         " categories = [\"cs.CL\"]; }",
		         i > 0 ? ", " : "", i);
	configure(rig, buf_str(&list));
	ANNOUNCE(rig, "2609.00001v1 new A method");
	poll(rig);
	queue(rig);
	assert_int_equal(deliver(rig, ACT_REFUSE_POLICY).n_sent, 0);
	for (int i = 0; i < 6; i++) {
		char id[32];

		snprintf(id, sizeof(id), "r%d@example.org", i);
		assert_state(rig, id, DELIVERY_QUEUED);
	}
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 6);
}

static void of_several_announcements_the_best_type_counts(void **state)
{
	struct rig *rig = *state;

	configure(rig, ADA("announce = [\"cross\"];"));
	ANNOUNCE(rig, "2609.00001v1 cross A method",
	         "2609.00002v1 new Another");
	poll(rig);
	rig->now += 1;
	ANNOUNCE(rig, "2609.00002v2 cross Another");
	poll(rig);
	queue(rig);
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 1);
	assert_last_digest(rig, "ada", "2609.00001v1");
}

static void papers_older_than_two_weeks_stay_away(void **state)
{
	struct rig *rig = *state;

	announce(rig, NULL, 0);
	send_now(rig);
	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	rig->now += 15 * DAY_SEC;
	ANNOUNCE(rig, "2609.00011v1 new Another retrieval method");
	assert_int_equal(send_now(rig), 1);
	assert_last_digest(rig, "ada", "2609.00011v1");
}

static void a_resumed_subscriber_begins_with_the_newest_batch(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	send_now(rig);
	configure(rig, ADA("keywords = [\"retrieval\"]; paused = true;"));
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00011v1 new Retrieval while away");
	assert_int_equal(send_now(rig), 0);
	assert_day(rig, "ada", OUTCOME_PAUSED);
	configure(rig, ADA("keywords = [\"retrieval\"];"));
	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00021v1 new Retrieval again");
	assert_int_equal(send_now(rig), 1);
	assert_last_digest(rig, "ada", "2609.00021v1");
}

static void topics_have_quotas_and_claim_a_paper_once(void **state)
{
	struct rig *rig = *state;

	configure(rig, ADA("topics = ({ name = \"R\"; query = \"retrieval\";"
	                   " max = 1; weight = 2; }, { name = \"All\"; query = "
	                   "\"method\"; });"
	                   " max_papers = 2;"));
	ANNOUNCE(rig, "2609.00001v1 new Retrieval one",
	         "2609.00002v1 new Retrieval two",
	         "2609.00003v1 new Method three",
	         "2609.00004v1 new Method four");
	assert_int_equal(send_now(rig), 1);
	assert_last_digest(rig, "ada", "2609.00002v1 2609.00004v1");
}

static void a_relay_that_is_down_stops_the_run(void **state)
{
	struct rig *rig = *state;
	struct service_deliver_counts counts;

	configure(rig, ADA("") ", { email = \"bob@example.org\";"
	                       " categories = [\"cs.CL\"]; }");
	ANNOUNCE(rig, "2609.00001v1 new A method");
	poll(rig);
	queue(rig);
	counts = deliver(rig, ACT_RELAY_DOWN);
	assert_string_equal(counts.relay, "the relay said so");
	assert_int_equal(counts.n_left, 2);
	assert_state(rig, "ada", DELIVERY_QUEUED);
	assert_day(rig, "ada", OUTCOME_DEFERRED);
	assert_day(rig, "bob@example.org", OUTCOME_DEFERRED);

	counts = deliver(rig, ACT_RELAY_REFUSES);
	assert_int_equal(counts.n_left, 2);
	assert_state(rig, "ada", DELIVERY_QUEUED);

	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 2);
	assert_day(rig, "bob@example.org", OUTCOME_SENT);
}

static void a_deferred_mail_keeps_its_message_id(void **state)
{
	struct rig *rig = *state;
	char first[64];

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	assert_int_equal(deliver(rig, ACT_DEFER).n_deferred, 1);
	assert_state(rig, "ada", DELIVERY_DEFERRED);
	assert_day(rig, "ada", OUTCOME_DEFERRED);
	memcpy(first, rig->message_id, sizeof(first));
	assert_int_equal(send_now(rig), 1);
	assert_string_equal(rig->sent[0].message_id, first);
	assert_day(rig, "ada", OUTCOME_SENT);
}

static void a_deferred_mail_is_given_up_after_its_time(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	deliver(rig, ACT_DEFER);
	rig->now += 49 * 3600;
	assert_int_equal(deliver(rig, ACT_DEFER).n_failed, 1);
	assert_state(rig, "ada", DELIVERY_FAILED);
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 0);
}

static void a_refused_mail_is_never_sent_again(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	assert_int_equal(deliver(rig, ACT_REFUSE).n_failed, 1);
	assert_day(rig, "ada", OUTCOME_FAILED);
	assert_int_equal(send_now(rig), 0);
}

static void a_mail_lost_after_the_dot_goes_again_or_is_held(void **state)
{
	struct rig *rig = *state;
	char first[64];

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	assert_int_equal(deliver(rig, ACT_LOSE_AFTER_DOT).n_deferred, 1);
	assert_state(rig, "ada", DELIVERY_UNKNOWN);
	memcpy(first, rig->message_id, sizeof(first));
	rig->conf->smtp.hold_unknown = true;
	assert_int_equal(deliver(rig, ACT_LOSE_AFTER_DOT).n_held, 1);
	assert_state(rig, "ada", DELIVERY_HELD);
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 0);
	assert_string_equal(rig->message_id, first);
}

static void a_crash_before_the_dot_loses_and_doubles_nothing(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	deliver(rig, ACT_CRASH_BEFORE_DOT);
	assert_state(rig, "ada", DELIVERY_SENDING);
	rig->conf->smtp.hold_unknown = true; /* does not matter: no dot */
	assert_int_equal(send_now(rig), 1);
	assert_int_equal(rig->n_sent, 1);
}

static void a_crash_after_the_dot_repeats_the_message_id(void **state)
{
	struct rig *rig = *state;
	char first[64];

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	deliver(rig, ACT_CRASH_AFTER_DOT);
	memcpy(first, rig->message_id, sizeof(first));
	assert_int_equal(send_now(rig), 1);
	assert_string_equal(rig->sent[0].message_id, first);
}

static void a_subscriber_who_left_gets_nothing_more(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	queue(rig);
	deliver(rig, ACT_DEFER);
	configure(rig,
	          "{ email = \"bob@example.org\";"
	          " categories = [\"hep-th\"]; keywords = [\"none\"]; }");
	queue(rig);
	assert_int_equal(deliver(rig, ACT_ACCEPT).n_sent, 0);
	assert_state(rig, "ada", DELIVERY_CANCELLED);
}

static void two_who_compose_at_once_queue_one_digest(void **state)
{
	struct rig *rig = *state;
	const struct subscriber *const *list =
		(const struct subscriber *const *)rig->conf->subscribers;
	owned(store) struct store *other = NULL;
	owned(service_composer) struct service_composer *composer = NULL;
	owned(composed) struct service_composed composed = {0};
	struct service theirs;
	struct error err = {0};

	assert_int_equal(store_open(&other, rig->dir, STORE_WRITE, &err), 0);
	theirs = (struct service){
		.conf = rig->conf, .store = other, .world = &rig->world};
	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	/* They have composed when we queue. */
	assert_int_equal(
		service_composer_new(&composer, &theirs, list, 1, &err), 0);
	assert_int_equal(service_compose(composer, list[0], &composed, &err),
	                 COMPOSED);
	assert_int_equal(queue(rig).n_queued, 1);
	assert_int_equal(store_queue_digest(other, composed.digest, "x@y.org",
	                                    &composed.move, &err),
	                 STORE_MARK_MOVED);
}

/* So many that their marks are not all read in one step. */
static void composes_in_steps_as_at_once(void **state)
{
	enum {
		N_SUBSCRIBERS = 5000,
	};
	struct rig *rig = *state;
	owned(mem) const struct subscriber **list =
		mem_array(N_SUBSCRIBERS, sizeof(*list));
	owned(service_composer) struct service_composer *composer =
		service_composer_begin(&rig->service, list, N_SUBSCRIBERS);
	owned(composed) struct service_composed composed = {0};
	struct error err = {0};
	size_t n_steps = 1;

	for (size_t i = 0; i < N_SUBSCRIBERS; i++)
		list[i] = rig->conf->subscribers[0];
	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	for (; service_composer_go_on(composer, &err) == COMPOSER_MORE;
	     n_steps++)
		continue;
	assert_true(n_steps > 4);
	assert_int_equal(service_composer_go_on(composer, &err),
	                 COMPOSER_READY);
	assert_int_equal(service_compose(composer, list[0], &composed, &err),
	                 COMPOSED);
	assert_string_equal(composed.digest->entries[0].paper->id,
	                    "2609.00001");
}

static void a_digest_says_which_feeds_could_not_be_read(void **state)
{
	struct rig *rig = *state;

	configure(rig,
	          "{ email = \"ada@example.org\";"
	          " categories = [\"cs.CL\", \"hep-th\"]; }");
	ANNOUNCE(rig, "2609.00001v1 new A method");
	poll(rig);
	queue(rig);
	deliver(rig, ACT_ACCEPT);
	assert_null(strstr(buf_str(&rig->message), "could not be read"));

	rig->now += DAY_SEC;
	ANNOUNCE(rig, "2609.00011v1 new Another method");
	poll(rig);
	queue(rig);
	rig->feed[0] = '\0';
	configure(rig,
	          "{ email = \"ada@example.org\";"
	          " categories = [\"cs.CL\", \"hep-th\", \"math.NT\"]; }");
	poll(rig);
	deliver(rig, ACT_ACCEPT);
	assert_non_null(strstr(buf_str(&rig->message),
	                       "Today math.NT could not be read"));
}

static void what_is_older_than_keep_days_goes(void **state)
{
	struct rig *rig = *state;
	owned(store_candidates) struct store_candidates *kept = NULL;
	struct error err = {0};

	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	send_now(rig);
	rig->now += 401 * DAY_SEC;
	ANNOUNCE(rig, "2609.00011v1 new Another retrieval method");
	send_now(rig);
	assert_int_equal(service_retain(&rig->service, &err), 0);
	assert_int_equal(store_load_candidates(rig->store, 0, 0, &kept, &err),
	                 0);
	assert_int_equal(kept->n, 1);
	assert_string_equal(kept->papers[0]->id, "2609.00011");
	assert_last_digest(rig, "ada", "2609.00011v1");
}

static void tells_how_a_feed_was(void **state)
{
	static const char *const ten[] = {
		"2609.00001v1 new A", "2609.00002v1 new A",
		"2609.00003v1 new A", "2609.00004v1 new A",
		"2609.00005v1 new A", "2609.00006v1 new A",
		"2609.00007v1 new A", "2609.00008v1 new A",
		"2609.00009v1 new A", "2609.00010v1 new A",
	};
	struct rig *rig = *state;

	announce(rig, NULL, 0);
	assert_int_equal(poll(rig), OUTCOME_NO_ANNOUNCEMENT);
	announce(rig, ten, 10);
	assert_int_equal(poll(rig), OUTCOME_FRESH);
	assert_int_equal(poll(rig), OUTCOME_FRESH);
	rig->now += DAY_SEC;
	assert_int_equal(poll(rig), OUTCOME_STALE);
	rig->feed[0] = '\0';
	assert_int_equal(poll(rig), OUTCOME_UNREACHABLE);
	memcpy(rig->feed, "<html>", 7);
	assert_int_equal(poll(rig), OUTCOME_INVALID);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(sends_what_matches_and_sends_it_once),
		CASE(says_when_nothing_matched_or_came),
		CASE(a_newcomer_gets_the_newest_batch_only),
		CASE(a_changed_keyword_sends_nothing_old),
		CASE(a_changed_address_keeps_its_history),
		CASE(a_paper_comes_once_over_days_and_versions),
		CASE(replacements_come_once_per_version_to_who_asks),
		CASE(a_replacement_before_the_first_digest_is_what_comes),
		CASE(a_paused_subscriber_gets_no_deferred_mail),
		CASE(a_relay_that_refuses_everybody_loses_nothing),
		CASE(of_several_announcements_the_best_type_counts),
		CASE(papers_older_than_two_weeks_stay_away),
		CASE(a_resumed_subscriber_begins_with_the_newest_batch),
		CASE(topics_have_quotas_and_claim_a_paper_once),
		CASE(a_relay_that_is_down_stops_the_run),
		CASE(a_deferred_mail_keeps_its_message_id),
		CASE(a_deferred_mail_is_given_up_after_its_time),
		CASE(a_refused_mail_is_never_sent_again),
		CASE(a_mail_lost_after_the_dot_goes_again_or_is_held),
		CASE(a_crash_before_the_dot_loses_and_doubles_nothing),
		CASE(a_crash_after_the_dot_repeats_the_message_id),
		CASE(a_subscriber_who_left_gets_nothing_more),
		CASE(two_who_compose_at_once_queue_one_digest),
		CASE(composes_in_steps_as_at_once),
		CASE(a_digest_says_which_feeds_could_not_be_read),
		CASE(what_is_older_than_keep_days_goes),
		CASE(tells_how_a_feed_was),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
