#include "service/explore.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "model/category.h"
#include "model/day.h"
#include "service_private.h"

#define SECONDS_PER_DAY 86400

void service_exploration_free(struct service_exploration *exploration)
{
	if (!exploration)
		return;
	store_candidates_free(exploration->candidates);
	free(exploration->items);
	free(exploration);
}

static int find_today(const struct service *service, int32_t *ret_day,
                      struct error *err)
{
	owned(zone) struct zone *zone = zone_open(DAY_NEW_YORK);

	if (!zone)
		return error_set(err, ERROR_SYSTEM,
		                 "the time zone " DAY_NEW_YORK
		                 " is unknown here: install tzdata");
	*ret_day = zone_day(zone, clock_now_sec(&service->world->clock));
	return 0;
}

static int compare_by_id(const void *a, const void *b)
{
	const struct service_explored *left = a;
	const struct service_explored *right = b;
	int order = strcmp(left->paper->id, right->paper->id);

	if (order)
		return order;
	return (left->day > right->day) - (left->day < right->day);
}

static int compare_by_day(const void *a, const void *b)
{
	const struct service_explored *left = a;
	const struct service_explored *right = b;

	if (left->day != right->day)
		return left->day < right->day ? 1 : -1;
	return strcmp(right->paper->id, left->paper->id);
}

/* Of each e-print's announcements, sorted by id, one: see explore.h. */
static size_t merge_versions(struct service_explored *items, size_t n)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct service_explored *last = &items[n_kept];

		if (n_kept == 0 ||
		    strcmp(last[-1].paper->id, items[i].paper->id)) {
			items[n_kept++] = items[i];
			continue;
		}
		last--;
		if (items[i].type < last->type)
			last->type = items[i].type;
		if (items[i].paper->version > last->paper->version)
			last->paper = items[i].paper;
	}
	return n_kept;
}

static void list_papers(struct service_exploration *exploration,
                        const char *category)
{
	const struct store_candidates *candidates = exploration->candidates;
	struct service_explored *items =
		mem_array(candidates->n, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < candidates->n; i++) {
		const struct announcement *a = &candidates->announcements[i];

		if (a->day < exploration->first_day ||
		    a->day > exploration->last_day ||
		    (category && !category_matches(span_of(category),
		                                   span_of(a->category))))
			continue;
		items[n++] =
			(struct service_explored){a->paper, a->type, a->day};
	}
	qsort(items, n, sizeof(*items), compare_by_id);
	n = merge_versions(items, n);
	qsort(items, n, sizeof(*items), compare_by_day);
	exploration->items = items;
	exploration->n = n;
}

int service_explore(struct service_exploration **ret_exploration,
                    struct service *service, const char *category,
                    uint32_t n_days, struct error *err)
{
	owned(service_exploration) struct service_exploration *exploration =
		mem_new(sizeof(*exploration));
	int32_t today;

	if (find_today(service, &today, err) < 0)
		return -1;
	exploration->last_day = today;
	exploration->first_day = today - (int32_t)n_days + 1;
	/* A batch may be stored late, but never before its day begins. */
	if (store_load_candidates(service->store, 0,
	                          (int64_t)(exploration->first_day - 1) *
	                                  SECONDS_PER_DAY,
	                          &exploration->candidates, err) < 0)
		return -1;
	list_papers(exploration, category);
	*ret_exploration = take_ptr(exploration);
	return 0;
}

/* ---- one paper ---- */

void service_story_free(struct service_story *story)
{
	if (!story)
		return;
	store_candidates_free(story->candidates);
	store_deliveries_fini(&story->deliveries);
	free(story->announced);
	free(story);
}

bool service_is_subscribed(const struct subscriber *subscriber,
                           const char *category)
{
	for (size_t i = 0; i < subscriber->categories.n; i++)
		if (category_matches(span_of(subscriber->categories.items[i]),
		                     span_of(category)))
			return true;
	return false;
}

/* What the subscriber's categories let through decides, if anything is. */
static void note_announcement(struct service_story *story,
                              const struct subscriber *subscriber,
                              const struct announcement *announcement)
{
	bool subscribed =
		service_is_subscribed(subscriber, announcement->category);

	story->announced[story->n_announced++] = announcement;
	if (!story->paper ||
	    announcement->paper->version > story->paper->version)
		story->paper = announcement->paper;
	if (subscribed > story->subscribed ||
	    (subscribed == story->subscribed &&
	     announcement->type < story->type))
		story->type = announcement->type;
	story->subscribed = story->subscribed || subscribed;
}

static void find_announcements(struct service_story *story,
                               const struct subscriber *subscriber,
                               const char *id)
{
	const struct store_candidates *candidates = story->candidates;

	story->type = ANNOUNCE_REPLACE_CROSS;
	story->announced = mem_array(candidates->n, sizeof(*story->announced));
	for (size_t i = 0; i < candidates->n; i++)
		if (!strcmp(candidates->announcements[i].paper->id, id))
			note_announcement(story, subscriber,
			                  &candidates->announcements[i]);
	story->wanted = subscriber->announce >> story->type & 1;
}

static int find_deliveries(struct service_story *story, struct service *service,
                           const struct subscriber *subscriber,
                           struct error *err)
{
	int found = store_get_sent(service->store, subscriber->id,
	                           story->paper->id, &story->sent, err);

	if (found != STORE_FOUND)
		return found < 0 ? -1 : 0;
	return store_list_deliveries_of(service->store, story->sent.digest_id,
	                                &story->deliveries, err);
}

static int find_fate(struct service_story *story, struct service *service,
                     const struct subscriber *subscriber, struct error *err)
{
	const struct announcement *last =
		story->announced[story->n_announced - 1];
	struct store_subscriber row = {0};
	int found =
		store_get_subscriber(service->store, subscriber->id, &row, err);
	int32_t today;

	if (found < 0 || find_today(service, &today, err) < 0)
		return -1;
	story->too_old = last->day < today - LIMIT_CANDIDATE_DAYS;
	story->suspended = found == STORE_FOUND && row.suspended_at != 0;
	if (found == STORE_MISSING || row.paused) {
		int64_t mark;

		if (store_newest_batch_mark(service->store,
		                            &subscriber->categories, &mark,
		                            err) < 0)
			return -1;
		row.mark = mark > row.mark ? mark : row.mark;
	}
	story->looked_at = last->seq <= row.mark;
	return find_deliveries(story, service, subscriber, err);
}

int service_tell(struct service_story **ret_story, struct service *service,
                 const struct subscriber *subscriber, const char *id,
                 struct error *err)
{
	owned(service_story) struct service_story *story =
		mem_new(sizeof(*story));

	if (store_load_candidates(service->store, 0, 0, &story->candidates,
	                          err) < 0)
		return -1;
	find_announcements(story, subscriber, id);
	if (story->paper && find_fate(story, service, subscriber, err) < 0)
		return -1;
	*ret_story = take_ptr(story);
	return 0;
}
