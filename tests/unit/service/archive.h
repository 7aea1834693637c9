#pragma once

/* arXiv's archive for tests: it answers in turn what each case says. */

#include "rig.h"

#include "base/limits.h"
#include "service/recover.h"

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
};

static inline struct archive new_archive(struct rig *rig,
                                         const struct answer *answers, size_t n)
{
	return (struct archive){.rig = rig,
	                        .answers = answers,
	                        .n_answers = n,
	                        .urls = BUF_INIT(LIMIT_MIB)};
}

#define ANSWERS(...)                                           \
	(const struct answer[]){__VA_ARGS__},                  \
		sizeof((const struct answer[]){__VA_ARGS__}) / \
			sizeof(struct answer)

static inline void take_request(void *ctx, const struct feed_request *request,
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

static inline void give_answer(struct archive *archive)
{
	size_t last = archive->n_answers - 1;
	size_t i = archive->n_asked < last ? archive->n_asked : last;
	const struct answer *given = &archive->answers[i];
	struct feed_answer answer = {.body = BUF_INIT(LIMIT_FEED_BYTES)};
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

static inline int wait_for_it(void *ctx, int64_t until_ms, struct error *err)
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

/* The world of the archive, with the clock of the rig. */
static inline struct service_world archive_world(struct archive *archive)
{
	return (struct service_world){.clock = archive->rig->world.clock,
	                              .ctx = archive,
	                              .fetch = take_request,
	                              .wait = wait_for_it};
}

static inline int32_t today(const struct rig *rig)
{
	owned(zone) struct zone *new_york = zone_open(DAY_NEW_YORK);

	return zone_day(new_york, rig->now);
}

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

/* The category's announcements after `seq`: "id vN type day", a line each. */
static inline void assert_announced(struct rig *rig, int64_t seq,
                                    const char *wanted)
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
static inline void assert_outcomes(struct rig *rig, const char *wanted)
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

/*
 * The days of these tests. In New York it is four hours earlier; the deadline
 * for the next day's announcement is 14:00.
 */
#define TUESDAY (NOON - 6 * DAY_SEC) /* 2026-09-15 */
#define ON_WEDNESDAY "Tue, 15 Sep 2026 17:59:59 GMT"
#define ON_THURSDAY "Tue, 15 Sep 2026 18:00:00 GMT"
#define ON_FRIDAY "Thu, 17 Sep 2026 17:59:59 GMT"
#define ON_MONDAY "Thu, 17 Sep 2026 18:00:00 GMT"
#define HELD_SINCE_SATURDAY "Sat, 12 Sep 2026 12:00:00 GMT"
#define TOO_OLD "Sat, 12 Sep 2026 03:59:59 GMT"

#define ONE_PAPER \
	PAGE(RECORD("2609.00011", VERSION("1", ON_WEDNESDAY), "cs.CL"), "")

/* The category is known, and then nothing runs until today. */
static inline void fetch_on_tuesday(struct rig *rig)
{
	rig->now = TUESDAY;
	ANNOUNCE(rig, "2609.00001v1 new A retrieval method",
	         "2609.00002v2 replace Another retrieval method");
	send_now(rig);
	rig->now = NOON;
}

#define TUESDAYS "2026-09-15 fresh: 2 papers, 2 of them new\n"
