#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ELLIPSIS "..."

/* Ends a message of `full_len` bytes that did not fit, at a character. */
static void mark_cut(char *message, int full_len)
{
	size_t end = ERROR_MESSAGE_MAX - sizeof(ELLIPSIS);

	if (full_len < ERROR_MESSAGE_MAX)
		return;
	while (end > 0 && (message[end] & 0xC0) == 0x80)
		end--;
	memcpy(message + end, ELLIPSIS, sizeof(ELLIPSIS));
}

int error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	char message[ERROR_MESSAGE_MAX];
	va_list args;
	int len;

	/* By way of a copy: an argument may be err->message itself. */
	va_start(args, fmt);
	len = vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	mark_cut(message, len);

	err->kind = kind;
	memcpy(err->message, message, sizeof(message));
	return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char prefix[ERROR_MESSAGE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, args);
	va_end(args);
	return error_set(err, err->kind, "%s: %s", prefix, err->message);
}
