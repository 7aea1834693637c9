#pragma once

/*
 * A buf is owned, growing bytes with a hard maximum.
 *
 *         owned(buf) struct buf out = BUF_INIT(LIMIT_DIGEST_BYTES);
 *
 * Appending never needs a check: passing the maximum marks the buf failed and
 * drops what is appended from then on; buf_finish() reports that once.
 * A buf always ends in a NUL byte that its length does not count.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"

struct buf {
	char *data; /* NULL until something is appended */
	size_t len;
	size_t capacity;
	size_t max;
	bool failed;
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_fini(struct buf *buf);

static inline void owned_release_buf(struct buf *buf)
{
	buf_fini(buf);
}

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_char(struct buf *buf, char c);
void buf_add_str(struct buf *buf, const char *str);
void buf_add_span(struct buf *buf, struct span span);
void buf_addf(struct buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *buf, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Makes room for `len` more bytes at once, where much is known to come. */
void buf_reserve(struct buf *buf, size_t len);

/* Empties it and forgets a failure; the memory is kept. */
void buf_clear(struct buf *buf);

/* Shortens it to `len`, which is at most its length. */
void buf_cut(struct buf *buf, size_t len);

/* What it holds, borrowed until the next append. */
struct span buf_span(const struct buf *buf);
/* The same as a C string, "" when empty. */
const char *buf_str(const struct buf *buf);

/*
 * The end: gives the content as a string that the caller owns and leaves the
 * buf empty. Fails with ERROR_LIMIT ("WHAT is longer than N bytes") if the
 * maximum was passed.
 */
MUST_CHECK int buf_finish(struct buf *buf, const char *what, char **ret_str,
                          struct error *err);
