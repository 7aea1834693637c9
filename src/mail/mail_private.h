#pragma once

/* Text and header fields (field.c). */

#include "base/buf.h"
#include "base/span.h"

/*
 * Appends display text as one line, behind a blank if there is text already:
 * blanks and control characters as single blanks, none at its end, cut at a
 * character where the buf's maximum is.
 */
void mail_add_one_line(struct buf *out, struct span text);

/*
 * Header fields (RFC 5322, folded at 78; RFC 2047 words on lines of 76).
 * GMime 3.2 makes encoded words of more than 75 bytes and leaves "=?" in a
 * text as it is, which a reader would decode: hence our own. Each appends
 * `Name: value` and CRLF to a buf that is not full; display text becomes one
 * line of LIMIT_SUBJECT_BYTES before.
 */

/* A field that is running text, as Subject. */
void mail_add_text_field(struct buf *out, const char *name,
                         struct span display);
/* `display <id>`, or `<id>` where the display text is empty. */
void mail_add_mailbox_field(struct buf *out, const char *name,
                            struct span display, const char *id);
/* A field that is ASCII already and cannot be folded. */
void mail_add_raw_field(struct buf *out, const char *name, const char *value);
