/* One page after the other from arXiv, however busy it is. */

#include "base/mem.h"
#include "recover_private.h"

/* What a turn parses: some milliseconds of work. */
#define SLICE_BYTES (128U * LIMIT_KIB)

/* After a failure without a Retry-After. */
#define BACK_OFF_FIRST_SEC 5
#define BACK_OFF_MOST_SEC 60

static int64_t now_ms_of(const struct pages *pages)
{
	return clock_monotonic_ms(&pages->world->clock);
}

static void drop_answer(struct pages *pages)
{
	feed_answer_fini(&pages->answer);
	oai_parser_free(take_ptr(pages->parser));
	pages->n_parsed = 0;
}

void pages_fini(struct pages *pages)
{
	drop_answer(pages);
	free(take_ptr(pages->url));
}

void pages_ask(struct pages *pages, char *url)
{
	pages_fini(pages);
	pages->url = url;
	pages->ask_ms = now_ms_of(pages);
	pages->n_failed = 0;
	pages->step = PAGES_ASK;
}

/* The body moves here: it is parsed in slices. */
static void on_answer(void *ctx, struct feed_answer *answer)
{
	struct pages *pages = ctx;

	pages->answer = *answer;
	*answer = (struct feed_answer){0};
	pages->step = PAGES_FAILED;
	if (pages->answer.kind != FEED_ANSWER_BODY)
		return;
	pages->parser = oai_parser_new();
	pages->step = PAGES_PARSE;
}

static int ask(struct pages *pages, int64_t *ret_look_ms)
{
	const struct feed_request request = {.url = pages->url};

	*ret_look_ms = pages->ask_ms;
	if (now_ms_of(pages) < pages->ask_ms)
		return PAGES_GO_ON;
	pages->step = PAGES_ANSWER;
	pages->world->fetch(pages->world->ctx, &request, on_answer, pages);
	return PAGES_GO_ON;
}

/* A server that is busy says so by 503, and when to come again. */
static int take_failure(struct pages *pages, struct error *err)
{
	int64_t wait_sec = pages->answer.retry_after_sec;

	pages->n_failed++;
	if (wait_sec == 0)
		wait_sec = recover_back_off_sec(
			pages->n_failed, BACK_OFF_FIRST_SEC, BACK_OFF_MOST_SEC);
	if (pages->answer.error.kind != ERROR_TEMPORARY ||
	    pages->n_failed > LIMIT_RECOVER_TRIES ||
	    wait_sec > LIMIT_RECOVER_WAIT_SEC) {
		*err = pages->answer.error;
		return -1;
	}
	drop_answer(pages);
	pages->ask_ms = now_ms_of(pages) + wait_sec * 1000;
	pages->step = PAGES_ASK;
	return PAGES_GO_ON;
}

static int finish(struct pages *pages, struct oai_page **ret_page,
                  struct error *err)
{
	switch (oai_parser_finish(pages->parser, ret_page, err)) {
	case OAI_PAGE:
		return PAGES_PAGE;
	case OAI_NONE:
		return PAGES_NONE;
	case OAI_BAD_TOKEN:
		return error_set(err, ERROR_TEMPORARY,
		                 "arXiv knows its own resumption token no "
		                 "more: the next try begins anew");
	default:
		return -1;
	}
}

static int parse(struct pages *pages, struct oai_page **ret_page,
                 struct error *err)
{
	struct span rest =
		span_skip(buf_span(&pages->answer.body), pages->n_parsed);
	struct span piece = span_first(rest, SLICE_BYTES);

	if (rest.len == 0)
		return finish(pages, ret_page, err);
	pages->n_parsed += piece.len;
	if (oai_parser_push(pages->parser, piece.ptr, piece.len, err) < 0)
		return -1;
	return PAGES_GO_ON;
}

int pages_turn(struct pages *pages, int64_t *ret_look_ms,
               struct oai_page **ret_page, struct error *err)
{
	*ret_look_ms = 0;
	switch (pages->step) {
	case PAGES_ASK:
		return ask(pages, ret_look_ms);
	case PAGES_ANSWER:
		*ret_look_ms = INT64_MAX;
		break;
	case PAGES_FAILED:
		return take_failure(pages, err);
	case PAGES_PARSE:
		return parse(pages, ret_page, err);
	}
	return PAGES_GO_ON;
}
