#pragma once

/* Retention: what is older than keep_days goes. */

#include "base/error.h"
#include "service/world.h"

/*
 * Deletes in slices what the store keeps no longer than keep_days, for as many
 * slices as a run may take; the next run goes on.
 */
MUST_CHECK int service_retain(struct service *service, struct error *err);
