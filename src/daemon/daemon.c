#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/world.h"
#include "daemon_private.h"
#include "service/deliver.h"
#include "service/health.h"
#include "service/poll.h"
#include "service/recover.h"
#include "service/retain.h"
#include "service/schedule.h"
#include "service/summarize.h"

/* Rendered papers: a thousand with a few sets of marks each. */
#define CACHE_BYTES (32U * LIMIT_MIB)

/* Once a day. */
#define PRUNE_EVERY_MS 86400000

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
	struct poller *poller;
	struct recoverer *recoverer;
	struct health *health;
	struct schedule *schedule;
	struct summarizer *summarizer; /* NULL: the config has no model */
	int64_t prune_ms;              /* when the store is pruned again */
	struct notifier notifier;
	struct net_watch *signals;
	int signal_fd;
	enum stage stage;
	bool is_started;
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
	else if (delivered->state == DELIVERY_SENT)
		log_info("subscriber %s: sent: %zu papers",
		         delivered->subscriber->id, delivered->n_papers);
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
		notifier_ready(&daemon->notifier);
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

/* What is made of the config, anew. */
static void on_brought(void *ctx)
{
	struct daemon *daemon = ctx;

	if (daemon->recoverer)
		recoverer_wake(daemon->recoverer);
	if (daemon->summarizer)
		summarizer_wake(daemon->summarizer);
	if (daemon->schedule)
		schedule_wake(daemon->schedule);
}

/* Who waits for the model's words is looked at again. */
static void on_eased(void *ctx)
{
	struct daemon *daemon = ctx;

	if (daemon->schedule)
		schedule_wake(daemon->schedule);
}

static int open_summarizer(struct daemon *daemon, struct error *err)
{
	const struct conf *conf = daemon->conf;
	const struct summarizer_job job = {
		.subscribers =
			(const struct subscriber *const *)conf->subscribers,
		.n = conf->n_subscribers,
		.eased = on_eased,
		.ctx = daemon,
	};

	if (!conf->llm.url)
		return 0;
	if (summarizer_open(&daemon->summarizer, &daemon->service, &job, err) <
	    0)
		return -1;
	daemon->service.summarizer = daemon->summarizer;
	return 0;
}

static void close_parts(struct daemon *daemon)
{
	daemon->service.summarizer = NULL;
	summarizer_close(take_ptr(daemon->summarizer));
	poller_close(take_ptr(daemon->poller));
	recoverer_close(take_ptr(daemon->recoverer));
	health_close(take_ptr(daemon->health));
	schedule_close(take_ptr(daemon->schedule));
	digest_cache_free(take_ptr(daemon->cache));
}

/* After a failure they can be opened again. */
static int open_parts(struct daemon *daemon, struct error *err)
{
	close_parts(daemon);
	daemon->cache = digest_cache_new(CACHE_BYTES);
	daemon->service.conf = daemon->conf;
	daemon->service.cache = daemon->cache;
	daemon->health = health_open(&daemon->service);
	if (keep_subscribers(daemon, err) < 0 ||
	    poller_open(&daemon->poller, &daemon->service, on_brought, daemon,
	                err) < 0 ||
	    recoverer_open(&daemon->recoverer, &daemon->service, err) < 0 ||
	    open_summarizer(daemon, err) < 0 ||
	    schedule_open(&daemon->schedule, &daemon->service, err) < 0)
		return -1;
	net_forget_busy(world_net(daemon->world));
	log_notice("%s: %zu subscribers",
	           daemon->is_started ? "reload: done" : "started",
	           daemon->conf->n_subscribers);
	daemon->is_started = true;
	notifier_ready(&daemon->notifier);
	return 0;
}

/* No mail is on its way: the new config takes the old one's place. */
static int swap_conf(struct daemon *daemon, struct error *err)
{
	struct conf *old = daemon->conf;
	int rc;

	daemon->conf = take_ptr(daemon->next_conf);
	/* What is asked of feeds ends here, and is asked again. */
	rc = world_set_conf(daemon->world, daemon->conf, err);
	close_parts(daemon);
	conf_free(old);
	daemon->stage = STAGE_RUN;
	sender_renew(daemon->sender);
	daemon->service.conf = daemon->conf;
	return rc;
}

/* ---- the loop ---- */

static void keep_earlier(int64_t *look_ms, int64_t other_ms)
{
	if (other_ms < *look_ms)
		*look_ms = other_ms;
}

static int turn_pruning(struct daemon *daemon, int64_t *look_ms,
                        struct error *err)
{
	int64_t now_ms = monotonic_ms(daemon);
	bool more;

	if (now_ms >= daemon->prune_ms) {
		if (service_retain_slice(&daemon->service, &more, err) < 0)
			return -1;
		daemon->prune_ms = now_ms + (more ? 0 : PRUNE_EVERY_MS);
	}
	keep_earlier(look_ms, daemon->prune_ms);
	return 0;
}

/* Nothing new is begun while it reloads or stops. */
static int turn_parts(struct daemon *daemon, int64_t *look_ms,
                      struct error *err)
{
	int64_t part_ms;

	if (daemon->stage != STAGE_RUN)
		return 0;
	if (!daemon->schedule && open_parts(daemon, err) < 0)
		return -1;
	if (poller_turn(daemon->poller, &part_ms, err) < 0)
		return -1;
	keep_earlier(look_ms, part_ms);
	if (recoverer_turn(daemon->recoverer, &part_ms, err) < 0)
		return -1;
	keep_earlier(look_ms, part_ms);
	if (daemon->summarizer) {
		if (summarizer_turn(daemon->summarizer, &part_ms, err) < 0)
			return -1;
		keep_earlier(look_ms, part_ms);
	}
	if (schedule_turn(daemon->schedule, &part_ms, err) < 0)
		return -1;
	keep_earlier(look_ms, part_ms);
	if (health_turn(daemon->health, &part_ms, err) < 0)
		return -1;
	keep_earlier(look_ms, part_ms);
	return turn_pruning(daemon, look_ms, err);
}

static int turn_sender(struct daemon *daemon, int64_t *look_ms,
                       struct error *err)
{
	int64_t part_ms;
	int rc = sender_turn(daemon->sender, &part_ms, err);

	if (rc < 0)
		return -1;
	keep_earlier(look_ms, part_ms);
	if (rc != SENDER_ENDED)
		return 0;
	*look_ms = monotonic_ms(daemon);
	if (daemon->stage == STAGE_RELOAD)
		return swap_conf(daemon, err);
	daemon->stage = STAGE_OVER;
	return 0;
}

static int turn(struct daemon *daemon, int64_t *ret_look_ms, struct error *err)
{
	*ret_look_ms = INT64_MAX;
	if (turn_parts(daemon, ret_look_ms, err) < 0)
		return -1;
	return turn_sender(daemon, ret_look_ms, err);
}

static void add_time(struct buf *text, const char *what, int64_t at)
{
	time_t seconds = at;
	struct tm local;
	char time[32];

	localtime_r(&seconds, &local);
	strftime(time, sizeof(time), "%a %H:%M", &local);
	buf_addf(text, "%s%s at %s", text->len > 0 ? ", " : "", what, time);
}

/* What comes next, for `systemctl status`. */
static void tell_status(struct daemon *daemon)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_LOG_LINE_BYTES);
	const char *recovered = recoverer_category(daemon->recoverer);
	int64_t poll_at = poller_next_at(daemon->poller);
	size_t n;
	int64_t at;

	if (!poller_is_idle(daemon->poller))
		buf_add_str(&text, "polling");
	else if (poll_at < INT64_MAX)
		add_time(&text, "next poll", poll_at);
	if (recovered)
		buf_addf(&text, "%scatching up with %s",
		         text.len > 0 ? ", " : "", recovered);
	if (schedule_next(daemon->schedule, &at, &n)) {
		owned(mem) char *what =
			mem_printf("%zu digest%s due", n, n == 1 ? "" : "s");

		add_time(&text, what, at);
	}
	n = sender_count_unanswered(daemon->sender);
	if (n > 0)
		buf_addf(&text, ", %zu mails are being accepted", n);
	notifier_status(&daemon->notifier, buf_str(&text));
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
		if (daemon->stage == STAGE_RUN && daemon->schedule)
			tell_status(daemon);
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
	close_parts(daemon);
	owned_release_fd(&daemon->signal_fd);
	store_close(daemon->store);
	notifier_fini(&daemon->notifier);
	conf_free(daemon->next_conf);
	conf_free(daemon->conf);
}

static int open_all(struct daemon *daemon, struct error *err)
{
	const char *state_dir = daemon->conf->state_dir;

	if (store_open(&daemon->store, state_dir, STORE_WRITE, err) < 0 ||
	    world_open(&daemon->world, daemon->conf, state_dir, err) < 0)
		return -1;
	daemon->service = (struct service){
		.conf = daemon->conf,
		.store = daemon->store,
		.world = world_service(daemon->world),
	};
	if (watch_signals(daemon, err) < 0)
		return -1;
	return sender_open(&daemon->sender, &daemon->service, &events, err);
}

static int run(struct daemon *daemon, struct error *err)
{
	if (open_all(daemon, err) < 0)
		return -1;
	notifier_init(&daemon->notifier);
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
