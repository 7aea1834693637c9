#pragma once

/* Shared inside service/. */

#include <stdint.h>

#include "base/error.h"
#include "service/world.h"

/* Today in the subscriber's zone. */
MUST_CHECK int service_local_day(const struct service *service,
                                 const struct subscriber *subscriber,
                                 int32_t *ret_day, struct error *err);

/*
 * Sets the subscriber's outcome of its local day, unless that day has `sent`
 * already: a later run that finds nothing does not take it back.
 */
MUST_CHECK int service_note_outcome(struct service *service,
                                    const struct subscriber *subscriber,
                                    enum outcome outcome, const char *reason,
                                    struct error *err);

/*
 * Appends the subscriber's categories that arXiv's day of `at` has not
 * brought: unreachable, invalid or still the last batch.
 */
MUST_CHECK int service_find_late(const struct service *service,
                                 const struct subscriber *subscriber,
                                 int64_t at, struct strings *late,
                                 struct error *err);
