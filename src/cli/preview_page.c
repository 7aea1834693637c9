#include "preview_private.h"

#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "digest/lint.h"

/* What asks for the reader's scheme, and what is always and never so. */
#define ASKS_DARK "prefers-color-scheme: dark"
#define ALWAYS "min-width: 0"
#define NEVER "max-width: 0"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<style>\n"
	"body{margin:32px;background:#e7eaee;color:#1f2328;"
	"font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:22px;margin:0 0 16px}\n"
	"h2{font-size:14px;margin:32px 0 8px}\n"
	".row{display:flex;flex-wrap:wrap;gap:24px}\n"
	"figure{margin:0}\n"
	"figcaption{font-size:13px;color:#59636e;margin:0 0 6px}\n"
	"iframe{height:860px;border:0;border-radius:6px;"
	"box-shadow:0 1px 4px rgba(0,0,0,.2)}\n"
	"pre{margin:0;padding:20px;background:#fff;border-radius:6px;"
	"font:13px/1.5 ui-monospace,monospace;overflow:auto}\n"
	".text{width:72ch}\n"
	".headers{white-space:pre-wrap;word-break:break-all}\n"
	"</style>\n";

static const struct frame {
	int width_px;
	const char *scheme;
	const char *media;
} frames[] = {
	{640, "light", NEVER},
	{360, "light", NEVER},
	{640, "dark", ALWAYS},
	{360, "dark", ALWAYS},
};

/* The mail with its media query for the dark decided; only in its head. */
static void add_mail(struct buf *out, struct span html, const char *media)
{
	struct span style = span_first(html, span_find(html, "</style>"));
	size_t place;

	for (place = span_find(style, ASKS_DARK); place < style.len;
	     place = span_find(style, ASKS_DARK)) {
		buf_add_html(out, span_first(html, place));
		buf_add_str(out, media);
		html = span_skip(html, place + strlen(ASKS_DARK));
		style = span_skip(style, place + strlen(ASKS_DARK));
	}
	buf_add_html(out, html);
}

/* No scripts, no forms: what the mail holds is others' text. */
static void add_frame(struct buf *out, const struct frame *frame,
                      struct span html)
{
	buf_addf(out,
	         "<figure><figcaption>%d px, %s</figcaption>\n"
	         "<iframe title=\"%d px, %s\" sandbox=\"allow-popups\" "
	         "width=\"%d\" style=\"color-scheme:%s\" srcdoc=\"",
	         frame->width_px, frame->scheme, frame->width_px, frame->scheme,
	         frame->width_px, frame->scheme);
	add_mail(out, html, frame->media);
	buf_add_str(out, "\"></iframe></figure>\n");
}

static void add_pre(struct buf *out, const char *title, const char *class,
                    struct span text)
{
	buf_addf(out, "<h2>%s</h2>\n<pre class=\"%s\">", title, class);
	buf_add_html(out, text);
	buf_add_str(out, "</pre>\n");
}

static void add_lint(struct buf *out, const struct digest_parts *parts)
{
	owned(strings) struct strings problems = {0};

	digest_lint(parts->html, parts->text, &problems);
	buf_addf(out, "<h2>Lint</h2>\n<p>%zu bytes of HTML as sent.</p>\n<ul>",
	         digest_encoded_len(parts->html));
	for (size_t i = 0; i < problems.n; i++) {
		buf_add_str(out, "<li>");
		buf_add_html(out, span_of(problems.items[i]));
		buf_add_str(out, "</li>\n");
	}
	buf_add_str(out,
	            problems.n == 0 ? "<li>Nothing to complain of.</li>" : "");
	buf_add_str(out, "</ul>\n");
}

void preview_page(struct buf *out, const struct digest_parts *parts,
                  struct span headers)
{
	buf_add_str(out, head);
	buf_add_str(out, "<title>");
	buf_add_html(out, span_of(parts->subject));
	buf_add_str(out, "</title>\n</head>\n<body>\n<h1>");
	buf_add_html(out, span_of(parts->subject));
	buf_add_str(out, "</h1>\n<div class=\"row\">\n");
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++)
		add_frame(out, &frames[i], span_of(parts->html));
	buf_add_str(out, "</div>\n");
	add_lint(out, parts);
	add_pre(out, "Text part", "text", span_of(parts->text));
	add_pre(out, "Headers", "headers", headers);
	buf_add_str(out, "</body>\n</html>\n");
}
