#pragma once

/* A rig whose config has a language model, which each case plays. */

#include "rig.h"

#define SUMMARY "A summary of it."
#define MAX_CALLS 64

enum play {
	PLAY_ANSWER,
	PLAY_NOTHING, /* for ever */
	PLAY_FAIL,
	PLAY_FAIL_FOR_GOOD, /* a key that is refused */
	PLAY_SLOW_DOWN,     /* 429 with Retry-After */
	PLAY_FAULTY,
};

struct call {
	char title[100];
	char language[8];
	char fault[100];
	llm_answer_fn done;
	void *arg;
	bool is_pending;
};

/* What was asked, in its order; all state of the played endpoint. */
struct endpoint {
	struct model model;
	struct call calls[MAX_CALLS];
	size_t n_calls;
	size_t n_pending;
	size_t most_pending;
	enum play play;
	const char *bad_title; /* only this paper gets a bad answer */
	int64_t retry_after_sec;
	size_t n_eased;
};

static inline struct endpoint *endpoint_of(const struct rig *rig)
{
	return (struct endpoint *)rig->model;
}

static inline void on_ask(struct rig *rig, const struct llm_question *question,
                          llm_answer_fn done, void *arg)
{
	struct endpoint *endpoint = endpoint_of(rig);
	struct call *call = &endpoint->calls[endpoint->n_calls++];

	assert_true(endpoint->n_calls < MAX_CALLS);
	snprintf(call->title, sizeof(call->title), "%s", question->title);
	snprintf(call->language, sizeof(call->language), "%s",
	         question->language);
	snprintf(call->fault, sizeof(call->fault), "%s",
	         question->fault ? question->fault : "");
	call->done = done;
	call->arg = arg;
	call->is_pending = true;
	if (++endpoint->n_pending > endpoint->most_pending)
		endpoint->most_pending = endpoint->n_pending;
}

static inline void fill_answer(const struct endpoint *endpoint,
                               const struct call *call,
                               struct llm_answer *answer)
{
	switch (endpoint->play) {
	case PLAY_FAIL:
	case PLAY_FAIL_FOR_GOOD:
	case PLAY_SLOW_DOWN:
		answer->kind = LLM_FAILED;
		answer->retry_after_sec = endpoint->retry_after_sec;
		error_set(&answer->error,
		          endpoint->play == PLAY_FAIL_FOR_GOOD
		                  ? ERROR_PERMANENT
		                  : ERROR_TEMPORARY,
		          "the endpoint says no");
		return;
	case PLAY_FAULTY:
		answer->kind = LLM_FAULTY;
		answer->n_tokens = 100;
		error_set(&answer->error, ERROR_SYNTAX, "it is bad");
		return;
	case PLAY_ANSWER:
	case PLAY_NOTHING:
		break;
	}
	answer->kind = LLM_ANSWERED;
	answer->n_tokens = 100;
	answer->words.summary = mem_dup(SUMMARY);
	answer->words.model = mem_dup("m");
	if (strcmp(call->language, "en") != 0) {
		answer->words.title = mem_dup("题目");
		answer->words.abstract = mem_dup("摘要");
	}
}

/* The oldest question gets its answer. */
static inline bool on_wait(struct rig *rig)
{
	struct endpoint *endpoint = endpoint_of(rig);
	struct llm_answer answer = {0};
	size_t i = 0;

	while (i < endpoint->n_calls && !endpoint->calls[i].is_pending)
		i++;
	if (i == endpoint->n_calls || endpoint->play == PLAY_NOTHING)
		return false;
	endpoint->calls[i].is_pending = false;
	endpoint->n_pending--;
	if (endpoint->bad_title &&
	    !strcmp(endpoint->calls[i].title, endpoint->bad_title)) {
		answer.kind = LLM_FAULTY;
		error_set(&answer.error, ERROR_SYNTAX, "it is bad");
	} else {
		fill_answer(endpoint, &endpoint->calls[i], &answer);
	}
	endpoint->calls[i].done(endpoint->calls[i].arg, &answer);
	paper_words_fini(&answer.words);
	return true;
}

static inline void on_forget(struct rig *rig)
{
	struct endpoint *endpoint = endpoint_of(rig);

	for (size_t i = 0; i < endpoint->n_calls; i++)
		endpoint->calls[i].is_pending = false;
	endpoint->n_pending = 0;
}

static inline int set_up_model(void **state)
{
	struct endpoint *endpoint = mem_new(sizeof(*endpoint));
	struct rig *rig;

	if (set_up(state) < 0)
		return -1;
	rig = *state;
	endpoint->model = (struct model){on_ask, on_wait, on_forget};
	rig->model = &endpoint->model;
	rig->more =
		"llm: { url = \"http://127.0.0.1:9/v1\"; model = \"m\";"
		" concurrency = 2; };";
	configure(rig, ADA("keywords = [\"retrieval\"];"));
	ANNOUNCE(rig, "2609.00001v1 new retrieval one",
	         "2609.00002v1 new retrieval two",
	         "2609.00003v1 new something else");
	return 0;
}

static inline int tear_down_model(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);

	free(endpoint);
	return tear_down(state);
}
