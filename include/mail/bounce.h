#pragma once

/*
 * Bounces: delivery status notifications (RFC 3464, RFC 6533), which say what
 * became of a mail of ours, and the sender addresses to which each mail's own
 * comes back (VERP). GMime underneath. Pure.
 */

#include <stdbool.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"

enum mail_bounce_action {
	MAIL_BOUNCE_FAILED,
	MAIL_BOUNCE_DELAYED,   /* it is still being tried */
	MAIL_BOUNCE_DELIVERED, /* or relayed, or expanded */
};

/*
 * What it says, of several recipients about the first one that failed. Strings
 * are owned. Anybody can write a bounce: only a Message-ID or a token that was
 * given to one reader and cannot be guessed says whose it is.
 */
struct mail_bounce {
	enum mail_bounce_action action;
	char status[12]; /* "5.1.1" (RFC 3463); "": none */
	/* Failed for good, and by the mailbox's own fault (mail/smtp.h). */
	bool bad_recipient;
	char *recipient;  /* address, cleaned, not checked; NULL: not said */
	char *words;      /* the last server's, cleaned, one line; NULL: none */
	char *message_id; /* ours, without brackets; NULL: not said */
	char *token;      /* of mail_verp_sender(), lower case; NULL: none */
};

/*
 * Reads one mail of LIMIT_BOUNCE_BYTES at most, whatever its line ends.
 * `sender` is the config's sender address, for the token. Fails with
 * ERROR_SYNTAX or ERROR_LIMIT if it is no bounce, and says why.
 */
MUST_CHECK int mail_bounce_read(struct mail_bounce *ret_bounce,
                                struct span mail, const char *sender,
                                struct error *err);
void mail_bounce_fini(struct mail_bounce *bounce);

static inline void owned_release_mail_bounce(struct mail_bounce *bounce)
{
	mail_bounce_fini(bounce);
}

/*
 * `local+bounce-TOKEN@domain` of a sender's address, as
 * mail_address_for_smtp() gives addresses. A token is letters and digits, and
 * stays itself in lower case. Fails if the address would not be one, as one
 * with a local part of more than 64 bytes.
 */
MUST_CHECK int mail_verp_sender(char **ret_address, const char *sender,
                                const char *token, struct error *err);
