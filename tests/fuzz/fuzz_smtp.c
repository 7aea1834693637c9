/*
 * Any bytes as all that an SMTP server says, from its greeting on: the session
 * ends, and nothing is called sent that no 250 was said for.
 */

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fuzz.h"
#include "mail/smtp.h"
#include "wire.h"

#define MOST_LETTERS 4
#define SILENCE_MS 2 /* after which the server says more */

static struct clock real_clock;
static struct net *net;
static struct wire wire;

struct play {
	struct smtp_session *session;
	struct smtp_outcome outcome;
	size_t n_done;
	size_t n_sent;
	bool is_next_begun;
	bool over;
};

static const struct smtp_letter letter = {
	"digest@example.org",
	"ada@example.org",
	{"Subject: x\r\n\r\nbody\r\n", 20},
};

static void on_open(void *ctx)
{
	struct play *play = ctx;

	smtp_send(play->session, &letter);
}

static void on_closed(void *ctx, const struct smtp_outcome *outcome)
{
	struct play *play = ctx;

	play->outcome = *outcome;
	play->over = true;
}

static void on_ready(void *ctx)
{
	struct play *play = ctx;

	/* Every other letter travels ahead. */
	play->is_next_begun = play->n_done % 2 == 0;
	smtp_send_body(play->session, play->is_next_begun ? &letter : NULL);
}

static void on_done(void *ctx, const struct smtp_outcome *outcome)
{
	struct play *play = ctx;

	play->outcome = *outcome;
	play->n_sent += outcome->verdict == SMTP_SENT;
	play->over = outcome->closed || play->n_done++ == MOST_LETTERS;
	if (!play->over && !play->is_next_begun)
		smtp_send(play->session, &letter);
	play->is_next_begun = false;
}

static size_t count(struct span text, const char *code)
{
	size_t n = 0;

	for (;;) {
		size_t at = span_find(text, code);

		if (at == text.len)
			return n;
		n++;
		text = span_skip(text, at + 1);
	}
}

static void run(struct play *play, struct smtp_options *options)
{
	const struct smtp_events events = {
		.open = on_open,
		.closed = on_closed,
		.ready = on_ready,
		.done = on_done,
		.ctx = play,
	};
	struct error err = {0};

	if (smtp_open(&play->session, net, &real_clock, options, &events,
	              &err) < 0)
		abort();
	for (int i = 0; !play->over; i++) {
		int64_t until_ms = clock_monotonic_ms(&real_clock) + SILENCE_MS;

		if (i == 10000 || net_turn(net, until_ms, &err) < 0)
			abort();
		if (clock_monotonic_ms(&real_clock) >= until_ms)
			wire_nudge(&wire);
	}
	smtp_close(play->session);
	wire_hang_up(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_options options = {
		.tls = SMTP_TLS_NONE,
		.timeout_s = 5,
	};
	struct play play = {0};
	struct error err = {0};

	if (!net) {
		real_clock = clock_real();
		if (net_open(&net, &real_clock, &err) < 0)
			abort();
		wire_open(&wire, net);
	}
	/* One byte chooses between a session with login and one without. */
	if (size > 0 && data[0] & 1) {
		options.username = mem_dup("digest");
		options.password = mem_dup("secret");
	}
	wire.says = size > 0 ? (struct span){(const char *)data + 1, size - 1}
	                     : SPAN_NONE;
	options.url = mem_printf("smtp://127.0.0.1:%d", wire.port);
	run(&play, &options);
	if (!*play.outcome.sentence && play.outcome.verdict != SMTP_SENT)
		abort();
	if (count(wire.says, "250") < play.n_sent ||
	    count(wire.says, "354") < play.n_sent)
		abort();
	smtp_options_fini(&options);
	return 0;
}
