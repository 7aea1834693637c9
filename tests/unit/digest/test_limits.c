/* Each limit of templates met exactly, and passed by one. */

#include "sample.h"

#include "base/escape.h"
#include "base/limits.h"
#include "digest/mustache.h"
#include "digest/style.h"

static void add_times(struct buf *out, const char *piece, size_t n)
{
	while (n-- > 0)
		buf_add_str(out, piece);
}

static void compile(const struct buf *text, const char *fault)
{
	const struct mustache_options options = {.escape = buf_add_html};
	const struct mustache_source source = {"t", buf_span(text)};
	owned(mustache) struct mustache *mustache = NULL;
	struct error err = {0};
	int rc = mustache_compile(&mustache, &source, &options, &err);

	if (rc != (fault ? -1 : 0) || (fault && !strstr(err.message, fault)))
		fail_msg("%d: %s", rc, err.message);
}

static void a_template_has_so_many_bytes(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

		add_times(&text, "x", LIMIT_TEMPLATE_BYTES + over);
		compile(&text, over ? "longer than 262144 bytes" : NULL);
	}
}

static void a_style_has_so_many_bytes(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);
		owned(style) struct style *style = NULL;
		struct error err = {0};
		int rc;

		add_times(&text, "\n", LIMIT_TEMPLATE_BYTES + over);
		rc = style_parse(&style, "s", buf_span(&text), &err);
		assert_int_equal(rc, over ? -1 : 0);
	}
}

/* The template itself is one level. */
static void sections_go_so_deep(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

		add_times(&text, "{{#x}}", LIMIT_TEMPLATE_DEPTH - 1 + over);
		add_times(&text, "{{/x}}", LIMIT_TEMPLATE_DEPTH - 1 + over);
		compile(&text, over ? "nested more than 32 deep" : NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_has_so_many_bytes),
		cmocka_unit_test(a_style_has_so_many_bytes),
		cmocka_unit_test(sections_go_so_deep),
	};

	return cmocka_run_group_tests_name("digest: limits", tests, NULL, NULL);
}
