/* Opening and closing a session: libcurl's part. */

#include "smtp_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"

/* More than a reply's line and what is read at once. */
#define IN_MAX_BYTES (32U * LIMIT_KIB)

void smtp_options_fini(struct smtp_options *options)
{
	if (options->password)
		explicit_bzero(options->password, strlen(options->password));
	free(options->url);
	free(options->username);
	free(options->password);
	free(options->ca_file);
	free(options->retry_min);
	*options = (struct smtp_options){0};
}

/* ---- what the server offers ---- */

static bool is_keyword(const char *line, const char *keyword)
{
	size_t len = strlen(keyword);

	return !strncasecmp(line, keyword, len) &&
	       (line[len] == '\0' || line[len] == ' ');
}

static const char *find_offer(const struct smtp_session *session,
                              const char *keyword)
{
	for (size_t i = 0; i < session->offers.n; i++)
		if (is_keyword(session->offers.items[i], keyword))
			return session->offers.items[i];
	return NULL;
}

bool smtp_offers(const struct smtp_session *session, const char *keyword)
{
	return find_offer(session, keyword) != NULL;
}

uint64_t smtp_size_limit(const struct smtp_session *session)
{
	const char *line = find_offer(session, "SIZE");
	uint64_t limit = 0;

	if (!line || !num_parse(span_trim(span_of(line + strlen("SIZE"))), 0,
	                        UINT64_MAX, &limit))
		return 0;
	return limit;
}

/*
 * Of the replies that libcurl reads, EHLO's is 250. After STARTTLS there is
 * a second one, and what was offered before does not count.
 */
static void take_line(struct smtp_session *session, struct span line)
{
	bool is_last = line.len < 4 || line.ptr[3] != '-';

	if (span_starts(line, "220"))
		session->is_greeted = true;
	if (span_starts(line, "235"))
		session->is_logged_in = true;
	if (span_starts(line, "250")) {
		if (!session->is_reply_begun)
			strings_fini(&session->offers);
		else if (line.len > 4)
			strings_add(&session->offers, span_skip(line, 4));
	}
	session->is_reply_begun = !is_last;
}

/*
 * The last reply is kept for the sentence. What is none, or too much of one,
 * ends the opening at once: libcurl would wait for a better one.
 */
static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
	struct smtp_session *session = ctx;
	struct span text = {bytes, size * n};

	if (!session->is_reply_begun)
		smtp_reply_reset(&session->reply);
	if (smtp_reply_read(&session->reply, &text, &session->no_reply) < 0) {
		smtp_reply_reset(&session->reply);
		return 0;
	}
	smtp_hide_password(&session->reply, session->options);
	take_line(session, span_trim((struct span){bytes, size * n}));
	return size * n;
}

/* ---- opening ---- */

OWNED_DEFINE(curlu, CURLU, curl_url_cleanup);

/* "" where the URL has no such part. The caller owns it. */
static char *get_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	char *copy;

	(void)curl_url_get(url, part, &text, CURLU_DEFAULT_PORT);
	copy = mem_dup(text ? text : "");
	curl_free(text);
	return copy;
}

/* The URL is not repeated: it may hold a password. */
static int refuse_url(struct error *err)
{
	return error_set(err, ERROR_SYNTAX,
	                 "smtp.url is not smtp://HOST[:PORT] or "
	                 "smtps://HOST[:PORT]");
}

static int read_url(struct smtp_session *session, struct error *err)
{
	owned(curlu) CURLU *url = curl_url();
	owned(mem) char *scheme = NULL;
	owned(mem) char *user = NULL;
	owned(mem) char *host = NULL;
	owned(mem) char *port = NULL;

	if (!url || curl_url_set(url, CURLUPART_URL, session->options->url, 0))
		return refuse_url(err);
	scheme = get_part(url, CURLUPART_SCHEME);
	user = get_part(url, CURLUPART_USER);
	host = get_part(url, CURLUPART_HOST);
	port = get_part(url, CURLUPART_PORT);
	session->is_smtps = !strcmp(scheme, "smtps");
	if ((!session->is_smtps && strcmp(scheme, "smtp") != 0) || user[0])
		return refuse_url(err);
	session->where = mem_printf("%s:%s", host, port);
	return 0;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)
		                     ->sin_addr.s_addr) >>
		               24 ==
		       IN_LOOPBACKNET;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(
		       &((const struct sockaddr_in6 *)(const void *)address)
				->sin6_addr);
}

/* The password leaves in clear to the machine itself at most. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
	struct smtp_session *session = ctx;
	int fd;

	(void)purpose;
	if (session->options->username && !session->is_smtps &&
	    session->options->tls == SMTP_TLS_NONE &&
	    !is_loopback(&address->addr)) {
		session->is_plain_refused = true;
		return CURL_SOCKET_BAD;
	}
	/* libcurl does not look whether it could make it non-blocking. */
	fd = socket(address->family,
	            address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
	            address->protocol);
	/* A machine without IPv6 has the other addresses. */
	if (fd < 0 && errno != EAFNOSUPPORT)
		session->no_socket = errno;
	return fd;
}

static bool set_numbers(const struct smtp_session *session)
{
	const struct smtp_options *options = session->options;
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_CONNECT_ONLY, 1L},
		{CURLOPT_USE_SSL, options->tls == SMTP_TLS_REQUIRED
	                                  ? CURLUSESSL_ALL
	                                  : CURLUSESSL_NONE},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
		{CURLOPT_SSL_VERIFYPEER, 1L},
		{CURLOPT_SSL_VERIFYHOST, 2L},
		{CURLOPT_CONNECTTIMEOUT, (long)options->timeout_s},
		{CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)options->timeout_s},
		{CURLOPT_NETRC, CURL_NETRC_IGNORED},
		{CURLOPT_NOSIGNAL, 1L},
		/* A look-up that hangs must not hold up smtp_close(). */
		{CURLOPT_QUICK_EXIT, 1L},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (curl_easy_setopt(session->easy, numbers[i].option,
		                     numbers[i].value))
			return false;
	return true;
}

static bool set_texts(struct smtp_session *session)
{
	const struct smtp_options *options = session->options;
	const struct {
		CURLoption option;
		const char *value;
	} texts[] = {
		{CURLOPT_URL, options->url},
		{CURLOPT_PROTOCOLS_STR, "smtp,smtps"},
		{CURLOPT_PROXY, ""},
		{CURLOPT_CAINFO, options->ca_file},
		{CURLOPT_USERNAME, options->username},
		{CURLOPT_PASSWORD, options->password},
		/*
	         * The two that need no more than the password. libcurl tries
	         * one mechanism only, and might take one that is offered but
	         * not set up, as Kerberos or DIGEST-MD5 often are.
	         */
		{CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value &&
		    curl_easy_setopt(session->easy, texts[i].option,
		                     texts[i].value))
			return false;
	return true;
}

static bool set_callbacks(struct smtp_session *session)
{
	CURL *easy = session->easy;

	return !curl_easy_setopt(easy, CURLOPT_ERRORBUFFER,
	                         session->curl_words) &&
	       !curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) &&
	       !curl_easy_setopt(easy, CURLOPT_HEADERDATA, session) &&
	       !curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
	                         open_socket) &&
	       !curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, session);
}

/* libcurl is done: with the session, or with trying. */
static void on_opened(void *ctx, int code)
{
	struct smtp_session *session = ctx;
	bool lacks_login = session->options->username && !session->is_logged_in;

	if (!code)
		code = (int)curl_easy_getinfo(
			session->easy, CURLINFO_ACTIVESOCKET, &session->fd);
	if (code || lacks_login) {
		smtp_judge_opening(&session->outcome, (CURLcode)code, session);
		session->state = SMTP_OVER;
		session->news = SMTP_NEWS_CLOSED;
	} else {
		session->news = SMTP_NEWS_OPEN;
		smtp_session_begin(session);
	}
	smtp_session_tell(session);
}

/* NOLINTNEXTLINE(readability-function-size): what it needs, once a session */
int smtp_open(struct smtp_session **ret_session, struct net *net,
              const struct clock *clock, const struct smtp_options *options,
              const struct smtp_events *events, struct error *err)
{
	owned(smtp_session) struct smtp_session *session =
		mem_new(sizeof(*session));

	session->net = net;
	session->clock = clock;
	session->options = options;
	session->events = *events;
	session->fd = CURL_SOCKET_BAD;
	session->in = BUF_INIT(IN_MAX_BYTES);
	session->out = BUF_INIT(2 * LIMIT_MESSAGE_BYTES);
	if (read_url(session, err) < 0)
		return -1;

	session->easy = curl_easy_init();
	if (!session->easy || !set_numbers(session) || !set_texts(session) ||
	    !set_callbacks(session))
		return error_set(err, ERROR_SYSTEM,
		                 "libcurl cannot do what a session needs");
	if (net_start(net, session->easy, on_opened, session, err) < 0)
		return -1;
	*ret_session = take_ptr(session);
	return 0;
}

void smtp_close(struct smtp_session *session)
{
	if (!session)
		return;
	if (session->is_closed)
		*session->is_closed = true;
	smtp_session_quit(session);
	/* libcurl would send QUIT itself and wait for the reply. */
	if (session->fd != CURL_SOCKET_BAD)
		(void)shutdown(session->fd, SHUT_RDWR);
	net_unwatch(session->net, session->watch);
	if (session->easy) {
		net_stop(session->net, session->easy);
		curl_easy_cleanup(session->easy);
	}
	strings_fini(&session->offers);
	smtp_reply_fini(&session->reply);
	buf_fini(&session->in);
	buf_fini(&session->out);
	free(session->where);
	free(session);
}
