/* What the admin is told, and how often. */

#include "rig.h"

#include "service/health.h"

#define HOUR 3600
#define MINUTE 60

struct patient {
	struct rig *rig;
	struct health *health;
	int32_t today; /* New York's; NOON is a Monday's 10:13 there */
};

static struct patient begin(struct rig *rig)
{
	configure(rig, ADA(""));
	rig->conf->sender.admin = mem_dup("admin@example.org");
	return (struct patient){rig, health_open(&rig->service),
	                        NOON / DAY_SEC};
}

static void end(struct patient *patient)
{
	health_close(patient->health);
}

static void restart(struct patient *patient)
{
	health_close(patient->health);
	patient->health = health_open(&patient->rig->service);
}

/* One look, and what follows from it. */
static void look(struct patient *patient)
{
	struct error err = {0};
	int64_t look_ms;

	if (health_turn(patient->health, &look_ms, &err) < 0)
		fail_msg("%s", err.message);
	while (patient->rig->step != STEP_NONE) {
		assert_int_equal(
			patient->rig->world.wait(patient->rig, INT64_MAX, &err),
			0);
		if (health_turn(patient->health, &look_ms, &err) < 0)
			fail_msg("%s", err.message);
	}
}

static void look_after(struct patient *patient, int64_t sec)
{
	patient->rig->now += sec;
	look(patient);
}

static void set_outcome(struct patient *patient, enum outcome_of of,
                        const char *name, int32_t day, enum outcome outcome)
{
	struct error err = {0};

	assert_int_equal(
		store_set_outcome(patient->rig->store,
	                          &(struct store_outcome){{of, name, day},
	                                                  outcome,
	                                                  "the reason",
	                                                  1,
	                                                  false},
	                          &err),
		0);
}

static void set_feed(struct patient *patient, int32_t day, enum outcome outcome)
{
	set_outcome(patient, OUTCOME_OF_CATEGORY, "cs.CL", day, outcome);
}

static void set_reader(struct patient *patient, int32_t day,
                       enum outcome outcome)
{
	set_outcome(patient, OUTCOME_OF_SUBSCRIBER, "ada", day, outcome);
}

static void set_trouble(struct patient *patient, int64_t since)
{
	struct error err = {0};
	char words[] = "go away";
	const struct store_trouble trouble = {since, since + 60, words};

	assert_int_equal(store_set_trouble(patient->rig->store, &trouble, &err),
	                 0);
}

/* The n-th mail was to the admin and holds the words. */
static void assert_mail(const struct patient *patient, size_t n,
                        const char *words)
{
	const struct rig *rig = patient->rig;

	assert_int_equal(rig->n_sent, n);
	assert_string_equal(rig->sent[n - 1].to, "admin@example.org");
	if (!strstr(buf_str(&rig->message), words))
		fail_msg("not there: %s: %s", words, buf_str(&rig->message));
}

static void a_feed_goes_and_comes(void **state)
{
	struct patient patient = begin(*state);

	set_feed(&patient, patient.today - 3, OUTCOME_FRESH);
	set_feed(&patient, patient.today, OUTCOME_UNREACHABLE);
	look(&patient);
	assert_mail(&patient, 1, "cs.CL has not come since 2026-09-21");
	assert_mail(&patient, 1, "Subject: arxmail: cs.CL has not come");
	assert_null(strstr(buf_str(&patient.rig->message), "List-"));
	look_after(&patient, 10 * MINUTE);
	restart(&patient);
	look_after(&patient, 2 * HOUR);
	assert_int_equal(patient.rig->n_sent, 1);

	set_feed(&patient, patient.today + 1, OUTCOME_FRESH);
	look_after(&patient, DAY_SEC);
	assert_mail(&patient, 2, "cs.CL comes again");
	restart(&patient);
	look_after(&patient, 2 * HOUR);
	assert_int_equal(patient.rig->n_sent, 2);
	end(&patient);
}

static void days_that_say_nothing_are_silent(void **state)
{
	struct patient patient = begin(*state);

	set_feed(&patient, patient.today - 3, OUTCOME_FRESH);
	set_feed(&patient, patient.today - 2, OUTCOME_UNREACHABLE);
	set_feed(&patient, patient.today - 1, OUTCOME_UNREACHABLE);
	set_feed(&patient, patient.today, OUTCOME_NO_ANNOUNCEMENT);
	look_after(&patient, 3 * HOUR);
	/* Tuesday, one in the morning in New York. */
	set_feed(&patient, patient.today + 1, OUTCOME_UNREACHABLE);
	look_after(&patient, 12 * HOUR);
	assert_int_equal(patient.rig->n_sent, 0);
	/* Nearly four. */
	look_after(&patient, 3 * HOUR);
	assert_int_equal(patient.rig->n_sent, 1);
	end(&patient);
}

static void a_stale_day_tells_when_it_is_over(void **state)
{
	struct patient patient = begin(*state);

	set_feed(&patient, patient.today, OUTCOME_STALE);
	look_after(&patient, HOUR);
	assert_int_equal(patient.rig->n_sent, 0);
	look_after(&patient, HOUR);
	assert_mail(&patient, 1, "stale");
	end(&patient);
}

static void a_relay_tells_when_it_is_back(void **state)
{
	struct patient patient = begin(*state);

	set_trouble(&patient, NOON);
	look(&patient);
	set_feed(&patient, patient.today, OUTCOME_INVALID);
	look_after(&patient, HOUR);
	assert_int_equal(patient.rig->n_sent, 0);
	set_trouble(&patient, 0);
	look_after(&patient, HOUR);
	assert_mail(&patient, 1, "the relay takes mails again");
	assert_mail(&patient, 1, "cs.CL has not come");
	look_after(&patient, 2 * HOUR);
	assert_int_equal(patient.rig->n_sent, 1);
	end(&patient);
}

static void silence_is_told(void **state)
{
	struct patient patient = begin(*state);

	for (int32_t day = -9; day <= 1; day++)
		set_reader(&patient, patient.today + day,
		           day < -4 ? OUTCOME_SENT : OUTCOME_NOTHING_MATCHED);
	/* Wednesday of the week before was the last; Monday: two days. */
	set_reader(&patient, patient.today - 5, OUTCOME_SENT);
	set_reader(&patient, patient.today - 4, OUTCOME_SENT);
	look(&patient);
	assert_int_equal(patient.rig->n_sent, 0);
	look_after(&patient, DAY_SEC);
	assert_int_equal(patient.rig->n_sent, 0);
	look_after(&patient, DAY_SEC);
	assert_mail(&patient, 1, "no digest was sent");
	set_reader(&patient, patient.today + 2, OUTCOME_SENT);
	look_after(&patient, 2 * HOUR);
	assert_mail(&patient, 2, "digests are sent again");
	end(&patient);
}

static void a_new_service_is_not_silent(void **state)
{
	struct patient patient = begin(*state);

	set_reader(&patient, patient.today, OUTCOME_NOTHING_MATCHED);
	look(&patient);
	assert_int_equal(patient.rig->n_sent, 0);
	end(&patient);
}

static void flapping_does_not_flood(void **state)
{
	struct patient patient = begin(*state);

	for (int i = 0; i < 24; i++) {
		set_feed(&patient, patient.today,
		         i % 2 ? OUTCOME_FRESH : OUTCOME_INVALID);
		look_after(&patient, 5 * MINUTE);
	}
	assert_in_range(patient.rig->n_sent, 1, 2);
	end(&patient);
}

static void a_mail_that_fails_is_tried_again(void **state)
{
	struct patient patient = begin(*state);

	set_feed(&patient, patient.today, OUTCOME_INVALID);
	patient.rig->act = ACT_RELAY_DOWN;
	look(&patient);
	patient.rig->act = ACT_DEFER;
	look_after(&patient, 16 * MINUTE);
	patient.rig->act = ACT_ACCEPT;
	look_after(&patient, 10 * MINUTE);
	assert_int_equal(patient.rig->n_sent, 0);
	look_after(&patient, 6 * MINUTE);
	assert_mail(&patient, 1, "cs.CL has not come");
	end(&patient);
}

static void without_an_admin_no_mail_is_sent(void **state)
{
	struct patient patient = begin(*state);

	free(patient.rig->conf->sender.admin);
	patient.rig->conf->sender.admin = NULL;
	set_feed(&patient, patient.today, OUTCOME_INVALID);
	look(&patient);
	set_feed(&patient, patient.today, OUTCOME_FRESH);
	look_after(&patient, 2 * HOUR);
	assert_int_equal(patient.rig->n_sent, 0);
	end(&patient);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_feed_goes_and_comes),
		CASE(days_that_say_nothing_are_silent),
		CASE(a_stale_day_tells_when_it_is_over),
		CASE(a_relay_tells_when_it_is_back),
		CASE(silence_is_told),
		CASE(a_new_service_is_not_silent),
		CASE(flapping_does_not_flood),
		CASE(a_mail_that_fails_is_tried_again),
		CASE(without_an_admin_no_mail_is_sent),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
