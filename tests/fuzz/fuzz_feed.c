/* Feeds: in one piece and byte by byte it is the same, and what comes out keeps
 * what the header promises. */

#include <stdlib.h>

#include "base/utf8.h"
#include "feed/parser.h"
#include "fuzz.h"

static int parse(const uint8_t *data, size_t size, size_t piece,
                 struct feed **ret_feed)
{
	owned(feed_parser) struct feed_parser *parser = feed_parser_new();
	struct error err = {0};

	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		if (feed_parser_push(parser, data + at, len, &err) < 0)
			return -1;
	}
	return feed_parser_finish(parser, ret_feed, &err);
}

static void check_item(const struct feed_item *item)
{
	const struct paper *paper = item->paper;
	struct span id;
	uint32_t version;

	if (!paper_parse_id(span_of(paper->id), &id, &version) ||
	    version != 0 || paper->version == 0 || !*paper->title ||
	    !*paper->abstract || paper->authors.n == 0 ||
	    item->type >= ANNOUNCE_TYPES ||
	    !utf8_valid(span_of(paper->title)) ||
	    !utf8_valid(span_of(paper->abstract)))
		abort();
	for (size_t i = 0; i < paper->authors.n; i++)
		if (!utf8_valid(span_of(paper->authors.items[i])))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	owned(feed) struct feed *feed = NULL;
	owned(feed) struct feed *again = NULL;
	int outcome = parse(data, size, size + 1, &feed);

	if (parse(data, size, 1, &again) != outcome || !again != !feed ||
	    (feed && again && again->n_items != feed->n_items))
		abort();
	for (size_t i = 0; feed && i < feed->n_items; i++)
		check_item(&feed->items[i]);
	return 0;
}
