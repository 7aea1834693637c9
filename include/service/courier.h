#pragma once

/* One mail beside the queue, over a session of its own: nothing is stored. */

#include "base/error.h"
#include "base/owned.h"
#include "mail/smtp.h"
#include "service/world.h"

struct courier;

/* Begins. `letter` is borrowed until the courier is closed. */
MUST_CHECK int courier_open(struct courier **ret_courier,
                            struct service *service,
                            const struct smtp_letter *letter,
                            struct error *err);
/* At any time; what is on its way may still arrive. */
void courier_close(struct courier *courier);

OWNED_DEFINE(courier, struct courier, courier_close);

/* NULL until it has ended, inside a turn of the loop. */
const struct smtp_outcome *courier_outcome(const struct courier *courier);
