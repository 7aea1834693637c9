#pragma once

/*
 * Time as a value that is passed in, so that tests can set it. Calendars use
 * wall time, deadlines monotonic time.
 */

#include <stdint.h>

struct clock {
	int64_t (*now_sec)(void *ctx);      /* Unix seconds */
	int64_t (*monotonic_ms)(void *ctx); /* never goes back */
	void *ctx;
};

/* The machine's clocks. */
struct clock clock_real(void);

static inline int64_t clock_now_sec(const struct clock *clock)
{
	return clock->now_sec(clock->ctx);
}

static inline int64_t clock_monotonic_ms(const struct clock *clock)
{
	return clock->monotonic_ms(clock->ctx);
}
