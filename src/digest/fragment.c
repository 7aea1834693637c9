#include <stdlib.h>

#include <cmark.h>

#include "base/limits.h"
#include "base/mem.h"
#include "text/text.h"

#include "digest_private.h"

#define TEXT_COLUMNS 72

static const struct {
	enum template_id template;
	enum values_format format;
} kinds[FRAGMENTS] = {
	[FRAGMENT_HTML_FULL] = {TEMPLATE_PAPER_MD, VALUES_MARKDOWN},
	[FRAGMENT_HTML_LINE] = {TEMPLATE_LINE_MD, VALUES_MARKDOWN},
	[FRAGMENT_TEXT_FULL] = {TEMPLATE_PAPER_TXT, VALUES_PLAIN},
	[FRAGMENT_TEXT_LINE] = {TEMPLATE_LINE_TXT, VALUES_PLAIN},
};

/* ---- lines ---- */

/* A line that is too long goes on with the same indentation. */
static void add_wrapped_line(struct buf *out, struct span line)
{
	size_t blanks = 0;

	if (line.len <= TEXT_COLUMNS || text_width(line) <= TEXT_COLUMNS) {
		buf_add_span(out, line);
		return;
	}
	while (blanks < line.len && line.ptr[blanks] == ' ')
		blanks++;

	owned(mem) char *indent = mem_dup_span(span_first(line, blanks));

	text_add_wrapped(out, span_skip(line, blanks), TEXT_COLUMNS, indent);
}

void fragment_add_wrapped(struct buf *out, struct span text)
{
	while (text.len > 0) {
		struct span line = span_first(text, span_find(text, "\n"));

		add_wrapped_line(out, line);
		text = span_skip(text, line.len);
		if (text.len > 0) {
			buf_add_char(out, '\n');
			text = span_skip(text, 1);
		}
	}
}

/* ---- papers ---- */

int fragment_html(char **ret_html, const struct mustache *template,
                  const struct mustache_scope *scope, struct error *err)
{
	owned(buf) struct buf source = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(mem) char *markdown = NULL;
	size_t len;

	if (mustache_render(&source, template, scope, err) < 0)
		return -1;
	len = source.len;
	if (buf_finish(&source, "a digest's Markdown", &markdown, err) < 0)
		return -1;
	*ret_html = cmark_markdown_to_html(markdown, len, CMARK_OPT_UNSAFE);
	return 0;
}

static int render_html(struct buf *out,
                       const struct digest_templates *templates,
                       const struct mustache *template,
                       const struct mustache_scope *scope, struct error *err)
{
	owned(mem) char *html = NULL;

	if (fragment_html(&html, template, scope, err) < 0)
		return -1;
	style_inline(out, templates->style, span_of(html));
	return 0;
}

static int render_text(struct buf *out, const struct mustache *template,
                       const struct mustache_scope *scope, struct error *err)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_FRAGMENT_BYTES);

	if (mustache_render(&text, template, scope, err) < 0)
		return -1;
	fragment_add_wrapped(out, buf_span(&text));
	out->failed |= text.failed;
	return 0;
}

static int render(struct buf *out, const struct rendering *rendering,
                  size_t entry, enum fragment_kind kind, struct error *err)
{
	const struct digest_templates *templates = rendering->frame->templates;
	const struct mustache *template =
		templates->items[kinds[kind].template];
	owned(value) struct value paper = VALUE_MAP_INIT;
	const struct mustache_scope scope = {&paper, rendering->scope};

	if (values_add_paper(&paper, rendering->frame,
	                     &rendering->digest->entries[entry],
	                     kinds[kind].format, err) < 0)
		return -1;
	if (kinds[kind].format == VALUES_PLAIN)
		return render_text(out, template, &scope, err);
	return render_html(out, templates, template, &scope, err);
}

int fragment_make(const struct fragment **ret_fragment,
                  const struct rendering *rendering, size_t entry,
                  enum fragment_kind kind, struct error *err)
{
	struct cached *cached = rendering->cached[entry];
	const struct fragment *known = cache_fragment(cached, kind);
	owned(buf) struct buf out = BUF_INIT(LIMIT_FRAGMENT_BYTES);

	if (!known) {
		if (render(&out, rendering, entry, kind, err) < 0)
			return -1;
		if (out.failed)
			return error_set(err, ERROR_LIMIT,
			                 "a paper is longer than %u bytes",
			                 LIMIT_FRAGMENT_BYTES);
		known = cache_keep(rendering->cache, cached, kind,
		                   buf_span(&out));
	}
	*ret_fragment = known;
	return 0;
}
