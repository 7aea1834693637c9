#include "digest/style.h"

#include <ctype.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"

struct rule {
	struct span element; /* empty: any */
	struct span class;   /* empty: any */
	char *declarations;  /* owned; tidied */
};

struct style {
	struct buf css;     /* tidied; the rules point into it */
	struct buf head;    /* the @-rules */
	struct rule *rules; /* from general to exact */
	size_t n_rules;
	size_t capacity;
};

void style_free(struct style *style)
{
	if (!style)
		return;
	buf_fini(&style->css);
	buf_fini(&style->head);
	for (size_t i = 0; i < style->n_rules; i++)
		free(style->rules[i].declarations);
	free(style->rules);
	free(style);
}

struct span style_head(const struct style *style)
{
	return buf_span(&style->head);
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

static size_t measure_name(struct span text)
{
	size_t len = 0;

	while (len < text.len && is_name(text.ptr[len]))
		len++;
	return len;
}

static size_t measure_until(struct span text, const char *stops)
{
	size_t len = 0;

	while (len < text.len && !strchr(stops, text.ptr[len]))
		len++;
	return len;
}

static struct span skip_blanks(struct span text)
{
	while (text.len > 0 && isspace((unsigned char)*text.ptr))
		text = span_skip(text, 1);
	return text;
}

/* Without comments; their line ends stay, for line numbers. */
static void add_without_comments(struct buf *out, struct span css)
{
	while (css.len > 0) {
		size_t start = span_find(css, "/*");
		size_t end;

		buf_add_span(out, span_first(css, start));
		css = span_skip(css, start);
		end = span_find(css, "*/");
		end = end < css.len ? end + 2 : end;
		for (size_t i = 0; i < end; i++)
			if (css.ptr[i] == '\n')
				buf_add_char(out, '\n');
		css = span_skip(css, end);
	}
}

/* A rule up to the end of its block, or 0 if that is missing. */
static size_t measure_rule(struct span css)
{
	size_t depth = 0;

	for (size_t i = 0; i < css.len; i++) {
		if (css.ptr[i] == '{')
			depth++;
		else if (css.ptr[i] == '}' && depth <= 1)
			return depth == 1 ? i + 1 : 0;
		else if (css.ptr[i] == '}')
			depth--;
		else if (css.ptr[i] == ';' && depth == 0)
			return i + 1;
	}
	return 0;
}

static int fail(const struct style *style, const char *file, struct span at,
                struct error *err, const char *what)
{
	unsigned line = 1;

	for (const char *p = style->css.data; p < at.ptr; p++)
		line += *p == '\n';
	return error_set(err, ERROR_SYNTAX, "%s:%u: %s", file, line, what);
}

static int exactness(const struct rule *rule)
{
	return (rule->class.len > 0 ? 2 : 0) + (rule->element.len > 0 ? 1 : 0);
}

/* Among equals the later rule stands later. */
static void add_rule(struct style *style, struct rule rule)
{
	size_t i = style->n_rules;

	style->rules =
		mem_grow(style->rules, &style->capacity, i + 1, sizeof(rule));
	for (; i > 0 && exactness(&style->rules[i - 1]) > exactness(&rule); i--)
		style->rules[i] = style->rules[i - 1];
	style->rules[i] = rule;
	style->n_rules++;
}

/* Each run of blanks as one. */
static void add_squeezed(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!isspace((unsigned char)text.ptr[i]))
			buf_add_char(out, text.ptr[i]);
		else if (i == 0 || !isspace((unsigned char)text.ptr[i - 1]))
			buf_add_char(out, ' ');
	}
}

/* `a: b;c: d`, without blanks around the parts; the caller owns it. */
static char *tidy(struct span block)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_TEMPLATE_BYTES);
	struct span part;

	while (span_split(&block, ';', &part)) {
		part = span_trim(part);
		if (part.len > 0 && out.len > 0)
			buf_add_char(&out, ';');
		add_squeezed(&out, part);
	}
	return mem_dup_span(buf_span(&out));
}

/* One of `element`, `.class`, `element.class`. */
static bool parse_selector(struct span text, struct rule *rule)
{
	rule->element = span_first(text, measure_name(text));
	rule->class = SPAN_NONE;
	text = span_skip(text, rule->element.len);
	if (text.len > 1 && *text.ptr == '.') {
		rule->class = span_skip(text, 1);
		text = span_skip(rule->class, measure_name(rule->class));
	}
	return text.len == 0 && rule->element.len + rule->class.len > 0;
}

static int parse_rule(struct style *style, const char *file, struct span text,
                      struct error *err)
{
	size_t brace = span_find(text, "{");
	struct span selectors = span_first(text, brace);
	struct rule rule = {0};
	struct span block;
	struct span selector;

	if (brace == text.len)
		return fail(style, file, text, err, "a rule without { }");
	block = span_skip(text, brace + 1);
	block.len--;
	if (measure_until(block, "\"<>&{") < block.len)
		return fail(style, file, block, err,
		            "\" < > & { cannot stand in a style attribute "
		            "(write ' for \")");

	while (span_split(&selectors, ',', &selector)) {
		if (!parse_selector(span_trim(selector), &rule))
			return fail(style, file, text, err,
			            "a selector is an element, a .class or an "
			            "element.class; others stand inside "
			            "@media");
		rule.declarations = tidy(block);
		add_rule(style, rule);
	}
	return 0;
}

static void add_head_rule(struct style *style, struct span rule)
{
	add_squeezed(&style->head, rule);
	buf_add_char(&style->head, '\n');
}

static int parse_rules(struct style *style, const char *file, struct error *err)
{
	struct span rest = skip_blanks(buf_span(&style->css));

	while (rest.len > 0) {
		struct span rule = span_first(rest, measure_rule(rest));

		if (rule.len == 0)
			return fail(style, file, rest, err,
			            "{ and } do not pair");
		if (*rule.ptr == '@')
			add_head_rule(style, rule);
		else if (parse_rule(style, file, rule, err) < 0)
			return -1;
		rest = skip_blanks(span_skip(rest, rule.len));
	}
	return 0;
}

int style_parse(struct style **ret_style, const char *file, struct span css,
                struct error *err)
{
	owned(style) struct style *style = mem_new(sizeof(*style));

	style->css = BUF_INIT(LIMIT_TEMPLATE_BYTES);
	style->head = BUF_INIT(LIMIT_TEMPLATE_BYTES);
	add_without_comments(&style->css, css);
	if (style->css.failed)
		return error_set(err, ERROR_LIMIT, "%s:1: longer than %u bytes",
		                 file, LIMIT_TEMPLATE_BYTES);
	if (parse_rules(style, file, err) < 0)
		return -1;

	*ret_style = take_ptr(style);
	return 0;
}

struct attribute {
	struct span name;
	struct span value; /* without quotes */
	struct span all;
};

/* Takes the value after a name off *rest: ="x", ='x', =x or nothing. */
static struct span take_value(struct span *rest)
{
	char quotes[2] = {0};
	struct span value;

	if (rest->len < 2 || *rest->ptr != '=')
		return SPAN_NONE;
	*rest = span_skip(*rest, 1);
	if (*rest->ptr == '"' || *rest->ptr == '\'') {
		quotes[0] = *rest->ptr;
		*rest = span_skip(*rest, 1);
		value = span_first(*rest, measure_until(*rest, quotes));
		*rest = span_skip(*rest, value.len);
		*rest = span_skip(*rest, rest->len > 0 ? 1 : 0);
		return value;
	}
	value = span_first(*rest, measure_until(*rest, " \t\r\n>"));
	*rest = span_skip(*rest, value.len);
	return value;
}

/* Takes the next attribute off *rest; false at the tag's end. */
static bool next_attribute(struct span *rest, struct attribute *ret_attribute)
{
	struct attribute attribute = {0};
	struct span text = skip_blanks(*rest);
	struct span after;

	attribute.name = span_first(text, measure_until(text, " \t\r\n=>/"));
	if (attribute.name.len == 0)
		return false;
	after = span_skip(text, attribute.name.len);
	attribute.value = take_value(&after);
	attribute.all = span_first(text, text.len - after.len);
	*ret_attribute = attribute;
	*rest = after;
	return true;
}

/* Is `class` one of the blank-separated `classes`? */
static bool has_class(struct span classes, struct span class)
{
	struct span part;

	while (span_split(&classes, ' ', &part))
		if (span_equal(part, class))
			return true;
	return false;
}

/* The character of a reference such as &#46; if HTML does not need it. */
static char plain_character(struct span digits)
{
	uint64_t value = 0;

	if (!num_parse(digits, '!', '~', &value) || isalnum((int)value) ||
	    strchr("\"<>&'", (int)value))
		return '\0';
	return (char)value;
}

static void add_plain(struct buf *out, struct span text)
{
	while (text.len > 0) {
		size_t start = span_find(text, "&#");
		struct span digits;
		char plain;

		buf_add_span(out, span_first(text, start));
		text = span_skip(text, start);
		if (text.len == 0)
			return;
		digits = span_skip(text, 2);
		digits = span_first(digits, measure_until(digits, "; &<"));
		plain = plain_character(digits);
		if (plain && digits.len + 2 < text.len &&
		    text.ptr[digits.len + 2] == ';') {
			buf_add_char(out, plain);
			text = span_skip(text, digits.len + 3);
		} else {
			buf_add_span(out, span_first(text, 2));
			text = span_skip(text, 2);
		}
	}
}

/* A quote would end the attribute that it goes into. */
static void add_declarations(struct buf *out, struct span declarations)
{
	if (declarations.len == 0)
		return;
	buf_add_str(out, span_ends(buf_span(out), "\"") ? "" : ";");
	for (size_t i = 0; i < declarations.len; i++) {
		char c = declarations.ptr[i];

		buf_add_char(out, c == '"' ? '\'' : c);
	}
}

/* ` style="…"` of all rules for the tag and of its own style. */
static void add_style(struct buf *out, const struct style *style,
                      struct span element, struct span classes, struct span own)
{
	size_t start = out->len;
	size_t empty;

	buf_add_str(out, " style=\"");
	empty = out->len;
	for (size_t i = 0; i < style->n_rules; i++) {
		const struct rule *rule = &style->rules[i];

		if ((rule->element.len == 0 ||
		     span_equal(rule->element, element)) &&
		    (rule->class.len == 0 || has_class(classes, rule->class)))
			add_declarations(out, span_of(rule->declarations));
	}
	add_declarations(out, own);
	if (out->len == empty)
		buf_cut(out, start);
	else
		buf_add_char(out, '"');
}

static void add_tag(struct buf *out, const struct style *style, struct span tag)
{
	struct span rest = span_skip(tag, 1);
	struct span element = span_first(rest, measure_name(rest));
	struct span classes = SPAN_NONE;
	struct span own = SPAN_NONE;
	struct attribute attribute;

	rest = span_skip(rest, element.len);
	buf_addf(out, "<%.*s", (int)element.len, element.ptr);
	while (next_attribute(&rest, &attribute)) {
		if (span_is(attribute.name, "class"))
			classes = attribute.value;
		if (span_is(attribute.name, "style")) {
			own = attribute.value;
			continue;
		}
		buf_add_char(out, ' ');
		add_plain(out, attribute.all);
	}
	add_style(out, style, element, classes, own);
	buf_add_span(out, skip_blanks(rest));
}

/* `<style>…</style>`, a comment, or one tag with its quoted values. */
static size_t measure_markup(struct span html)
{
	const char *end = span_starts(html, "<style") ? "</style>"
	                  : span_starts(html, "<!--") ? "-->"
	                                              : NULL;
	char quote = '\0';

	if (end)
		return span_find(html, end) + strlen(end);
	for (size_t i = 0; i < html.len; i++) {
		char c = html.ptr[i];

		if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '>')
			return i + 1;
	}
	return html.len;
}

void style_inline(struct buf *out, const struct style *style, struct span html)
{
	while (html.len > 0) {
		size_t len = span_find(html, "<");
		struct span markup;

		add_plain(out, span_first(html, len));
		html = span_skip(html, len);
		markup = span_first(html, measure_markup(html));
		if (markup.len > 2 && isalpha((unsigned char)markup.ptr[1]) &&
		    !span_starts(markup, "<style"))
			add_tag(out, style, markup);
		else
			buf_add_span(out, markup);
		html = span_skip(html, markup.len);
	}
}
