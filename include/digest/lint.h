#pragma once

/* What mail programs would take amiss in a digest. Pure. */

#include "base/strings.h"

/*
 * Appends to `problems` a sentence for each kind of fault: a size at which
 * Gmail cuts, characters that should be references, a page without its
 * language, links without a target or words, lines of the text part that
 * could have been wrapped. Neither part is in quoted-printable.
 */
void digest_lint(const char *html, const char *text, struct strings *problems);

/* Bytes of `text` in the shorter of quoted-printable and base64. */
size_t digest_encoded_len(const char *text);
