#pragma once

/* UTF-8 as in RFC 3629: no surrogates, no overlong forms, up to U+10FFFF. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define UTF8_REPLACEMENT 0xFFFDU

/*
 * Takes one character off *rest, which is not empty. A byte that begins no
 * valid sequence is taken alone and gives UTF8_REPLACEMENT.
 */
uint32_t utf8_next(struct span *rest);

/* Appends one character; what is no character, as U+FFFD. */
void utf8_add(struct buf *buf, uint32_t character);

bool utf8_valid(struct span text);

/*
 * Characters that must never reach a person's screen or a header as they are:
 * C0, DEL and C1 controls, U+2028, U+2029, bidirectional controls, zero-width
 * and other format characters but U+200C and U+200D, byte order marks, the
 * tag block, noncharacters.
 */
bool utf8_is_control(uint32_t character);

/* Unicode's White_Space property. */
bool utf8_is_blank(uint32_t character);
