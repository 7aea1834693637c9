#pragma once

/*
 * Catching up: what was announced on days whose feed was missed, from OAI-PMH.
 *
 * Recovered are papers whose version 1 was submitted in time for one of the
 * days, or up to four days earlier, and that the category has not announced to
 * us as new or cross-listed. Each becomes an announcement of the first day of
 * the gap for which it was in time, in its newest version; what can only have
 * come after the last day is left to that day's feed. Replacements are not
 * recovered. Marks do not move: it all comes with the next digests.
 *
 * It goes on in turns of milliseconds, of a loop that waits for the world.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/strings.h"
#include "service/world.h"

/* Days of New York, at most LIMIT_RECOVER_DAYS: earlier ones are left out. */
struct service_recover_job {
	const struct strings *categories;
	int32_t first_day;
	int32_t last_day; /* before today, whose feed is still there */
};

enum service_recover_end {
	RECOVER_DONE,      /* the days without a batch are marked */
	RECOVER_FIRST_RUN, /* its feed was never fetched: nothing is missing */
	RECOVER_FAILED,    /* what came until then is stored */
};

struct service_recover_result {
	const char *category;
	enum service_recover_end end;
	size_t n_new;       /* announcements stored */
	const char *reason; /* a sentence */
};

/* Who is told of each category's end instead of the log. */
struct service_recover_events {
	void (*result)(void *ctx, const struct service_recover_result *result);
	void *ctx;
};

struct recovery;

enum recovery_turn {
	RECOVERY_DONE = 0,
	RECOVERY_GOES_ON = 1,
};

/* `service` is borrowed; the job and the events are copied. */
MUST_CHECK int recovery_open(struct recovery **ret_recovery,
                             struct service *service,
                             const struct service_recover_job *job,
                             const struct service_recover_events *events,
                             struct error *err);

/* Only when it is done, or when the world waits no more: it may be asking. */
void recovery_close(struct recovery *recovery);

OWNED_DEFINE(recovery, struct recovery, recovery_close);

/*
 * One turn, a slice of some milliseconds. An enum recovery_turn; the next turn
 * is wanted at *ret_look_ms (monotonic) or after the world's next wait(). A
 * category's trouble is its result; fails only for the store.
 */
MUST_CHECK int recovery_turn(struct recovery *recovery, int64_t *ret_look_ms,
                             struct error *err);

/* All turns, with waits between them. */
MUST_CHECK int service_recover(struct service *service,
                               const struct service_recover_job *job,
                               const struct service_recover_events *events,
                               struct error *err);
