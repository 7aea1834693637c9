#include "text/text.h"

#include <glib.h>

#include "base/utf8.h"

/* The stream-safe limit of UAX #15: no language comes near it. */
#define MAX_MARKS 30

/* How many bytes of plain ASCII `text` begins with. */
static size_t measure_ascii(struct span text)
{
	size_t n = 0;

	while (n < text.len && text.ptr[n] >= ' ' && text.ptr[n] < 0x7F)
		n++;
	return n;
}

/* Valid characters without controls, no more than MAX_MARKS in a pile. */
static void add_clean(struct buf *out, struct span raw)
{
	size_t n_marks = 0;

	while (raw.len > 0) {
		size_t n_ascii = measure_ascii(raw);
		uint32_t character;
		enum text_kind kind;

		if (n_ascii > 0) {
			buf_add_span(out, span_first(raw, n_ascii));
			raw = span_skip(raw, n_ascii);
			n_marks = 0;
			continue;
		}
		character = utf8_next(&raw);
		kind = text_kind(character);
		if (kind != TEXT_BLANK && utf8_is_control(character))
			continue;
		n_marks = kind == TEXT_MARK ? n_marks + 1 : 0;
		if (n_marks <= MAX_MARKS)
			utf8_add(out, kind == TEXT_BLANK ? ' ' : character);
	}
}

/*
 * Is it NFC at a glance? Below U+0300 everything is, and so are dashes and
 * quotes; that is nearly all there is in papers.
 */
static bool is_normal(struct span text)
{
	while (text.len > 0) {
		size_t n_ascii = measure_ascii(text);
		uint32_t character;

		text = span_skip(text, n_ascii);
		if (text.len == 0)
			break;
		character = utf8_next(&text);
		if (character >= 0x0300 &&
		    (character < 0x2010 || character > 0x2027))
			return false;
	}
	return true;
}

static void add_one_blank_each(struct buf *out, struct span text)
{
	text = span_trim(text);
	while (text.len > 0) {
		size_t n = span_find(text, "  ");

		buf_add_span(out, span_first(text, n + 1));
		text = span_skip(text, n + 1 < text.len ? n + 1 : text.len);
		while (text.len > 0 && text.ptr[0] == ' ')
			text = span_skip(text, 1);
	}
}

static void add_normal(struct buf *out, struct span text)
{
	char *normal;

	if (is_normal(text)) {
		add_one_blank_each(out, text);
		return;
	}
	normal = g_utf8_normalize(text.ptr, (gssize)text.len, G_NORMALIZE_NFC);
	add_one_blank_each(out, normal ? span_of(normal) : text);
	g_free(normal);
}

void text_add_display(struct buf *out, struct span raw)
{
	owned(buf) struct buf clean = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf plain = BUF_INIT(SIZE_MAX);

	add_clean(&clean, raw);
	text_add_tex(&plain, buf_span(&clean));
	add_normal(out, buf_span(&plain));
}
