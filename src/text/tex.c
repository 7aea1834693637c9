#include "text_private.h"

#include <ctype.h>
#include <limits.h>

#include <glib.h>

#include "base/utf8.h"

/* A group longer than this protects no word. */
#define MAX_WORD 64
/* {{\"u}} is as deep as it gets; deeper braces are no protection. */
#define MAX_GROUPS 4

struct converter {
	struct buf *out;
	struct span all;
	struct span rest;
	size_t n_quotes;    /* `` that wait for their '' */
	unsigned depth;     /* of groups and arguments */
	unsigned n_groups;  /* that are being tried, of those */
	unsigned n_letters; /* converted */
	bool in_url;
	bool after_command; /* only blanks since a command that stands */
	char copied;        /* the last byte, if it stands */
};

static bool is_one_of(char byte, const char *set)
{
	return byte && strchr(set, byte);
}

static char peek_before(const struct converter *c)
{
	return c->rest.ptr > c->all.ptr ? c->rest.ptr[-1] : ' ';
}

static char peek(const struct converter *c, size_t n)
{
	return n < c->rest.len ? c->rest.ptr[n] : ' ';
}

/* Appends `str` for the next `n` bytes. */
static bool replace(struct converter *c, size_t n, const char *str)
{
	buf_add_str(c->out, str);
	c->rest = span_skip(c->rest, n);
	c->after_command = false;
	c->copied = 0;
	return true;
}

static bool is_word_byte(char byte)
{
	return isalnum((unsigned char)byte) || (unsigned char)byte >= 0x80;
}

static bool convert_escape(struct converter *c)
{
	char escaped[2] = {peek(c, 1), '\0'};

	if (c->rest.len < 2 || c->rest.ptr[0] != '\\')
		return false;
	if (is_one_of(escaped[0], "&%_#$"))
		return replace(c, 2, escaped);
	if (c->in_url)
		return false;
	if (is_one_of(escaped[0], "{}"))
		return replace(c, 2, escaped);
	if (is_one_of(escaped[0], " ,"))
		return replace(c, 2, " ");
	if (span_starts(c->rest, "\\\\ "))
		return replace(c, 3, " ");
	return false;
}

static bool convert_letter(struct converter *c)
{
	if (c->in_url || c->rest.ptr[0] != '\\' ||
	    !text_read_letter(c->out, &c->rest))
		return false;
	c->n_letters++;
	return replace(c, 0, "");
}

static bool convert_quote(struct converter *c)
{
	if (c->in_url)
		return false;
	if (span_starts(c->rest, "``") && peek(c, 2) != ' ') {
		c->n_quotes++;
		return replace(c, 2, "\u201C");
	}
	if (span_starts(c->rest, "''") && c->n_quotes > 0) {
		c->n_quotes--;
		return replace(c, 2, "\u201D");
	}
	return false;
}

static bool convert_dash(struct converter *c)
{
	char before = peek_before(c);
	char after;
	size_t n = 0;

	while (n < 4 && peek(c, n) == '-')
		n++;
	if (c->in_url || n < 2 || n > 3 || before == '-')
		return false;

	after = peek(c, n);
	if (before == '!' || before == '<' || after == '>')
		return false;
	if (isalpha((unsigned char)after) && is_one_of(before, " ([`'\""))
		return false;
	return replace(c, n, n == 2 ? "\u2013" : "\u2014");
}

static bool convert_tie(struct converter *c)
{
	char before = peek_before(c);
	char after = peek(c, 1);

	if (c->in_url || c->rest.ptr[0] != '~')
		return false;
	if (!is_word_byte(before) && !is_one_of(before, ".,;:)]}$%"))
		return false;
	if (!is_word_byte(after) && !is_one_of(after, "([{$\\"))
		return false;
	if (isdigit((unsigned char)before) && isdigit((unsigned char)after))
		return false;
	return replace(c, 1, " ");
}

/* Is what stands at the left something that a command may follow? */
static bool may_begin(const struct converter *c)
{
	return !isalpha((unsigned char)c->copied) &&
	       !is_one_of(c->copied, ":/\\{_^");
}

/* \it and the like say nothing, nor do the blanks that end them. */
static bool skip_style(struct converter *c, size_t n,
                       const struct tex_command *command)
{
	if (!may_begin(c))
		return false;
	if (command->value != STYLE_NONE && command->value != STYLE_BOLD)
		return false;
	while (peek_before(c) == ' ' && n < c->rest.len &&
	       c->rest.ptr[n] == ' ')
		n++;
	return replace(c, n, "");
}

static bool convert_symbol(struct converter *c)
{
	if (!may_begin(c) || !text_read_bare_math(c->out, &c->rest, c->depth))
		return false;
	c->n_letters++;
	return replace(c, 0, "");
}

static bool convert_arguments(struct converter *c, size_t n,
                              const struct tex_command *command)
{
	struct span after = span_skip(c->rest, n);

	if (!text_read_arguments(c->out, &after, command, c->depth))
		return false;
	return replace(c, c->rest.len - after.len, "");
}

static bool convert_degree(struct converter *c, size_t n)
{
	if (!may_begin(c))
		return false;
	c->n_letters++;
	return replace(c, n, "°");
}

static bool convert_command(struct converter *c)
{
	size_t n = text_measure_command(c->rest);
	const struct tex_command *command;
	struct span name;

	if (c->in_url || n < 2 || !isalpha((unsigned char)c->rest.ptr[1]))
		return false;
	name = span_skip(span_first(c->rest, n), 1);
	/* The function in formulas; those who write prose mean 90°. */
	if (span_is(name, "deg"))
		return convert_degree(c, n);
	command = text_find_command(name);
	if (!command)
		return convert_symbol(c);
	switch (command->kind) {
	case COMMAND_STYLE:
		return skip_style(c, n, command);
	case COMMAND_SPACE:
		return may_begin(c) && replace(c, n, " ");
	case COMMAND_IGNORED:
	case COMMAND_LENGTH:
		return false;
	default:
		return convert_arguments(c, n, command) || convert_symbol(c);
	}
}

static bool convert_next(struct converter *c);
static void copy_next(struct converter *c);
static void copy_plain(struct converter *c);

/* Only what may stand in a protected word? *ret_protects: ≥ 2, a capital. */
static bool is_word(struct span text, bool *ret_protects)
{
	size_t n = 0;
	bool capital = false;

	while (text.len > 0) {
		uint32_t character = utf8_next(&text);

		if (!g_unichar_isalnum(character) &&
		    !g_unichar_ismark(character) && character != '+' &&
		    character != '-')
			return false;
		capital = capital || g_unichar_isupper(character);
		n++;
	}
	*ret_protects = n >= 2 && capital;
	return n > 0;
}

static bool touches_word(const struct converter *c, size_t len)
{
	char before = peek_before(c);
	char after = peek(c, len);

	return is_word_byte(before) || before == '-' || is_word_byte(after) ||
	       after == '-';
}

static bool is_one(struct span text)
{
	if (text.len > 0)
		utf8_next(&text);
	return text.len == 0;
}

static bool begins_with_style(struct span inside)
{
	size_t n = text_measure_command(inside);
	const struct tex_command *command =
		n > 0 ? text_find_command(span_skip(span_first(inside, n), 1))
		      : NULL;

	return command && (command->kind == COMMAND_STYLE ||
	                   span_is(span_of(command->name), "color"));
}

static void convert_all(struct converter *c)
{
	for (copy_plain(c); c->rest.len > 0; copy_plain(c))
		if (!convert_next(c))
			copy_next(c);
}

/* A group that protects a word, holds a conversion alone, or is in a style. */
static bool convert_group(struct converter *c)
{
	owned(buf) struct buf plain = BUF_INIT(SIZE_MAX);
	size_t len = text_measure_group(c->rest);
	struct converter inner;
	bool protects = false;

	if (len < 3 || c->in_url || c->after_command ||
	    c->depth >= TEXT_MAX_DEPTH || is_one_of(c->copied, "^_}]"))
		return false;

	inner = (struct converter){
		.out = &plain,
		.all = {c->rest.ptr + 1, len - 2},
		.rest = {c->rest.ptr + 1, len - 2},
		.depth = c->depth + 1,
	};
	if (begins_with_style(inner.all)) {
		convert_all(&inner);
		return replace(c, len, buf_str(&plain));
	}
	inner.n_groups = c->n_groups + 1;
	if (len > MAX_WORD || inner.n_groups > MAX_GROUPS)
		return false;
	convert_all(&inner);
	if (!is_word(buf_span(&plain), &protects) &&
	    !(inner.n_letters > 0 && is_one(buf_span(&plain))))
		return false;
	if (inner.n_letters == 0 && !protects && !touches_word(c, len))
		return false;
	c->n_letters += inner.n_letters;
	return replace(c, len, buf_str(&plain));
}

/* A formula of which something is not understood stands as it was. */
static bool convert_math(struct converter *c)
{
	size_t len = text_math_len(c->rest);

	if (len == 0)
		return false;
	if (!text_read_math(c->out, &c->rest, c->depth)) {
		buf_add_span(c->out, span_first(c->rest, len));
		c->rest = span_skip(c->rest, len);
	}
	return replace(c, 0, "");
}

static bool convert_next(struct converter *c)
{
	switch (c->rest.ptr[0]) {
	case '$':
		return convert_math(c);
	case '\\':
		return convert_math(c) || convert_escape(c) ||
		       convert_letter(c) || convert_command(c);
	case '`':
	case '\'':
		return convert_quote(c);
	case '-':
		return convert_dash(c);
	case '~':
		return convert_tie(c);
	case '{':
		return convert_group(c);
	default:
		return false;
	}
}

static void track_url(struct converter *c)
{
	if (span_starts(c->rest, "://") ||
	    (span_starts(c->rest, "www.") && !is_word_byte(peek_before(c))))
		c->in_url = true;
	else if (is_one_of(c->rest.ptr[0], " {}<>\""))
		c->in_url = false;
}

/* The length of the command that stands, with its name and its arguments. */
static size_t measure_unknown(const struct converter *c)
{
	size_t n = text_measure_command(c->rest);
	size_t group = n;

	while (group > 0 && isalpha((unsigned char)c->rest.ptr[1])) {
		group = text_measure_group(span_skip(c->rest, n));
		n += group;
	}
	return n;
}

/* What stands: a command, what a backslash escapes, or one byte. */
static void copy_next(struct converter *c)
{
	size_t n = measure_unknown(c);

	track_url(c);
	if (n > 0)
		c->after_command = isalpha((unsigned char)c->rest.ptr[1]);
	else if (c->rest.ptr[0] != ' ')
		c->after_command = false;
	n = n > 0 ? n : 1;
	buf_add_span(c->out, span_first(c->rest, n));
	c->copied = c->rest.ptr[n - 1];
	c->rest = span_skip(c->rest, n);
}

/* Bytes at which a conversion or a URL may begin. */
static const bool is_special[UCHAR_MAX + 1] = {
	['$'] = true, ['\\'] = true, ['`'] = true, ['\''] = true, ['-'] = true,
	['~'] = true, ['{'] = true,  [':'] = true, ['w'] = true,
};

static bool is_plain(const struct converter *c, size_t n)
{
	unsigned char byte = (unsigned char)c->rest.ptr[n];

	return !is_special[byte] || (byte == 'w' && peek(c, n + 1) != 'w');
}

/* What is nothing but itself, as copy_next() would, byte by byte. */
static void copy_plain(struct converter *c)
{
	bool blank = true;
	size_t n = 0;

	if (c->in_url)
		return;
	for (; n < c->rest.len && is_plain(c, n); n++)
		blank = blank && c->rest.ptr[n] == ' ';
	if (n == 0)
		return;
	buf_add_span(c->out, span_first(c->rest, n));
	c->copied = c->rest.ptr[n - 1];
	c->after_command = c->after_command && blank;
	c->rest = span_skip(c->rest, n);
}

void text_add_tex_at(struct buf *out, struct span tex, unsigned depth)
{
	struct converter c = {
		.out = out,
		.all = tex,
		.rest = tex,
		.depth = depth,
	};

	convert_all(&c);
}

void text_add_tex(struct buf *out, struct span tex)
{
	text_add_tex_at(out, tex, 0);
}
