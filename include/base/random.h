#pragma once

/* Unpredictable bytes from the kernel: getrandom(2). */

#include <stddef.h>
#include <stdint.h>

/* Fills `hex` with 2 * `n_bytes` lower-case digits and a NUL. */
void random_hex(char *hex, size_t n_bytes);

/* A number from 0 to `below` - 1. */
uint32_t random_below(uint32_t below);
