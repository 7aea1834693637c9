#include <ctype.h>

#include <libxml/HTMLparser.h>

#include "base/utf8.h"
#include "feed/parser.h"
#include "feed_private.h"

/* The longest name of HTML 4 is "thetasym"; &#x0010FFFF; is longer. */
#define REFERENCE_MAX 12

/* A number in base 10 or 16, all of `digits`; false if it is none. */
static bool parse_digits(struct span digits, unsigned base, uint32_t *ret_value)
{
	uint32_t value = 0;

	if (digits.len == 0 || digits.len > 8)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		int c = tolower((unsigned char)digits.ptr[i]);

		if (isdigit(c))
			value = value * base + (uint32_t)(c - '0');
		else if (base == 16 && isxdigit(c))
			value = value * base + (uint32_t)(c - 'a') + 10;
		else
			return false;
	}
	*ret_value = value;
	return true;
}

static bool parse_number(struct span name, uint32_t *ret_character)
{
	if (span_starts(name, "#x") || span_starts(name, "#X"))
		return parse_digits(span_skip(name, 2), 16, ret_character);
	return parse_digits(span_skip(name, 1), 10, ret_character);
}

static bool find_entity(struct span name, uint32_t *ret_character)
{
	xmlChar terminated[REFERENCE_MAX + 1] = {0};
	const htmlEntityDesc *entity;

	memcpy(terminated, name.ptr, name.len);
	entity = htmlEntityLookup(terminated);
	if (!entity)
		return false;
	*ret_character = entity->value;
	return true;
}

/* Takes "&name;" off *rest, or the "&" alone if it is no reference. */
static void take_reference(struct span *rest, struct buf *out)
{
	struct span name = span_skip(*rest, 1);
	uint32_t character;

	name = span_first(name,
	                  span_find(span_first(name, REFERENCE_MAX + 1), ";"));
	if (name.len > 0 && name.len <= REFERENCE_MAX &&
	    name.len + 1 < rest->len && rest->ptr[name.len + 1] == ';' &&
	    (name.ptr[0] == '#' ? parse_number(name, &character)
	                        : find_entity(name, &character))) {
		utf8_add(out, character);
		*rest = span_skip(*rest, name.len + 2);
	} else {
		buf_add_char(out, '&');
		*rest = span_skip(*rest, 1);
	}
}

static bool is_tag(struct span rest)
{
	return rest.len > 1 && rest.ptr[0] == '<' &&
	       (isalpha((unsigned char)rest.ptr[1]) || rest.ptr[1] == '/' ||
	        rest.ptr[1] == '!');
}

static bool breaks_line(struct span tag)
{
	return span_starts(tag, "<p") || span_starts(tag, "</p") ||
	       span_starts(tag, "<br");
}

/* How much of `html` may hold tags: up to its last '>'. */
static const char *end_of_tags(struct span html)
{
	const char *last = html.len ? memrchr(html.ptr, '>', html.len) : NULL;

	return last ? last : html.ptr;
}

void html_add_text(struct buf *out, struct span html)
{
	const char *tags_end = end_of_tags(html);

	while (html.len > 0) {
		if (html.ptr[0] == '&') {
			take_reference(&html, out);
		} else if (html.ptr < tags_end && is_tag(html)) {
			if (breaks_line(html))
				buf_add_char(out, '\n');
			html = span_skip(html, span_find(html, ">") + 1);
		} else {
			buf_add_char(out, html.ptr[0]);
			html = span_skip(html, 1);
		}
	}
}

void feed_parser_add_library(struct buf *out)
{
	buf_add_str(out, "libxml2 " LIBXML_DOTTED_VERSION);
}
