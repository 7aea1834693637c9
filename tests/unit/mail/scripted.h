#pragma once

/*
 * A server that plays a script in a child process, and a client that sends
 * one message to it. Lines of a script:
 *
 *      < TEXT    a line comes, exactly so ("*" at its end: anything)
 *      > TEXT    a line is sent
 *      + TEXT    the same without its end, and each "|" as a line's end
 *      quiet     nothing more has come
 *      tick N    the client's clock goes on by N seconds
 *      open      the client has been told that the session is open
 *      close     FIN
 *      reset     RST
 *      stall     nothing, until the client has gone
 *      gone      the client goes, without another byte
 *
 * At its end the client's last bytes are read, lest they become an RST that
 * overtakes a reply; and it exits with 1 if what came was not in the script.
 */

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/span.h"
#include "mail/smtp.h"
#include "net/net.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Long enough for a wrongly sent byte to come. */
#define QUIET_MS 30
#define LINE_BYTES 4096

/* ---- the server ---- */

struct server {
	int listener;
	int ticks;  /* what "tick" says, for the client */
	int opened; /* a byte from the client, for "open" */
	pid_t pid;
	char url[64];
};

static inline void say(int fd, struct span text)
{
	if (send(fd, text.ptr, text.len, MSG_NOSIGNAL) != (ssize_t)text.len)
		_exit(2);
}

static inline void say_line(int fd, struct span text)
{
	owned(mem) char *line = mem_printf("%.*s\r\n", (int)text.len, text.ptr);

	say(fd, span_of(line));
}

static inline void say_parts(int fd, struct span text)
{
	owned(buf) struct buf bytes = BUF_INIT(LINE_BYTES);
	struct span part;

	while (span_split(&text, '|', &part)) {
		buf_add_span(&bytes, part);
		if (text.ptr)
			buf_add_str(&bytes, "\r\n");
	}
	say(fd, buf_span(&bytes));
}

static inline void expect_line(int fd, struct span wanted)
{
	char line[LINE_BYTES];
	struct span got = {line, 0};

	while (!span_ends(got, "\r\n")) {
		if (got.len == sizeof(line) ||
		    recv(fd, line + got.len, 1, 0) != 1)
			break;
		got.len++;
	}
	if (span_ends(wanted, "*")) {
		wanted.len--;
		got = span_first(got, wanted.len);
	} else if (span_ends(got, "\r\n")) {
		got.len -= 2;
	}
	if (span_equal(got, wanted))
		return;
	fprintf(stderr, "the server expected '%.*s', got '%.*s'\n",
	        (int)wanted.len, wanted.ptr, (int)got.len, got.ptr);
	_exit(1);
}

static inline void expect_quiet(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	if (poll(&poll_fd, 1, QUIET_MS) == 0)
		return;
	fprintf(stderr, "the server expected nothing, but something came\n");
	_exit(1);
}

static inline void expect_end(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) != 1)
		return;
	fprintf(stderr, "the server expected the end, but '%c' came\n", byte);
	_exit(1);
}

static inline void reset_connection(int fd)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static inline void stall(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) == 1)
		;
}

static inline void play_line(int fd, const int pipes[2], struct span line)
{
	struct span text = line.len > 2 ? span_skip(line, 2) : SPAN_NONE;

	if (span_starts(line, "<")) {
		expect_line(fd, text);
	} else if (span_starts(line, ">")) {
		say_line(fd, text);
	} else if (span_starts(line, "+")) {
		say_parts(fd, text);
	} else if (span_is(line, "quiet")) {
		expect_quiet(fd);
	} else if (span_starts(line, "tick ")) {
		if (write(pipes[1], line.ptr + 5, line.len - 5) < 0)
			_exit(2);
	} else if (span_is(line, "open")) {
		if (read(pipes[0], &(char){0}, 1) != 1)
			_exit(2);
	} else if (span_is(line, "close")) {
		shutdown(fd, SHUT_WR);
	} else if (span_is(line, "reset")) {
		reset_connection(fd);
	} else if (span_is(line, "stall")) {
		stall(fd);
	} else if (span_is(line, "gone")) {
		expect_end(fd);
	}
}

static inline void serve(int listener, const int pipes[2], const char *script)
{
	int fd = accept(listener, NULL, NULL);
	struct span rest = span_of(script);
	struct span line;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	alarm(60);
	while (span_split(&rest, '\n', &line))
		play_line(fd, pipes, line);
	shutdown(fd, SHUT_WR);
	stall(fd);
	_exit(0);
}

static inline void start_server(struct server *server, const char *script)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);
	int ticks[2];
	int opened[2];

	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_return_code(server->listener, 0);
	assert_return_code(bind(server->listener, (struct sockaddr *)&at, len),
	                   0);
	assert_return_code(listen(server->listener, 4), 0);
	assert_return_code(
		getsockname(server->listener, (struct sockaddr *)&at, &len), 0);
	assert_return_code(pipe(ticks), 0);
	assert_return_code(pipe(opened), 0);
	snprintf(server->url, sizeof(server->url), "smtp://127.0.0.1:%u",
	         ntohs(at.sin_port));

	server->pid = fork();
	assert_return_code(server->pid, 0);
	if (server->pid == 0)
		serve(server->listener, (int[]){opened[0], ticks[1]}, script);
	close(ticks[1]);
	close(opened[0]);
	server->ticks = ticks[0];
	server->opened = opened[1];
}

/* True if everything went as the script says. */
static inline bool stop_server(struct server *server)
{
	int status = -1;

	waitpid(server->pid, &status, 0);
	close(server->listener);
	close(server->ticks);
	close(server->opened);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- the client ---- */

#define ADA_MESSAGE "Subject: x\r\n\r\nbody\r\n"

struct client {
	struct server server;
	struct clock clock;
	int64_t ahead_ms;
	struct net *net;
	struct net_watch *ticks;
	struct smtp_options options;
	struct smtp_session *session;
	const char *from;
	const char *to;
	struct span message;
	unsigned n_messages; /* to send */
	unsigned n_done;
	bool is_open;
	bool is_over;
	bool closes_at_open;
	bool closes_at_done;
	struct smtp_outcome outcome; /* the last one */
};

static inline int64_t read_monotonic(void *ctx)
{
	struct clock real = clock_real();

	return clock_monotonic_ms(&real) + ((struct client *)ctx)->ahead_ms;
}

static inline void on_tick(void *ctx, short ready)
{
	struct client *client = ctx;
	char digits[16];
	ssize_t n = read(client->server.ticks, digits, sizeof(digits));
	uint64_t seconds;

	(void)ready;
	if (n <= 0) {
		net_watch_events(client->ticks, 0);
		return;
	}
	if (num_parse((struct span){digits, (size_t)n}, 0, 10000, &seconds))
		client->ahead_ms += (int64_t)seconds * 1000;
}

static inline void send_next(struct client *client)
{
	smtp_send(client->session, client->from, client->to, client->message);
}

static inline void on_open(void *ctx)
{
	struct client *client = ctx;

	client->is_open = true;
	assert_int_equal(write(client->server.opened, "o", 1), 1);
	if (client->closes_at_open) {
		smtp_close(take_ptr(client->session));
		client->is_over = true;
	} else if (client->n_messages > 0) {
		send_next(client);
	}
}

static inline void on_closed(void *ctx, const struct smtp_outcome *outcome)
{
	struct client *client = ctx;

	client->outcome = *outcome;
	client->is_over = true;
}

static inline void on_ready(void *ctx)
{
	smtp_send_body(((struct client *)ctx)->session);
}

static inline void on_done(void *ctx, const struct smtp_outcome *outcome)
{
	struct client *client = ctx;

	client->outcome = *outcome;
	client->n_done++;
	if (client->closes_at_done)
		smtp_close(take_ptr(client->session));
	client->is_over = client->closes_at_done || outcome->closed ||
	                  client->n_done == client->n_messages;
	if (!client->is_over)
		send_next(client);
}

/* A client that will send one message to a server with the script. */
static inline void start_client(struct client *client, const char *script)
{
	struct error err = {0};

	*client = (struct client){
		.clock = clock_real(),
		.options = {.tls = SMTP_TLS_NONE, .timeout_s = 60},
		.from = "digest@example.org",
		.to = "ada@example.org",
		.message = span_of(ADA_MESSAGE),
		.n_messages = 1,
	};
	client->clock.monotonic_ms = read_monotonic;
	client->clock.ctx = client;
	start_server(&client->server, script);
	client->options.url = client->server.url;
	if (net_open(&client->net, &client->clock, &err) < 0)
		fail_msg("%s", err.message);
	client->ticks =
		net_watch(client->net, client->server.ticks, on_tick, client);
	net_watch_events(client->ticks, POLLIN);
}

/* Opens and turns until all is done or the session has ended. */
static inline void run_client(struct client *client)
{
	const struct smtp_events events = {on_open, on_closed, on_ready,
	                                   on_done, client};
	struct error err = {0};

	if (smtp_open(&client->session, client->net, &client->clock,
	              &client->options, &events, &err) < 0)
		fail_msg("%s", err.message);
	while (!client->is_over) {
		int64_t until_ms = clock_monotonic_ms(&client->clock) + 1000;

		assert_int_equal(net_turn(client->net, until_ms, &err), 0);
	}
}

static inline void stop_client(struct client *client)
{
	smtp_close(client->session);
	net_unwatch(client->net, client->ticks);
	net_close(client->net);
}
