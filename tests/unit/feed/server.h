#pragma once

/*
 * An HTTP server for tests that lives in the same loop as its client. It
 * gives every request the same bytes, or the later ones others, and writes down
 * what was asked and when.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/net.h"

#define CONNECTIONS 32
#define REQUESTS 16

struct server;

struct connection {
	struct server *server;
	struct net_watch *watch;
	struct buf request;
	int fd;
};

struct server {
	struct net *net;
	struct clock *clock;
	struct net_watch *watch;
	struct connection connections[CONNECTIONS];
	size_t n_accepted;
	char *requests[REQUESTS];
	int64_t asked_at_ms[REQUESTS];
	size_t n_requests;
	struct span answer; /* "": hangs up */
	struct span later;  /* to the next requests, if it is not NULL */
	bool hangs_up;      /* after the answer */
	bool is_endless;    /* the answer is followed by x without end, */
	size_t n_more;      /* or so many of them, if this is not 0 */
	int fd;
	char url[64];
};

static inline void hang_up(struct connection *connection)
{
	net_unwatch(connection->server->net, connection->watch);
	connection->watch = NULL;
	close(connection->fd);
	buf_fini(&connection->request);
}

static inline void answer(struct connection *connection)
{
	struct server *server = connection->server;

	assert_true(server->n_requests < REQUESTS);
	server->asked_at_ms[server->n_requests] =
		clock_monotonic_ms(server->clock);
	server->requests[server->n_requests++] =
		mem_dup(buf_str(&connection->request));
	buf_clear(&connection->request);
	assert_int_equal(send(connection->fd, server->answer.ptr,
	                      server->answer.len, MSG_NOSIGNAL),
	                 server->answer.len);
	if (server->later.ptr)
		server->answer = server->later;
	if (server->is_endless)
		net_watch_events(connection->watch, POLLOUT);
	else if (server->hangs_up)
		hang_up(connection);
}

/* Its header lines and the body that they announce. */
static inline bool is_whole(struct span request)
{
	static const char length[] = "Content-Length: ";
	size_t at = span_find(request, length);
	size_t end = span_find(request, "\r\n\r\n");
	struct span number;
	uint64_t n_body = 0;

	if (end == request.len)
		return false;
	if (at < end) {
		number = span_skip(request, at + strlen(length));
		number = span_first(number, span_find(number, "\r"));
		assert_true(num_parse(number, 0, SIZE_MAX, &n_body));
	}
	return request.len == end + 4 + n_body;
}

static inline void send_more(struct connection *connection)
{
	struct server *server = connection->server;
	char more[65536];
	size_t len = sizeof(more);
	ssize_t n;

	if (server->n_more > 0 && server->n_more < len)
		len = server->n_more;
	memset(more, 'x', len);
	n = send(connection->fd, more, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0) {
		hang_up(connection);
	} else if (server->n_more > 0) {
		server->n_more -= (size_t)n;
		if (server->n_more == 0)
			hang_up(connection);
	}
}

static inline void on_ready(void *ctx, short ready)
{
	struct connection *connection = ctx;
	char bytes[4096];
	ssize_t n;

	if (ready & POLLOUT) {
		send_more(connection);
		return;
	}
	n = recv(connection->fd, bytes, sizeof(bytes), 0);
	if (n <= 0) {
		hang_up(connection);
		return;
	}
	buf_add(&connection->request, bytes, (size_t)n);
	if (is_whole(buf_span(&connection->request)))
		answer(connection);
}

static inline void on_connection(void *ctx, short ready)
{
	struct server *server = ctx;
	struct connection *connection =
		&server->connections[server->n_accepted++];

	(void)ready;
	assert_true(server->n_accepted <= CONNECTIONS);
	connection->server = server;
	connection->request = BUF_INIT(65536);
	connection->fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
	connection->watch =
		net_watch(server->net, connection->fd, on_ready, connection);
	net_watch_events(connection->watch, POLLIN);
}

static inline void open_server(struct server *server, struct net *net,
                               struct clock *clock)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);

	server->net = net;
	server->clock = clock;
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->fd, 8), 0);
	getsockname(server->fd, (struct sockaddr *)&address, &len);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d/rss/x",
	         ntohs(address.sin_port));
	server->watch = net_watch(net, server->fd, on_connection, server);
	net_watch_events(server->watch, POLLIN);
}

static inline void close_server(struct server *server)
{
	net_unwatch(server->net, server->watch);
	for (size_t i = 0; i < server->n_accepted; i++)
		if (server->connections[i].watch)
			hang_up(&server->connections[i]);
	for (size_t i = 0; i < server->n_requests; i++)
		free(server->requests[i]);
	close(server->fd);
}
