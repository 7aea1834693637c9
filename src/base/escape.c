#include "base/escape.h"

#include <ctype.h>

#include "base/utf8.h"

/* Its reference in HTML, or NULL if it stands for itself. */
static const char *html_reference(uint32_t character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void buf_add_html(struct buf *buf, struct span text)
{
	while (text.len > 0) {
		uint32_t character = utf8_next(&text);
		const char *reference = html_reference(character);

		if (reference)
			buf_add_str(buf, reference);
		else
			utf8_add(buf, character);
	}
}

/* ASCII letters, digits and blanks stand for themselves in Markdown. */
static size_t count_plain(struct span text)
{
	size_t n = 0;

	while (n < text.len && (text.ptr[n] == ' ' ||
	                        (text.ptr[n] >= 'a' && text.ptr[n] <= 'z') ||
	                        (text.ptr[n] >= 'A' && text.ptr[n] <= 'Z') ||
	                        (text.ptr[n] >= '0' && text.ptr[n] <= '9')))
		n++;
	return n;
}

void buf_add_markdown(struct buf *buf, struct span text)
{
	while (text.len > 0) {
		size_t n = count_plain(text);
		uint32_t character;

		buf_add(buf, text.ptr, n);
		text = span_skip(text, n);
		if (text.len == 0)
			return;
		character = utf8_next(&text);
		if (character < 0x80 && ispunct((int)character))
			buf_addf(buf, "&#%u;", (unsigned)character);
		else
			utf8_add(buf,
			         utf8_is_control(character) ? ' ' : character);
	}
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

void buf_add_url(struct buf *buf, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_unreserved(text.ptr[i]))
			buf_add_char(buf, text.ptr[i]);
		else
			buf_addf(buf, "%%%02X", (unsigned char)text.ptr[i]);
	}
}

void buf_add_terminal(struct buf *buf, struct span text)
{
	while (text.len > 0) {
		uint32_t character = utf8_next(&text);

		utf8_add(buf, utf8_is_control(character) ? UTF8_REPLACEMENT
		                                         : character);
	}
}

void buf_add_json(struct buf *buf, struct span text)
{
	buf_add_char(buf, '"');
	while (text.len > 0) {
		uint32_t character = utf8_next(&text);

		if (character == '"' || character == '\\')
			buf_addf(buf, "\\%c", (int)character);
		else if (character <= 0xFFFF && utf8_is_control(character))
			buf_addf(buf, "\\u%04x", (unsigned)character);
		else
			utf8_add(buf, character);
	}
	buf_add_char(buf, '"');
}
