#include "archive.h"

/*
 * Today is Monday, 2026-09-21. The feed was last fetched on Tuesday, the 15th,
 * so the days from Wednesday to Sunday are missing.
 */

#define MAX_RESULTS 4

struct told {
	struct service_recover_result results[MAX_RESULTS];
	char reasons[MAX_RESULTS][512];
	size_t n;
};

static void take_result(void *ctx, const struct service_recover_result *result)
{
	struct told *told = ctx;
	size_t i = told->n++;

	assert_true(i < MAX_RESULTS);
	told->results[i] = *result;
	snprintf(told->reasons[i], sizeof(told->reasons[i]), "%s",
	         result->reason);
}

/* Recovers `n_days` until yesterday. */
static struct told recover(struct archive *archive, int32_t n_days)
{
	struct rig *rig = archive->rig;
	owned(strings) struct strings categories = {0};
	struct told told = {0};
	const struct service_recover_events events = {take_result, &told};
	struct service_world world = archive_world(archive);
	struct service service = {
		.conf = rig->conf, .store = rig->store, .world = &world};
	struct error err = {0};

	service_categories(rig->conf, NULL, &categories);
	if (service_recover(&service, &categories, today(rig) - n_days, &events,
	                    &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(told.n, categories.n);
	return told;
}

#define RECOVER(told, archive, rig, n_days, ...)                         \
	struct archive archive = new_archive(rig, ANSWERS(__VA_ARGS__)); \
	struct told told = recover(&(archive), n_days)

static void recovers_what_was_new_on_missed_days(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 5,
	        {PAGE(RECORD("2609.00011", VERSION("1", ON_WEDNESDAY),
	                     "cs.CL cs.LG")
	                      RECORD("2609.00012", VERSION("1", ON_THURSDAY),
	                             "cs.LG cs.CL"),
	              "skip=2"),
	         0},
	        {PAGE(RECORD("2609.00013",
	                     VERSION("1", ON_FRIDAY) VERSION("2", ON_MONDAY),
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
	assert_int_equal(told.results[0].end, RECOVER_DONE);
	assert_int_equal(told.results[0].n_papers, 4);
	assert_string_equal(told.reasons[0],
	                    "recovered 4 papers of 2026-09-16 to 2026-09-18; "
	                    "replacements are not recovered");
	assert_announced(rig, 2,
	                 "2609.00011 v1 new 2026-09-16\n"
	                 "2609.00012 v1 cross 2026-09-17\n"
	                 "2609.00013 v1 new 2026-09-18\n"
	                 "2609.00015 v1 new 2026-09-16\n");
	assert_outcomes(rig, TUESDAYS
	                "2026-09-16 unreachable recovered: arxmail did not "
	                "run; recovered 2 papers, no replacements\n"
	                "2026-09-17 unreachable recovered: arxmail did not "
	                "run; recovered 1 paper, no replacements\n"
	                "2026-09-18 unreachable recovered: arxmail did not "
	                "run; recovered 1 paper, no replacements\n");
	buf_fini(&archive.urls);
}

static void sends_what_it_recovered_once(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	for (int i = 0; i < 2; i++) {
		RECOVER(told, archive, rig, 5, {ONE_PAPER, 0});

		assert_int_equal(told.results[0].n_papers, i == 0 ? 1 : 0);
		buf_fini(&archive.urls);
		ANNOUNCE(rig, "2609.00021v1 new Today's retrieval");
		assert_int_equal(send_now(rig), i == 0 ? 1 : 0);
	}
	assert_last_digest(rig, "ada", "2609.00021v1 2609.00011v1");
	assert_outcomes(rig, TUESDAYS
	                "2026-09-16 unreachable recovered: arxmail did not "
	                "run; recovered 1 paper, no replacements\n"
	                "2026-09-17 unreachable recovered: arxmail did not "
	                "run; recovered 0 papers, no replacements\n"
	                "2026-09-18 unreachable recovered: arxmail did not "
	                "run; recovered 0 papers, no replacements\n"
	                "2026-09-21 fresh: 1 papers, 1 of them new\n");
}

/* A paper that its feed brings after all is not sent again. */
static void sends_nothing_twice_that_a_feed_brings_later(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 5, {ONE_PAPER, 0});
	assert_int_equal(told.results[0].n_papers, 1);
	buf_fini(&archive.urls);
	ANNOUNCE(rig, "2609.00011v1 new A retrieval method");
	assert_int_equal(send_now(rig), 1);
	assert_last_digest(rig, "ada", "2609.00011v1");
	rig->now += DAY_SEC;
	assert_int_equal(send_now(rig), 0);
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
	archive = new_archive(rig, &answer, 1);
	assert_int_equal(recover(&archive, 5).results[0].n_papers, 0);
	buf_fini(&archive.urls);
	announce(rig, papers, 20);
	assert_int_equal(poll(rig), OUTCOME_FRESH);
}

static void knows_what_was_announced_already(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 5,
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
	assert_int_equal(told.results[0].n_papers, 1);
	assert_announced(rig, 2, "2609.00002 v1 new 2026-09-16\n");
	buf_fini(&archive.urls);
}

static void marks_bad_days_and_no_good_ones(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	rig->now = TUESDAY + DAY_SEC;
	rig->feed[0] = '\0';
	poll(rig);
	rig->now = NOON;
	RECOVER(told, archive, rig, 6, {ERROR("noRecordsMatch"), 0});
	assert_int_equal(told.results[0].end, RECOVER_DONE);
	assert_outcomes(rig, TUESDAYS
	                "2026-09-16 unreachable recovered: no answer; "
	                "recovered 0 papers, no replacements\n"
	                "2026-09-17 unreachable recovered: arxmail did not "
	                "run; recovered 0 papers, no replacements\n"
	                "2026-09-18 unreachable recovered: arxmail did not "
	                "run; recovered 0 papers, no replacements\n");
	buf_fini(&archive.urls);
}

static void marks_a_good_day_of_which_it_found_more(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 6,
	        {PAGE(RECORD("2609.00009", VERSION("1", HELD_SINCE_SATURDAY),
	                     "cs.CL"),
	              ""),
	         0});
	assert_int_equal(told.results[0].n_papers, 1);
	assert_announced(rig, 2, "2609.00009 v1 new 2026-09-15\n");
	assert_outcomes(rig,
	                "2026-09-15 fresh recovered: 2 papers, 2 of them new; "
	                "recovered 1 paper, no replacements\n"
	                "2026-09-16 unreachable recovered: arxmail did not "
	                "run; recovered 0 papers, no replacements\n"
	                "2026-09-17 unreachable recovered: arxmail did not "
	                "run; recovered 0 papers, no replacements\n"
	                "2026-09-18 unreachable recovered: arxmail did not "
	                "run; recovered 0 papers, no replacements\n");
	buf_fini(&archive.urls);
}

static void waits_as_long_as_a_busy_server_says(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 5, {NULL, 7}, {NULL, 600}, {ONE_PAPER, 0});
	assert_int_equal(told.results[0].end, RECOVER_DONE);
	assert_int_equal(told.results[0].n_papers, 1);
	assert_int_equal(archive.n_asked, 3);
	assert_int_equal(archive.asked_at, NOON + 607);
	buf_fini(&archive.urls);
}

/* The token is the same, so nothing of the page is missing. */
static void asks_for_the_page_that_failed_again(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 5, {PAGE("", "skip=2"), 0}, {NULL, 0},
	        {NULL, 0}, {ONE_PAPER, 0});
	assert_int_equal(told.results[0].n_papers, 1);
	assert_int_equal(archive.asked_at, NOON + 5 + 10);
	assert_non_null(strstr(buf_str(&archive.urls),
	                       "Token=skip%3D2\n"
	                       "https://oaipmh.arxiv.org/oai?verb=ListRecords"
	                       "&resumptionToken=skip%3D2\n"));
	buf_fini(&archive.urls);
}

#define MORE PAGE("", "more")

static void gives_up_and_marks_nothing(void **state)
{
	static const struct {
		struct answer answers[2];
		size_t n_asked;
		int64_t waited_sec;
		const char *reason;
	} cases[] = {
		{{{NULL, 0}, {NULL, 0}},
	         1 + LIMIT_RECOVER_TRIES,
	         5 + 10 + 20,
	         "too busy"},
		{{{NULL, LIMIT_RECOVER_WAIT_SEC + 1}, {NULL, 0}},
	         1,
	         0,
	         "too busy"},
		{{{NULL, 1}, {NULL, 1}},
	         1 + LIMIT_RECOVER_TRIES,
	         3,
	         "too busy"},
		{{{MORE, 0}, {ERROR("badResumptionToken"), 0}},
	         2,
	         0,
	         "arXiv knows its own resumption token no more: the next try "
	         "begins anew"},
		{{{MORE, 0}, {"<html></html>", 0}},
	         2,
	         0,
	         "line 1: an HTML page instead of a feed: the URL is wrong, "
	         "or a proxy or login page answered"},
		{{{ERROR("badArgument"), 0}, {"", 0}},
	         1,
	         0,
	         "arXiv refused: badArgument: So it is."},
	};
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct archive archive = new_archive(rig, cases[i].answers, 2);
		struct told told;

		print_message("case %zu\n", i);
		rig->now = NOON;
		told = recover(&archive, 3);
		assert_int_equal(told.results[0].end, RECOVER_FAILED);
		assert_string_equal(told.reasons[0], cases[i].reason);
		assert_int_equal(archive.n_asked, cases[i].n_asked);
		assert_int_equal(archive.asked_at, NOON + cases[i].waited_sec);
		assert_outcomes(rig, TUESDAYS
		                "2026-09-18 unreachable: arxmail "
		                "did not run\n");
		buf_fini(&archive.urls);
	}
}

static void reads_so_many_pages_and_says_so(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 3, {MORE, 0});
	assert_int_equal(archive.n_asked, LIMIT_RECOVER_PAGES);
	assert_int_equal(told.results[0].end, RECOVER_DONE);
	assert_string_equal(told.reasons[0],
	                    "recovered 0 papers of 2026-09-18; replacements "
	                    "are not recovered; some may be missing: arXiv had "
	                    "more than 0 records");
	assert_outcomes(rig, TUESDAYS
	                "2026-09-18 unreachable recovered: arxmail did not "
	                "run; recovered 0 papers, no replacements, of more "
	                "than may be read\n");
	buf_fini(&archive.urls);
}

#define DELETED "<record><header status=\"deleted\"/></record>"
#define PAGE_RECORDS 2000

/* Those that are no use count as well: they had to be read. */
static void reads_so_many_records_and_says_so(void **state)
{
	owned(buf) struct buf page = BUF_INIT(LIMIT_MIB);
	struct rig *rig = *state;
	struct answer answer;
	struct archive archive;

	buf_add_str(&page,
	            "<OAI-PMH xmlns=\"http://www.openarchives.org/OAI/"
	            "2.0/\"><ListRecords>");
	for (int i = 0; i < PAGE_RECORDS; i++)
		buf_add_str(&page, DELETED);
	buf_add_str(&page,
	            "<resumptionToken>more</resumptionToken>"
	            "</ListRecords></OAI-PMH>");
	answer = (struct answer){buf_str(&page), 0};
	fetch_on_tuesday(rig);
	archive = new_archive(rig, &answer, 1);
	assert_non_null(strstr(recover(&archive, 3).reasons[0],
	                       "more than 60000 records"));
	assert_int_equal(archive.n_asked, LIMIT_RECOVER_RECORDS / PAGE_RECORDS);
	buf_fini(&archive.urls);
}

static void tells_of_records_that_are_of_no_use(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 3,
	        {PAGE(RECORD("2609.00011", VERSION("1", ON_FRIDAY), "cs.CL")
	                      RECORD("nonsense", VERSION("1", ON_FRIDAY),
	                             "cs.CL"),
	              ""),
	         0});
	assert_int_equal(told.results[0].n_papers, 1);
	assert_non_null(strstr(told.reasons[0], "; 1 left out: line 1: "));
	buf_fini(&archive.urls);
}

#define TWO_CATEGORIES                   \
	"{ email = \"ada@example.org\";" \
	" categories = [\"cs.CL\", \"math.IT\"]; }"

static void goes_on_with_the_next_category(void **state)
{
	struct rig *rig = *state;

	configure(rig, TWO_CATEGORIES);
	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 5, {"broken", 0},
	        {PAGE(RECORD("2609.00011", VERSION("1", ON_FRIDAY),
	                     "cs.IT math.IT"),
	              ""),
	         0});
	assert_int_equal(told.results[0].end, RECOVER_FAILED);
	assert_int_equal(told.results[1].end, RECOVER_DONE);
	assert_announced(rig, 4, "2609.00011 v1 new 2026-09-18\n");
	buf_fini(&archive.urls);
}

static void asks_no_more_when_it_is_sent_away(void **state)
{
	struct rig *rig = *state;

	configure(rig, TWO_CATEGORIES);
	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 5, {NULL, LIMIT_RECOVER_WAIT_SEC + 1});
	assert_int_equal(archive.n_asked, 1);
	assert_int_equal(told.results[1].end, RECOVER_FAILED);
	assert_string_equal(told.reasons[1],
	                    "not asked for: arXiv is too busy");
	buf_fini(&archive.urls);
}

static void asks_for_nothing_on_the_first_run(void **state)
{
	RECOVER(told, archive, *state, 5, {ONE_PAPER, 0});

	assert_int_equal(told.results[0].end, RECOVER_FIRST_RUN);
	assert_int_equal(archive.n_asked, 0);
	assert_outcomes(*state, "");
	buf_fini(&archive.urls);
}

static void asks_for_no_more_days_than_digests_look_at(void **state)
{
	struct rig *rig = *state;

	fetch_on_tuesday(rig);
	RECOVER(told, archive, rig, 400, {ERROR("noRecordsMatch"), 0});
	assert_non_null(strstr(buf_str(&archive.urls), "from=2026-09-06\n"));
	assert_non_null(strstr(told.reasons[0], "2026-09-07 to 2026-09-18"));
	buf_fini(&archive.urls);
}

/* Today's feed is there still, and on a weekend there is none. */
static void has_nothing_to_do_when_no_day_is_missing(void **state)
{
	static const int32_t days_ago[] = {-1, 0, 1, 2};
	struct rig *rig = *state;
	const struct service_recover_events events = {0};
	owned(strings) struct strings categories = {0};
	struct error err = {0};

	strings_add(&categories, span_of("cs.CL"));
	for (size_t i = 0; i < sizeof(days_ago) / sizeof(*days_ago); i++)
		assert_int_equal(service_recover(&rig->service, &categories,
		                                 today(rig) - days_ago[i],
		                                 &events, &err),
		                 SERVICE_RECOVER_NO_DAY);
	assert_outcomes(rig, "");
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recovers_what_was_new_on_missed_days),
		TEST(sends_what_it_recovered_once),
		TEST(sends_nothing_twice_that_a_feed_brings_later),
		TEST(does_not_take_the_news_from_todays_feed),
		TEST(knows_what_was_announced_already),
		TEST(marks_bad_days_and_no_good_ones),
		TEST(marks_a_good_day_of_which_it_found_more),
		TEST(waits_as_long_as_a_busy_server_says),
		TEST(asks_for_the_page_that_failed_again),
		TEST(gives_up_and_marks_nothing),
		TEST(reads_so_many_pages_and_says_so),
		TEST(reads_so_many_records_and_says_so),
		TEST(tells_of_records_that_are_of_no_use),
		TEST(goes_on_with_the_next_category),
		TEST(asks_no_more_when_it_is_sent_away),
		TEST(asks_for_nothing_on_the_first_run),
		TEST(asks_for_no_more_days_than_digests_look_at),
		TEST(has_nothing_to_do_when_no_day_is_missing),
	};

	return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
