#pragma once

/*
 * Base64 (RFC 2045, section 6.8) of text, with lines as base/quoted.h has
 * them: CRLF before it is encoded, and after.
 */

#include "base/buf.h"

void mail_add_base64(struct buf *out, struct span text);

/* What mail_add_base64() adds at least. */
size_t mail_base64_least(struct span text);
