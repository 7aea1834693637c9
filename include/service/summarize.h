#pragma once

/*
 * Asking a language model about the papers that digests will carry: each
 * paper once in each language, the best-ranked first, and what it answers is
 * kept in the store. Nothing waits for it longer than it may: whatever the
 * endpoint does, summarizer_keeps() becomes false.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "model/digest.h"
#include "service/world.h"

struct summarizer;

/* For whom, and who is told. Borrowed but for itself. */
struct summarizer_job {
	/* Those who want no summaries are left out. */
	const struct subscriber *const *subscribers;
	size_t n;
	/* Nothing is waited for any more. May be NULL. */
	void (*eased)(void *ctx);
	void *ctx;
};

/*
 * `service` and its config are borrowed; the config has an llm group. It looks
 * at once for what is to be asked.
 */
MUST_CHECK int summarizer_open(struct summarizer **ret_summarizer,
                               struct service *service,
                               const struct summarizer_job *job,
                               struct error *err);
/* Nothing may be on its way, unless the world has gone before. */
void summarizer_close(struct summarizer *summarizer);

OWNED_DEFINE(summarizer, struct summarizer, summarizer_close);

/* A feed has brought something. */
void summarizer_wake(struct summarizer *summarizer);

/*
 * One slice: looks for papers, keeps answers, asks. *ret_look_ms (monotonic) is
 * when the next one is wanted, if no answer comes before. Fails for the store
 * only; ERROR_TEMPORARY may be tried again.
 */
MUST_CHECK int summarizer_turn(struct summarizer *summarizer,
                               int64_t *ret_look_ms, struct error *err);

/* Is there reason to wait with the subscriber's digest? */
bool summarizer_keeps(const struct summarizer *summarizer,
                      const struct subscriber *subscriber);

struct summarizer_counts {
	size_t n_wanted; /* papers in a language that were not answered before
	                  */
	size_t n_answered;
	size_t n_given_up;
	bool in_trouble; /* the endpoint, or the day's tokens are used up */
};

struct summarizer_counts summarizer_counts(const struct summarizer *summarizer);

/* All of it for some subscribers, until `until_ms` (monotonic) at most. */
struct summarize_events {
	/* After each answer. May be NULL. */
	void (*progress)(void *ctx, const struct summarizer_counts *counts);
	bool (*stop)(void *ctx); /* asked between two waits; may be NULL */
	void *ctx;
};

MUST_CHECK int service_summarize(struct service *service,
                                 const struct summarizer_job *job,
                                 int64_t until_ms,
                                 const struct summarize_events *events,
                                 struct error *err);

/*
 * Puts what models wrote in the subscriber's language to the digest's papers,
 * if the subscriber wants it.
 */
MUST_CHECK int service_add_words(const struct service *service,
                                 const struct subscriber *subscriber,
                                 struct digest *digest, struct error *err);

/* How a model is told of a language. */
const char *service_language_name(const struct conf *conf, const char *code);
