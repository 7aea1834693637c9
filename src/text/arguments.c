/* Commands whose arguments are text, in prose and in formulas alike. */

#include "text_private.h"

bool text_read_group(struct span *rest, struct span *ret_inside)
{
	struct span after = *rest;
	size_t len;

	while (after.len > 0 && after.ptr[0] == ' ')
		after = span_skip(after, 1);
	len = text_measure_group(after);
	if (len == 0)
		return false;
	*ret_inside = (struct span){after.ptr + 1, len - 2};
	*rest = span_skip(after, len);
	return true;
}

/* \href{URL}{text}: the URL alone where the text says the same. */
static bool read_link(struct buf *out, struct span *rest, unsigned depth)
{
	owned(buf) struct buf url = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf text = BUF_INIT(SIZE_MAX);
	struct span inside_url;
	struct span inside_text;

	if (!text_read_group(rest, &inside_url))
		return false;
	if (!text_read_group(rest, &inside_text))
		inside_text = SPAN_NONE;
	text_add_tex_at(&url, span_trim(inside_url), depth);
	text_add_tex_at(&text, span_trim(inside_text), depth);
	if (span_find(buf_span(&url), buf_str(&text)) < url.len)
		buf_add_span(out, buf_span(&url));
	else
		buf_addf(out, "%s (%s)", buf_str(&text), buf_str(&url));
	return true;
}

/* \cite[p. 5]{key}: [key]. */
static bool read_citation(struct buf *out, struct span *rest)
{
	struct span keys;

	while (rest->len > 0 && rest->ptr[0] == '[') {
		size_t end = span_find(*rest, "]");

		if (end == rest->len)
			return false;
		*rest = span_skip(*rest, end + 1);
	}
	if (!text_read_group(rest, &keys))
		return false;
	buf_add_char(out, '[');
	buf_add_span(out, keys);
	buf_add_char(out, ']');
	return true;
}

static bool read_text(struct buf *out, struct span *rest, unsigned depth,
                      const char *before, const char *after)
{
	struct span inside;

	if (!text_read_group(rest, &inside))
		return false;
	buf_add_str(out, before);
	text_add_tex_at(out, inside, depth);
	buf_add_str(out, after);
	return true;
}

static bool read_script(struct buf *out, struct span *rest, bool raised,
                        unsigned depth)
{
	owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

	if (!read_text(&text, rest, depth, "", ""))
		return false;
	if (!text_add_script(out, buf_span(&text), raised))
		buf_add_span(out, buf_span(&text));
	return true;
}

static bool read_any(struct buf *out, struct span *rest,
                     const struct tex_command *command, unsigned depth)
{
	struct span skipped;

	switch (command->kind) {
	case COMMAND_TEXT:
	case COMMAND_URL:
		return read_text(out, rest, depth, "", "");
	case COMMAND_FOOTNOTE:
		return read_text(out, rest, depth, " (", ")");
	case COMMAND_CITATION:
		return read_citation(out, rest);
	case COMMAND_LINK:
		return read_link(out, rest, depth);
	case COMMAND_RAISED:
	case COMMAND_LOWERED:
		return read_script(out, rest, command->kind == COMMAND_RAISED,
		                   depth);
	case COMMAND_SKIPPED:
		return text_read_group(rest, &skipped);
	case COMMAND_COLOURED:
	case COMMAND_SECOND:
		return text_read_group(rest, &skipped) &&
		       read_text(out, rest, depth, "", "");
	default:
		return false;
	}
}

bool text_read_arguments(struct buf *out, struct span *rest,
                         const struct tex_command *command, unsigned depth)
{
	struct span after = *rest;
	size_t start = out->len;

	if (depth >= TEXT_MAX_DEPTH ||
	    !read_any(out, &after, command, depth + 1)) {
		if (out->len > start)
			buf_cut(out, start);
		return false;
	}
	*rest = after;
	return true;
}
