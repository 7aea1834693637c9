#include "service/compose.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "compose_private.h"
#include "mail/message.h"
#include "model/day.h"
#include "service_private.h"

/*
 * An e-print's announcements are of two sorts: the first ones (new, cross)
 * and the ones again (replace, replace-cross). Of each the best type counts,
 * then the newest version.
 */
static bool is_better(const struct announcement *a,
                      const struct announcement *b)
{
	if (a->type != b->type)
		return a->type < b->type;
	return a->paper->version > b->paper->version;
}

static void choose(const struct announcement **slot,
                   const struct announcement *next)
{
	if (!*slot || is_better(next, *slot))
		*slot = next;
}

/* Notes for each e-print the announcements that count for the subscriber. */
static void choose_announcements(struct service_composer *composer,
                                 const struct subscriber *subscriber,
                                 int64_t mark)
{
	struct store_candidates *candidates = composer->candidates;
	const struct strings *categories = &composer->categories;
	owned(mem) bool *wanted = mem_array(categories->n, sizeof(*wanted));

	for (size_t i = 0; i < categories->n; i++)
		wanted[i] =
			service_is_subscribed(subscriber, categories->items[i]);
	composer->turn++;
	for (size_t i = 0; i < candidates->n; i++) {
		const struct announcement *next = &candidates->announcements[i];
		size_t first = composer->papers[composer->paper_of[i]].first;
		struct batch_paper *slot = &composer->papers[first];

		if (next->seq <= mark || next->seq > composer->last_seq ||
		    !wanted[composer->category_of[i]])
			continue;
		if (slot->turn != composer->turn)
			slot->as_first = slot->as_again = NULL;
		slot->turn = composer->turn;
		choose(next->type < ANNOUNCE_REPLACE ? &slot->as_first
		                                     : &slot->as_again,
		       next);
	}
}

/* The announcement, if it is one that the subscriber asked for. */
static const struct announcement *
if_wanted(const struct subscriber *subscriber,
          const struct announcement *announcement)
{
	bool wanted = announcement &&
	              (subscriber->announce >> announcement->type & 1);

	return wanted ? announcement : NULL;
}

/*
 * What of an e-print the subscriber may get: NULL is nothing. The text is that
 * of the newest version; its type may turn out to be that of `again`.
 */
struct offer {
	const struct announcement *first;
	const struct announcement *again;
	const struct announcement *shown;
};

static struct offer make_offer(const struct service_composer *composer,
                               const struct subscriber *subscriber,
                               size_t number)
{
	const struct batch_paper *slot = &composer->papers[number];
	struct offer offer = {0};

	if (slot->first != number || slot->turn != composer->turn)
		return offer;
	offer.first = if_wanted(subscriber, slot->as_first);
	offer.again = if_wanted(subscriber, slot->as_again);
	offer.shown = offer.first;
	if (!offer.shown ||
	    (offer.again &&
	     offer.again->paper->version > offer.first->paper->version))
		offer.shown = offer.again;
	return offer;
}

/* A topic with its query, compiled for this subscriber. */
struct compiled {
	const struct topic *topic;
	struct query *query;
};

/* The entry of a paper under its best topic. */
struct found {
	size_t slot;  /* of composer->papers: the e-print */
	size_t paper; /* the version that is shown */
	struct offer offer;
	uint32_t topic;
	double score;
};

/* What the limits leave, best first. */
struct quota {
	struct service_composer *composer;
	const struct subscriber *subscriber;
	const struct compiled *compiled;
	uint32_t *n_of; /* of each topic */
	int64_t mark;
	int32_t served_day; /* see find_served_day() */
};

enum offer_outcome {
	OFFER_NEWS = 0,
	OFFER_OLD = 1,
};

/* Was it announced before the subscriber's mark? Each is looked up once. */
static int was_there(const struct quota *quota, size_t number, bool *ret_was,
                     struct error *err)
{
	struct service_composer *composer = quota->composer;
	struct batch_paper *slot = &composer->papers[number];

	if (slot->first_seq == 0 &&
	    store_first_seq(composer->service->store,
	                    composer->candidates->papers[number]->id,
	                    &slot->first_seq, err) < 0)
		return -1;
	*ret_was = slot->first_seq <= quota->mark;
	return 0;
}

/* Batches that should have been in the digest of a slot that is done. */
static void note_late(const struct quota *quota,
                      const struct announcement *announcement,
                      struct digest_entry *entry)
{
	bool late = announcement->day <= quota->served_day;

	entry->held = late ? HELD_LATE : HELD_NOT;
	entry->held_day = late ? announcement->day : 0;
}

/*
 * Is the offer still news, and as what? New and cross-listed papers come once;
 * replacements once per version.
 */
static int judge_offer(const struct quota *quota, const struct found *item,
                       struct digest_entry *entry, struct error *err)
{
	const struct offer *offer = &item->offer;
	const struct paper *paper = offer->shown->paper;
	const struct announcement *as =
		offer->first ? offer->first : offer->shown;
	struct store_sent sent = {0};
	bool before = false;
	int found;

	entry->paper = offer->shown->paper;
	entry->type = as->type;
	note_late(quota, as, entry);
	if (was_there(quota, item->slot, &before, err) < 0)
		return -1;
	if (!before)
		return OFFER_NEWS;
	found = store_get_sent(quota->composer->service->store,
	                       quota->subscriber->id, paper->id, &sent, err);
	if (found != STORE_FOUND)
		return found < 0 ? -1 : OFFER_NEWS;
	if (!offer->again || sent.version >= paper->version)
		return OFFER_OLD;
	entry->type = offer->again->type;
	note_late(quota, offer->again, entry);
	entry->old_version = sent.version;
	return OFFER_NEWS;
}

static void free_compiled(struct compiled *list)
{
	for (struct compiled *item = list; item->topic; item++)
		query_free(item->query);
	free(list);
}

OWNED_DEFINE(compiled, struct compiled, free_compiled);

/* A list that ends with an item without a topic. */
static int compile_topics(struct service_composer *composer,
                          const struct subscriber *subscriber,
                          struct compiled **ret_list, struct error *err)
{
	owned(compiled) struct compiled *list =
		mem_array(subscriber->n_topics + 1, sizeof(*list));

	for (size_t i = 0; i < subscriber->n_topics; i++) {
		if (query_from_topic(&list[i].query, composer->pool,
		                     &subscriber->topics[i], err) < 0) {
			(void)error_prefix(err, "subscriber %s",
			                   subscriber->id);
			return -1;
		}
		list[i].topic = &subscriber->topics[i];
	}
	*ret_list = take_ptr(list);
	return 0;
}

struct found_list {
	struct found *items;
	size_t n;
	size_t capacity;
};

static uint32_t count_candidates(const struct service_composer *composer,
                                 const struct subscriber *subscriber)
{
	uint32_t n = 0;

	for (size_t i = 0; i < composer->candidates->n_papers; i++)
		n += make_offer(composer, subscriber, i).shown != NULL;
	return n;
}

/* Lets the topic claim the paper if it scores higher than those before. */
static void claim(struct service_composer *composer, struct found_list *found,
                  const struct found *claim)
{
	struct batch_paper *slot = &composer->papers[claim->slot];

	if (slot->claimed == composer->turn) {
		assert(found->items);
		if (claim->score > found->items[slot->entry].score)
			found->items[slot->entry] = *claim;
		return;
	}
	slot->claimed = composer->turn;
	slot->entry = found->n;
	found->items = mem_grow(found->items, &found->capacity, found->n + 1,
	                        sizeof(*found->items));
	found->items[found->n++] = *claim;
}

static void run_topic(struct service_composer *composer,
                      const struct subscriber *subscriber,
                      const struct compiled *compiled, uint32_t number,
                      struct found_list *found)
{
	const struct query_results *results = &composer->results;

	query_run(composer->index, compiled->query, &composer->results);
	for (size_t i = 0; i < results->n; i++) {
		size_t paper = results->items[i].paper;
		struct found item = {
			.slot = composer->papers[paper].first,
			.paper = paper,
			.topic = number,
			.score = compiled->topic->weight *
		                 results->items[i].score,
		};

		item.offer = make_offer(composer, subscriber, item.slot);
		if (item.offer.shown &&
		    item.offer.shown->paper ==
		            composer->candidates->papers[paper])
			claim(composer, found, &item);
	}
}

/* Best first; of equals new ones before cross-lists, then the newest. */
static int compare_found(const void *a, const void *b)
{
	const struct found *left = a;
	const struct found *right = b;

	if (left->score != right->score)
		return left->score < right->score ? 1 : -1;
	if (left->offer.shown->type != right->offer.shown->type)
		return left->offer.shown->type < right->offer.shown->type ? -1
		                                                          : 1;
	return left->slot < right->slot ? 1 : left->slot > right->slot ? -1 : 0;
}

static bool has_room(const struct quota *quota, const struct digest *digest,
                     uint32_t topic)
{
	uint32_t max = quota->compiled[topic].topic->max;

	return digest->n_entries < quota->subscriber->max_papers &&
	       (max == 0 || quota->n_of[topic] < max);
}

static int pick_entries(const struct quota *quota,
                        const struct found_list *found, struct digest *digest,
                        struct error *err)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct found *item = &found->items[i];
		struct digest_entry entry = {.topic = item->topic,
		                             .score = item->score};
		int news;

		if (item->score < quota->subscriber->min_score)
			continue;
		news = judge_offer(quota, item, &entry, err);
		if (news < 0)
			return -1;
		if (news == OFFER_OLD)
			continue;
		digest->n_matched++;
		if (!has_room(quota, digest, item->topic))
			continue;
		quota->n_of[item->topic]++;
		query_why(quota->composer->index,
		          quota->compiled[item->topic].query, item->paper,
		          &entry.match);
		*digest_add(digest) = entry;
	}
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct digest_entry *left = a;
	const struct digest_entry *right = b;

	if (digest_is_update(left) != digest_is_update(right))
		return digest_is_update(left) ? 1 : -1;
	if (left->topic != right->topic)
		return left->topic < right->topic ? -1 : 1;
	if (left->score != right->score)
		return left->score < right->score ? 1 : -1;
	if (left->type != right->type)
		return left->type < right->type ? -1 : 1;
	return strcmp(right->paper->id, left->paper->id);
}

void service_sort_entries(struct digest *digest)
{
	if (digest->n_entries > 0)
		qsort(digest->entries, digest->n_entries,
		      sizeof(*digest->entries), compare_entries);
}

/*
 * The last of New York's days whose batches the subscriber's last slot should
 * have had: what comes of them later, comes late. 0: none.
 */
static int32_t find_served_day(const struct service_composer *composer,
                               const struct subscriber *subscriber,
                               const struct standing *standing)
{
	owned(zone) struct zone *zone = NULL;
	int64_t at;

	if (standing->begin || standing->slot_day == 0 || !composer->new_york)
		return 0;
	zone = zone_open(subscriber->timezone);
	if (!zone ||
	    zone_instant(zone, standing->slot_day, (int)subscriber->send_at_min,
	                 &at) != ZONE_INSTANT)
		return 0;
	return zone_day(composer->new_york, at);
}

static struct digest *begin_digest(struct service *service,
                                   const struct subscriber *subscriber,
                                   int32_t day)
{
	struct digest *digest = digest_new();

	digest->subscriber_id = mem_dup(subscriber->id);
	digest->message_id = mail_new_message_id(&service->conf->sender);
	digest->created_at = clock_now_sec(&service->world->clock);
	digest->day = day;
	for (size_t i = 0; i < subscriber->n_topics; i++)
		strings_add(&digest->topics,
		            span_of(subscriber->topics[i].name));
	for (size_t i = 0; i < subscriber->categories.n; i++)
		strings_add(&digest->categories,
		            span_of(subscriber->categories.items[i]));
	return digest;
}

static int fill_digest(struct service_composer *composer,
                       const struct subscriber *subscriber,
                       const struct standing *standing, struct digest *digest,
                       struct error *err)
{
	owned(mem) uint32_t *n_of =
		mem_array(subscriber->n_topics, sizeof(*n_of));
	owned(compiled) struct compiled *compiled = NULL;
	struct found_list found = {0};
	struct quota quota;
	int rc;

	if (compile_topics(composer, subscriber, &compiled, err) < 0)
		return -1;

	choose_announcements(composer, subscriber, standing->mark);
	digest->n_considered = count_candidates(composer, subscriber);
	for (uint32_t i = 0; i < subscriber->n_topics; i++)
		run_topic(composer, subscriber, &compiled[i], i, &found);
	if (found.n > 0)
		qsort(found.items, found.n, sizeof(*found.items),
		      compare_found);

	quota = (struct quota){
		.composer = composer,
		.subscriber = subscriber,
		.compiled = compiled,
		.n_of = n_of,
		.mark = standing->mark,
		.served_day = find_served_day(composer, subscriber, standing),
	};
	rc = pick_entries(&quota, &found, digest, err);
	service_sort_entries(digest);
	free(found.items);
	return rc;
}

int service_local_day(const struct service *service,
                      const struct subscriber *subscriber, int32_t *ret_day,
                      struct error *err)
{
	owned(zone) struct zone *zone = zone_open(subscriber->timezone);

	if (!zone)
		return error_set(err, ERROR_SYSTEM,
		                 "subscriber %s: the time zone %s is unknown "
		                 "here",
		                 subscriber->id, subscriber->timezone);
	*ret_day = zone_day(zone, clock_now_sec(&service->world->clock));
	return 0;
}

int service_compose(struct service_composer *composer,
                    const struct subscriber *subscriber,
                    struct service_composed *ret_composed, struct error *err)
{
	owned(digest) struct digest *digest = NULL;
	struct standing standing;
	int64_t new_mark = composer->last_seq;
	int32_t day = 0;

	if (service_local_day(composer->service, subscriber, &day, err) < 0)
		return -1;
	if (subscriber_paused(subscriber, day))
		return COMPOSE_PAUSED;
	if (service_find_standing(composer->service, subscriber, &standing,
	                          err) < 0)
		return -1;
	if (standing.suspended)
		return COMPOSE_SUSPENDED;

	/* Somebody may have loaded a later batch and been faster. */
	if (new_mark < standing.mark)
		new_mark = standing.mark;
	digest = begin_digest(composer->service, subscriber, day);
	if (fill_digest(composer, subscriber, &standing, digest, err) < 0)
		return -1;
	*ret_composed = (struct service_composed){
		.digest = take_ptr(digest),
		.move = {standing.mark, new_mark},
		.begin = standing.begin,
		.lift = standing.lift,
	};
	if (service_carry(composer->service, ret_composed, err) < 0) {
		service_composed_fini(ret_composed);
		return -1;
	}
	return ret_composed->digest->n_entries > 0 ? COMPOSED : COMPOSE_NOTHING;
}
