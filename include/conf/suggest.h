#pragma once

/* "Did you mean": the word that a slip of the fingers came from. Pure. */

#include "base/strings.h"

/*
 * The item of `words` that is nearest to `text`: letters' case, two swapped
 * neighbours, a letter too many, too few or wrong; at most two of them and
 * fewer than one in three letters. NULL if none is near.
 */
const char *conf_suggest(struct span text, const struct strings *words);
