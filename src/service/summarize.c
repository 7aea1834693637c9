#include "service/summarize.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "summarize_private.h"

#define MS_PER_SEC 1000
#define SECONDS_PER_DAY 86400
/* Between two looks at a lock that another process holds. */
#define LOCKED_MS 1000
/* Looking takes so many times less than the time between two looks. */
#define LOOK_SHARE 4

/* A question on its way. */
struct flight {
	struct summarizer *summarizer;
	size_t question;
	int64_t asked_ms;
	uint64_t n_reserved;
	bool is_flying;
};

struct summarizer {
	struct service *service;
	struct summarizer_job job;
	struct wishes wishes;
	struct breaker breaker;
	struct lock *lock; /* held while there is something to ask */
	char hash[LLM_HASH_SIZE];
	bool is_woken;
	bool was_busy;            /* in the turn before */
	int64_t look_ms;          /* not before */
	int64_t looking_ms;       /* since */
	struct store_asked asked; /* to be stored */
	struct summarizer_counts counts;
	size_t n_told; /* of them */
	struct flight *flights;
	size_t n_flights;
	size_t n_flying;
};

static int64_t now_ms(const struct summarizer *summarizer)
{
	return clock_monotonic_ms(&summarizer->service->world->clock);
}

static int64_t now_sec(const struct summarizer *summarizer)
{
	return clock_now_sec(&summarizer->service->world->clock);
}

/* ---- its life ---- */

int summarizer_open(struct summarizer **ret_summarizer, struct service *service,
                    const struct summarizer_job *job, struct error *err)
{
	owned(summarizer) struct summarizer *summarizer =
		mem_new(sizeof(*summarizer));
	const struct conf *conf = service->conf;
	owned(mem) char *path = mem_printf("%s/llm.lock", conf->state_dir);

	summarizer->service = service;
	summarizer->job = *job;
	summarizer->is_woken = true;
	summarizer->was_busy = true;
	summarizer->n_flights = conf->llm.concurrency;
	summarizer->flights =
		mem_array(summarizer->n_flights, sizeof(*summarizer->flights));
	llm_prompt_hash(&conf->llm, summarizer->hash);
	wishes_init(&summarizer->wishes, service, job);
	if (breaker_init(&summarizer->breaker, service, err) < 0 ||
	    lock_open(&summarizer->lock, path, err) < 0)
		return -1;
	*ret_summarizer = take_ptr(summarizer);
	return 0;
}

void summarizer_close(struct summarizer *summarizer)
{
	if (!summarizer)
		return;
	wishes_fini(&summarizer->wishes);
	breaker_fini(&summarizer->breaker);
	lock_close(summarizer->lock);
	free(summarizer->flights);
	free(summarizer);
}

void summarizer_wake(struct summarizer *summarizer)
{
	summarizer->is_woken = true;
}

/* ---- answers ---- */

static void end_question(struct summarizer *summarizer,
                         struct question *question)
{
	question->state = QUESTION_ENDED;
	if (question->words.summary)
		summarizer->counts.n_answered++;
	else
		summarizer->counts.n_given_up++;
}

static void give_up(struct summarizer *summarizer, struct question *question,
                    const char *fault)
{
	free(question->fault);
	question->fault = mem_dup(fault);
	log_info("model: %s in %s: given up for today: %s", question->paper->id,
	         question->language, fault);
	end_question(summarizer, question);
}

/* An endpoint in trouble says nothing of the question. */
static void take_failure(struct summarizer *summarizer,
                         struct question *question,
                         const struct llm_answer *answer, int64_t asked_ms)
{
	bool was_open = summarizer->breaker.is_open;

	breaker_fail(&summarizer->breaker, answer, asked_ms);
	question->state = QUESTION_OPEN;
	if (!was_open && ++question->n_failed >= LIMIT_LLM_TRIES)
		give_up(summarizer, question, answer->error.message);
}

/* Asked once more with the fault named, then given up. */
static void take_fault(struct summarizer *summarizer, struct question *question,
                       const struct llm_answer *answer)
{
	if (question->fault) {
		breaker_give_up(&summarizer->breaker, answer->error.message);
		give_up(summarizer, question, answer->error.message);
		return;
	}
	question->fault = mem_dup(answer->error.message);
	question->state = QUESTION_OPEN;
}

static void take_words(struct summarizer *summarizer, struct question *question,
                       struct llm_answer *answer)
{
	breaker_succeed(&summarizer->breaker);
	question->words = answer->words;
	answer->words = (struct paper_words){0};
	end_question(summarizer, question);
}

static void on_answer(void *ctx, struct llm_answer *answer)
{
	struct flight *flight = ctx;
	struct summarizer *summarizer = flight->summarizer;
	struct question *question =
		&summarizer->wishes.questions[flight->question];

	flight->is_flying = false;
	summarizer->n_flying--;
	summarizer->breaker.n_reserved -= flight->n_reserved;
	summarizer->asked.n_calls++;
	summarizer->asked.n_tokens += answer->n_tokens;
	switch (answer->kind) {
	case LLM_ANSWERED:
		take_words(summarizer, question, answer);
		break;
	case LLM_FAULTY:
		take_fault(summarizer, question, answer);
		break;
	case LLM_FAILED:
		take_failure(summarizer, question, answer, flight->asked_ms);
		break;
	}
}

/* ---- what is stored ---- */

static int store_answer(struct summarizer *summarizer,
                        struct question *question, struct error *err)
{
	const struct store_words_key key = question_key(question);
	struct store_answer answer = {
		.words = question->words,
		.prompt = summarizer->hash,
		.fault = question->words.summary ? NULL : question->fault,
		.at = now_sec(summarizer),
	};

	answer.words.model = summarizer->service->conf->llm.model;
	return store_put_answer(summarizer->service->store, &key, &answer, err);
}

static int store_all(struct summarizer *summarizer, struct error *err)
{
	struct wishes *wishes = &summarizer->wishes;
	struct store *store = summarizer->service->store;

	for (size_t i = 0; i < wishes->n; i++)
		if (wishes->questions[i].state == QUESTION_ENDED &&
		    store_answer(summarizer, &wishes->questions[i], err) < 0)
			return -1;
	if (store_add_asked(store,
	                    (int32_t)(now_sec(summarizer) / SECONDS_PER_DAY),
	                    &summarizer->asked, err) < 0)
		return -1;
	return breaker_store(&summarizer->breaker, err);
}

/* The words themselves are in the store from now on. */
static void settle(struct summarizer *summarizer)
{
	struct wishes *wishes = &summarizer->wishes;

	for (size_t i = 0; i < wishes->n; i++) {
		struct question *question = &wishes->questions[i];

		if (question->state != QUESTION_ENDED)
			continue;
		question->state = QUESTION_STORED;
		paper_words_fini(&question->words);
	}
	summarizer->asked = (struct store_asked){0};
	free(take_ptr(summarizer->breaker.change));
}

/* After a failure all of it is stored another time. */
static int keep_answers(struct summarizer *summarizer, struct error *err)
{
	struct store *store = summarizer->service->store;

	if (summarizer->asked.n_calls == 0 && !summarizer->breaker.change)
		return 0;
	if (store_begin(store, err) < 0)
		return -1;
	if (store_all(summarizer, err) < 0) {
		store_rollback(store);
		return -1;
	}
	if (store_commit(store, err) < 0)
		return -1;
	settle(summarizer);
	return 0;
}

/* ---- asking ---- */

static struct flight *find_flight(struct summarizer *summarizer)
{
	for (size_t i = 0; i < summarizer->n_flights; i++)
		if (!summarizer->flights[i].is_flying)
			return &summarizer->flights[i];
	return NULL;
}

const char *service_language_name(const struct conf *conf, const char *code)
{
	const char *name =
		digest_language_get(conf_language(conf, code), "language_name");

	return name ? name : code;
}

/* Everything is noted before it is asked: the answer may come at once. */
static void ask(struct summarizer *summarizer, struct question *question,
                struct flight *flight)
{
	struct service_world *world = summarizer->service->world;
	const struct conf *conf = summarizer->service->conf;
	const struct llm_question asked = {
		.title = question->paper->title,
		.abstract = question->paper->abstract,
		.language = question->language,
		.language_name =
			service_language_name(conf, question->language),
		.fault = question->fault,
	};

	*flight = (struct flight){
		.summarizer = summarizer,
		.question = (size_t)(question - summarizer->wishes.questions),
		.asked_ms = now_ms(summarizer),
		.n_reserved = llm_estimate_tokens(&conf->llm, &asked),
		.is_flying = true,
	};
	question->state = QUESTION_ASKED;
	summarizer->n_flying++;
	summarizer->breaker.n_reserved += flight->n_reserved;
	summarizer->breaker.has_asked = true;
	world->ask(world->ctx, &asked, on_answer, flight);
}

/* Another process may have been faster. */
static int ask_if_missing(struct summarizer *summarizer,
                          struct question *question, struct flight *flight,
                          struct error *err)
{
	int state = question_check(summarizer->service, question, err);

	if (state < 0)
		return -1;
	if (state == STORE_WORDS_MISSING)
		ask(summarizer, question, flight);
	else
		question->state = QUESTION_STORED;
	return 0;
}

enum asking {
	ASKING_ENDED,  /* nothing is open */
	ASKING_FULL,   /* answers must come first */
	ASKING_PAUSED, /* by the breaker */
	ASKING_LOCKED, /* another process asks */
};

static int ask_some(struct summarizer *summarizer, struct error *err)
{
	for (;;) {
		struct question *question = wishes_best(&summarizer->wishes);
		struct flight *flight = find_flight(summarizer);
		int rc;

		if (!question)
			return ASKING_ENDED;
		if (!flight)
			return ASKING_FULL;
		rc = breaker_allows(&summarizer->breaker, summarizer->n_flying,
		                    err);
		if (rc <= 0)
			return rc < 0 ? -1 : ASKING_PAUSED;
		rc = lock_try(summarizer->lock, err);
		if (rc != LOCK_TAKEN)
			return rc < 0 ? -1 : ASKING_LOCKED;
		if (ask_if_missing(summarizer, question, flight, err) < 0)
			return -1;
	}
}

/* When it is worth to try again, if no answer comes before. */
static int64_t find_next_ms(const struct summarizer *summarizer, int asking)
{
	switch (asking) {
	case ASKING_PAUSED:
		if (summarizer->breaker.until_ms > now_ms(summarizer))
			return summarizer->breaker.until_ms;
		return INT64_MAX;
	case ASKING_LOCKED:
		return now_ms(summarizer) + LOCKED_MS;
	default:
		return INT64_MAX;
	}
}

/* ---- looking for papers ---- */

static void sum_up(struct summarizer *summarizer)
{
	const struct summarizer_counts *counts = &summarizer->counts;
	size_t n = counts->n_answered + counts->n_given_up;

	if (n > summarizer->n_told)
		log_info("model: %zu papers answered, %zu given up for today",
		         counts->n_answered, counts->n_given_up);
	summarizer->n_told = n;
}

static bool is_looking(const struct summarizer *summarizer)
{
	return !wishes_are_known(&summarizer->wishes);
}

static int begin_look(struct summarizer *summarizer, struct error *err)
{
	bool are_asked = summarizer->n_flying > 0;
	int rc = wishes_begin(&summarizer->wishes, are_asked, err);

	if (rc < 0)
		return -1;
	if (rc > 0 && !are_asked) {
		sum_up(summarizer);
		summarizer->counts = (struct summarizer_counts){0};
		summarizer->n_told = 0;
	}
	summarizer->looking_ms = now_ms(summarizer);
	summarizer->is_woken = false;
	return 0;
}

/* What has just been found is counted; then it takes a rest. */
static void end_look(struct summarizer *summarizer)
{
	const struct wishes *wishes = &summarizer->wishes;
	int64_t took_ms = now_ms(summarizer) - summarizer->looking_ms;

	summarizer->counts.n_wanted = 0;
	for (size_t i = 0; i < wishes->n; i++)
		summarizer->counts.n_wanted +=
			wishes->questions[i].state != QUESTION_STORED;
	summarizer->look_ms = now_ms(summarizer) + LOOK_SHARE * took_ms;
}

static int look(struct summarizer *summarizer, struct error *err)
{
	if (!is_looking(summarizer)) {
		if (!summarizer->is_woken ||
		    now_ms(summarizer) < summarizer->look_ms)
			return 0;
		if (begin_look(summarizer, err) < 0)
			return -1;
	}
	if (!is_looking(summarizer))
		return 0;
	if (wishes_slice(&summarizer->wishes, err) < 0)
		return -1;
	if (!is_looking(summarizer))
		end_look(summarizer);
	return 0;
}

/* ---- turns ---- */

static bool is_out_of_order(const struct summarizer *summarizer)
{
	return summarizer->breaker.is_open ||
	       breaker_is_spent(&summarizer->breaker);
}

static bool is_open(enum question_state state)
{
	return state != QUESTION_STORED;
}

bool summarizer_keeps(const struct summarizer *summarizer,
                      const struct subscriber *subscriber)
{
	const struct wishes *wishes = &summarizer->wishes;
	const struct reader *reader = wishes_find(wishes, subscriber);

	if (!reader || is_out_of_order(summarizer))
		return false;
	if (summarizer->is_woken || !reader->is_known)
		return true;
	for (size_t i = 0; i < reader->n; i++)
		if (is_open(wishes->questions[reader->questions[i]].state))
			return true;
	return false;
}

static bool is_busy(const struct summarizer *summarizer, int asking)
{
	return (is_looking(summarizer) || summarizer->is_woken ||
	        asking != ASKING_ENDED || summarizer->n_flying > 0) &&
	       !is_out_of_order(summarizer);
}

/* The end of all asking, or the beginning of trouble, is told once. */
static void tell(struct summarizer *summarizer, int asking)
{
	bool busy = is_busy(summarizer, asking);

	if (summarizer->n_flying == 0 &&
	    (asking == ASKING_ENDED || is_out_of_order(summarizer)))
		lock_release(summarizer->lock);
	if (summarizer->was_busy && !busy && summarizer->job.eased)
		summarizer->job.eased(summarizer->job.ctx);
	if (summarizer->was_busy && !busy)
		sum_up(summarizer);
	summarizer->was_busy = busy;
}

int summarizer_turn(struct summarizer *summarizer, int64_t *ret_look_ms,
                    struct error *err)
{
	int64_t look_ms = INT64_MAX;
	int asking;

	if (keep_answers(summarizer, err) < 0 || look(summarizer, err) < 0)
		return -1;
	asking = ask_some(summarizer, err);
	if (asking < 0)
		return -1;
	if (is_looking(summarizer))
		look_ms = now_ms(summarizer);
	else if (summarizer->is_woken)
		look_ms = summarizer->look_ms;
	if (find_next_ms(summarizer, asking) < look_ms)
		look_ms = find_next_ms(summarizer, asking);
	tell(summarizer, asking);
	*ret_look_ms = look_ms;
	return 0;
}

struct summarizer_counts summarizer_counts(const struct summarizer *summarizer)
{
	struct summarizer_counts counts = summarizer->counts;

	counts.in_trouble = is_out_of_order(summarizer);
	return counts;
}

/* ---- all at once ---- */

static bool is_stopped(const struct summarize_events *events)
{
	return events->stop && events->stop(events->ctx);
}

static int run(struct summarizer *summarizer, int64_t until_ms,
               const struct summarize_events *events, struct error *err)
{
	struct service_world *world = summarizer->service->world;

	while (now_ms(summarizer) < until_ms && !is_stopped(events)) {
		struct summarizer_counts counts;
		int64_t look_ms;

		if (summarizer_turn(summarizer, &look_ms, err) < 0)
			return -1;
		counts = summarizer_counts(summarizer);
		if (events->progress)
			events->progress(events->ctx, &counts);
		if (!summarizer->was_busy)
			return 0;
		if (world->wait(world->ctx,
		                look_ms < until_ms ? look_ms : until_ms,
		                err) < 0)
			return -1;
	}
	return 0;
}

int service_summarize(struct service *service, const struct summarizer_job *job,
                      int64_t until_ms, const struct summarize_events *events,
                      struct error *err)
{
	owned(summarizer) struct summarizer *summarizer = NULL;
	int rc;

	if (summarizer_open(&summarizer, service, job, err) < 0)
		return -1;
	rc = run(summarizer, until_ms, events, err);
	service->world->forget(service->world->ctx);
	return rc;
}
