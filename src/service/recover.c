#include "service/recover.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "feed/oai.h"
#include "model/day.h"
#include "recover_private.h"

/* What a turn may take from a page: some milliseconds of work. */
#define SLICE_BYTES (128U * LIMIT_KIB)
#define SLICE_RECORDS 100U

/* Papers that wait for a weekend, or for a moderator. */
#define EARLIER_DAYS 4

/* What the next turn does. */
enum step {
	STEP_BEGIN,  /* a category */
	STEP_ASK,    /* at ask_ms */
	STEP_ANSWER, /* is waited for */
	STEP_FAILED, /* the answer was none */
	STEP_PARSE,
	STEP_STORE,
	STEP_DONE,
};

struct recovery {
	struct service *service;
	struct zone *new_york;
	struct strings categories;
	int32_t first_day;
	int32_t n_days;
	struct service_recover_events events;
	enum step step;
	size_t n_ended; /* categories; the next one is under way */

	/* Of the category: */
	char *url; /* of the page */
	int64_t ask_ms;
	size_t n_pages;
	size_t n_records;
	size_t n_others; /* records that are not of these days */
	size_t n_left_out;
	int n_tries; /* of what was asked again */
	size_t n_new[LIMIT_RECOVER_DAYS];

	/* Of the page: */
	struct feed_answer answer; /* its body and its error, moved here */
	size_t n_parsed;           /* bytes */
	struct oai_parser *parser;
	struct oai_page *page;
	size_t n_stored; /* records */
};

static const char *category_of(const struct recovery *recovery)
{
	return recovery->categories.items[recovery->n_ended];
}

static int64_t now_of(const struct recovery *recovery)
{
	return clock_now_sec(&recovery->service->world->clock);
}

static void drop_page(struct recovery *recovery)
{
	feed_answer_fini(&recovery->answer);
	oai_parser_free(take_ptr(recovery->parser));
	oai_page_free(take_ptr(recovery->page));
	recovery->n_parsed = 0;
	recovery->n_stored = 0;
}

/* Takes the URL. */
static void ask(struct recovery *recovery, char *url, int64_t at_ms)
{
	drop_page(recovery);
	if (recovery->url != url)
		free(recovery->url);
	recovery->url = url;
	recovery->ask_ms = at_ms;
	recovery->step = STEP_ASK;
}

static void ask_first(struct recovery *recovery)
{
	const struct conf *conf = recovery->service->conf;

	/* What a day's feed shows was announced the evening before. */
	ask(recovery,
	    oai_first_url(conf->feeds.oai_url, category_of(recovery),
	                  recovery->first_day - 1),
	    0);
}

/* ---- the end of a category ---- */

static void tell(const struct service_recover_result *result)
{
	log_line(result->end == RECOVER_FAILED ? LOG_LEVEL_WARNING
	                                       : LOG_LEVEL_INFO,
	         "category %s: catching up: %s", result->category,
	         result->reason);
}

static size_t count_new(const struct recovery *recovery)
{
	size_t n = 0;

	for (int32_t i = 0; i < recovery->n_days; i++)
		n += recovery->n_new[i];
	return n;
}

static void end_category(struct recovery *recovery,
                         enum service_recover_end end, const char *reason)
{
	const struct service_recover_result result = {
		.category = category_of(recovery),
		.end = end,
		.n_new = count_new(recovery),
		.reason = reason,
	};

	if (recovery->events.result)
		recovery->events.result(recovery->events.ctx, &result);
	else
		tell(&result);
	drop_page(recovery);
	recovery->n_ended++;
	recovery->step = STEP_BEGIN;
}

static bool is_batch_missing(enum outcome outcome)
{
	return outcome != OUTCOME_FRESH && outcome != OUTCOME_NO_ANNOUNCEMENT;
}

static bool is_weekend(int32_t day)
{
	return day_date(day).weekday > 4;
}

/* A day on which nobody asked: a weekend needs no batch. */
static int mark_unknown(struct recovery *recovery, struct store_outcome outcome,
                        bool needs_no_batch, struct error *err)
{
	struct store *store = recovery->service->store;
	owned(mem) char *reason = NULL;

	if (needs_no_batch) {
		outcome.outcome = OUTCOME_NO_ANNOUNCEMENT;
		outcome.reason = "a weekend, on which nobody asked";
		return store_set_outcome(store, &outcome, err);
	}
	reason = mem_printf("nobody asked on that day; %s", outcome.reason);
	outcome.outcome = OUTCOME_UNREACHABLE;
	outcome.reason = reason;
	return store_set_recovered(store, &outcome, err);
}

static int mark_day(struct recovery *recovery, int32_t i, struct error *err)
{
	int32_t day = recovery->first_day + i;
	size_t n_new = recovery->n_new[i];
	owned(mem) char *reason =
		mem_printf("recovered %zu papers, no replacements", n_new);
	const struct store_outcome outcome = {
		.of_day = {OUTCOME_OF_CATEGORY, category_of(recovery), day},
		.reason = reason,
		.at = now_of(recovery),
	};
	enum outcome had;
	int found = store_get_outcome(recovery->service->store, &outcome.of_day,
	                              &had, err);

	if (found < 0)
		return -1;
	if (found == STORE_MISSING)
		return mark_unknown(recovery, outcome,
		                    n_new == 0 && is_weekend(day), err);
	if (n_new == 0 && !is_batch_missing(had))
		return 0;
	return store_set_recovered(recovery->service->store, &outcome, err);
}

static char *explain(const struct recovery *recovery)
{
	char first[DAY_TEXT_SIZE];
	char last[DAY_TEXT_SIZE];

	return mem_printf(
		"%zu papers of %s to %s recovered; replacements are not "
		"(%zu other records%s)",
		count_new(recovery), day_format(recovery->first_day, first),
		day_format(recovery->first_day + recovery->n_days - 1, last),
		recovery->n_others,
		recovery->n_left_out > 0 ? ", some of them unusable" : "");
}

static int finish_category(struct recovery *recovery, struct error *err)
{
	owned(mem) char *reason = explain(recovery);

	for (int32_t i = 0; i < recovery->n_days; i++)
		if (mark_day(recovery, i, err) < 0)
			return -1;
	end_category(recovery, RECOVER_DONE, reason);
	return 0;
}

/* ---- asking ---- */

static int begin_category(struct recovery *recovery, struct error *err)
{
	struct store_feed feed;
	int64_t polled_at;

	if (recovery->n_ended == recovery->categories.n) {
		recovery->step = STEP_DONE;
		return 0;
	}
	if (store_get_feed(recovery->service->store, category_of(recovery),
	                   &feed, err) < 0)
		return -1;
	polled_at = feed.polled_at;
	store_feed_fini(&feed);

	recovery->n_pages = 0;
	recovery->n_records = 0;
	recovery->n_others = 0;
	recovery->n_left_out = 0;
	recovery->n_tries = 0;
	memset(recovery->n_new, 0, sizeof(recovery->n_new));
	if (polled_at == 0)
		end_category(recovery, RECOVER_FIRST_RUN,
		             "its feed was never fetched before, so nothing "
		             "is missing");
	else
		ask_first(recovery);
	return 0;
}

static void on_answer(void *arg, struct feed_answer *answer)
{
	struct recovery *recovery = arg;

	recovery->answer = *answer;
	*answer = (struct feed_answer){0};
	if (recovery->answer.kind == FEED_ANSWER_BODY) {
		recovery->parser = oai_parser_new();
		recovery->step = STEP_PARSE;
	} else {
		recovery->step = STEP_FAILED;
	}
}

static void ask_when_due(struct recovery *recovery)
{
	struct service_world *world = recovery->service->world;

	if (clock_monotonic_ms(&world->clock) < recovery->ask_ms)
		return;
	recovery->step = STEP_ANSWER;
	world->fetch(world->ctx, &(struct feed_request){.url = recovery->url},
	             on_answer, recovery);
}

/* A server that is busy says so by 503, and when to come again. */
static void take_failure(struct recovery *recovery)
{
	struct service_world *world = recovery->service->world;
	int64_t wait_sec = recovery->answer.retry_after_sec;

	if (wait_sec > 0 && wait_sec <= LIMIT_RECOVER_WAIT_SEC &&
	    recovery->answer.error.kind == ERROR_TEMPORARY &&
	    recovery->n_tries++ < LIMIT_RECOVER_TRIES)
		ask(recovery, recovery->url,
		    clock_monotonic_ms(&world->clock) + wait_sec * 1000);
	else
		end_category(recovery, RECOVER_FAILED,
		             recovery->answer.error.message);
}

/* ---- a page ---- */

static int finish_parsing(struct recovery *recovery, struct error *err)
{
	struct error why = {0};
	int outcome =
		oai_parser_finish(recovery->parser, &recovery->page, &why);

	if (outcome == OAI_PAGE) {
		recovery->step = STEP_STORE;
		return 0;
	}
	if (outcome == OAI_NONE)
		return finish_category(recovery, err);
	if (outcome == OAI_BAD_TOKEN &&
	    recovery->n_tries++ < LIMIT_RECOVER_TRIES)
		ask_first(recovery);
	else
		end_category(recovery, RECOVER_FAILED,
		             outcome == OAI_BAD_TOKEN
		                     ? "arXiv knows its own resumption token "
		                       "no more"
		                     : why.message);
	return 0;
}

static int parse_some(struct recovery *recovery, struct error *err)
{
	struct span rest =
		span_skip(buf_span(&recovery->answer.body), recovery->n_parsed);
	struct span piece = span_first(rest, SLICE_BYTES);
	struct error why = {0};

	if (rest.len == 0)
		return finish_parsing(recovery, err);
	recovery->n_parsed += piece.len;
	if (oai_parser_push(recovery->parser, piece.ptr, piece.len, &why) < 0)
		end_category(recovery, RECOVER_FAILED, why.message);
	return 0;
}

/*
 * 1 if the category has announced it already. If it did so as a replacement
 * only, the announcement that was missed is version 1's.
 */
static int check_known(struct recovery *recovery, struct paper *paper,
                       struct error *err)
{
	enum announce_type type = ANNOUNCE_NEW;
	int found = store_get_announced(recovery->service->store,
	                                category_of(recovery), paper->id, &type,
	                                err);

	if (found < 0)
		return -1;
	if (found == STORE_MISSING)
		return 0;
	paper->version = 1;
	return type <= ANNOUNCE_CROSS;
}

static int store_paper(struct recovery *recovery, struct paper *paper,
                       int32_t day, struct error *err)
{
	const struct announcement announcement = {
		.paper = paper,
		.type = recover_type(category_of(recovery), paper),
	};
	struct store_batch_counts counts;
	int known = check_known(recovery, paper, err);

	if (known != 0)
		return known < 0 ? -1 : 0;
	if (store_add_batch(recovery->service->store,
	                    &(struct store_batch){category_of(recovery), day,
	                                          now_of(recovery),
	                                          &announcement, 1},
	                    &counts, err) < 0)
		return -1;
	recovery->n_new[day - recovery->first_day] += counts.n_new;
	return 0;
}

static int store_record(struct recovery *recovery,
                        const struct oai_record *record, struct error *err)
{
	int32_t first_day = recovery->first_day;
	int32_t submitted = zone_day(recovery->new_york, record->first_at);
	int32_t day = recover_day(recovery->new_york, record->first_at);

	if (submitted < first_day - EARLIER_DAYS ||
	    day >= first_day + recovery->n_days) {
		recovery->n_others++;
		return 0;
	}
	return store_paper(recovery, record->paper,
	                   day > first_day ? day : first_day, err);
}

static int store_slice(struct recovery *recovery, struct error *err)
{
	const struct oai_page *page = recovery->page;
	size_t until = recovery->n_stored + SLICE_RECORDS;

	for (;
	     recovery->n_stored < page->n_records && recovery->n_stored < until;
	     recovery->n_stored++)
		if (store_record(recovery, &page->records[recovery->n_stored],
		                 err) < 0)
			return -1;
	return 0;
}

/* What was read is the page's; is there another, and may there be? */
static int end_page(struct recovery *recovery, struct error *err)
{
	const struct oai_page *page = recovery->page;

	recovery->n_pages++;
	recovery->n_records +=
		page->n_records + page->n_skipped + page->n_deleted;
	recovery->n_others += page->n_skipped;
	recovery->n_left_out += page->n_skipped;
	if (!page->token)
		return finish_category(recovery, err);
	if (recovery->n_pages >= LIMIT_RECOVER_PAGES ||
	    recovery->n_records >= LIMIT_RECOVER_RECORDS)
		end_category(recovery, RECOVER_FAILED,
		             "arXiv has more records than can be read");
	else
		ask(recovery,
		    oai_next_url(recovery->service->conf->feeds.oai_url,
		                 page->token),
		    0);
	return 0;
}

static int store_some(struct recovery *recovery, struct error *err)
{
	struct store *store = recovery->service->store;

	if (recovery->n_stored == recovery->page->n_records)
		return end_page(recovery, err);
	if (store_begin(store, err) < 0)
		return -1;
	if (store_slice(recovery, err) < 0) {
		store_rollback(store);
		return -1;
	}
	return store_commit(store, err);
}

/* ---- the turns ---- */

static int take_step(struct recovery *recovery, struct error *err)
{
	switch (recovery->step) {
	case STEP_BEGIN:
		return begin_category(recovery, err);
	case STEP_ASK:
		ask_when_due(recovery);
		return 0;
	case STEP_FAILED:
		take_failure(recovery);
		return 0;
	case STEP_PARSE:
		return parse_some(recovery, err);
	case STEP_STORE:
		return store_some(recovery, err);
	case STEP_ANSWER:
	case STEP_DONE:
		return 0;
	}
	return 0;
}

int recovery_turn(struct recovery *recovery, int64_t *ret_look_ms,
                  struct error *err)
{
	if (take_step(recovery, err) < 0)
		return -1;
	*ret_look_ms = 0;
	if (recovery->step == STEP_ANSWER)
		*ret_look_ms = INT64_MAX;
	if (recovery->step == STEP_ASK)
		*ret_look_ms = recovery->ask_ms;
	return recovery->step == STEP_DONE ? RECOVERY_DONE : RECOVERY_GOES_ON;
}

int recovery_open(struct recovery **ret_recovery, struct service *service,
                  const struct service_recover_job *job,
                  const struct service_recover_events *events,
                  struct error *err)
{
	owned(recovery) struct recovery *recovery = mem_new(sizeof(*recovery));
	int32_t n_days = job->last_day - job->first_day + 1;

	recovery->service = service;
	recovery->events = *events;
	recovery->n_days =
		n_days < LIMIT_RECOVER_DAYS ? n_days : LIMIT_RECOVER_DAYS;
	recovery->first_day = job->last_day + 1 - recovery->n_days;
	if (n_days > 0)
		for (size_t i = 0; i < job->categories->n; i++)
			strings_add(&recovery->categories,
			            span_of(job->categories->items[i]));
	recovery->new_york = zone_open(DAY_NEW_YORK);
	if (!recovery->new_york)
		return error_set(err, ERROR_SYSTEM,
		                 "the time zone " DAY_NEW_YORK
		                 " is unknown "
		                 "here: install the package tzdata");
	*ret_recovery = take_ptr(recovery);
	return 0;
}

void recovery_close(struct recovery *recovery)
{
	if (!recovery)
		return;
	drop_page(recovery);
	zone_close(recovery->new_york);
	strings_fini(&recovery->categories);
	free(recovery->url);
	free(recovery);
}

int service_recover(struct service *service,
                    const struct service_recover_job *job,
                    const struct service_recover_events *events,
                    struct error *err)
{
	struct service_world *world = service->world;
	owned(recovery) struct recovery *recovery = NULL;
	int64_t look_ms = 0;
	int rc;

	if (recovery_open(&recovery, service, job, events, err) < 0)
		return -1;
	do {
		rc = recovery_turn(recovery, &look_ms, err);
		if (rc == RECOVERY_GOES_ON && look_ms > 0 &&
		    world->wait(world->ctx, look_ms, err) < 0)
			return -1;
	} while (rc == RECOVERY_GOES_ON);
	return rc;
}
