#include "math_private.h"

#include <ctype.h>

#include <glib.h>

#include "base/mem.h"
#include "base/utf8.h"

/* arXiv's whole abstracts have 1920 characters. */
#define MAX_MATH 2048

/* Where `end` stands first in `text` without a backslash before it. */
static size_t find_unescaped(struct span text, const char *end)
{
	size_t i = 0;

	/* Quick where there is none at all: a text may try this often. */
	if (span_find(text, end) == text.len)
		return text.len;
	while (i < text.len) {
		struct span rest = span_skip(text, i);

		if (rest.ptr[0] == end[0] && span_starts(rest, end))
			return i;
		i += rest.ptr[0] == '\\' ? 2 : 1;
	}
	return text.len;
}

/* $5 and $10, $5M-$10M: the second $ at `end` opens as the first does. */
static bool is_money(struct span text, size_t end)
{
	bool number = isdigit((unsigned char)text.ptr[1]);
	char after = end + 1 < text.len ? text.ptr[end + 1] : ' ';

	return text.ptr[0] == '$' && number &&
	       (isdigit((unsigned char)after) || text.ptr[end - 1] == ' ');
}

size_t text_math_len(struct span text)
{
	static const struct {
		const char *begin;
		const char *end;
	} shapes[] = {{"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};

	/* This is asked at every character of a text. */
	if (text.len == 0 || (text.ptr[0] != '$' && text.ptr[0] != '\\'))
		return 0;
	text = span_first(text, MAX_MATH);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		size_t len = strlen(shapes[i].begin);
		size_t end;

		if (!span_starts(text, shapes[i].begin))
			continue;
		end = find_unescaped(span_skip(text, len), shapes[i].end);
		if (len + end >= text.len || is_money(text, len + end))
			return 0;
		return len + end + len;
	}
	return 0;
}

static bool read_item(struct list *l);
static bool read_scripts(struct list *l);

static bool is_operand(enum text_atom atom)
{
	return atom == ATOM_ORD || atom == ATOM_CLOSE || atom == ATOM_INNER;
}

static bool is_spread(enum text_atom atom)
{
	return atom == ATOM_OP || atom == ATOM_INNER;
}

static bool is_factor(enum text_atom atom)
{
	return atom == ATOM_ORD || atom == ATOM_OPEN || is_spread(atom);
}

static bool starts_word(struct span text)
{
	return text.len > 0 && g_unichar_isalnum(utf8_next(&text));
}

/*
 * Relations and operators have a blank on both sides where the source has one
 * before them; names of functions are set off from what is no parenthesis.
 */
static bool needs_blank(const struct list *l, enum text_atom atom,
                        struct span text)
{
	if (l->last == ATOM_NONE || l->last == ATOM_OPEN ||
	    atom == ATOM_CLOSE || atom == ATOM_PUNCT)
		return false;
	if (is_spread(atom) && is_operand(l->last))
		return true;
	if (l->last == ATOM_INNER && is_factor(atom))
		return true;
	if (l->last == ATOM_OP && is_factor(atom) && atom != ATOM_OPEN)
		return true;
	if (l->runs && starts_word(text))
		return true;
	if (l->last == ATOM_BIN || l->last == ATOM_REL)
		return l->spaced;
	return l->blank && !l->is_script;
}

void math_add_atom(struct list *l, enum text_atom atom, struct span text)
{
	bool blank;

	/* A sign: -x. */
	if (atom == ATOM_BIN && !is_operand(l->last))
		atom = l->last == ATOM_OP ? ATOM_ORD : ATOM_OPEN;
	blank = needs_blank(l, atom, text);
	if (blank)
		buf_add_char(l->out, ' ');
	buf_add_span(l->out, text);
	l->spaced = blank;
	l->last = atom;
	l->blank = false;
	l->runs = false;
}

void math_apply_style(struct list *l)
{
	owned(buf) struct buf plain = BUF_INIT(SIZE_MAX);

	if (l->style == STYLE_NONE || l->style_start >= l->out->len)
		return;
	buf_add_span(&plain, span_skip(buf_span(l->out), l->style_start));
	buf_cut(l->out, l->style_start);
	text_add_styled(l->out, buf_span(&plain), l->style);
}

/* All of `inside` appended as one list. */
bool math_add_list(struct buf *out, struct span inside, bool is_script,
                   unsigned depth)
{
	struct list l = {
		.out = out,
		.rest = inside,
		.depth = depth,
		.is_script = is_script,
	};

	if (depth > TEXT_MAX_DEPTH)
		return false;
	while (l.rest.len > 0)
		if (!read_item(&l) || !read_scripts(&l))
			return false;
	math_apply_style(&l);
	return true;
}

static bool is_script_sign(char c)
{
	return c == '^' || c == '_' || c == '\'';
}

void math_skip_blanks(struct span *rest)
{
	while (rest->len > 0 && rest->ptr[0] == ' ')
		*rest = span_skip(*rest, 1);
}

/* The next argument, a group or one item, appended to `out`. */
bool math_add_argument(struct list *l, struct buf *out, bool is_script)
{
	struct list item = {
		.out = out,
		.depth = l->depth + 1,
		.is_script = is_script,
	};
	size_t start = out->len;
	struct span inside;

	if (text_read_group(&l->rest, &inside))
		return math_add_list(out, inside, is_script, l->depth + 1);
	if (item.depth > TEXT_MAX_DEPTH)
		return false;
	item.rest = l->rest;
	math_skip_blanks(&item.rest);
	do {
		if (item.rest.len == 0 || is_script_sign(item.rest.ptr[0]) ||
		    item.rest.ptr[0] == '{' || !read_item(&item))
			return false;
	} while (out->len == start);
	math_apply_style(&item);
	l->rest = item.rest;
	return true;
}

bool math_is_word(struct span text)
{
	while (text.len > 0) {
		uint32_t character = utf8_next(&text);

		if (!g_unichar_isalnum(character) &&
		    !g_unichar_ismark(character))
			return false;
	}
	return true;
}

bool math_is_number(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isdigit((unsigned char)text.ptr[i]) && text.ptr[i] != '.')
			return false;
	return text.len > 0;
}

bool math_is_one_character(struct span text)
{
	if (text.len > 0)
		utf8_next(&text);
	while (text.len > 0)
		if (!g_unichar_ismark(utf8_next(&text)))
			return false;
	return true;
}

void math_add_grouped(struct buf *out, struct span text, bool is_simple)
{
	buf_add_str(out, is_simple ? "" : "(");
	buf_add_span(out, text);
	buf_add_str(out, is_simple ? "" : ")");
}

void math_add_script(struct list *l, struct span script, bool raised)
{
	bool word = math_is_number(script) ||
	            (math_is_word(script) &&
	             (!raised || math_is_one_character(script)));

	if (l->last == ATOM_NONE)
		l->last = ATOM_ORD;
	l->blank = false;
	if (script.len == 0 || text_add_script(l->out, script, raised))
		return;
	buf_add_char(l->out, raised ? '^' : '_');
	math_add_grouped(l->out, script, word || math_is_one_character(script));
	l->runs = word;
}

static void add_primes(struct list *l)
{
	size_t n = 0;

	while (n < l->rest.len && l->rest.ptr[n] == '\'') {
		buf_add_str(l->out, "′");
		n++;
	}
	l->rest = span_skip(l->rest, n);
	math_add_script(l, SPAN_NONE, true);
}

/* What is raised and lowered behind an item; in prose it touches it. */
static bool read_scripts(struct list *l)
{
	for (;;) {
		owned(buf) struct buf script = BUF_INIT(SIZE_MAX);
		struct span rest = l->rest;

		if (!l->in_prose)
			math_skip_blanks(&rest);
		if (rest.len == 0 || !is_script_sign(rest.ptr[0]))
			return true;
		if (rest.ptr[0] == '\'' && l->in_prose)
			return true;
		l->rest = rest;
		if (rest.ptr[0] == '\'') {
			add_primes(l);
			continue;
		}
		l->rest = span_skip(rest, 1);
		if (!math_add_argument(l, &script, true))
			return false;
		math_add_script(l, buf_span(&script), rest.ptr[0] == '^');
	}
}

/* In prose a symbol before a { is somebody's macro with an argument. */
static bool add_symbol(struct list *l, const struct tex_symbol *symbol)
{
	if (l->in_prose && span_starts(l->rest, "{}"))
		l->rest = span_skip(l->rest, 2);
	if (l->in_prose && span_starts(l->rest, "{"))
		return false;
	math_add_atom(l, symbol->atom, span_of(symbol->text));
	return true;
}

static bool read_named(struct list *l, struct span name)
{
	const struct tex_symbol *symbol = text_find_symbol(name);
	const struct tex_command *command = text_find_command(name);

	if (symbol)
		return add_symbol(l, symbol);
	return command && math_read_command(l, command);
}

/* A symbol or a command, and the blanks that end its name. */
static bool read_name(struct list *l)
{
	size_t n = text_measure_command(l->rest);
	bool ends_in_blank;
	struct span name;

	if (n == 0)
		return false;
	name = span_skip(span_first(l->rest, n), 1);
	l->rest = span_skip(l->rest, n);
	ends_in_blank = !l->in_prose && span_starts(l->rest, " ") &&
	                isalpha((unsigned char)name.ptr[0]);
	if (ends_in_blank)
		math_skip_blanks(&l->rest);
	if (!read_named(l, name))
		return false;
	/* A bar has a blank on both sides or none: psi | phi. */
	l->blank = l->blank || (ends_in_blank && span_starts(l->rest, "|"));
	return true;
}

static enum text_atom atom_of(uint32_t character)
{
	switch (character) {
	case '+':
	case '-':
	case '*':
		return ATOM_BIN;
	case '=':
	case '<':
	case '>':
		return ATOM_REL;
	case '(':
	case '[':
		return ATOM_OPEN;
	case ')':
	case ']':
		return ATOM_CLOSE;
	case ',':
	case ';':
	case ':':
		return ATOM_PUNCT;
	default:
		return ATOM_ORD;
	}
}

static bool read_character(struct list *l)
{
	struct span all = l->rest;
	uint32_t character = utf8_next(&l->rest);
	struct span text = span_first(all, all.len - l->rest.len);

	if (character < 0x80 && strchr("}&#$", (int)character))
		return false;
	if (character == '-')
		text = span_of("−");
	math_add_atom(l, atom_of(character), text);
	return true;
}

static bool read_group(struct list *l)
{
	owned(buf) struct buf group = BUF_INIT(SIZE_MAX);

	if (!math_add_argument(l, &group, l->is_script))
		return false;
	if (group.len > 0)
		math_add_atom(l, ATOM_ORD, buf_span(&group));
	return true;
}

/* The next of a list. Scripts are left to read_scripts(). */
static bool read_item(struct list *l)
{
	char c = l->rest.ptr[0];

	if (is_script_sign(c))
		return true;
	if (c == ' ' || c == '~') {
		l->blank = true;
		l->rest = span_skip(l->rest, 1);
		return true;
	}
	if (c == '{')
		return read_group(l);
	return c == '\\' ? read_name(l) : read_character(l);
}

bool text_read_math(struct buf *out, struct span *rest, unsigned depth)
{
	size_t len = text_math_len(*rest);
	size_t n = len > 0 && (rest->ptr[0] == '\\' || rest->ptr[1] == '$') ? 2
	                                                                    : 1;
	size_t start = out->len;

	if (len <= 2 * n ||
	    !math_add_list(out, span_skip(span_first(*rest, len - n), n), false,
	                   depth + 1) ||
	    out->len == start) {
		buf_cut(out, start);
		return false;
	}
	*rest = span_skip(*rest, len);
	return true;
}

bool text_read_bare_math(struct buf *out, struct span *rest, unsigned depth)
{
	struct list l = {
		.out = out,
		.rest = *rest,
		.depth = depth + 1,
		.in_prose = true,
	};
	size_t start = out->len;

	if (l.depth > TEXT_MAX_DEPTH || !read_name(&l) || !read_scripts(&l) ||
	    out->len == start) {
		buf_cut(out, start);
		return false;
	}
	*rest = l.rest;
	return true;
}
