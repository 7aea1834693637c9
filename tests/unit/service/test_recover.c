#include "rig.h"

#include "base/limits.h"
#include "service/recover.h"

/*
 * Today is Monday, 2026-09-21. The feed was last fetched on Tuesday, the 15th,
 * so the days from Wednesday to Sunday are missing.
 */
#define TUESDAY (NOON - 6 * DAY_SEC)
#define MAX_RESULTS 4

/* An answer of the archive's: a body, or none with a Retry-After. */
struct answer {
	const char *body;
	int64_t retry_after_sec;
};

/* The archive; it gives its answers in turn, the last one for ever. */
struct archive {
	struct rig *rig;
	const struct answer *answers;
	size_t n_answers;
	size_t n_asked;
	int64_t asked_at; /* last */
	struct buf urls;  /* a line each */
	feed_answer_fn done;
	void *arg;

	struct service_recover_result results[MAX_RESULTS];
	char reasons[MAX_RESULTS][512];
	size_t n_results;
};

static void take_request(void *ctx, const struct feed_request *request,
                         feed_answer_fn done, void *arg)
{
	struct archive *archive = ctx;

	assert_null(archive->done);
	assert_null(request->etag);
	buf_addf(&archive->urls, "%s\n", request->url);
	archive->asked_at = archive->rig->now;
	archive->done = done;
	archive->arg = arg;
}

static void give_answer(struct archive *archive)
{
	size_t last = archive->n_answers - 1;
	size_t i = archive->n_asked < last ? archive->n_asked : last;
	const struct answer *given = &archive->answers[i];
	struct feed_answer answer = {.body = BUF_INIT(FEED_BYTES)};
	feed_answer_fn done = archive->done;

	archive->n_asked++;
	archive->done = NULL;
	if (given->body) {
		buf_add_str(&answer.body, given->body);
	} else {
		answer.kind = FEED_ANSWER_FAILED;
		answer.retry_after_sec = given->retry_after_sec;
		error_set(&answer.error, ERROR_TEMPORARY, "too busy");
	}
	done(archive->arg, &answer);
	feed_answer_fini(&answer);
}

static int wait_for_it(void *ctx, int64_t until_ms, struct error *err)
{
	struct archive *archive = ctx;

	if (archive->done)
		give_answer(archive);
	else if (until_ms == INT64_MAX)
		return error_set(err, ERROR_SYSTEM, "nothing to wait for");
	else
		archive->rig->now = (until_ms + 999) / 1000;
	return 0;
}

static void take_result(void *ctx, const struct service_recover_result *result)
{
	struct archive *archive = ctx;
	size_t i = archive->n_results++;

	assert_true(i < MAX_RESULTS);
	archive->results[i] = *result;
	snprintf(archive->reasons[i], sizeof(archive->reasons[i]), "%s",
	         result->reason);
}

static int32_t today(const struct rig *rig)
{
	owned(zone) struct zone *new_york = zone_open(DAY_NEW_YORK);

	return zone_day(new_york, rig->now);
}

/* Recovers `n_days` until yesterday. Fini the archive's `urls`. */
static struct archive recover(struct rig *rig, int32_t n_days,
                              const struct answer *answers, size_t n)
{
	owned(strings) struct strings categories = {0};
	struct archive archive = {.rig = rig,
	                          .answers = answers,
	                          .n_answers = n,
	                          .urls = BUF_INIT(LIMIT_MIB)};
	const struct service_recover_events events = {take_result, &archive};
	struct service_world world = {.clock = rig->world.clock,
	                              .ctx = &archive,
	                              .fetch = take_request,
	                              .wait = wait_for_it};
	struct service service = {
		.conf = rig->conf, .store = rig->store, .world = &world};
	const struct service_recover_job job = {
		&categories, today(rig) - n_days, today(rig) - 1};
	struct error err = {0};

	service_categories(rig->conf, NULL, &categories);
	if (service_recover(&service, &job, &events, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(archive.n_results, categories.n);
	return archive;
}

#define RECOVER(rig, n_days, ...)                                  \
	recover(rig, n_days, (const struct answer[]){__VA_ARGS__}, \
	        sizeof((const struct answer[]){__VA_ARGS__}) /     \
	                sizeof(struct answer))

#define PAGE(records, token)                                       \
	"<OAI-PMH xmlns=\"http://www.openarchives.org/OAI/2.0/\">" \
	"<ListRecords>" records "<resumptionToken>" token          \
	"</resumptionToken></ListRecords></OAI-PMH>"
#define ERROR(code)                                                \
	"<OAI-PMH xmlns=\"http://www.openarchives.org/OAI/2.0/\">" \
	"<error code=\"" code "\">So it is.</error></OAI-PMH>"
#define VERSION(n, date) \
	"<version version=\"v" n "\"><date>" date "</date></version>"
#define RECORD(id, versions, categories)                               \
	"<record><header><identifier>oai:arXiv.org:" id                \
	"</identifier></header><metadata>"                             \
	"<arXivRaw xmlns=\"http://arxiv.org/OAI/arXivRaw/\">" versions \
	"<title>A retrieval method</title><authors>Ann</authors>"      \
	"<categories>" categories                                      \
	"</categories>"                                                \
	"<abstract>It is new.</abstract></arXivRaw></metadata></record>"

/* In New York it is four hours earlier; the deadline is 14:00. */
#define ON_WEDNESDAY "Tue, 15 Sep 2026 17:59:59 GMT"
#define ON_THURSDAY "Tue, 15 Sep 2026 18:00:00 GMT"
#define ON_FRIDAY "Thu, 17 Sep 2026 17:59:59 GMT"
#define ON_MONDAY "Thu, 17 Sep 2026 18:00:00 GMT"
#define HELD_SINCE_SATURDAY "Sat, 12 Sep 2026 12:00:00 GMT"
#define TOO_OLD "Sat, 12 Sep 2026 03:59:59 GMT"

/* The category's announcements after `seq`: "id vN type day", a line each. */
static void assert_announced(struct rig *rig, int64_t seq, const char *wanted)
{
	owned(store_candidates) struct store_candidates *all = NULL;
	owned(buf) struct buf got = BUF_INIT(LIMIT_MIB);
	struct error err = {0};
	char day[DAY_TEXT_SIZE];

	assert_int_equal(store_load_candidates(rig->store, seq, 0, &all, &err),
	                 0);
	for (size_t i = 0; i < all->n; i++) {
		const struct announcement *item = &all->announcements[i];

		buf_addf(&got, "%s v%u %s %s\n", item->paper->id,
		         item->paper->version, announce_type_name(item->type),
		         day_format(item->day, day));
	}
	assert_string_equal(buf_str(&got), wanted);
}

/* The outcomes of a category: "day outcome[ recovered]: reason", a line each.
 */
static void assert_outcomes(struct rig *rig, const char *wanted)
{
	struct store_outcomes list = {0};
	owned(buf) struct buf got = BUF_INIT(LIMIT_MIB);
	struct error err = {0};
	char day[DAY_TEXT_SIZE];

	assert_int_equal(store_list_outcomes(rig->store, 0, &list, &err), 0);
	for (size_t i = 0; i < list.n; i++)
		if (list.items[i].of_day.of == OUTCOME_OF_CATEGORY)
			buf_addf(&got, "%s %s%s: %s\n",
			         day_format(list.items[i].of_day.day, day),
			         outcome_name(list.items[i].outcome),
			         list.items[i].recovered ? " recovered" : "",
			         list.items[i].reason);
	assert_string_equal(buf_str(&got), wanted);
	store_outcomes_fini(&list);
}

/* The category is known, and then nothing runs until today. */
static void fetch_on_tuesday(struct rig *rig)
{
	rig->now = TUESDAY;
	ANNOUNCE(rig, "2609.00001v1 new A retrieval method",
	         "2609.00002v2 replace Another retrieval method");
	send_now(rig);
	rig->now = NOON;
}

#define TUESDAYS "2026-09-15 fresh: 2 papers, 2 of them new\n"

static void recovers_what_was_new_on_missed_days(void **state)
{
	struct rig *rig = *state;
	struct archive archive;

	fetch_on_tuesday(rig);
	archive = RECOVER(
		rig, 5,
		{PAGE(RECORD("2609.00011", VERSION("1", ON_WEDNESDAY),
	                     "cs.CL cs.LG")
	                      RECORD("2609.00012", VERSION("1", ON_THURSDAY),
	                             "cs.LG cs.CL"),
	              "skip=2"),
	         0},
		{PAGE(RECORD("2609.00013",
	                     VERSION("1", ON_FRIDAY)
	                             VERSION("2",
	                                     "Sun, 20 Sep 2026 10:00:00 "
	                                     "GMT"),
	                     "cs.CL") RECORD("2609.00014",
	                                     VERSION("1", ON_MONDAY), "cs.CL")
	                      RECORD("2609.00015",
	                             VERSION("1", HELD_SINCE_SATURDAY), "cs.CL")
	                              RECORD("2609.00016",
	                                     VERSION("1", TOO_OLD), "cs.CL"),
	              ""),
	         0});
	assert_string_equal(
		buf_str(&archive.urls),
		"https://oaipmh.arxiv.org/oai?verb=ListRecords"
		"&metadataPrefix=arXivRaw&set=cs%3Acs%3ACL&from=2026-09-15\n"
		"https://oaipmh.arxiv.org/oai?verb=ListRecords"
		"&resumptionToken=skip%3D2\n");
	assert_int_equal(archive.results[0].end, RECOVER_DONE);
	assert_int_equal(archive.results[0].n_new, 4);
	assert_string_equal(archive.reasons[0],
	                    "4 papers of 2026-09-16 to 2026-09-20 recovered; "
	                    "replacements are not (2 other records)");
	assert_announced(rig, 2,
	                 "2609.00011 v1 new 2026-09-16\n"
	                 "2609.00012 v1 cross 2026-09-17\n"
	                 "2609.00013 v2 new 2026-09-18\n"
	                 "2609.00015 v1 new 2026-09-16\n");
	assert_outcomes(
		rig, TUESDAYS
		"2026-09-16 unreachable recovered: nobody asked on that day; "
		"recovered 2 papers, no replacements\n"
		"2026-09-17 unreachable recovered: nobody asked on that day; "
		"recovered 1 papers, no replacements\n"
		"2026-09-18 unreachable recovered: nobody asked on that day; "
		"recovered 1 papers, no replacements\n"
		"2026-09-19 no-announcement: a weekend, on which nobody "
		"asked\n"
		"2026-09-20 no-announcement: a weekend, on which nobody "
		"asked\n");
	buf_fini(&archive.urls);
}

#define ONE_PAPER \
	PAGE(RECORD("2609.00011", VERSION("1", ON_WEDNESDAY), "cs.CL"), "")

static void sends_what_it_recovered_once(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	for (int i = 0; i < 2; i++) {
		struct archive archive = RECOVER(rig, 5, {ONE_PAPER, 0});

		assert_int_equal(archive.results[0].n_new, i == 0 ? 1 : 0);
		buf_fini(&archive.urls);
		ANNOUNCE(rig, "2609.00021v1 new Today's retrieval");
		assert_int_equal(send_now(rig), i == 0 ? 1 : 0);
	}
	assert_last_digest(rig, "ada", "2609.00021v1 2609.00011v1");
}

/* What is announced today is left to today's feed, which so is no stale one. */
static void does_not_take_the_news_from_todays_feed(void **state)
{
	struct rig *rig = *state;
	owned(buf) struct buf body = BUF_INIT(FEED_BYTES);
	const char *papers[20];
	char lines[20][64];
	struct archive archive;
	struct answer answer = {0};

	fetch_on_tuesday(rig);
	buf_add_str(&body,
	            "<OAI-PMH xmlns=\"http://www.openarchives.org/OAI/"
	            "2.0/\"><ListRecords>");
	for (int i = 0; i < 20; i++) {
		snprintf(lines[i], sizeof(lines[i]),
		         "2609.001%02dv1 new Retrieval", i);
		papers[i] = lines[i];
		buf_addf(&body, RECORD("2609.001%02d", "%s", "cs.CL"), i,
		         VERSION("1", ON_MONDAY));
	}
	buf_add_str(&body, "</ListRecords></OAI-PMH>");
	answer.body = buf_str(&body);
	archive = recover(rig, 5, &answer, 1);
	assert_int_equal(archive.results[0].n_new, 0);
	buf_fini(&archive.urls);
	announce(rig, papers, 20);
	assert_int_equal(poll(rig), OUTCOME_FRESH);
}

static void knows_what_was_announced_already(void **state)
{
	struct rig *rig = *state;
	struct archive archive;

	fetch_on_tuesday(rig);
	archive = RECOVER(
		rig, 5,
		{PAGE(RECORD("2609.00001",
	                     VERSION("1", HELD_SINCE_SATURDAY)
	                             VERSION("3", ON_FRIDAY),
	                     "cs.CL") RECORD("2609.00002",
	                                     VERSION("1", HELD_SINCE_SATURDAY)
	                                             VERSION("2", ON_WEDNESDAY),
	                                     "cs.CL"),
	              ""),
	         0});
	/* Of the second one the replacement had come, but not the paper. */
	assert_announced(rig, 2, "2609.00002 v1 new 2026-09-16\n");
	buf_fini(&archive.urls);
}

static void marks_bad_days_and_no_good_ones(void **state)
{
	struct rig *rig = *state;
	struct archive archive;

	fetch_on_tuesday(rig);
	rig->now = TUESDAY + DAY_SEC;
	rig->feed[0] = '\0';
	poll(rig);
	rig->now = NOON;
	archive = RECOVER(rig, 6, {ERROR("noRecordsMatch"), 0});
	assert_int_equal(archive.results[0].end, RECOVER_DONE);
	assert_outcomes(
		rig, TUESDAYS
		"2026-09-16 unreachable recovered: no answer; "
		"recovered 0 papers, no replacements\n"
		"2026-09-17 unreachable recovered: nobody asked on that day; "
		"recovered 0 papers, no replacements\n"
		"2026-09-18 unreachable recovered: nobody asked on that day; "
		"recovered 0 papers, no replacements\n"
		"2026-09-19 no-announcement: a weekend, on which nobody "
		"asked\n"
		"2026-09-20 no-announcement: a weekend, on which nobody "
		"asked\n");
	buf_fini(&archive.urls);
}

static void waits_as_long_as_a_busy_server_says(void **state)
{
	struct rig *rig = *state;
	struct archive archive;

	fetch_on_tuesday(rig);
	archive = RECOVER(rig, 5, {NULL, 7}, {NULL, 600}, {ONE_PAPER, 0});
	assert_int_equal(archive.results[0].end, RECOVER_DONE);
	assert_int_equal(archive.results[0].n_new, 1);
	assert_int_equal(archive.n_asked, 3);
	assert_int_equal(archive.asked_at, NOON + 607);
	buf_fini(&archive.urls);
}

static void gives_up_and_marks_nothing(void **state)
{
	static const struct {
		struct answer answers[2];
		size_t n_asked;
		const char *reason;
	} cases[] = {
		{{{NULL, 0}, {NULL, 0}}, 1, "too busy"},
		{{{NULL, LIMIT_RECOVER_WAIT_SEC + 1}, {NULL, 0}},
	         1,
	         "too busy"},
		{{{NULL, 1}, {NULL, 1}}, 1 + LIMIT_RECOVER_TRIES, "too busy"},
		{{{ERROR("badResumptionToken"), 0},
	          {ERROR("badResumptionToken"), 0}},
	         1 + LIMIT_RECOVER_TRIES,
	         "arXiv knows its own resumption token no more"},
		{{{PAGE("", "more"), 0}, {PAGE("", "more"), 0}},
	         LIMIT_RECOVER_PAGES,
	         "arXiv has more records than can be read"},
		{{{PAGE("", "more"), 0}, {"<html></html>", 0}},
	         2,
	         "line 1: an HTML page instead of a feed: the URL is wrong, "
	         "or a proxy or login page answered"},
		{{{ERROR("badArgument"), 0}, {"", 0}},
	         1,
	         "arXiv refused: badArgument: So it is."},
	};
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct archive archive = recover(rig, 5, cases[i].answers, 2);

		print_message("case %zu\n", i);
		assert_int_equal(archive.results[0].end, RECOVER_FAILED);
		assert_string_equal(archive.reasons[0], cases[i].reason);
		assert_int_equal(archive.n_asked, cases[i].n_asked);
		assert_outcomes(rig, TUESDAYS);
		buf_fini(&archive.urls);
	}
}

static void begins_again_when_a_token_has_expired(void **state)
{
	struct rig *rig = *state;
	struct archive archive;

	fetch_on_tuesday(rig);
	archive = RECOVER(rig, 5, {PAGE("", "old"), 0},
	                  {ERROR("badResumptionToken"), 0}, {ONE_PAPER, 0});
	assert_int_equal(archive.results[0].n_new, 1);
	assert_non_null(strstr(strstr(buf_str(&archive.urls), "=old\n"),
	                       "metadataPrefix"));
	buf_fini(&archive.urls);
}

static void goes_on_with_the_next_category(void **state)
{
	struct rig *rig = *state;
	struct archive archive;

	configure(rig,
	          "{ email = \"ada@example.org\"; categories = "
	          "[\"cs.CL\", \"math.IT\"]; }");
	fetch_on_tuesday(rig);
	archive = RECOVER(rig, 5, {"broken", 0},
	                  {PAGE(RECORD("2609.00011", VERSION("1", ON_FRIDAY),
	                               "cs.IT math.IT"),
	                        ""),
	                   0});
	assert_int_equal(archive.results[0].end, RECOVER_FAILED);
	assert_int_equal(archive.results[1].end, RECOVER_DONE);
	assert_announced(rig, 4, "2609.00011 v1 new 2026-09-18\n");
	buf_fini(&archive.urls);
}

static void asks_for_nothing_on_the_first_run(void **state)
{
	struct archive archive = RECOVER(*state, 5, {ONE_PAPER, 0});

	assert_int_equal(archive.results[0].end, RECOVER_FIRST_RUN);
	assert_int_equal(archive.n_asked, 0);
	assert_outcomes(*state, "");
	buf_fini(&archive.urls);
}

static void asks_for_no_more_days_than_digests_look_at(void **state)
{
	struct rig *rig = *state;
	struct archive archive;

	fetch_on_tuesday(rig);
	archive = RECOVER(rig, 400, {ERROR("noRecordsMatch"), 0});
	assert_non_null(strstr(buf_str(&archive.urls), "from=2026-09-06\n"));
	assert_non_null(strstr(archive.reasons[0], "2026-09-07 to 2026-09-20"));
	buf_fini(&archive.urls);
}

static void has_nothing_to_do_when_no_day_is_missing(void **state)
{
	owned(strings) struct strings categories = {0};
	struct rig *rig = *state;
	const struct service_recover_job job = {&categories, today(rig),
	                                        today(rig) - 1};
	const struct service_recover_events events = {0};
	struct error err = {0};

	strings_add(&categories, span_of("cs.CL"));
	assert_int_equal(service_recover(&rig->service, &job, &events, &err),
	                 0);
	assert_outcomes(rig, "");
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recovers_what_was_new_on_missed_days),
		TEST(sends_what_it_recovered_once),
		TEST(does_not_take_the_news_from_todays_feed),
		TEST(knows_what_was_announced_already),
		TEST(marks_bad_days_and_no_good_ones),
		TEST(waits_as_long_as_a_busy_server_says),
		TEST(gives_up_and_marks_nothing),
		TEST(begins_again_when_a_token_has_expired),
		TEST(goes_on_with_the_next_category),
		TEST(asks_for_nothing_on_the_first_run),
		TEST(asks_for_no_more_days_than_digests_look_at),
		TEST(has_nothing_to_do_when_no_day_is_missing),
	};

	return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
