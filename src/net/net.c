#include "net/net.h"

#include <signal.h>
#include <stdbool.h>

#include <curl/curl.h>

#include "base/mem.h"

/* A wait is never longer, whatever was asked for: DESIGN.md, section 3. */
#define LONGEST_WAIT_MS 60000

struct transfer {
	struct transfer *next;
	CURL *easy;
	net_done_fn done;
	void *ctx;
};

struct net_watch {
	struct net_watch *next;
	net_ready_fn ready;
	void *ctx;
	int64_t deadline_ms;
	int fd;
	short events;
	short seen; /* of the last wait */
	bool gone;  /* unwatched; freed when no one is walking the list */
};

struct net {
	CURLM *multi;
	const struct clock *clock;
	struct transfer *transfers; /* those that `done` waits for */
	struct net_watch *watches;
	struct curl_waitfd *fds;
	size_t fds_capacity;
	int64_t woken_ms; /* when the last wait ended; 0: not yet */
	int64_t longest_busy_ms;
};

/* A peer that hangs up must be an error of one write, not our end. */
static int ignore_sigpipe(struct error *err)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (sigaction(SIGPIPE, &ignore, NULL))
		return error_set(err, ERROR_SYSTEM, "cannot ignore SIGPIPE");
	return 0;
}

int net_open(struct net **ret_net, const struct clock *clock, struct error *err)
{
	owned(net) struct net *net = NULL;

	if (ignore_sigpipe(err) < 0)
		return -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return error_set(err, ERROR_SYSTEM, "cannot start libcurl");

	net = mem_new(sizeof(*net));
	net->clock = clock;
	net->multi = curl_multi_init();
	if (!net->multi)
		return error_set(err, ERROR_SYSTEM, "cannot start libcurl");
	*ret_net = take_ptr(net);
	return 0;
}

static void free_watches(struct net *net)
{
	while (net->watches) {
		struct net_watch *watch = net->watches;

		net->watches = watch->next;
		free(watch);
	}
}

void net_close(struct net *net)
{
	if (!net)
		return;
	while (net->transfers)
		net_stop(net, net->transfers->easy);
	free_watches(net);
	curl_multi_cleanup(net->multi);
	free(net->fds);
	free(net);
	curl_global_cleanup();
}

/* Takes the entry of `easy` off the list: the caller's, NULL if none. */
static struct transfer *take_transfer(struct net *net, const CURL *easy)
{
	for (struct transfer **at = &net->transfers; *at; at = &(*at)->next) {
		struct transfer *transfer = *at;

		if (transfer->easy == easy) {
			*at = transfer->next;
			return transfer;
		}
	}
	return NULL;
}

int net_start(struct net *net, void *easy, net_done_fn done, void *ctx,
              struct error *err)
{
	struct transfer *transfer;
	CURLMcode code;

	net_stop(net, easy);
	code = curl_multi_add_handle(net->multi, easy);
	if (code)
		return error_set(err, ERROR_SYSTEM,
		                 "cannot start a transfer: %s",
		                 curl_multi_strerror(code));

	transfer = mem_new(sizeof(*transfer));
	*transfer = (struct transfer){net->transfers, easy, done, ctx};
	net->transfers = transfer;
	return 0;
}

void net_stop(struct net *net, void *easy)
{
	free(take_transfer(net, easy));
	/* Of a handle that is not in, libcurl says OK, too. */
	(void)curl_multi_remove_handle(net->multi, easy);
}

struct net_watch *net_watch(struct net *net, int fd, net_ready_fn ready,
                            void *ctx)
{
	struct net_watch *watch = mem_new(sizeof(*watch));

	watch->next = net->watches;
	watch->ready = ready;
	watch->ctx = ctx;
	watch->deadline_ms = INT64_MAX;
	watch->fd = fd;
	net->watches = watch;
	return watch;
}

void net_unwatch(struct net *net, struct net_watch *watch)
{
	(void)net;
	if (watch)
		watch->gone = true;
}

void net_watch_events(struct net_watch *watch, short events)
{
	watch->events = events;
}

void net_watch_deadline(struct net_watch *watch, int64_t deadline_ms)
{
	watch->deadline_ms = deadline_ms;
}

static void sweep_watches(struct net *net)
{
	struct net_watch **at = &net->watches;

	while (*at) {
		struct net_watch *watch = *at;

		if (watch->gone) {
			*at = watch->next;
			free(watch);
		} else {
			at = &watch->next;
		}
	}
}

/* A descriptor without events is left out: poll() would report its end. */
static bool is_polled(const struct net_watch *watch)
{
	return watch->fd >= 0 && watch->events;
}

/* Fills net->fds; CURL_WAIT_POLLxxx are poll()'s own bits. */
static unsigned collect_fds(struct net *net)
{
	unsigned n = 0;

	_Static_assert(CURL_WAIT_POLLIN == 1 && CURL_WAIT_POLLPRI == 2 &&
	                       CURL_WAIT_POLLOUT == 4,
	               "poll() bits");
	for (struct net_watch *watch = net->watches; watch;
	     watch = watch->next) {
		if (!is_polled(watch))
			continue;
		net->fds = mem_grow(net->fds, &net->fds_capacity, n + 1,
		                    sizeof(*net->fds));
		net->fds[n++] =
			(struct curl_waitfd){watch->fd, watch->events, 0};
	}
	return n;
}

/* The same walk as collect_fds(): nothing has changed in between. */
static void take_ready(struct net *net)
{
	unsigned n = 0;

	for (struct net_watch *watch = net->watches; watch; watch = watch->next)
		watch->seen = is_polled(watch) ? net->fds[n++].revents : 0;
}

static int wait_ms(const struct net *net, int64_t until_ms)
{
	int64_t now_ms = clock_monotonic_ms(net->clock);

	for (const struct net_watch *watch = net->watches; watch;
	     watch = watch->next)
		if (watch->deadline_ms < until_ms)
			until_ms = watch->deadline_ms;

	if (until_ms <= now_ms)
		return 0;
	if (until_ms > now_ms + LONGEST_WAIT_MS)
		return LONGEST_WAIT_MS;
	return (int)(until_ms - now_ms);
}

/*
 * Each watch is called once a turn at most. New watches come before the
 * list's head and unwatched ones stay until the next turn, so this walk is
 * safe from what callbacks do.
 */
static void call_watches(struct net *net)
{
	int64_t now_ms = clock_monotonic_ms(net->clock);

	for (struct net_watch *watch = net->watches; watch;
	     watch = watch->next) {
		if (watch->gone)
			continue;
		if (watch->seen) {
			watch->ready(watch->ctx, watch->seen);
		} else if (watch->deadline_ms <= now_ms) {
			watch->deadline_ms = INT64_MAX;
			watch->ready(watch->ctx, 0);
		}
	}
}

/*
 * The handle stays in the multi handle, idle, because a CONNECT_ONLY
 * connection is found through it; net_stop() or net_start() take it out.
 */
static void call_transfers(struct net *net)
{
	int n_left;

	for (const CURLMsg *message = curl_multi_info_read(net->multi, &n_left);
	     message; message = curl_multi_info_read(net->multi, &n_left)) {
		CURLcode code = message->data.result;
		owned(mem) struct transfer *transfer =
			take_transfer(net, message->easy_handle);

		if (transfer)
			transfer->done(transfer->ctx, (int)code);
	}
}

int64_t net_longest_busy_ms(const struct net *net)
{
	return net->longest_busy_ms;
}

void net_forget_busy(struct net *net)
{
	net->longest_busy_ms = 0;
	net->woken_ms = 0;
}

static void note_busy(struct net *net)
{
	int64_t busy_ms = clock_monotonic_ms(net->clock) - net->woken_ms;

	if (net->woken_ms > 0 && busy_ms > net->longest_busy_ms)
		net->longest_busy_ms = busy_ms;
}

int net_turn(struct net *net, int64_t until_ms, struct error *err)
{
	unsigned n_fds;
	int n_running;
	CURLMcode code;

	sweep_watches(net);
	n_fds = collect_fds(net);
	note_busy(net);
	code = curl_multi_poll(net->multi, net->fds, n_fds,
	                       wait_ms(net, until_ms), NULL);
	net->woken_ms = clock_monotonic_ms(net->clock);
	take_ready(net);
	if (!code)
		code = curl_multi_perform(net->multi, &n_running);
	if (code)
		return error_set(err, ERROR_SYSTEM, "cannot wait: %s",
		                 curl_multi_strerror(code));

	call_watches(net);
	call_transfers(net);
	return 0;
}
