#pragma once

/*
 * Addresses as arxmail accepts them: RFC 5321 section 4.1.2 with a dot-atom
 * local part (quoted strings are refused), a domain of LDH labels or an IDN,
 * UTF-8 allowed (RFC 6531), no controls, blanks, <>, 64 + 255 octets at most.
 * Nothing else may ever reach an SMTP command.
 */

#include <stdbool.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"

/* Fails with a sentence that repeats it and says what is wrong with it. */
MUST_CHECK int mail_check_address(struct span address, struct error *err);

/* Does it need SMTPUTF8: a local part that is not ASCII? */
bool mail_address_needs_utf8(struct span address);

/* The domain, behind the '@'. */
struct span mail_address_domain(struct span address);

/*
 * The address for SMTP commands: an IDN domain as A-labels (punycode), the
 * rest as it is. The caller owns it. Fails if the domain is no IDN.
 */
MUST_CHECK int mail_address_for_smtp(char **ret_address, struct span address,
                                     struct error *err);

/*
 * `Name <address>` or an address alone. A name may hold commas and stand in
 * quotation marks; it is UTF-8 without control characters.
 */
struct mail_mailbox {
	char *name; /* display text; NULL: none */
	char *address;
};

MUST_CHECK int mail_parse_mailbox(struct mail_mailbox *ret_mailbox,
                                  const char *text, struct error *err);
void mail_mailbox_fini(struct mail_mailbox *mailbox);
