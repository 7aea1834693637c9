#pragma once

/*
 * Text as people read it. Pure functions on UTF-8: TeX accents and special
 * letters to Unicode, cleaning, folding, sentences, cutting.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

/*
 * Appends `raw` as display text: TeX accents and special letters converted
 * (text_add_tex), invalid UTF-8 as U+FFFD, controls and line ends as blanks,
 * runs of blanks as one, both ends trimmed, NFC.
 */
void text_add_display(struct buf *out, struct span raw);

/*
 * Appends `tex` with TeX's accents (\"u, \v{s}, {\'\i}, \c c …) and special
 * letters (\ss, {\AA}, \l, \o, \i …) as Unicode letters. What is not
 * understood stands as it was, math ($…$) and everything else included.
 */
void text_add_tex(struct buf *out, struct span tex);

/*
 * Appends `text` folded for comparison: case folded, accents and other
 * combining marks removed (ø, ł, đ, ß, æ, œ, þ as o, l, d, ss, ae, oe, th),
 * compatibility forms (ligatures, full width, superscripts) as plain ones.
 */
void text_add_folded(struct buf *out, struct span text);

/*
 * The first sentence of a one-line `text`: ends after . ! ? (or 。！？) that
 * is followed by a blank and no lower-case letter, and is not part of an
 * abbreviation (e.g., i.e., et al., Fig., initials, numbers), nor inside
 * $…$ or brackets. All of the text if there is no other end.
 */
struct span text_first_sentence(struct span text);

/*
 * The longest beginning of `text` that is at most `max_chars` characters and
 * ends at a blank (or between CJK characters), not inside $…$; all of it if
 * it fits. Never cuts a character or a combining sequence.
 */
struct span text_cut(struct span text, size_t max_chars);

/* Columns on a terminal: CJK and other wide characters count two. */
size_t text_width(struct span text);

/*
 * Appends `text` in lines of at most `columns`, broken at blanks (or between
 * CJK characters), each line begun with `indent` (part of the width). A word
 * that is longer stands alone on its line.
 */
void text_add_wrapped(struct buf *out, struct span text, size_t columns,
                      const char *indent);
