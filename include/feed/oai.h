#pragma once

/*
 * OAI-PMH: what arXiv's archive says about past days, as pages of papers.
 * Pure: bytes in, values out, URLs to ask for. A document that is none is
 * refused as a feed would be (feed/parser.h).
 *
 * Asked for is arXivRaw: it alone has the date of every version. A record is
 * of the paper's newest version, whatever happened to it last.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"
#include "model/paper.h"

struct oai_record {
	struct paper *paper;
	int64_t first_at; /* when version 1 was submitted */
};

struct oai_page {
	struct oai_record *records; /* in the page's order */
	size_t n_records;
	size_t capacity;
	char *token;      /* for the next page; NULL: this is the last */
	size_t n_deleted; /* records that are no more */
	size_t n_skipped; /* left out: something is missing or too long */
	char *skipped;    /* the first one and why; NULL if there is none */
};

void oai_page_free(struct oai_page *page);

OWNED_DEFINE(oai_page, struct oai_page, oai_page_free);

enum oai_outcome {
	OAI_PAGE = 0,
	OAI_NONE = 1,      /* noRecordsMatch: nothing in that time */
	OAI_BAD_TOKEN = 2, /* badResumptionToken: begin again */
};

struct oai_parser;

struct oai_parser *oai_parser_new(void);
void oai_parser_free(struct oai_parser *parser);

OWNED_DEFINE(oai_parser, struct oai_parser, oai_parser_free);

/* Takes the next bytes, in pieces of any size. After -1, only free it. */
MUST_CHECK int oai_parser_push(struct oai_parser *parser, const void *bytes,
                               size_t len, struct error *err);

/*
 * The end of the body: an enum oai_outcome. With OAI_PAGE the caller owns
 * *ret_page. Fails with ERROR_SYNTAX (not OAI-PMH, broken), ERROR_LIMIT (too
 * much) or ERROR_PERMANENT (the server's own error: what it says).
 */
MUST_CHECK int oai_parser_finish(struct oai_parser *parser,
                                 struct oai_page **ret_page, struct error *err);

/*
 * The URL of the first page of what has changed in a category or archive from
 * a day on. The caller owns it, and so the next one's.
 */
char *oai_first_url(const char *base, const char *category, int32_t from_day);
char *oai_next_url(const char *base, const char *token);
