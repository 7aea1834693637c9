#pragma once

/* The ready-made message that every sender of the benchmark sends. */

#include "base/buf.h"

#define MESSAGE_BYTES 30000
#define MESSAGE_FROM "digest@example.org"
#define MESSAGE_TO "reader@example.org"

/* Lines of 76 bytes, as quoted-printable has them. */
static inline void write_message(struct buf *out)
{
	unsigned n = 0;

	buf_add_str(out, "From: " MESSAGE_FROM "\r\nTo: " MESSAGE_TO
	                 "\r\n"
	                 "Subject: a digest\r\nMIME-Version: 1.0\r\n\r\n");
	for (; out->len < MESSAGE_BYTES; n++)
		buf_addf(out, "%075u=\r\n", n);
}
