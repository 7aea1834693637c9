#pragma once

/*
 * What a language model answered, checked: only text that can stand for the
 * paper passes. Pure.
 */

#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "llm/request.h"
#include "model/words.h"

/* What a chat completion holds. */
struct llm_completion {
	char *content;
	uint64_t n_tokens; /* of the question and the answer; 0: not said */
	bool cut;          /* the model stopped at a limit */
};

void llm_completion_fini(struct llm_completion *completion);

static inline void
owned_release_llm_completion(struct llm_completion *completion)
{
	llm_completion_fini(completion);
}

/* Fails with ERROR_SYNTAX if the body is none, and says why. */
MUST_CHECK int llm_read_completion(struct span body,
                                   struct llm_completion *ret_completion,
                                   struct error *err);

/*
 * The server's words on a failed request, if its body is an error object of
 * the protocol: the caller's, cleaned and cut short; else NULL.
 */
char *llm_read_complaint(struct span body);

/*
 * Takes the answer apart and checks it: an object with the texts that were
 * asked for; lengths; the language, where its script tells; no refusal, no
 * leftover of the feed, no markup or link that the paper does not have. Fails
 * with ERROR_SYNTAX and a fault that can be told to the model. `model` is not
 * set.
 */
MUST_CHECK int llm_read_words(const struct llm_question *question,
                              const struct llm_completion *completion,
                              struct paper_words *ret_words, struct error *err);

/* Appends the name and version of json-c. */
void llm_add_library(struct buf *out);
