#pragma once

/*
 * What is wrong with the whole service, told once when it begins and once when
 * it ends: in the log, and by mail to sender.admin if there is one.
 *
 *   a feed   its last day that should have had a batch ended without one, or
 *            today's has been failing for three hours
 *   relay    takes nothing; told when it does again
 *   disk     less than 256 MiB are free where the state is, until 512 are
 *   mail     nobody got a digest for three days that had a batch
 *
 * Changes within an hour share a mail. What was told is stored: a restart
 * repeats nothing. Mails that cannot be sent are tried again later and hold
 * nothing up.
 */

#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "service/world.h"

struct health;

/* `service` is borrowed. */
struct health *health_open(struct service *service);
void health_close(struct health *health);

OWNED_DEFINE(health, struct health, health_close);

/*
 * Looks every five minutes. *ret_look_ms (monotonic) is when the next turn is
 * wanted. After a failure it may be called again.
 */
MUST_CHECK int health_turn(struct health *health, int64_t *ret_look_ms,
                           struct error *err);
