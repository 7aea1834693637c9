#pragma once

/* The real world: the machine's clock, libcurl and the relay, over one loop. */

#include "base/error.h"
#include "base/owned.h"
#include "conf/conf.h"
#include "net/net.h"
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

/*
 * Another config, while nothing is on its way; the old one may go then. Its
 * state_dir is the same.
 */
MUST_CHECK int world_set_conf(struct world *world, const struct conf *conf,
                              struct error *err);

/* Its loop; borrowed. */
struct net *world_net(struct world *world);

/* What service/ is given; borrowed from `world`. */
struct service_world *world_service(struct world *world);
