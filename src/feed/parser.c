#include "feed/parser.h"

#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sax_private.h"

#define NS_ATOM "http://www.w3.org/2005/Atom"
#define NS_ARXIV "http://arxiv.org/schemas/atom"
#define NS_DC "http://purl.org/dc/elements/1.1/"
#define NS_OPENSEARCH "http://a9.com/-/spec/opensearch/1.1/"
#define NS_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define NS_RSS1 "http://purl.org/rss/1.0/"

static const struct rule rules[] = {
	{OUTSIDE, "", "rss", IN_RSS, FIELD_NONE},
	{IN_RSS, "", "channel", IN_CHANNEL, FIELD_NONE},
	{IN_CHANNEL, "", "title", IN_TEXT, FIELD_FEED_TITLE},
	{IN_CHANNEL, "", "description", IN_TEXT, FIELD_FEED_REASON},
	{IN_CHANNEL, "", "item", IN_ITEM, FIELD_NONE},
	{IN_ITEM, "", "guid", IN_TEXT, FIELD_ID},
	{IN_ITEM, "", "title", IN_TEXT, FIELD_TITLE},
	{IN_ITEM, "", "description", IN_TEXT, FIELD_ABSTRACT},
	{IN_ITEM, "", "category", IN_TEXT, FIELD_CATEGORY},

	{OUTSIDE, NS_RDF, "RDF", IN_RDF, FIELD_NONE},
	{IN_RDF, NS_RSS1, "channel", IN_CHANNEL, FIELD_NONE},
	{IN_CHANNEL, NS_RSS1, "title", IN_TEXT, FIELD_FEED_TITLE},
	{IN_CHANNEL, NS_RSS1, "description", IN_TEXT, FIELD_FEED_REASON},
	{IN_RDF, NS_RSS1, "item", IN_ITEM, FIELD_NONE},
	{IN_ITEM, NS_RSS1, "title", IN_TEXT, FIELD_TITLE},
	{IN_ITEM, NS_RSS1, "description", IN_TEXT, FIELD_ABSTRACT},

	{OUTSIDE, NS_ATOM, "feed", IN_FEED, FIELD_NONE},
	{IN_FEED, NS_ATOM, "title", IN_TEXT, FIELD_FEED_TITLE},
	{IN_FEED, NS_ATOM, "subtitle", IN_TEXT, FIELD_FEED_REASON},
	{IN_FEED, NS_ATOM, "entry", IN_ITEM, FIELD_NONE},
	{IN_ITEM, NS_ATOM, "id", IN_TEXT, FIELD_ID},
	{IN_ITEM, NS_ATOM, "title", IN_TEXT, FIELD_TITLE},
	{IN_ITEM, NS_ATOM, "summary", IN_TEXT, FIELD_ABSTRACT},
	{IN_ITEM, NS_ATOM, "category", IN_TEXT, FIELD_CATEGORY},
	{IN_ITEM, NS_ATOM, "author", IN_AUTHOR, FIELD_NONE},
	{IN_AUTHOR, NS_ATOM, "name", IN_TEXT, FIELD_NAME},

	{IN_ITEM, NS_DC, "creator", IN_TEXT, FIELD_CREATOR},
	{IN_ITEM, NS_ARXIV, "announce_type", IN_TEXT, FIELD_TYPE},
	{IN_ITEM, NS_ARXIV, "primary_category", IN_TEXT, FIELD_PRIMARY},
};

struct feed_parser {
	struct sax sax;
	struct feed *feed;
	int item_line;
	size_t n_items; /* seen, skipped ones included */
};

static void refuse_root(void *ctx, const char *name)
{
	struct feed_parser *parser = ctx;
	owned(mem) char *shown = quote_text(span_of(name));
	owned(mem) char *what = mem_printf(
		"not a feed (RSS, Atom or RDF): the "
		"root element is <%s>",
		shown);

	if (!strcasecmp(name, "html"))
		sax_refuse_html(&parser->sax);
	else if (!strcmp(name, "OAI-PMH"))
		sax_refuse(&parser->sax,
		           "an OAI-PMH answer instead of a feed (RSS, "
		           "Atom or RDF)");
	else
		sax_refuse(&parser->sax, what);
}

/* ---- items ---- */

static void begin_item(struct feed_parser *parser)
{
	sax_clear_item(&parser->sax);
	parser->sax.raw.is_html = parser->feed->kind == FEED_RDF;
	parser->item_line = sax_line(&parser->sax);
}

static void end_item(struct feed_parser *parser)
{
	struct sax *sax = &parser->sax;
	const struct buf *fields = sax->raw.fields;
	struct feed_item item;
	struct error why = {0};

	if (strstr(buf_str(&fields[FIELD_ID]), "/api/errors")) {
		owned(mem) char *said =
			display_text(buf_span(&fields[FIELD_ABSTRACT]));

		(void)error_set(&sax->err, ERROR_PERMANENT,
		                "arXiv's API refused the query: %s", said);
		sax_stop(sax);
	} else if (++parser->n_items > LIMIT_FEED_ITEMS) {
		(void)error_set(&sax->err, ERROR_LIMIT, "more than %u items",
		                LIMIT_FEED_ITEMS);
		sax_stop(sax);
	} else if (item_read(&sax->raw, &item, &why) < 0) {
		feed_skip(parser->feed, parser->item_line, &why);
	} else {
		feed_add(parser->feed, item);
	}
}

/* ---- elements ---- */

static void on_begin(void *ctx, enum place at, const char *ns)
{
	struct feed_parser *parser = ctx;

	if (at == IN_FEED && !strcmp(ns, NS_OPENSEARCH))
		parser->feed->kind = FEED_API;
}

static void on_enter(void *ctx, const struct rule *rule,
                     const struct attributes *attributes)
{
	struct feed_parser *parser = ctx;
	struct buf *fields = parser->sax.raw.fields;

	if (rule->to == IN_RSS)
		parser->feed->kind = FEED_RSS;
	if (rule->to == IN_RDF)
		parser->feed->kind = FEED_RDF;
	if (rule->to == IN_FEED)
		parser->feed->kind = FEED_ATOM;
	if (rule->to == IN_ITEM) {
		begin_item(parser);
		sax_add_attribute(&fields[FIELD_ID], attributes, NS_RDF,
		                  "about");
	}
	if (rule->field == FIELD_CATEGORY || rule->field == FIELD_PRIMARY)
		sax_add_attribute(&fields[rule->field], attributes, "", "term");
}

static void on_leave(void *ctx, enum place left)
{
	if (left == IN_ITEM)
		end_item(ctx);
}

/* ---- the parser ---- */

static const struct grammar grammar = {
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(*rules),
	.name = "feed",
	.foreign = refuse_root,
	.begin = on_begin,
	.enter = on_enter,
	.leave = on_leave,
};

struct feed_parser *feed_parser_new(void)
{
	struct feed_parser *parser = mem_new(sizeof(*parser));

	sax_init(&parser->sax, &grammar, parser);
	parser->feed = mem_new(sizeof(*parser->feed));
	return parser;
}

void feed_parser_free(struct feed_parser *parser)
{
	if (!parser)
		return;
	sax_fini(&parser->sax);
	feed_free(parser->feed);
	free(parser);
}

int feed_parser_push(struct feed_parser *parser, const void *bytes, size_t len,
                     struct error *err)
{
	return sax_push(&parser->sax, bytes, len, err);
}

/* What a whole document may still be: arXiv's way to say no. */
static int check_feed(struct feed_parser *parser, struct error *err)
{
	const struct feed *feed = parser->feed;
	const struct buf *reason = &parser->sax.raw.fields[FIELD_FEED_REASON];
	owned(mem) char *said = display_text(buf_span(reason));

	if (span_starts(span_of(feed->title), "Feed error"))
		return error_set(err, ERROR_PERMANENT,
		                 "arXiv refused the query: %s: %s", feed->title,
		                 said);
	if (feed->n_items == 0 && feed->n_skipped > 0)
		return error_set(err, ERROR_SYNTAX,
		                 "none of its %zu items is of use: %s",
		                 feed->n_skipped, feed->skipped);
	return 0;
}

int feed_parser_finish(struct feed_parser *parser, struct feed **ret_feed,
                       struct error *err)
{
	const struct buf *title = &parser->sax.raw.fields[FIELD_FEED_TITLE];

	if (sax_finish(&parser->sax, err) < 0)
		return -1;
	parser->feed->title = display_text(buf_span(title));
	if (check_feed(parser, err) < 0)
		return -1;
	*ret_feed = take_ptr(parser->feed);
	return 0;
}
