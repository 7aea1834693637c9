#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void buf_fini(struct buf *buf)
{
	free(buf->data);
	*buf = BUF_INIT(buf->max);
}

/* Room for `len` more bytes and the NUL; false when the maximum is passed. */
static bool make_room(struct buf *buf, size_t len)
{
	if (buf->failed || len > buf->max - buf->len) {
		buf->failed = true;
		return false;
	}
	buf->data = mem_grow(buf->data, &buf->capacity, buf->len + len + 1, 1);
	return true;
}

void buf_reserve(struct buf *buf, size_t len)
{
	if (!buf->failed && len <= buf->max - buf->len)
		make_room(buf, len);
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (len == 0 || !make_room(buf, len))
		return;
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_add_str(struct buf *buf, const char *str)
{
	buf_add(buf, str, strlen(str));
}

void buf_add_span(struct buf *buf, struct span span)
{
	buf_add(buf, span.ptr, span.len);
}

void buf_addv(struct buf *buf, const char *fmt, va_list args)
{
	char small[256];
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(small, sizeof(small), fmt, args);
	if (len >= 0 && (size_t)len < sizeof(small)) {
		buf_add(buf, small, (size_t)len);
	} else if (len > 0 && make_room(buf, (size_t)len)) {
		vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_addv(buf, fmt, args);
	va_end(args);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_cut(struct buf *buf, size_t len)
{
	if (!buf->data || len >= buf->len)
		return;
	buf->len = len;
	buf->data[len] = '\0';
}

struct span buf_span(const struct buf *buf)
{
	return (struct span){buf->data, buf->len};
}

const char *buf_str(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

int buf_finish(struct buf *buf, const char *what, char **ret_str,
               struct error *err)
{
	if (buf->failed)
		return error_set(err, ERROR_LIMIT,
		                 "%s is longer than %zu bytes", what, buf->max);

	*ret_str = buf->data ? buf->data : mem_dup("");
	*buf = BUF_INIT(buf->max);
	return 0;
}
