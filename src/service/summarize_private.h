#pragma once

/* Shared by the parts of the summarizer. */

#include "base/lock.h"
#include "service/compose.h"
#include "service/summarize.h"
#include "store/words.h"

/* ---- wishes.c: what is to be asked, and who waits for it ---- */

enum question_state {
	QUESTION_OPEN,
	QUESTION_ASKED,
	QUESTION_ENDED,  /* answered or given up, which is to be stored */
	QUESTION_STORED, /* done with */
};

/* A paper in a language. */
struct question {
	struct paper *paper; /* a share */
	const char *language;
	size_t rank; /* in the digest where it stands best; 0 is the top */
	enum question_state state;
	unsigned n_failed;        /* by the endpoint */
	char *fault;              /* of the answer before, or of them all */
	struct paper_words words; /* of the answer */
};

struct reader {
	const struct subscriber *subscriber;
	uint32_t *questions;
	size_t n;
	size_t capacity;
	bool is_known; /* its digest was looked at */
};

struct wishes {
	struct service *service;
	struct reader *readers; /* sorted by their addresses in memory */
	const struct subscriber **subscribers; /* the same */
	size_t n_readers;
	size_t next; /* to be looked at; n_readers: all were */
	size_t end;  /* of those whom the composer is for */
	struct service_composer *composer;
	int64_t seq; /* the newest announcement that was looked at */
	struct question *questions;
	size_t n;
	size_t capacity;
	uint32_t *slots; /* numbers of questions + 1, by hash; 0: none */
	size_t n_slots;
};

void wishes_init(struct wishes *wishes, struct service *service,
                 const struct summarizer_job *job);
void wishes_fini(struct wishes *wishes);

/*
 * All readers' digests are to be looked at again, if there are new papers.
 * The questions so far are forgotten, unless some of them are being asked. 1
 * if there are, 0, -1.
 */
MUST_CHECK int wishes_begin(struct wishes *wishes, bool are_asked,
                            struct error *err);

bool wishes_are_known(const struct wishes *wishes);

/* Some tens of milliseconds of the looking. */
MUST_CHECK int wishes_slice(struct wishes *wishes, struct error *err);

/* The open question with the best rank, or NULL. */
struct question *wishes_best(const struct wishes *wishes);

/* NULL: not one of them. */
const struct reader *wishes_find(const struct wishes *wishes,
                                 const struct subscriber *subscriber);

struct store_words_key question_key(const struct question *question);

/* An enum store_words_state, of today. */
MUST_CHECK int question_check(struct service *service,
                              const struct question *question,
                              struct error *err);

/* ---- breaker.c: the endpoint's health, and the day's tokens ---- */

struct breaker {
	struct service *service;
	bool is_open;
	bool is_stored;      /* as a trouble */
	bool has_asked;      /* the one question of an open breaker */
	int64_t until_ms;    /* when it may be asked, open or not */
	int64_t wait_sec;    /* how long it was open last */
	int64_t failed_ms;   /* when it failed last */
	unsigned n_failures; /* in a row */
	unsigned n_given_up; /* questions in a row, for their answers */
	uint64_t n_reserved; /* tokens of what is on its way */
	int32_t spent_day;   /* on which it was said that they are used up */
	char *change;        /* to be stored as trouble; "" ends it; or NULL */
};

MUST_CHECK int breaker_init(struct breaker *breaker, struct service *service,
                            struct error *err);
void breaker_fini(struct breaker *breaker);

/* The endpoint failed a question that was asked at `asked_ms`. */
void breaker_fail(struct breaker *breaker, const struct llm_answer *answer,
                  int64_t asked_ms);
/* Its answers were of no use for a question. */
void breaker_give_up(struct breaker *breaker, const char *fault);
/* It gave an answer that is of use. */
void breaker_succeed(struct breaker *breaker);

/* Stores `change`, which the caller takes back when that is durable. */
MUST_CHECK int breaker_store(struct breaker *breaker, struct error *err);

/* May `n_flying` be one more now? 1: yes, 0: no, -1. */
MUST_CHECK int breaker_allows(struct breaker *breaker, size_t n_flying,
                              struct error *err);

/* Are the day's tokens used up, as far as is known? */
bool breaker_is_spent(const struct breaker *breaker);
