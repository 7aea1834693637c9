#pragma once

/*
 * The daemon: polls, composes and sends by itself until SIGTERM or SIGINT.
 * SIGHUP reads the config anew. Speaks to systemd where it is there
 * (sd_notify(3)): READY, STATUS, RELOADING, STOPPING, WATCHDOG.
 */

#include "base/error.h"
#include "conf/conf.h"

/*
 * Blocks the signals that the daemon waits for; to be called before anything
 * that may start a thread.
 */
void daemon_block_signals(void);

/*
 * Runs until a signal ends it, and then until the replies to final dots that
 * are out have come. Takes `conf`, which was read from `conf_path`. Fails for
 * the store or the loop.
 */
MUST_CHECK int daemon_run(const char *conf_path, struct conf *conf,
                          struct error *err);
