#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/net.h"

#define SOON_MS 10
#define PATIENCE_MS 10000

OWNED_DEFINE(easy, CURL, curl_easy_cleanup);

struct fixture {
	struct clock clock;
	struct net *net;
};

static int open_net(void **state)
{
	struct fixture *f = mem_new(sizeof(*f));
	struct error err = {0};

	f->clock = clock_real();
	*state = f;
	return net_open(&f->net, &f->clock, &err);
}

static int close_net(void **state)
{
	struct fixture *f = *state;

	net_close(f->net);
	free(f);
	return 0;
}

/* What a callback saw, and whom it is to unwatch. */
struct seen {
	struct net *net;
	struct net_watch *victims[2];
	int fd; /* read from when it is ready; -1 */
	int n;
	short ready;
};

static void note_ready(void *ctx, short ready)
{
	struct seen *seen = ctx;
	uint64_t value;

	seen->n++;
	seen->ready = ready;
	if (ready && seen->fd >= 0)
		assert_int_equal(read(seen->fd, &value, sizeof(value)),
		                 sizeof(value));
	for (int i = 0; i < 2; i++)
		net_unwatch(seen->net, seen->victims[i]);
}

static void turn_for(struct fixture *f, int64_t ms)
{
	struct error err = {0};
	int64_t until_ms = clock_monotonic_ms(&f->clock) + ms;

	assert_int_equal(net_turn(f->net, until_ms, &err), 0);
}

/* Turns until *n_calls is `wanted`, or fails. */
static void turn_until(struct fixture *f, const int *n_calls, int wanted)
{
	int64_t end_ms = clock_monotonic_ms(&f->clock) + PATIENCE_MS;

	while (*n_calls < wanted) {
		assert_true(clock_monotonic_ms(&f->clock) < end_ms);
		turn_for(f, PATIENCE_MS);
	}
	assert_int_equal(*n_calls, wanted);
}

static void returns_when_nothing_happens(void **state)
{
	struct fixture *f = *state;
	int64_t start_ms = clock_monotonic_ms(&f->clock);

	turn_for(f, -1);
	turn_for(f, 0);
	turn_for(f, SOON_MS);
	assert_true(clock_monotonic_ms(&f->clock) - start_ms < PATIENCE_MS);
}

static void fires_a_deadline_once(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {.net = f->net, .fd = -1, .ready = -1};
	struct net_watch *watch = net_watch(f->net, -1, note_ready, &seen);
	int64_t due_ms = clock_monotonic_ms(&f->clock) + SOON_MS;

	net_watch_deadline(watch, due_ms);
	turn_until(f, &seen.n, 1);
	assert_int_equal(seen.ready, 0);
	assert_true(clock_monotonic_ms(&f->clock) >= due_ms);

	turn_for(f, SOON_MS);
	assert_int_equal(seen.n, 1);
	net_unwatch(f->net, watch);
}

static void forgets_a_deadline_that_is_taken_back(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {.net = f->net, .fd = -1};
	struct net_watch *watch = net_watch(f->net, -1, note_ready, &seen);

	net_watch_deadline(watch, 0);
	net_watch_deadline(watch, INT64_MAX);
	turn_for(f, SOON_MS);
	assert_int_equal(seen.n, 0);
	net_unwatch(f->net, watch);
}

static void reports_a_descriptor_only_while_its_events_are_wanted(void **state)
{
	struct fixture *f = *state;
	owned(fd) int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	struct seen seen = {.net = f->net, .fd = fd};
	struct net_watch *watch = net_watch(f->net, fd, note_ready, &seen);

	turn_for(f, 0);
	assert_int_equal(seen.n, 0);

	net_watch_events(watch, POLLIN);
	turn_until(f, &seen.n, 1);
	assert_int_equal(seen.ready, POLLIN);
	turn_for(f, 0);
	assert_int_equal(seen.n, 1);

	net_watch_events(watch, POLLOUT);
	seen.fd = -1;
	turn_until(f, &seen.n, 2);
	assert_int_equal(seen.ready, POLLOUT);
	net_unwatch(f->net, watch);
}

static void reports_a_hang_up_as_readable(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {.net = f->net, .fd = -1};
	struct net_watch *watch;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	watch = net_watch(f->net, ends[0], note_ready, &seen);
	net_watch_events(watch, POLLIN);
	close(ends[1]);
	turn_until(f, &seen.n, 1);
	assert_int_equal(seen.ready, POLLIN);
	net_unwatch(f->net, watch);
	close(ends[0]);
}

/* Both are ready in one turn; whichever is called first unwatches both. */
static void lets_a_callback_unwatch_itself_and_others(void **state)
{
	struct fixture *f = *state;
	owned(fd) int fd = eventfd(1, EFD_CLOEXEC);
	struct seen seen[2] = {{.net = f->net, .fd = -1},
	                       {.net = f->net, .fd = -1}};
	struct net_watch *watches[2];

	for (int i = 0; i < 2; i++) {
		watches[i] = net_watch(f->net, fd, note_ready, &seen[i]);
		net_watch_events(watches[i], POLLIN);
	}
	for (int i = 0; i < 2; i++)
		memcpy(seen[i].victims, watches, sizeof(watches));

	turn_for(f, PATIENCE_MS);
	turn_for(f, 0);
	assert_int_equal(seen[0].n + seen[1].n, 1);
	net_unwatch(f->net, NULL);
}

static void ignore_alarm(int number)
{
	(void)number;
}

static void is_not_disturbed_by_signals(void **state)
{
	struct fixture *f = *state;
	struct sigaction action = {.sa_handler = ignore_alarm}, before;
	struct itimerval often = {{0, 1000}, {0, 1000}}, never = {0};
	int64_t end_ms = clock_monotonic_ms(&f->clock) + 5 * SOON_MS;

	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	while (clock_monotonic_ms(&f->clock) < end_ms)
		turn_for(f, SOON_MS);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

/* ---- transfers ---- */

struct outcome {
	struct net *net;
	CURL *again; /* started once more when it is done; NULL */
	int n;
	int code;
};

static void note_done(void *ctx, int code)
{
	struct outcome *outcome = ctx;
	CURL *again = outcome->again;
	struct error err = {0};

	outcome->n++;
	outcome->code = code;
	outcome->again = NULL;
	if (again)
		assert_int_equal(net_start(outcome->net, again, note_done,
		                           outcome, &err),
		                 0);
}

static size_t add_body(char *bytes, size_t size, size_t n, void *ctx)
{
	buf_add(ctx, bytes, size * n);
	return size * n;
}

static CURL *new_easy(const char *url, struct buf *body)
{
	CURL *easy = curl_easy_init();

	assert_non_null(easy);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, add_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
	return easy;
}

static void start(struct fixture *f, CURL *easy, struct outcome *outcome)
{
	struct error err = {0};

	outcome->net = f->net;
	assert_int_equal(net_start(f->net, easy, note_done, outcome, &err), 0);
}

/* A listening socket on a free loopback port, with a URL to it. */
static int listen_somewhere(char *url, size_t url_size)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(url, url_size, "http://127.0.0.1:%d/",
	         ntohs(address.sin_port));
	return fd;
}

/* Twice, because `done` may start the same handle again. */
static void transfers_a_file_and_then_again(void **state)
{
	struct fixture *f = *state;
	char url[64];
	owned(fd) int fd = memfd_create("file", MFD_CLOEXEC);
	owned(buf) struct buf body = BUF_INIT(100);
	owned(easy) CURL *easy = NULL;
	struct outcome outcome = {0};

	assert_int_equal(write(fd, "hello", 5), 5);
	snprintf(url, sizeof(url), "file:///proc/self/fd/%d", fd);
	easy = new_easy(url, &body);
	outcome.again = easy;
	start(f, easy, &outcome);
	turn_until(f, &outcome.n, 2);

	assert_int_equal(outcome.code, CURLE_OK);
	assert_string_equal(buf_str(&body), "hellohello");
	net_stop(f->net, easy);
}

static void reports_a_refused_connection(void **state)
{
	struct fixture *f = *state;
	char url[64];
	owned(buf) struct buf body = BUF_INIT(100);
	owned(easy) CURL *easy = NULL;
	struct outcome outcome = {0};

	close(listen_somewhere(url, sizeof(url)));
	easy = new_easy(url, &body);
	start(f, easy, &outcome);
	turn_until(f, &outcome.n, 1);
	assert_int_equal(outcome.code, CURLE_COULDNT_CONNECT);
	net_stop(f->net, easy);
}

static void keeps_a_connect_only_connection_until_it_is_stopped(void **state)
{
	struct fixture *f = *state;
	char url[64], got[3];
	owned(fd) int listener = listen_somewhere(url, sizeof(url));
	owned(buf) struct buf body = BUF_INIT(100);
	owned(easy) CURL *easy = new_easy(url, &body);
	owned(fd) int peer = -1;
	struct outcome outcome = {0};
	size_t n_sent = 0;

	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	start(f, easy, &outcome);
	turn_until(f, &outcome.n, 1);
	turn_for(f, 0);
	assert_int_equal(outcome.code, CURLE_OK);

	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(curl_easy_send(easy, "abc", 3, &n_sent), CURLE_OK);
	assert_int_equal(n_sent, 3);
	assert_int_equal(recv(peer, got, 3, MSG_WAITALL), 3);
	assert_memory_equal(got, "abc", 3);

	net_stop(f->net, easy);
	assert_int_equal(recv(peer, got, 1, 0), 0);
}

static void says_nothing_of_a_transfer_that_was_stopped(void **state)
{
	struct fixture *f = *state;
	char url[64];
	owned(fd) int listener = listen_somewhere(url, sizeof(url));
	owned(buf) struct buf body = BUF_INIT(100);
	owned(easy) CURL *easy = new_easy(url, &body);
	struct outcome outcome = {0};

	start(f, easy, &outcome);
	turn_for(f, SOON_MS);
	net_stop(f->net, easy);
	net_stop(f->net, easy);
	turn_for(f, SOON_MS);
	assert_int_equal(outcome.n, 0);
	assert_true(listener >= 0);
}

static void closes_with_transfers_and_watches_left(void **state)
{
	struct fixture *f = *state;
	char url[64];
	owned(fd) int listener = listen_somewhere(url, sizeof(url));
	owned(buf) struct buf body = BUF_INIT(100);
	owned(easy) CURL *easy = new_easy(url, &body);
	struct outcome outcome = {0};
	struct seen seen = {.net = f->net, .fd = -1};

	start(f, easy, &outcome);
	net_watch_deadline(net_watch(f->net, -1, note_ready, &seen),
	                   INT64_MAX - 1);
	turn_for(f, SOON_MS);
	net_close(f->net);
	f->net = NULL;
	assert_int_equal(outcome.n, 0);
	assert_true(listener >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_net, close_net)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(returns_when_nothing_happens),
		TEST(fires_a_deadline_once),
		TEST(forgets_a_deadline_that_is_taken_back),
		TEST(reports_a_descriptor_only_while_its_events_are_wanted),
		TEST(reports_a_hang_up_as_readable),
		TEST(lets_a_callback_unwatch_itself_and_others),
		TEST(is_not_disturbed_by_signals),
		TEST(transfers_a_file_and_then_again),
		TEST(reports_a_refused_connection),
		TEST(keeps_a_connect_only_connection_until_it_is_stopped),
		TEST(says_nothing_of_a_transfer_that_was_stopped),
		TEST(closes_with_transfers_and_watches_left),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
