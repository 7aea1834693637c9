#pragma once

/*
 * Escaping at the sink: foreign text enters a format only through the
 * function named after it. Broken UTF-8 becomes U+FFFD in all of them.
 */

#include "base/buf.h"

/* HTML text and quoted attribute values: & < > " ' as references. */
void buf_add_html(struct buf *buf, struct span text);

/*
 * Markdown (CommonMark 0.30, also inside its raw HTML): each ASCII
 * punctuation character as a numeric character reference, line ends and
 * control characters as blanks. The text must not be the whole of a line's
 * indentation: callers trim it.
 */
void buf_add_markdown(struct buf *buf, struct span text);

/* One URL component: all but RFC 3986's unreserved characters as %XX. */
void buf_add_url(struct buf *buf, struct span text);

/* A terminal or a log line: control, format and bidi characters as U+FFFD. */
void buf_add_terminal(struct buf *buf, struct span text);

/* A JSON string with its quotes (RFC 8259, section 7). */
void buf_add_json(struct buf *buf, struct span text);
