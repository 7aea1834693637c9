#pragma once

/*
 * A span is a borrowed piece of text: pointer and length, not terminated.
 * {NULL, 0} is the empty span. Spans are passed by value.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *ptr;
	size_t len;
};

#define SPAN_NONE ((struct span){NULL, 0})

/* All of `str`, which may be NULL. */
static inline struct span span_of(const char *str)
{
	return (struct span){str, str ? strlen(str) : 0};
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

static inline bool span_is(struct span span, const char *str)
{
	return span_equal(span, span_of(str));
}

/* `span` without its first `n` bytes, of which it has at least that many. */
static inline struct span span_skip(struct span span, size_t n)
{
	/* NULL + 0 is undefined. */
	return (struct span){n > 0 ? span.ptr + n : span.ptr, span.len - n};
}

static inline struct span span_first(struct span span, size_t n)
{
	return (struct span){span.ptr, n < span.len ? n : span.len};
}

bool span_starts(struct span span, const char *prefix);
bool span_ends(struct span span, const char *suffix);

/* Without ASCII blanks and control characters at both ends. */
struct span span_trim(struct span span);

/* The place of the first `needle` in `span`, or span.len. */
size_t span_find(struct span span, const char *needle);

/*
 * Cuts the part before the next `separator` (or the end) off `*rest` into
 * *ret_part. Returns false when *rest was used up: "a,b" has two parts, ""
 * one, which is empty. Begin with a span whose ptr is not NULL.
 */
bool span_split(struct span *rest, char separator, struct span *ret_part);
