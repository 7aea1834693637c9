#include "conf/scan.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "scan_private.h"

/* A config of ours has five levels. */
#define MAX_DEPTH 32
#define SHOWN_BYTES 60

enum expect {
	EXPECT_NAME,
	EXPECT_EQUALS,
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END, /* the bracket has just been opened */
	EXPECT_NEXT,         /* after a value */
};

struct name {
	struct span text;
	unsigned line;
};

struct bracket {
	char open; /* 0: the file itself */
	unsigned line;
	size_t first_name; /* of its settings, in names */
	struct span name;  /* its own */
	char type;         /* an array's elements'; 0: there is none yet */
};

struct scan {
	struct scanner scanner;
	struct conf_place file;
	struct conf_values *values;
	struct conf_problems *problems;
	enum conf_scan_outcome outcome;

	enum expect expect;
	struct bracket brackets[MAX_DEPTH];
	size_t depth; /* brackets[depth] is the innermost */

	/* The settings of all open brackets: a stack as well. */
	struct name *names;
	size_t n_names;
	size_t names_capacity;

	struct scan_token last; /* the token before this one */
	unsigned long_begin;    /* lines of the last text of several lines */
	unsigned long_end;
	bool stopped; /* by a syntax error */
};

void conf_values_fini(struct conf_values *values)
{
	free(values->items);
	*values = (struct conf_values){0};
}

static const struct bracket *innermost(const struct scan *scan)
{
	return &scan->brackets[scan->depth];
}

static bool in_group(const struct scan *scan)
{
	return innermost(scan)->open == '{' || innermost(scan)->open == '\0';
}

static char closing(char open)
{
	return open == '{' ? '}' : open == '[' ? ']' : ')';
}

static struct conf_place place(const struct scan *scan, unsigned line)
{
	struct conf_place there = scan->file;

	there.line = line;
	return there;
}

/* The setting that is being read, or whose group or list it is. */
static struct span current_name(const struct scan *scan)
{
	const struct bracket *bracket = innermost(scan);

	if (in_group(scan) && scan->n_names > bracket->first_name)
		return scan->names[scan->n_names - 1].text;
	return bracket->name;
}

/* The group around the innermost list or setting; "" at the top. */
static struct span group_name(const struct scan *scan)
{
	size_t depth = scan->depth;

	if (!in_group(scan) && depth > 0)
		depth--;
	while (depth > 0 && scan->brackets[depth].open != '{')
		depth--;
	return scan->brackets[depth].name;
}

#define SHOW(span) (int)span_first(span, SHOWN_BYTES).len, (span).ptr

/* A problem of a setting, after which the scan goes on. */
static void report(struct scan *scan, unsigned line, struct span name,
                   const char *what)
{
	struct span group = group_name(scan);

	conf_problems_add(scan->problems, place(scan, line), "%.*s%s%.*s: %s",
	                  SHOW(group), group.len > 0 ? "." : "", SHOW(name),
	                  what);
}

static const char *describe(struct scan_token token, struct buf *text)
{
	if (token.kind == SCAN_END)
		return "the end of the file";
	buf_add_char(text, '\'');
	buf_add_span(text, span_first(token.text, SHOWN_BYTES));
	buf_add_str(text, token.text.len > SHOWN_BYTES ? "...'" : "'");
	return buf_str(text);
}

/* What an admin may want to know about a syntax error's surroundings. */
static void add_hints(struct buf *text, const struct scan *scan, unsigned line)
{
	const struct bracket *bracket = innermost(scan);

	if (scan->long_end == line)
		buf_addf(text,
		         " (is a '\"' missing in line %u, where a text of "
		         "several lines begins?)",
		         scan->long_begin);
	else if (bracket->open)
		buf_addf(text, " (the '%c' of line %u is open)", bracket->open,
		         bracket->line);
}

/* The end of the scan: a syntax error, in a value or between settings. */
static void fail(struct scan *scan, unsigned line, const char *what)
{
	bool between = in_group(scan) && (scan->expect == EXPECT_NAME ||
	                                  scan->expect == EXPECT_NEXT);
	struct span name = between ? innermost(scan)->name : current_name(scan);

	if (name.len == 0)
		name = span_of("syntax");
	conf_problems_add(scan->problems, place(scan, line), "%.*s: %s",
	                  SHOW(name), what);
	scan->outcome = CONF_SCAN_BROKEN;
	scan->stopped = true;
}

static void fail_expected(struct scan *scan, struct scan_token token,
                          const char *expected)
{
	owned(buf) struct buf found = BUF_INIT(4 * SHOWN_BYTES);
	owned(buf) struct buf text = BUF_INIT(16 * SHOWN_BYTES);

	buf_addf(&text, "expected %s, found %s", expected,
	         describe(token, &found));
	add_hints(&text, scan, token.line);
	fail(scan, token.line, buf_str(&text));
}

static void add_value(struct scan *scan, unsigned line)
{
	struct conf_values *values = scan->values;

	values->items = mem_grow(values->items, &values->capacity,
	                         values->n + 1, sizeof(*values->items));
	values->items[values->n++] = (struct conf_value){.line = line};
}

static void mark_bad(struct scan *scan)
{
	scan->values->items[scan->values->n - 1].bad = true;
}

/* As libconfig tells them apart: text, boolean, float, long, integer. */
static char type_of(struct scan_token token)
{
	if (token.kind != SCAN_NUMBER)
		return token.kind == SCAN_STRING ? 't' : 'b';
	if (span_ends(token.text, "L"))
		return 'l';
	return scan_is_float(token.text) ? 'f' : 'i';
}

/* libconfig refuses the file at an array of two types. */
static void check_type(struct scan *scan, struct scan_token token)
{
	struct bracket *bracket = &scan->brackets[scan->depth];
	char type = type_of(token);

	if (bracket->open != '[')
		return;
	if (bracket->type && bracket->type != type) {
		report(scan, token.line, bracket->name,
		       "the values of an array [ ] are all of one type");
		scan->outcome = CONF_SCAN_BROKEN;
	}
	bracket->type = type;
}

static void add_scalar(struct scan *scan, struct scan_token token)
{
	check_type(scan, token);
	add_value(scan, token.line);
	scan->expect = EXPECT_NEXT;
}

static int compare_names(const void *left, const void *right)
{
	const struct name *a = left;
	const struct name *b = right;
	size_t len = a->text.len < b->text.len ? a->text.len : b->text.len;
	int order = memcmp(a->text.ptr, b->text.ptr, len);

	if (order != 0)
		return order;
	if (a->text.len != b->text.len)
		return a->text.len < b->text.len ? -1 : 1;
	return a->text.ptr < b->text.ptr ? -1 : 1;
}

static void report_twice(struct scan *scan, struct name name, unsigned line)
{
	owned(buf) struct buf text = BUF_INIT(4 * SHOWN_BYTES);

	buf_addf(&text, "is set twice: on line %u already", line);
	report(scan, name.line, name.text, buf_str(&text));
}

/* libconfig refuses the file at a name that occurs twice in its group. */
static void check_names(struct scan *scan, size_t first)
{
	size_t n = scan->n_names - first;
	struct name *names;

	if (n < 2)
		return;
	names = scan->names + first;
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 1; i < n; i++) {
		if (!span_equal(names[i - 1].text, names[i].text))
			continue;
		report_twice(scan, names[i], names[i - 1].line);
		scan->outcome = CONF_SCAN_BROKEN;
	}
}

static void open_bracket(struct scan *scan, struct scan_token token)
{
	struct span name = current_name(scan);

	if (innermost(scan)->open == '[') {
		fail(scan, token.line,
		     "an array [ ] holds only texts or numbers: write a list "
		     "( ) instead");
		return;
	}
	if (scan->depth + 1 == MAX_DEPTH) {
		fail(scan, token.line, "too many brackets inside each other");
		return;
	}
	add_value(scan, token.line);
	scan->brackets[++scan->depth] = (struct bracket){
		.open = token.text.ptr[0],
		.line = token.line,
		.first_name = scan->n_names,
		.name = name,
	};
	scan->expect =
		token.text.ptr[0] == '{' ? EXPECT_NAME : EXPECT_VALUE_OR_END;
}

static void close_bracket(struct scan *scan)
{
	if (innermost(scan)->open == '{')
		check_names(scan, innermost(scan)->first_name);
	scan->n_names = innermost(scan)->first_name;
	scan->depth--;
	scan->expect = EXPECT_NEXT;
}

static bool is_sign(struct scan_token token, char sign)
{
	return token.kind == SCAN_SIGN && token.text.ptr[0] == sign;
}

static bool closes(const struct scan *scan, struct scan_token token)
{
	return innermost(scan)->open &&
	       is_sign(token, closing(innermost(scan)->open));
}

static bool opens(struct scan_token token)
{
	return is_sign(token, '{') || is_sign(token, '[') ||
	       is_sign(token, '(');
}

static void take_name(struct scan *scan, struct scan_token token)
{
	scan->names = mem_grow(scan->names, &scan->names_capacity,
	                       scan->n_names + 1, sizeof(*scan->names));
	scan->names[scan->n_names++] = (struct name){token.text, token.line};
	scan->expect = EXPECT_EQUALS;
}

static void end_file(struct scan *scan)
{
	owned(buf) struct buf text = BUF_INIT(4 * SHOWN_BYTES);
	const struct bracket *bracket = innermost(scan);

	if (scan->depth == 0) {
		check_names(scan, 0);
		return;
	}
	buf_addf(&text, "the '%c' that opens here is never closed",
	         bracket->open);
	fail(scan, bracket->line, buf_str(&text));
}

static void expect_name(struct scan *scan, struct scan_token token)
{
	if (token.kind == SCAN_NAME)
		take_name(scan, token);
	else if (closes(scan, token))
		close_bracket(scan);
	else if (token.kind == SCAN_END)
		end_file(scan);
	else if (scan->depth > 0)
		fail_expected(scan, token, "a setting's name or '}'");
	else
		fail_expected(scan, token, "a setting's name");
}

static void expect_equals(struct scan *scan, struct scan_token token)
{
	if (is_sign(token, '=') || is_sign(token, ':'))
		scan->expect = EXPECT_VALUE;
	else
		fail_expected(scan, token, "'='");
}

/* libconfig drops the NUL that \x00 stands for and goes on. */
static bool has_nul(struct span string)
{
	for (size_t i = 0; i + 1 < string.len; i++) {
		if (string.ptr[i] != '\\')
			continue;
		if (tolower((unsigned char)string.ptr[i + 1]) == 'x' &&
		    span_starts(span_skip(string, i + 2), "00"))
			return true;
		i++;
	}
	return false;
}

static void take_string(struct scan *scan, struct scan_token token)
{
	add_scalar(scan, token);
	if (scan->scanner.line > token.line) {
		scan->long_begin = token.line;
		scan->long_end = scan->scanner.line;
	}
	if (has_nul(token.text)) {
		report(scan, token.line, current_name(scan),
		       "\\x00 cannot be in a text");
		mark_bad(scan);
	}
}

static void take_number(struct scan *scan, struct scan_token token)
{
	enum scan_number number = scan_classify_number(token.text);
	owned(buf) struct buf text = BUF_INIT(4 * SHOWN_BYTES);

	if (number == SCAN_NUMBER_NONE) {
		fail_expected(scan, token, "a number");
		return;
	}
	add_scalar(scan, token);
	if (number == SCAN_NUMBER_WIDE) {
		buf_addf(&text, "%.*s is beyond 32 bits", SHOW(token.text));
		report(scan, token.line, current_name(scan), buf_str(&text));
		mark_bad(scan);
	}
}

static const char value_words[] =
	"a value: \"text\", a number, true, false, [ ], ( ) or { }";

static void expect_value(struct scan *scan, struct scan_token token)
{
	if (token.kind == SCAN_STRING) {
		take_string(scan, token);
	} else if (token.kind == SCAN_NUMBER) {
		take_number(scan, token);
	} else if (token.kind == SCAN_BOOLEAN) {
		add_scalar(scan, token);
	} else if (opens(token)) {
		open_bracket(scan, token);
	} else if (closes(scan, token) && scan->expect == EXPECT_VALUE_OR_END) {
		close_bracket(scan);
	} else if (closes(scan, token) && is_sign(scan->last, ',')) {
		fail(scan, scan->last.line,
		     "the comma after the last value is one too many");
	} else {
		fail_expected(scan, token, value_words);
	}
}

/* "a" "b", which libconfig reads as "ab". */
static void take_adjacent(struct scan *scan, struct scan_token token)
{
	owned(buf) struct buf text = BUF_INIT(8 * SHOWN_BYTES);

	buf_addf(&text, "a comma is missing between %.*s and %.*s",
	         SHOW(scan->last.text), SHOW(token.text));
	report(scan, scan->last.line, current_name(scan), buf_str(&text));
	mark_bad(scan);
}

static bool begins_value(struct scan_token token)
{
	return token.kind == SCAN_STRING || token.kind == SCAN_NUMBER ||
	       token.kind == SCAN_BOOLEAN || opens(token);
}

static void expect_next(struct scan *scan, struct scan_token token)
{
	if (token.kind == SCAN_STRING && scan->last.kind == SCAN_STRING)
		take_adjacent(scan, token);
	else if (token.kind == SCAN_END)
		end_file(scan);
	else if (is_sign(token, ',') || (is_sign(token, ';') && in_group(scan)))
		scan->expect = in_group(scan) ? EXPECT_NAME : EXPECT_VALUE;
	else if (in_group(scan))
		expect_name(scan, token);
	else if (closes(scan, token))
		close_bracket(scan);
	else if (begins_value(token))
		fail_expected(scan, token, "a comma");
	else if (innermost(scan)->open == '[')
		fail_expected(scan, token, "',' or ']'");
	else
		fail_expected(scan, token, "',' or ')'");
}

static void step(struct scan *scan, struct scan_token token)
{
	switch (scan->expect) {
	case EXPECT_NAME:
		expect_name(scan, token);
		break;
	case EXPECT_EQUALS:
		expect_equals(scan, token);
		break;
	case EXPECT_VALUE:
	case EXPECT_VALUE_OR_END:
		expect_value(scan, token);
		break;
	case EXPECT_NEXT:
		expect_next(scan, token);
		break;
	}
}

static void fail_open_string(struct scan *scan, struct scan_token token)
{
	owned(buf) struct buf text = BUF_INIT(4 * SHOWN_BYTES);

	buf_add_str(&text, "the text that begins here has no closing '\"'");
	add_hints(&text, scan, token.line);
	fail(scan, token.line, buf_str(&text));
}

/* Tokens that are wrong wherever they stand. */
static bool refuse(struct scan *scan, struct scan_token token)
{
	if (token.kind == SCAN_INCLUDE)
		fail(scan, token.line,
		     "@include is not allowed: put subscribers into files of "
		     "subscribers.d");
	else if (token.kind == SCAN_OPEN_STRING)
		fail_open_string(scan, token);
	else if (token.kind == SCAN_OPEN_COMMENT)
		fail(scan, token.line,
		     "the comment that begins here has no closing '*/'");
	else if (is_sign(token, '\0'))
		fail(scan, token.line, "a NUL byte: this is no text file");
	else
		return false;
	return true;
}

enum conf_scan_outcome conf_scan(struct span text, struct conf_place file,
                                 struct conf_values *values,
                                 struct conf_problems *problems)
{
	struct scan scan = {
		.scanner = {.rest = text, .line = 1},
		.file = file,
		.values = values,
		.problems = problems,
	};
	struct scan_token token;

	do {
		token = scan_next(&scan.scanner);
		if (refuse(&scan, token))
			break;
		step(&scan, token);
		scan.last = token;
		/* A syntax error ends it, a name given twice does not. */
	} while (token.kind != SCAN_END && !scan.stopped);

	free(scan.names);
	return scan.outcome;
}
