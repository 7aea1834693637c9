#include "base/limits.h"
#include "base/mem.h"
#include "feed_private.h"

#define PIECE_BYTES (64U * LIMIT_KIB)

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

bool measure_tags(size_t *len, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.ptr[i] == '<')
			*len = 1;
		else if (bytes.ptr[i] == '>')
			*len = 0;
		else if (*len > 0 && ++*len > LIMIT_FEED_TAG_BYTES)
			return false;
	}
	return true;
}

/* In pieces: libxml2 looks ahead only so far in one. */
int feed_parse(struct span body, struct feed **ret_feed, struct error *err)
{
	owned(feed_parser) struct feed_parser *parser = feed_parser_new();

	while (body.len > 0) {
		struct span piece = span_first(body, PIECE_BYTES);

		if (feed_parser_push(parser, piece.ptr, piece.len, err) < 0)
			return -1;
		body = span_skip(body, piece.len);
	}
	return feed_parser_finish(parser, ret_feed, err);
}
