#pragma once

/* What the modules of feed/ share: an item between XML and a paper. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "base/strings.h"
#include "feed/parser.h"

/* The texts of an item and of the whole feed, as XML gave them. */
enum field {
	FIELD_NONE,
	FIELD_ID,
	FIELD_TITLE,
	FIELD_ABSTRACT,
	FIELD_CREATOR,    /* all authors in one line */
	FIELD_NAME,       /* one author; ends up in `names` */
	FIELD_TYPE,       /* arxiv:announce_type */
	FIELD_PRIMARY,    /* the primary category */
	FIELD_CATEGORY,   /* one category; ends up in `categories` */
	FIELD_CATEGORIES, /* OAI-PMH's: all, a blank between */
	FIELD_VERSION,    /* OAI-PMH's: the number, with a `v` */
	FIELD_DATE,       /* and when it came */
	FIELD_FEED_TITLE,
	FIELD_FEED_REASON,
	FIELD_TOKEN, /* OAI-PMH's resumptionToken */
	FIELD_ERROR, /* and what the error's code and words are */
	FIELD_CODE,
	FIELDS, /* how many there are */
};

struct raw_item {
	struct buf fields[FIELDS];
	struct strings names;
	struct strings categories;
	bool is_html; /* legacy RDF: abstract and creator hold HTML */
};

/*
 * Makes a paper of an item. On success the caller owns ret_item->paper. Fails
 * with the reason if the item lacks something or exceeds a limit.
 */
MUST_CHECK int item_read(const struct raw_item *raw, struct feed_item *ret_item,
                         struct error *err);

/* Takes the item. Of two of one paper the better type counts. */
void feed_add(struct feed *feed, struct feed_item item);
/* Counts an item that is left out; the first one's reason is kept. */
void feed_skip(struct feed *feed, int line, const struct error *why);

/* `raw` as display text. The caller owns it. */
char *display_text(struct span raw);
/* The beginning of an outside text, for a reason. The caller owns it. */
char *quote_text(struct span text);

/*
 * Appends the text of a piece of HTML: tags dropped (paragraphs and line
 * breaks as a line end), character references decoded. No whole HTML parser:
 * arXiv's legacy feeds use <p> and <a> only.
 */
void html_add_text(struct buf *out, struct span html);

/*
 * Looks at the next bytes for tags longer than LIMIT_FEED_TAG_BYTES; false if
 * there is one. libxml2 compares each attribute of a tag with all others.
 * *len is kept between calls, from 0 on.
 */
bool measure_tags(size_t *len, struct span bytes);
