#pragma once

/*
 * Allocation that cannot fail: when memory is gone the process aborts with
 * one line on stderr. State is transactional and systemd restarts us. The
 * caller owns what is returned and releases it with free().
 */

#include <stddef.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"

/* Zeroed. A product that overflows aborts. */
void *mem_new(size_t size);
void *mem_array(size_t n, size_t size);

/*
 * Makes room for `need` elements of `size` bytes in `array`, growing by half
 * at least; *capacity is kept up to date. The new part is not zeroed.
 */
MUST_CHECK void *mem_grow(void *array, size_t *capacity, size_t need,
                          size_t size);

/* A copy; of NULL, NULL. */
char *mem_dup(const char *str);
char *mem_dup_span(struct span span);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
