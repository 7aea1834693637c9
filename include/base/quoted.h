#pragma once

/*
 * Quoted-printable (RFC 2045, section 6.7) of text: lines of at most 76
 * octets that end in CRLF, also the last. Each LF, CR and CRLF of the text
 * ends a line; broken UTF-8 becomes U+FFFD. What texts that end in a line end
 * become one after the other is what they become together.
 */

#include "base/buf.h"

void buf_add_quoted(struct buf *buf, struct span text);
