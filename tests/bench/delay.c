/*
 * delay PORT MS: a proxy to PORT on loopback that lets everything, ends
 * included, through MS milliseconds after it came, in both directions. Prints
 * "PORT N" when it listens; ends with SIGTERM.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/span.h"

#define MAX_ENDS 128
#define CHUNK_BYTES (256 * 1024)
#define NO_FD (-1)
#define NS_PER_MS 1000000
#define NS_PER_SEC 1000000000

/* Bytes under way to an end; none: the other end's end. */
struct chunk {
	struct chunk *next;
	int64_t due_ns;
	size_t to;
	size_t len;
	char bytes[];
};

/* Ends 2n and 2n + 1 are the two of a connection; fds[0] listens. */
struct delay {
	struct pollfd fds[1 + MAX_ENDS];
	bool is_ended[MAX_ENDS]; /* it was told that the other has ended */
	uint16_t port;
	int64_t delay_ns;
	struct chunk *first; /* the order of coming is that of going */
	struct chunk *last;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

static struct pollfd *end_at(struct delay *delay, size_t i)
{
	return &delay->fds[1 + i];
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
}

static void add_chunk(struct delay *delay, size_t to, const char *bytes,
                      size_t len)
{
	struct chunk *chunk = mem_new(sizeof(*chunk) + len);

	chunk->due_ns = now_ns() + delay->delay_ns;
	chunk->to = to;
	chunk->len = len;
	if (len > 0)
		memcpy(chunk->bytes, bytes, len);
	if (delay->first)
		delay->last->next = chunk;
	else
		delay->first = chunk;
	delay->last = chunk;
}

static void read_end(struct delay *delay, size_t i)
{
	static char bytes[CHUNK_BYTES];
	ssize_t n =
		recv(end_at(delay, i)->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	add_chunk(delay, i ^ 1, bytes, n > 0 ? (size_t)n : 0);
	if (n <= 0)
		end_at(delay, i)->events = 0;
}

/* Both ends have ended: nothing is under way any more. */
static void close_pair(struct delay *delay, size_t i)
{
	for (size_t end = i & ~(size_t)1; end <= (i | 1); end++) {
		close(end_at(delay, end)->fd);
		*end_at(delay, end) = (struct pollfd){.fd = NO_FD};
	}
}

static void pass_end(struct delay *delay, size_t to)
{
	shutdown(end_at(delay, to)->fd, SHUT_WR);
	delay->is_ended[to] = true;
	if (delay->is_ended[to ^ 1])
		close_pair(delay, to);
}

/* A write may wait: what is behind it is not due before. */
static void pass(struct delay *delay, const struct chunk *chunk)
{
	int fd = end_at(delay, chunk->to)->fd;
	size_t n = 0;

	if (fd == NO_FD)
		return;
	if (chunk->len == 0)
		pass_end(delay, chunk->to);
	while (n < chunk->len) {
		ssize_t sent = send(fd, chunk->bytes + n, chunk->len - n,
		                    MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		n += (size_t)sent;
	}
}

static void pass_due(struct delay *delay)
{
	while (delay->first && delay->first->due_ns <= now_ns()) {
		struct chunk *chunk = delay->first;

		delay->first = chunk->next;
		pass(delay, chunk);
		free(chunk);
	}
}

static int connect_on(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return NO_FD;
	}
	return fd;
}

static void set_end(struct delay *delay, size_t i, int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	*end_at(delay, i) = (struct pollfd){.fd = fd, .events = POLLIN};
	delay->is_ended[i] = false;
}

static void add_pair(struct delay *delay)
{
	int fd = accept(delay->fds[0].fd, NULL, NULL);
	int onward = connect_on(delay->port);

	for (size_t i = 0; i < MAX_ENDS && onward != NO_FD; i += 2) {
		if (end_at(delay, i)->fd != NO_FD)
			continue;
		set_end(delay, i, fd);
		set_end(delay, i + 1, onward);
		return;
	}
	close(fd);
	close(onward);
}

static int turn(struct delay *delay)
{
	struct timespec wait = {0};
	int64_t left_ns = delay->first ? delay->first->due_ns - now_ns() : 0;
	int n;

	if (left_ns > 0)
		wait = (struct timespec){left_ns / NS_PER_SEC,
		                         left_ns % NS_PER_SEC};
	n = ppoll(delay->fds, 1 + MAX_ENDS, delay->first ? &wait : NULL, NULL);
	if (n < 0 && errno != EINTR)
		return -1;
	for (size_t i = 0; n > 0 && i < MAX_ENDS; i++)
		if (end_at(delay, i)->events && end_at(delay, i)->revents)
			read_end(delay, i);
	if (n > 0 && delay->fds[0].revents)
		add_pair(delay);
	pass_due(delay);
	return 0;
}

static int start(struct delay *delay)
{
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) ||
	    listen(fd, MAX_ENDS) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		return -1;
	for (size_t i = 0; i < MAX_ENDS; i++)
		end_at(delay, i)->fd = NO_FD;
	delay->fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	printf("PORT %u\n", ntohs(address.sin_port));
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static struct delay delay;
	uint64_t port;
	uint64_t ms;

	if (argc != 3 || !num_parse(span_of(argv[1]), 1, UINT16_MAX, &port) ||
	    !num_parse(span_of(argv[2]), 0, 10000, &ms)) {
		fprintf(stderr, "usage: delay PORT MS\n");
		return 2;
	}
	delay.port = (uint16_t)port;
	delay.delay_ns = (int64_t)ms * NS_PER_MS;
	if (start(&delay) < 0) {
		perror("delay");
		return 1;
	}
	while (!turn(&delay))
		continue;
	perror("delay");
	return 1;
}
