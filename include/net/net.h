#pragma once

/*
 * The one wait of the program: curl's multi handle, extra file descriptors
 * and one deadline. Everything that waits for the world is started here and
 * answered by a callback inside net_turn(); no call blocks elsewhere. One
 * thread only. `easy` is a CURL *, which stays the caller's.
 */

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/owned.h"

struct net;
struct net_watch;

/* `code` is a CURLcode. The transfer is over: `easy` may be started again. */
typedef void (*net_done_fn)(void *ctx, int code);
/* `ready` holds poll() bits; 0 says that the watch's deadline has passed. */
typedef void (*net_ready_fn)(void *ctx, short ready);

/* Calls curl_global_init() and ignores SIGPIPE. `clock` is borrowed. */
MUST_CHECK int net_open(struct net **ret_net, const struct clock *clock,
                        struct error *err);
/* Stops what is under way. Its users are to be closed before it. */
void net_close(struct net *net);

OWNED_DEFINE(net, struct net, net_close);

/*
 * Starts a transfer; `done` is called once, inside a net_turn(), unless
 * net_stop() comes first. After it the handle stays known to libcurl, idle,
 * until net_stop() or the next net_start(), because the connection of a
 * CURLOPT_CONNECT_ONLY handle is found through it: net_stop() it before
 * curl_easy_cleanup().
 */
MUST_CHECK int net_start(struct net *net, void *easy, net_done_fn done,
                         void *ctx, struct error *err);
/* Takes the transfer out; harmless if it is not in. */
void net_stop(struct net *net, void *easy);

/*
 * Watches `fd` (or nothing but the deadline, with -1) for poll() events until
 * net_unwatch() (of NULL: nothing). Callbacks may watch and unwatch, their
 * own watch included, and close what it watched; a hang-up counts as POLLIN.
 * A watch begins without events and without a deadline.
 */
struct net_watch *net_watch(struct net *net, int fd, net_ready_fn ready,
                            void *ctx);
void net_unwatch(struct net *net, struct net_watch *watch);
void net_watch_events(struct net_watch *watch, short events);
/* Monotonic ms of `clock`; INT64_MAX: none. It is cleared when it fires. */
void net_watch_deadline(struct net_watch *watch, int64_t deadline_ms);

/*
 * One wait, until `until_ms` (monotonic) at the latest and never longer than
 * 60 s, then the callbacks of what happened.
 */
MUST_CHECK int net_turn(struct net *net, int64_t until_ms, struct error *err);

/*
 * The longest time that passed between two waits, in milliseconds: how long
 * the loop was blocked at most. net_forget_busy() begins anew, for what is
 * allowed to take long.
 */
int64_t net_longest_busy_ms(const struct net *net);
void net_forget_busy(struct net *net);
