#pragma once

/*
 * A lock between processes: flock() on a file that stays. The kernel lets it
 * go when its holder ends, however it ends.
 */

#include "base/error.h"
#include "base/owned.h"

struct lock;

enum lock_outcome {
	LOCK_TAKEN = 0,
	LOCK_BUSY = 1, /* another process or lock object holds it */
};

/* Opens (and creates, mode 0600) the file; takes nothing yet. */
MUST_CHECK int lock_open(struct lock **ret_lock, const char *path,
                         struct error *err);
void lock_close(struct lock *lock);

/* Never waits. Taking a lock that this object holds changes nothing. */
MUST_CHECK int lock_try(struct lock *lock, struct error *err);
void lock_release(struct lock *lock);

/* The open file, for a few bytes that belong to the lock's holder. */
int lock_fd(const struct lock *lock);

OWNED_DEFINE(lock, struct lock, lock_close);
