#pragma once

/*
 * A server that plays a script in a child process, and a client that sends
 * messages to it. Lines of a script:
 *
 *      < TEXT    a line comes, exactly so ("*" at its end: anything)
 *      lines N   N lines come, and then a dot alone
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
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
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
#define PEER_BYTES 65536

/* ---- parts of scripts ---- */

#define GREETED "> 220 relay.example\n< EHLO *\n"
#define PLAIN GREETED "> 250 relay.example\n"
#define PIPELINED GREETED "> 250-relay.example\n> 250 PIPELINING\n"
#define MAIL "< MAIL FROM:<digest@example.org>\n"
#define RCPT "< RCPT TO:<ada@example.org>\n"
#define DATA "< DATA\n"
#define GROUP MAIL RCPT DATA
#define TO_354                                               \
	MAIL "> 250 2.1.0 ok\n" RCPT "> 250 2.1.5 ok\n" DATA \
	     "> 354 "                                        \
	     "go\n"
#define BODY "< Subject: x\n< \n< body\n< .\n"
#define TO_DOT TO_354 BODY
#define QUIT "< QUIT\n"
/* A span of a literal. */
#define TEXT(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

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

/* The client, as the server sees it. */
struct peer {
	int fd;
	char bytes[PEER_BYTES];
	size_t n;
	size_t at;
};

/* Its next byte; false at its end. */
static inline bool next_byte(struct peer *peer, char *ret_byte)
{
	if (peer->at == peer->n) {
		ssize_t n = recv(peer->fd, peer->bytes, PEER_BYTES, 0);

		peer->n = n > 0 ? (size_t)n : 0;
		peer->at = 0;
	}
	if (peer->at == peer->n)
		return false;
	*ret_byte = peer->bytes[peer->at++];
	return true;
}

static inline struct span read_line(struct peer *peer, char *line)
{
	struct span got = {line, 0};

	while (!span_ends(got, "\r\n") && got.len < LINE_BYTES &&
	       next_byte(peer, line + got.len))
		got.len++;
	return got;
}

static inline void expect_lines(struct peer *peer, struct span count)
{
	char line[LINE_BYTES];
	uint64_t wanted = 0;
	uint64_t n = 0;

	num_parse(count, 0, UINT32_MAX, &wanted);
	for (struct span got = read_line(peer, line);
	     got.len > 0 && !span_is(got, ".\r\n"); got = read_line(peer, line))
		n++;
	if (n == wanted)
		return;
	fprintf(stderr,
	        "the server expected %" PRIu64 " lines, not %" PRIu64 "\n",
	        wanted, n);
	_exit(1);
}

static inline void expect_line(struct peer *peer, struct span wanted)
{
	char line[LINE_BYTES];
	struct span got = read_line(peer, line);

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

static inline void expect_quiet(const struct peer *peer)
{
	struct pollfd poll_fd = {.fd = peer->fd, .events = POLLIN};

	if (peer->at == peer->n && poll(&poll_fd, 1, QUIET_MS) == 0)
		return;
	fprintf(stderr, "the server expected nothing, but something came\n");
	_exit(1);
}

static inline void expect_end(struct peer *peer)
{
	char byte;

	if (!next_byte(peer, &byte))
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

/* Not even reading: its end could not be seen behind unread bytes. */
static inline void stall(int opened)
{
	char byte;

	while (read(opened, &byte, 1) == 1)
		;
}

static inline void drain(struct peer *peer)
{
	char byte;

	shutdown(peer->fd, SHUT_WR);
	while (next_byte(peer, &byte))
		;
}

static inline void play_line(struct peer *peer, const int pipes[2],
                             struct span line)
{
	struct span text = line.len > 2 ? span_skip(line, 2) : SPAN_NONE;

	if (span_starts(line, "<")) {
		expect_line(peer, text);
	} else if (span_starts(line, "lines ")) {
		expect_lines(peer, span_skip(line, strlen("lines ")));
	} else if (span_starts(line, ">")) {
		say_line(peer->fd, text);
	} else if (span_starts(line, "+")) {
		say_parts(peer->fd, text);
	} else if (span_is(line, "quiet")) {
		expect_quiet(peer);
	} else if (span_starts(line, "tick ")) {
		if (write(pipes[1], line.ptr + 5, line.len - 5) < 0)
			_exit(2);
	} else if (span_is(line, "open")) {
		if (read(pipes[0], &(char){0}, 1) != 1)
			_exit(2);
	} else if (span_is(line, "close")) {
		shutdown(peer->fd, SHUT_WR);
	} else if (span_is(line, "reset")) {
		reset_connection(peer->fd);
	} else if (span_is(line, "stall")) {
		stall(pipes[0]);
	} else if (span_is(line, "gone")) {
		expect_end(peer);
	}
}

static inline void serve(int listener, const int pipes[2], const char *script)
{
	struct peer peer = {.fd = accept(listener, NULL, NULL)};
	struct span rest = span_of(script);
	struct span line;

	setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	alarm(60);
	while (span_split(&rest, '\n', &line))
		play_line(&peer, pipes, line);
	drain(&peer);
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
	if (server->pid == 0) {
		/* A test that crashes must not leave it behind. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(opened[1]);
		serve(server->listener, (int[]){opened[0], ticks[1]}, script);
	}
	close(ticks[1]);
	close(opened[0]);
	server->ticks = ticks[0];
	server->opened = opened[1];
}

/* True if everything went as the script says. */
static inline bool stop_server(struct server *server)
{
	int status = -1;

	close(server->opened);
	close(server->listener);
	waitpid(server->pid, &status, 0);
	close(server->ticks);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* For one that nobody came to. */
static inline void abandon_server(struct server *server)
{
	kill(server->pid, SIGKILL);
	(void)stop_server(server);
}

/* ---- the client ---- */

#define MAX_LETTERS 4
#define ADA_MESSAGE "Subject: x\r\n\r\nbody\r\n"

enum client_close {
	CLOSES_LATER, /* when the last message is done */
	CLOSES_NEVER, /* the server must */
	CLOSES_AT_OPEN,
	CLOSES_AT_READY,
	CLOSES_AT_DONE,
};

struct client {
	struct server server;
	struct clock clock;
	int64_t ahead_ms;
	struct net *net;
	struct net_watch *ticks;
	struct smtp_options options;
	struct smtp_session *session;
	struct smtp_letter letters[MAX_LETTERS];
	unsigned n_messages; /* to send */
	unsigned n_begun;
	unsigned n_done;
	bool is_ahead; /* each body takes the next one's commands along */
	bool is_open;
	bool is_ready;
	bool is_over;
	enum client_close closes_at;
	bool is_told_closed;                       /* by closed() */
	struct smtp_outcome outcome;               /* the last one */
	struct smtp_outcome outcomes[MAX_LETTERS]; /* of done() */
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
	smtp_send(client->session, &client->letters[client->n_begun++]);
}

static inline bool close_now(struct client *client, enum client_close place)
{
	if (client->closes_at != place)
		return false;
	smtp_close(take_ptr(client->session));
	client->is_over = true;
	return true;
}

static inline void on_open(void *ctx)
{
	struct client *client = ctx;

	client->is_open = true;
	assert_int_equal(write(client->server.opened, "o", 1), 1);
	if (!close_now(client, CLOSES_AT_OPEN) && client->n_messages > 0)
		send_next(client);
}

static inline void on_closed(void *ctx, const struct smtp_outcome *outcome)
{
	struct client *client = ctx;

	client->outcome = *outcome;
	client->is_told_closed = true;
	client->is_over = true;
}

static inline void on_ready(void *ctx)
{
	struct client *client = ctx;
	const struct smtp_letter *next = NULL;

	client->is_ready = true;
	if (client->is_ahead && client->n_begun < client->n_messages)
		next = &client->letters[client->n_begun++];
	if (!close_now(client, CLOSES_AT_READY))
		smtp_send_body(client->session, next);
}

static inline void on_done(void *ctx, const struct smtp_outcome *outcome)
{
	struct client *client = ctx;

	client->outcome = *outcome;
	client->outcomes[client->n_done++] = *outcome;
	if (close_now(client, CLOSES_AT_DONE))
		return;
	client->is_over = outcome->closed;
	if (client->n_done == client->n_messages)
		client->is_over |= client->closes_at != CLOSES_NEVER;
	else if (!outcome->closed && client->n_begun == client->n_done)
		send_next(client);
}

/* A client that will send one message to a server with the script. */
static inline void start_client(struct client *client, const char *script)
{
	struct error err = {0};

	*client = (struct client){
		.clock = clock_real(),
		.options = {.tls = SMTP_TLS_NONE, .timeout_s = 60},
		.n_messages = 1,
	};
	for (size_t i = 0; i < MAX_LETTERS; i++)
		client->letters[i] = (struct smtp_letter){"digest@example.org",
		                                          "ada@example.org",
		                                          span_of(ADA_MESSAGE)};
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

static inline void open_client(struct client *client)
{
	const struct smtp_events events = {on_open, on_closed, on_ready,
	                                   on_done, client};
	struct error err = {0};

	if (smtp_open(&client->session, client->net, &client->clock,
	              &client->options, &events, &err) < 0)
		fail_msg("%s", err.message);
}

static inline void turn_client(struct client *client)
{
	int64_t until_ms = clock_monotonic_ms(&client->clock) + 1000;
	struct error err = {0};

	if (net_turn(client->net, until_ms, &err) < 0)
		fail_msg("%s", err.message);
}

/* Opens and turns until all is done or the session has ended. */
static inline void run_client(struct client *client)
{
	open_client(client);
	while (!client->is_over)
		turn_client(client);
}

static inline void stop_client(struct client *client)
{
	smtp_close(client->session);
	net_unwatch(client->net, client->ticks);
	net_close(client->net);
}

/* All of it; what the server saw must be in the script. */
static inline void run_to_done(struct client *client, enum smtp_verdict verdict)
{
	bool went_well;

	run_client(client);
	stop_client(client);
	went_well = stop_server(&client->server);
	if (!went_well || client->outcome.verdict != verdict)
		fail_msg("server %d, verdict %d: %s", went_well,
		         client->outcome.verdict, client->outcome.sentence);
}
