#include "text/text.h"

#include <glib.h>

#include "base/utf8.h"

/* The stream-safe limit of UAX #15: no language comes near it. */
#define MAX_MARKS 30

/* Valid characters without controls, no more than MAX_MARKS in a pile. */
static void add_clean(struct buf *out, struct span raw)
{
	size_t n_marks = 0;

	while (raw.len > 0) {
		uint32_t character = utf8_next(&raw);
		enum text_kind kind = text_kind(character);

		if (kind != TEXT_BLANK && utf8_is_control(character))
			continue;
		n_marks = kind == TEXT_MARK ? n_marks + 1 : 0;
		if (n_marks <= MAX_MARKS)
			utf8_add(out, kind == TEXT_BLANK ? ' ' : character);
	}
}

static void add_one_blank_each(struct buf *out, struct span text)
{
	bool blank = false;

	for (text = span_trim(text); text.len > 0; text = span_skip(text, 1)) {
		if (text.ptr[0] == ' ' && blank)
			continue;
		blank = text.ptr[0] == ' ';
		buf_add_char(out, text.ptr[0]);
	}
}

void text_add_display(struct buf *out, struct span raw)
{
	owned(buf) struct buf clean = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf plain = BUF_INIT(SIZE_MAX);
	char *normal;

	add_clean(&clean, raw);
	text_add_tex(&plain, buf_span(&clean));
	normal = g_utf8_normalize(buf_str(&plain), (gssize)plain.len,
	                          G_NORMALIZE_NFC);
	add_one_blank_each(out, normal ? span_of(normal) : buf_span(&plain));
	g_free(normal);
}
