#pragma once

/* The real world: the machine's clock, libcurl and the relay, over one loop. */

#include "base/error.h"
#include "base/owned.h"
#include "conf/conf.h"
#include "service/world.h"

struct world;

/*
 * `conf` is borrowed and must outlive it. Opens nothing to the outside yet.
 * `state_dir` NULL: no gate between processes (as feed_fetcher_open()).
 */
MUST_CHECK int world_open(struct world **ret_world, const struct conf *conf,
                          const char *state_dir, struct error *err);
void world_close(struct world *world);

OWNED_DEFINE(world, struct world, world_close);

/* What service/ is given; borrowed from `world`. */
struct service_world *world_service(struct world *world);
