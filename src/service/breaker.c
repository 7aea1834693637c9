#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "summarize_private.h"

#define MS_PER_SEC 1000
#define SECONDS_PER_DAY 86400
/* As many failures in a row, of questions one after the other, are trouble. */
#define MOST_FAILURES 3
/* As many questions in a row that got only useless answers are, too. */
#define MOST_GIVEN_UP 8
/* Between failures before that: twice as long each time. */
#define PAUSE_SEC 1
/* A wish of the server that is no longer than this is only a pause. */
#define PAUSE_MOST_SEC 60
/* How long an open breaker stays so: twice as long each time. */
#define OPEN_FIRST_SEC 60
#define OPEN_FOR_SOMEONE_SEC 900 /* to act: a key, a name */
#define OPEN_MOST_SEC 3600
#define RETRY_AFTER_MOST_SEC SECONDS_PER_DAY

static int64_t now_ms(const struct breaker *breaker)
{
	return clock_monotonic_ms(&breaker->service->world->clock);
}

static int64_t now_sec(const struct breaker *breaker)
{
	return clock_now_sec(&breaker->service->world->clock);
}

static int32_t today(const struct breaker *breaker)
{
	return (int32_t)(now_sec(breaker) / SECONDS_PER_DAY);
}

static int64_t at_least(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t at_most(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * A trouble that is stored, perhaps by another process, is ours. When its time
 * is over, digests wait for one question: a command that runs once a day would
 * otherwise never ask again.
 */
static void take_trouble(struct breaker *breaker,
                         const struct store_trouble *trouble)
{
	int64_t wait_sec = at_most(trouble->next_at - now_sec(breaker),
	                           RETRY_AFTER_MOST_SEC);

	breaker->is_stored = true;
	breaker->n_failures = MOST_FAILURES - 1;
	breaker->failed_ms = now_ms(breaker);
	if (wait_sec <= 0)
		return;
	breaker->is_open = true;
	breaker->wait_sec = OPEN_FIRST_SEC;
	breaker->until_ms = now_ms(breaker) + wait_sec * MS_PER_SEC;
}

int breaker_init(struct breaker *breaker, struct service *service,
                 struct error *err)
{
	struct store_trouble trouble = {0};
	int found = store_get_model_trouble(service->store, &trouble, err);

	if (found < 0)
		return -1;
	*breaker = (struct breaker){.service = service, .spent_day = -1};
	if (found == STORE_FOUND)
		take_trouble(breaker, &trouble);
	store_trouble_fini(&trouble);
	return 0;
}

void breaker_fini(struct breaker *breaker)
{
	free(breaker->change);
}

/* What is new is said once; status tells when it is asked again. */
static void open_breaker(struct breaker *breaker, int64_t wait_sec,
                         const char *words)
{
	if (!breaker->is_open)
		log_warning(
			"model: %s; digests go without its words, it is "
			"asked again in %" PRId64 " s",
			words, wait_sec);
	else
		log_debug("model: %s; again in %" PRId64 " s", words, wait_sec);
	breaker->is_open = true;
	breaker->is_stored = true;
	breaker->has_asked = false;
	breaker->wait_sec = wait_sec;
	breaker->until_ms = now_ms(breaker) + wait_sec * MS_PER_SEC;
	free(breaker->change);
	breaker->change = mem_dup(words);
}

/* How long an open breaker waits before the next question. */
static int64_t find_wait(const struct breaker *breaker)
{
	if (!breaker->is_open)
		return OPEN_FIRST_SEC;
	return at_most(2 * breaker->wait_sec, OPEN_MOST_SEC);
}

/* Of several that were on their way together only one counts. */
void breaker_fail(struct breaker *breaker, const struct llm_answer *answer,
                  int64_t asked_ms)
{
	bool needs_someone = answer->error.kind == ERROR_PERMANENT;
	int64_t wish_sec =
		at_most(answer->retry_after_sec, RETRY_AFTER_MOST_SEC);
	int64_t pause_sec;

	if (breaker->n_failures == 0 || asked_ms >= breaker->failed_ms)
		breaker->n_failures++;
	breaker->failed_ms = now_ms(breaker);
	if (breaker->is_open && !breaker->has_asked)
		return;
	if (breaker->is_open || needs_someone || wish_sec > PAUSE_MOST_SEC ||
	    breaker->n_failures >= MOST_FAILURES) {
		open_breaker(breaker,
		             at_least(at_least(find_wait(breaker), wish_sec),
		                      needs_someone ? OPEN_FOR_SOMEONE_SEC : 0),
		             answer->error.message);
		return;
	}
	pause_sec = at_least(PAUSE_SEC << breaker->n_failures, wish_sec);
	breaker->until_ms = breaker->failed_ms + pause_sec * MS_PER_SEC;
}

void breaker_give_up(struct breaker *breaker, const char *fault)
{
	owned(mem) char *words = NULL;

	breaker->n_failures = 0;
	if (breaker->is_open && !breaker->has_asked)
		return;
	if (++breaker->n_given_up < MOST_GIVEN_UP && !breaker->is_open)
		return;
	words = mem_printf("its answers are of no use: %s", fault);
	open_breaker(breaker,
	             at_least(find_wait(breaker), OPEN_FOR_SOMEONE_SEC), words);
}

void breaker_succeed(struct breaker *breaker)
{
	breaker->n_failures = 0;
	breaker->n_given_up = 0;
	if (!breaker->is_open && !breaker->is_stored)
		return;
	breaker->until_ms = 0;
	breaker->is_stored = false;
	log_notice("model: it answers again");
	breaker->is_open = false;
	breaker->has_asked = false;
	free(breaker->change);
	breaker->change = mem_dup("");
}

int breaker_store(struct breaker *breaker, struct error *err)
{
	struct store_trouble trouble = {0};

	if (!breaker->change)
		return 0;
	if (*breaker->change)
		trouble = (struct store_trouble){
			now_sec(breaker),
			now_sec(breaker) +
				(breaker->until_ms - now_ms(breaker)) /
					MS_PER_SEC,
			breaker->change};
	return store_set_model_trouble(breaker->service->store, &trouble, err);
}

/* ---- tokens ---- */

bool breaker_is_spent(const struct breaker *breaker)
{
	return breaker->spent_day == today(breaker);
}

/* What is on its way counts as estimated. */
static int check_tokens(struct breaker *breaker, struct error *err)
{
	uint32_t most = breaker->service->conf->llm.per_day_tokens;
	struct store_asked asked = {0};

	if (most == 0)
		return 1;
	if (breaker_is_spent(breaker))
		return 0;
	if (store_get_asked(breaker->service->store, today(breaker), &asked,
	                    err) < 0)
		return -1;
	if (asked.n_tokens + breaker->n_reserved < most)
		return 1;
	if (breaker->n_reserved > 0)
		return 0;
	log_warning(
		"model: the day's tokens (llm.per_day_tokens) are used up: "
		"%" PRIu64 "; it is asked again after midnight UTC",
		asked.n_tokens);
	breaker->spent_day = today(breaker);
	return 0;
}

/* After a failure one question is enough to find out. */
int breaker_allows(struct breaker *breaker, size_t n_flying, struct error *err)
{
	if (now_ms(breaker) < breaker->until_ms ||
	    ((breaker->is_open || breaker->n_failures > 0) && n_flying > 0))
		return 0;
	return check_tokens(breaker, err);
}
