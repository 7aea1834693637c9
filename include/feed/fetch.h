#pragma once

/*
 * A URL to a body, politely: https (http to loopback, file: for tests and
 * demos), gzip, conditional requests, caps on size and time, an identifying
 * User-Agent. Thin: libcurl through the one loop.
 *
 * Redirects lead to https only, and never to loopback, private or otherwise
 * special addresses; but where the request's own URL names loopback they may
 * stay on loopback, by http as well. Behind a proxy addresses are its matter.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "net/net.h"

/* The config's feeds group, as this module needs it. Strings are owned. */
struct feed_options {
	char *url; /* with {category} */
	char *oai_url;
	char *contact;          /* address, for the User-Agent */
	char *proxy;            /* NULL: none, whatever the environment says */
	uint32_t poll_from_min; /* New York, minutes after midnight */
	uint32_t poll_until_min;
	uint32_t poll_every_min;
};

void feed_options_fini(struct feed_options *options);

enum feed_answer_kind {
	FEED_ANSWER_BODY,
	FEED_ANSWER_NOT_MODIFIED,
	FEED_ANSWER_FAILED, /* see error; retry_after_sec may be set */
};

struct feed_answer {
	enum feed_answer_kind kind;
	struct buf body; /* of a failure, too, as far as it came */
	char *etag;      /* NULL: none */
	char *last_modified;
	long http_status;        /* 0 for file: */
	int64_t retry_after_sec; /* 0: not said */
	struct error error;      /* TEMPORARY (try again) or PERMANENT: the URL,
	                            what and what to do; a 400 in arXiv's words */
};

void feed_answer_fini(struct feed_answer *answer);

typedef void (*feed_answer_fn)(void *ctx, struct feed_answer *answer);

struct feed_request {
	const char *url;
	const char *etag;          /* NULL: unconditional */
	const char *last_modified; /* NULL: unconditional */
};

/*
 * May this URL be fetched at all? Fails with a sentence: https is, http to
 * loopback, file:; user names and other schemes are not.
 */
MUST_CHECK int feed_check_url(const char *url, struct error *err);

/*
 * The URL of a category's feed: options->url with {category} replaced,
 * percent-encoded. The caller owns it.
 */
char *feed_url(const char *url, const char *category);

struct feed_fetcher;

/*
 * One fetcher holds one connection and the machine-wide gate: at most one
 * request per 3 s over all processes that name the same `state_dir`
 * (LIMIT_FEED_PAUSE_SEC; info.arxiv.org/help/api/tou.html), file: excepted.
 * `net`, `clock` and `options` are borrowed and must outlive it.
 * `state_dir` NULL: no gate between processes, only within this one.
 */
MUST_CHECK int feed_fetcher_open(struct feed_fetcher **ret_fetcher,
                                 struct net *net, const struct clock *clock,
                                 const struct feed_options *options,
                                 const char *state_dir, struct error *err);
/* Requests under way end without their callback. */
void feed_fetcher_close(struct feed_fetcher *fetcher);

OWNED_DEFINE(feed_fetcher, struct feed_fetcher, feed_fetcher_close);

/*
 * Queues a request (its strings are copied); requests are made one after the
 * other. `done` is called inside a net_turn(), never here; it may start
 * others; the answer is its to read, and is released after it, unless it has
 * moved the body away and left a zeroed one.
 */
void feed_fetch(struct feed_fetcher *fetcher,
                const struct feed_request *request, feed_answer_fn done,
                void *ctx);

/* Appends the name and version of libcurl. */
void feed_fetch_add_library(struct buf *out);
