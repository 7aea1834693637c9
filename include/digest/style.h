#pragma once

/*
 * A style sheet whose rules move into style attributes, because Gmail and
 * others ignore or drop what stands in the head.
 *
 * Selectors are `element`, `.class` and `element.class`, in lists; what a
 * later or more exact rule says counts. What begins with @ (media queries)
 * stays for the head.
 */

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"

struct style;

/* Fails with "FILE:LINE: what". */
MUST_CHECK int style_parse(struct style **ret_style, const char *file,
                           struct span css, struct error *err);
void style_free(struct style *style);

OWNED_DEFINE(style, struct style, style_free);

/* The @-rules as they stand. */
struct span style_head(const struct style *style);

/*
 * Appends `html` with the rules in style attributes; a tag's own style
 * attribute comes last. Numeric references to ASCII punctuation that HTML
 * does not need become the characters: Markdown's escaping in raw HTML is
 * five bytes for one.
 */
void style_inline(struct buf *out, const struct style *style, struct span html);
