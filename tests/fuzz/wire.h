#pragma once

/*
 * A server for clients in the same loop: to each connection it says the input's
 * first part at once, another whenever something is asked, and after the last
 * no more. Nothing else is reached: this program's connect() and getaddrinfo()
 * come before libc's.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/span.h"
#include "net/net.h"

#define WIRE_CONNECTIONS 16
#define WIRE_PARTS_END '\x1e' /* ASCII's record separator */

struct wire_connection {
	int fd;
	struct span rest;
	struct net_watch *watch;
};

struct wire {
	struct net *net;
	int listener;
	int port;
	struct net_watch *watch;
	struct span says;
	struct wire_connection connections[WIRE_CONNECTIONS];
	size_t n_connections;
};

int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	const struct sockaddr *address = to.__sockaddr__;
	const struct sockaddr_in *v4 = (const void *)address;

	if (address->sa_family == AF_INET &&
	    ntohl(v4->sin_addr.s_addr) == INADDR_LOOPBACK)
		return (int)syscall(SYS_connect, fd, address, len);
	errno = ENETUNREACH;
	return -1;
}

int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **ret_list)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)ret_list;
	return EAI_NONAME;
}

static inline void wire_say(struct wire_connection *connection)
{
	struct span part;

	if (span_split(&connection->rest, WIRE_PARTS_END, &part))
		(void)send(connection->fd, part.ptr, part.len,
		           MSG_NOSIGNAL | MSG_DONTWAIT);
	if (!connection->rest.ptr)
		shutdown(connection->fd, SHUT_WR);
}

/* Says the next part to all: nobody asks for it. */
static inline void wire_nudge(struct wire *wire)
{
	for (size_t i = 0; i < wire->n_connections; i++)
		wire_say(&wire->connections[i]);
}

static inline void wire_hear(void *ctx, short ready)
{
	struct wire_connection *connection = ctx;
	char bytes[4096];

	(void)ready;
	if (recv(connection->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		wire_say(connection);
	else
		net_watch_events(connection->watch, 0);
}

static inline void wire_answer(void *ctx, short ready)
{
	struct wire *wire = ctx;
	int fd = accept4(wire->listener, NULL, NULL, SOCK_CLOEXEC);
	struct wire_connection *connection;

	(void)ready;
	if (fd < 0)
		return;
	if (wire->n_connections == WIRE_CONNECTIONS) {
		close(fd);
		return;
	}
	connection = &wire->connections[wire->n_connections++];
	*connection = (struct wire_connection){fd, wire->says, NULL};
	wire_say(connection);
	if (!connection->rest.ptr)
		return;
	connection->watch = net_watch(wire->net, fd, wire_hear, connection);
	net_watch_events(connection->watch, POLLIN);
}

static inline void wire_open(struct wire *wire, struct net *net)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);

	wire->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (wire->listener < 0 ||
	    bind(wire->listener, (struct sockaddr *)&address, len) < 0 ||
	    listen(wire->listener, WIRE_CONNECTIONS) < 0 ||
	    getsockname(wire->listener, (struct sockaddr *)&address, &len) < 0)
		abort();
	wire->net = net;
	wire->port = ntohs(address.sin_port);
	wire->watch = net_watch(net, wire->listener, wire_answer, wire);
	net_watch_events(wire->watch, POLLIN);
}

/* With RST, so that no port is kept waiting for the last packets. */
static inline void wire_hang_up(struct wire *wire)
{
	const struct linger at_once = {.l_onoff = 1};

	while (wire->n_connections > 0) {
		struct wire_connection *connection =
			&wire->connections[--wire->n_connections];
		int fd = connection->fd;

		net_unwatch(wire->net, connection->watch);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
		           sizeof(at_once));
		close(fd);
	}
}
