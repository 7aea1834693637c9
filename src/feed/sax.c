#include "sax_private.h"

#include <strings.h>

#include <libxml/SAX2.h>

#include "base/limits.h"
#include "base/mem.h"

/*
 * So many bytes are kept back, until they or the end have come: what is no
 * XML can then be named by how it begins.
 */
#define HEAD_BYTES 512

/* As in libxml2's own tree builder; real feeds nest 5 deep. */
#define NESTING_MAX 256

/* ---- errors ---- */

void sax_stop(struct sax *sax)
{
	(void)error_prefix(&sax->err, "line %d", sax_line(sax));
	sax->failed = true;
	xmlStopParser(sax->xml);
}

void sax_refuse(struct sax *sax, const char *what)
{
	(void)error_set(&sax->err, ERROR_SYNTAX, "%s", what);
	sax_stop(sax);
}

int sax_line(const struct sax *sax)
{
	return xmlSAX2GetLineNumber(sax->xml);
}

static void set_html(struct sax *sax)
{
	(void)error_set(&sax->err, ERROR_SYNTAX,
	                "an HTML page instead of a feed: the URL is wrong, or "
	                "a proxy or login page answered");
}

void sax_refuse_html(struct sax *sax)
{
	set_html(sax);
	sax_stop(sax);
}

/* HTML is seldom XML: it may break in its DOCTYPE or before. */
static bool begins_like_html(const struct sax *sax)
{
	const char *head = buf_str(&sax->head);

	return strcasestr(head, "<!doctype html") || strcasestr(head, "<html");
}

static bool begins_like_xml(const struct sax *sax)
{
	owned(mem) char *head = quote_text(buf_span(&sax->head));

	return *head == '<' && !begins_like_html(sax);
}

static void note_no_xml(struct sax *sax)
{
	owned(mem) char *head = quote_text(buf_span(&sax->head));

	if (begins_like_html(sax))
		set_html(sax);
	else if (*head)
		(void)error_set(&sax->err, ERROR_SYNTAX,
		                "not XML: it begins with \"%s\"", head);
	else
		(void)error_set(&sax->err, ERROR_SYNTAX,
		                "the answer is empty, which no %s is",
		                sax->grammar->name);
}

static void note_xml_error(struct sax *sax, const xmlError *xml_error)
{
	owned(mem) char *what = display_text(span_of(xml_error->message));

	(void)error_set(&sax->err, ERROR_SYNTAX,
	                "line %d: not well-formed XML: %s", xml_error->line,
	                what);
}

/*
 * libxml2 goes on after some errors; nothing of the document counts then.
 * Stopping it from here is not safe: it may be in the middle of its input.
 */
static void on_error(void *ctx, xmlError *xml_error)
{
	struct sax *sax = ctx;

	if (sax->failed || xml_error->level < XML_ERR_ERROR)
		return;
	sax->failed = true;
	if (sax->depth == 0 && !sax->complete && !begins_like_xml(sax))
		note_no_xml(sax);
	else if (sax->ending && !sax->complete)
		(void)error_set(&sax->err, ERROR_SYNTAX,
		                "line %d: the %s ends in mid-air",
		                xml_error->line, sax->grammar->name);
	else
		note_xml_error(sax, xml_error);
}

/* No feed has a DOCTYPE; without one there are no entities to expand. */
static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
	struct sax *sax = ctx;

	(void)public_id;
	(void)system_id;
	if (sax->failed)
		return;
	if (!strcasecmp((const char *)name, "html"))
		sax_refuse_html(sax);
	else
		sax_refuse(sax, "a DOCTYPE, which a feed must not have");
}

static xmlParserInput *refuse_entity(const char *url, const char *id,
                                     xmlParserCtxt *xml)
{
	(void)url;
	(void)id;
	(void)xml;
	return NULL;
}

/* ---- elements ---- */

static enum place current_place(const struct sax *sax)
{
	return sax->depth > 0 ? sax->places[sax->depth - 1] : OUTSIDE;
}

static const struct rule *find_rule(const struct grammar *grammar,
                                    enum place at, const char *ns,
                                    const char *name)
{
	for (size_t i = 0; i < grammar->n_rules; i++) {
		const struct rule *rule = &grammar->rules[i];

		if (rule->at == at && !strcmp(rule->name, name) &&
		    !strcmp(rule->ns, ns))
			return rule;
	}
	return NULL;
}

/* An attribute of startElementNs(): name, prefix, namespace, value, end. */
#define ATTRIBUTE_PARTS 5

void sax_add_attribute(struct buf *text, const struct attributes *attributes,
                       const char *ns, const char *name)
{
	const xmlChar **item = attributes->items;

	for (int i = 0; i < attributes->n; i++, item += ATTRIBUTE_PARTS) {
		const char *its_ns = (const char *)item[2];

		if (!strcmp((const char *)item[0], name) &&
		    !strcmp(its_ns ? its_ns : "", ns))
			buf_add(text, item[3], (size_t)(item[4] - item[3]));
	}
}

/* Inside a text and inside what is not known nothing has a rule. */
static void enter_unknown(struct sax *sax)
{
	if (++sax->n_inside <= NESTING_MAX)
		return;
	(void)error_set(&sax->err, ERROR_LIMIT,
	                "elements nested more than %d deep", NESTING_MAX);
	sax_stop(sax);
}

/* Several creators make one list; of other repeated texts the first counts. */
static bool is_repeated(struct sax *sax, const struct rule *rule)
{
	struct buf *text = &sax->raw.fields[rule->field];

	if (rule->to != IN_TEXT || text->len == 0)
		return false;
	if (rule->field != FIELD_CREATOR)
		return true;
	buf_add_str(text, ", ");
	return false;
}

/* NOLINTNEXTLINE(readability-function-size): libxml2's startElementNs */
static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *ns, int n_namespaces,
                     const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes)
{
	struct sax *sax = ctx;
	enum place at = current_place(sax);
	const char *its_ns = ns ? (const char *)ns : "";
	const struct rule *rule =
		find_rule(sax->grammar, at, its_ns, (const char *)name);

	(void)prefix;
	(void)n_namespaces;
	(void)namespaces;
	(void)n_defaulted;
	if (sax->failed)
		return;
	if (sax->grammar->begin)
		sax->grammar->begin(sax->ctx, at, its_ns);

	if (sax->n_inside > 0 || at == IN_TEXT) {
		enter_unknown(sax);
	} else if (!rule && at == OUTSIDE) {
		sax->grammar->foreign(sax->ctx, (const char *)name);
	} else if (!rule || is_repeated(sax, rule)) {
		enter_unknown(sax);
	} else {
		sax->places[sax->depth++] = rule->to;
		sax->field = rule->field;
		sax->grammar->enter(
			sax->ctx, rule,
			&(struct attributes){attributes, n_attributes});
	}
}

static void end_text(struct sax *sax)
{
	struct buf *text = &sax->raw.fields[sax->field];

	if (sax->field == FIELD_NAME) {
		strings_add(&sax->raw.names, span_trim(buf_span(text)));
		buf_clear(text);
	} else if (sax->field == FIELD_CATEGORY) {
		strings_add(&sax->raw.categories, span_trim(buf_span(text)));
		buf_clear(text);
	}
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix,
                   const xmlChar *ns)
{
	struct sax *sax = ctx;
	enum place left = current_place(sax);

	(void)name;
	(void)prefix;
	(void)ns;
	if (sax->failed)
		return;
	if (sax->n_inside > 0) {
		sax->n_inside--;
		return;
	}
	sax->depth--;
	sax->complete = sax->depth == 0;
	if (left == IN_TEXT)
		end_text(sax);
	else
		sax->grammar->leave(sax->ctx, left);
}

/* Markup inside a text has no rule either, but its text belongs to it. */
static void on_text(void *ctx, const xmlChar *text, int len)
{
	struct sax *sax = ctx;

	if (!sax->failed && current_place(sax) == IN_TEXT)
		buf_add(&sax->raw.fields[sax->field], text, (size_t)len);
}

/* ---- the parser ---- */

/* What libxml2 would print on stderr by itself. */
static void say_nothing(void *ctx, const char *format, ...)
{
	(void)ctx;
	(void)format;
}

static xmlParserCtxt *new_xml(struct sax *sax)
{
	xmlSAXHandler handler = {
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
		xmlCreatePushParserCtxt(&handler, sax, NULL, 0, NULL);

	/* Nothing here asks for an entity; should it, the answer is no. */
	xmlSetExternalEntityLoader(refuse_entity);
	xmlSetGenericErrorFunc(NULL, say_nothing);
	if (xml)
		xmlCtxtUseOptions(xml, XML_PARSE_NONET | XML_PARSE_NOERROR |
		                               XML_PARSE_NOWARNING);
	return xml;
}

void sax_init(struct sax *sax, const struct grammar *grammar, void *ctx)
{
	*sax = (struct sax){
		.grammar = grammar,
		.ctx = ctx,
		.head = BUF_INIT(HEAD_BYTES),
	};
	for (unsigned i = 0; i < FIELDS; i++)
		sax->raw.fields[i] = BUF_INIT(LIMIT_FEED_BYTES);
	sax->xml = new_xml(sax);
}

void sax_clear_item(struct sax *sax)
{
	struct raw_item *raw = &sax->raw;

	for (unsigned i = FIELD_NONE; i < FIELD_FEED_TITLE; i++)
		buf_clear(&raw->fields[i]);
	strings_fini(&raw->names);
	strings_fini(&raw->categories);
}

void sax_fini(struct sax *sax)
{
	/* libxml2 makes a document for a DOCTYPE's entities, and leaves it. */
	if (sax->xml)
		xmlFreeDoc(take_ptr(sax->xml->myDoc));
	xmlFreeParserCtxt(sax->xml);
	for (unsigned i = 0; i < FIELDS; i++)
		buf_fini(&sax->raw.fields[i]);
	strings_fini(&sax->raw.names);
	strings_fini(&sax->raw.categories);
	buf_fini(&sax->head);
}

/*
 * A stopped parse may report no error at all, so our own flag counts; what
 * libxml2 reports without having called on_error() counts as well.
 */
static int push_xml(struct sax *sax, struct span bytes, struct error *err)
{
	int code =
		xmlParseChunk(sax->xml, bytes.ptr, (int)bytes.len, sax->ending);

	if (sax->failed) {
		*err = sax->err;
		return -1;
	}
	if (code)
		return error_set(err, ERROR_SYNTAX,
		                 "not well-formed XML: libxml2's error %d",
		                 code);
	return 0;
}

static int push_head(struct sax *sax, struct error *err)
{
	if (sax->started)
		return 0;
	sax->started = true;
	return push_xml(sax, buf_span(&sax->head), err);
}

static int push(struct sax *sax, struct span bytes, struct error *err)
{
	if (!sax->started) {
		size_t room = HEAD_BYTES - sax->head.len;
		struct span part = span_first(bytes, room);

		buf_add_span(&sax->head, part);
		bytes = span_skip(bytes, part.len);
		if (part.len == room && push_head(sax, err) < 0)
			return -1;
	}
	return bytes.len > 0 ? push_xml(sax, bytes, err) : 0;
}

int sax_push(struct sax *sax, const void *bytes, size_t len, struct error *err)
{
	if (!sax->xml)
		return error_set(err, ERROR_SYSTEM, "libxml2 has no memory");
	if (len > LIMIT_FEED_BYTES - sax->n_bytes)
		return error_set(err, ERROR_LIMIT, "longer than %u bytes",
		                 LIMIT_FEED_BYTES);
	if (len == 0)
		return 0;
	/* libxml2 takes it for the end; UTF-16, full of them, is not arXiv's.
	 */
	if (memchr(bytes, 0, len))
		return error_set(err, ERROR_SYNTAX,
		                 "not well-formed XML: a NUL byte");
	sax->n_bytes += len;
	if (!measure_tags(&sax->tag_len, (struct span){bytes, len}))
		return error_set(err, ERROR_LIMIT,
		                 "a tag of more than %u bytes, which no feed "
		                 "has",
		                 LIMIT_FEED_TAG_BYTES);
	return push(sax, (struct span){bytes, len}, err);
}

int sax_finish(struct sax *sax, struct error *err)
{
	if (!sax->xml)
		return error_set(err, ERROR_SYSTEM, "libxml2 has no memory");
	if (push_head(sax, err) < 0)
		return -1;
	sax->ending = true;
	if (push_xml(sax, SPAN_NONE, err) < 0)
		return -1;
	if (!sax->complete)
		return error_set(err, ERROR_SYNTAX, "the %s ends in mid-air",
		                 sax->grammar->name);
	return 0;
}
