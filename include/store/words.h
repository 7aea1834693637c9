#pragma once

/*
 * What a language model wrote of papers: kept by paper, version, language,
 * model and prompt, as long as the paper is; and how much it was asked.
 */

#include <stdint.h>

#include "base/error.h"
#include "model/words.h"
#include "store/store.h"

/* A paper in a language. */
struct store_words_key {
	const char *paper_id;
	uint32_t version;
	const char *language;
};

/*
 * The newest words, of whichever model and prompt: what is there is not asked
 * for anew. STORE_FOUND (the caller owns *ret_words) or STORE_MISSING.
 */
MUST_CHECK int store_get_words(struct store *store,
                               const struct store_words_key *key,
                               struct paper_words *ret_words,
                               struct error *err);

enum store_words_state {
	STORE_WORDS_THERE = 0,
	STORE_WORDS_GIVEN_UP = 1, /* since `since`: not to be asked */
	STORE_WORDS_MISSING = 2,
};

/* An enum store_words_state. */
MUST_CHECK int store_check_words(struct store *store,
                                 const struct store_words_key *key,
                                 int64_t since, struct error *err);

/* What became of a question. */
struct store_answer {
	struct paper_words words; /* borrowed; `summary` NULL: given up */
	const char *prompt;       /* its hash */
	const char *fault;        /* why it was given up */
	int64_t at;
};

/* Replaces what the same model and prompt gave. A paper that is gone is no
   failure. */
MUST_CHECK int store_put_answer(struct store *store,
                                const struct store_words_key *key,
                                const struct store_answer *answer,
                                struct error *err);

/* The newest version of a paper. STORE_FOUND (the caller's) or STORE_MISSING.
 */
MUST_CHECK int store_load_newest(struct store *store, const char *paper_id,
                                 struct paper **ret_paper, struct error *err);

/* How much was asked in a day. */
struct store_asked {
	uint64_t n_calls;
	uint64_t n_tokens;
};

/* Adds to the day (UTC's, days since 1970). */
MUST_CHECK int store_add_asked(struct store *store, int32_t day,
                               const struct store_asked *asked,
                               struct error *err);
MUST_CHECK int store_get_asked(struct store *store, int32_t day,
                               struct store_asked *ret_asked,
                               struct error *err);

/* store_set_trouble() and store_get_trouble() for the model's endpoint. */
MUST_CHECK int store_set_model_trouble(struct store *store,
                                       const struct store_trouble *trouble,
                                       struct error *err);
MUST_CHECK int store_get_model_trouble(struct store *store,
                                       struct store_trouble *ret_trouble,
                                       struct error *err);
