#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "compose_private.h"
#include "mail/address.h"

#define SECONDS_PER_DAY 86400

/* At some 4 and 15 µs each a step takes 10 to 20 ms. */
#define MARKS_STEP 2000
#define PAPERS_STEP 1000

void service_composed_fini(struct service_composed *composed)
{
	digest_free(composed->digest);
	store_deliveries_fini(&composed->superseded);
	for (size_t i = 0; i < composed->n_carried; i++)
		store_digest_free(composed->carried[i]);
	free(composed->carried);
	*composed = (struct service_composed){0};
}

void service_composer_free(struct service_composer *composer)
{
	if (!composer)
		return;
	query_results_fini(&composer->results);
	query_index_free(composer->index);
	query_pool_free(composer->pool);
	zone_close(composer->new_york);
	strings_fini(&composer->categories);
	free(composer->category_of);
	store_candidates_free(composer->candidates);
	free(composer->papers);
	free(composer->paper_of);
	free(composer);
}

/* ---- marks ---- */

/* A suspension is for an address: another one lifts it. */
static int judge_suspension(struct service *service,
                            const struct subscriber *subscriber,
                            struct standing *standing, struct error *err)
{
	owned(mem) char *address = NULL;

	if (mail_address_for_smtp(&address, span_of(subscriber->email), err) <
	            0 ||
	    store_is_suspended(service->store, subscriber->id, address,
	                       &standing->suspended, err) < 0)
		return -1;
	standing->lift = !standing->suspended;
	return 0;
}

int service_find_standing(struct service *service,
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
		.slot_day = row.slot_day,
	};
	if (row.suspended_at != 0 &&
	    judge_suspension(service, subscriber, ret_standing, err) < 0)
		return -1;
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

static int find_oldest_mark(struct service_composer *composer,
                            struct error *err)
{
	for (size_t i = 0; i < MARKS_STEP; i++) {
		struct standing standing;

		if (composer->n_asked == composer->n_subscribers) {
			composer->phase = PHASE_LOADING;
			return 0;
		}
		if (service_find_standing(
			    composer->service,
			    composer->subscribers[composer->n_asked], &standing,
			    err) < 0)
			return -1;
		composer->n_asked++;
		if (standing.mark < composer->oldest_mark)
			composer->oldest_mark = standing.mark;
	}
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
	qsort(papers, candidates->n_papers, sizeof(struct paper *),
	      compare_papers);
	for (size_t i = 0; i < candidates->n_papers; i++)
		composer->papers[i].first =
			i > 0 && !strcmp(papers[i - 1]->id, papers[i]->id)
				? composer->papers[i - 1].first
				: i;
	for (size_t i = 0; i < candidates->n; i++) {
		struct paper **found =
			bsearch(&candidates->announcements[i].paper, papers,
		                candidates->n_papers, sizeof(struct paper *),
		                compare_papers);

		composer->paper_of[i] = (size_t)(found - papers);
	}
}

static void begin_index(struct service_composer *composer)
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
		query_index_begin(composer->pool, list, candidates->n_papers);
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

static int load_batch(struct service_composer *composer, struct error *err)
{
	struct service *service = composer->service;
	int64_t since = clock_now_sec(&service->world->clock) -
	                (int64_t)LIMIT_CANDIDATE_DAYS * SECONDS_PER_DAY;

	if (store_last_seq(service->store, &composer->last_seq, err) < 0 ||
	    store_load_candidates(service->store, composer->oldest_mark, since,
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
	begin_index(composer);
	composer->phase = PHASE_INDEXING;
	return 0;
}

/* ---- the steps ---- */

struct service_composer *
service_composer_begin(struct service *service,
                       const struct subscriber *const *subscribers, size_t n)
{
	struct service_composer *composer = mem_new(sizeof(*composer));

	composer->service = service;
	composer->subscribers = subscribers;
	composer->n_subscribers = n;
	composer->oldest_mark = INT64_MAX;
	composer->new_york = zone_open(DAY_NEW_YORK);
	return composer;
}

int service_composer_go_on(struct service_composer *composer, struct error *err)
{
	int rc = 0;

	switch (composer->phase) {
	case PHASE_MARKS:
		rc = find_oldest_mark(composer, err);
		break;
	case PHASE_LOADING:
		rc = load_batch(composer, err);
		break;
	case PHASE_INDEXING:
		if (query_index_go_on(composer->index, PAPERS_STEP))
			composer->phase = PHASE_READY;
		break;
	case PHASE_READY:
		break;
	}
	if (rc < 0)
		return -1;
	return composer->phase == PHASE_READY ? COMPOSER_READY : COMPOSER_MORE;
}

int service_composer_new(struct service_composer **ret_composer,
                         struct service *service,
                         const struct subscriber *const *subscribers, size_t n,
                         struct error *err)
{
	owned(service_composer) struct service_composer *composer =
		service_composer_begin(service, subscribers, n);
	int rc;

	do
		rc = service_composer_go_on(composer, err);
	while (rc == COMPOSER_MORE);
	if (rc < 0)
		return -1;
	*ret_composer = take_ptr(composer);
	return 0;
}
