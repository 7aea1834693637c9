#include "service/poll.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "feed/parser.h"
#include "model/category.h"
#include "model/day.h"
#include "poll_private.h"

/* Fewer entries than this say nothing about freshness. */
#define STALE_MIN_ENTRIES 10
#define STALE_PERCENT 90

/* One category's request on its way. */
struct errand {
	struct errand *next;
	struct poll *poll;
	char *category;
};

void service_poll_results_fini(struct service_poll_results *results)
{
	for (size_t i = 0; i < results->n; i++) {
		free(results->items[i].category);
		free(results->items[i].reason);
	}
	free(results->items);
	*results = (struct service_poll_results){0};
}

static void add_once(struct strings *list, struct span text)
{
	owned(mem) char *copy = mem_dup_span(text);

	if (!strings_has(list, copy))
		strings_add(list, text);
}

/* An archive's parts, or the name itself. */
static void add_pattern(struct strings *categories, struct span pattern)
{
	size_t n = 0;
	const struct category *all = category_all(&n);

	if (!span_ends(pattern, ".*")) {
		add_once(categories, pattern);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (category_matches(pattern, all[i].code))
			add_once(categories, all[i].code);
}

static void add_categories(const struct subscriber *subscriber,
                           struct strings *categories)
{
	for (size_t i = 0; i < subscriber->categories.n; i++)
		add_pattern(categories,
		            span_of(subscriber->categories.items[i]));
}

void service_categories(const struct conf *conf,
                        const struct subscriber *subscriber,
                        struct strings *categories)
{
	if (subscriber) {
		add_categories(subscriber, categories);
		return;
	}
	for (size_t i = 0; i < conf->n_subscribers; i++)
		add_categories(conf->subscribers[i], categories);
}

static int64_t now_of(const struct poll *poll)
{
	return clock_now_sec(&poll->service->world->clock);
}

static int32_t today_of(const struct poll *poll)
{
	return zone_day(poll->new_york, now_of(poll));
}

static struct store_day day_of(const struct poll *poll, const char *category)
{
	return (struct store_day){OUTCOME_OF_CATEGORY, category,
	                          today_of(poll)};
}

static bool has_come(enum outcome outcome)
{
	return outcome == OUTCOME_FRESH || outcome == OUTCOME_PARTIAL;
}

/* May it replace what the day has? A batch that came stays its outcome. */
static bool improves(const struct service_poll_result *result, enum outcome had)
{
	return !has_come(had) || result->n_new > 0;
}

static int record(struct poll *poll, const struct service_poll_result *result,
                  struct error *err)
{
	struct store *store = poll->service->store;
	struct store_outcome row = {
		.of_day = day_of(poll, result->category),
		.outcome = result->outcome,
		.reason = result->reason,
		.at = now_of(poll),
	};
	enum outcome had;
	int found = store_get_outcome(store, &row.of_day, &had, err);

	if (found < 0)
		return -1;
	if (found == STORE_FOUND && !improves(result, had))
		return 0;
	/* More of a batch that had come already. */
	if (found == STORE_FOUND && has_come(had))
		row.outcome = OUTCOME_PARTIAL;
	return store_set_outcome(store, &row, err);
}

void poll_log(const struct service_poll_result *result)
{
	enum log_level level = LOG_LEVEL_INFO;

	if (result->outcome == OUTCOME_UNREACHABLE ||
	    result->outcome == OUTCOME_INVALID ||
	    result->outcome == OUTCOME_PARTIAL)
		level = LOG_LEVEL_WARNING;
	log_line(level, "category %s: %s: %s", result->category,
	         outcome_name(result->outcome), result->reason);
}

/* Holidays are no weekends: which day they touch is not known for sure. */
int poll_note_day_off(const struct service *service, const char *category,
                      int32_t day, struct error *err)
{
	const struct store_outcome row = {
		.of_day = {OUTCOME_OF_CATEGORY, category, day},
		.outcome = day_date(day).weekday > 4 ? OUTCOME_NO_ANNOUNCEMENT
	                                             : OUTCOME_UNREACHABLE,
		.reason = "arxmail did not run",
		.at = clock_now_sec(&service->world->clock),
	};
	enum outcome had;
	int found = store_get_outcome(service->store, &row.of_day, &had, err);

	if (found != STORE_MISSING)
		return found;
	return store_set_outcome(service->store, &row, err);
}

/* Takes the reason. */
static int conclude(struct poll *poll, struct service_poll_result result,
                    struct error *err)
{
	struct service_poll_results *results = &poll->results;

	results->items = mem_grow(results->items, &results->capacity,
	                          results->n + 1, sizeof(*results->items));
	results->items[results->n++] = result;

	if (poll->events->result)
		poll->events->result(poll->events->ctx, &result);
	else
		poll_log(&result);
	return record(poll, &result, err);
}

static enum outcome judge_batch(size_t n_items,
                                const struct store_batch_counts *counts)
{
	if (n_items == 0)
		return OUTCOME_NO_ANNOUNCEMENT;
	if (n_items >= STALE_MIN_ENTRIES &&
	    counts->n_known_before_day * 100 >= n_items * STALE_PERCENT)
		return OUTCOME_STALE;
	return n_items >= LIMIT_FEED_ITEMS_ALARM ? OUTCOME_PARTIAL
	                                         : OUTCOME_FRESH;
}

/* The reason as a sentence; the caller owns it. */
static char *explain_batch(const struct feed *feed, enum outcome outcome,
                           const struct store_batch_counts *counts)
{
	if (outcome == OUTCOME_NO_ANNOUNCEMENT)
		return mem_dup("the feed is empty");
	if (outcome == OUTCOME_STALE)
		return mem_printf(
			"%zu of %zu papers were announced on an "
			"earlier day",
			counts->n_known_before_day, feed->n_items);
	if (feed->n_skipped > 0)
		return mem_printf(
			"%zu papers, %zu of them new; %zu left out: "
			"%s",
			feed->n_items, counts->n_new, feed->n_skipped,
			feed->skipped);
	if (feed->n_items >= LIMIT_FEED_ITEMS_ALARM)
		return mem_printf(
			"%zu papers, %zu of them new; arXiv cuts "
			"feeds at %u, so some may be missing: name "
			"smaller categories",
			feed->n_items, counts->n_new, LIMIT_FEED_ITEMS_ALARM);
	return mem_printf("%zu papers, %zu of them new", feed->n_items,
	                  counts->n_new);
}

static int store_batch(struct poll *poll, const char *category,
                       const struct feed *feed,
                       struct store_batch_counts *ret_counts, struct error *err)
{
	owned(mem) struct announcement *list =
		mem_array(feed->n_items, sizeof(*list));

	for (size_t i = 0; i < feed->n_items; i++) {
		list[i].paper = feed->items[i].paper;
		list[i].type = feed->items[i].type;
	}
	return store_add_batch(poll->service->store,
	                       &(struct store_batch){category, today_of(poll),
	                                             now_of(poll), list,
	                                             feed->n_items},
	                       ret_counts, err);
}

/* Only a body that was stored may be asked for conditionally. */
static int remember(struct poll *poll, const char *category,
                    const struct feed_answer *answer, struct error *err)
{
	const struct store_feed feed = {answer->etag, answer->last_modified,
	                                now_of(poll)};

	return store_set_feed(poll->service->store, category, &feed, err);
}

static int take_body(struct poll *poll, const char *category,
                     const struct feed_answer *answer, struct error *err)
{
	owned(feed) struct feed *feed = NULL;
	struct service_poll_result result = {.category = mem_dup(category)};
	struct store_batch_counts counts = {0};
	struct error why = {0};

	if (feed_parse(buf_span(&answer->body), &feed, &why) < 0) {
		result.outcome = OUTCOME_INVALID;
		result.reason = mem_dup(why.message);
		return conclude(poll, result, err);
	}
	if (store_batch(poll, category, feed, &counts, err) < 0 ||
	    remember(poll, category, answer, err) < 0) {
		free(result.category);
		return -1;
	}
	result.outcome = judge_batch(feed->n_items, &counts);
	result.reason = explain_batch(feed, result.outcome, &counts);
	result.n_papers = feed->n_items;
	result.n_new = counts.n_new;
	result.n_skipped = feed->n_skipped;
	return conclude(poll, result, err);
}

/* The feed is what it was; whether that is news depends on when it came. */
static int take_unchanged(struct poll *poll, const char *category,
                          struct error *err)
{
	struct service_poll_result result = {.category = mem_dup(category)};
	const struct store_day day = day_of(poll, category);
	enum outcome had = OUTCOME_STALE;

	if (store_get_outcome(poll->service->store, &day, &had, err) < 0) {
		free(result.category);
		return -1;
	}
	if (had == OUTCOME_UNREACHABLE || had == OUTCOME_INVALID)
		had = OUTCOME_STALE;
	result.outcome = had;
	result.reason =
		mem_dup("the feed has not changed since it was last "
	                "fetched");
	return conclude(poll, result, err);
}

static int take_failure(struct poll *poll, const char *category,
                        const struct feed_answer *answer, struct error *err)
{
	return conclude(poll,
	                (struct service_poll_result){
				.category = mem_dup(category),
				.outcome = OUTCOME_UNREACHABLE,
				.reason = mem_dup(answer->error.message),
				.retry_after_sec = answer->retry_after_sec,
			},
	                err);
}

static int take_answer(struct poll *poll, const char *category,
                       const struct feed_answer *answer, struct error *err)
{
	switch (answer->kind) {
	case FEED_ANSWER_BODY:
		return take_body(poll, category, answer, err);
	case FEED_ANSWER_NOT_MODIFIED:
		return take_unchanged(poll, category, err);
	case FEED_ANSWER_FAILED:
		return take_failure(poll, category, answer, err);
	}
	return 0;
}

static void free_errand(struct errand *errand)
{
	free(errand->category);
	free(errand);
}

static void on_answer(void *arg, struct feed_answer *answer)
{
	struct errand *errand = arg;
	struct poll *poll = errand->poll;
	struct errand **at = &poll->errands;
	struct error ignored;

	while (*at != errand)
		at = &(*at)->next;
	*at = errand->next;
	poll->n_pending--;
	if (take_answer(poll, errand->category, answer,
	                poll->failed ? &ignored : &poll->error) < 0) {
		poll->failed = true;
		strings_add(&poll->unheard, span_of(errand->category));
	}
	free_errand(errand);
}

int poll_start(struct poll *poll, const char *category, struct error *err)
{
	struct service_world *world = poll->service->world;
	owned(mem) char *url =
		feed_url(poll->service->conf->feeds.url, category);
	struct store_feed known = {0};
	struct errand *errand;

	if (store_get_feed(poll->service->store, category, &known, err) < 0)
		return -1;

	/* Fetched while the clock was wrong: under which day is not known. */
	if (known.polled_at > now_of(poll))
		store_feed_fini(&known);

	errand = mem_new(sizeof(*errand));
	*errand = (struct errand){poll->errands, poll, mem_dup(category)};
	poll->errands = errand;
	poll->n_pending++;
	world->fetch(
		world->ctx,
		&(struct feed_request){url, known.etag, known.last_modified},
		on_answer, errand);
	store_feed_fini(&known);
	return 0;
}

int poll_open(struct poll *poll, struct service *service,
              const struct service_poll_events *poll_events, struct error *err)
{
	*poll = (struct poll){
		.service = service,
		.new_york = zone_open(DAY_NEW_YORK),
		.events = poll_events,
	};
	if (!poll->new_york)
		return error_set(err, ERROR_SYSTEM,
		                 "the time zone " DAY_NEW_YORK
		                 " is unknown here: install the package "
		                 "tzdata");
	return 0;
}

void poll_close(struct poll *poll)
{
	/* Who closed what fetches has ended them without an answer. */
	while (poll->errands) {
		struct errand *errand = poll->errands;

		poll->errands = errand->next;
		free_errand(errand);
	}
	zone_close(poll->new_york);
	service_poll_results_fini(&poll->results);
	strings_fini(&poll->unheard);
}

/* After a failure what is under way is still waited for: it points here. */
static int run(struct poll *poll, const struct strings *categories,
               struct error *err)
{
	struct service_world *world = poll->service->world;

	for (size_t i = 0; i < categories->n && !poll->failed; i++)
		poll->failed = poll_start(poll, categories->items[i],
		                          &poll->error) < 0;
	while (poll->n_pending > 0)
		if (world->wait(world->ctx, INT64_MAX, err) < 0)
			return -1;
	if (poll->failed) {
		*err = poll->error;
		return -1;
	}
	return 0;
}

int service_poll(struct service *service, const struct strings *categories,
                 const struct service_poll_events *events,
                 struct service_poll_results *ret_results, struct error *err)
{
	struct poll poll;
	int rc = poll_open(&poll, service, events, err);

	if (rc == 0)
		rc = run(&poll, categories, err);
	if (rc == 0) {
		*ret_results = poll.results;
		poll.results = (struct service_poll_results){0};
	}
	poll_close(&poll);
	return rc;
}
