#pragma once

/* A mail of ours that came back. */

#include "base/error.h"
#include "base/span.h"
#include "service/world.h"

enum service_bounce {
	BOUNCE_COUNTED = 0,
	BOUNCE_IGNORED = 1,
};

/*
 * Counts the bounce `mail` against the address that refused the mail for good,
 * or ignores it; logs one line that says which and why. An enum
 * service_bounce; fails only for the store, and with ERROR_TEMPORARY while the
 * mail that it is about is still being sent.
 */
MUST_CHECK int service_bounce(const struct service *service, struct span mail,
                              struct error *err);
