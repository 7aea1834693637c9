#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_now_sec(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

static int64_t read_monotonic_ms(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct clock clock_real(void)
{
	return (struct clock){read_now_sec, read_monotonic_ms, NULL};
}
