#include "text/text.h"

/* arXiv's whole abstracts have 1920 characters. */
#define MAX_MATH 2048

/* Where `end` stands first in `text` without a backslash before it. */
static size_t find_unescaped(struct span text, const char *end)
{
	size_t i = 0;

	/* Quick where there is none at all: a text may try this often. */
	if (span_find(text, end) == text.len)
		return text.len;
	while (i < text.len) {
		struct span rest = span_skip(text, i);

		if (rest.ptr[0] == end[0] && span_starts(rest, end))
			return i;
		i += rest.ptr[0] == '\\' ? 2 : 1;
	}
	return text.len;
}

size_t text_math_len(struct span text)
{
	static const struct {
		const char *begin;
		const char *end;
	} shapes[] = {{"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};

	/* This is asked at every character of a text. */
	if (text.len == 0 || (text.ptr[0] != '$' && text.ptr[0] != '\\'))
		return 0;
	text = span_first(text, MAX_MATH);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		size_t len = strlen(shapes[i].begin);
		size_t end;

		if (!span_starts(text, shapes[i].begin))
			continue;
		end = find_unescaped(span_skip(text, len), shapes[i].end);
		return len + end < text.len ? len + end + len : 0;
	}
	return 0;
}
