#pragma once

/* Slips of the finger: which word was probably meant. */

#include <limits.h>

#include "base/span.h"

#define SLIPS_TOO_MANY UINT_MAX

/*
 * How unlikely it is that who wrote `text` meant `word`: 0 if they are equal,
 * little for letters in the wrong case or swapped, more for wrong, missing and
 * added ones; SLIPS_TOO_MANY for more than two of these, or a third of the
 * word.
 */
unsigned slips_cost(struct span text, struct span word);
