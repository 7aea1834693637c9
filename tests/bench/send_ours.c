/*
 * send_ours PORT CONNECTIONS MESSAGES: sends ready-made messages with our
 * sessions and nothing else: no store, no digests.
 */

#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "mail/smtp.h"
#include "message.h"
#include "net/net.h"

#define MAX_CONNECTIONS 64

struct sender {
	struct smtp_session *session;
	struct run *run;
	bool has_next;
	bool is_over;
};

struct run {
	struct sender senders[MAX_CONNECTIONS];
	struct smtp_letter letter;
	uint64_t n_connections;
	uint64_t n_left;  /* not begun yet */
	uint64_t n_going; /* senders that are not over */
	bool has_failed;
};

static const struct smtp_letter *take_letter(struct sender *sender)
{
	struct run *run = sender->run;

	sender->has_next = run->n_left > 0;
	if (!sender->has_next)
		return NULL;
	run->n_left--;
	return &run->letter;
}

static void stop(struct sender *sender, const struct smtp_outcome *outcome)
{
	if (outcome && outcome->verdict != SMTP_SENT) {
		fprintf(stderr, "%s\n", outcome->sentence);
		sender->run->has_failed = true;
	}
	sender->is_over = true;
	sender->run->n_going--;
}

static void send_one(struct sender *sender)
{
	const struct smtp_letter *letter = take_letter(sender);

	if (letter)
		smtp_send(sender->session, letter);
	else
		stop(sender, NULL);
}

static void on_open(void *ctx)
{
	send_one(ctx);
}

static void on_ready(void *ctx)
{
	struct sender *sender = ctx;

	smtp_send_body(sender->session, take_letter(sender));
}

static void on_end(void *ctx, const struct smtp_outcome *outcome)
{
	struct sender *sender = ctx;

	if (outcome->verdict != SMTP_SENT || outcome->closed)
		stop(sender, outcome);
	else if (!sender->has_next)
		send_one(sender);
}

static int send_all(struct run *run, struct net *net, const struct clock *clock,
                    const struct smtp_options *options, struct error *err)
{
	for (uint64_t i = 0; i < run->n_connections; i++) {
		struct sender *sender = &run->senders[i];
		const struct smtp_events events = {on_open, on_end, on_ready,
		                                   on_end, sender};

		sender->run = run;
		run->n_going++;
		if (smtp_open(&sender->session, net, clock, options, &events,
		              err) < 0)
			return -1;
	}
	while (run->n_going > 0 && !run->has_failed)
		if (net_turn(net, INT64_MAX, err) < 0)
			return -1;
	return 0;
}

static int run_on(struct run *run, uint64_t port, struct error *err)
{
	struct clock clock = clock_real();
	owned(mem) char *url =
		mem_printf("smtp://127.0.0.1:%u", (unsigned)port);
	struct smtp_options options = {
		.url = url, .tls = SMTP_TLS_NONE, .timeout_s = 60};
	owned(net) struct net *net = NULL;
	int rc;

	if (net_open(&net, &clock, err) < 0)
		return -1;
	rc = send_all(run, net, &clock, &options, err);
	for (uint64_t i = 0; i < run->n_connections; i++)
		smtp_close(run->senders[i].session);
	return rc;
}

int main(int argc, char **argv)
{
	static struct run run;
	owned(buf) struct buf message = BUF_INIT(2 * MESSAGE_BYTES);
	struct error err;
	uint64_t port;

	if (argc != 4 || !num_parse(span_of(argv[1]), 1, UINT16_MAX, &port) ||
	    !num_parse(span_of(argv[2]), 1, MAX_CONNECTIONS,
	               &run.n_connections) ||
	    !num_parse(span_of(argv[3]), 1, UINT32_MAX, &run.n_left)) {
		fprintf(stderr,
		        "usage: send_ours PORT CONNECTIONS "
		        "MESSAGES\n");
		return 2;
	}
	write_message(&message);
	run.letter = (struct smtp_letter){MESSAGE_FROM, MESSAGE_TO,
	                                  buf_span(&message)};
	if (run_on(&run, port, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	return run.has_failed;
}
