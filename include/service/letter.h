#pragma once

/* A digest to the mail that carries it. */

#include "base/buf.h"
#include "base/error.h"
#include "digest/render.h"
#include "service/world.h"

/* The frame for a subscriber, its strings borrowed from the config. */
struct digest_frame service_frame(const struct service *service,
                                  const struct subscriber *subscriber);

/* Renders `digest` and appends the RFC 5322 message to `message`. */
MUST_CHECK int service_write_letter(const struct service *service,
                                    const struct subscriber *subscriber,
                                    const struct digest *digest,
                                    struct buf *message, struct error *err);
