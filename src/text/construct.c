/* What a formula is built of: the commands of math with their arguments. */

#include "math_private.h"

#include <ctype.h>

#include <glib.h>

#include "base/mem.h"
#include "base/utf8.h"

static bool read_fraction(struct list *l, const struct tex_command *command)
{
	bool binomial = command->kind == COMMAND_BINOMIAL;
	owned(buf) struct buf above = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf below = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf all = BUF_INIT(SIZE_MAX);

	if (!math_add_argument(l, &above, true) ||
	    !math_add_argument(l, &below, true) || above.len == 0 ||
	    below.len == 0)
		return false;
	if (binomial)
		buf_add_char(&all, '(');
	math_add_grouped(&all, buf_span(&above),
	                 math_is_word(buf_span(&above)));
	buf_add_str(&all, binomial ? " choose " : "/");
	math_add_grouped(&all, buf_span(&below),
	                 math_is_word(buf_span(&below)));
	if (binomial)
		buf_add_char(&all, ')');
	math_add_atom(l, command->atom, buf_span(&all));
	return true;
}

/* \sqrt[3]{x}: ∛x */
static bool read_root(struct list *l)
{
	owned(buf) struct buf degree = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf inside = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf all = BUF_INIT(SIZE_MAX);

	math_skip_blanks(&l->rest);
	if (l->rest.len > 0 && l->rest.ptr[0] == '[') {
		size_t end = span_find(l->rest, "]");

		if (end == l->rest.len ||
		    !math_add_list(&degree,
		                   span_skip(span_first(l->rest, end), 1), true,
		                   l->depth + 1))
			return false;
		l->rest = span_skip(l->rest, end + 1);
	}
	if (!math_add_argument(l, &inside, true) || inside.len == 0)
		return false;
	if (span_is(buf_span(&degree), "3"))
		buf_add_str(&all, "∛");
	else if (span_is(buf_span(&degree), "4"))
		buf_add_str(&all, "∜");
	else if (!text_add_script(&all, buf_span(&degree), true))
		return false;
	else
		buf_add_str(&all, "√");
	math_add_grouped(&all, buf_span(&inside),
	                 math_is_one_character(buf_span(&inside)) ||
	                         math_is_number(buf_span(&inside)));
	math_add_atom(l, ATOM_ORD, buf_span(&all));
	return true;
}

/* A mark goes on the one letter there is, before its scripts: ŷᵢ. */
static bool read_accent(struct list *l, const struct tex_command *command)
{
	owned(buf) struct buf inside = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf all = BUF_INIT(SIZE_MAX);
	struct span rest;

	if (!math_add_argument(l, &inside, true) || inside.len == 0)
		return false;
	rest = buf_span(&inside);
	utf8_add(&all, text_with_dot(utf8_next(&rest)));
	utf8_add(&all, command->value);
	if (!text_is_script(rest))
		return false;
	buf_add_span(&all, rest);
	math_add_atom(l, ATOM_ORD, buf_span(&all));
	return true;
}

/* \not\in: the stroke is put on the next symbol. */
static bool read_not(struct list *l)
{
	owned(buf) struct buf symbol = BUF_INIT(SIZE_MAX);

	if (!math_add_argument(l, &symbol, true) ||
	    !math_is_one_character(buf_span(&symbol)))
		return false;
	utf8_add(&symbol, 0x0338);
	math_add_atom(l, ATOM_REL, buf_span(&symbol));
	return true;
}

/* \overset{d}{=}: =ᵈ */
static bool read_stacked(struct list *l, const struct tex_command *command)
{
	owned(buf) struct buf script = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf base = BUF_INIT(SIZE_MAX);

	if (!math_add_argument(l, &script, true) ||
	    !math_add_argument(l, &base, false))
		return false;
	math_add_atom(l, command->atom, buf_span(&base));
	math_add_script(l, buf_span(&script), command->kind == COMMAND_OVER);
	return true;
}

static bool read_modulo(struct list *l)
{
	owned(buf) struct buf all = BUF_INIT(SIZE_MAX);

	buf_add_str(&all, "(mod ");
	if (!math_add_argument(l, &all, true))
		return false;
	buf_add_char(&all, ')');
	math_add_atom(l, ATOM_INNER, buf_span(&all));
	return true;
}

/* MathJax's \unicode{x2014}. */
static bool read_code_point(struct list *l)
{
	owned(buf) struct buf character = BUF_INIT(SIZE_MAX);
	owned(mem) char *digits = NULL;
	struct span inside;
	uint64_t value;
	bool hex;

	if (!text_read_group(&l->rest, &inside))
		return false;
	hex = span_starts(inside, "x");
	digits = mem_dup_span(span_skip(inside, hex ? 1 : 0));
	value = g_ascii_strtoull(digits, NULL, hex ? 16 : 10);
	if (value > 0x10FFFF || utf8_is_control((uint32_t)value) ||
	    utf8_is_blank((uint32_t)value))
		return false;
	utf8_add(&character, (uint32_t)value);
	math_add_atom(l, ATOM_ORD, buf_span(&character));
	return true;
}

/* The length behind \mkern: -2mu. */
static bool skip_length(struct list *l)
{
	size_t n = 0;

	while (n < l->rest.len && (isdigit((unsigned char)l->rest.ptr[n]) ||
	                           memchr("+-.", l->rest.ptr[n], 3)))
		n++;
	if (n + 2 > l->rest.len || !isalpha((unsigned char)l->rest.ptr[n]) ||
	    !isalpha((unsigned char)l->rest.ptr[n + 1]))
		return false;
	l->rest = span_skip(l->rest, n + 2);
	math_skip_blanks(&l->rest);
	return true;
}

static bool read_operator(struct list *l)
{
	owned(buf) struct buf name = BUF_INIT(SIZE_MAX);

	if (l->rest.len > 0 && l->rest.ptr[0] == '*')
		l->rest = span_skip(l->rest, 1);
	if (!math_add_argument(l, &name, false))
		return false;
	math_add_atom(l, ATOM_OP, buf_span(&name));
	return true;
}

/* An argument that is math, in the command's style. */
static bool read_styled(struct list *l, const struct tex_command *command)
{
	owned(buf) struct buf inside = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf styled = BUF_INIT(SIZE_MAX);
	struct span colour;

	if (command->kind == COMMAND_COLOURED &&
	    !text_read_group(&l->rest, &colour))
		return false;
	if (!math_add_argument(l, &inside, l->is_script))
		return false;
	text_add_styled(&styled, buf_span(&inside), command->value);
	if (styled.len > 0)
		math_add_atom(l, command->atom, buf_span(&styled));
	return true;
}

/* \text{ if }: its blanks at both ends are meant. */
static bool read_text(struct list *l, const struct tex_command *command)
{
	owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

	if (!text_read_arguments(&text, &l->rest, command, l->depth))
		return false;
	l->blank = l->blank || span_starts(buf_span(&text), " ");
	if (span_trim(buf_span(&text)).len > 0)
		math_add_atom(l, ATOM_ORD, span_trim(buf_span(&text)));
	l->blank = l->blank || span_ends(buf_span(&text), " ");
	return true;
}

bool math_read_command(struct list *l, const struct tex_command *command)
{
	switch (command->kind) {
	case COMMAND_ACCENT:
		return read_accent(l, command);
	case COMMAND_ALPHABET:
	case COMMAND_MATH:
	case COMMAND_COLOURED:
		return read_styled(l, command);
	case COMMAND_STYLE:
		math_apply_style(l);
		l->style = command->value;
		l->style_start = l->out->len;
		return true;
	case COMMAND_SPACE:
		l->blank = true;
		return true;
	case COMMAND_IGNORED:
		/* \left. and \right. are no parentheses. */
		if (span_ends(span_of(command->name), "t") &&
		    span_starts(l->rest, "."))
			l->rest = span_skip(l->rest, 1);
		return true;
	case COMMAND_OPERATOR:
		return read_operator(l);
	case COMMAND_FRACTION:
	case COMMAND_BINOMIAL:
		return read_fraction(l, command);
	case COMMAND_ROOT:
		return read_root(l);
	case COMMAND_OVER:
	case COMMAND_UNDER:
		return read_stacked(l, command);
	case COMMAND_NOT:
		return read_not(l);
	case COMMAND_MODULO:
		return read_modulo(l);
	case COMMAND_UNICODE:
		return read_code_point(l);
	case COMMAND_LENGTH:
		return skip_length(l);
	default:
		return read_text(l, command);
	}
}
