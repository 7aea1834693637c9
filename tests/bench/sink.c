/*
 * sink [HOLD_MS]: an SMTP server that takes everything, keeps nothing and only
 * counts: what a sender is measured against. Each message is accepted HOLD_MS
 * after its dot, and its connection does nothing else meanwhile. Prints
 * "PORT N" when it listens on loopback and, on SIGTERM, "MESSAGES N BYTES N
 * CONNECTIONS N".
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 256
#define MAX_EVENTS 64
#define CHUNK_BYTES (256 * 1024)
#define LINE_BYTES 2048
#define REPLIES_BYTES (64 * 1024)
/* What may come behind a dot that is not answered yet: commands. */
#define AHEAD_BYTES (8 * 1024)
#define NO_FD (-1)
#define US_PER_SEC 1000000

static const char end_of_data[] = "\r\n.\r\n";

struct client {
	int fd; /* NO_FD: a free place */
	bool in_data;
	bool quits;
	int64_t held_until_us; /* 0: not */
	size_t n_matched;      /* bytes of end_of_data seen so far */
	size_t line_len;
	size_t replies_len;
	size_t ahead_len;
	char line[LINE_BYTES];
	char replies[REPLIES_BYTES];
	char ahead[AHEAD_BYTES];
};

struct sink {
	int epoll;
	int listener;
	int signal_fd;
	int64_t hold_us;
	bool is_over;
	struct client clients[MAX_CLIENTS];
	/* The places of those held, the next one to be answered first. */
	size_t held[MAX_CLIENTS];
	size_t first_held;
	size_t n_held;
	uint64_t n_messages;
	uint64_t n_bytes;
	uint64_t n_connections;
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * US_PER_SEC + now.tv_nsec / 1000;
}

static void say(struct client *client, const char *reply)
{
	size_t len = strlen(reply);

	if (client->replies_len + len > sizeof(client->replies))
		return;
	memcpy(client->replies + client->replies_len, reply, len);
	client->replies_len += len;
}

static void obey(struct client *client)
{
	const char *line = client->line;

	if (!strncasecmp(line, "EHLO", 4)) {
		say(client,
		    "250-sink\r\n250-PIPELINING\r\n"
		    "250-SIZE 50000000\r\n250 ENHANCEDSTATUSCODES\r\n");
	} else if (!strncasecmp(line, "DATA", 4)) {
		say(client, "354 go ahead\r\n");
		client->in_data = true;
		client->n_matched = 2; /* the line end before the body */
	} else if (!strncasecmp(line, "QUIT", 4)) {
		say(client, "221 2.0.0 bye\r\n");
		client->quits = true;
	} else {
		say(client, "250 2.0.0 ok\r\n");
	}
}

static void take_command_byte(struct client *client, char byte)
{
	if (byte == '\n') {
		client->line[client->line_len] = '\0';
		client->line_len = 0;
		obey(client);
	} else if (client->line_len < sizeof(client->line) - 1) {
		client->line[client->line_len++] = byte;
	}
}

static void take_message(struct sink *sink, struct client *client)
{
	size_t last = (sink->first_held + sink->n_held) % MAX_CLIENTS;

	client->in_data = false;
	sink->n_messages++;
	if (sink->hold_us == 0) {
		say(client, "250 2.0.0 taken\r\n");
		return;
	}
	client->held_until_us = now_us() + sink->hold_us;
	sink->held[last] = (size_t)(client - sink->clients);
	sink->n_held++;
}

/* Looks for the end of the data from one CR to the next. */
static size_t take_data(struct sink *sink, struct client *client,
                        const char *bytes, size_t len)
{
	size_t i = 0;

	while (i < len && client->in_data) {
		const char *next = client->n_matched > 0
		                           ? bytes + i
		                           : memchr(bytes + i, '\r', len - i);

		if (!next)
			return len;
		i = (size_t)(next - bytes) + 1;
		if (*next == end_of_data[client->n_matched])
			client->n_matched++;
		else
			client->n_matched = *next == '\r';
		if (client->n_matched == sizeof(end_of_data) - 1)
			take_message(sink, client);
	}
	return i;
}

/* Returns how much it took: a client that is held takes no more. */
static size_t take(struct sink *sink, struct client *client, const char *bytes,
                   size_t len)
{
	size_t i = 0;

	while (i < len && !client->held_until_us)
		if (client->in_data)
			i += take_data(sink, client, bytes + i, len - i);
		else
			take_command_byte(client, bytes[i++]);
	return i;
}

static void drop_client(struct client *client)
{
	close(client->fd);
	client->fd = NO_FD;
}

/* Replies are short, so a client that reads takes them at once. */
static void flush(struct client *client)
{
	size_t len = client->replies_len;

	client->replies_len = 0;
	if ((len && write(client->fd, client->replies, len) != (ssize_t)len) ||
	    client->quits)
		drop_client(client);
}

static void serve(struct sink *sink, struct client *client)
{
	static char chunk[CHUNK_BYTES];
	ssize_t n = read(client->fd, chunk, sizeof(chunk));
	size_t taken;
	size_t left;

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		drop_client(client);
		return;
	}
	sink->n_bytes += (size_t)n;
	taken = take(sink, client, chunk, (size_t)n);
	left = (size_t)n - taken;
	if (left > AHEAD_BYTES - client->ahead_len) {
		drop_client(client);
		return;
	}
	memcpy(client->ahead + client->ahead_len, chunk + taken, left);
	client->ahead_len += left;
	flush(client);
}

static void release(struct sink *sink, struct client *client)
{
	size_t taken;

	say(client, "250 2.0.0 taken\r\n");
	taken = take(sink, client, client->ahead, client->ahead_len);
	client->ahead_len -= taken;
	memmove(client->ahead, client->ahead + taken, client->ahead_len);
	flush(client);
}

static void release_held(struct sink *sink)
{
	int64_t now = sink->n_held > 0 ? now_us() : 0;

	while (sink->n_held > 0) {
		struct client *client =
			&sink->clients[sink->held[sink->first_held]];

		if (client->held_until_us > now)
			return;
		sink->first_held = (sink->first_held + 1) % MAX_CLIENTS;
		sink->n_held--;
		client->held_until_us = 0;
		if (client->fd != NO_FD)
			release(sink, client);
	}
}

static struct client *find_place(struct sink *sink)
{
	for (size_t i = 0; i < MAX_CLIENTS; i++)
		if (sink->clients[i].fd == NO_FD &&
		    sink->clients[i].held_until_us == 0)
			return &sink->clients[i];
	return NULL;
}

static void add_client(struct sink *sink)
{
	int fd = accept(sink->listener, NULL, NULL);
	struct client *client = find_place(sink);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

	if (fd < 0)
		return;
	if (!client || epoll_ctl(sink->epoll, EPOLL_CTL_ADD, fd, &event)) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	*client = (struct client){.fd = fd};
	sink->n_connections++;
	say(client, "220 sink ESMTP\r\n");
	flush(client);
}

static int listen_on_loopback(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) ||
	    listen(fd, MAX_CLIENTS) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		return -1;
	printf("PORT %u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static int wait_for_sigterm(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, 0);
}

/* What an event is about is known by its pointer. */
static int watch(const struct sink *sink, int fd, void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

	return epoll_ctl(sink->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* To the microsecond: milliseconds would be part of what is measured. */
static int wait_for_events(const struct sink *sink, struct epoll_event *events)
{
	struct timespec wait = {0};
	int64_t left_us;

	if (sink->n_held == 0)
		return epoll_wait(sink->epoll, events, MAX_EVENTS, -1);
	left_us = sink->clients[sink->held[sink->first_held]].held_until_us -
	          now_us();
	if (left_us > 0)
		wait = (struct timespec){left_us / US_PER_SEC,
		                         left_us % US_PER_SEC * 1000};
	return epoll_pwait2(sink->epoll, events, MAX_EVENTS, &wait, NULL);
}

static int turn(struct sink *sink)
{
	struct epoll_event events[MAX_EVENTS];
	int n = wait_for_events(sink, events);

	if (n < 0)
		return errno == EINTR ? 0 : -1;
	for (int i = 0; i < n; i++) {
		void *what = events[i].data.ptr;

		if (what == &sink->listener)
			add_client(sink);
		else if (what == &sink->signal_fd)
			sink->is_over = true;
		else
			serve(sink, what);
	}
	release_held(sink);
	return 0;
}

static int start(struct sink *sink)
{
	for (size_t i = 0; i < MAX_CLIENTS; i++)
		sink->clients[i].fd = NO_FD;
	sink->epoll = epoll_create1(0);
	sink->signal_fd = wait_for_sigterm();
	sink->listener = listen_on_loopback();
	return sink->epoll < 0 || sink->signal_fd < 0 || sink->listener < 0 ||
	                       watch(sink, sink->listener, &sink->listener) ||
	                       watch(sink, sink->signal_fd, &sink->signal_fd)
	               ? -1
	               : 0;
}

static int64_t read_hold_us(const char *text)
{
	int64_t ms = 0;

	for (; text && *text >= '0' && *text <= '9' && ms < 100000; text++)
		ms = ms * 10 + (*text - '0');
	return ms * 1000;
}

int main(int argc, char **argv)
{
	static struct sink sink;

	sink.hold_us = read_hold_us(argc > 1 ? argv[1] : NULL);
	if (start(&sink) < 0) {
		perror("sink");
		return 1;
	}
	while (!sink.is_over && !turn(&sink))
		continue;
	printf("MESSAGES %lu BYTES %lu CONNECTIONS %lu\n", sink.n_messages,
	       sink.n_bytes, sink.n_connections);
	return 0;
}
