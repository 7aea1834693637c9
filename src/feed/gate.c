#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/span.h"
#include "fetch_private.h"

#define PAUSE_MS (LIMIT_FEED_PAUSE_SEC * 1000)
/* How often to look whether another process has left. */
#define RETRY_MS 200
#define STAMP_SIZE 32

/*
 * The lock's file holds when the last request began or ended, in Unix
 * seconds rounded up, for other processes; this one knows its own to the
 * millisecond. Written at the start, too: a holder may be killed.
 */
struct gate {
	const struct clock *clock;
	struct lock *lock; /* NULL: no other process matters */
	bool is_held;
	bool is_in;
	int64_t left_ms;   /* monotonic, or long ago: the own last request */
	int64_t open_ms;   /* monotonic: when the others' pause is over */
	int64_t own_stamp; /* the last that this process wrote */
};

int gate_open(struct gate **ret_gate, const struct clock *clock,
              const char *state_dir, struct error *err)
{
	owned(gate) struct gate *gate = mem_new(sizeof(*gate));

	gate->clock = clock;
	gate->left_ms = INT64_MIN / 2;
	if (state_dir) {
		owned(mem) char *path = mem_printf("%s/feeds.lock", state_dir);

		if (lock_open(&gate->lock, path, err) < 0)
			return -1;
	}
	*ret_gate = take_ptr(gate);
	return 0;
}

void gate_close(struct gate *gate)
{
	if (!gate)
		return;
	gate_leave(gate);
	lock_close(gate->lock);
	free(gate);
}

/* 0: none, or none that can be read. */
static int64_t read_stamp(const struct gate *gate)
{
	char text[STAMP_SIZE];
	ssize_t n = TEMP_FAILURE_RETRY(
		pread(lock_fd(gate->lock), text, sizeof(text), 0));
	struct span digits = {text, n > 0 ? (size_t)n : 0};
	uint64_t stamp;

	if (!num_parse(span_trim(digits), 0, INT64_MAX, &stamp))
		return 0;
	return (int64_t)stamp;
}

static int write_stamp(struct gate *gate, struct error *err)
{
	int fd = lock_fd(gate->lock);
	char text[STAMP_SIZE];
	int len;

	gate->own_stamp = clock_now_sec(gate->clock) + 1;
	len = snprintf(text, sizeof(text), "%" PRId64 "\n", gate->own_stamp);
	if (TEMP_FAILURE_RETRY(pwrite(fd, text, (size_t)len, 0)) != len ||
	    ftruncate(fd, len))
		return error_set(err, ERROR_SYSTEM,
		                 "cannot write feeds.lock in the state "
		                 "folder: %s",
		                 strerror(errno));
	return 0;
}

/*
 * How long to wait for what other processes did. A stamp from the future (the
 * clock was set back) costs one whole pause, not more.
 */
static int64_t others_wait_ms(const struct gate *gate)
{
	int64_t now_sec = clock_now_sec(gate->clock);
	int64_t stamp = read_stamp(gate);

	if (stamp == gate->own_stamp)
		return 0;
	if (stamp > now_sec + 1)
		return PAUSE_MS;
	return (stamp + LIMIT_FEED_PAUSE_SEC - now_sec) * 1000;
}

/*
 * Once held, the lock is kept while the rest of the pause is waited for. The
 * own pause is waited for without it, so that others have their turn.
 */
static int hold(struct gate *gate, struct error *err)
{
	int rc;

	if (!gate->lock || gate->is_held)
		return LOCK_TAKEN;
	rc = lock_try(gate->lock, err);
	if (rc == LOCK_TAKEN) {
		gate->is_held = true;
		gate->open_ms =
			clock_monotonic_ms(gate->clock) + others_wait_ms(gate);
	}
	return rc;
}

static void let_go(struct gate *gate)
{
	if (gate->is_held)
		lock_release(gate->lock);
	gate->is_held = false;
}

int gate_enter(struct gate *gate, int64_t *ret_wait_ms, struct error *err)
{
	int64_t now_ms = clock_monotonic_ms(gate->clock);
	int rc;

	*ret_wait_ms = gate->left_ms + PAUSE_MS - now_ms;
	if (*ret_wait_ms > 0)
		return GATE_WAIT;
	rc = hold(gate, err);
	*ret_wait_ms = rc == LOCK_BUSY ? RETRY_MS : gate->open_ms - now_ms;
	if (rc < 0 || *ret_wait_ms > 0)
		return rc < 0 ? -1 : GATE_WAIT;

	if (gate->lock && write_stamp(gate, err) < 0) {
		let_go(gate);
		return -1;
	}
	gate->is_in = true;
	return GATE_PASSED;
}

void gate_leave(struct gate *gate)
{
	struct error ignored;

	if (!gate->is_in)
		return;
	gate->is_in = false;
	gate->left_ms = clock_monotonic_ms(gate->clock);
	/* Should it fail, the stamp of the start stands. */
	if (gate->lock)
		(void)write_stamp(gate, &ignored);
	let_go(gate);
}
