#pragma once

/*
 * A paper: an arXiv e-print in one version.
 *
 * The display text (title, abstract, authors) is one line of clean UTF-8
 * each: TeX accents converted, no control characters, blanks collapsed, ends
 * trimmed. It is what is matched, marked and shown. The raw text is what the
 * feed had.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/owned.h"
#include "base/span.h"
#include "base/strings.h"

struct paper {
	char *id;         /* without version: 2403.17887, hep-th/9901001 */
	uint32_t version; /* from 1 */
	char *title;
	char *abstract;
	struct strings authors; /* one name each, in order */
	char *title_raw;
	char *abstract_raw;
	char *authors_raw;
	struct strings categories; /* the first is the primary one */
	uint32_t n_shares;         /* owners besides the first */
};

struct paper *paper_new(void);
/* The paper with one more owner, who calls paper_free() as well. */
struct paper *paper_share(struct paper *paper);
void paper_free(struct paper *paper);

OWNED_DEFINE(paper, struct paper, paper_free);

/*
 * Takes an arXiv id apart (info.arxiv.org/help/arxiv_identifier.html):
 * YYMM.NNNN, YYMM.NNNNN or archive(.SC)?/YYMMNNN, each perhaps with vN.
 * True and *ret_id (borrowed from `text`) and *ret_version (0 if there is
 * none, at most 999) if all of `text` is one.
 */
bool paper_parse_id(struct span text, struct span *ret_id,
                    uint32_t *ret_version);

/* What kind of appearance; of several for one paper the lowest counts. */
enum announce_type {
	ANNOUNCE_NEW,
	ANNOUNCE_CROSS,
	ANNOUNCE_REPLACE,
	ANNOUNCE_REPLACE_CROSS,
	ANNOUNCE_TYPES, /* how many there are */
};

/* "new", "cross", "replace", "replace-cross". */
const char *announce_type_name(enum announce_type type);
bool announce_type_parse(struct span text, enum announce_type *ret_type);

/*
 * A paper's appearance in a category's feed on a day. The category is the
 * feed's (what was asked for), which need not be one of the paper's.
 */
struct announcement {
	int64_t seq;         /* place in the store's order, from 1; 0 before */
	char *category;      /* owned */
	int32_t day;         /* New York's day of the batch, see model/day.h */
	struct paper *paper; /* borrowed */
	enum announce_type type;
};
