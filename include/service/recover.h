#pragma once

/*
 * Catching up: what was announced on days whose feed was missed, from OAI-PMH
 * (feeds.oai_url), for a feed shows one day only.
 *
 * Recovered are papers whose version 1 was submitted in time for one of these
 * days, or up to four days earlier, and that the category has not announced to
 * us as new or cross-listed. Each becomes an announcement of the first missed
 * day for which it was in time; what can only have come after the last one is
 * left to that day's feed. Replacements are not recovered. Marks do not move:
 * it all comes with the next digests. A category whose feed was never fetched
 * has missed nothing. Days before the last LIMIT_RECOVER_DAYS are gone.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/strings.h"
#include "service/world.h"

enum service_recover_end {
	RECOVER_DONE,      /* the days are marked */
	RECOVER_FIRST_RUN, /* its feed was never fetched */
	RECOVER_FAILED,    /* what came until then is stored */
};

struct service_recover_result {
	const char *category;
	enum service_recover_end end;
	size_t n_papers;
	const char *reason;      /* a sentence */
	int64_t retry_after_sec; /* the server's wish; 0: none */
};

/* ---- by hand ---- */

/* Who is told of each category's end. */
struct service_recover_events {
	void (*result)(void *ctx, const struct service_recover_result *result);
	void *ctx;
};

enum service_recover {
	SERVICE_RECOVERED = 0,
	SERVICE_RECOVER_NO_DAY = 1, /* since_day is not before today */
};

/*
 * Recovers all days from `since_day` (New York) until yesterday, whatever their
 * outcomes, one category after the other. An enum service_recover. A
 * category's trouble is its result; fails only for the store or the loop.
 */
MUST_CHECK int service_recover(struct service *service,
                               const struct strings *categories,
                               int32_t since_day,
                               const struct service_recover_events *events,
                               struct error *err);

/* ---- for the daemon ---- */

/*
 * Whenever it is woken it looks for days that ended stale, unreachable or
 * invalid, and recovers them, one category after the other. A failure makes it
 * rest, longer each time, and never less than Retry-After.
 */
struct recoverer;

MUST_CHECK int recoverer_open(struct recoverer **ret_recoverer,
                              struct service *service, struct error *err);
/* Nothing may be on its way, unless the world has gone before. */
void recoverer_close(struct recoverer *recoverer);

OWNED_DEFINE(recoverer, struct recoverer, recoverer_close);

/* A day may have ended, or a feed is there again. */
void recoverer_wake(struct recoverer *recoverer);

/*
 * One turn of some milliseconds; the next one is wanted at *ret_look_ms
 * (monotonic), or after the world's next wait() or recoverer_wake(). Fails for
 * the store only; ERROR_TEMPORARY may be tried again.
 */
MUST_CHECK int recoverer_turn(struct recoverer *recoverer, int64_t *ret_look_ms,
                              struct error *err);

/* The category that is being recovered; NULL: none. */
const char *recoverer_category(const struct recoverer *recoverer);
