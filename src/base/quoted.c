#include "base/quoted.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* A line has 76 columns; the last is for the = of a soft line break. */
#define QUOTED_COLUMNS 75

/* What stands for itself, blanks within a line included. */
static bool is_literal(char c)
{
	return (c >= ' ' && c <= '~' && c != '=') || c == '\t';
}

/* How many bytes at the start of `text` are literal, by eight at a time. */
static size_t count_literals(struct span text)
{
	const uint64_t ones = 0x0101010101010101U;
	const uint64_t tops = 0x80 * ones;
	size_t n = 0;

	for (; n + sizeof(uint64_t) <= text.len; n += sizeof(uint64_t)) {
		uint64_t word;
		uint64_t beyond;
		uint64_t equals;

		memcpy(&word, text.ptr + n, sizeof(word));
		equals = word ^ '=' * ones;
		/* The top bit of each byte below ' ', beyond '~', or '='. */
		beyond = ((word - ' ' * ones) & ~word) | (word + ones) | word |
		         ((equals - ones) & ~equals);
		if (beyond & tops)
			break;
	}
	while (n < text.len && is_literal(text.ptr[n]))
		n++;
	return n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_line_end(struct span text)
{
	return text.len == 0 || *text.ptr == '\n' || *text.ptr == '\r';
}

/* Makes room for what must not be torn apart. */
static void reserve(struct buf *out, size_t *column, size_t len)
{
	if (*column + len > QUOTED_COLUMNS) {
		buf_add_str(out, "=\r\n");
		*column = 0;
	}
	*column += len;
}

static void add_byte(struct buf *out, size_t *column, unsigned char byte)
{
	static const char digits[] = "0123456789ABCDEF";
	const char code[] = {'=', digits[byte >> 4], digits[byte & 0xF]};

	reserve(out, column, sizeof(code));
	buf_add(out, code, sizeof(code));
}

/* Takes as many literal characters as the line holds off *text. */
static void add_literals(struct buf *out, size_t *column, struct span *text)
{
	size_t len;

	reserve(out, column, 1);
	len = count_literals(span_first(*text, QUOTED_COLUMNS - *column + 1));
	/* A blank at a line's end would be lost: it is left for later. */
	if (len > 1 && is_blank(text->ptr[len - 1]) &&
	    is_line_end(span_skip(*text, len)))
		len--;
	buf_add(out, text->ptr, len);
	*column += len - 1;
	*text = span_skip(*text, len);
}

/* Takes a character off *text; a broken one counts as U+FFFD. */
static void add_character(struct buf *out, size_t *column, struct span *text)
{
	struct span bytes = *text;

	if (utf8_next(text) == UTF8_REPLACEMENT)
		bytes = span_of("\xEF\xBF\xBD");
	else
		bytes.len -= text->len;
	for (size_t i = 0; i < bytes.len; i++)
		add_byte(out, column, (unsigned char)bytes.ptr[i]);
}

void buf_add_quoted(struct buf *out, struct span text)
{
	size_t column = 0;

	while (text.len > 0) {

		if (is_line_end(text)) {
			text = span_skip(text,
			                 span_starts(text, "\r\n") ? 2 : 1);
			buf_add_str(out, "\r\n");
			column = 0;
		} else if (is_literal(*text.ptr) &&
		           !(is_blank(*text.ptr) &&
		             is_line_end(span_skip(text, 1)))) {
			add_literals(out, &column, &text);
		} else {
			add_character(out, &column, &text);
		}
	}
	if (column > 0)
		buf_add_str(out, "\r\n");
}
