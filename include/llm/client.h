#pragma once

/*
 * Questions to an OpenAI-style endpoint, over the one loop. Any number may be
 * on their way at once. https, or http where the config allowed it; no
 * redirects, because the key travels along.
 */

#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "llm/answer.h"
#include "llm/request.h"
#include "net/net.h"

struct llm_client;

enum llm_kind {
	LLM_ANSWERED,
	LLM_FAULTY, /* it answered, but not what can be used: error */
	LLM_FAILED, /* the endpoint: error; PERMANENT: not before someone acts
	             */
};

struct llm_answer {
	enum llm_kind kind;
	struct paper_words words; /* LLM_ANSWERED */
	struct error error;       /* a fault, or a sentence on the endpoint */
	int64_t retry_after_sec;  /* the server's wish; 0: none */
	uint64_t n_tokens;        /* as the server said, or as estimated */
};

/* The callee may take the words' texts; the rest is released behind it. */
typedef void (*llm_answer_fn)(void *ctx, struct llm_answer *answer);

/* `net` and `options` are borrowed; options->url is not NULL. */
struct llm_client *llm_client_open(struct net *net,
                                   const struct llm_options *options);
/* What is on its way ends without an answer. */
void llm_client_close(struct llm_client *client);

OWNED_DEFINE(llm_client, struct llm_client, llm_client_close);

/*
 * Asks; the question is copied. `done` is called once, inside a net_turn(), or
 * at once if the question cannot even be sent.
 */
void llm_ask(struct llm_client *client, const struct llm_question *question,
             llm_answer_fn done, void *ctx);
