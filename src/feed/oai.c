#include "feed/oai.h"

#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/day.h"
#include "sax_private.h"

#define NS_OAI "http://www.openarchives.org/OAI/2.0/"
#define NS_RAW "http://arxiv.org/OAI/arXivRaw/"

#define URL_BYTES (64U * LIMIT_KIB)
#define MAX_VERSION 999U
#define BLANKS " \t\r\n"

static const struct rule rules[] = {
	{OUTSIDE, NS_OAI, "OAI-PMH", IN_OAI, FIELD_NONE},
	{IN_OAI, NS_OAI, "error", IN_TEXT, FIELD_ERROR},
	{IN_OAI, NS_OAI, "ListRecords", IN_LIST, FIELD_NONE},
	{IN_LIST, NS_OAI, "resumptionToken", IN_TEXT, FIELD_TOKEN},
	{IN_LIST, NS_OAI, "record", IN_ITEM, FIELD_NONE},
	{IN_ITEM, NS_OAI, "header", IN_HEADER, FIELD_NONE},
	{IN_HEADER, NS_OAI, "identifier", IN_TEXT, FIELD_ID},
	{IN_ITEM, NS_OAI, "metadata", IN_METADATA, FIELD_NONE},
	{IN_METADATA, NS_RAW, "arXivRaw", IN_RAW, FIELD_NONE},
	{IN_RAW, NS_RAW, "version", IN_VERSION, FIELD_NONE},
	{IN_VERSION, NS_RAW, "date", IN_TEXT, FIELD_DATE},
	{IN_RAW, NS_RAW, "title", IN_TEXT, FIELD_TITLE},
	{IN_RAW, NS_RAW, "authors", IN_TEXT, FIELD_CREATOR},
	{IN_RAW, NS_RAW, "categories", IN_TEXT, FIELD_CATEGORIES},
	{IN_RAW, NS_RAW, "abstract", IN_TEXT, FIELD_ABSTRACT},
};

struct oai_parser {
	struct sax sax;
	struct oai_page *page;
	bool has_list;
	size_t n_records; /* seen, skipped and deleted ones included */
	/* Of the record that is open: */
	int line;
	bool is_deleted;
	bool is_raw;
	uint32_t version; /* the highest; 0: none yet */
	int64_t first_at; /* -1: not known */
};

void oai_page_free(struct oai_page *page)
{
	if (!page)
		return;
	for (size_t i = 0; i < page->n_records; i++)
		paper_free(page->records[i].paper);
	free(page->records);
	free(page->token);
	free(page->skipped);
	free(page);
}

static void refuse_root(void *ctx, const char *name)
{
	struct oai_parser *parser = ctx;
	owned(mem) char *shown = quote_text(span_of(name));
	owned(mem) char *what = mem_printf(
		"not an OAI-PMH answer: the root element is <%s>", shown);

	if (!strcasecmp(name, "html"))
		sax_refuse_html(&parser->sax);
	else
		sax_refuse(&parser->sax, what);
}

/* ---- records ---- */

static void begin_record(struct oai_parser *parser)
{
	sax_clear_item(&parser->sax);
	parser->line = sax_line(&parser->sax);
	parser->is_deleted = false;
	parser->is_raw = false;
	parser->version = 0;
	parser->first_at = -1;
}

static void begin_header(struct oai_parser *parser,
                         const struct attributes *attributes)
{
	owned(buf) struct buf status = BUF_INIT(LIMIT_FEED_TAG_BYTES);

	sax_add_attribute(&status, attributes, "", "status");
	parser->is_deleted = span_is(buf_span(&status), "deleted");
}

/* "v2" and "Tue, 24 Jul 2007 20:10:27 GMT"; the order is not promised. */
static void end_version(struct oai_parser *parser)
{
	struct buf *fields = parser->sax.raw.fields;
	struct span text = buf_span(&fields[FIELD_VERSION]);
	uint64_t number = 0;

	if (span_starts(text, "v") &&
	    num_parse(span_skip(text, 1), 1, MAX_VERSION, &number)) {
		if (number > parser->version)
			parser->version = (uint32_t)number;
		if (number == 1)
			parser->first_at =
				curl_getdate(buf_str(&fields[FIELD_DATE]), 0);
	}
	buf_clear(&fields[FIELD_VERSION]);
	buf_clear(&fields[FIELD_DATE]);
}

static void split_categories(struct raw_item *raw)
{
	const char *rest = buf_str(&raw->fields[FIELD_CATEGORIES]);
	size_t len;

	for (rest += strspn(rest, BLANKS); *rest;
	     rest += len + strspn(rest + len, BLANKS)) {
		len = strcspn(rest, BLANKS);
		strings_add(&raw->categories, (struct span){rest, len});
	}
}

static int read_record(struct oai_parser *parser, struct oai_record *ret_record,
                       struct error *err)
{
	struct raw_item *raw = &parser->sax.raw;
	struct feed_item item;

	if (!parser->is_raw)
		return error_set(err, ERROR_SYNTAX,
		                 "a record without arXivRaw metadata");
	split_categories(raw);
	if (item_read(raw, &item, err) < 0)
		return -1;
	if (parser->first_at < 0) {
		(void)error_set(err, ERROR_SYNTAX,
		                "%s: no date of its version 1", item.paper->id);
		paper_free(item.paper);
		return -1;
	}
	item.paper->version = parser->version;
	*ret_record = (struct oai_record){item.paper, parser->first_at};
	return 0;
}

static void add_record(struct oai_page *page, struct oai_record record)
{
	page->records = mem_grow(page->records, &page->capacity,
	                         page->n_records + 1, sizeof(record));
	page->records[page->n_records++] = record;
}

static void skip_record(struct oai_parser *parser, const struct error *why)
{
	struct oai_page *page = parser->page;

	if (page->n_skipped++ == 0)
		page->skipped =
			mem_printf("line %d: %s", parser->line, why->message);
}

static void end_record(struct oai_parser *parser)
{
	struct sax *sax = &parser->sax;
	struct oai_record record = {0};
	struct error why = {0};

	if (++parser->n_records > LIMIT_FEED_ITEMS) {
		(void)error_set(&sax->err, ERROR_LIMIT, "more than %u records",
		                LIMIT_FEED_ITEMS);
		sax_stop(sax);
	} else if (parser->is_deleted) {
		parser->page->n_deleted++;
	} else if (read_record(parser, &record, &why) < 0) {
		skip_record(parser, &why);
	} else {
		add_record(parser->page, record);
	}
}

/* ---- elements ---- */

static void on_enter(void *ctx, const struct rule *rule,
                     const struct attributes *attributes)
{
	struct oai_parser *parser = ctx;
	struct buf *fields = parser->sax.raw.fields;

	if (rule->to == IN_LIST)
		parser->has_list = true;
	if (rule->to == IN_ITEM)
		begin_record(parser);
	if (rule->to == IN_HEADER)
		begin_header(parser, attributes);
	if (rule->to == IN_RAW)
		parser->is_raw = true;
	if (rule->to == IN_VERSION)
		sax_add_attribute(&fields[FIELD_VERSION], attributes, "",
		                  "version");
	if (rule->field == FIELD_ERROR && fields[FIELD_CODE].len == 0)
		sax_add_attribute(&fields[FIELD_CODE], attributes, "", "code");
}

static void on_leave(void *ctx, enum place left)
{
	if (left == IN_VERSION)
		end_version(ctx);
	if (left == IN_ITEM)
		end_record(ctx);
}

/* ---- the parser ---- */

static const struct grammar grammar = {
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(*rules),
	.name = "OAI-PMH answer",
	.foreign = refuse_root,
	.enter = on_enter,
	.leave = on_leave,
};

struct oai_parser *oai_parser_new(void)
{
	struct oai_parser *parser = mem_new(sizeof(*parser));

	sax_init(&parser->sax, &grammar, parser);
	parser->page = mem_new(sizeof(*parser->page));
	return parser;
}

void oai_parser_free(struct oai_parser *parser)
{
	if (!parser)
		return;
	sax_fini(&parser->sax);
	oai_page_free(parser->page);
	free(parser);
}

int oai_parser_push(struct oai_parser *parser, const void *bytes, size_t len,
                    struct error *err)
{
	return sax_push(&parser->sax, bytes, len, err);
}

static int read_error(const struct buf *fields, struct error *err)
{
	struct span code = buf_span(&fields[FIELD_CODE]);
	owned(mem) char *shown = quote_text(code);
	owned(mem) char *said = display_text(buf_span(&fields[FIELD_ERROR]));

	if (span_is(code, "noRecordsMatch"))
		return OAI_NONE;
	if (span_is(code, "badResumptionToken"))
		return OAI_BAD_TOKEN;
	return error_set(err, ERROR_PERMANENT, "arXiv refused: %s%s%s", shown,
	                 *shown ? ": " : "", said);
}

int oai_parser_finish(struct oai_parser *parser, struct oai_page **ret_page,
                      struct error *err)
{
	const struct buf *fields = parser->sax.raw.fields;
	struct oai_page *page = parser->page;
	struct span token;

	if (sax_finish(&parser->sax, err) < 0)
		return -1;
	if (fields[FIELD_CODE].len > 0 || fields[FIELD_ERROR].len > 0)
		return read_error(fields, err);
	if (!parser->has_list)
		return error_set(err, ERROR_SYNTAX,
		                 "an OAI-PMH answer without a list of records");
	if (page->n_records == 0 && page->n_skipped > 0)
		return error_set(err, ERROR_SYNTAX,
		                 "none of its %zu records is of use: %s",
		                 page->n_skipped, page->skipped);
	token = span_trim(buf_span(&fields[FIELD_TOKEN]));
	if (token.len > LIMIT_OAI_TOKEN_BYTES)
		return error_set(err, ERROR_LIMIT,
		                 "a resumption token of more than %u bytes",
		                 LIMIT_OAI_TOKEN_BYTES);
	if (token.len > 0)
		page->token = mem_dup_span(token);
	*ret_page = take_ptr(parser->page);
	return OAI_PAGE;
}

/* ---- what to ask for ---- */

/* Archives of a group of their own; all others are physics. */
static const char *const groups[] = {"cs",    "econ",  "eess", "math",
                                     "q-bio", "q-fin", "stat"};

static const char *group_of(struct span archive)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (span_is(archive, groups[i]))
			return groups[i];
	return "physics";
}

/* cs.CL is cs:cs:CL, and hep-th, an archive without parts, physics:hep-th. */
static char *set_of(const char *category)
{
	struct span part = span_of(category);
	struct span archive;

	span_split(&part, '.', &archive);
	return mem_printf("%s:%.*s%s%.*s", group_of(archive), (int)archive.len,
	                  archive.ptr, part.len > 0 ? ":" : "", (int)part.len,
	                  part.ptr ? part.ptr : "");
}

static void begin_url(struct buf *url, const char *base)
{
	buf_add_str(url, base);
	buf_add_char(url, strchr(base, '?') ? '&' : '?');
	buf_add_str(url, "verb=ListRecords");
}

char *oai_first_url(const char *base, const char *category, int32_t from_day)
{
	owned(buf) struct buf url = BUF_INIT(URL_BYTES);
	owned(mem) char *set = set_of(category);
	char day[DAY_TEXT_SIZE];

	begin_url(&url, base);
	buf_add_str(&url, "&metadataPrefix=arXivRaw&set=");
	buf_add_url(&url, span_of(set));
	buf_addf(&url, "&from=%s", day_format(from_day, day));
	return mem_dup(buf_str(&url));
}

char *oai_next_url(const char *base, const char *token)
{
	owned(buf) struct buf url = BUF_INIT(URL_BYTES);

	begin_url(&url, base);
	buf_add_str(&url, "&resumptionToken=");
	buf_add_url(&url, span_of(token));
	return mem_dup(buf_str(&url));
}
