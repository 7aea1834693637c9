#pragma once

/* A digest to the mail that carries it. */

#include "base/buf.h"
#include "base/error.h"
#include "digest/render.h"
#include "service/world.h"

/* The frame for a subscriber, its strings borrowed from the config. */
struct digest_frame service_frame(const struct service *service,
                                  const struct subscriber *subscriber);

/*
 * Appends sentences for the frame: which of the subscriber's feeds could not
 * be read on arXiv's day of `at`.
 */
MUST_CHECK int service_add_notes(const struct service *service,
                                 const struct subscriber *subscriber,
                                 int64_t at, struct strings *notes,
                                 struct error *err);

/* Renders `digest` and appends the RFC 5322 message to `message`. */
MUST_CHECK int service_write_letter(const struct service *service,
                                    const struct subscriber *subscriber,
                                    const struct digest *digest,
                                    struct buf *message, struct error *err);
