#include "service/compose.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "mail/message.h"
#include "model/day.h"
#include "query/query.h"
#include "service_private.h"

#define SECONDS_PER_DAY 86400

/* A paper of the batch; several may be versions of one e-print. */
struct batch_paper {
	size_t first;     /* index of the first one with the same id */
	size_t chosen;    /* of `first`: the announcement that counts, so far */
	unsigned turn;    /* the subscriber for whom `chosen` holds */
	size_t entry;     /* of what was found, */
	unsigned claimed; /* for this subscriber */
};

struct service_composer {
	struct service *service;
	struct store_candidates *candidates;
	struct batch_paper *papers; /* as candidates->papers */
	size_t *paper_of;           /* of each announcement */
	struct strings categories;  /* of the announcements, each once */
	size_t *category_of;        /* of each announcement */
	struct query_pool *pool;
	struct query_index *index;
	struct query_results results; /* of one topic */
	int64_t last_seq;
	unsigned turn;
};

void service_composed_fini(struct service_composed *composed)
{
	digest_free(composed->digest);
	*composed = (struct service_composed){0};
}

void service_composer_free(struct service_composer *composer)
{
	if (!composer)
		return;
	query_results_fini(&composer->results);
	query_index_free(composer->index);
	query_pool_free(composer->pool);
	strings_fini(&composer->categories);
	free(composer->category_of);
	store_candidates_free(composer->candidates);
	free(composer->papers);
	free(composer->paper_of);
	free(composer);
}

/* ---- marks ---- */

struct standing {
	int64_t mark;
	bool begin; /* new or resumed */
	bool suspended;
};

static int find_standing(struct service *service,
                         const struct subscriber *subscriber,
                         struct standing *ret_standing, struct error *err)
{
	struct store_subscriber row = {0};
	int found =
		store_get_subscriber(service->store, subscriber->id, &row, err);

	if (found < 0)
		return -1;
	*ret_standing = (struct standing){
		.mark = row.mark,
		.begin = found == STORE_MISSING || row.paused,
		.suspended = found == STORE_FOUND && row.suspended_at != 0,
	};
	if (!ret_standing->begin)
		return 0;
	if (store_newest_batch_mark(service->store, &subscriber->categories,
	                            &ret_standing->mark, err) < 0)
		return -1;
	/* Who pauses and resumes on one day gets nothing twice. */
	if (found == STORE_FOUND && row.mark > ret_standing->mark)
		ret_standing->mark = row.mark;
	return 0;
}

static int find_oldest_mark(struct service *service,
                            const struct subscriber *const *subscribers,
                            size_t n, int64_t *ret_mark, struct error *err)
{
	int64_t oldest = INT64_MAX;

	for (size_t i = 0; i < n; i++) {
		struct standing standing;

		if (find_standing(service, subscribers[i], &standing, err) < 0)
			return -1;
		if (standing.mark < oldest)
			oldest = standing.mark;
	}
	*ret_mark = oldest;
	return 0;
}

/* ---- the batch ---- */

static int compare_papers(const void *a, const void *b)
{
	const struct paper *left = *(const struct paper *const *)a;
	const struct paper *right = *(const struct paper *const *)b;
	int order = strcmp(left->id, right->id);

	if (order)
		return order;
	return left->version < right->version ? -1
	                                      : left->version > right->version;
}

/* Sorts the papers, so that versions of one e-print are neighbours. */
static void number_papers(struct service_composer *composer)
{
	struct store_candidates *candidates = composer->candidates;
	struct paper **papers = candidates->papers;

	if (candidates->n_papers == 0)
		return;
	qsort(papers, candidates->n_papers, sizeof(*papers), compare_papers);
	for (size_t i = 0; i < candidates->n_papers; i++)
		composer->papers[i].first =
			i > 0 && !strcmp(papers[i - 1]->id, papers[i]->id)
				? composer->papers[i - 1].first
				: i;
	for (size_t i = 0; i < candidates->n; i++) {
		struct paper **found = bsearch(
			&candidates->announcements[i].paper, papers,
			candidates->n_papers, sizeof(*papers), compare_papers);

		composer->paper_of[i] = (size_t)(found - papers);
	}
}

static void build_index(struct service_composer *composer)
{
	struct store_candidates *candidates = composer->candidates;
	owned(mem) struct query_paper *list =
		mem_array(candidates->n_papers, sizeof(*list));

	for (size_t i = 0; i < candidates->n_papers; i++)
		list[i] = (struct query_paper){candidates->papers[i],
		                               ANNOUNCE_REPLACE_CROSS};
	for (size_t i = 0; i < candidates->n; i++) {
		struct query_paper *paper = &list[composer->paper_of[i]];

		if (candidates->announcements[i].type < paper->type)
			paper->type = candidates->announcements[i].type;
	}
	composer->pool = query_pool_new();
	composer->index =
		query_index_new(composer->pool, list, candidates->n_papers);
}

/* There are few, so that each is compared once a subscriber. */
static void number_categories(struct service_composer *composer)
{
	const struct store_candidates *candidates = composer->candidates;
	struct strings *categories = &composer->categories;

	for (size_t i = 0; i < candidates->n; i++) {
		const char *category = candidates->announcements[i].category;
		size_t n = 0;

		while (n < categories->n &&
		       strcmp(categories->items[n], category))
			n++;
		if (n == categories->n)
			strings_add(categories, span_of(category));
		composer->category_of[i] = n;
	}
}

static int load_batch(struct service_composer *composer, int64_t after_seq,
                      struct error *err)
{
	struct service *service = composer->service;
	int64_t since = clock_now_sec(&service->world->clock) -
	                (int64_t)LIMIT_CANDIDATE_DAYS * SECONDS_PER_DAY;

	if (store_last_seq(service->store, &composer->last_seq, err) < 0 ||
	    store_load_candidates(service->store, after_seq, since,
	                          &composer->candidates, err) < 0)
		return -1;

	composer->papers = mem_array(composer->candidates->n_papers,
	                             sizeof(*composer->papers));
	composer->paper_of =
		mem_array(composer->candidates->n, sizeof(*composer->paper_of));
	composer->category_of = mem_array(composer->candidates->n,
	                                  sizeof(*composer->category_of));
	number_papers(composer);
	number_categories(composer);
	build_index(composer);
	return 0;
}

int service_composer_new(struct service_composer **ret_composer,
                         struct service *service,
                         const struct subscriber *const *subscribers, size_t n,
                         struct error *err)
{
	owned(service_composer) struct service_composer *composer =
		mem_new(sizeof(*composer));
	int64_t oldest;

	composer->service = service;
	if (find_oldest_mark(service, subscribers, n, &oldest, err) < 0 ||
	    load_batch(composer, oldest, err) < 0)
		return -1;
	*ret_composer = take_ptr(composer);
	return 0;
}

/* ---- one subscriber ---- */

/* Of one e-print's announcements the best type counts, then the newest. */
static bool is_better(const struct announcement *a,
                      const struct announcement *b)
{
	if (a->type != b->type)
		return a->type < b->type;
	return a->paper->version > b->paper->version;
}

/* Marks for each e-print the announcement that counts for the subscriber. */
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
		struct announcement *next = &candidates->announcements[i];
		size_t first = composer->papers[composer->paper_of[i]].first;
		struct batch_paper *slot = &composer->papers[first];

		if (next->seq <= mark || next->seq > composer->last_seq ||
		    !wanted[composer->category_of[i]])
			continue;
		if (slot->turn == composer->turn &&
		    !is_better(next, &candidates->announcements[slot->chosen]))
			continue;
		slot->turn = composer->turn;
		slot->chosen = i;
	}
}

/*
 * Did a digest carry it before? New and cross-listed papers come once;
 * replacements once per version. *ret_old is the version that was sent.
 */
static int was_sent(struct service_composer *composer, const char *id,
                    const struct announcement *announcement, int64_t mark,
                    uint32_t *ret_old, struct error *err)
{
	struct store *store = composer->service->store;
	const struct paper *paper = announcement->paper;
	bool before;
	int32_t day;
	int found;

	*ret_old = 0;
	if (store_announced_before(store, paper->id, mark, &before, err) < 0)
		return -1;
	if (!before)
		return 0;
	found = store_sent_version(store, id, paper->id, ret_old, &day, err);
	if (found != STORE_FOUND)
		return found < 0 ? -1 : 0;
	return announcement->type < ANNOUNCE_REPLACE ||
	       *ret_old >= paper->version;
}

/* A topic with its query, compiled for this subscriber. */
struct compiled {
	const struct topic *topic;
	struct query *query;
};

static void free_compiled(struct compiled *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		query_free(list[i].query);
	free(list);
}

static int compile_topics(struct service_composer *composer,
                          const struct subscriber *subscriber,
                          struct compiled **ret_list, struct error *err)
{
	struct compiled *list = mem_array(subscriber->n_topics, sizeof(*list));

	for (size_t i = 0; i < subscriber->n_topics; i++) {
		list[i].topic = &subscriber->topics[i];
		if (query_from_topic(&list[i].query, composer->pool,
		                     list[i].topic, err) < 0) {
			free_compiled(list, i);
			return error_prefix(err, "subscriber %s",
			                    subscriber->id);
		}
	}
	*ret_list = list;
	return 0;
}

/* The entry of a paper under its best topic. */
struct found {
	size_t slot; /* of composer->papers: the chosen version's e-print */
	uint32_t topic;
	double score;
};

struct found_list {
	struct found *items;
	size_t n;
	size_t capacity;
};

static size_t paper_number(const struct service_composer *composer, size_t slot)
{
	return composer->paper_of[composer->papers[slot].chosen];
}

/* Do the subscriber's categories and types let the e-print through? */
static bool is_candidate(const struct service_composer *composer,
                         const struct subscriber *subscriber, size_t slot)
{
	const struct batch_paper *first = &composer->papers[slot];
	const struct announcement *chosen;

	if (first->first != slot || first->turn != composer->turn)
		return false;
	chosen = &composer->candidates->announcements[first->chosen];
	return subscriber->announce >> chosen->type & 1;
}

static uint32_t count_candidates(const struct service_composer *composer,
                                 const struct subscriber *subscriber)
{
	uint32_t n = 0;

	for (size_t i = 0; i < composer->candidates->n_papers; i++)
		n += is_candidate(composer, subscriber, i);
	return n;
}

/* Lets the topic claim the paper if it scores higher than those before. */
static void claim(struct service_composer *composer, struct found_list *found,
                  const struct found *claim)
{
	struct batch_paper *slot = &composer->papers[claim->slot];

	if (slot->claimed == composer->turn) {
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
			.topic = number,
			.score = compiled->topic->weight *
		                 results->items[i].score,
		};

		if (is_candidate(composer, subscriber, item.slot) &&
		    paper_number(composer, item.slot) == paper)
			claim(composer, found, &item);
	}
}

static int compare_found(const void *a, const void *b)
{
	const struct found *left = a;
	const struct found *right = b;

	if (left->score != right->score)
		return left->score < right->score ? 1 : -1;
	return left->slot < right->slot ? -1 : left->slot > right->slot;
}

static void add_entry(struct service_composer *composer,
                      const struct compiled *compiled,
                      const struct found *found, uint32_t old_version,
                      struct digest *digest)
{
	struct store_candidates *candidates = composer->candidates;
	size_t chosen = composer->papers[found->slot].chosen;
	size_t paper = paper_number(composer, found->slot);
	struct digest_entry *entry = digest_add(digest);

	entry->paper = candidates->announcements[chosen].paper;
	entry->type = candidates->announcements[chosen].type;
	entry->topic = found->topic;
	entry->score = found->score;
	entry->old_version = old_version;
	query_why(composer->index, compiled[found->topic].query, paper,
	          &entry->match);
}

/* What the limits leave, best first. */
struct quota {
	const struct subscriber *subscriber;
	const struct compiled *compiled;
	uint32_t *n_of; /* of each topic */
	int64_t mark;
};

static bool has_room(const struct quota *quota, const struct digest *digest,
                     uint32_t topic)
{
	uint32_t max = quota->compiled[topic].topic->max;

	return digest->n_entries < quota->subscriber->max_papers &&
	       (max == 0 || quota->n_of[topic] < max);
}

static int pick_entries(struct service_composer *composer,
                        const struct quota *quota,
                        const struct found_list *found, struct digest *digest,
                        struct error *err)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct found *item = &found->items[i];
		uint32_t old = 0;
		int sent;

		if (item->score < quota->subscriber->min_score)
			continue;
		sent = was_sent(composer, quota->subscriber->id,
		                &composer->candidates->announcements
		                         [composer->papers[item->slot].chosen],
		                quota->mark, &old, err);
		if (sent < 0)
			return -1;
		if (sent)
			continue;
		digest->n_matched++;
		if (!has_room(quota, digest, item->topic))
			continue;
		quota->n_of[item->topic]++;
		add_entry(composer, quota->compiled, item, old, digest);
	}
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct digest_entry *left = a;
	const struct digest_entry *right = b;

	if (left->topic != right->topic)
		return left->topic < right->topic ? -1 : 1;
	if (left->score != right->score)
		return left->score < right->score ? 1 : -1;
	return strcmp(left->paper->id, right->paper->id);
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
                       const struct subscriber *subscriber, int64_t mark,
                       struct digest *digest, struct error *err)
{
	owned(mem) uint32_t *n_of =
		mem_array(subscriber->n_topics, sizeof(*n_of));
	struct compiled *compiled = NULL;
	struct found_list found = {0};
	struct quota quota;
	int rc;

	if (compile_topics(composer, subscriber, &compiled, err) < 0)
		return -1;

	choose_announcements(composer, subscriber, mark);
	digest->n_considered = count_candidates(composer, subscriber);
	for (uint32_t i = 0; i < subscriber->n_topics; i++)
		run_topic(composer, subscriber, &compiled[i], i, &found);
	if (found.n > 0)
		qsort(found.items, found.n, sizeof(*found.items),
		      compare_found);

	quota = (struct quota){subscriber, compiled, n_of, mark};
	rc = pick_entries(composer, &quota, &found, digest, err);
	if (digest->n_entries > 0)
		qsort(digest->entries, digest->n_entries,
		      sizeof(*digest->entries), compare_entries);
	free(found.items);
	free_compiled(compiled, subscriber->n_topics);
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
	owned(composed) struct service_composed composed = {0};
	struct service *service = composer->service;
	struct standing standing;
	int32_t day;

	if (service_local_day(service, subscriber, &day, err) < 0)
		return -1;
	if (subscriber_paused(subscriber, day))
		return COMPOSE_PAUSED;
	if (find_standing(service, subscriber, &standing, err) < 0)
		return -1;
	if (standing.suspended)
		return COMPOSE_SUSPENDED;

	composed = (struct service_composed){
		.digest = begin_digest(service, subscriber, day),
		.old_mark = standing.mark,
		/* Somebody may have loaded a later batch and been faster. */
		.new_mark = standing.mark > composer->last_seq
	                            ? standing.mark
	                            : composer->last_seq,
		.begin = standing.begin,
	};
	if (fill_digest(composer, subscriber, standing.mark, composed.digest,
	                err) < 0)
		return -1;
	*ret_composed = composed;
	composed = (struct service_composed){0};
	return ret_composed->digest->n_entries > 0 ? COMPOSED : COMPOSE_NOTHING;
}
