#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feed/parser.h"
#include "golden.h"

/* ---- a feed as text ---- */

static const char *const kinds[] = {"RSS", "Atom", "RDF", "API"};

static void dump_item(struct buf *out, const struct feed_item *item)
{
	buf_addf(out, "%s v%u %s\n", item->paper->id, item->paper->version,
	         announce_type_name(item->type));
	dump_paper(out, item->paper);
}

static void dump_feed(struct buf *out, const struct feed *feed)
{
	buf_addf(out, "%s, %zu items, %zu skipped\n", kinds[feed->kind],
	         feed->n_items, feed->n_skipped);
	dump_text(out, "feed title", feed->title);
	if (feed->skipped)
		dump_text(out, "skipped", feed->skipped);
	for (size_t i = 0; i < feed->n_items; i++)
		dump_item(out, &feed->items[i]);
}

static int parse_in_pieces(struct span body, size_t piece,
                           struct feed **ret_feed, struct error *err)
{
	owned(feed_parser) struct feed_parser *parser = feed_parser_new();

	while (body.len > 0) {
		struct span part = span_first(body, piece);

		if (feed_parser_push(parser, part.ptr, part.len, err) < 0)
			return -1;
		body = span_skip(body, part.len);
	}
	return feed_parser_finish(parser, ret_feed, err);
}

/* What becomes of `body` when it comes in pieces; the caller owns it. */
static char *parse_to_text(struct span body, size_t piece)
{
	owned(buf) struct buf out = BUF_INIT(DUMP_MAX);
	owned(feed) struct feed *feed = NULL;
	struct error err = {0};

	if (parse_in_pieces(body, piece, &feed, &err) < 0)
		buf_addf(&out, "%s: %s\n", error_kinds[err.kind], err.message);
	else
		dump_feed(&out, feed);
	assert_false(out.failed);
	return mem_dup(buf_str(&out));
}

static void gives_what_the_golden_files_say_in_pieces_of_any_size(void **state)
{
	(void)state;
	check_golden_files("tests/golden/feed/*.in", parse_to_text);
}

/* ---- limits ---- */

/* A feed of one item, with `n` times `part` where the case says. */
struct limit_case {
	const char *title, *abstract, *authors, *more; /* "@": the repeats */
	const char *part;
	size_t n;
	const char *skipped; /* NULL: the item is taken */
};

static void add_repeated(struct buf *out, const char *text,
                         const struct limit_case *c)
{
	for (; *text; text++) {
		if (*text != '@')
			buf_add_char(out, *text);
		for (size_t i = 0; *text == '@' && i < c->n; i++)
			buf_add_str(out, c->part);
	}
}

static void add_head(struct buf *out)
{
	buf_add_str(out,
	            "<rss xmlns:dc=\"http://purl.org/dc/elements/1.1/\">"
	            "<channel><title>T</title>");
}

static void add_item(struct buf *out, const struct limit_case *c)
{
	buf_add_str(out, "<item><guid>2601.00001v1</guid><title>");
	add_repeated(out, c->title, c);
	buf_add_str(out, "</title><description>");
	add_repeated(out, c->abstract, c);
	buf_add_str(out, "</description><dc:creator>");
	add_repeated(out, c->authors, c);
	buf_add_str(out, "</dc:creator>");
	add_repeated(out, c->more, c);
	buf_add_str(out, "</item>");
}

static void check_limit(const struct limit_case *c)
{
	static const struct limit_case good = {"T", "A", "N", "", "", 0, NULL};
	owned(buf) struct buf body = BUF_INIT(LIMIT_FEED_BYTES);
	owned(feed) struct feed *feed = NULL;
	struct error err = {0};

	add_head(&body);
	add_item(&body, c);
	add_item(&body, &good);
	buf_add_str(&body, "</channel></rss>");

	assert_int_equal(feed_parse(buf_span(&body), &feed, &err), 0);
	assert_int_equal(feed->n_items, 1);
	assert_int_equal(feed->n_skipped, c->skipped ? 1 : 0);
	if (c->skipped)
		assert_string_equal(feed->skipped, c->skipped);
}

static void takes_what_is_at_a_limit_and_skips_what_is_past_it(void **state)
{
	static const struct limit_case cases[] = {
		{"@", "A", "N", "", "x", LIMIT_TITLE_BYTES, NULL},
		{"@", "A", "N", "", "x", LIMIT_TITLE_BYTES + 1,
	         "line 1: 2601.00001: title longer than 2000 bytes"},
		{" @ ", "A", "N", "", "x", LIMIT_TITLE_BYTES, NULL},
		{"T", "@", "N", "", "x", LIMIT_ABSTRACT_BYTES, NULL},
		{"T", "@", "N", "", "x", LIMIT_ABSTRACT_BYTES + 1,
	         "line 1: 2601.00001: abstract longer than 32768 bytes"},
		{"T", "A", "@", "", "x", LIMIT_AUTHORS_BYTES, NULL},
		{"T", "A", "@", "", "x", LIMIT_AUTHORS_BYTES + 1,
	         "line 1: 2601.00001: author list longer than 524288 bytes"},
		{"T", "A", "@", "", "x, ", LIMIT_AUTHORS, NULL},
		{"T", "A", "@", "", "x, ", LIMIT_AUTHORS + 1,
	         "line 1: 2601.00001: more than 10000 authors"},
		{"T", "A", "@", "", "(", LIMIT_AUTHORS_BYTES,
	         "line 1: 2601.00001: no author"},
		{"T", "A", "N", "@", "<category>cs.CL</category>",
	         LIMIT_CATEGORIES, NULL},
		{"T", "A", "N", "@", "<category>cs.CL</category>",
	         LIMIT_CATEGORIES + 1,
	         "line 1: 2601.00001: more than 32 categories"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_limit(&cases[i]);
}

static int parse_items(size_t n, struct feed **ret_feed, struct error *err)
{
	owned(buf) struct buf body = BUF_INIT(LIMIT_FEED_BYTES);

	add_head(&body);
	for (size_t i = 0; i < n; i++)
		buf_addf(&body,
		         "<item><guid>2601.%05zu</guid><title>T</title>"
		         "<description>A</description>"
		         "<dc:creator>N</dc:creator></item>",
		         i);
	buf_add_str(&body, "</channel></rss>");
	return feed_parse(buf_span(&body), ret_feed, err);
}

static void refuses_a_feed_with_too_many_items(void **state)
{
	owned(feed) struct feed *feed = NULL, *none = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_items(LIMIT_FEED_ITEMS, &feed, &err), 0);
	assert_int_equal(feed->n_items, LIMIT_FEED_ITEMS);
	assert_int_equal(parse_items(LIMIT_FEED_ITEMS + 1, &none, &err), -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_string_equal(err.message, "line 1: more than 4000 items");
	assert_null(none);
}

/* Blanks between the elements: they cost nothing but bytes. */
static int parse_bytes(size_t n, struct error *err)
{
	static const char end[] = "</channel></rss>";
	owned(buf) struct buf body = BUF_INIT(n + 1000);
	owned(feed) struct feed *feed = NULL;

	add_head(&body);
	while (body.len + strlen(end) < n)
		buf_add_char(&body, ' ');
	buf_add_str(&body, end);
	return parse_in_pieces(buf_span(&body), 4096, &feed, err);
}

static void refuses_a_body_that_is_too_long(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_bytes(LIMIT_FEED_BYTES, &err), 0);
	assert_int_equal(parse_bytes(LIMIT_FEED_BYTES + 1, &err), -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_string_equal(err.message, "longer than 16777216 bytes");
}

static int parse_nested(size_t depth, struct error *err)
{
	owned(buf) struct buf body = BUF_INIT(LIMIT_MIB);
	owned(feed) struct feed *feed = NULL;

	add_head(&body);
	for (size_t i = 0; i < depth; i++)
		buf_add_str(&body, "<x>");
	for (size_t i = 0; i < depth; i++)
		buf_add_str(&body, "</x>");
	buf_add_str(&body, "</channel></rss>");
	return feed_parse(buf_span(&body), &feed, err);
}

static void refuses_a_document_that_is_nested_too_deeply(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_nested(256, &err), 0);
	assert_int_equal(parse_nested(257, &err), -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_string_equal(err.message,
	                    "line 1: elements nested more than 256 deep");
}

/* An attribute's value fills the tag up to `len` bytes, both ends counted. */
static int parse_tag(size_t len, struct error *err)
{
	owned(feed) struct feed *feed = NULL;
	owned(buf) struct buf text = BUF_INIT(LIMIT_FEED_BYTES);
	const char *begin = "<rss version=\"2.0\" a=\"";

	buf_add_str(&text, begin);
	while (text.len < len - 2)
		buf_add_char(&text, 'x');
	buf_add_str(&text, "\"><channel><title>t</title></channel></rss>");
	return feed_parse(buf_span(&text), &feed, err);
}

static void refuses_a_tag_that_is_too_long(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_tag(LIMIT_FEED_TAG_BYTES, &err), 0);
	assert_int_equal(parse_tag(LIMIT_FEED_TAG_BYTES + 2, &err), -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_non_null(strstr(err.message, "a tag of more than"));
}

static void can_be_freed_half_way(void **state)
{
	struct error err = {0};
	struct feed_parser *parser = feed_parser_new();

	(void)state;
	assert_int_equal(
		feed_parser_push(parser, "<rss><channel><item>", 20, &err), 0);
	feed_parser_free(parser);
	feed_parser_free(NULL);
	feed_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			gives_what_the_golden_files_say_in_pieces_of_any_size),
		cmocka_unit_test(
			takes_what_is_at_a_limit_and_skips_what_is_past_it),
		cmocka_unit_test(refuses_a_feed_with_too_many_items),
		cmocka_unit_test(refuses_a_body_that_is_too_long),
		cmocka_unit_test(refuses_a_document_that_is_nested_too_deeply),
		cmocka_unit_test(refuses_a_tag_that_is_too_long),
		cmocka_unit_test(can_be_freed_half_way),
	};

	return cmocka_run_group_tests_name("parser", tests, NULL, NULL);
}
