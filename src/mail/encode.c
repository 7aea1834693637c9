#include "encode_private.h"

#include <gmime/gmime.h>

#include "base/mem.h"
#include "base/utf8.h"

static bool is_line_end(struct span text)
{
	return text.len > 0 && (*text.ptr == '\n' || *text.ptr == '\r');
}

/* Valid UTF-8 with CRLF at each line's end, also the last. */
static void add_canonical(struct buf *out, struct span text)
{
	while (text.len > 0) {
		if (is_line_end(text)) {
			text = span_skip(text,
			                 span_starts(text, "\r\n") ? 2 : 1);
			buf_add_str(out, "\r\n");
		} else {
			utf8_add(out, utf8_next(&text));
		}
	}
	if (!span_ends(buf_span(out), "\r\n"))
		buf_add_str(out, "\r\n");
}

static void add_crlf(struct buf *out, struct span text)
{
	struct span line;

	while (span_split(&text, '\n', &line) && text.ptr) {
		buf_add_span(out, line);
		buf_add_str(out, "\r\n");
	}
}

void mail_add_base64(struct buf *out, struct span text)
{
	owned(buf) struct buf canonical = BUF_INIT(SIZE_MAX / 2);
	owned(mem) char *encoded = NULL;
	GMimeEncoding state;
	size_t len;

	add_canonical(&canonical, text);
	g_mime_encoding_init_encode(&state, GMIME_CONTENT_ENCODING_BASE64);
	encoded = mem_new(g_mime_encoding_outlen(&state, canonical.len));
	len = g_mime_encoding_flush(&state, canonical.data, canonical.len,
	                            encoded);
	add_crlf(out, (struct span){encoded, len});
}

size_t mail_base64_least(struct span text)
{
	size_t len = (text.len + 2) / 3 * 4;

	return len + len / 76 * 2;
}
