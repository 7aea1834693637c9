/* Any bytes as a template: an error with its line, or what can be rendered. */

#include <stdlib.h>

#include "base/escape.h"
#include "base/limits.h"
#include "digest/mustache.h"
#include "fuzz.h"

static bool find_partial(void *ctx, struct span name,
                         struct mustache_source *ret_source)
{
	if (!span_is(name, "p"))
		return false;
	*ret_source = (struct mustache_source){"p", *(struct span *)ctx};
	return true;
}

static void fill(struct value *values)
{
	struct value *list;

	value_add_text(values, "text", span_of("a <b> & {{x}}"));
	value_add_text(values, "empty", SPAN_NONE);
	list = value_add(values, "list", VALUE_LIST);
	for (int i = 0; i < 2; i++)
		value_add_text(value_add(list, NULL, VALUE_MAP), "x",
		               span_of("*y*"));
	value_add_text(value_add(values, "map", VALUE_MAP), "x", span_of("z"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {size > 0 ? (const char *)data : "", size};
	const struct mustache_options options = {
		.escape = buf_add_html,
		.partial = find_partial,
		.ctx = &text,
	};
	const struct mustache_source source = {"t", text};
	owned(mustache) struct mustache *mustache = NULL;
	owned(value) struct value values = VALUE_MAP_INIT;
	owned(strings) struct strings problems = {0};
	owned(buf) struct buf out = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	const struct mustache_scope scope = {.values = &values};
	struct error err = {0};
	bool renders;

	if (mustache_compile(&mustache, &source, &options, &err) < 0) {
		if (!*err.message)
			abort();
		return 0;
	}
	fill(&values);
	mustache_check(mustache, &scope, &problems);
	mustache_check_markdown(mustache, &problems);
	strings_fini(&problems);
	renders = mustache_render(&out, mustache, &scope, &err) == 0;
	/* What the check at load lets pass never fails at a reader's mail. */
	mustache_check(mustache, &scope, &problems);
	if (problems.n == 0 && !renders)
		abort();
	return 0;
}
