#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/mem.h"
#include "conf_private.h"

static int fail(const char *path, const char *why, struct error *err)
{
	return error_set(err, ERROR_SYSTEM, "%s: %s", path, why);
}

static int check_file(int fd, const char *path, uid_t service_uid,
                      struct error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail(path, strerror(errno), err);
	if (!S_ISREG(st.st_mode))
		return fail(path, "is not a plain file", err);
	if (st.st_mode & S_IRWXO)
		return error_set(err, ERROR_SYSTEM,
		                 "%s: others can read or change it: chmod 640 "
		                 "%s",
		                 path, path);
	if (st.st_uid != 0 && st.st_uid != geteuid() &&
	    st.st_uid != service_uid)
		return error_set(err, ERROR_SYSTEM,
		                 "%s: belongs to another user (uid %u), should "
		                 "be root's or arxmail's",
		                 path, (unsigned)st.st_uid);
	return 0;
}

/* The number of bytes, which is LIMIT_SECRET_BYTES + 1 if it is too long. */
static ssize_t read_bytes(int fd, char *bytes)
{
	size_t n = 0;

	while (n <= LIMIT_SECRET_BYTES) {
		ssize_t got = read(fd, bytes + n, LIMIT_SECRET_BYTES + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static struct span without_line_end(struct span text)
{
	if (span_ends(text, "\n"))
		text = span_first(text, text.len - 1);
	return span_ends(text, "\r") ? span_first(text, text.len - 1) : text;
}

static int check_secret(struct span secret, const char *path, struct error *err)
{
	if (secret.len == 0)
		return fail(path, "is empty", err);
	if (secret.len > LIMIT_SECRET_BYTES)
		return fail(path, "is too long for a secret", err);
	if (memchr(secret.ptr, '\n', secret.len) ||
	    memchr(secret.ptr, '\0', secret.len))
		return fail(path, "holds more than one line", err);
	return 0;
}

/* Not file_read(): the bytes must be in no memory that is not wiped. */
static int read_secret(char **ret_secret, int fd, const char *path,
                       struct error *err)
{
	char bytes[LIMIT_SECRET_BYTES + 1];
	ssize_t n = read_bytes(fd, bytes);
	struct span secret;
	int rc;

	if (n < 0)
		return fail(path, strerror(errno), err);
	secret = without_line_end((struct span){bytes, (size_t)n});
	rc = check_secret(secret, path, err);
	if (rc == 0)
		*ret_secret = mem_dup_span(secret);
	explicit_bzero(bytes, sizeof(bytes));
	return rc;
}

int conf_read_secret(char **ret_secret, const char *path, uid_t service_uid,
                     struct error *err)
{
	/* A FIFO in its place must not block the daemon. */
	owned(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail(path, strerror(errno), err);
	if (check_file(fd, path, service_uid, err) < 0)
		return -1;
	return read_secret(ret_secret, fd, path, err);
}
