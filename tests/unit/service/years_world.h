#pragma once

/*
 * The world of the simulated years: clocks that are set and machines that
 * sleep, a network to arXiv and a relay, and the daemon's parts, which are
 * turned as src/daemon/daemon.c turns them.
 */

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "conf/conf.h"
#include "service/deliver.h"
#include "service/poll.h"
#include "service/recover.h"
#include "service/retain.h"
#include "service/schedule.h"
#include "years_arxiv.h"

#define FETCH_MS 3000 /* a request and its pause */
#define FETCHES 16
#define FEED_BYTES 262144
#define SPINS_MOST 100000

struct fetch {
	feed_answer_fn done;
	void *arg;
	int64_t at_ms; /* when it is answered */
	int category;  /* CATEGORIES: the archive */
	char etag[64];
};

/* When arXiv does not answer, or with something else. */
struct outage {
	int64_t from;
	int64_t until;
};

enum relay_step {
	RELAY_NOTHING,
	RELAY_OPENING,
	RELAY_COMMANDS,
	RELAY_BODY,
};

struct relay {
	struct smtp_events events;
	enum relay_step step;
	const struct smtp_letter *letter;
	const struct smtp_letter *next;
	bool is_down;
};

struct sim;

/* What the test is told of. */
struct watcher {
	void (*fetched)(struct sim *sim, int category,
	                const struct shown *shown);
	void (*arrived)(struct sim *sim, const struct smtp_letter *letter,
	                const char *message_id, bool is_told);
};

struct sim {
	uint64_t chance; /* of the world; arXiv has its own */
	struct arxiv arxiv;
	struct outage outages[64];
	size_t n_outages;
	int64_t true_ms; /* what arXiv's clock and ours in truth show */
	int64_t monotonic_ms;
	int64_t skew_sec; /* how wrong the machine's wall clock is */
	struct fetch fetches[FETCHES];
	size_t n_fetches;
	int64_t asked_at[CATEGORIES + 1]; /* last, for each and the archive */
	struct relay relay;
	struct watcher watcher;

	/* the machine's program */
	char dir[32];
	char *conf_path;
	struct conf *conf;
	struct store *store;
	struct digest_cache *cache;
	struct service_world world;
	struct service service;
	struct sender *sender;
	struct poller *poller;
	struct recoverer *recoverer;
	struct schedule *schedule;
	int64_t prune_ms;
	bool is_up;
	struct error why;
};

#define MUST(sim, call)                                              \
	do {                                                         \
		if ((call) < 0)                                      \
			fail_msg("%s: %s", #call, sim->why.message); \
	} while (0)

/* ---- the clocks ---- */

static inline int64_t true_now(const struct sim *sim)
{
	return sim->true_ms / 1000;
}

static inline int64_t wall_now(const struct sim *sim)
{
	return true_now(sim) + sim->skew_sec;
}

static inline int64_t read_now(void *ctx)
{
	return wall_now(ctx);
}

static inline int64_t read_ms(void *ctx)
{
	return ((struct sim *)ctx)->monotonic_ms;
}

static inline void pass_ms(struct sim *sim, int64_t ms)
{
	sim->true_ms += ms;
	sim->monotonic_ms += ms;
}

/* ---- arXiv, over the network ---- */

static inline int find_category(const char *url)
{
	const char *name = strrchr(url, '/') + 1;

	for (int i = 0; i < CATEGORIES; i++)
		if (!strcmp(name, category_names[i]))
			return i;
	return CATEGORIES;
}

static inline void take_request(void *ctx, const struct feed_request *request,
                                feed_answer_fn done, void *arg)
{
	struct sim *sim = ctx;
	struct fetch *fetch = &sim->fetches[sim->n_fetches];

	assert_true(sim->n_fetches < FETCHES);
	*fetch = (struct fetch){.done = done,
	                        .arg = arg,
	                        .at_ms = sim->monotonic_ms + FETCH_MS,
	                        .category = find_category(request->url)};
	if (sim->n_fetches > 0)
		fetch->at_ms =
			sim->fetches[sim->n_fetches - 1].at_ms + FETCH_MS;
	if (request->etag)
		snprintf(fetch->etag, sizeof(fetch->etag), "%s", request->etag);
	sim->asked_at[fetch->category] = true_now(sim);
	sim->n_fetches++;
}

static inline bool is_out(const struct sim *sim)
{
	for (size_t i = 0; i < sim->n_outages; i++)
		if (true_now(sim) >= sim->outages[i].from &&
		    true_now(sim) < sim->outages[i].until)
			return true;
	return false;
}

static inline void refuse(struct sim *sim, struct feed_answer *answer)
{
	if (draw(&sim->chance, 4) == 0) {
		buf_add_str(&answer->body, "<html>maintenance</html>");
		return;
	}
	answer->kind = FEED_ANSWER_FAILED;
	answer->retry_after_sec = draw(&sim->chance, 3) == 0 ? 600 : 0;
	error_set(&answer->error, ERROR_TEMPORARY, "no answer");
}

/* The archive has nothing of what was missed: another test's matter. */
static inline void answer_archive(struct feed_answer *answer)
{
	buf_add_str(&answer->body,
	            "<OAI-PMH "
	            "xmlns=\"http://www.openarchives.org/OAI/2.0/\"><error "
	            "code=\"noRecordsMatch\">So it is.</error></OAI-PMH>");
}

static inline void answer_feed(struct sim *sim, const struct fetch *fetch,
                               struct feed_answer *answer)
{
	struct shown shown;
	char etag[64];

	show(&sim->arxiv, fetch->category, true_now(sim), &shown);
	write_etag(&shown, etag);
	if (!strcmp(etag, fetch->etag)) {
		answer->kind = FEED_ANSWER_NOT_MODIFIED;
	} else {
		answer->etag = mem_dup(etag);
		write_feed(&sim->arxiv, &shown, fetch->category, &answer->body);
	}
	sim->watcher.fetched(sim, fetch->category, &shown);
}

static inline void answer_first(struct sim *sim)
{
	struct fetch fetch = sim->fetches[0];
	struct feed_answer answer = {.body = BUF_INIT(FEED_BYTES)};

	memmove(sim->fetches, sim->fetches + 1,
	        --sim->n_fetches * sizeof(*sim->fetches));
	if (is_out(sim))
		refuse(sim, &answer);
	else if (fetch.category == CATEGORIES)
		answer_archive(&answer);
	else
		answer_feed(sim, &fetch, &answer);
	fetch.done(fetch.arg, &answer);
	feed_answer_fini(&answer);
}

/* ---- the relay ---- */

static inline int open_relay(void *ctx, const struct smtp_events *events,
                             void **ret_relay, struct error *err)
{
	struct sim *sim = ctx;

	(void)err;
	sim->relay.events = *events;
	sim->relay.step = RELAY_OPENING;
	*ret_relay = sim;
	return 0;
}

static inline void send_letter(void *relay, const struct smtp_letter *letter)
{
	struct sim *sim = relay;

	sim->relay.letter = letter;
	sim->relay.step = RELAY_COMMANDS;
}

static inline void send_body(void *relay, const struct smtp_letter *next)
{
	struct sim *sim = relay;

	sim->relay.next = next;
	sim->relay.step = RELAY_BODY;
}

static inline void close_relay(void *relay)
{
	((struct sim *)relay)->relay.step = RELAY_NOTHING;
}

static inline struct smtp_outcome say(enum smtp_verdict verdict,
                                      enum smtp_stage stage, bool closed)
{
	return (struct smtp_outcome){.verdict = verdict,
	                             .stage = stage,
	                             .closed = closed,
	                             .sentence = "the relay said so"};
}

static inline void take_letter(struct sim *sim, bool is_told)
{
	const struct smtp_letter *letter = sim->relay.letter;
	size_t at = span_find(letter->message, "Message-ID: <");
	struct span rest = span_skip(letter->message, at + 13);
	char id[64];

	assert_true(at < letter->message.len);
	snprintf(id, sizeof(id), "%.*s", (int)span_find(rest, ">"), rest.ptr);
	sim->watcher.arrived(sim, letter, id, is_told);
}

static inline void answer_body(struct sim *sim)
{
	struct relay *relay = &sim->relay;
	struct smtp_outcome outcome = say(SMTP_SENT, SMTP_STAGE_DOT, false);
	const struct smtp_letter *next = relay->next;

	if (draw(&sim->chance, 300) == 0)
		outcome = say(SMTP_UNKNOWN, SMTP_STAGE_DOT, true);
	take_letter(sim, !outcome.closed);
	relay->next = NULL;
	relay->events.done(relay->events.ctx, &outcome);
	if (!outcome.closed && next)
		send_letter(sim, next);
}

static inline void answer_relay(struct sim *sim)
{
	struct relay *relay = &sim->relay;
	struct smtp_outcome down = say(SMTP_RELAY, SMTP_STAGE_CONNECT, true);
	struct smtp_outcome busy = say(SMTP_DEFERRED, SMTP_STAGE_RCPT, false);
	enum relay_step step = relay->step;

	relay->step = RELAY_NOTHING;
	if (step == RELAY_OPENING && relay->is_down)
		relay->events.closed(relay->events.ctx, &down);
	else if (step == RELAY_OPENING)
		relay->events.open(relay->events.ctx);
	else if (step == RELAY_BODY)
		answer_body(sim);
	else if (draw(&sim->chance, 60) == 0)
		relay->events.done(relay->events.ctx, &busy);
	else
		relay->events.ready(relay->events.ctx);
}

/* ---- the daemon ---- */

static inline void on_brought(void *ctx)
{
	struct sim *sim = ctx;

	if (sim->recoverer)
		recoverer_wake(sim->recoverer);
	if (sim->schedule)
		schedule_wake(sim->schedule);
}

static inline void close_parts(struct sim *sim)
{
	sim->n_fetches = 0;
	poller_close(take_ptr(sim->poller));
	recoverer_close(take_ptr(sim->recoverer));
	schedule_close(take_ptr(sim->schedule));
	digest_cache_free(take_ptr(sim->cache));
}

static inline void open_parts(struct sim *sim)
{
	size_t n_cancelled;

	sim->cache = digest_cache_new(1 << 24);
	sim->service.conf = sim->conf;
	sim->service.cache = sim->cache;
	MUST(sim,
	     service_keep_subscribers(&sim->service, &n_cancelled, &sim->why));
	MUST(sim, poller_open(&sim->poller, &sim->service, on_brought, sim,
	                      &sim->why));
	MUST(sim, recoverer_open(&sim->recoverer, &sim->service, &sim->why));
	MUST(sim, schedule_open(&sim->schedule, &sim->service, &sim->why));
}

static const struct service_deliver_events no_events;

/* Also after a crash: what was on its way is forgotten. */
static inline void start(struct sim *sim)
{
	open_parts(sim);
	MUST(sim,
	     sender_open(&sim->sender, &sim->service, &no_events, &sim->why));
	sim->is_up = true;
}

static inline void stop(struct sim *sim)
{
	if (!sim->is_up)
		return;
	sender_close(take_ptr(sim->sender));
	sim->relay.step = RELAY_NOTHING;
	close_parts(sim);
	sim->is_up = false;
}

static inline void keep_earlier(int64_t *look_ms, int64_t other_ms)
{
	if (other_ms < *look_ms)
		*look_ms = other_ms;
}

static inline int64_t turn(struct sim *sim)
{
	int64_t look_ms = INT64_MAX;
	int64_t part_ms = INT64_MAX;
	bool more = false;

	MUST(sim, poller_turn(sim->poller, &part_ms, &sim->why));
	keep_earlier(&look_ms, part_ms);
	MUST(sim, recoverer_turn(sim->recoverer, &part_ms, &sim->why));
	keep_earlier(&look_ms, part_ms);
	MUST(sim, schedule_turn(sim->schedule, &part_ms, &sim->why));
	keep_earlier(&look_ms, part_ms);
	if (sim->monotonic_ms >= sim->prune_ms) {
		MUST(sim,
		     service_retain_slice(&sim->service, &more, &sim->why));
		sim->prune_ms = sim->monotonic_ms + (more ? 0 : DAY * 1000);
	}
	keep_earlier(&look_ms, sim->prune_ms);
	MUST(sim, sender_turn(sim->sender, &part_ms, &sim->why));
	keep_earlier(&look_ms, part_ms);
	return look_ms;
}

/* To the next thing that happens, or until then. */
static inline void wait_until(struct sim *sim, int64_t look_ms,
                              int64_t until_ms)
{
	int64_t left_ms = until_ms - sim->true_ms;

	if (sim->n_fetches > 0)
		keep_earlier(&look_ms, sim->fetches[0].at_ms);
	if (look_ms - sim->monotonic_ms < left_ms)
		left_ms = look_ms - sim->monotonic_ms;
	if (left_ms > 0)
		pass_ms(sim, left_ms);
	if (sim->n_fetches > 0 && sim->fetches[0].at_ms <= sim->monotonic_ms)
		answer_first(sim);
}

static inline void run_until(struct sim *sim, int64_t until)
{
	int64_t seen_ms = sim->true_ms;
	int n_spins = 0;

	while (sim->is_up && true_now(sim) < until) {
		int64_t look_ms = turn(sim);

		n_spins = sim->true_ms > seen_ms ? 0 : n_spins + 1;
		seen_ms = sim->true_ms;
		if (n_spins > SPINS_MOST)
			fail_msg("the loop spins");
		if (sim->relay.step != RELAY_NOTHING)
			answer_relay(sim);
		else
			wait_until(sim, look_ms, until * 1000);
	}
	if (!sim->is_up)
		pass_ms(sim, until * 1000 - sim->true_ms);
}

/* ---- its life ---- */

static inline void configure(struct sim *sim, const char *subscribers)
{
	owned(conf_report) struct conf_report report = {0};
	owned(buf) struct buf text = BUF_INIT(65536);
	struct conf *conf = NULL;

	buf_addf(&text,
	         "state_dir = \"%s\";\n"
	         "sender: { from = \"Digest <digest@example.org>\"; };\n"
	         "smtp: { url = \"smtp://127.0.0.1:9\"; tls = \"none\";"
	         " connections = 1; };\n"
	         "feeds: { contact = \"admin@example.org\"; };\n"
	         "subscribers = ( %s );\n",
	         sim->dir, subscribers);
	MUST(sim,
	     file_replace(sim->conf_path, buf_span(&text), 0600, &sim->why));
	if (conf_load(&conf, sim->conf_path, &report, &sim->why) != CONF_VALID)
		fail_msg("%s", report.errors.n ? report.errors.items[0]
		                               : sim->why.message);
	conf_free(sim->conf);
	sim->conf = conf;
}

static inline void sim_init(struct sim *sim, uint64_t seed, int32_t first_day,
                            int32_t n_days)
{
	owned(mem) char *holidays = NULL;

	*sim = (struct sim){.chance = seed * 2 + 1,
	                    .true_ms = (int64_t)first_day * DAY * 1000,
	                    .monotonic_ms = 1000000};
	/* A day before, for New York's is earlier. */
	arxiv_init(&sim->arxiv, seed, first_day - 2, n_days + 4);
	snprintf(sim->dir, sizeof(sim->dir), "/tmp/arxmail-test-XXXXXX");
	assert_non_null(mkdtemp(sim->dir));
	sim->conf_path = mem_printf("%s/arxmail.conf", sim->dir);
	holidays = mem_printf("%s/holidays", sim->dir);
	MUST(sim, file_replace(holidays, buf_span(&sim->arxiv.holidays), 0600,
	                       &sim->why));
	MUST(sim, store_open(&sim->store, "", STORE_WRITE, &sim->why));
	sim->world = (struct service_world){
		.clock = {read_now, read_ms, sim},
		.ctx = sim,
		.fetch = take_request,
		.relay_open = open_relay,
		.relay_send = send_letter,
		.relay_send_body = send_body,
		.relay_close = close_relay,
	};
	sim->service =
		(struct service){.store = sim->store, .world = &sim->world};
}

static inline void remove_file(const struct sim *sim, const char *name)
{
	owned(mem) char *path = mem_printf("%s/%s", sim->dir, name);

	unlink(path);
}

static inline void sim_fini(struct sim *sim)
{
	stop(sim);
	conf_free(sim->conf);
	store_close(sim->store);
	arxiv_fini(&sim->arxiv);
	remove_file(sim, "arxmail.conf");
	remove_file(sim, "holidays");
	remove_file(sim, "send.lock");
	assert_int_equal(rmdir(sim->dir), 0);
	free(sim->conf_path);
}
