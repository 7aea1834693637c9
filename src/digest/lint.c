#include "digest/lint.h"

#include <ctype.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/quoted.h"
#include "text/text.h"

#include "digest_private.h"

/* Gmail shows no more of a message. */
#define GMAIL_BYTES 102000U
#define TEXT_COLUMNS 72U
/* As much of what is wrong is shown. */
#define EXCERPT_CHARS 40U

__attribute__((format(printf, 2, 3))) static void
complain(struct strings *problems, const char *fmt, ...)
{
	owned(buf) struct buf line = BUF_INIT(LIMIT_KIB);
	va_list args;

	va_start(args, fmt);
	buf_addv(&line, fmt, args);
	va_end(args);
	strings_add(problems, buf_span(&line));
}

size_t digest_encoded_len(const char *text)
{
	owned(buf) struct buf quoted = BUF_INIT(SIZE_MAX / 2);

	buf_add_quoted(&quoted, span_of(text));
	return cache_encoded_len(cache_cost(span_of(text), buf_span(&quoted)));
}

static void check_size(const char *html, struct strings *problems)
{
	size_t len = digest_encoded_len(html);

	if (len > GMAIL_BYTES)
		complain(problems,
		         "size: %zu bytes of HTML; Gmail cuts at 102 KB", len);
}

/* ---- tags ---- */

/* The tag or comment that `html` begins with, or SPAN_NONE. */
static struct span read_tag(struct span html)
{
	size_t len;

	if (!span_starts(html, "<"))
		return SPAN_NONE;
	if (span_starts(html, "<!--"))
		len = span_find(html, "-->") + strlen("-->");
	else if (html.len > 1 && (isalpha((unsigned char)html.ptr[1]) ||
	                          html.ptr[1] == '/' || html.ptr[1] == '!'))
		len = span_find(html, ">") + 1;
	else
		return SPAN_NONE;
	return len <= html.len ? span_first(html, len) : SPAN_NONE;
}

/* "&amp;", "&#38;": a name or number and a semicolon. */
static bool is_reference(struct span html)
{
	size_t i = 1;

	if (i < html.len && html.ptr[i] == '#')
		i++;
	while (i < html.len && isalnum((unsigned char)html.ptr[i]))
		i++;
	return i > 1 && i < html.len && html.ptr[i] == ';';
}

/* Where the next character is that text may not have, or the end. */
static size_t find_bare(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		struct span rest = span_skip(text, i);

		if (text.ptr[i] == '<' || text.ptr[i] == '>' ||
		    (text.ptr[i] == '&' && !is_reference(rest)))
			return i;
	}
	return text.len;
}

struct walk {
	struct strings *problems;
	bool in_link;
	bool has_words; /* the link that is open */
	struct span link;
};

static void see_text(struct walk *walk, struct span text)
{
	size_t bare = find_bare(text);
	struct span shown = text_cut(span_skip(text, bare), EXCERPT_CHARS);

	walk->has_words |= value_trim(text).len > 0;
	if (bare < text.len)
		complain(walk->problems, "unescaped text: %.*s", (int)shown.len,
		         shown.ptr);
}

static void end_link(struct walk *walk)
{
	if (walk->in_link && !walk->has_words)
		complain(walk->problems, "a link without text: %.*s",
		         (int)walk->link.len, walk->link.ptr);
	walk->in_link = false;
}

static void see_tag(struct walk *walk, struct span tag)
{
	if (span_starts(tag, "<html") && span_find(tag, " lang=\"") == tag.len)
		complain(walk->problems, "the page has no lang");
	if (span_starts(tag, "</a>"))
		end_link(walk);
	if (!span_starts(tag, "<a ") && !span_starts(tag, "<a>"))
		return;
	end_link(walk);
	walk->in_link = true;
	walk->has_words = false;
	walk->link = text_cut(tag, 2 * EXCERPT_CHARS);
	if (span_find(tag, " href=\"") == tag.len ||
	    span_find(tag, " href=\"\"") < tag.len)
		complain(walk->problems, "a link without a target: %.*s",
		         (int)walk->link.len, walk->link.ptr);
}

static void check_tags(struct span html, struct strings *problems)
{
	struct walk walk = {.problems = problems};

	while (html.len > 0) {
		struct span tag = read_tag(html);
		size_t len = tag.len;

		if (span_starts(tag, "<style"))
			len = span_find(html, "</style>");
		if (len > 0) {
			see_tag(&walk, tag);
		} else {
			/* A `<` that begins no tag is text. */
			len = 1 + span_find(span_skip(html, 1), "<");
			see_text(&walk, span_first(html, len));
		}
		html = span_skip(html, len);
	}
	end_link(&walk);
}

/* ---- lines ---- */

/* A single long word cannot be wrapped. */
static void check_lines(struct span text, struct strings *problems)
{
	struct span line;

	while (span_split(&text, '\n', &line)) {
		struct span words = value_trim(line);

		if (text_width(line) <= TEXT_COLUMNS ||
		    span_find(words, " ") == words.len)
			continue;
		words = text_cut(words, EXCERPT_CHARS);
		complain(problems, "a line of %zu columns in the text: %.*s",
		         text_width(line), (int)words.len, words.ptr);
	}
}

void digest_lint(const char *html, const char *text, struct strings *problems)
{
	check_size(html, problems);
	check_tags(span_of(html), problems);
	check_lines(span_of(text), problems);
}
