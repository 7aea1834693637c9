#include "feed/parser.h"

#include <stdbool.h>
#include <strings.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>

#include "base/limits.h"
#include "base/mem.h"
#include "feed_private.h"

#define NS_ATOM "http://www.w3.org/2005/Atom"
#define NS_ARXIV "http://arxiv.org/schemas/atom"
#define NS_DC "http://purl.org/dc/elements/1.1/"
#define NS_OPENSEARCH "http://a9.com/-/spec/opensearch/1.1/"
#define NS_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define NS_RSS1 "http://purl.org/rss/1.0/"

/* Where in the document the parser stands. */
enum place {
	OUTSIDE,
	IN_RSS,
	IN_RDF,
	IN_FEED,
	IN_CHANNEL,
	IN_ITEM,
	IN_AUTHOR,
	IN_TEXT,
};

/*
 * So many bytes are kept back, until they or the end have come: what is no
 * XML can then be named by how it begins.
 */
#define HEAD_BYTES 512

/* As deep as places nest: root, channel, item, author, text. */
#define PLACES_DEEP 5

/* As in libxml2's own tree builder; real feeds nest 5 deep. */
#define NESTING_MAX 256

/* What an element of this name, at this place, leads to. */
struct rule {
	enum place at;
	const char *ns; /* "": none */
	const char *name;
	enum place to;
	enum field field; /* of IN_TEXT */
};

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
	xmlParserCtxt *xml; /* NULL: libxml2 gave none */
	struct feed *feed;
	struct raw_item raw;
	struct buf head;
	bool started; /* libxml2 has been given the head */
	enum place places[PLACES_DEEP];
	size_t depth;
	enum field field; /* the text that is being collected */
	size_t n_inside;  /* open elements that have no rule */
	int item_line;
	size_t n_items; /* seen, skipped ones included */
	size_t n_bytes;
	size_t tag_len; /* of the tag that is open at the end */
	bool complete;  /* the root element has ended */
	bool ending;    /* the body has */
	bool failed;
	struct error err; /* the first one */
};

/* ---- errors ---- */

/* Completes parser->err, which a SAX callback has set, and stops. */
static void stop(struct feed_parser *parser)
{
	(void)error_prefix(&parser->err, "line %d",
	                   xmlSAX2GetLineNumber(parser->xml));
	parser->failed = true;
	xmlStopParser(parser->xml);
}

#define HTML_ERROR                                                         \
	"an HTML page instead of a feed: the URL is wrong, or a proxy or " \
	"login page answered"

/* HTML is seldom XML: it may break in its DOCTYPE or before. */
static bool begins_like_html(const struct feed_parser *parser)
{
	const char *head = buf_str(&parser->head);

	return strcasestr(head, "<!doctype html") || strcasestr(head, "<html");
}

static bool begins_like_xml(const struct feed_parser *parser)
{
	owned(mem) char *head = quote_text(buf_span(&parser->head));

	return *head == '<' && !begins_like_html(parser);
}

static void note_no_xml(struct feed_parser *parser)
{
	owned(mem) char *head = quote_text(buf_span(&parser->head));

	if (begins_like_html(parser))
		(void)error_set(&parser->err, ERROR_SYNTAX, HTML_ERROR);
	else if (*head)
		(void)error_set(&parser->err, ERROR_SYNTAX,
		                "not XML: it begins with \"%s\"", head);
	else
		(void)error_set(&parser->err, ERROR_SYNTAX,
		                "the answer is empty, which no feed is");
}

static void note_xml_error(struct feed_parser *parser,
                           const xmlError *xml_error)
{
	owned(mem) char *what = display_text(span_of(xml_error->message));

	(void)error_set(&parser->err, ERROR_SYNTAX,
	                "line %d: not well-formed XML: %s", xml_error->line,
	                what);
}

/*
 * libxml2 goes on after some errors; nothing of the document counts then.
 * Stopping it from here is not safe: it may be in the middle of its input.
 */
static void on_error(void *ctx, xmlError *xml_error)
{
	struct feed_parser *parser = ctx;

	if (parser->failed || xml_error->level < XML_ERR_ERROR)
		return;
	parser->failed = true;
	if (parser->depth == 0 && !parser->complete && !begins_like_xml(parser))
		note_no_xml(parser);
	else if (parser->ending && !parser->complete)
		(void)error_set(&parser->err, ERROR_SYNTAX,
		                "line %d: the feed ends in mid-air",
		                xml_error->line);
	else
		note_xml_error(parser, xml_error);
}

static void refuse(struct feed_parser *parser, const char *what)
{
	(void)error_set(&parser->err, ERROR_SYNTAX, "%s", what);
	stop(parser);
}

static void refuse_root(struct feed_parser *parser, const char *name)
{
	owned(mem) char *shown = quote_text(span_of(name));
	owned(mem) char *what = mem_printf(
		"not a feed (RSS, Atom or RDF): the "
		"root element is <%s>",
		shown);

	if (!strcasecmp(name, "html"))
		refuse(parser, HTML_ERROR);
	else if (!strcmp(name, "OAI-PMH"))
		refuse(parser,
		       "an OAI-PMH answer instead of a feed (RSS, "
		       "Atom or RDF)");
	else
		refuse(parser, what);
}

/* No feed has a DOCTYPE; without one there are no entities to expand. */
static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
	struct feed_parser *parser = ctx;

	(void)public_id;
	(void)system_id;
	if (parser->failed)
		return;
	refuse(parser, strcasecmp((const char *)name, "html")
	                       ? "a DOCTYPE, which a feed must not have"
	                       : HTML_ERROR);
}

static xmlParserInput *refuse_entity(const char *url, const char *id,
                                     xmlParserCtxt *xml)
{
	(void)url;
	(void)id;
	(void)xml;
	return NULL;
}

/* ---- items ---- */

static void begin_item(struct feed_parser *parser)
{
	struct raw_item *raw = &parser->raw;

	for (unsigned i = FIELD_NONE; i < FIELD_FEED_TITLE; i++)
		buf_clear(&raw->fields[i]);
	strings_fini(&raw->names);
	strings_fini(&raw->categories);
	raw->is_html = parser->feed->kind == FEED_RDF;
	parser->item_line = xmlSAX2GetLineNumber(parser->xml);
}

static void end_item(struct feed_parser *parser)
{
	const struct raw_item *raw = &parser->raw;
	struct feed_item item;
	struct error why = {0};

	if (strstr(buf_str(&raw->fields[FIELD_ID]), "/api/errors")) {
		owned(mem) char *said =
			display_text(buf_span(&raw->fields[FIELD_ABSTRACT]));

		(void)error_set(&parser->err, ERROR_PERMANENT,
		                "arXiv's API refused the query: %s", said);
		stop(parser);
	} else if (++parser->n_items > LIMIT_FEED_ITEMS) {
		(void)error_set(&parser->err, ERROR_LIMIT, "more than %u items",
		                LIMIT_FEED_ITEMS);
		stop(parser);
	} else if (item_read(raw, &item, &why) < 0) {
		feed_skip(parser->feed, parser->item_line, &why);
	} else {
		feed_add(parser->feed, item);
	}
}

static void end_text(struct feed_parser *parser)
{
	struct raw_item *raw = &parser->raw;
	struct buf *text = &raw->fields[parser->field];

	if (parser->field == FIELD_NAME) {
		strings_add(&raw->names, span_trim(buf_span(text)));
		buf_clear(text);
	} else if (parser->field == FIELD_CATEGORY) {
		strings_add(&raw->categories, span_trim(buf_span(text)));
		buf_clear(text);
	}
}

/* ---- elements ---- */

static enum place current_place(const struct feed_parser *parser)
{
	return parser->depth > 0 ? parser->places[parser->depth - 1] : OUTSIDE;
}

static const struct rule *find_rule(enum place at, const char *ns,
                                    const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (rules[i].at == at && !strcmp(rules[i].name, name) &&
		    !strcmp(rules[i].ns, ns))
			return &rules[i];
	return NULL;
}

/* An attribute of startElementNs(): name, prefix, namespace, value, end. */
#define ATTRIBUTE_PARTS 5

static void add_attribute(struct buf *text, const xmlChar **attributes, int n,
                          const char *ns, const char *name)
{
	for (int i = 0; i < n; i++, attributes += ATTRIBUTE_PARTS) {
		const char *its_ns = (const char *)attributes[2];

		if (!strcmp((const char *)attributes[0], name) &&
		    !strcmp(its_ns ? its_ns : "", ns))
			buf_add(text, attributes[3],
			        (size_t)(attributes[4] - attributes[3]));
	}
}

/* Inside a text and inside what is not known nothing has a rule. */
static void enter_unknown(struct feed_parser *parser)
{
	if (++parser->n_inside <= NESTING_MAX)
		return;
	(void)error_set(&parser->err, ERROR_LIMIT,
	                "elements nested more than %d deep", NESTING_MAX);
	stop(parser);
}

/* Several creators make one list; of other repeated texts the first counts. */
static bool is_repeated(struct feed_parser *parser, const struct rule *rule)
{
	struct buf *text = &parser->raw.fields[rule->field];

	if (rule->to != IN_TEXT || text->len == 0)
		return false;
	if (rule->field != FIELD_CREATOR)
		return true;
	buf_add_str(text, ", ");
	return false;
}

static void enter(struct feed_parser *parser, const struct rule *rule,
                  const xmlChar **attributes, int n_attributes)
{
	struct buf *fields = parser->raw.fields;

	parser->places[parser->depth++] = rule->to;
	parser->field = rule->field;
	switch (rule->to) {
	case IN_RSS:
		parser->feed->kind = FEED_RSS;
		break;
	case IN_RDF:
		parser->feed->kind = FEED_RDF;
		break;
	case IN_FEED:
		parser->feed->kind = FEED_ATOM;
		break;
	case IN_ITEM:
		begin_item(parser);
		add_attribute(&fields[FIELD_ID], attributes, n_attributes,
		              NS_RDF, "about");
		break;
	case IN_TEXT:
		if (rule->field == FIELD_CATEGORY ||
		    rule->field == FIELD_PRIMARY)
			add_attribute(&fields[rule->field], attributes,
			              n_attributes, "", "term");
		break;
	case OUTSIDE:
	case IN_CHANNEL:
	case IN_AUTHOR:
		break;
	}
}

/* NOLINTNEXTLINE(readability-function-size): libxml2's startElementNs */
static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *ns, int n_namespaces,
                     const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes)
{
	struct feed_parser *parser = ctx;
	enum place at = current_place(parser);
	const char *its_ns = ns ? (const char *)ns : "";
	const struct rule *rule = find_rule(at, its_ns, (const char *)name);

	(void)prefix;
	(void)n_namespaces;
	(void)namespaces;
	(void)n_defaulted;
	if (parser->failed)
		return;
	if (at == IN_FEED && !strcmp(its_ns, NS_OPENSEARCH))
		parser->feed->kind = FEED_API;

	if (parser->n_inside > 0 || at == IN_TEXT)
		enter_unknown(parser);
	else if (!rule && at == OUTSIDE)
		refuse_root(parser, (const char *)name);
	else if (!rule || is_repeated(parser, rule))
		enter_unknown(parser);
	else
		enter(parser, rule, attributes, n_attributes);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix,
                   const xmlChar *ns)
{
	struct feed_parser *parser = ctx;
	enum place left = current_place(parser);

	(void)name;
	(void)prefix;
	(void)ns;
	if (parser->failed)
		return;
	if (parser->n_inside > 0) {
		parser->n_inside--;
		return;
	}
	parser->depth--;
	if (left == IN_TEXT)
		end_text(parser);
	else if (left == IN_ITEM)
		end_item(parser);
	parser->complete = parser->depth == 0;
}

/* Markup inside a text has no rule either, but its text belongs to it. */
static void on_text(void *ctx, const xmlChar *text, int len)
{
	struct feed_parser *parser = ctx;

	if (!parser->failed && current_place(parser) == IN_TEXT)
		buf_add(&parser->raw.fields[parser->field], text, (size_t)len);
}

/* ---- the parser ---- */

static xmlParserCtxt *new_xml(struct feed_parser *parser)
{
	xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.internalSubset = on_doctype,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.serror = on_error,
	};
	xmlParserCtxt *xml =
		xmlCreatePushParserCtxt(&sax, parser, NULL, 0, NULL);

	/* Nothing here asks for an entity; should it, the answer is no. */
	xmlSetExternalEntityLoader(refuse_entity);
	if (xml)
		xmlCtxtUseOptions(xml, XML_PARSE_NONET | XML_PARSE_NOERROR |
		                               XML_PARSE_NOWARNING);
	return xml;
}

struct feed_parser *feed_parser_new(void)
{
	struct feed_parser *parser = mem_new(sizeof(*parser));

	for (unsigned i = 0; i < FIELDS; i++)
		parser->raw.fields[i] = BUF_INIT(LIMIT_FEED_BYTES);
	parser->head = BUF_INIT(HEAD_BYTES);
	parser->feed = mem_new(sizeof(*parser->feed));
	parser->xml = new_xml(parser);
	return parser;
}

void feed_parser_free(struct feed_parser *parser)
{
	if (!parser)
		return;
	xmlFreeParserCtxt(parser->xml);
	for (unsigned i = 0; i < FIELDS; i++)
		buf_fini(&parser->raw.fields[i]);
	strings_fini(&parser->raw.names);
	strings_fini(&parser->raw.categories);
	buf_fini(&parser->head);
	feed_free(parser->feed);
	free(parser);
}

/*
 * A stopped parse may report no error at all, so our own flag counts; what
 * libxml2 reports without having called on_error() counts as well.
 */
static int push_xml(struct feed_parser *parser, struct span bytes,
                    struct error *err)
{
	int code = xmlParseChunk(parser->xml, bytes.ptr, (int)bytes.len,
	                         parser->ending);

	if (parser->failed) {
		*err = parser->err;
		return -1;
	}
	if (code)
		return error_set(err, ERROR_SYNTAX,
		                 "not well-formed XML: libxml2's error %d",
		                 code);
	return 0;
}

static int push_head(struct feed_parser *parser, struct error *err)
{
	if (parser->started)
		return 0;
	parser->started = true;
	return push_xml(parser, buf_span(&parser->head), err);
}

static int push(struct feed_parser *parser, struct span bytes,
                struct error *err)
{
	if (!parser->started) {
		size_t room = HEAD_BYTES - parser->head.len;
		struct span part = span_first(bytes, room);

		buf_add_span(&parser->head, part);
		bytes = span_skip(bytes, part.len);
		if (part.len == room && push_head(parser, err) < 0)
			return -1;
	}
	return bytes.len > 0 ? push_xml(parser, bytes, err) : 0;
}

int feed_parser_push(struct feed_parser *parser, const void *bytes, size_t len,
                     struct error *err)
{
	if (!parser->xml)
		return error_set(err, ERROR_SYSTEM, "libxml2 has no memory");
	if (len > LIMIT_FEED_BYTES - parser->n_bytes)
		return error_set(err, ERROR_LIMIT, "longer than %u bytes",
		                 LIMIT_FEED_BYTES);
	if (len == 0)
		return 0;
	/* libxml2 takes it for the end; UTF-16, full of them, is not arXiv's.
	 */
	if (memchr(bytes, 0, len))
		return error_set(err, ERROR_SYNTAX,
		                 "not well-formed XML: a NUL byte");
	parser->n_bytes += len;
	if (!measure_tags(&parser->tag_len, (struct span){bytes, len}))
		return error_set(err, ERROR_LIMIT,
		                 "a tag of more than %u bytes, which no feed "
		                 "has",
		                 LIMIT_FEED_TAG_BYTES);
	return push(parser, (struct span){bytes, len}, err);
}

/* What a whole document may still be: arXiv's way to say no. */
static int check_feed(struct feed_parser *parser, struct error *err)
{
	const struct feed *feed = parser->feed;
	const struct buf *reason = &parser->raw.fields[FIELD_FEED_REASON];
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
	const struct buf *title = &parser->raw.fields[FIELD_FEED_TITLE];

	if (!parser->xml)
		return error_set(err, ERROR_SYSTEM, "libxml2 has no memory");
	if (push_head(parser, err) < 0)
		return -1;
	parser->ending = true;
	if (push_xml(parser, SPAN_NONE, err) < 0)
		return -1;
	if (!parser->complete)
		return error_set(err, ERROR_SYNTAX, "the feed ends in mid-air");

	parser->feed->title = display_text(buf_span(title));
	if (check_feed(parser, err) < 0)
		return -1;
	*ret_feed = take_ptr(parser->feed);
	return 0;
}
