#include "sample.h"

#include "base/limits.h"
#include "base/num.h"
#include "base/utf8.h"

/* Whatever values say, they change no structure and stand there as text. */

static const char *const hostile[] = {
	"a](http://evil.example) b [c",
	"![x](http://evil.example/pixel.png)",
	"<http://evil.example>",
	"http://evil.example www.evil.example me@evil.example",
	"[x]: http://evil.example",
	"[^1]: x",
	"[^1]",
	"<script>alert(1)</script>",
	"</p></td></table><h1>x</h1>",
	"<!-- x",
	"--> x",
	"<!--arxmail 0-->",
	"<!--arxmail lines-->",
	"<![CDATA[x]]>",
	"<?php x ?>",
	"\" onmouseover=\"x",
	"' onmouseover='x",
	"x\" style=\"position:fixed",
	"</style><style>p{display:none}",
	"&lt;script&gt; &#60;b&#62; &amp;lt; &#x3c;b&#x3e;",
	"&#",
	"{{title}} {{{title}}} {{#x}} {{/x}} {{>paper}} {{=<% %>=}}",
	"*x* **x** _x_ __x__ `x` ``x`` ~~x~~",
	"# x",
	"## x ##",
	"> x",
	"- x",
	"+ x",
	"* x",
	"1. x",
	"1) x",
	"---",
	"===",
	"***",
	"```",
	"~~~ x",
	"    x",
	"\tx",
	"| x | y |",
	"|---|---|",
	"x\r\nBcc: victim@example.org\r\n\r\nx",
	"x\n\n<b>y</b>",
	"x\n# y",
	"x  \ny",
	"x\\",
	"\\",
	"\\*x\\*",
	"x\v\f\b\x1b[31my\x7f",
	"x\xc2\x85y \xe2\x80\xa8 \xe2\x80\xa9",
	"\xe2\x80\xaex\xe2\x80\xac \xe2\x81\xa6y\xe2\x81\xa9",
	"x\xe2\x80\x8by\xef\xbb\xbfz",
	"\xff\xfe x \xc0\xaf \xed\xa0\x80 \xf5",
	"x \xe4\xb8",
	"$x_{1}$ \\(x^2\\) \\href{http://evil.example}{y}",
	"`",
	"_",
	"**",
	"<",
	">",
	"&",
	"\"",
	"'",
	"[",
	"]",
	"\xef\xbc\x9cscript\xef\xbc\x9e",
};

struct world {
	struct digest_templates *templates;
	struct digest_language *language;
};

static int open_world(void **state)
{
	struct world *world = mem_new(sizeof(*world));

	world->templates = sample_templates(NULL);
	world->language = sample_language("en");
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	digest_templates_free(world->templates);
	digest_language_free(world->language);
	free(world);
	return 0;
}

/* A model is as much a stranger as a feed. */
static void set_words(struct digest_entry *entry, const char *value)
{
	entry->wants_words = true;
	entry->words = (struct paper_words){
		.title = mem_dup(value),
		.summary = mem_dup(value),
		.abstract = mem_dup(value),
		.model = mem_dup(value),
	};
}

/* All that readers see holds `value`; its abstract begins a sentence. */
static void render(const struct world *world, const char *value,
                   struct digest_parts *ret_parts, char **ret_document)
{
	owned(sample) struct sample sample;
	owned(strings) struct strings notes = {0};
	owned(mem) char *abstract = mem_printf("First. %s", value);
	struct digest_entry *entry;
	struct paper *paper;
	struct error err = {0};
	const struct digest_frame frame = {
		.templates = world->templates,
		.language = world->language,
		.name = value,
		.contact = value,
		.unsubscribe = value,
		.notes = &notes,
		.test = true,
	};

	sample_init(&sample);
	strings_add(&notes, span_of(value));
	strings_add(&sample.digest->topics, span_of(value));
	strings_add(&sample.digest->topics, span_of("Other"));
	strings_add(&sample.digest->categories, span_of(value));
	paper = sample_add(&sample, "2609.01234", value, abstract);
	strings_add(&paper->authors, span_of(value));
	strings_add(&paper->authors, span_of(value));
	strings_add(&paper->categories, span_of(value));
	strings_add(&paper->categories, span_of(value));
	entry = sample_last(&sample);
	marks_add(&entry->match.title, 0, (uint32_t)strlen(value));
	marks_add(&entry->match.abstract, 0, (uint32_t)strlen(abstract));
	marks_add(&entry->match.authors, 1, 1);
	match_add_clause(&entry->match, span_of(value), CLAUSE_TITLE);
	match_add_clause(&entry->match, span_of(value), CLAUSE_AUTHOR);
	sample_add(&sample, "2609.01235", value, abstract);
	set_words(sample_last(&sample), value);
	if (digest_render(ret_parts, &frame, sample.digest, &err) < 0 ||
	    digest_render_document(ret_document, &frame, sample.digest, &err) <
	            0)
		fail_msg("%s: %s", value, err.message);
}

/* Tags with their attributes' names: <a class href style>. */
static char *read_tags(const char *html)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_MIB);
	bool in_tag = false;
	char quote = '\0';

	for (const char *p = html; *p; p++) {
		if (quote) {
			quote = *p == quote ? '\0' : quote;
		} else if (in_tag && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (in_tag || *p == '<') {
			in_tag = *p != '>';
			buf_add_char(&out, *p);
		}
	}
	return mem_dup(buf_str(&out));
}

static char decode(const char **p)
{
	static const char *const names[][2] = {
		{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}};
	struct span digits;
	uint64_t number = 0;

	for (size_t i = 0; i < 4; i++)
		if (span_starts(span_of(*p), names[i][0])) {
			*p += strlen(names[i][0]);
			return *names[i][1];
		}
	assert_true(span_starts(span_of(*p), "&#"));
	digits = span_of(*p + 2);
	digits = span_first(digits, span_find(digits, ";"));
	assert_true(num_parse(digits, 1, 127, &number));
	*p = digits.ptr + digits.len + 1;
	return (char)number;
}

/* What a reader sees, tags left out. */
static char *read_text(const char *html)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_MIB);

	for (const char *p = html; *p;) {
		if (*p == '<')
			p += strcspn(p, ">") + 1;
		else if (span_starts(span_of(p), "&nbsp;"))
			p += strlen("&nbsp;");
		else if (*p == '&')
			buf_add_char(&out, decode(&p));
		else
			buf_add_char(&out, *p++);
	}
	return mem_dup(buf_str(&out));
}

/* One line, trimmed: what every value becomes. */
static char *read_value(const char *value)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_MIB);
	struct span rest = span_trim(span_of(value));

	while (rest.len > 0) {
		uint32_t c = utf8_next(&rest);

		utf8_add(&out, utf8_is_control(c) ? ' ' : c);
	}
	return mem_dup_span(span_trim(buf_span(&out)));
}

static void assert_clean(const char *text)
{
	struct span rest = span_of(text);

	while (rest.len > 0) {
		uint32_t c = utf8_next(&rest);

		assert_true(c == '\n' || !utf8_is_control(c));
	}
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

struct shape {
	char *tags;
	size_t n_lines; /* of the document */
	size_t n_bars;
};

static void read_shape(const struct world *world, const char *value,
                       struct shape *ret_shape)
{
	owned(digest_parts) struct digest_parts parts = {0};
	owned(mem) char *document = NULL;

	render(world, value, &parts, &document);
	*ret_shape =
		(struct shape){read_tags(parts.html), count(document, '\n'),
	                       count(document, '|')};
}

/*
 * Whether the abstract has a second sentence depends on the value's first
 * letter; one of two harmless values has the same.
 */
static void check_value(const struct world *world, const char *value,
                        const struct shape shapes[2])
{
	owned(digest_parts) struct digest_parts parts = {0};
	owned(mem) char *document = NULL;
	owned(mem) char *wanted = read_value(value);
	owned(mem) char *tags = NULL;
	owned(mem) char *text = NULL;

	render(world, value, &parts, &document);
	tags = read_tags(parts.html);
	text = read_text(parts.html);
	if (strcmp(tags, shapes[0].tags) && strcmp(tags, shapes[1].tags))
		fail_msg("«%s» changes the tags: %s", value, parts.html);
	if (!strstr(text, wanted))
		fail_msg("«%s» is not shown: %s", wanted, text);
	assert_int_equal(count(document, '\n'), shapes[0].n_lines);
	assert_int_equal(count(document, '|'), shapes[0].n_bars);
	assert_clean(parts.html);
	assert_clean(parts.text);
	assert_clean(document);
	assert_null(strchr(parts.subject, '\n'));
	assert_clean(parts.subject);
}

static void make_shapes(const struct world *world, struct shape shapes[2])
{
	read_shape(world, "word", &shapes[0]);
	read_shape(world, "Word", &shapes[1]);
	assert_int_equal(shapes[0].n_lines, shapes[1].n_lines);
}

static void hostile_values_change_no_structure(void **state)
{
	struct shape shapes[2];

	make_shapes(*state, shapes);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++)
		check_value(*state, hostile[i], shapes);
	free(shapes[0].tags);
	free(shapes[1].tags);
}

/* Random pieces of the values above, the same in each run. */
static void mixtures_of_hostile_values_change_no_structure(void **state)
{
	size_t n = sizeof(hostile) / sizeof(*hostile);
	struct shape shapes[2];
	uint32_t seed = 1;

	make_shapes(*state, shapes);
	for (int i = 0; i < 500; i++) {
		owned(buf) struct buf value = BUF_INIT(LIMIT_KIB);

		buf_add_char(&value, i % 2 ? 'w' : 'W');
		for (int j = 0; j < 4; j++) {
			struct span piece;

			seed = seed * 1664525 + 1013904223;
			piece = span_of(hostile[(seed >> 8) % n]);
			seed = seed * 1664525 + 1013904223;
			piece = span_skip(piece, (seed >> 8) % piece.len);
			buf_add_span(&value, piece);
		}
		check_value(*state, buf_str(&value), shapes);
	}
	free(shapes[0].tags);
	free(shapes[1].tags);
}

static void values_without_a_character_are_left_out(void **state)
{
	static const char *const empty[] = {"", " ", "\r\n\t", "\xc2\xa0",
	                                    "\xe2\x80\x8b\xe2\x80\xae"};

	for (size_t i = 0; i < sizeof(empty) / sizeof(*empty); i++) {
		owned(digest_parts) struct digest_parts parts = {0};
		owned(mem) char *document = NULL;

		render(*state, empty[i], &parts, &document);
		assert_null(strstr(parts.html, "mailto:"));
		assert_non_null(strstr(parts.html, "</html>"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			hostile_values_change_no_structure, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(
			mixtures_of_hostile_values_change_no_structure,
			open_world, close_world),
		cmocka_unit_test_setup_teardown(
			values_without_a_character_are_left_out, open_world,
			close_world),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
