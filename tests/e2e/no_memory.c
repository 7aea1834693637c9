/*
 * For LD_PRELOAD: the FAIL_AT-th allocation after the database was opened
 * fails. That it came so far is told by a file, FAIL_TOLD.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's own: dlsym() allocates itself. */
void *__libc_malloc(size_t size);
void *__libc_realloc(void *old, size_t size);

static int (*real_open)(const char *path, int flags, ...);
static atomic_bool counts;
static atomic_long n_calls;
static long fail_at;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_AT");

	real_open = dlsym(RTLD_NEXT, "open");
	fail_at = at ? strtol(at, NULL, 10) : 0;
}

static bool fails(void)
{
	const char *told = getenv("FAIL_TOLD");

	if (!counts || atomic_fetch_add(&n_calls, 1) + 1 != fail_at)
		return false;
	if (told)
		close(real_open(told, O_CREAT | O_WRONLY, 0666));
	errno = ENOMEM;
	return true;
}

static int open_file(const char *path, int flags, int mode)
{
	static const char database[] = "/arxmail.db";
	size_t len = strlen(path);

	if (len > strlen(database) &&
	    !strcmp(path + len - strlen(database), database))
		counts = true;
	if (!real_open)
		begin();
	return real_open(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	return open_file(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	return open_file(path, flags | O_LARGEFILE, mode);
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	void *memory;

	if (size && n > SIZE_MAX / size)
		return NULL;
	memory = malloc(n * size);
	return memory ? memset(memory, 0, n * size) : NULL;
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
