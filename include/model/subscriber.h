#pragma once

/* A subscriber and topics, as the config has them: plain values. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/owned.h"
#include "base/strings.h"
#include "model/paper.h"

/*
 * A named filter: either `query`, or (any keyword OR any author) NOT any
 * exclude. With none of them it passes every paper.
 */
struct topic {
	char *name; /* NULL: the subscriber's own keywords, unnamed */
	struct strings keywords;
	struct strings authors;
	struct strings exclude;
	char *query;     /* NULL if it is made of the lists */
	uint32_t weight; /* 1 to 100 */
	uint32_t max;    /* papers in a digest; 0: no limit of its own */
};

struct subscriber {
	char *id;
	char *email;
	char *name;                /* NULL: none */
	struct strings categories; /* as written: cs.CL, math.* */
	struct topic *topics;      /* at least one */
	size_t n_topics;
	uint32_t announce; /* a bit (1 << enum announce_type) for each wanted */
	uint32_t send_at_min; /* minutes after local midnight */
	char *timezone;
	uint32_t days; /* bit 0 is Monday */
	uint32_t digest_wait_min;
	uint32_t max_papers;
	double min_score;
	char *language;
	char *subject; /* template; NULL: the language's */
	bool summaries;
	bool paused;
	int32_t paused_until; /* day on which it ends; 0: no end is set */
	char *file;           /* where it stands, for messages */
	unsigned line;
};

struct subscriber *subscriber_new(void);
void subscriber_free(struct subscriber *subscriber);

OWNED_DEFINE(subscriber, struct subscriber, subscriber_free);

/* Is it paused on this day of its own zone? */
bool subscriber_paused(const struct subscriber *subscriber, int32_t day);
