#pragma once

/* Shared by health.c, which tells, and health_rules.c, which finds out. */

#include "service/health.h"
#include "store/health.h"

/*
 * Adds all that is wrong now to an empty list. `known` is what was so before:
 * a disk that was low must have more room to be well again.
 */
MUST_CHECK int health_find(struct service *service,
                           const struct store_ills *known,
                           struct store_ills *ret_now, struct error *err);

const struct store_ill *health_get(const struct store_ills *list,
                                   const char *subject);

/* One line each; the caller owns it. */
char *health_say_begin(const struct store_ill *ill);
char *health_say_end(const struct store_ill *ill, int64_t now);

/* What arxmail does about it, and what the admin can do. */
const char *health_advice(const struct store_ill *ill);
