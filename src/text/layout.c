#include "text_private.h"

#include <glib.h>

#include "base/utf8.h"

static size_t measure_character(uint32_t character)
{
	if (g_unichar_iszerowidth(character))
		return 0;
	return g_unichar_iswide(character) ? 2 : 1;
}

size_t text_width(struct span text)
{
	size_t width = 0;

	while (text.len > 0) {
		uint32_t character = utf8_next(&text);

		width += character < 0x80 ? 1 : measure_character(character);
	}
	return width;
}

static bool is_opening(uint32_t character)
{
	GUnicodeType type = g_unichar_type(character);

	return type == G_UNICODE_OPEN_PUNCTUATION ||
	       type == G_UNICODE_INITIAL_PUNCTUATION;
}

static bool starts_line(uint32_t character)
{
	return is_opening(character) || text_kind(character) == TEXT_LETTER ||
	       text_kind(character) == TEXT_IDEOGRAPH;
}

/* Han, kana and the punctuation that goes with them. */
static bool is_wide(uint32_t character)
{
	return character >= 0x80 && g_unichar_iswide(character);
}

bool text_may_break(uint32_t before, uint32_t after)
{
	return (is_wide(before) || is_wide(after)) && !is_opening(before) &&
	       starts_line(after);
}

/* A character that begins no math and that no mark follows: most do. */
static bool is_alone(struct span text)
{
	unsigned char first = (unsigned char)text.ptr[0];

	return first < 0x80 && first != '$' && first != '\\' &&
	       (text.len == 1 || (unsigned char)text.ptr[1] < 0x80);
}

struct span text_next_unit(struct span *rest, uint32_t *ret_first,
                           size_t *ret_n_chars)
{
	struct span unit = *rest;
	struct span left;
	size_t n = 0;
	size_t len;

	if (is_alone(unit)) {
		*ret_first = (unsigned char)unit.ptr[0];
		*ret_n_chars = 1;
		*rest = span_skip(unit, 1);
		return span_first(unit, 1);
	}
	len = text_math_len(unit);
	*ret_first = utf8_next(rest);
	if (len > 0) {
		*rest = span_skip(unit, len);
	} else {
		struct span after = *rest;

		while (after.len > 0 &&
		       text_kind(utf8_next(&after)) == TEXT_MARK)
			*rest = after;
	}
	unit.len -= rest->len;

	for (left = unit; left.len > 0;)
		n += text_kind(utf8_next(&left)) != TEXT_MARK;
	*ret_n_chars = n > 0 ? n : 1;
	return unit;
}

struct span text_cut(struct span text, size_t max_chars)
{
	struct span rest = text;
	uint32_t before = ' ';
	size_t n_chars = 0;
	size_t at_blank = 0;
	size_t anywhere = 0;

	while (rest.len > 0) {
		size_t at = text.len - rest.len;
		uint32_t first;
		size_t n;

		text_next_unit(&rest, &first, &n);
		if (first == ' ' ? before != ' '
		                 : text_may_break(before, first))
			at_blank = at;
		n_chars += n;
		if (n_chars > max_chars)
			return span_first(text, at_blank ? at_blank : anywhere);
		anywhere = text.len - rest.len;
		before = first;
	}
	return text;
}

static bool is_blank(uint32_t character)
{
	return character == ' ' || ((character < '!' || character > '~') &&
	                            utf8_is_blank(character));
}

/* Takes ASCII up to a blank or to what needs a closer look off *rest. */
static uint32_t take_plain(struct span *rest, uint32_t before)
{
	while (rest->len > 0 && before < 0x80 && is_alone(*rest) &&
	       !is_blank((unsigned char)*rest->ptr)) {
		before = (unsigned char)*rest->ptr;
		*rest = span_skip(*rest, 1);
	}
	return before;
}

/* A word, or as much of one as must stay together, off *rest. */
static struct span take_piece(struct span *rest)
{
	struct span piece = *rest;
	uint32_t before = 0;

	for (;;) {
		struct span after;
		uint32_t first;
		size_t n;

		before = take_plain(rest, before);
		if (rest->len == 0)
			break;
		after = *rest;
		text_next_unit(&after, &first, &n);
		if (is_blank(first) ||
		    (before && text_may_break(before, first)))
			break;
		before = first;
		*rest = after;
	}
	piece.len -= rest->len;
	return piece;
}

static bool skip_blanks(struct span *rest)
{
	bool skipped = false;

	while (rest->len > 0) {
		struct span after = *rest;

		if (!is_blank(utf8_next(&after)))
			break;
		*rest = after;
		skipped = true;
	}
	return skipped;
}

void text_add_wrapped(struct buf *out, struct span text, size_t columns,
                      const char *indent)
{
	size_t indent_width = text_width(span_of(indent));
	size_t used = 0; /* 0: nothing stands on the line yet */

	skip_blanks(&text);
	while (text.len > 0) {
		struct span piece = take_piece(&text);
		size_t width = text_width(piece);
		bool blank = skip_blanks(&text);

		if (used > 0 && used + width > columns) {
			/* The blank before the break goes with it. */
			if (out->data[out->len - 1] == ' ')
				buf_cut(out, out->len - 1);
			buf_add_char(out, '\n');
			used = 0;
		}
		if (used == 0) {
			buf_add_str(out, indent);
			used = indent_width;
		}
		buf_add_span(out, piece);
		used += width;
		if (blank && text.len > 0) {
			buf_add_char(out, ' ');
			used++;
		}
	}
}
