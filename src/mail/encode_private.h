#pragma once

/*
 * Bodies in transfer: lines of at most 76 octets that end in CRLF, also the
 * last. Of the text each LF, CR and CRLF ends a line and broken UTF-8 becomes
 * U+FFFD.
 */

#include "base/buf.h"

void mail_add_quoted(struct buf *out, struct span text);
void mail_add_base64(struct buf *out, struct span text);

/* What mail_add_base64() adds at least. */
size_t mail_base64_least(struct span text);
