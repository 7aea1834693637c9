#include "feed/fetch.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "base/limits.h"
#include "base/mem.h"
#include "feed/parser.h"
#include "fetch_private.h"

/* A queued request; the first of the queue is under way. */
struct request {
	struct request *next;
	char *url;
	char *etag;
	char *last_modified;
	feed_answer_fn done;
	void *ctx;
};

struct feed_fetcher {
	struct net *net;
	const struct clock *clock;
	const struct feed_options *options;
	struct gate *gate;
	struct net_watch *watch;
	char *user_agent;
	CURL *easy; /* of the last request; its connection is the net's */
	struct request *queue;
	struct request **queue_end;
	/* Of the request under way: */
	bool is_running;
	struct url_facts facts;
	struct curl_slist *headers;
	struct feed_answer answer;
	char *own;     /* the address that the admin's own URL has led to */
	char *refused; /* the one that a redirect must not lead to */
	size_t n_header_bytes;
	int no_socket; /* the errno for which there is none */
	char curl_error[CURL_ERROR_SIZE];
};

void feed_options_fini(struct feed_options *options)
{
	free(options->url);
	free(options->oai_url);
	free(options->contact);
	free(options->proxy);
	*options = (struct feed_options){0};
}

void feed_answer_fini(struct feed_answer *answer)
{
	buf_fini(&answer->body);
	free(answer->etag);
	free(answer->last_modified);
	*answer = (struct feed_answer){0};
}

/* ---- the queue ---- */

static void free_request(struct request *request)
{
	free(request->url);
	free(request->etag);
	free(request->last_modified);
	free(request);
}

OWNED_DEFINE(request, struct request, free_request);

static struct request *take_request(struct feed_fetcher *fetcher)
{
	struct request *request = fetcher->queue;

	fetcher->queue = request->next;
	if (!fetcher->queue)
		fetcher->queue_end = &fetcher->queue;
	return request;
}

/* Looks at the queue again at `at_ms`; 0: in the next turn of the loop. */
static void wake_at(struct feed_fetcher *fetcher, int64_t at_ms)
{
	net_watch_deadline(fetcher->watch, at_ms);
}

void feed_fetch(struct feed_fetcher *fetcher,
                const struct feed_request *request, feed_answer_fn done,
                void *ctx)
{
	struct request *queued = mem_new(sizeof(*queued));

	queued->url = mem_dup(request->url);
	queued->etag = mem_dup(request->etag);
	queued->last_modified = mem_dup(request->last_modified);
	queued->done = done;
	queued->ctx = ctx;
	if (!fetcher->queue)
		wake_at(fetcher, 0);
	*fetcher->queue_end = queued;
	fetcher->queue_end = &queued->next;
}

/*
 * The end of the request under way: its answer is given and the next one
 * begins in another turn. `done` may close the fetcher: it comes last.
 */
static void finish(struct feed_fetcher *fetcher)
{
	struct feed_answer answer = fetcher->answer;
	owned(request) struct request *request = take_request(fetcher);

	fetcher->answer = (struct feed_answer){0};
	fetcher->is_running = false;
	curl_slist_free_all(take_ptr(fetcher->headers));
	free(take_ptr(fetcher->own));
	free(take_ptr(fetcher->refused));
	gate_leave(fetcher->gate);
	if (fetcher->queue)
		wake_at(fetcher, 0);

	request->done(request->ctx, &answer);
	feed_answer_fini(&answer);
}

/* ---- what went wrong, in plain words ---- */

/* Makes answer.error of "URL: what" unless `what` is the whole story. */
static void set_failed(struct feed_fetcher *fetcher, enum error_kind kind,
                       const char *what)
{
	struct feed_answer *answer = &fetcher->answer;

	answer->kind = FEED_ANSWER_FAILED;
	(void)error_set(&answer->error, kind, "%s: %s", fetcher->queue->url,
	                what);
}

/* libcurl says the same of a redirect to ftp: and of an answer in no HTTP. */
static CURLcode tell_apart(CURL *easy, CURLcode code)
{
	long n_redirects = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &n_redirects);
	if (code == CURLE_UNSUPPORTED_PROTOCOL && n_redirects == 0)
		return CURLE_WEIRD_SERVER_REPLY;
	return code;
}

/* "URL: " where a redirect has led; NULL if there was none. */
static char *find_redirect(CURL *easy)
{
	const char *url = NULL;
	long n_redirects = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &n_redirects);
	(void)curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	return n_redirects > 0 && url ? mem_printf("%s: ", url) : NULL;
}

static bool has_too_many_headers(const struct feed_fetcher *fetcher)
{
	return fetcher->n_header_bytes > LIMIT_HEADER_BYTES;
}

static void fail_transfer(struct feed_fetcher *fetcher, CURLcode code)
{
	const struct fetch_fault *fault =
		fetch_fault((int)tell_apart(fetcher->easy, code));
	const char *detail = *fetcher->curl_error ? fetcher->curl_error
	                                          : curl_easy_strerror(code);
	owned(mem) char *where = find_redirect(fetcher->easy);
	owned(mem) char *what = NULL;

	if (fetcher->refused)
		what = mem_printf(
			"redirected to %s, where no feed can be: a "
			"proxy or login page may be in the way",
			fetcher->refused);
	else if (fetcher->no_socket)
		what = mem_printf(
			"this machine gives no socket for it (%s): "
			"see its limits",
			strerror(fetcher->no_socket));
	else if (has_too_many_headers(fetcher))
		what =
			mem_dup("its header lines are longer than any should "
		                "be: a proxy or login page may be in the way");
	else
		what = mem_printf("%s%s%s (%s)", where ? "redirected to " : "",
		                  where ? where : "", fault->what, detail);
	set_failed(fetcher, fetcher->refused ? ERROR_PERMANENT : fault->kind,
	           what);
}

/* arXiv explains a 400 in a feed of its own; its sentence is the best. */
static bool fail_as_arxiv_says(struct feed_fetcher *fetcher)
{
	owned(feed) struct feed *feed = NULL;
	struct error said = {0};

	if (fetcher->answer.http_status != 400 ||
	    !feed_parse(buf_span(&fetcher->answer.body), &feed, &said) ||
	    said.kind != ERROR_PERMANENT)
		return false;
	set_failed(fetcher, ERROR_PERMANENT, said.message);
	return true;
}

static void fail_status(struct feed_fetcher *fetcher)
{
	struct feed_answer *answer = &fetcher->answer;
	struct fetch_fault fault = fetch_status_fault(answer->http_status);
	owned(mem) char *what = NULL;
	curl_off_t seconds = 0;

	(void)curl_easy_getinfo(fetcher->easy, CURLINFO_RETRY_AFTER, &seconds);
	answer->retry_after_sec = seconds > 0 ? seconds : 0;
	if (fail_as_arxiv_says(fetcher))
		return;
	if (answer->retry_after_sec > 0)
		what = mem_printf("%s (status %ld; try again in %lld s)",
		                  fault.what, (long)answer->http_status,
		                  (long long)answer->retry_after_sec);
	else
		what = mem_printf("%s (status %ld)", fault.what,
		                  (long)answer->http_status);
	set_failed(fetcher, fault.kind, what);
}

/* ---- the answer ---- */

/* A header of the last answer, if it can be sent back: the caller's. */
static char *copy_header(CURL *easy, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header))
		return NULL;
	return mem_dup(header->value);
}

static void read_answer(struct feed_fetcher *fetcher)
{
	struct feed_answer *answer = &fetcher->answer;
	bool is_conditional = fetcher->headers != NULL;

	(void)curl_easy_getinfo(fetcher->easy, CURLINFO_RESPONSE_CODE,
	                        &answer->http_status);
	answer->etag = copy_header(fetcher->easy, "ETag");
	answer->last_modified = copy_header(fetcher->easy, "Last-Modified");
	if (fetcher->facts.is_file || answer->http_status == 200)
		answer->kind = FEED_ANSWER_BODY;
	else if (answer->http_status == 304 && is_conditional)
		answer->kind = FEED_ANSWER_NOT_MODIFIED;
	else
		fail_status(fetcher);
}

static void on_done(void *ctx, int code)
{
	struct feed_fetcher *fetcher = ctx;

	if (code == CURLE_OK)
		read_answer(fetcher);
	else
		fail_transfer(fetcher, (CURLcode)code);
	finish(fetcher);
}

/* ---- the request ---- */

/* Counts what came out of gzip; less than was given makes libcurl stop. */
static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct feed_fetcher *fetcher = ctx;

	buf_add(&fetcher->answer.body, bytes, size * n);
	return fetcher->answer.body.failed ? 0 : size * n;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
	struct feed_fetcher *fetcher = ctx;

	(void)bytes;
	fetcher->n_header_bytes += size * n;
	return has_too_many_headers(fetcher) ? 0 : size * n;
}

static bool is_https(CURL *easy)
{
	const char *url = NULL;

	(void)curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	return url && !strncasecmp(url, "https:", strlen("https:"));
}

/*
 * Where a redirect must not lead: the machines behind our firewall, and any
 * but this one in the clear. It may stay where the admin's own URL is. Behind
 * a proxy the address is the proxy's.
 */
static bool is_allowed(const struct feed_fetcher *fetcher, const char *address)
{
	if (fetcher->facts.is_loopback && address_is_loopback(address))
		return true;
	return is_https(fetcher->easy) &&
	       (fetcher->options->proxy || address_is_public(address) ||
	        (fetcher->own && !strcmp(fetcher->own, address)));
}

static bool may_visit(struct feed_fetcher *fetcher, const char *address)
{
	long n_redirects = 0;

	(void)curl_easy_getinfo(fetcher->easy, CURLINFO_REDIRECT_COUNT,
	                        &n_redirects);
	if (n_redirects > 0 && !fetcher->refused &&
	    !is_allowed(fetcher, address))
		fetcher->refused = mem_dup(address);
	return !fetcher->refused;
}

/* Before connecting, for each of a name's addresses. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose,
                             struct curl_sockaddr *to)
{
	struct feed_fetcher *fetcher = ctx;
	char address[NI_MAXHOST] = "";
	int fd;

	(void)purpose;
	(void)getnameinfo(&to->addr, to->addrlen, address, sizeof(address),
	                  NULL, 0, NI_NUMERICHOST);
	if (!may_visit(fetcher, address))
		return CURL_SOCKET_BAD;
	fd = socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
	            to->protocol);
	/* A machine without IPv6 has the other addresses. */
	if (fd < 0 && errno != EAFNOSUPPORT)
		fetcher->no_socket = errno;
	return fd;
}

/* Before each request: the connection may be one of before. */
static int on_connected(void *ctx, char *address, char *local_address, int port,
                        int local_port)
{
	struct feed_fetcher *fetcher = ctx;
	bool may = may_visit(fetcher, address);

	(void)local_address;
	(void)port;
	(void)local_port;
	if (!fetcher->own)
		fetcher->own = mem_dup(address);
	return may ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* A value that we got from a server once: it must stay one header. */
static void add_condition(struct curl_slist **headers, const char *name,
                          const char *value)
{
	owned(mem) char *line = NULL;
	struct curl_slist *longer;

	if (!value || !*value || value[strcspn(value, "\r\n")])
		return;
	line = mem_printf("%s: %s", name, value);
	longer = curl_slist_append(*headers, line);
	if (longer)
		*headers = longer;
}

static void set_limits(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A look-up that hangs is left behind, not waited for. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, LIMIT_FEED_REDIRECTS);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
	                 (curl_off_t)LIMIT_FEED_BYTES);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, LIMIT_FEED_CONNECT_SEC);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, LIMIT_FEED_TRANSFER_SEC);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT,
	                 LIMIT_FEED_SLOW_BYTES_SEC);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LIMIT_FEED_SLOW_SEC);
}

static void set_protocols(CURL *easy, const struct url_facts *facts)
{
	const char *allowed = "https";

	if (facts->is_file)
		allowed = "file";
	else if (facts->is_loopback)
		allowed = "http,https";
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, allowed);
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR,
	                 facts->is_loopback ? "http,https" : "https");
}

/* An empty proxy is none; without it the environment would name one. */
static void set_identity(struct feed_fetcher *fetcher)
{
	const char *proxy = fetcher->options->proxy;
	CURL *easy = fetcher->easy;

	curl_easy_setopt(easy, CURLOPT_PROXY, proxy ? proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, fetcher->user_agent);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetcher->headers);
}

static void set_callbacks(struct feed_fetcher *fetcher)
{
	CURL *easy = fetcher->easy;

	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetcher->curl_error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetcher);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetcher);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetcher);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, fetcher);
}

/*
 * A handle that was used keeps a pointer to its last header (libcurl before
 * 8.1): an answer that begins with a folded line would read freed memory.
 */
static bool renew_handle(struct feed_fetcher *fetcher)
{
	net_stop(fetcher->net, fetcher->easy);
	curl_easy_cleanup(fetcher->easy);
	fetcher->easy = curl_easy_init();
	return fetcher->easy != NULL;
}

static void start(struct feed_fetcher *fetcher)
{
	const struct request *request = fetcher->queue;
	struct error err = {0};

	fetcher->is_running = true;
	if (!renew_handle(fetcher)) {
		set_failed(fetcher, ERROR_TEMPORARY, "libcurl has no memory");
		finish(fetcher);
		return;
	}
	fetcher->curl_error[0] = '\0';
	fetcher->no_socket = 0;
	fetcher->n_header_bytes = 0;
	fetcher->answer.body = BUF_INIT(LIMIT_FEED_BYTES);
	if (!fetcher->facts.is_file) {
		add_condition(&fetcher->headers, "If-None-Match",
		              request->etag);
		add_condition(&fetcher->headers, "If-Modified-Since",
		              request->last_modified);
	}
	curl_easy_setopt(fetcher->easy, CURLOPT_URL, request->url);
	set_limits(fetcher->easy);
	set_protocols(fetcher->easy, &fetcher->facts);
	set_identity(fetcher);
	set_callbacks(fetcher);
	if (net_start(fetcher->net, fetcher->easy, on_done, fetcher, &err) <
	    0) {
		set_failed(fetcher, ERROR_TEMPORARY, err.message);
		finish(fetcher);
	}
}

/* The request that is first in the queue: may it begin? */
static int approach(struct feed_fetcher *fetcher, int64_t *ret_wait_ms,
                    struct error *err)
{
	if (url_examine(fetcher->queue->url, &fetcher->facts, err) < 0)
		return -1;
	if (fetcher->facts.is_file)
		return GATE_PASSED;
	return gate_enter(fetcher->gate, ret_wait_ms, err);
}

static void on_wake(void *ctx, short ready)
{
	struct feed_fetcher *fetcher = ctx;
	struct error err = {0};
	int64_t wait_ms = 0;
	int rc;

	(void)ready;
	if (fetcher->is_running || !fetcher->queue)
		return;
	rc = approach(fetcher, &wait_ms, &err);
	if (rc == GATE_PASSED) {
		start(fetcher);
	} else if (rc == GATE_WAIT) {
		wake_at(fetcher, clock_monotonic_ms(fetcher->clock) + wait_ms);
	} else {
		set_failed(fetcher,
		           err.kind == ERROR_SYSTEM ? ERROR_TEMPORARY
		                                    : ERROR_PERMANENT,
		           err.message);
		finish(fetcher);
	}
}

/* ---- the fetcher ---- */

/* NOLINTNEXTLINE(readability-function-size): what it needs, once a run */
int feed_fetcher_open(struct feed_fetcher **ret_fetcher, struct net *net,
                      const struct clock *clock,
                      const struct feed_options *options, const char *state_dir,
                      struct error *err)
{
	owned(feed_fetcher) struct feed_fetcher *fetcher =
		mem_new(sizeof(*fetcher));

	fetcher->net = net;
	fetcher->clock = clock;
	fetcher->options = options;
	fetcher->queue_end = &fetcher->queue;
	fetcher->user_agent = mem_printf(
		"arxmail/" ARXMAIL_VERSION " (+mailto:%s)", options->contact);
	if (gate_open(&fetcher->gate, clock, state_dir, err) < 0)
		return -1;
	fetcher->easy = curl_easy_init();
	if (!fetcher->easy)
		return error_set(err, ERROR_SYSTEM, "libcurl has no memory");
	fetcher->watch = net_watch(net, -1, on_wake, fetcher);
	*ret_fetcher = take_ptr(fetcher);
	return 0;
}

void feed_fetcher_close(struct feed_fetcher *fetcher)
{
	if (!fetcher)
		return;
	net_unwatch(fetcher->net, fetcher->watch);
	if (fetcher->easy)
		net_stop(fetcher->net, fetcher->easy);
	curl_easy_cleanup(fetcher->easy);
	while (fetcher->queue)
		free_request(take_request(fetcher));
	curl_slist_free_all(fetcher->headers);
	feed_answer_fini(&fetcher->answer);
	free(fetcher->own);
	free(fetcher->refused);
	gate_close(fetcher->gate);
	free(fetcher->user_agent);
	free(fetcher);
}

void feed_fetch_add_library(struct buf *out)
{
	buf_addf(out, "libcurl %s",
	         curl_version_info(CURLVERSION_NOW)->version);
}
