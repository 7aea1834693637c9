#include "text_private.h"

#include <ctype.h>
#include <limits.h>

#include <glib.h>

#include "base/utf8.h"

/* A group longer than this protects no word. */
#define MAX_GROUP 64
/* {{\"u}} is as deep as it gets; deeper braces are no protection. */
#define MAX_DEPTH 4

struct converter {
	struct buf *out;
	struct span all;
	struct span rest;
	size_t n_quotes;    /* `` that wait for their '' */
	unsigned depth;     /* of groups being tried */
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
	if (is_one_of(escaped[0], "&%_#"))
		return replace(c, 2, escaped);
	if (!c->in_url && is_one_of(escaped[0], " ,"))
		return replace(c, 2, " ");
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

static bool convert_next(struct converter *c);
static void copy_next(struct converter *c);

/* The length of the group at the start with its braces; 0 if too long. */
static size_t measure_group(struct span rest)
{
	size_t depth = 0;

	for (size_t i = 0; i < rest.len && i < MAX_GROUP; i++) {
		if (rest.ptr[i] == '\\')
			i++;
		else if (rest.ptr[i] == '{')
			depth++;
		else if (rest.ptr[i] == '}' && --depth == 0)
			return i + 1;
	}
	return 0;
}

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

static bool convert_group(struct converter *c)
{
	owned(buf) struct buf plain = BUF_INIT(4 * MAX_GROUP);
	size_t len = c->rest.ptr[0] == '{' ? measure_group(c->rest) : 0;
	bool protects = false;
	struct converter inner;

	if (len < 3 || c->in_url || c->after_command || c->depth == MAX_DEPTH ||
	    is_one_of(c->copied, "^_}]"))
		return false;

	inner = (struct converter){
		.out = &plain,
		.all = {c->rest.ptr + 1, len - 2},
		.rest = {c->rest.ptr + 1, len - 2},
		.depth = c->depth + 1,
	};
	while (inner.rest.len > 0)
		if (!convert_next(&inner))
			copy_next(&inner);

	if (!is_word(buf_span(&plain), &protects))
		return false;
	if (inner.n_letters == 0 && !protects && !touches_word(c, len))
		return false;
	c->n_letters += inner.n_letters;
	return replace(c, len, buf_str(&plain));
}

static bool copy_math(struct converter *c)
{
	size_t len = text_math_len(c->rest);

	if (len == 0)
		return false;
	buf_add_span(c->out, span_first(c->rest, len));
	return replace(c, len, "");
}

static bool convert_next(struct converter *c)
{
	switch (c->rest.ptr[0]) {
	case '$':
		return copy_math(c);
	case '\\':
		return copy_math(c) || convert_escape(c) || convert_letter(c);
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

/* What stands: a command with its name and what it escapes, or one byte. */
static void copy_next(struct converter *c)
{
	size_t n = 1;

	track_url(c);
	if (c->rest.ptr[0] == '\\') {
		while (isalpha((unsigned char)peek(c, n)))
			n++;
		if (n == 1 && c->rest.len > 1)
			n = 2;
		c->after_command = n > 2 || isalpha((unsigned char)peek(c, 1));
	} else if (c->rest.ptr[0] != ' ') {
		c->after_command = false;
	}
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

void text_add_tex(struct buf *out, struct span tex)
{
	struct converter c = {.out = out, .all = tex, .rest = tex};

	for (copy_plain(&c); c.rest.len > 0; copy_plain(&c))
		if (!convert_next(&c))
			copy_next(&c);
}
