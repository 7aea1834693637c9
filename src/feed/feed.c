#include "base/mem.h"
#include "feed_private.h"

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	for (size_t i = 0; i < feed->n_items; i++)
		paper_free(feed->items[i].paper);
	free(feed->items);
	free(feed->title);
	free(feed->skipped);
	free(feed);
}

static struct feed_item *find_item(const struct feed *feed, const char *id)
{
	for (size_t i = 0; i < feed->n_items; i++)
		if (!strcmp(feed->items[i].paper->id, id))
			return &feed->items[i];
	return NULL;
}

void feed_add(struct feed *feed, struct feed_item item)
{
	struct feed_item *known = find_item(feed, item.paper->id);

	if (!known) {
		feed->items = mem_grow(feed->items, &feed->capacity,
		                       feed->n_items + 1, sizeof(item));
		feed->items[feed->n_items++] = item;
	} else if (item.type < known->type) {
		paper_free(known->paper);
		*known = item;
	} else {
		paper_free(item.paper);
	}
}

void feed_skip(struct feed *feed, int line, const struct error *why)
{
	if (feed->n_skipped++ == 0)
		feed->skipped = mem_printf("line %d: %s", line, why->message);
}
