#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void die(void)
{
	static const char message[] = "arxmail: out of memory\n";

	/* Nothing that allocates; if even this fails, abort says enough. */
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		abort();
	abort();
}

static void *check(void *ptr)
{
	if (!ptr)
		die();
	return ptr;
}

void *mem_new(size_t size)
{
	return check(calloc(1, size ? size : 1));
}

void *mem_array(size_t n, size_t size)
{
	return check(calloc(n ? n : 1, size ? size : 1));
}

void *mem_grow(void *array, size_t *capacity, size_t need, size_t size)
{
	size_t larger = *capacity + *capacity / 2;

	if (need <= *capacity)
		return array;
	if (larger < need)
		larger = need;
	if (larger < 8)
		larger = 8;

	array = check(reallocarray(array, larger, size));
	*capacity = larger;
	return array;
}

char *mem_dup(const char *str)
{
	return str ? check(strdup(str)) : NULL;
}

char *mem_dup_span(struct span span)
{
	char *copy = mem_new(span.len + 1);

	if (span.len > 0)
		memcpy(copy, span.ptr, span.len);
	return copy;
}

char *mem_printf(const char *fmt, ...)
{
	char *str = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&str, fmt, args);
	va_end(args);
	if (len < 0)
		die();
	return str;
}
