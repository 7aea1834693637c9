#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "summarize_private.h"

/* Composed together: more would hold up the loop when they are loaded. */
#define TOGETHER 5000
/* Others have slices in the same turn of the loop. */
#define SLICE_MS 10
#define FIRST_SLOTS 256U
#define SECONDS_PER_DAY 86400

/* ---- questions ---- */

struct store_words_key question_key(const struct question *question)
{
	return (struct store_words_key){question->paper->id,
	                                question->paper->version,
	                                question->language};
}

int question_check(struct service *service, const struct question *question,
                   struct error *err)
{
	const struct store_words_key key = question_key(question);
	int64_t now = clock_now_sec(&service->world->clock);

	return store_check_words(service->store, &key,
	                         now - now % SECONDS_PER_DAY, err);
}

static void question_fini(struct question *question)
{
	paper_free(question->paper);
	free(question->fault);
	paper_words_fini(&question->words);
}

/* FNV-1a. */
static size_t hash(const struct paper *paper, const char *language)
{
	uint32_t h = 2166136261U ^ paper->version;

	for (const char *p = paper->id; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619U;
	for (const char *p = language; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619U;
	return h ^ h >> 16;
}

static bool is_about(const struct question *question, const struct paper *paper,
                     const char *language)
{
	return question->paper->version == paper->version &&
	       !strcmp(question->paper->id, paper->id) &&
	       !strcmp(question->language, language);
}

/* Where the question is, or would be; there is always an empty slot. */
static uint32_t *find_slot(const struct wishes *wishes,
                           const struct paper *paper, const char *language)
{
	size_t i = hash(paper, language) % wishes->n_slots;

	while (wishes->slots[i] > 0 &&
	       !is_about(&wishes->questions[wishes->slots[i] - 1], paper,
	                 language))
		i = (i + 1) % wishes->n_slots;
	return &wishes->slots[i];
}

static void grow_slots(struct wishes *wishes)
{
	if (2 * (wishes->n + 1) <= wishes->n_slots)
		return;
	free(wishes->slots);
	wishes->n_slots = wishes->n_slots ? 2 * wishes->n_slots : FIRST_SLOTS;
	wishes->slots = mem_array(wishes->n_slots, sizeof(*wishes->slots));
	for (size_t i = 0; i < wishes->n; i++)
		*find_slot(wishes, wishes->questions[i].paper,
		           wishes->questions[i].language) = (uint32_t)i + 1;
}

/* What was answered, or given up today, is not asked. */
static int add_question(struct wishes *wishes, struct paper *paper,
                        const char *language, struct error *err)
{
	struct question question = {.paper = paper, .language = language};
	int state = question_check(wishes->service, &question, err);

	if (state < 0)
		return -1;
	if (state != STORE_WORDS_MISSING)
		question.state = QUESTION_STORED;
	question.rank = SIZE_MAX;
	question.paper = paper_share(paper);
	wishes->questions = mem_grow(wishes->questions, &wishes->capacity,
	                             wishes->n + 1, sizeof(*wishes->questions));
	wishes->questions[wishes->n++] = question;
	return 0;
}

static int add_wish(struct wishes *wishes, struct reader *reader,
                    struct paper *paper, size_t rank, struct error *err)
{
	const char *language = reader->subscriber->language;
	uint32_t *slot;

	grow_slots(wishes);
	slot = find_slot(wishes, paper, language);
	if (*slot == 0) {
		if (add_question(wishes, paper, language, err) < 0)
			return -1;
		*slot = (uint32_t)wishes->n;
	}
	if (rank < wishes->questions[*slot - 1].rank)
		wishes->questions[*slot - 1].rank = rank;
	reader->questions = mem_grow(reader->questions, &reader->capacity,
	                             reader->n + 1, sizeof(*reader->questions));
	reader->questions[reader->n++] = *slot - 1;
	return 0;
}

struct question *wishes_best(const struct wishes *wishes)
{
	struct question *best = NULL;

	for (size_t i = 0; i < wishes->n; i++) {
		struct question *next = &wishes->questions[i];

		if (next->state == QUESTION_OPEN &&
		    (!best || next->rank < best->rank))
			best = next;
	}
	return best;
}

/* ---- readers ---- */

static int compare_readers(const void *a, const void *b)
{
	const struct reader *left = a;
	const struct reader *right = b;
	uintptr_t x = (uintptr_t)left->subscriber;
	uintptr_t y = (uintptr_t)right->subscriber;

	return x < y ? -1 : x > y;
}

void wishes_init(struct wishes *wishes, struct service *service,
                 const struct summarizer_job *job)
{
	*wishes = (struct wishes){.service = service, .seq = -1};
	wishes->readers = mem_array(job->n, sizeof(*wishes->readers));
	wishes->subscribers = mem_array(job->n, sizeof(struct subscriber *));
	for (size_t i = 0; i < job->n; i++)
		if (job->subscribers[i]->summaries)
			wishes->readers[wishes->n_readers++].subscriber =
				job->subscribers[i];
	if (wishes->n_readers > 0)
		qsort(wishes->readers, wishes->n_readers,
		      sizeof(*wishes->readers), compare_readers);
	for (size_t i = 0; i < wishes->n_readers; i++)
		wishes->subscribers[i] = wishes->readers[i].subscriber;
	wishes->next = wishes->n_readers;
}

static void clear(struct wishes *wishes)
{
	for (size_t i = 0; i < wishes->n; i++)
		question_fini(&wishes->questions[i]);
	free(wishes->slots);
	wishes->slots = NULL;
	wishes->n_slots = 0;
	wishes->n = 0;
}

void wishes_fini(struct wishes *wishes)
{
	clear(wishes);
	for (size_t i = 0; i < wishes->n_readers; i++)
		free(wishes->readers[i].questions);
	service_composer_free(wishes->composer);
	free(wishes->readers);
	free(wishes->subscribers);
	free(wishes->questions);
}

const struct reader *wishes_find(const struct wishes *wishes,
                                 const struct subscriber *subscriber)
{
	const struct reader key = {.subscriber = subscriber};

	if (wishes->n_readers == 0)
		return NULL;
	return bsearch(&key, wishes->readers, wishes->n_readers,
	               sizeof(*wishes->readers), compare_readers);
}

bool wishes_are_known(const struct wishes *wishes)
{
	return wishes->next == wishes->n_readers;
}

/* ---- looking ---- */

int wishes_begin(struct wishes *wishes, bool are_asked, struct error *err)
{
	int64_t seq = 0;

	if (store_last_seq(wishes->service->store, &seq, err) < 0)
		return -1;
	if (seq == wishes->seq)
		return 0;
	if (!are_asked)
		clear(wishes);
	wishes->seq = seq;
	wishes->next = 0;
	wishes->end = 0;
	service_composer_free(take_ptr(wishes->composer));
	for (size_t i = 0; i < wishes->n_readers; i++) {
		wishes->readers[i].n = 0;
		wishes->readers[i].is_known = false;
	}
	return 1;
}

/* How many of the digest's papers have a higher score. */
static size_t find_rank(const struct digest *digest, size_t entry)
{
	size_t rank = 0;

	for (size_t i = 0; i < digest->n_entries; i++)
		rank += digest->entries[i].score > digest->entries[entry].score;
	return rank;
}

static int look_at(struct wishes *wishes, struct reader *reader,
                   struct error *err)
{
	owned(composed) struct service_composed composed = {0};
	int outcome = service_compose(wishes->composer, reader->subscriber,
	                              &composed, err);

	if (outcome < 0)
		return -1;
	reader->n = 0;
	for (size_t i = 0;
	     outcome == COMPOSED && i < composed.digest->n_entries; i++)
		if (add_wish(wishes, reader, composed.digest->entries[i].paper,
		             find_rank(composed.digest, i), err) < 0)
			return -1;
	reader->is_known = true;
	return 0;
}

static int prepare(struct wishes *wishes, struct error *err)
{
	if (!wishes->composer) {
		wishes->end = wishes->n_readers - wishes->next > TOGETHER
		                      ? wishes->next + TOGETHER
		                      : wishes->n_readers;
		wishes->composer = service_composer_begin(
			wishes->service, wishes->subscribers + wishes->next,
			wishes->end - wishes->next);
	}
	return service_composer_go_on(wishes->composer, err);
}

int wishes_slice(struct wishes *wishes, struct error *err)
{
	const struct clock *clock = &wishes->service->world->clock;
	int64_t until_ms = clock_monotonic_ms(clock) + SLICE_MS;
	int state;

	if (wishes_are_known(wishes))
		return 0;
	state = prepare(wishes, err);
	if (state != COMPOSER_READY)
		return state < 0 ? -1 : 0;
	while (wishes->next < wishes->end) {
		if (look_at(wishes, &wishes->readers[wishes->next], err) < 0)
			return -1;
		wishes->next++;
		if (clock_monotonic_ms(clock) >= until_ms)
			break;
	}
	if (wishes->next == wishes->end)
		service_composer_free(take_ptr(wishes->composer));
	return 0;
}
