#pragma once

/* What libFuzzer (or replay.c) calls with each input; returns 0. */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
