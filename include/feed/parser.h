#pragma once

/*
 * Bytes to announcements: RSS 2.0 (both generations), Atom, legacy RDF
 * (RSS 1.0) and the API's Atom, told apart by the root element and its
 * namespaces, never by position. Pure: bytes in, values out.
 *
 * libxml2's push parser without entities, DTDs or network. A DOCTYPE, HTML,
 * a body that ends in mid-air, arXiv's "Feed error" answer and the API's
 * "Error" entry are failures whose message says which it was, with the line.
 * A feed without items is valid: arXiv's weekends; one whose items are all
 * unusable is a failure. Of two items of one paper the better type counts; an
 * item without a type (the API's) is new in version 1 and a replacement later.
 *
 * A paper's raw texts are the feed's, trimmed, with what arXiv wraps around
 * them ("arXiv:ID Announce Type: ... Abstract:", legacy HTML); its display
 * texts are without.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "model/paper.h"

enum feed_kind {
	FEED_RSS,
	FEED_ATOM,
	FEED_RDF,
	FEED_API,
};

struct feed_item {
	struct paper *paper;
	enum announce_type type;
};

struct feed {
	enum feed_kind kind;
	char *title;             /* of the channel, one clean line */
	struct feed_item *items; /* in the feed's order, ids distinct */
	size_t n_items;
	size_t capacity;
	size_t n_skipped; /* items left out because they lack an id, title,
	                     author or abstract, exceed a limit or have a
	                     type that is none of ours */
	char *skipped;    /* the first one and why; NULL if there is none */
};

void feed_free(struct feed *feed);

OWNED_DEFINE(feed, struct feed, feed_free);

struct feed_parser;

struct feed_parser *feed_parser_new(void);
void feed_parser_free(struct feed_parser *parser);

OWNED_DEFINE(feed_parser, struct feed_parser, feed_parser_free);

/* Takes the next bytes, in pieces of any size. After -1, only free it. */
MUST_CHECK int feed_parser_push(struct feed_parser *parser, const void *bytes,
                                size_t len, struct error *err);

/*
 * The end of the body. On success the caller owns *ret_feed. Fails with
 * ERROR_SYNTAX (not a feed, broken), ERROR_LIMIT (too much) or
 * ERROR_PERMANENT (arXiv's own error feed: what it says).
 */
MUST_CHECK int feed_parser_finish(struct feed_parser *parser,
                                  struct feed **ret_feed, struct error *err);

/* The three steps for a whole body. */
MUST_CHECK int feed_parse(struct span body, struct feed **ret_feed,
                          struct error *err);

/*
 * Splits arXiv's one-line author list on commas, "and" (OAI-PMH's have it as
 * it was typed) and a collaboration's colon outside parentheses, drops
 * affiliations, "et al." and parts without a letter, keeps suffixes (Jr., III)
 * with their name, and appends each name as display text.
 */
void feed_split_authors(struct span text, struct strings *authors);

/* Appends the name and version of libxml2. */
void feed_parser_add_library(struct buf *out);
