#pragma once

#include "base/buf.h"
#include "base/span.h"
#include "text/text.h"

/*
 * May a line end between these two neighbours? Between CJK characters, but
 * not before closing or after opening punctuation. Blanks are not asked
 * about.
 */
bool text_may_break(uint32_t before, uint32_t after);

/*
 * Takes one unit that must not be cut off *rest, which is not empty: math, or
 * a character with the marks on it. *ret_first is its first character,
 * *ret_n_chars what it counts.
 */
struct span text_next_unit(struct span *rest, uint32_t *ret_first,
                           size_t *ret_n_chars);

/*
 * Takes one accented or special letter of TeX off *rest and appends it; false
 * and nothing done if there is none that is understood.
 */
bool text_read_letter(struct buf *out, struct span *rest);
