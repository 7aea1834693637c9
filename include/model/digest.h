#pragma once

/* Matches, and a digest before it is rendered: plain values. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/owned.h"
#include "base/strings.h"
#include "model/paper.h"
#include "model/words.h"

/* A marked piece of a display text, in bytes. */
struct mark {
	uint32_t start;
	uint32_t len;
};

struct marks {
	struct mark *items; /* ascending, not overlapping */
	size_t n;
	size_t capacity;
};

void marks_add(struct marks *marks, uint32_t start, uint32_t len);
void marks_fini(struct marks *marks);

enum clause_field {
	CLAUSE_TITLE = 1,
	CLAUSE_ABSTRACT = 2,
	CLAUSE_AUTHOR = 4,
	CLAUSE_OTHER = 8, /* cat:, id:, type: */
};

/* A clause that made a paper pass: its text as written, and where. */
struct clause {
	char *text;
	unsigned fields; /* clause_field bits */
};

/* Why a paper passed a topic. All empty: the topic passes every paper. */
struct match {
	struct clause *clauses;
	size_t n_clauses;
	struct marks title;
	struct marks abstract;
	struct marks authors; /* start is the author's number, len 1 */
};

void match_add_clause(struct match *match, struct span text, unsigned fields);
void match_fini(struct match *match);

/* Why a paper comes later than the digest it belonged to. */
enum held {
	HELD_NOT,
	HELD_LATE,        /* its batch came after that day's digest */
	HELD_UNDELIVERED, /* that digest did not arrive */
};

/* One paper of a digest. */
struct digest_entry {
	struct paper *paper; /* borrowed */
	enum announce_type type;
	uint32_t topic;       /* index into struct digest's topics */
	uint32_t old_version; /* replacements: the version sent before; 0 */
	enum held held;
	int32_t held_day; /* of the batch, or of the digest; 0: not held */
	double score;
	struct match match;
	bool wants_words;         /* of a model, which may have failed: */
	struct paper_words words; /* all NULL */
};

/*
 * One subscriber's digest: papers in order, under their topics, then the
 * updates. Entries are sorted by that, then by score, and cut to the
 * subscriber's limits.
 */
struct digest {
	char *subscriber_id;
	char *message_id; /* without the angle brackets: HEX@DOMAIN */
	int64_t created_at;
	int32_t day;               /* the subscriber's local day */
	struct strings topics;     /* names; "" is the unnamed one */
	struct strings categories; /* the subscriber's, as written */
	uint32_t n_considered;     /* papers looked at */
	uint32_t n_matched;        /* matched before the limits cut */
	struct digest_entry *entries;
	size_t n_entries;
	size_t capacity;
};

/* Of the updates, which have a section of their own? */
static inline bool digest_is_update(const struct digest_entry *entry)
{
	return entry->type >= ANNOUNCE_REPLACE;
}

struct digest *digest_new(void);
void digest_free(struct digest *digest);

/* A new zeroed entry at the end; the digest owns it. */
struct digest_entry *digest_add(struct digest *digest);

OWNED_DEFINE(digest, struct digest, digest_free);
