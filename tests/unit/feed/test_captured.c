/*
 * The parser on feeds that were captured from arXiv, where the folder that
 * ARXMAIL_FEEDS names has them. What is expected comes from its INDEX.tsv and
 * from counting strings in the files.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "feed/parser.h"

/* What a kind of INDEX.tsv means; the first that fits counts. */
static const struct expectation {
	const char *kind;
	enum feed_kind feed;
	enum error_kind error; /* ERROR_NONE: it is a feed */
} expectations[] = {
	{"Atom 1.0 (truncated", FEED_ATOM, ERROR_SYNTAX},
	{"API Atom (old) error", FEED_API, ERROR_PERMANENT},
	{"OAI-PMH", FEED_RSS, ERROR_SYNTAX},
	{"RSS 2.0", FEED_RSS, ERROR_NONE},
	{"RECONSTRUCTED RSS 2.0", FEED_RSS, ERROR_NONE},
	{"RSS 1.0/RDF", FEED_RDF, ERROR_NONE},
	{"Atom 1.0", FEED_ATOM, ERROR_NONE},
	{"API Atom", FEED_API, ERROR_NONE},
};

static const struct expectation *expect(struct span kind)
{
	for (size_t i = 0; i < sizeof(expectations) / sizeof(*expectations);
	     i++)
		if (span_starts(kind, expectations[i].kind))
			return &expectations[i];
	fail_msg("unknown kind: %.*s", (int)kind.len, kind.ptr);
	return NULL;
}

static size_t count(struct span text, const char *needle)
{
	size_t n = 0;

	for (;;) {
		size_t at = span_find(text, needle);

		if (at == text.len)
			return n;
		text = span_skip(text, at + strlen(needle));
		n++;
	}
}

/* How many items of each type the bytes of the file speak of. */
static void count_types(struct span body, enum feed_kind kind, size_t n_items,
                        size_t n[ANNOUNCE_TYPES])
{
	memset(n, 0, ANNOUNCE_TYPES * sizeof(*n));
	switch (kind) {
	case FEED_RSS:
	case FEED_ATOM:
		n[ANNOUNCE_NEW] = count(body, "announce_type>new<");
		n[ANNOUNCE_CROSS] = count(body, "announce_type>cross<");
		n[ANNOUNCE_REPLACE] = count(body, "announce_type>replace<");
		n[ANNOUNCE_REPLACE_CROSS] =
			count(body, "announce_type>replace-cross<");
		break;
	case FEED_RDF:
		n[ANNOUNCE_CROSS] = count(body, " CROSS LISTED)</title>");
		n[ANNOUNCE_REPLACE] = count(body, " UPDATED)</title>");
		n[ANNOUNCE_NEW] =
			n_items - n[ANNOUNCE_CROSS] - n[ANNOUNCE_REPLACE];
		break;
	case FEED_API:
		n[ANNOUNCE_NEW] = count(body, "v1</id>");
		n[ANNOUNCE_REPLACE] = n_items - n[ANNOUNCE_NEW];
		break;
	}
}

static void check_item(const struct feed_item *item)
{
	const struct paper *paper = item->paper;
	struct span id;
	uint32_t version;

	assert_true(paper_parse_id(span_of(paper->id), &id, &version));
	assert_int_equal(version, 0);
	assert_true(paper->version >= 1);
	assert_true(*paper->title && *paper->abstract);
	assert_true(paper->authors.n > 0);
	assert_false(span_starts(span_of(paper->abstract), "arXiv:"));
	assert_null(strstr(paper->title, "(arXiv:"));
	assert_null(strstr(paper->abstract, "<p>"));
	for (size_t i = 0; i < paper->authors.n; i++) {
		assert_true(*paper->authors.items[i]);
		assert_null(strpbrk(paper->authors.items[i], "<>&;:\n"));
	}
}

static void check_feed(const struct feed *feed, struct span body,
                       const struct expectation *expected, uint64_t n_items)
{
	size_t n_said[ANNOUNCE_TYPES], n_got[ANNOUNCE_TYPES] = {0};

	assert_int_equal(feed->kind, expected->feed);
	assert_int_equal(feed->n_items, n_items);
	assert_int_equal(feed->n_skipped, 0);
	assert_true(*feed->title);
	for (size_t i = 0; i < feed->n_items; i++) {
		check_item(&feed->items[i]);
		n_got[feed->items[i].type]++;
	}
	count_types(body, feed->kind, n_items, n_said);
	assert_memory_equal(n_got, n_said, sizeof(n_said));
}

static void check_file(const char *folder, struct span name, struct span kind,
                       uint64_t n_items)
{
	const struct expectation *expected = expect(kind);
	owned(mem) char *path =
		mem_printf("%s/%.*s", folder, (int)name.len, name.ptr);
	owned(buf) struct buf body = BUF_INIT(LIMIT_FEED_BYTES);
	owned(feed) struct feed *feed = NULL;
	struct error err = {0};

	print_message("%s\n", path);
	assert_int_equal(file_read(&body, path, &err), 0);
	if (feed_parse(buf_span(&body), &feed, &err) < 0)
		print_message("  %s\n", err.message);
	assert_int_equal(err.kind, expected->error);
	if (feed)
		check_feed(feed, buf_span(&body), expected, n_items);
}

/* A line: file, kind, category, items, more. The first is the heading. */
static void check_line(const char *folder, struct span line)
{
	struct span parts[4] = {SPAN_NONE};
	uint64_t n_items;

	for (size_t i = 0; i < 4; i++)
		assert_true(span_split(&line, '\t', &parts[i]));
	if (span_is(parts[0], "file"))
		return;
	assert_true(num_parse(parts[3], 0, LIMIT_FEED_ITEMS, &n_items));
	check_file(folder, parts[0], parts[1], n_items);
}

static void reads_every_captured_feed(void **state)
{
	const char *folder = getenv("ARXMAIL_FEEDS");
	owned(mem) char *path = NULL;
	owned(buf) struct buf index = BUF_INIT(LIMIT_MIB);
	struct span rest, line;
	struct error err = {0};

	(void)state;
	if (!folder) {
		print_message("ARXMAIL_FEEDS is not set: no captured feeds\n");
		skip();
	}
	path = mem_printf("%s/INDEX.tsv", folder);
	assert_int_equal(file_read(&index, path, &err), 0);
	rest = buf_span(&index);
	while (span_split(&rest, '\n', &line))
		if (line.len > 0)
			check_line(folder, line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_captured_feed),
	};

	return cmocka_run_group_tests_name("captured", tests, NULL, NULL);
}
