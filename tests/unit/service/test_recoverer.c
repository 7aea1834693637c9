#include "archive.h"

#include "../disk.h"

/*
 * The daemon's part, on the days of archive.h: what it finds missing by itself,
 * when it asks, and when it asks again.
 */

/* The daemon as far as it matters here; its feeds are the rig's. */
struct keeper {
	struct archive archive;
	struct service_world world;
	struct service service;
	struct poller *poller;
	struct recoverer *recoverer;
};

static void start(struct keeper *keeper, struct rig *rig,
                  const struct answer *answers, size_t n)
{
	struct error err = {0};

	*keeper = (struct keeper){.archive = new_archive(rig, answers, n)};
	keeper->world = archive_world(&keeper->archive);
	keeper->service = (struct service){.conf = rig->conf,
	                                   .store = rig->store,
	                                   .world = &keeper->world};
	/* It notes the days without this program. */
	assert_int_equal(
		poller_open(&keeper->poller, &rig->service, NULL, NULL, &err),
		0);
	assert_int_equal(
		recoverer_open(&keeper->recoverer, &keeper->service, &err), 0);
}

static void stop(struct keeper *keeper)
{
	recoverer_close(keeper->recoverer);
	poller_close(keeper->poller);
	buf_fini(&keeper->archive.urls);
}

#define START(keeper, rig, ...) start(keeper, rig, ANSWERS(__VA_ARGS__))

/* Turns until it waits for the clock, or for good; until when. */
static int64_t turn_until_rest(struct keeper *keeper)
{
	struct archive *archive = &keeper->archive;
	struct error err = {0};
	int64_t look_ms = 0;

	while (look_ms <= archive->rig->now * 1000 || archive->done) {
		if (archive->done)
			give_answer(archive);
		if (recoverer_turn(keeper->recoverer, &look_ms, &err) < 0)
			fail_msg("%s", err.message);
	}
	return look_ms;
}

static int64_t wake(struct keeper *keeper)
{
	recoverer_wake(keeper->recoverer);
	return turn_until_rest(keeper);
}

#define DID_NOT_RUN(day, n)                             \
	"2026-09-" day                                  \
	" unreachable recovered: arxmail did not run; " \
	"recovered " n ", no replacements\n"

static void recovers_the_days_on_which_it_did_not_run(void **state)
{
	struct rig *rig = *state;
	struct keeper keeper;

	fetch_on_tuesday(rig);
	START(&keeper, rig, {ONE_PAPER, 0});
	assert_int_equal(turn_until_rest(&keeper), INT64_MAX);
	assert_int_equal(keeper.archive.n_asked, 0);
	assert_int_equal(wake(&keeper), INT64_MAX);
	assert_int_equal(keeper.archive.n_asked, 1);
	assert_announced(rig, 2, "2609.00011 v1 new 2026-09-16\n");
	assert_outcomes(rig,
	                TUESDAYS DID_NOT_RUN("16", "1 paper")
	                        DID_NOT_RUN("17", "0 papers")
	                                DID_NOT_RUN("18", "0 papers")
	                "2026-09-19 no-announcement: arxmail did not run\n"
	                "2026-09-20 no-announcement: arxmail did not run\n");
	assert_int_equal(wake(&keeper), INT64_MAX);
	assert_int_equal(keeper.archive.n_asked, 1);
	stop(&keeper);
}

/* The world ends each turn of the loop in its callback or in its wait. */
static void waits_for_the_answer_for_as_long_as_it_takes(void **state)
{
	struct rig *rig = *state;
	struct error err = {0};
	struct keeper keeper;
	int64_t look_ms = 0;

	fetch_on_tuesday(rig);
	START(&keeper, rig, {ONE_PAPER, 0});
	recoverer_wake(keeper.recoverer);
	while (!keeper.archive.done)
		assert_int_equal(
			recoverer_turn(keeper.recoverer, &look_ms, &err), 0);
	assert_int_equal(recoverer_turn(keeper.recoverer, &look_ms, &err), 0);
	assert_int_equal(look_ms, INT64_MAX);
	assert_string_equal(recoverer_category(keeper.recoverer), "cs.CL");
	turn_until_rest(&keeper);
	assert_null(recoverer_category(keeper.recoverer));
	stop(&keeper);
}

/* A reload or a stop ends it; what it was doing is found missing again. */
static void is_ended_in_the_middle_and_begins_anew(void **state)
{
	struct rig *rig = *state;
	struct error err = {0};
	struct keeper keeper;
	int64_t look_ms;

	fetch_on_tuesday(rig);
	START(&keeper, rig, {PAGE("", "more"), 0});
	recoverer_wake(keeper.recoverer);
	while (keeper.archive.n_asked < 3) {
		if (keeper.archive.done)
			give_answer(&keeper.archive);
		assert_int_equal(
			recoverer_turn(keeper.recoverer, &look_ms, &err), 0);
	}
	stop(&keeper);
	START(&keeper, rig, {ONE_PAPER, 0});
	wake(&keeper);
	assert_announced(rig, 2, "2609.00011 v1 new 2026-09-16\n");
	stop(&keeper);
}

static void begins_anew_when_a_token_has_expired(void **state)
{
	struct rig *rig = *state;
	struct keeper keeper;
	int64_t look_ms;

	fetch_on_tuesday(rig);
	START(&keeper, rig, {PAGE("", "old"), 0},
	      {ERROR("badResumptionToken"), 0}, {ONE_PAPER, 0});
	look_ms = wake(&keeper);
	assert_announced(rig, 2, "");
	rig->now = look_ms / 1000;
	assert_int_equal(turn_until_rest(&keeper), INT64_MAX);
	assert_announced(rig, 2, "2609.00011 v1 new 2026-09-16\n");
	assert_non_null(strstr(strstr(buf_str(&keeper.archive.urls), "=old\n"),
	                       "metadataPrefix"));
	stop(&keeper);
}

/* Wakes it at once, too: nobody is asked before the time. */
static void rests_longer_after_each_failure(void **state)
{
	static const int64_t rests_min[] = {15, 30, 60, 120, 240, 240};
	struct rig *rig = *state;
	struct keeper keeper;

	fetch_on_tuesday(rig);
	START(&keeper, rig, {ERROR("badArgument"), 0});
	for (size_t i = 0; i < sizeof(rests_min) / sizeof(*rests_min); i++) {
		int64_t sec = wake(&keeper) / 1000 - rig->now;

		assert_in_range(sec, rests_min[i] * 60, rests_min[i] * 66);
		assert_int_equal(keeper.archive.n_asked, i + 1);
		assert_int_equal(wake(&keeper) / 1000 - rig->now, sec);
		assert_int_equal(keeper.archive.n_asked, i + 1);
		rig->now += sec;
	}
	stop(&keeper);
}

static void never_comes_before_it_may(void **state)
{
	struct rig *rig = *state;
	struct keeper keeper;

	fetch_on_tuesday(rig);
	START(&keeper, rig, {NULL, 20000}, {ONE_PAPER, 0});
	assert_int_equal(wake(&keeper) / 1000, NOON + 20000);
	assert_int_equal(keeper.archive.n_asked, 1);
	rig->now = NOON + 20000;
	assert_int_equal(turn_until_rest(&keeper), INT64_MAX);
	assert_int_equal(keeper.archive.n_asked, 2);
	stop(&keeper);
}

/* The feed did not answer on one day; arXiv itself may be late as well. */
static void asks_for_yesterday_again_on_the_next_day(void **state)
{
	struct rig *rig = *state;
	struct keeper keeper;

	fetch_on_tuesday(rig);
	rig->now = TUESDAY + DAY_SEC;
	rig->feed[0] = '\0';
	poll(rig);
	START(&keeper, rig, {ERROR("noRecordsMatch"), 0}, {ONE_PAPER, 0});
	for (size_t i = 0; i < 4; i++) {
		/* On Wednesday itself the day is not over. */
		wake(&keeper);
		assert_int_equal(keeper.archive.n_asked, i < 2 ? i : 2);
		rig->now += DAY_SEC;
	}
	assert_announced(rig, 2, "2609.00011 v1 new 2026-09-16\n");
	assert_outcomes(rig, TUESDAYS
	                "2026-09-16 unreachable recovered: no answer; "
	                "recovered 0 papers, no replacements; "
	                "recovered 1 paper, no replacements\n");
	stop(&keeper);
}

static void asks_for_nothing_that_was_never_fetched(void **state)
{
	struct rig *rig = *state;
	struct keeper keeper;

	rig->now = TUESDAY;
	rig->feed[0] = '\0';
	poll(rig);
	rig->now = NOON;
	START(&keeper, rig, {ONE_PAPER, 0});
	assert_int_equal(wake(&keeper), INT64_MAX);
	assert_int_equal(keeper.archive.n_asked, 0);
	stop(&keeper);
}

/* What was announced while nobody was subscribed is none of its business. */
static void brings_nothing_from_before_the_first_day(void **state)
{
	struct rig *rig = *state;
	struct keeper keeper;

	rig->now = TUESDAY + DAY_SEC;
	ANNOUNCE(rig, "2609.00001v1 new A retrieval method");
	poll(rig);
	rig->now += DAY_SEC;
	rig->feed[0] = '\0';
	poll(rig);
	rig->now += DAY_SEC;
	START(&keeper, rig,
	      {PAGE(RECORD("2609.00010",
	                   VERSION("1", "Mon, 14 Sep 2026 17:59:59 GMT"),
	                   "cs.CL") RECORD("2609.00011",
	                                   VERSION("1", ON_WEDNESDAY), "cs.CL"),
	            ""),
	       0});
	wake(&keeper);
	assert_announced(rig, 1, "2609.00011 v1 new 2026-09-17\n");
	stop(&keeper);
}

/* One that fails does not stand in the way of the others. */
static void takes_its_categories_in_turn(void **state)
{
	struct rig *rig = *state;
	struct keeper keeper;

	configure(rig,
	          "{ email = \"ada@example.org\";"
	          " categories = [\"cs.CL\", \"math.IT\"]; }");
	fetch_on_tuesday(rig);
	START(&keeper, rig, {ERROR("badArgument"), 0}, {ONE_PAPER, 0},
	      {ERROR("badArgument"), 0});
	rig->now = wake(&keeper) / 1000;
	turn_until_rest(&keeper);
	assert_announced(rig, 4, "2609.00011 v1 cross 2026-09-16\n");
	assert_int_equal(keeper.archive.n_asked, 3);
	stop(&keeper);
}

/* Days that are too long ago, and days of a month without this program. */
static void looks_at_two_weeks_at_most(void **state)
{
	struct rig *rig = *state;
	struct keeper keeper;

	fetch_on_tuesday(rig);
	rig->now = NOON + 30 * DAY_SEC; /* Wednesday, 2026-10-21 */
	START(&keeper, rig, {ERROR("noRecordsMatch"), 0});
	assert_int_equal(wake(&keeper), INT64_MAX);
	assert_int_equal(keeper.archive.n_asked, 1);
	assert_non_null(
		strstr(buf_str(&keeper.archive.urls), "from=2026-10-06\n"));
	stop(&keeper);
}

/* All turns, each again until the store takes it; how often it did not. */
static int turn_in_spite_of_all(struct keeper *keeper)
{
	struct archive *archive = &keeper->archive;
	struct error err = {0};
	int64_t look_ms = 0;
	int n_failed = 0;

	recoverer_wake(keeper->recoverer);
	while (look_ms < INT64_MAX || archive->done) {
		if (archive->done)
			give_answer(archive);
		if (recoverer_turn(keeper->recoverer, &look_ms, &err) < 0) {
			look_ms = 0;
			n_failed++;
		}
	}
	return n_failed;
}

/* Of a run whose nth write fails: did it come? */
static bool fails_at(void **state, int n)
{
	struct keeper keeper;
	struct rig *rig;
	int n_failed;

	assert_int_equal(set_up(state), 0);
	rig = *state;
	fetch_on_tuesday(rig);
	START(&keeper, rig, {ONE_PAPER, 0});
	*disk = (struct disk){n, SQLITE_FULL, true};
	n_failed = turn_in_spite_of_all(&keeper);
	assert_in_range(n_failed, 0, 1);
	disk->writes_left = -1;
	assert_announced(rig, 2, "2609.00011 v1 new 2026-09-16\n");
	assert_outcomes(rig,
	                TUESDAYS DID_NOT_RUN("16", "1 paper")
	                        DID_NOT_RUN("17", "0 papers")
	                                DID_NOT_RUN("18", "0 papers")
	                "2026-09-19 no-announcement: arxmail did not run\n"
	                "2026-09-20 no-announcement: arxmail did not run\n");
	stop(&keeper);
	assert_int_equal(tear_down(state), 0);
	*state = NULL;
	return n_failed > 0;
}

static void takes_again_what_the_store_did_not_take(void **state)
{
	int n = 1;

	while (fails_at(state, n))
		n++;
	/* Or it was no test. */
	assert_in_range(n, 5, 1000);
}

static int tear_down_left(void **state)
{
	disk->writes_left = -1;
	return *state ? tear_down(state) : 0;
}

static int begin_disk(void **state)
{
	static struct disk own = {.writes_left = -1};

	(void)state;
	return disk_begin(&own);
}

static int end_disk(void **state)
{
	(void)state;
	return disk_end();
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recovers_the_days_on_which_it_did_not_run),
		TEST(waits_for_the_answer_for_as_long_as_it_takes),
		TEST(is_ended_in_the_middle_and_begins_anew),
		TEST(begins_anew_when_a_token_has_expired),
		TEST(rests_longer_after_each_failure),
		TEST(never_comes_before_it_may),
		TEST(asks_for_yesterday_again_on_the_next_day),
		TEST(asks_for_nothing_that_was_never_fetched),
		TEST(brings_nothing_from_before_the_first_day),
		TEST(takes_its_categories_in_turn),
		TEST(looks_at_two_weeks_at_most),
		cmocka_unit_test_teardown(
			takes_again_what_the_store_did_not_take,
			tear_down_left),
	};

	return cmocka_run_group_tests_name("recoverer", tests, begin_disk,
	                                   end_disk);
}
