#pragma once

#include "text_private.h"

/* A list of math as it is being read: a formula, or what braces hold. */
struct list {
	struct buf *out;
	struct span rest;
	unsigned depth;
	bool is_script; /* raised or lowered: no blanks */
	bool in_prose;  /* one item of it alone, without any $ */
	enum text_style style;
	size_t style_start; /* in out */
	/* What stood before. */
	enum text_atom last;
	bool blank;  /* one in the source that may be meant */
	bool spaced; /* around the operator or relation that was last */
	bool runs;   /* a letter would run into x_max */
};

/* Appends one atom with the blank that it needs before it. */
void math_add_atom(struct list *l, enum text_atom atom, struct span text);

/* Raised or lowered; what Unicode does not have so, as one types it: x^q. */
void math_add_script(struct list *l, struct span script, bool raised);

/*
 * These append to `out` what they read, in the style that was asked for; false
 * if it is not understood, `out` is then worth nothing.
 */

/* All of `inside` as one list. */
bool math_add_list(struct buf *out, struct span inside, bool is_script,
                   unsigned depth);

/* The next argument of `l`, a group or one item. */
bool math_add_argument(struct list *l, struct buf *out, bool is_script);

/* What a command does that is no symbol; l->rest is past its name. */
bool math_read_command(struct list *l, const struct tex_command *command);

/* With parentheses if it is not simple. */
void math_add_grouped(struct buf *out, struct span text, bool is_simple);

/* What a \\cal before has asked for is done to the end of l->out. */
void math_apply_style(struct list *l);

void math_skip_blanks(struct span *rest);
bool math_is_word(struct span text);
bool math_is_number(struct span text); /* 0.41 */
bool math_is_one_character(struct span text);
