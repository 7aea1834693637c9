#pragma once

/*
 * A page for a browser: the mail in frames of 640 and 360 px, light and dark,
 * its text part, its headers, and what digest_lint() says.
 */

#include "base/buf.h"
#include "base/span.h"
#include "digest/render.h"

/* `headers` are the message's; the parts are not in quoted-printable. */
void preview_page(struct buf *out, const struct digest_parts *parts,
                  struct span headers);
