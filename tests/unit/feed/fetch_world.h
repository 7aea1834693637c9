#pragma once

/*
 * The fetcher against a small server that lives in the same loop, with a
 * clock that is moved by hand: nothing here waits for three seconds.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "feed/fetch.h"
#include "server.h"

#define STEP_MS 50
#define STEPS_MAX 2000
#define START_SEC 1800000000

/* ---- the world of a test ---- */

struct world {
	struct clock clock;
	int64_t passed_ms; /* on the hand-moved clock */
	struct net *net;
	struct feed_options options;
	struct feed_fetcher *fetcher;
	struct server server;
	char state_dir[64];
	/* What came: */
	size_t n_answers;
	struct feed_answer last; /* its body as text below */
	char *body;
	bool asks_again;
	bool closes;
};

static inline int64_t hand_sec(void *ctx)
{
	const struct world *world = ctx;

	return START_SEC + world->passed_ms / 1000;
}

static inline int64_t hand_ms(void *ctx)
{
	const struct world *world = ctx;

	return world->passed_ms;
}

static inline int open_world(void **state)
{
	struct world *world = mem_new(sizeof(*world));
	struct error err = {0};

	*state = world;
	world->passed_ms = 12345;
	world->clock = (struct clock){hand_sec, hand_ms, world};
	world->options.contact = mem_dup("admin@example.org");
	snprintf(world->state_dir, sizeof(world->state_dir),
	         "/tmp/arxmail-XXXXXX");
	assert_non_null(mkdtemp(world->state_dir));
	assert_int_equal(net_open(&world->net, &world->clock, &err), 0);
	assert_int_equal(feed_fetcher_open(&world->fetcher, world->net,
	                                   &world->clock, &world->options,
	                                   world->state_dir, &err),
	                 0);
	open_server(&world->server, world->net, &world->clock);
	return 0;
}

static inline int close_world(void **state)
{
	struct world *world = *state;
	owned(mem) char *path = mem_printf("%s/feeds.lock", world->state_dir);

	feed_fetcher_close(world->fetcher);
	close_server(&world->server);
	net_close(world->net);
	feed_answer_fini(&world->last);
	free(world->body);
	feed_options_fini(&world->options);
	unlink(path);
	rmdir(world->state_dir);
	free(world);
	return 0;
}

static inline void on_answer(void *ctx, struct feed_answer *answer)
{
	struct world *world = ctx;
	struct feed_request again = {world->server.url, NULL, NULL};

	world->n_answers++;
	feed_answer_fini(&world->last);
	world->last = *answer;
	world->last.etag = mem_dup(answer->etag);
	world->last.last_modified = mem_dup(answer->last_modified);
	world->last.body = BUF_INIT(0);
	free(world->body);
	world->body = mem_dup_span(buf_span(&answer->body));
	if (world->asks_again)
		feed_fetch(world->fetcher, &again, on_answer, world);
	world->asks_again = false;
	if (world->closes)
		feed_fetcher_close(take_ptr(world->fetcher));
}

static inline void turn(struct world *world)
{
	struct error err = {0};

	assert_int_equal(net_turn(world->net, world->passed_ms + 2, &err), 0);
}

/* Lets the loop turn and the time pass until `n` answers have come. */
static inline void wait_for(struct world *world, size_t n)
{
	for (int i = 0; world->n_answers < n; i++) {
		assert_true(i < STEPS_MAX);
		turn(world);
		world->passed_ms += STEP_MS;
	}
	assert_int_equal(world->n_answers, n);
}

static inline void ask(struct world *world, const char *url)
{
	struct feed_request request = {url, NULL, NULL};

	feed_fetch(world->fetcher, &request, on_answer, world);
}

/* One request and its answer. */
static inline void fetch(struct world *world, const char *url, const char *etag,
                         const char *last_modified)
{
	struct feed_request request = {url, etag, last_modified};

	feed_fetch(world->fetcher, &request, on_answer, world);
	wait_for(world, world->n_answers + 1);
}
