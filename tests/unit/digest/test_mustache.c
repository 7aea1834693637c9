#include "json.h"

#include <glob.h>

#include "base/escape.h"
#include "base/file.h"
#include "digest/mustache.h"

/* ---- the specification ---- */

/* What is an error here and an empty text there. */
static const char *const stricter[] = {
	"Failed Lookup",
	"Recursion",
	"Basic Context Miss Interpolation",
	"Triple Mustache Context Miss Interpolation",
	"Ampersand Context Miss Interpolation",
	"Dotted Names - Broken Chains",
	"Dotted Names - Broken Chain Resolution",
	"Dotted Names - Context Precedence",
	"Dotted Names are never single keys",
	"Context Misses",
};

static bool is_stricter(const char *name)
{
	for (size_t i = 0; i < sizeof(stricter) / sizeof(*stricter); i++)
		if (!strcmp(stricter[i], name))
			return true;
	return false;
}

static const struct value *get(const struct value *map, const char *name)
{
	return value_find(map, span_of(name));
}

static bool find_partial(void *ctx, struct span name,
                         struct mustache_source *ret_source)
{
	const struct value *partials = get(ctx, "partials");
	const struct value *found =
		partials ? value_find(partials, name) : NULL;

	if (!found)
		return false;
	*ret_source =
		(struct mustache_source){found->name, span_of(found->text)};
	return true;
}

/* Here a text says by itself whether it needs escaping. */
static void make_ready(struct value *value)
{
	if (value->kind == VALUE_TEXT)
		value->kind = VALUE_READY;
	for (size_t i = 0; i < value->n_items; i++)
		make_ready(&value->items[i]);
}

static bool has_raw(const char *template)
{
	return template && (strstr(template, "{{{") || strstr(template, "{{&"));
}

static bool case_has_raw(struct value *test)
{
	const struct value *partials = get(test, "partials");

	for (size_t i = 0; partials && i < partials->n_items; i++)
		if (has_raw(partials->items[i].text))
			return true;
	return has_raw(get(test, "template")->text);
}

static int run_case(struct buf *out, struct value *test, struct error *err)
{
	owned(mustache) struct mustache *mustache = NULL;
	struct value *data = value_find(test, span_of("data"));
	const struct mustache_source source = {
		"case", span_of(get(test, "template")->text)};
	const struct mustache_options options = {
		.escape = buf_add_html, .partial = find_partial, .ctx = test};
	const struct mustache_scope scope = {.values = data};

	if (case_has_raw(test))
		make_ready(data);
	if (mustache_compile(&mustache, &source, &options, err) < 0)
		return -1;
	return mustache_render(out, mustache, &scope, err);
}

static void check_case(const char *file, struct value *test)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_MIB);
	const char *name = get(test, "name")->text;
	const char *expected = get(test, "expected")->text;
	struct error err = {0};
	int outcome = run_case(&out, test, &err);

	if (is_stricter(name)) {
		assert_int_equal(outcome, -1);
		return;
	}
	if (outcome < 0 || strcmp(buf_str(&out), expected))
		fail_msg("%s: %s: expected «%s», got «%s» %s", file, name,
		         expected, buf_str(&out), err.message);
}

static void check_file(const char *path)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_MIB);
	owned(strings) struct strings names = {0};
	owned(value) struct value root = {0};
	const struct value *tests;
	struct error err = {0};
	struct json json = {.names = &names};

	assert_int_equal(file_read(&text, path, &err), 0);
	json.rest = buf_span(&text);
	json_read(&json, &root);
	tests = get(&root, "tests");
	assert_true(tests && tests->n_items > 10);
	for (size_t i = 0; i < tests->n_items; i++)
		check_case(path, &tests->items[i]);
}

static void check_folder(const char *folder)
{
	owned(mem) char *pattern = mem_printf("%s/*.json", folder);
	glob_t found = {0};

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_file(found.gl_pathv[i]);
	globfree(&found);
}

/* skip() leaves without a cleanup, so nothing is owned here. */
static void follows_the_specification(void **state)
{
	const char *folder = getenv("MUSTACHE_SPEC");

	(void)state;
	if (!folder) {
		print_message(
			"MUSTACHE_SPEC is not set: the specification's "
			"cases were not run\n");
		skip();
	}
	check_folder(folder);
}

/* ---- what is ours ---- */

static bool find_in_map(void *ctx, struct span name,
                        struct mustache_source *ret_source)
{
	const struct value *found = value_find(ctx, name);

	if (!found)
		return false;
	*ret_source =
		(struct mustache_source){found->name, span_of(found->text)};
	return true;
}

/* Partials that contain themselves, one another, or many others. */
static void fill_partials(struct value *partials)
{
	value_add_text(partials, "self", span_of("a\n{{>self}}"));
	value_add_text(partials, "one", span_of("{{>two}}"));
	value_add_text(partials, "two", span_of("{{>one}}"));
	value_add_text(partials, "broken", span_of("a\nb {{#x}}"));
	value_add_text(partials, "unknown", span_of("a\n{{nothing}}"));
	value_add_text(partials, "b1", span_of("{{>b0}}{{>b0}}{{>b0}}{{>b0}}"));
	value_add_text(partials, "b2", span_of("{{>b1}}{{>b1}}{{>b1}}{{>b1}}"));
	value_add_text(partials, "b3", span_of("{{>b2}}{{>b2}}{{>b2}}{{>b2}}"));
	value_add_text(partials, "b4", span_of("{{>b3}}{{>b3}}{{>b3}}{{>b3}}"));
	value_add(partials, "b0", VALUE_TEXT)->text =
		memset(mem_new(2049), 'x', 2048);
}

static void fill_values(struct value *map)
{
	owned(buf) struct buf ready = BUF_INIT(100);

	value_add_text(map, "text", span_of("T"));
	value_add_text(map, "empty", SPAN_NONE);
	buf_add_str(&ready, "<b>");
	value_add_ready(map, "ready", &ready);
	value_add_text(value_add(map, "list", VALUE_LIST), NULL, span_of("I"));
	value_add_text(value_add(map, "map", VALUE_MAP), "in", span_of("M"));
}

#define TEN(x) x x x x x x x x x x

static const struct {
	const char *template;
	const char *message;
} refused[] = {
	{"a\n{{texd}}", "t:2: {{texd}}: there is no such name here"},
	{"{{#empty}}\n\n{{x}}{{/empty}}",
         "t:3: {{x}}: there is no such name here"},
	{"{{#list}}{{x}}{{/list}}", "t:1: {{x}}: there is no such name here"},
	{"{{^text}}{{x}}{{/text}}", "t:1: {{x}}: there is no such name here"},
	{"{{map.out}}", "t:1: {{map.out}}: there is no such name here"},
	{"{{text.in}}", "t:1: {{text.in}}: there is no such name here"},
	{"{{a b}}", "t:1: {{a b}}: there is no such name here"},
	{"{{{text}}}",
         "t:1: {{text}}: comes from outside and wants "
         "two braces"},
	{"{{&text}}",
         "t:1: {{text}}: comes from outside and wants "
         "two braces"},
	{"{{ready}}",
         "t:1: {{ready}}: is finished already and wants three braces"},
	{"{{list}}", "t:1: {{list}}: is not a text but wants {{#…}}"},
	{"{{{map}}}", "t:1: {{map}}: is not a text but wants {{#…}}"},
	{"a\nb\n{{#text}}\nc",
         "t:3: the section {{#text}} is not "
         "closed"},
	{"\n{{^text}}", "t:2: the section {{#text}} is not closed"},
	{"{{#text}}\n{{/list}}",
         "t:2: {{/list}} where {{#text}} of line 1 is open"},
	{"{{/text}}", "t:1: {{/text}} closes nothing"},
	{"\n\n{{text}", "t:3: a tag is not closed with }}"},
	{"{{{text}}", "t:1: a tag is not closed with }}"},
	{"{{=<% %>=}}<%text", "t:1: a tag is not closed with %>"},
	{"{{=<%=}}", "t:1: delimiters are set like this: {{=<% %>=}}"},
	{"{{=a b c=}}", "t:1: delimiters are set like this: {{=<% %>=}}"},
	{"{{=a= b=}}", "t:1: delimiters are set like this: {{=<% %>=}}"},
	{"{{}}", "t:1: a tag without a name"},
	{"{{# }}", "t:1: a tag without a name"},
	{"{{>none}}", "t:1: there is no partial \"none\""},
	{"\n{{>self}}", "self:2: the partial \"self\" contains itself"},
	{"{{>one}}", "two:1: the partial \"one\" contains itself"},
	{"{{>broken}}", "broken:2: the section {{#x}} is not closed"},
	{"{{>unknown}}", "unknown:2: {{nothing}}: there is no such name here"},
	{"{{>b4}}", "b0:1: longer than 262144 bytes"},
	{TEN("{{#text}}") TEN("{{#text}}") TEN("{{#text}}") TEN("{{#text}}"),
         "t:1: nested more than 32 deep"},
};

static void refuses_what_a_typing_slip_may_be(void **state)
{
	owned(value) struct value partials = VALUE_MAP_INIT;
	owned(value) struct value values = VALUE_MAP_INIT;
	const struct mustache_options options = {.escape = buf_add_html,
	                                         .partial = find_in_map,
	                                         .ctx = &partials};
	const struct mustache_scope scope = {.values = &values};

	(void)state;
	fill_partials(&partials);
	fill_values(&values);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const struct mustache_source source = {
			"t", span_of(refused[i].template)};
		owned(mustache) struct mustache *mustache = NULL;
		owned(strings) struct strings problems = {0};
		struct error err = {0};

		if (mustache_compile(&mustache, &source, &options, &err) < 0) {
			assert_string_equal(err.message, refused[i].message);
			continue;
		}
		mustache_check(mustache, &scope, &problems);
		assert_int_equal(problems.n, 1);
		assert_string_equal(problems.items[0], refused[i].message);
	}
}

static void check_finds_all_wrong_names_at_once(void **state)
{
	const struct mustache_source source = {
		"t", span_of("{{a}}\n{{#text}}{{b}}{{/text}}\n{{text}}{{c}}")};
	const struct mustache_options options = {.escape = buf_add_html};
	owned(mustache) struct mustache *mustache = NULL;
	owned(value) struct value values = VALUE_MAP_INIT;
	owned(strings) struct strings problems = {0};
	const struct mustache_scope scope = {.values = &values};
	struct error err = {0};

	(void)state;
	fill_values(&values);
	assert_int_equal(mustache_compile(&mustache, &source, &options, &err),
	                 0);
	mustache_check(mustache, &scope, &problems);
	assert_int_equal(problems.n, 3);
	assert_true(span_starts(span_of(problems.items[2]), "t:3: {{c}}"));
}

static void renders_from_the_inner_scope_outwards(void **state)
{
	const struct mustache_source source = {
		NULL, span_of("{{text}} {{only}} {{#map}}{{in}}{{/map}}")};
	const struct mustache_options options = {.escape = buf_add_html};
	owned(mustache) struct mustache *mustache = NULL;
	owned(value) struct value inner = VALUE_MAP_INIT;
	owned(value) struct value outer = VALUE_MAP_INIT;
	owned(buf) struct buf out = BUF_INIT(1000);
	const struct mustache_scope outside = {.values = &outer};
	const struct mustache_scope scope = {&inner, &outside};
	struct error err = {0};

	(void)state;
	fill_values(&outer);
	value_add_text(&inner, "text", span_of("<inner>"));
	value_add_text(&inner, "only", span_of("\u3000\t x\u00a0\r\n"));
	assert_int_equal(mustache_compile(&mustache, &source, &options, &err),
	                 0);
	assert_int_equal(mustache_render(&out, mustache, &scope, &err), 0);
	assert_string_equal(buf_str(&out), "&lt;inner&gt; x M");
}

static void trims_values_by_unicode(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{" \t\r\n", ""},
		{"\u00a0a b\u3000", "a b"},
		{"\u200b\u202ex\u2029", "x"},
		{"\xff x \xe3\x80", "\xff x \xe3\x80"},
		{"x\x80", "x\x80"},
		{"\x80", "\x80"},
		{"\xc2\x85\xc2\x85", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct span got = value_trim(span_of(cases[i][0]));

		assert_true(span_is(got, cases[i][1]));
	}
}

static void finds_values_inside_emphasis_and_code(void **state)
{
	static const struct {
		const char *template;
		size_t n_problems;
	} cases[] = {
		{"**{{text}}**", 1},
		{"a *b {{text}} c* {{text}}", 1},
		{"_{{text}}_", 1},
		{"a `b {{text}}`", 1},
		{"***{{text}}***", 1},
		{"*{{{ready}}}*", 1},
		{"**a {{#text}}{{text}}{{/text}}**", 1},
		{"* {{text}}\n* {{text}}", 0},
		{"**a** {{text}} _b_ {{text}} `c` {{text}}", 0},
		{"a_b {{text}} c_d", 0},
		{"<a class=\"_b\" id=\"*c\">{{text}}</a>", 0},
		{"a *b\n\n{{text}}", 0},
		{"<b>{{text}}</b> 2 * 3 {{text}}", 0},
		{"***\n\n{{text}}", 0},
	};
	const struct mustache_options options = {.escape = buf_add_markdown};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mustache_source source = {
			"t", span_of(cases[i].template)};
		owned(mustache) struct mustache *mustache = NULL;
		owned(strings) struct strings problems = {0};
		struct error err = {0};

		assert_int_equal(
			mustache_compile(&mustache, &source, &options, &err),
			0);
		mustache_check_markdown(mustache, &problems);
		if (problems.n != cases[i].n_problems)
			fail_msg("%s: %zu problems", cases[i].template,
			         problems.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_specification),
		cmocka_unit_test(refuses_what_a_typing_slip_may_be),
		cmocka_unit_test(check_finds_all_wrong_names_at_once),
		cmocka_unit_test(renders_from_the_inner_scope_outwards),
		cmocka_unit_test(trims_values_by_unicode),
		cmocka_unit_test(finds_values_inside_emphasis_and_code),
	};

	return cmocka_run_group_tests_name("mustache", tests, NULL, NULL);
}
