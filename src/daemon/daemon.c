#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/world.h"
#include "daemon_private.h"
#include "service/deliver.h"
#include "service/retain.h"

/* Rendered papers: a thousand with a few sets of marks each. */
#define CACHE_BYTES (32U * LIMIT_MIB)

/* How long a database that another program has locked is left alone. */
#define LOCKED_PAUSE_MS 1000

enum stage {
	STAGE_RUN,
	STAGE_RELOAD, /* until nothing is on its way */
	STAGE_STOP,
	STAGE_OVER,
};

struct daemon {
	const char *conf_path;
	struct conf *conf;
	struct conf *next_conf; /* of a reload */
	struct store *store;
	struct digest_cache *cache;
	struct world *world;
	struct service service;
	struct sender *sender;
	struct notifier notifier;
	struct net_watch *signals;
	int signal_fd;
	enum stage stage;
};

static int64_t monotonic_ms(const struct daemon *daemon)
{
	return clock_monotonic_ms(&daemon->service.world->clock);
}

/* ---- what it tells of single mails ---- */

static void on_delivered(void *ctx, const struct service_delivered *delivered)
{
	(void)ctx;
	if (delivered->sentence)
		log_warning("subscriber %s: %s: %s", delivered->subscriber->id,
		            delivery_state_name(delivered->state),
		            delivered->sentence);
}

static const struct service_deliver_events events = {.delivered = on_delivered};

/* ---- signals ---- */

static sigset_t our_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

void daemon_block_signals(void)
{
	sigset_t set = our_signals();

	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void stop(struct daemon *daemon)
{
	size_t n;

	if (daemon->stage == STAGE_STOP)
		return;
	conf_free(take_ptr(daemon->next_conf));
	daemon->stage = STAGE_STOP;
	sender_end(daemon->sender);
	n = sender_count_unanswered(daemon->sender);
	if (n > 0)
		log_notice("stopping: waiting for the replies to %zu mails", n);
	notifier_stopping(&daemon->notifier, n);
}

/* The old config stays if the new one has an error; all of them are said. */
static struct conf *read_conf(struct daemon *daemon)
{
	owned(conf_report) struct conf_report report = {0};
	owned(conf) struct conf *conf = NULL;
	struct error err = {0};
	int outcome = conf_load(&conf, daemon->conf_path, &report, &err);

	for (size_t i = 0; i < report.errors.n; i++)
		log_error("%s", report.errors.items[i]);
	if (outcome < 0)
		log_error("%s", err.message);
	if (outcome != CONF_VALID)
		return NULL;
	if (strcmp(conf->state_dir, daemon->conf->state_dir) != 0) {
		log_error(
			"reload: state_dir has changed: that needs a "
			"restart");
		return NULL;
	}
	return take_ptr(conf);
}

static void reload(struct daemon *daemon)
{
	struct conf *conf;

	if (daemon->stage == STAGE_STOP)
		return;
	notifier_reloading(&daemon->notifier, monotonic_ms(daemon));
	conf = read_conf(daemon);
	net_forget_busy(world_net(daemon->world));
	if (!conf) {
		log_error("reload: nothing was changed");
		notifier_ready(&daemon->notifier,
		               "the new config has errors, the old one stays");
		return;
	}
	conf_free(daemon->next_conf);
	daemon->next_conf = conf;
	daemon->stage = STAGE_RELOAD;
	sender_end(daemon->sender);
}

static void on_signal(void *ctx, short ready)
{
	struct daemon *daemon = ctx;
	struct signalfd_siginfo info;

	(void)ready;
	while (read(daemon->signal_fd, &info, sizeof(info)) ==
	       (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(daemon);
		else
			stop(daemon);
	}
}

static int watch_signals(struct daemon *daemon, struct error *err)
{
	sigset_t set = our_signals();

	daemon->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (daemon->signal_fd < 0)
		return error_set(err, ERROR_SYSTEM,
		                 "cannot receive signals: %s", strerror(errno));
	daemon->signals = net_watch(world_net(daemon->world), daemon->signal_fd,
	                            on_signal, daemon);
	net_watch_events(daemon->signals, POLLIN);
	return 0;
}

/* ---- configs ---- */

static int keep_subscribers(struct daemon *daemon, struct error *err)
{
	size_t n_cancelled = 0;

	if (service_keep_subscribers(&daemon->service, &n_cancelled, err) < 0)
		return -1;
	if (n_cancelled > 0)
		log_notice(
			"config: cancelled %zu deliveries to subscribers "
			"who are gone",
			n_cancelled);
	return 0;
}

/* Nothing is on its way: the new config takes the old one's place. */
static int swap_conf(struct daemon *daemon, struct error *err)
{
	struct conf *old = daemon->conf;

	daemon->conf = take_ptr(daemon->next_conf);
	daemon->service.conf = daemon->conf;
	digest_cache_free(daemon->cache);
	daemon->cache = digest_cache_new(CACHE_BYTES);
	daemon->service.cache = daemon->cache;
	if (world_set_conf(daemon->world, daemon->conf, err) < 0)
		return -1;
	conf_free(old);
	daemon->stage = STAGE_RUN;
	sender_renew(daemon->sender);
	if (keep_subscribers(daemon, err) < 0)
		return -1;
	net_forget_busy(world_net(daemon->world));
	log_notice("reload: done: %zu subscribers",
	           daemon->conf->n_subscribers);
	notifier_ready(&daemon->notifier, "");
	return 0;
}

/* ---- the loop ---- */

static int turn(struct daemon *daemon, int64_t *ret_look_ms, struct error *err)
{
	int rc = sender_turn(daemon->sender, ret_look_ms, err);

	if (rc < 0)
		return -1;
	if (rc != SENDER_ENDED)
		return 0;
	*ret_look_ms = monotonic_ms(daemon);
	if (daemon->stage == STAGE_RELOAD)
		return swap_conf(daemon, err);
	daemon->stage = STAGE_OVER;
	return 0;
}

static int loop(struct daemon *daemon, struct error *err)
{
	struct net *net = world_net(daemon->world);
	int64_t look_ms;

	while (daemon->stage != STAGE_OVER) {
		if (turn(daemon, &look_ms, err) < 0) {
			if (err->kind != ERROR_TEMPORARY)
				return -1;
			log_warning("%s", err->message);
			look_ms = monotonic_ms(daemon) + LOCKED_PAUSE_MS;
		}
		if (daemon->stage == STAGE_OVER)
			break;
		notifier_alive(&daemon->notifier, monotonic_ms(daemon),
		               sender_count_unanswered(daemon->sender));
		if (net_turn(net, notifier_next_ms(&daemon->notifier, look_ms),
		             err) < 0)
			return -1;
	}
	return 0;
}

static void close_all(struct daemon *daemon)
{
	sender_close(daemon->sender);
	if (daemon->signals)
		net_unwatch(world_net(daemon->world), daemon->signals);
	world_close(daemon->world);
	owned_release_fd(&daemon->signal_fd);
	digest_cache_free(daemon->cache);
	store_close(daemon->store);
	conf_free(daemon->next_conf);
	conf_free(daemon->conf);
}

static int open_all(struct daemon *daemon, struct error *err)
{
	const char *state_dir = daemon->conf->state_dir;

	if (store_open(&daemon->store, state_dir, STORE_WRITE, err) < 0 ||
	    world_open(&daemon->world, daemon->conf, state_dir, err) < 0)
		return -1;
	daemon->cache = digest_cache_new(CACHE_BYTES);
	daemon->service =
		(struct service){daemon->conf, daemon->store,
	                         world_service(daemon->world), daemon->cache};
	if (watch_signals(daemon, err) < 0 || keep_subscribers(daemon, err) < 0)
		return -1;
	return sender_open(&daemon->sender, &daemon->service, &events, err);
}

static int run(struct daemon *daemon, struct error *err)
{
	if (open_all(daemon, err) < 0)
		return -1;
	notifier_init(&daemon->notifier);
	notifier_ready(&daemon->notifier, "");
	log_notice("started: %zu subscribers", daemon->conf->n_subscribers);
	if (loop(daemon, err) < 0)
		return -1;
	log_info("loop: longest turn %" PRId64 " ms",
	         net_longest_busy_ms(world_net(daemon->world)));
	log_notice("stopped");
	return 0;
}

int daemon_run(const char *conf_path, struct conf *conf, struct error *err)
{
	struct daemon daemon = {
		.conf_path = conf_path, .conf = conf, .signal_fd = -1};
	int rc = run(&daemon, err);

	close_all(&daemon);
	return rc;
}
