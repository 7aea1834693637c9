/* Which category is recovered, and when: by the daemon, and by hand. */

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "poll_private.h"
#include "recover_private.h"

/* After a failure: all categories wait, for they have one server. */
#define REST_FIRST_SEC (15 * 60)
#define REST_MOST_SEC (4 * 3600)
#define JITTER_PERCENT 10

struct recoverer {
	struct service *service;
	struct zone *new_york;
	struct strings categories;
	size_t next;               /* that is looked at */
	struct recovery *recovery; /* NULL: none is under way */
	size_t n_to_look;          /* categories, until nothing is missing */
	unsigned n_failed;         /* in a row */
	int64_t rest_until_ms;
};

static int open_new_york(struct zone **ret_zone, struct error *err)
{
	*ret_zone = zone_open(DAY_NEW_YORK);
	if (*ret_zone)
		return 0;
	return error_set(err, ERROR_SYSTEM,
	                 "the time zone " DAY_NEW_YORK
	                 " is unknown here: install the package tzdata");
}

static int32_t today_of(const struct service *service,
                        const struct zone *new_york)
{
	return zone_day(new_york, clock_now_sec(&service->world->clock));
}

/* 1 if its feed was fetched before. */
static int was_fetched(struct service *service, const char *category,
                       struct error *err)
{
	struct store_feed feed = {0};
	bool was;

	if (store_get_feed(service->store, category, &feed, err) < 0)
		return -1;
	was = feed.polled_at != 0;
	store_feed_fini(&feed);
	return was;
}

/* ---- the daemon's ---- */

int recoverer_open(struct recoverer **ret_recoverer, struct service *service,
                   struct error *err)
{
	owned(recoverer) struct recoverer *recoverer =
		mem_new(sizeof(*recoverer));

	recoverer->service = service;
	if (open_new_york(&recoverer->new_york, err) < 0)
		return -1;
	service_categories(service->conf, NULL, &recoverer->categories);
	*ret_recoverer = take_ptr(recoverer);
	return 0;
}

void recoverer_close(struct recoverer *recoverer)
{
	if (!recoverer)
		return;
	recovery_free(recoverer->recovery);
	zone_close(recoverer->new_york);
	strings_fini(&recoverer->categories);
	free(recoverer);
}

void recoverer_wake(struct recoverer *recoverer)
{
	recoverer->n_to_look = recoverer->categories.n;
}

const char *recoverer_category(const struct recoverer *recoverer)
{
	return recoverer->recovery
	               ? recovery_result(recoverer->recovery).category
	               : NULL;
}

/* 1 if it has one. */
static int find_gap(struct recoverer *recoverer, const char *category,
                    struct gap *ret_gap, struct error *err)
{
	struct service *service = recoverer->service;
	struct store_missed missed;

	if (store_get_missed(service->store, category,
	                     today_of(service, recoverer->new_york), &missed,
	                     err) < 0)
		return -1;
	if (!gap_init(ret_gap, missed.since_day, missed.days))
		return 0;
	ret_gap->known_since = missed.first_day;
	return was_fetched(service, category, err);
}

/* Each category once, in a circle: the one that failed comes last. */
static int begin_next(struct recoverer *recoverer, struct error *err)
{
	for (; recoverer->n_to_look > 0; recoverer->n_to_look--) {
		const char *category =
			recoverer->categories.items[recoverer->next];
		struct gap gap;
		int found = find_gap(recoverer, category, &gap, err);

		if (found < 0)
			return -1;
		recoverer->next =
			(recoverer->next + 1) % recoverer->categories.n;
		if (found) {
			recoverer->recovery = recovery_new(recoverer->service,
			                                   recoverer->new_york,
			                                   category, &gap);
			return 0;
		}
	}
	return 0;
}

static void rest(struct recoverer *recoverer, int64_t retry_after_sec)
{
	int64_t sec = recover_back_off_sec(++recoverer->n_failed,
	                                   REST_FIRST_SEC, REST_MOST_SEC);

	sec += random_below((uint32_t)sec * JITTER_PERCENT / 100 + 1);
	if (sec < retry_after_sec)
		sec = retry_after_sec;
	recoverer->rest_until_ms =
		clock_monotonic_ms(&recoverer->service->world->clock) +
		sec * 1000;
}

static void end(struct recoverer *recoverer)
{
	struct service_recover_result result =
		recovery_result(recoverer->recovery);

	if (result.end == RECOVER_FAILED) {
		log_warning("category %s: catching up: %s", result.category,
		            result.reason);
		rest(recoverer, result.retry_after_sec);
	} else {
		log_info("category %s: catching up: %s", result.category,
		         result.reason);
		recoverer->n_failed = 0;
	}
	recovery_free(take_ptr(recoverer->recovery));
	recoverer_wake(recoverer);
}

int recoverer_turn(struct recoverer *recoverer, int64_t *ret_look_ms,
                   struct error *err)
{
	const struct clock *clock = &recoverer->service->world->clock;
	int rc;

	*ret_look_ms = INT64_MAX;
	if (!recoverer->recovery &&
	    clock_monotonic_ms(clock) >= recoverer->rest_until_ms &&
	    begin_next(recoverer, err) < 0)
		return -1;
	if (!recoverer->recovery) {
		if (recoverer->n_to_look > 0)
			*ret_look_ms = recoverer->rest_until_ms;
		return 0;
	}
	rc = recovery_turn(recoverer->recovery, ret_look_ms, err);
	if (rc == RECOVERY_ENDED)
		end(recoverer);
	return rc < 0 ? -1 : 0;
}

/* ---- by hand ---- */

struct by_hand {
	struct service *service;
	struct zone *new_york;
	struct gap gap;
	const struct service_recover_events *events;
	bool is_sent_away; /* by a Retry-After, which is for all categories */
};

/* One that is not asked for. */
static void tell(const struct by_hand *job, const char *category,
                 enum service_recover_end end, const char *reason)
{
	const struct service_recover_result result = {
		.category = category, .end = end, .reason = reason};

	job->events->result(job->events->ctx, &result);
}

static int note_days(const struct by_hand *job, const char *category,
                     struct error *err)
{
	for (int32_t day = job->gap.first_day; day <= job->gap.last_day; day++)
		if (poll_note_day_off(job->service, category, day, err) < 0)
			return -1;
	return 0;
}

static int run(const struct by_hand *job, struct recovery *recovery,
               struct error *err)
{
	struct service_world *world = job->service->world;
	int64_t look_ms;
	int rc;

	for (rc = recovery_turn(recovery, &look_ms, err);
	     rc == RECOVERY_GOES_ON;
	     rc = recovery_turn(recovery, &look_ms, err))
		if (look_ms > 0 && world->wait(world->ctx, look_ms, err) < 0)
			return -1;
	return rc;
}

static int ask_for(struct by_hand *job, const char *category, struct error *err)
{
	owned(recovery) struct recovery *recovery =
		recovery_new(job->service, job->new_york, category, &job->gap);
	struct service_recover_result result;

	if (note_days(job, category, err) < 0 || run(job, recovery, err) < 0)
		return -1;
	result = recovery_result(recovery);
	job->is_sent_away = result.retry_after_sec > 0;
	job->events->result(job->events->ctx, &result);
	return 0;
}

static int recover_category(struct by_hand *job, const char *category,
                            struct error *err)
{
	int fetched = was_fetched(job->service, category, err);

	if (fetched < 0)
		return -1;
	if (!fetched)
		tell(job, category, RECOVER_FIRST_RUN,
		     "its feed was never fetched, so it has missed nothing");
	else if (job->is_sent_away)
		tell(job, category, RECOVER_FAILED,
		     "not asked for: arXiv is too busy");
	else
		return ask_for(job, category, err);
	return 0;
}

static bool set_days(struct by_hand *job, int32_t since_day)
{
	int32_t today = today_of(job->service, job->new_york);
	int32_t n = today - since_day;

	if (n > LIMIT_RECOVER_DAYS)
		n = LIMIT_RECOVER_DAYS;
	return n > 0 && gap_init(&job->gap, today - n, (1U << n) - 1);
}

int service_recover(struct service *service, const struct strings *categories,
                    int32_t since_day,
                    const struct service_recover_events *events,
                    struct error *err)
{
	struct by_hand job = {.service = service, .events = events};
	int rc = open_new_york(&job.new_york, err);

	if (rc == 0 && !set_days(&job, since_day))
		rc = SERVICE_RECOVER_NO_DAY;
	for (size_t i = 0; rc == 0 && i < categories->n; i++)
		rc = recover_category(&job, categories->items[i], err);
	zone_close(job.new_york);
	return rc;
}
