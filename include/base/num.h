#pragma once

/* Checked numbers. Decimal digits only: no sign, blank or prefix. */

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* True and *ret_value if `text` is a number from `min` to `max`. */
bool num_parse(struct span text, uint64_t min, uint64_t max,
               uint64_t *ret_value);
