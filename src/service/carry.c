/* Papers of digests that did not arrive travel with the next one. */

#include <string.h>

#include "base/mem.h"
#include "compose_private.h"

static bool has_paper(const struct digest *digest, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(digest->entries[i].paper->id, id))
			return true;
	return false;
}

/* The topic's number in `digest`, which gets it if it has gone since. */
static uint32_t find_topic(struct digest *digest, const char *name)
{
	size_t n = 0;

	while (n < digest->topics.n &&
	       strcmp(digest->topics.items[n], name) != 0)
		n++;
	if (n == digest->topics.n)
		strings_add(&digest->topics, span_of(name));
	return (uint32_t)n;
}

/* Its entries move; what `digest` has of an e-print itself is newer. */
static void take_entries(struct digest *digest, struct digest *old)
{
	size_t n_own = digest->n_entries;

	for (size_t i = 0; i < old->n_entries; i++) {
		struct digest_entry *from = &old->entries[i];
		struct digest_entry *to;

		if (has_paper(digest, n_own, from->paper->id))
			continue;
		to = digest_add(digest);
		*to = *from;
		to->topic = find_topic(digest, old->topics.items[from->topic]);
		if (to->held == HELD_NOT) {
			to->held = HELD_UNDELIVERED;
			to->held_day = old->day;
		}
		from->match = (struct match){0};
	}
	digest->n_considered += old->n_considered;
	digest->n_matched += old->n_matched;
}

static int take_one(struct service *service, struct service_composed *composed,
                    int64_t digest_id, struct error *err)
{
	struct store_digest **slot = &composed->carried[composed->n_carried];

	if (store_load_digest(service->store, digest_id, slot, err) < 0)
		return -1;
	composed->n_carried++;
	take_entries(composed->digest, (*slot)->digest);
	return 0;
}

int service_carry(struct service *service, struct service_composed *composed,
                  struct error *err)
{
	struct digest *digest = composed->digest;
	struct store_deliveries *list = &composed->superseded;

	if (digest->n_entries == 0)
		return 0;
	if (store_list_undelivered(service->store, digest->subscriber_id, list,
	                           err) < 0)
		return -1;
	composed->carried = mem_array(list->n, sizeof(struct store_digest *));
	for (size_t i = 0; i < list->n; i++)
		if (take_one(service, composed, list->items[i].digest_id, err) <
		    0)
			return -1;
	if (list->n > 0)
		service_sort_entries(digest);
	return 0;
}

int service_supersede(struct service *service,
                      const struct service_composed *composed,
                      struct error *err)
{
	const struct store_deliveries *list = &composed->superseded;
	int64_t now = clock_now_sec(&service->world->clock);

	for (size_t i = 0; i < list->n; i++)
		if (store_supersede_delivery(service->store, list->items[i].id,
		                             now, err) < 0)
			return -1;
	return 0;
}
