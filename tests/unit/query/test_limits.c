/* Each limit of a query met exactly, and passed by one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "model/subscriber.h"
#include "query/query.h"

static void check(const struct buf *text, const char *fault)
{
	owned(query_pool) struct query_pool *pool = query_pool_new();
	owned(query) struct query *query = NULL;
	struct error err = {0};
	int rc = query_parse(&query, pool, buf_str(text), &err);

	if (rc != (fault ? -1 : 0) || (fault && !strstr(err.message, fault)))
		fail_msg("%d: %s", rc, err.message);
}

static void add_times(struct buf *text, const char *piece, size_t n)
{
	while (n-- > 0)
		buf_add_str(text, piece);
}

static void has_so_many_bytes(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

		add_times(&text, " ", LIMIT_QUERY_BYTES - 1 + over);
		buf_add_str(&text, "q");
		check(&text, over ? "longer than 16384 bytes" : NULL);
	}
}

static void goes_so_deep(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

		add_times(&text, "(", LIMIT_QUERY_DEPTH + over);
		buf_add_str(&text, "q");
		add_times(&text, ")", LIMIT_QUERY_DEPTH + over);
		check(&text, over ? "at most 100 levels deep" : NULL);
	}
}

/* Each word is one. */
static void has_so_many_nodes(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

		buf_add_str(&text, "a");
		add_times(&text, " b", LIMIT_QUERY_NODES - 1 + over);
		check(&text, over ? "at most 4000 words" : NULL);
	}
}

static void a_keyword_has_so_many_bytes(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		owned(query_pool) struct query_pool *pool = query_pool_new();
		owned(query) struct query *query = NULL;
		owned(buf) struct buf word = BUF_INIT(SIZE_MAX);
		struct topic topic = {0};
		struct error err = {0};
		int rc;

		add_times(&word, "k", LIMIT_KEYWORD_BYTES + over);
		strings_add(&topic.keywords, buf_span(&word));
		rc = query_from_topic(&query, pool, &topic, &err);
		strings_fini(&topic.keywords);
		assert_int_equal(rc, over ? -1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_so_many_bytes),
		cmocka_unit_test(goes_so_deep),
		cmocka_unit_test(has_so_many_nodes),
		cmocka_unit_test(a_keyword_has_so_many_bytes),
	};

	return cmocka_run_group_tests_name("query: limits", tests, NULL, NULL);
}
