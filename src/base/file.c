#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define CHUNK_BYTES 65536U

static int fail(const char *path, const char *doing, struct error *err)
{
	return error_set(err, ERROR_SYSTEM, "%s: %s: %s", path, doing,
	                 strerror(errno));
}

static int read_all(struct buf *buf, int fd, const char *path,
                    struct error *err)
{
	owned(mem) char *chunk = mem_new(CHUNK_BYTES);

	for (;;) {
		ssize_t n = read(fd, chunk, CHUNK_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(path, "cannot read", err);
		if (n == 0)
			return 0;
		buf_add(buf, chunk, (size_t)n);
		if (buf->failed)
			return error_set(err, ERROR_LIMIT,
			                 "%s: larger than %zu bytes", path,
			                 buf->max);
	}
}

int file_read(struct buf *buf, const char *path, struct error *err)
{
	owned(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(path, "cannot open", err);
	return read_all(buf, fd, path, err);
}

static int write_all(int fd, struct span content)
{
	while (content.len > 0) {
		ssize_t n = write(fd, content.ptr, content.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		content = span_skip(content, (size_t)n);
	}
	return 0;
}

/* Without it the rename itself may be lost in a power cut. */
static int sync_folder(const char *path, struct error *err)
{
	owned(mem) char *copy = mem_dup(path);
	owned(fd) int fd =
		open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd))
		return fail(path, "cannot sync its folder", err);
	return 0;
}

/* All of it, safe on the disk. */
static int fill(int fd, const char *path, struct span content, mode_t mode,
                struct error *err)
{
	if (fchmod(fd, mode) || write_all(fd, content) || fsync(fd))
		return fail(path, "cannot write", err);
	return 0;
}

int file_replace(const char *path, struct span content, mode_t mode,
                 struct error *err)
{
	owned(mem) char *beside = mem_printf("%s.XXXXXX", path);
	owned(fd) int fd = mkostemp(beside, O_CLOEXEC);
	int rc;

	if (fd < 0)
		return fail(path, "cannot write beside it", err);
	rc = fill(fd, path, content, mode, err);
	if (rc == 0 && rename(beside, path))
		rc = fail(path, "cannot replace", err);
	if (rc < 0) {
		unlink(beside);
		return -1;
	}
	return sync_folder(path, err);
}
