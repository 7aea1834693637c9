#pragma once

/*
 * A world of our own: a clock that is set, feeds that are texts, a relay that
 * does what each case says. The store and the config are real.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "model/day.h"
#include "service/compose.h"
#include "service/deliver.h"
#include "service/poll.h"
#include "service/retain.h"

#define NOON 1790000000 /* Monday, 2026-09-21, 14:13:20 UTC */
#define DAY_SEC 86400
#define FEED_BYTES 65536
#define MAX_SENT 32

enum relay_act {
	ACT_ACCEPT,
	ACT_DEFER,
	ACT_REFUSE,        /* no such user */
	ACT_REFUSE_POLICY, /* not for the recipient's fault */
	ACT_LOSE_AFTER_DOT,
	ACT_CRASH_BEFORE_DOT, /* the loop fails: as good as a kill */
	ACT_CRASH_AFTER_DOT,
	ACT_RELAY_DOWN,
	ACT_RELAY_REFUSES, /* at MAIL */
};

struct sent {
	char to[64];
	char message_id[64];
};

struct model;

struct rig {
	char dir[32];
	char *conf_path;
	struct conf *conf;
	struct store *store;
	struct service_world world;
	struct service service;
	int64_t now;
	char feed[FEED_BYTES]; /* of every category; "" is unreachable */
	enum relay_act act;
	struct sent sent[MAX_SENT];
	size_t n_sent;

	/* under way */
	feed_answer_fn done;
	void *arg;
	struct smtp_events events;
	char to[64];
	char message_id[64];
	struct buf message;
	const struct smtp_letter *next;
	int step; /* of the relay */

	/* the model, where a test has one */
	const char *more; /* in the config */
	struct model *model;
};

/* How a test plays the model's endpoint. */
struct model {
	void (*ask)(struct rig *rig, const struct llm_question *question,
	            llm_answer_fn done, void *arg);
	/* Something happens; false: time passes until the deadline. */
	bool (*wait)(struct rig *rig);
	void (*forget)(struct rig *rig);
};

enum step {
	STEP_NONE,
	STEP_OPENING,
	STEP_COMMANDS,
	STEP_BODY,
};

static inline int64_t read_now(void *ctx)
{
	return ((struct rig *)ctx)->now;
}

static inline int64_t read_ms(void *ctx)
{
	return ((struct rig *)ctx)->now * 1000;
}

static inline void fake_fetch(void *ctx, const struct feed_request *request,
                              feed_answer_fn done, void *arg)
{
	struct rig *rig = ctx;
	struct feed_answer answer = {.body = BUF_INIT(FEED_BYTES)};

	(void)request;
	if (rig->feed[0]) {
		buf_add_str(&answer.body, rig->feed);
	} else {
		answer.kind = FEED_ANSWER_FAILED;
		error_set(&answer.error, ERROR_TEMPORARY, "no answer");
	}
	done(arg, &answer);
	buf_fini(&answer.body);
}

static inline int fake_open(void *ctx, const struct smtp_events *events,
                            void **ret_relay, struct error *err)
{
	struct rig *rig = ctx;

	(void)err;
	rig->events = *events;
	rig->step = STEP_OPENING;
	*ret_relay = rig;
	return 0;
}

static inline void fake_send(void *relay, const struct smtp_letter *letter)
{
	struct rig *rig = relay;
	struct span message = letter->message;
	size_t at = span_find(message, "Message-ID: <");
	struct span rest = span_skip(message, at + strlen("Message-ID: <"));

	assert_string_equal(letter->from, "digest@example.org");
	assert_true(at < message.len);
	snprintf(rig->to, sizeof(rig->to), "%s", letter->to);
	snprintf(rig->message_id, sizeof(rig->message_id), "%.*s",
	         (int)span_find(rest, ">"), rest.ptr);
	buf_clear(&rig->message);
	buf_add_span(&rig->message, message);
	rig->step = STEP_COMMANDS;
}

/* As a server that does not pipeline: the next one follows the outcome. */
static inline void fake_send_body(void *relay, const struct smtp_letter *next)
{
	struct rig *rig = relay;

	rig->next = next;
	rig->step = STEP_BODY;
}

static inline void fake_close(void *relay)
{
	((struct rig *)relay)->step = STEP_NONE;
}

static inline struct smtp_outcome outcome(enum smtp_verdict verdict,
                                          enum smtp_stage stage, bool closed)
{
	return (struct smtp_outcome){.verdict = verdict,
	                             .stage = stage,
	                             .closed = closed,
	                             .sentence = "the relay said so"};
}

static inline void accept_body(struct rig *rig)
{
	struct smtp_outcome sent = outcome(SMTP_SENT, SMTP_STAGE_DOT, false);
	struct sent *next = &rig->sent[rig->n_sent++];

	assert_true(rig->n_sent <= MAX_SENT);
	memcpy(next->to, rig->to, sizeof(next->to));
	memcpy(next->message_id, rig->message_id, sizeof(next->message_id));
	rig->events.done(rig->events.ctx, &sent);
	if (rig->next)
		fake_send(rig, rig->next);
	rig->next = NULL;
}

static inline int answer_open(struct rig *rig)
{
	struct smtp_outcome down =
		outcome(SMTP_RELAY, SMTP_STAGE_CONNECT, true);

	if (rig->act == ACT_RELAY_DOWN)
		rig->events.closed(rig->events.ctx, &down);
	else
		rig->events.open(rig->events.ctx);
	return 0;
}

static inline int answer_commands(struct rig *rig, struct error *err)
{
	struct smtp_outcome no;

	switch (rig->act) {
	case ACT_DEFER:
		no = outcome(SMTP_DEFERRED, SMTP_STAGE_RCPT, false);
		break;
	case ACT_REFUSE:
		no = outcome(SMTP_FAILED, SMTP_STAGE_RCPT, false);
		no.bad_recipient = true;
		break;
	case ACT_REFUSE_POLICY:
		no = outcome(SMTP_FAILED, SMTP_STAGE_RCPT, false);
		no.code = 554;
		break;
	case ACT_RELAY_REFUSES:
		no = outcome(SMTP_RELAY, SMTP_STAGE_MAIL, false);
		break;
	case ACT_CRASH_BEFORE_DOT:
		return error_set(err, ERROR_SYSTEM, "killed");
	default:
		rig->events.ready(rig->events.ctx);
		return 0;
	}
	rig->events.done(rig->events.ctx, &no);
	return 0;
}

static inline int answer_body(struct rig *rig, struct error *err)
{
	struct smtp_outcome lost = outcome(SMTP_UNKNOWN, SMTP_STAGE_DOT, true);

	if (rig->act == ACT_CRASH_AFTER_DOT)
		return error_set(err, ERROR_SYSTEM, "killed");
	if (rig->act == ACT_LOSE_AFTER_DOT)
		rig->events.done(rig->events.ctx, &lost);
	else
		accept_body(rig);
	return 0;
}

static inline int fake_wait(void *ctx, int64_t until_ms, struct error *err)
{
	struct rig *rig = ctx;
	int step = rig->step;

	rig->step = STEP_NONE;
	switch (step) {
	case STEP_OPENING:
		return answer_open(rig);
	case STEP_COMMANDS:
		return answer_commands(rig, err);
	case STEP_BODY:
		return answer_body(rig, err);
	default:
		break;
	}
	if (until_ms <= read_ms(rig) || (rig->model && rig->model->wait(rig)))
		return 0;
	if (rig->model && until_ms < INT64_MAX) {
		rig->now = (until_ms + 999) / 1000;
		return 0;
	}
	return error_set(err, ERROR_SYSTEM, "nothing to wait for");
}

static inline void fake_ask(void *ctx, const struct llm_question *question,
                            llm_answer_fn done, void *arg)
{
	struct rig *rig = ctx;

	rig->model->ask(rig, question, done, arg);
}

static inline void fake_forget(void *ctx)
{
	struct rig *rig = ctx;

	rig->model->forget(rig);
}

/* ---- the rig ---- */

static inline void configure(struct rig *rig, const char *subscribers)
{
	owned(conf_report) struct conf_report report = {0};
	owned(buf) struct buf text = BUF_INIT(8192);
	struct error err = {0};

	conf_free(rig->conf);
	rig->conf = NULL;
	buf_addf(&text,
	         "state_dir = \"%s\";\n"
	         "sender: { from = \"Digest <digest@example.org>\"; };\n"
	         "smtp: { url = \"smtp://127.0.0.1:9\"; tls = \"none\";"
	         " connections = 1; };\n"
	         "feeds: { contact = \"admin@example.org\"; };\n"
	         "%s\nsubscribers = ( %s );\n",
	         rig->dir, rig->more ? rig->more : "", subscribers);
	assert_int_equal(
		file_replace(rig->conf_path, buf_span(&text), 0600, &err), 0);
	if (conf_load(&rig->conf, rig->conf_path, &report, &err) != CONF_VALID)
		fail_msg("%s", report.errors.n ? report.errors.items[0]
		                               : err.message);
	rig->service = (struct service){
		.conf = rig->conf, .store = rig->store, .world = &rig->world};
}

#define ADA(more)                                      \
	"{ id = \"ada\"; email = \"ada@example.org\";" \
	" categories = [\"cs.CL\"]; " more " }"

static inline int set_up(void **state)
{
	struct rig *rig = mem_new(sizeof(*rig));
	struct error err = {0};

	log_set_level(LOG_LEVEL_ERROR);
	snprintf(rig->dir, sizeof(rig->dir), "/tmp/arxmail-test-XXXXXX");
	if (!mkdtemp(rig->dir) ||
	    store_open(&rig->store, rig->dir, STORE_WRITE, &err) < 0)
		return -1;
	rig->conf_path = mem_printf("%s/arxmail.conf", rig->dir);
	rig->now = NOON;
	rig->message = BUF_INIT(1 << 20);
	rig->world = (struct service_world){
		.clock = {read_now, read_ms, rig},
		.ctx = rig,
		.fetch = fake_fetch,
		.relay_open = fake_open,
		.relay_send = fake_send,
		.relay_send_body = fake_send_body,
		.relay_close = fake_close,
		.ask = fake_ask,
		.forget = fake_forget,
		.wait = fake_wait,
	};
	configure(rig, ADA("keywords = [\"retrieval\"];"));
	*state = rig;
	return 0;
}

static inline void remove_file(const struct rig *rig, const char *name)
{
	owned(mem) char *path = mem_printf("%s/%s", rig->dir, name);

	unlink(path);
}

static inline int tear_down(void **state)
{
	struct rig *rig = *state;
	int rc;

	store_close(rig->store);
	conf_free(rig->conf);
	remove_file(rig, "arxmail.db");
	remove_file(rig, "arxmail.db-wal");
	remove_file(rig, "arxmail.db-shm");
	remove_file(rig, "send.lock");
	remove_file(rig, "llm.lock");
	remove_file(rig, "arxmail.conf");
	rc = rmdir(rig->dir);
	free(rig->conf_path);
	buf_fini(&rig->message);
	free(rig);
	return rc;
}

/* "2609.00001v1 new retrieval of things" a paper; every other text a title. */
static inline void announce(struct rig *rig, const char *const *papers,
                            size_t n)
{
	owned(buf) struct buf text = BUF_INIT(FEED_BYTES - 1);

	buf_add_str(&text,
	            "<rss version=\"2.0\" xmlns:arxiv="
	            "\"http://arxiv.org/schemas/atom\" xmlns:dc="
	            "\"http://purl.org/dc/elements/1.1/\"><channel>"
	            "<title>cs.CL updates on arXiv.org</title>");
	for (size_t i = 0; i < n; i++) {
		struct span rest = span_of(papers[i]);
		struct span id;
		struct span type;

		span_split(&rest, ' ', &id);
		span_split(&rest, ' ', &type);
		buf_addf(&text,
		         "<item><title>%.*s</title><description>arXiv:%.*s "
		         "Announce Type: %.*s \nAbstract: About it."
		         "</description><guid isPermaLink=\"false\">"
		         "oai:arXiv.org:%.*s</guid><category>cs.CL</category>"
		         "<arxiv:announce_type>%.*s</arxiv:announce_type>"
		         "<dc:creator>M. Okafor</dc:creator></item>",
		         (int)rest.len, rest.ptr, (int)id.len, id.ptr,
		         (int)type.len, type.ptr, (int)id.len, id.ptr,
		         (int)type.len, type.ptr);
	}
	buf_add_str(&text, "</channel></rss>");
	assert_false(text.failed);
	memcpy(rig->feed, text.data, text.len + 1);
}

#define ANNOUNCE(rig, ...)                                    \
	announce(rig, (const char *const[]){__VA_ARGS__},     \
	         sizeof((const char *const[]){__VA_ARGS__}) / \
	                 sizeof(const char *))

static inline enum outcome poll(struct rig *rig)
{
	owned(poll_results) struct service_poll_results results = {0};
	owned(strings) struct strings categories = {0};
	const struct service_poll_events events = {0};
	struct error err = {0};

	service_categories(rig->conf, NULL, &categories);
	assert_int_equal(service_poll(&rig->service, &categories, &events,
	                              &results, &err),
	                 0);
	assert_int_equal(results.n, categories.n);
	return results.items[0].outcome;
}

static inline struct service_queue_counts queue(struct rig *rig)
{
	const struct service_queue_job job = {
		.subscribers = (const struct subscriber *const *)
	                               rig->conf->subscribers,
		.n = rig->conf->n_subscribers,
	};
	struct service_queue_counts counts = {0};
	owned(strings) struct strings ids = {0};
	struct error err = {0};
	size_t cancelled;

	for (size_t i = 0; i < rig->conf->n_subscribers; i++)
		strings_add(&ids, span_of(rig->conf->subscribers[i]->id));
	assert_int_equal(store_keep_subscribers(rig->store, &ids, rig->now,
	                                        &cancelled, &err),
	                 0);
	assert_int_equal(service_queue(&rig->service, &job, &counts, &err), 0);
	return counts;
}

static inline struct service_deliver_counts deliver(struct rig *rig,
                                                    enum relay_act act)
{
	const struct service_deliver_events events = {0};
	struct service_deliver_counts counts = {0};
	struct error err = {0};
	int rc;

	rig->act = act;
	rc = service_deliver(&rig->service, NULL, &events, &counts, &err);
	if (act == ACT_CRASH_BEFORE_DOT || act == ACT_CRASH_AFTER_DOT)
		assert_int_equal(rc, -1);
	else
		assert_int_equal(rc, 0);
	return counts;
}

/* A whole run on a good day; how many mails it sent. */
static inline size_t send_now(struct rig *rig)
{
	poll(rig);
	queue(rig);
	return deliver(rig, ACT_ACCEPT).n_sent;
}

/* The ids of the newest digest, with a blank between. */
static inline void assert_last_digest(struct rig *rig, const char *id,
                                      const char *expected)
{
	owned(store_digest) struct store_digest *stored = NULL;
	owned(buf) struct buf ids = BUF_INIT(1000);
	struct store_last_digest last = {0};
	struct error err = {0};

	assert_int_equal(store_last_digest(rig->store, id, &last, &err),
	                 STORE_FOUND);
	assert_int_equal(
		store_load_digest(rig->store, last.digest_id, &stored, &err),
		0);
	for (size_t i = 0; i < stored->digest->n_entries; i++)
		buf_addf(&ids, "%s%sv%u", i > 0 ? " " : "",
		         stored->digest->entries[i].paper->id,
		         stored->digest->entries[i].paper->version);
	assert_string_equal(buf_str(&ids), expected);
}

static inline void assert_state(struct rig *rig, const char *id,
                                enum delivery_state expected)
{
	struct store_last_digest last = {0};
	struct error err = {0};

	assert_int_equal(store_last_digest(rig->store, id, &last, &err),
	                 STORE_FOUND);
	assert_string_equal(
		delivery_state_name((enum delivery_state)last.state),
		delivery_state_name(expected));
}

static inline void assert_day(struct rig *rig, const char *id,
                              enum outcome expected)
{
	owned(zone) struct zone *zone = zone_open("UTC");
	const struct store_day day = {OUTCOME_OF_SUBSCRIBER, id,
	                              zone_day(zone, rig->now)};
	enum outcome found = OUTCOMES;
	struct error err = {0};

	assert_int_equal(store_get_outcome(rig->store, &day, &found, &err),
	                 STORE_FOUND);
	assert_string_equal(outcome_name(found), outcome_name(expected));
}
