#pragma once

/*
 * Parts to an RFC 5322 message: multipart/alternative, text before HTML,
 * each in quoted-printable or base64, whichever is shorter; 7 bit, CRLF,
 * lines of at most 76 octets in bodies and folded headers. GMime underneath.
 * Pure: the same input gives the same bytes. An address with a local part
 * that is not ASCII stands in its header field as UTF-8 (RFC 6532).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "mail/address.h"

/* The config's sender group. Strings are owned. */
struct mail_sender {
	struct mail_mailbox from; /* also the envelope sender */
	char *reply_to;           /* address; NULL: none */
	char *admin;              /* address; NULL: none */
	char *unsubscribe;        /* mailto: or https: URL */
	char *list_id;            /* dotted name */
};

void mail_sender_fini(struct mail_sender *sender);

struct mail_message {
	const struct mail_sender *sender;
	const char *to_name; /* NULL: none */
	const char *to_address;
	const char *subject;
	const char *message_id; /* HEX@DOMAIN, without brackets */
	const char *language;   /* BCP 47, for Content-Language */
	int64_t date;           /* Unix seconds */
	int32_t utc_offset_sec; /* for the Date field */
	const char *text;
	const char *html; /* NULL: plain text, and not a list's */
	bool text_quoted; /* is as base/quoted.h makes it, and stays so */
	bool html_quoted;
};

/*
 * Appends the message with CRLF line ends, also at the end; on failure,
 * nothing. A display text (subject, names) becomes one line of at most
 * LIMIT_SUBJECT_BYTES, without control characters.
 */
MUST_CHECK int mail_build(struct buf *out, const struct mail_message *message,
                          struct error *err);

/*
 * A new Message-ID, without brackets: 128 random bits @ the domain (as
 * A-labels) of the sender's address. The caller owns it.
 */
char *mail_new_message_id(const struct mail_sender *sender);

/* Appends the name and version of GMime. */
void mail_add_library(struct buf *out);
