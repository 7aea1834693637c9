#pragma once

/*
 * Shared by the parts of catching up: recover_rules.c (what is missing and
 * where it belongs: pure), recover_pages.c (one page after the other from
 * arXiv), recover.c (one category's gap), recoverer.c (which one, and when).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "feed/oai.h"
#include "model/day.h"
#include "model/paper.h"
#include "service/recover.h"

/* ---- rules ---- */

/* Days of New York on which a category's batch was missed. */
struct gap {
	int32_t first_day; /* both are missed */
	int32_t last_day;
	int32_t known_since; /* what came before it never asked for */
	bool missed[LIMIT_RECOVER_DAYS]; /* from first_day on */
};

/*
 * Bit I of `days` is the day `since_day` + I; weekends have no batch to miss.
 * False if nothing is left.
 */
bool gap_init(struct gap *ret_gap, int32_t since_day, uint32_t days);

/*
 * The missed day to which a paper belongs whose version 1 was submitted at
 * `at`; false if it is of none.
 */
bool gap_find_day(const struct gap *gap, const struct zone *new_york,
                  int64_t at, int32_t *ret_day);

/* The first day whose feed can show what was submitted at an instant. */
int32_t recover_day(const struct zone *new_york, int64_t at);

/* New where the category, or one of an archive, is the paper's primary one. */
enum announce_type recover_type(const char *category,
                                const struct paper *paper);

/* `first_sec`, doubled for each failure after the first, up to `most_sec`. */
int64_t recover_back_off_sec(unsigned n_failed, int64_t first_sec,
                             int64_t most_sec);

/* ---- pages ---- */

enum pages_step {
	PAGES_ASK,    /* at ask_ms */
	PAGES_ANSWER, /* is waited for */
	PAGES_FAILED, /* the answer was none */
	PAGES_PARSE,
};

struct pages {
	struct service_world *world;
	enum pages_step step;
	char *url;
	int64_t ask_ms;
	unsigned n_failed; /* in a row */
	struct feed_answer answer;
	struct oai_parser *parser;
	size_t n_parsed; /* bytes of the answer's body */
};

enum pages_turn {
	PAGES_PAGE = 0,
	PAGES_NONE = 1,
	PAGES_GO_ON = 2,
};

/* The next one to read is at `url`, which it takes. */
void pages_ask(struct pages *pages, char *url);
/* None may be on its way, unless the world has gone before. */
void pages_fini(struct pages *pages);

/*
 * One turn of some milliseconds. An enum pages_turn: with PAGES_PAGE the
 * caller owns *ret_page, PAGES_NONE is arXiv's word that there is nothing,
 * with PAGES_GO_ON the next turn is wanted at *ret_look_ms or after the
 * world's next wait(). What may pass is asked again, when it should; fails
 * with what did not pass, and answer.retry_after_sec.
 */
MUST_CHECK int pages_turn(struct pages *pages, int64_t *ret_look_ms,
                          struct oai_page **ret_page, struct error *err);

/* ---- one category ---- */

struct recovery;

enum recovery_turn {
	RECOVERY_ENDED = 0, /* see recovery_result() */
	RECOVERY_GOES_ON = 1,
};

/* `service` and `new_york` are borrowed. */
struct recovery *recovery_new(struct service *service,
                              const struct zone *new_york, const char *category,
                              const struct gap *gap);
/* No page may be on its way, unless the world has gone before. */
void recovery_free(struct recovery *recovery);

OWNED_DEFINE(recovery, struct recovery, recovery_free);

/*
 * One turn of some milliseconds. An enum recovery_turn; the next one is wanted
 * at *ret_look_ms (monotonic) or after the world's next wait(). Fails for the
 * store only; after ERROR_TEMPORARY it may be called again.
 */
MUST_CHECK int recovery_turn(struct recovery *recovery, int64_t *ret_look_ms,
                             struct error *err);

/* Borrowed from it. */
struct service_recover_result recovery_result(const struct recovery *recovery);
