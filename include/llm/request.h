#pragma once

/*
 * What a language model is asked about a paper: an OpenAI-style chat
 * completion. The paper's text is data in the user message, as JSON between
 * delimiters that it cannot hold; no word of a subscriber is in it. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

/* The config's llm group; `url` NULL: off. */
struct llm_options {
	char *url; /* the API's root: https://api.example.com/v1 */
	char *model;
	char *api_key; /* NULL: none */
	char *prompt;  /* with {language} in it, or not */
	uint32_t timeout_s;
	uint32_t concurrency;
	uint32_t per_day_tokens; /* 0: no limit */
	uint32_t max_wait_min;
};

/* The key is wiped. */
void llm_options_fini(struct llm_options *options);

/* The built-in prompt. */
struct span llm_builtin_prompt(void);

/* One paper in one language. Borrowed. */
struct llm_question {
	const char *title;
	const char *abstract;
	const char *language;      /* its code */
	const char *language_name; /* for the model */
	const char *fault; /* of the answer before this one; NULL: none */
};

/* Papers are in English: in it only the summary is asked for. */
bool llm_translates(const char *language);

/* How the server is made to answer in JSON, the strictest first. */
enum llm_format {
	LLM_FORMAT_SCHEMA,
	LLM_FORMAT_OBJECT,
	LLM_FORMAT_ASKED, /* by the prompt alone */
	LLM_FORMATS,
};

/* Appends the body of the request. */
void llm_write_request(struct buf *out, const struct llm_options *options,
                       const struct llm_question *question,
                       enum llm_format format);

/* About how many tokens a question and its answer take. */
uint64_t llm_estimate_tokens(const struct llm_options *options,
                             const struct llm_question *question);

#define LLM_HASH_SIZE 17

/* Of the prompt with all that is ours in it; `ret_hash` is returned. */
const char *llm_prompt_hash(const struct llm_options *options,
                            char ret_hash[LLM_HASH_SIZE]);
