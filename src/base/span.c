#include "base/span.h"

bool span_starts(struct span span, const char *prefix)
{
	size_t len = strlen(prefix);

	return span.len >= len && (len == 0 || !memcmp(span.ptr, prefix, len));
}

bool span_ends(struct span span, const char *suffix)
{
	size_t len = strlen(suffix);

	return span.len >= len &&
	       (len == 0 || !memcmp(span.ptr + span.len - len, suffix, len));
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7F;
}

struct span span_trim(struct span span)
{
	while (span.len > 0 && is_blank(span.ptr[0]))
		span = span_skip(span, 1);
	while (span.len > 0 && is_blank(span.ptr[span.len - 1]))
		span.len--;
	return span;
}

size_t span_find(struct span span, const char *needle)
{
	const char *found;

	if (span.len == 0)
		return 0;
	found = memmem(span.ptr, span.len, needle, strlen(needle));
	return found ? (size_t)(found - span.ptr) : span.len;
}

bool span_split(struct span *rest, char separator, struct span *ret_part)
{
	const char *end;

	if (!rest->ptr)
		return false;

	end = rest->len > 0 ? memchr(rest->ptr, separator, rest->len) : NULL;
	if (!end) {
		*ret_part = *rest;
		*rest = SPAN_NONE;
		return true;
	}
	*ret_part = (struct span){rest->ptr, (size_t)(end - rest->ptr)};
	*rest = span_skip(*rest, ret_part->len + 1);
	return true;
}
