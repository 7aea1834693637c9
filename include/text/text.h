#pragma once

/*
 * Text as people read it. Pure functions on UTF-8: TeX to Unicode, cleaning,
 * folding, sentences, cutting. Broken UTF-8 and NUL bytes are welcome
 * everywhere.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

/*
 * Appends `raw` as display text: TeX converted (text_add_tex), invalid UTF-8 as
 * U+FFFD, controls and line ends as blanks, invisible format characters left
 * out, runs of blanks as one, both ends trimmed, NFC. Of a pile of combining
 * marks on one letter 30 are kept (the stream-safe limit of UAX #15).
 */
void text_add_display(struct buf *out, struct span raw);

/*
 * Appends `tex` with what is TeX's notation for characters as these
 * characters. What is not understood stands as it was: a formula whole, a
 * command with its arguments.
 *
 * - Formulas (see text_math_len) without their $: what plain TeX, LaTeX, AMS
 *   and MathJax call by a name, accents and alphabets (\hat{x}, \mathbb R),
 *   \frac as a/b, \sqrt as √. Scripts are raised or lowered where Unicode has
 *   all their characters so (x², H₀, 10⁻³), else written as one types them:
 *   π_θ, e^(iωt). Blanks stay where they are meant, as in "a + b".
 * - Accents: \" \' \` \^ \~ \= \. directly before a letter or around {x};
 *   \u \v \H \c \k \r around {x}, or before a blank and a letter that exists
 *   with that accent in Unicode ("\c c"); \d \b around {x} only (papers make
 *   these their own: "\b attack"); \t{oo}. x is a letter, \i, \j, a special
 *   letter or another accent.
 * - Special letters: \ss \ae \AE \oe \OE \aa \AA \o \O \l \L \i \j \dh \DH
 *   \th \TH \dj \DJ \ng \NG, with the blanks or {} that end the command.
 * - In prose: \emph{x}, \textbf{x}, {\it x} and their like as x; \url{U} as U,
 *   \href{U}{x} as "x (U)", \cite{k} as [k]; symbols of formulas, with their
 *   scripts (5\sigma), but not before a { or inside a word.
 * - \& \% \_ \# \$ \{ \} as what they escape; "\ " and "\," as a blank.
 * - ``x'' as “x”; -- and --- as – and —, but not before an option's name
 *   (" --all"), in <!-- --> or in longer runs; a tie (Fig.~3) as a blank, but
 *   not between digits (20~30).
 * - Braces around a conversion alone ({\"u}, {\L}), and braces that only
 *   protect letters: around letters, digits, + and - alone, if they touch a
 *   letter, digit or hyphen outside ({B}ayes, {GPT}-4) or hold two characters
 *   or more and a capital ({BERT}). Never after a command, ^, _, } or ].
 *
 * In a URL only \& \% \_ \# \$ are converted.
 */
void text_add_tex(struct buf *out, struct span tex);

/*
 * The length of the formula at the start of `text` with its $…$, $$…$$, \(…\)
 * or \[…\]; 0 if there is none, it is not closed within 2048 bytes, or it is
 * about money: "$5 and $10".
 */
size_t text_math_len(struct span text);

/*
 * Appends `text` folded for comparison: lower case, accents and other
 * combining marks removed (ø, ł, đ, ß, æ, œ, þ as o, l, d, ss, ae, oe, th), one
 * or two Greek letters together as their names (α as alpha), compatibility
 * forms (ligatures, full width, superscripts) as plain ones.
 */
void text_add_folded(struct buf *out, struct span text);

/* What a character is to somebody who looks for words. */
enum text_kind {
	TEXT_LETTER,     /* letters and digits of all scripts but the next */
	TEXT_IDEOGRAPH,  /* Han, kana, hangul: a word each */
	TEXT_MARK,       /* combining: belongs to the character before */
	TEXT_INVISIBLE,  /* format characters: nothing */
	TEXT_BLANK,      /* and control characters */
	TEXT_HYPHEN,     /* hyphens, minus and en dash, not the em dash */
	TEXT_APOSTROPHE, /* ' and its typographic forms */
	TEXT_OTHER,      /* all other punctuation and symbols */
};

enum text_kind text_kind(uint32_t character);

/*
 * The first sentence of a one-line `text`: ends after . ! ? (or 。！？) that
 * is followed by a blank and no lower-case letter (after 。！？ by anything),
 * and is not part of an abbreviation (e.g., i.e., et al., Fig., initials,
 * numbers), nor inside $…$ or brackets. Closing quotes and brackets after the
 * end belong to it. All of the text if there is no other end.
 */
struct span text_first_sentence(struct span text);

/*
 * The longest beginning of `text` that is at most `max_chars` characters
 * (combining marks count nothing) and ends before a blank (or between CJK
 * characters), not inside $…$; all of it if it fits. A first word that is
 * longer is cut itself. Never cuts a combining sequence; a beginning that is
 * math and too long leaves nothing.
 */
struct span text_cut(struct span text, size_t max_chars);

/* Columns on a terminal: CJK and other wide characters count two. */
size_t text_width(struct span text);

/*
 * Appends `text` in lines of at most `columns`, broken at blanks (or between
 * CJK characters), each line begun with `indent` (part of the width). A word
 * that is longer stands alone on its line. Line ends stand between the lines
 * only; runs of blanks and line ends in `text` are one blank.
 */
void text_add_wrapped(struct buf *out, struct span text, size_t columns,
                      const char *indent);
