#pragma once

/* What goes: what is older than keep_days, and who is no longer there. */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "service/world.h"

/*
 * Deletes in slices what the store keeps no longer than keep_days, for as many
 * slices as a run may take; the next run goes on.
 */
MUST_CHECK int service_retain(struct service *service, struct error *err);

/* One slice of that, some milliseconds; *ret_more: there are others. */
MUST_CHECK int service_retain_slice(struct service *service, bool *ret_more,
                                    struct error *err);

/*
 * Cancels the open deliveries of who is no longer in the config, *ret_n of
 * them, and notes that they are gone.
 */
MUST_CHECK int service_keep_subscribers(struct service *service, size_t *ret_n,
                                        struct error *err);
