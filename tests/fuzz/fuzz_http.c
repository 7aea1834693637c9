/* Any bytes as an HTTP server's answer: a body, or a reason. */

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "feed/fetch.h"
#include "fuzz.h"
#include "wire.h"

/* A clock that the pause between requests has always passed on. */
static int64_t passed_ms;
static struct clock hand_clock;
static struct net *net;
static struct wire wire;
static struct feed_options options;
static struct feed_fetcher *fetcher;

static int64_t hand_sec(void *ctx)
{
	(void)ctx;
	return 1800000000 + passed_ms / 1000;
}

static int64_t hand_ms(void *ctx)
{
	(void)ctx;
	return passed_ms;
}

struct play {
	bool over;
};

static void on_answer(void *ctx, struct feed_answer *answer)
{
	struct play *play = ctx;

	if (answer->body.len > LIMIT_FEED_BYTES ||
	    (answer->kind == FEED_ANSWER_FAILED && !*answer->error.message) ||
	    answer->retry_after_sec < 0)
		abort();
	play->over = true;
}

static void open_all(void)
{
	struct error err = {0};

	hand_clock = (struct clock){hand_sec, hand_ms, NULL};
	options.contact = mem_dup("admin@example.org");
	if (net_open(&net, &hand_clock, &err) < 0 ||
	    feed_fetcher_open(&fetcher, net, &hand_clock, &options, NULL,
	                      &err) < 0)
		abort();
	wire_open(&wire, net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	owned(mem) char *url = NULL;
	struct feed_request request = {0};
	struct error err = {0};
	struct play play = {false};

	if (!net)
		open_all();
	wire.says =
		size > 0 ? (struct span){(const char *)data, size} : SPAN_NONE;
	url = mem_printf("http://127.0.0.1:%d/rss/x", wire.port);
	request.url = url;
	request.etag = size % 2 ? "e" : NULL;
	feed_fetch(fetcher, &request, on_answer, &play);
	for (int i = 0; !play.over; i++) {
		passed_ms += 4000;
		if (i == 10000 || net_turn(net, passed_ms + 1, &err) < 0)
			abort();
		wire_nudge(&wire);
	}
	wire_hang_up(&wire);
	return 0;
}
