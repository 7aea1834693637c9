/*
 * An SMTP server that takes everything, keeps nothing and only counts: what a
 * sender is measured against. Prints "PORT N" when it listens on loopback and,
 * on SIGTERM, "MESSAGES N BYTES N CONNECTIONS N".
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 256
#define CHUNK_BYTES (256 * 1024)
#define LINE_BYTES 2048
#define REPLIES_BYTES (64 * 1024)

static const char end_of_data[] = "\r\n.\r\n";

struct client {
	bool in_data;
	bool quits;
	size_t n_matched; /* bytes of end_of_data seen so far */
	size_t line_len;
	size_t replies_len;
	char line[LINE_BYTES];
	char replies[REPLIES_BYTES];
};

/* fds[0] listens, fds[1] has the signal, the others are the clients. */
struct sink {
	struct pollfd fds[2 + MAX_CLIENTS];
	struct client clients[2 + MAX_CLIENTS];
	nfds_t n_fds;
	uint64_t n_messages;
	uint64_t n_bytes;
	uint64_t n_connections;
};

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

static void take_data_byte(struct sink *sink, struct client *client, char byte)
{
	if (byte == end_of_data[client->n_matched])
		client->n_matched++;
	else
		client->n_matched = byte == '\r';
	if (client->n_matched < sizeof(end_of_data) - 1)
		return;
	client->in_data = false;
	sink->n_messages++;
	say(client, "250 2.0.0 taken\r\n");
}

static void take(struct sink *sink, struct client *client, const char *bytes,
                 size_t len)
{
	sink->n_bytes += len;
	for (size_t i = 0; i < len; i++) {
		if (client->in_data)
			take_data_byte(sink, client, bytes[i]);
		else
			take_command_byte(client, bytes[i]);
	}
}

static void add_client(struct sink *sink)
{
	int fd = accept(sink->fds[0].fd, NULL, NULL);
	int on = 1;
	nfds_t i = sink->n_fds;

	if (fd < 0)
		return;
	if (i == sizeof(sink->fds) / sizeof(*sink->fds)) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	sink->fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	memset(&sink->clients[i], 0, sizeof(sink->clients[i]));
	say(&sink->clients[i], "220 sink ESMTP\r\n");
	sink->n_fds++;
	sink->n_connections++;
}

static void drop_client(struct sink *sink, nfds_t i)
{
	nfds_t last = sink->n_fds - 1;

	close(sink->fds[i].fd);
	sink->fds[i] = sink->fds[last];
	sink->clients[i] = sink->clients[last];
	sink->n_fds = last;
}

/* False: the client is gone. */
static bool serve(struct sink *sink, nfds_t i)
{
	static char chunk[CHUNK_BYTES];
	ssize_t n = read(sink->fds[i].fd, chunk, sizeof(chunk));

	if (n <= 0)
		return n < 0 && errno == EINTR;
	take(sink, &sink->clients[i], chunk, (size_t)n);
	return true;
}

/* Replies are short, so a client that reads takes them at once. */
static bool flush(struct sink *sink, nfds_t i)
{
	struct client *client = &sink->clients[i];
	size_t len = client->replies_len;

	client->replies_len = 0;
	if (len && write(sink->fds[i].fd, client->replies, len) != (ssize_t)len)
		return false;
	return !client->quits;
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

static int turn(struct sink *sink)
{
	if (poll(sink->fds, sink->n_fds, -1) < 0)
		return errno == EINTR ? 0 : -1;
	/* Backwards: a dropped client's place is taken by one looked at. */
	for (nfds_t i = sink->n_fds - 1; i >= 2; i--) {
		if (sink->fds[i].revents &&
		    (!serve(sink, i) || !flush(sink, i)))
			drop_client(sink, i);
	}
	if (sink->fds[0].revents) {
		add_client(sink);
		flush(sink, sink->n_fds - 1);
	}
	return 0;
}

int main(void)
{
	static struct sink sink;

	sink.fds[0] =
		(struct pollfd){.fd = listen_on_loopback(), .events = POLLIN};
	sink.fds[1] =
		(struct pollfd){.fd = wait_for_sigterm(), .events = POLLIN};
	sink.n_fds = 2;
	if (sink.fds[0].fd < 0 || sink.fds[1].fd < 0) {
		perror("sink");
		return 1;
	}
	while (!sink.fds[1].revents && !turn(&sink))
		continue;
	printf("MESSAGES %lu BYTES %lu CONNECTIONS %lu\n", sink.n_messages,
	       sink.n_bytes, sink.n_connections);
	return 0;
}
