#include <string.h>
#include <unistd.h>

#include "deliver_private.h"

#define MS_PER_MINUTE 60000
/* One step towards more after so many messages without a complaint. */
#define GOOD_BEFORE_STEP 20
#define SLOW_FIRST_MS 1000
#define SLOW_MOST_MS 60000

void pace_init(struct pace *pace, struct lock *lock)
{
	*pace = (struct pace){.lock = lock};
}

/*
 * The next sender goes on where the last one ended. What cannot be read or lies
 * further ahead than a minute (a machine that was started anew) counts as now.
 */
void pace_begin(struct pace *pace, const struct smtp_options *smtp)
{
	int64_t next_ms = 0;

	/* Rounded up: never more than that. */
	pace->own_interval_ms =
		smtp->per_minute > 0 ? (MS_PER_MINUTE + smtp->per_minute - 1) /
					       smtp->per_minute
				     : 0;
	if (pace->interval_ms < pace->own_interval_ms || pace->most_lanes == 0)
		pace->interval_ms = pace->own_interval_ms;
	/* Slowed down it stays so; else all lanes of the config are there. */
	if (pace->n_lanes == pace->most_lanes ||
	    pace->n_lanes > smtp->connections)
		pace->n_lanes = smtp->connections;
	pace->most_lanes = smtp->connections;
	if (pread(lock_fd(pace->lock), &next_ms, sizeof(next_ms), 0) ==
	    (ssize_t)sizeof(next_ms))
		pace->next_ms = next_ms;
}

bool pace_allows(const struct pace *pace, int64_t now_ms)
{
	return now_ms >= pace->next_ms ||
	       pace->next_ms - now_ms > MS_PER_MINUTE;
}

int64_t pace_look_ms(const struct pace *pace, int64_t now_ms)
{
	return pace_allows(pace, now_ms) ? now_ms : pace->next_ms;
}

void pace_take(struct pace *pace, int64_t now_ms)
{
	if (pace->interval_ms == 0)
		return;
	pace->next_ms = now_ms + pace->interval_ms;
	/* If it fails, a next sender begins a moment too early: no harm. */
	if (pwrite(lock_fd(pace->lock), &pace->next_ms, sizeof(pace->next_ms),
	           0) < 0)
		return;
}

void pace_slow_down(struct pace *pace)
{
	pace->n_good = 0;
	if (pace->n_lanes > 1) {
		pace->n_lanes /= 2;
		return;
	}
	pace->interval_ms = pace->interval_ms < SLOW_FIRST_MS
	                            ? SLOW_FIRST_MS
	                            : pace->interval_ms * 2;
	if (pace->interval_ms > SLOW_MOST_MS)
		pace->interval_ms = SLOW_MOST_MS;
}

void pace_speed_up(struct pace *pace)
{
	if (++pace->n_good < GOOD_BEFORE_STEP)
		return;
	pace->n_good = 0;
	if (pace->interval_ms > pace->own_interval_ms) {
		pace->interval_ms /= 2;
		if (pace->interval_ms < SLOW_FIRST_MS ||
		    pace->interval_ms < pace->own_interval_ms)
			pace->interval_ms = pace->own_interval_ms;
	} else if (pace->n_lanes < pace->most_lanes) {
		pace->n_lanes++;
	}
}
