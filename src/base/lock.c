#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/mem.h"

struct lock {
	char *path;
	int fd;
};

int lock_open(struct lock **ret_lock, const char *path, struct error *err)
{
	owned(lock) struct lock *lock = mem_new(sizeof(*lock));

	lock->path = mem_dup(path);
	lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock->fd < 0)
		return error_set(err, ERROR_SYSTEM, "%s: cannot open: %s", path,
		                 strerror(errno));
	*ret_lock = take_ptr(lock);
	return 0;
}

void lock_close(struct lock *lock)
{
	if (!lock)
		return;
	if (lock->fd >= 0)
		close(lock->fd);
	free(lock->path);
	free(lock);
}

int lock_try(struct lock *lock, struct error *err)
{
	if (!flock(lock->fd, LOCK_EX | LOCK_NB))
		return LOCK_TAKEN;
	if (errno == EWOULDBLOCK || errno == EINTR)
		return LOCK_BUSY;
	return error_set(err, ERROR_SYSTEM, "%s: cannot lock: %s", lock->path,
	                 strerror(errno));
}

void lock_release(struct lock *lock)
{
	/* Unlocking what this process has open cannot fail. */
	(void)flock(lock->fd, LOCK_UN);
}

int lock_fd(const struct lock *lock)
{
	return lock->fd;
}
