/* Servers that mean harm, each limit met exactly and passed by one. */

#include "fetch_world.h"

static void serve(struct world *world, const char *answer)
{
	world->server.answer = span_of(answer);
	world->server.hangs_up = true;
	fetch(world, world->server.url, NULL, NULL);
}

static void assert_failed(const struct world *world, enum error_kind kind,
                          const char *words)
{
	const struct feed_answer *last = &world->last;

	if (last->kind != FEED_ANSWER_FAILED || last->error.kind != kind ||
	    !strstr(last->error.message, words))
		fail_msg("%d %d %s", last->kind, last->error.kind,
		         last->error.message);
}

static void redirect(struct world *world, const char *to)
{
	owned(mem) char *answer = mem_printf(
		"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
		"Location: %s\r\n\r\n",
		to);

	serve(world, answer);
	assert_int_equal(world->server.n_requests, 1);
	free(take_ptr(world->server.requests[0]));
	world->server.n_requests = 0;
}

static void follows_no_redirect_behind_the_firewall(void **state)
{
	static const char *const addresses[] = {
		"10.0.0.1",       "172.16.0.1",    "192.168.0.1",
		"100.64.0.1",     "0.0.0.0",       "169.254.169.254",
		"224.0.0.1",      "203.0.113.1",   "255.255.255.255",
		"fd00::1",        "fe80::1",       "::ffff:10.0.0.1",
		"64:ff9b::a00:1", "2002:a00:1::1",
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		bool v6 = strchr(addresses[i], ':') != NULL;
		owned(mem) char *url =
			mem_printf("https://%s%s%s/feed", v6 ? "[" : "",
		                   addresses[i], v6 ? "]" : "");
		owned(mem) char *words = mem_printf(
			"redirected to %s, where no feed can be", addresses[i]);

		redirect(world, url);
		assert_failed(world, ERROR_PERMANENT, words);
	}
}

/* The public address is refused before a packet is sent to it. */
static void follows_no_redirect_in_the_clear(void **state)
{
	struct world *world = *state;

	redirect(world, "http://192.0.1.1/feed");
	assert_failed(world, ERROR_PERMANENT,
	              "redirected to 192.0.1.1, where no feed can be");
}

static void follows_no_redirect_to_other_protocols(void **state)
{
	static const char *const urls[] = {
		"file:///etc/passwd",   "ftp://127.0.0.1/x",
		"gopher://127.0.0.1/x", "dict://127.0.0.1/x",
		"smb://127.0.0.1/x",    "smtp://127.0.0.1/x",
		"ldap://127.0.0.1/x",   "tftp://127.0.0.1/x",
		"scp://127.0.0.1/x",    "ws://127.0.0.1/x",
		"FILE:///etc/passwd",
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		redirect(world, urls[i]);
		assert_failed(world, ERROR_PERMANENT,
		              "redirected to something other than https");
	}
}

/* Serves `n` redirects and then a feed. */
static void serve_chain(struct world *world, size_t n)
{
	owned(mem) char *again = mem_printf(
		"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
		"Location: %s/again\r\n\r\n",
		world->server.url);

	world->server.answer = span_of(again);
	ask(world, world->server.url);
	while (world->server.n_requests < n)
		turn(world);
	world->server.answer =
		span_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
	wait_for(world, 1);
}

static void follows_three_redirects(void **state)
{
	struct world *world = *state;

	serve_chain(world, LIMIT_FEED_REDIRECTS);
	assert_int_equal(world->last.kind, FEED_ANSWER_BODY);
	assert_string_equal(world->body, "new");
}

static void follows_no_fourth_redirect(void **state)
{
	struct world *world = *state;

	serve_chain(world, LIMIT_FEED_REDIRECTS + 1);
	assert_failed(world, ERROR_TEMPORARY, "redirected too often");
}

/* ---- sizes ---- */

#define STATUS_LINE "HTTP/1.1 200 OK\r\n"
#define LENGTH_LINE "Content-Length: 2\r\n"

/* An answer with header lines of `n` bytes in all. */
static char *make_headers(size_t n)
{
	owned(buf) struct buf out = BUF_INIT(SIZE_MAX);
	char *answer = NULL;
	struct error err = {0};

	n -= strlen(STATUS_LINE LENGTH_LINE) + strlen("\r\n");
	buf_add_str(&out, STATUS_LINE LENGTH_LINE);
	while (n > 0) {
		size_t line = n > 2000 ? 1000 : n;

		buf_add_str(&out, "X: ");
		for (size_t i = strlen("X: \r\n"); i < line; i++)
			buf_add_char(&out, 'x');
		buf_add_str(&out, "\r\n");
		n -= line;
	}
	buf_add_str(&out, "\r\nok");
	assert_int_equal(buf_finish(&out, "the answer", &answer, &err), 0);
	return answer;
}

static void takes_headers_up_to_their_limit(void **state)
{
	struct world *world = *state;
	owned(mem) char *most = make_headers(LIMIT_HEADER_BYTES);
	owned(mem) char *more = make_headers(LIMIT_HEADER_BYTES + 1);

	serve(world, most);
	assert_int_equal(world->last.kind, FEED_ANSWER_BODY);
	assert_string_equal(world->body, "ok");
	serve(world, more);
	assert_failed(world, ERROR_PERMANENT, "header lines are longer");
}

/* libcurl 7.88 took it for the rest of the last answer's last line. */
static void takes_a_folded_line_for_no_header(void **state)
{
	struct world *world = *state;

	serve(world, STATUS_LINE "Content-Length: 2\r\nETag: abc\r\n\r\nok");
	assert_string_equal(world->last.etag, "abc");
	serve(world, STATUS_LINE " folded\r\nContent-Length: 2\r\n\r\nok");
	assert_null(world->last.etag);
}

static void gives_up_a_header_line_of_a_megabyte(void **state)
{
	struct world *world = *state;

	world->server.is_endless = true;
	world->server.n_more = LIMIT_MIB;
	serve(world, STATUS_LINE "X: ");
	assert_failed(world, ERROR_TEMPORARY, "a header line is longer");
}

static void serve_body(struct world *world, size_t n)
{
	world->server.n_more = n;
	world->server.answer = span_of(STATUS_LINE "\r\n");
	world->server.is_endless = true;
	fetch(world, world->server.url, NULL, NULL);
}

static void takes_a_feed_up_to_its_limit(void **state)
{
	struct world *world = *state;

	serve_body(world, LIMIT_FEED_BYTES);
	assert_int_equal(world->last.kind, FEED_ANSWER_BODY);
	serve_body(world, LIMIT_FEED_BYTES + 1);
	assert_failed(world, ERROR_PERMANENT, "larger than any of arXiv's");
}

/* ---- gzip ---- */

struct bits {
	struct buf out;
	unsigned char byte;
	unsigned n;
};

/* Huffman codes stand in a deflate stream with their first bit first. */
static void put_code(struct bits *bits, unsigned code, unsigned len)
{
	while (len-- > 0) {
		bits->byte |= (unsigned char)((code >> len & 1) << bits->n++);
		if (bits->n == 8) {
			buf_add_char(&bits->out, (char)bits->byte);
			bits->byte = 0;
			bits->n = 0;
		}
	}
}

/* RFC 1951, 3.2.6: a NUL, and 258 more of them for each 13 bits. */
static void write_bomb(struct bits *bits, size_t n_bytes)
{
	static const char head[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03";

	bits->out = BUF_INIT(SIZE_MAX);
	buf_add(&bits->out, head, sizeof(head) - 1);
	put_code(bits, 1, 1);    /* the last block */
	put_code(bits, 2, 2);    /* with fixed codes */
	put_code(bits, 0x30, 8); /* the byte 0 */
	for (size_t n = 1; n < n_bytes; n += 258) {
		put_code(bits, 0xC5, 8);
		put_code(bits, 0, 5);
	}
	put_code(bits, 0, 7); /* the end */
	put_code(bits, 0, 7);
}

static void gives_up_a_gzip_bomb(void **state)
{
	struct world *world = *state;
	struct bits bits = {0};
	owned(buf) struct buf answer = BUF_INIT(SIZE_MAX);

	write_bomb(&bits, LIMIT_FEED_BYTES + LIMIT_MIB);
	assert_true(bits.out.len < 128 * (size_t)LIMIT_KIB);
	buf_addf(&answer,
	         "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	         "Content-Length: %zu\r\n\r\n",
	         bits.out.len);
	buf_add_span(&answer, buf_span(&bits.out));
	buf_fini(&bits.out);
	world->server.answer = buf_span(&answer);
	fetch(world, world->server.url, NULL, NULL);
	assert_failed(world, ERROR_PERMANENT, "larger than any of arXiv's");
}

static void believes_no_wrong_length(void **state)
{
	static const struct {
		const char *head;
		const char *words;
	} cases[] = {
		{"Content-Length: 9\r\n", "broke before the whole feed"},
		{"Content-Length: -1\r\n", ""},
		{"Content-Length: 99999999999999999999\r\n", ""},
		{"Content-Length: 16777217\r\n", "larger than"},
		{"Transfer-Encoding: chunked\r\n", ""},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(mem) char *answer =
			mem_printf(STATUS_LINE "%s\r\nfeed", cases[i].head);

		serve(world, answer);
		assert_int_equal(world->last.kind, FEED_ANSWER_FAILED);
		assert_non_null(
			strstr(world->last.error.message, cases[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, open_world, close_world)
		CASE(follows_no_redirect_behind_the_firewall),
		CASE(follows_no_redirect_in_the_clear),
		CASE(follows_no_redirect_to_other_protocols),
		CASE(follows_three_redirects),
		CASE(follows_no_fourth_redirect),
		CASE(takes_headers_up_to_their_limit),
		CASE(takes_a_folded_line_for_no_header),
		CASE(gives_up_a_header_line_of_a_megabyte),
		CASE(takes_a_feed_up_to_its_limit),
		CASE(gives_up_a_gzip_bomb),
		CASE(believes_no_wrong_length),
	};

	return cmocka_run_group_tests_name("fetch: hostile", tests, NULL, NULL);
}
