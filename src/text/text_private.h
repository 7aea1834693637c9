#pragma once

#include "base/buf.h"
#include "base/span.h"
#include "text/text.h"

/*
 * May a line end between these two neighbours? Between CJK characters, but
 * not before closing or after opening punctuation. Blanks are not asked
 * about.
 */
bool text_may_break(uint32_t before, uint32_t after);

/*
 * Takes one unit that must not be cut off *rest, which is not empty: math, or
 * a character with the marks on it. *ret_first is its first character,
 * *ret_n_chars what it counts.
 */
struct span text_next_unit(struct span *rest, uint32_t *ret_first,
                           size_t *ret_n_chars);

/*
 * Takes one accented or special letter of TeX off *rest and appends it; false
 * and nothing done if there is none that is understood.
 */
bool text_read_letter(struct buf *out, struct span *rest);

/* What stands in a formula, by its place there: chapter 17 of The TeXbook. */
enum text_atom {
	ATOM_NONE,
	ATOM_ORD,   /* x, 5, alpha */
	ATOM_OP,    /* log, a sum */
	ATOM_BIN,   /* + */
	ATOM_REL,   /* = */
	ATOM_OPEN,  /* ( */
	ATOM_CLOSE, /* ) */
	ATOM_PUNCT, /* , */
	ATOM_INNER, /* a fraction */
};

/* Alphabets of Unicode's Mathematical Alphanumeric Symbols. */
enum text_style {
	STYLE_NONE,
	STYLE_BOLD, /* of one letter alone: longer, it is emphasis */
	STYLE_SCRIPT,
	STYLE_FRAKTUR,
	STYLE_DOUBLE, /* struck */
};

enum text_command_kind {
	COMMAND_ACCENT,   /* a combining mark on its argument */
	COMMAND_ALPHABET, /* its argument in a style */
	COMMAND_STYLE,    /* what follows it in its group, in a style */
	COMMAND_SPACE,
	COMMAND_IGNORED,  /* nothing: \left, \displaystyle */
	COMMAND_MATH,     /* its argument, which is math */
	COMMAND_TEXT,     /* its argument, which is text */
	COMMAND_OPERATOR, /* the same as an operator's name */
	COMMAND_RAISED,   /* a superscript of text */
	COMMAND_LOWERED,
	COMMAND_FRACTION,
	COMMAND_BINOMIAL,
	COMMAND_ROOT,
	COMMAND_OVER, /* the first argument as script of the second */
	COMMAND_UNDER,
	COMMAND_NOT,      /* strikes the next symbol out */
	COMMAND_MODULO,   /* (mod n) */
	COMMAND_UNICODE,  /* a code point */
	COMMAND_LENGTH,   /* \mkern-2mu: nothing */
	COMMAND_SKIPPED,  /* nothing, and its argument neither */
	COMMAND_COLOURED, /* the second of two arguments */
	COMMAND_LINK,     /* {URL}{text} */
	COMMAND_URL,
	COMMAND_CITATION, /* [key] */
	COMMAND_FOOTNOTE, /* (text) */
	COMMAND_SECOND,   /* the second of two arguments */
};

struct tex_command {
	const char *name; /* without its backslash */
	enum text_command_kind kind;
	enum text_atom atom;
	uint32_t value; /* a combining mark or an enum text_style */
};

struct tex_symbol {
	const char *name;
	enum text_atom atom;
	const char *text;
};

/* The command or the symbol of this name; NULL if it is none of TeX's. */
const struct tex_command *text_find_command(struct span name);
const struct tex_symbol *text_find_symbol(struct span name);

/* bsearch() in items that begin with their names. */
const void *text_find_named(struct span name, const void *items, size_t n,
                            size_t size);

/* The length of the command at the start with its backslash; 0: none. */
size_t text_measure_command(struct span rest);

/* The length of the {group} at the start with its braces; 0: none. */
size_t text_measure_group(struct span rest);

/*
 * Appends `script` raised or lowered if Unicode has all its characters so;
 * false and nothing done otherwise.
 */
bool text_add_script(struct buf *out, struct span script, bool raised);

/* Is all of `text` such a form, or a combining mark? */
bool text_is_script(struct span text);

/* The usual i and j for those that TeX wants under an accent. */
uint32_t text_with_dot(uint32_t letter);

/* Appends `text`, its Latin and Greek letters and digits in `style`. */
void text_add_styled(struct buf *out, struct span text, enum text_style style);

/*
 * Commands within commands and groups within groups, text in math in text: no
 * deeper than this, or it stands as it was.
 */
#define TEXT_MAX_DEPTH 16

/* text_add_tex() of what is `depth` levels deep. */
void text_add_tex_at(struct buf *out, struct span tex, unsigned depth);

/*
 * Each takes something off *rest and appends it as characters; false and
 * nothing done if it is not understood all.
 */

/* A formula as text_math_len() measures it. */
bool text_read_math(struct buf *out, struct span *rest, unsigned depth);

/* A command of math with its arguments and scripts, without any $. */
bool text_read_bare_math(struct buf *out, struct span *rest, unsigned depth);

/*
 * What follows `command`, of which *rest is past the name, if its arguments
 * are text: \emph{x}, \href{URL}{x}, \cite{key}.
 */
bool text_read_arguments(struct buf *out, struct span *rest,
                         const struct tex_command *command, unsigned depth);

/* Skips blanks and takes a {group}: *ret_inside is what its braces hold. */
bool text_read_group(struct span *rest, struct span *ret_inside);
