/* TeX's commands that are no symbols, and how commands and groups begin. */

#include "text_private.h"

#include <ctype.h>
#include <stdlib.h>

/* A longer group is none: arXiv's abstracts have at most 1920 characters. */
#define MAX_GROUP 4096

/* In the order of strcmp(): they are searched by halves. */
static const struct tex_command commands[] = {
	{"!", COMMAND_IGNORED, ATOM_NONE, 0},
	{",", COMMAND_SPACE, ATOM_ORD, 0},
	{"/", COMMAND_IGNORED, ATOM_NONE, 0},
	{":", COMMAND_SPACE, ATOM_ORD, 0},
	{";", COMMAND_SPACE, ATOM_ORD, 0},
	{">", COMMAND_SPACE, ATOM_ORD, 0},
	{"Bbb", COMMAND_ALPHABET, ATOM_ORD, STYLE_DOUBLE},
	{"Big", COMMAND_IGNORED, ATOM_NONE, 0},
	{"Bigg", COMMAND_IGNORED, ATOM_NONE, 0},
	{"Biggl", COMMAND_IGNORED, ATOM_NONE, 0},
	{"Biggr", COMMAND_IGNORED, ATOM_NONE, 0},
	{"Bigl", COMMAND_IGNORED, ATOM_NONE, 0},
	{"Bigm", COMMAND_IGNORED, ATOM_NONE, 0},
	{"Bigr", COMMAND_IGNORED, ATOM_NONE, 0},
	{"Citep", COMMAND_CITATION, ATOM_ORD, 0},
	{"Citet", COMMAND_CITATION, ATOM_ORD, 0},
	{"Large", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"acute", COMMAND_ACCENT, ATOM_ORD, 0x301},
	{"allowbreak", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"autocite", COMMAND_CITATION, ATOM_ORD, 0},
	{"bar", COMMAND_ACCENT, ATOM_ORD, 0x304},
	{"bf", COMMAND_STYLE, ATOM_ORD, STYLE_BOLD},
	{"bfseries", COMMAND_STYLE, ATOM_ORD, STYLE_BOLD},
	{"big", COMMAND_IGNORED, ATOM_NONE, 0},
	{"bigg", COMMAND_IGNORED, ATOM_NONE, 0},
	{"biggl", COMMAND_IGNORED, ATOM_NONE, 0},
	{"biggr", COMMAND_IGNORED, ATOM_NONE, 0},
	{"bigl", COMMAND_IGNORED, ATOM_NONE, 0},
	{"bigm", COMMAND_IGNORED, ATOM_NONE, 0},
	{"bigr", COMMAND_IGNORED, ATOM_NONE, 0},
	{"binom", COMMAND_BINOMIAL, ATOM_INNER, 0},
	{"bm", COMMAND_ALPHABET, ATOM_ORD, STYLE_BOLD},
	{"boldmath", COMMAND_STYLE, ATOM_ORD, STYLE_BOLD},
	{"boldsymbol", COMMAND_ALPHABET, ATOM_ORD, STYLE_BOLD},
	{"boxed", COMMAND_MATH, ATOM_ORD, 0},
	{"breve", COMMAND_ACCENT, ATOM_ORD, 0x306},
	{"cal", COMMAND_STYLE, ATOM_ORD, STYLE_SCRIPT},
	{"centering", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"cfrac", COMMAND_FRACTION, ATOM_INNER, 0},
	{"check", COMMAND_ACCENT, ATOM_ORD, 0x30C},
	{"cite", COMMAND_CITATION, ATOM_ORD, 0},
	{"citealp", COMMAND_CITATION, ATOM_ORD, 0},
	{"citealt", COMMAND_CITATION, ATOM_ORD, 0},
	{"citeauthor", COMMAND_CITATION, ATOM_ORD, 0},
	{"citenum", COMMAND_CITATION, ATOM_ORD, 0},
	{"citep", COMMAND_CITATION, ATOM_ORD, 0},
	{"citet", COMMAND_CITATION, ATOM_ORD, 0},
	{"citeyear", COMMAND_CITATION, ATOM_ORD, 0},
	{"color", COMMAND_SKIPPED, ATOM_ORD, 0},
	{"colorbox", COMMAND_COLOURED, ATOM_ORD, 0},
	{"dbinom", COMMAND_BINOMIAL, ATOM_INNER, 0},
	{"dddot", COMMAND_ACCENT, ATOM_ORD, 0x20DB},
	{"ddot", COMMAND_ACCENT, ATOM_ORD, 0x308},
	{"dfrac", COMMAND_FRACTION, ATOM_INNER, 0},
	{"displaystyle", COMMAND_IGNORED, ATOM_NONE, 0},
	{"dot", COMMAND_ACCENT, ATOM_ORD, 0x307},
	{"em", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"emph", COMMAND_TEXT, ATOM_ORD, 0},
	{"enskip", COMMAND_SPACE, ATOM_ORD, 0},
	{"enspace", COMMAND_SPACE, ATOM_ORD, 0},
	{"ensuremath", COMMAND_MATH, ATOM_ORD, 0},
	{"fbox", COMMAND_TEXT, ATOM_ORD, 0},
	{"footcite", COMMAND_CITATION, ATOM_ORD, 0},
	{"footnote", COMMAND_FOOTNOTE, ATOM_ORD, 0},
	{"footnotesize", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"frac", COMMAND_FRACTION, ATOM_INNER, 0},
	{"frak", COMMAND_STYLE, ATOM_ORD, STYLE_FRAKTUR},
	{"grave", COMMAND_ACCENT, ATOM_ORD, 0x300},
	{"hat", COMMAND_ACCENT, ATOM_ORD, 0x302},
	{"hbox", COMMAND_TEXT, ATOM_ORD, 0},
	{"hl", COMMAND_TEXT, ATOM_ORD, 0},
	{"href", COMMAND_LINK, ATOM_ORD, 0},
	{"hskip", COMMAND_LENGTH, ATOM_ORD, 0},
	{"hspace", COMMAND_SKIPPED, ATOM_ORD, 0},
	{"ignorespaces", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"it", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"itshape", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"kern", COMMAND_LENGTH, ATOM_ORD, 0},
	{"label", COMMAND_SKIPPED, ATOM_ORD, 0},
	{"large", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"left", COMMAND_IGNORED, ATOM_NONE, 0},
	{"limits", COMMAND_IGNORED, ATOM_NONE, 0},
	{"linebreak", COMMAND_SPACE, ATOM_ORD, 0},
	{"mathbb", COMMAND_ALPHABET, ATOM_ORD, STYLE_DOUBLE},
	{"mathbbm", COMMAND_ALPHABET, ATOM_ORD, STYLE_DOUBLE},
	{"mathbf", COMMAND_ALPHABET, ATOM_ORD, STYLE_BOLD},
	{"mathbfit", COMMAND_ALPHABET, ATOM_ORD, STYLE_BOLD},
	{"mathbin", COMMAND_MATH, ATOM_ORD, 0},
	{"mathcal", COMMAND_ALPHABET, ATOM_ORD, STYLE_SCRIPT},
	{"mathclose", COMMAND_MATH, ATOM_ORD, 0},
	{"mathds", COMMAND_ALPHABET, ATOM_ORD, STYLE_DOUBLE},
	{"mathfrak", COMMAND_ALPHABET, ATOM_ORD, STYLE_FRAKTUR},
	{"mathinner", COMMAND_MATH, ATOM_ORD, 0},
	{"mathit", COMMAND_MATH, ATOM_ORD, 0},
	{"mathnormal", COMMAND_MATH, ATOM_ORD, 0},
	{"mathop", COMMAND_MATH, ATOM_ORD, 0},
	{"mathopen", COMMAND_MATH, ATOM_ORD, 0},
	{"mathord", COMMAND_MATH, ATOM_ORD, 0},
	{"mathpunct", COMMAND_MATH, ATOM_ORD, 0},
	{"mathrel", COMMAND_MATH, ATOM_ORD, 0},
	{"mathring", COMMAND_ACCENT, ATOM_ORD, 0x30A},
	{"mathrm", COMMAND_MATH, ATOM_ORD, 0},
	{"mathscr", COMMAND_ALPHABET, ATOM_ORD, STYLE_SCRIPT},
	{"mathsf", COMMAND_MATH, ATOM_ORD, 0},
	{"mathtt", COMMAND_MATH, ATOM_ORD, 0},
	{"mbox", COMMAND_TEXT, ATOM_ORD, 0},
	{"mdseries", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"medspace", COMMAND_SPACE, ATOM_ORD, 0},
	{"middle", COMMAND_IGNORED, ATOM_NONE, 0},
	{"mkern", COMMAND_LENGTH, ATOM_ORD, 0},
	{"mskip", COMMAND_LENGTH, ATOM_ORD, 0},
	{"negthinspace", COMMAND_IGNORED, ATOM_NONE, 0},
	{"newline", COMMAND_SPACE, ATOM_ORD, 0},
	{"nicefrac", COMMAND_FRACTION, ATOM_INNER, 0},
	{"nobreak", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"nobreakspace", COMMAND_SPACE, ATOM_ORD, 0},
	{"noindent", COMMAND_SPACE, ATOM_ORD, 0},
	{"nolimits", COMMAND_IGNORED, ATOM_NONE, 0},
	{"nolinkurl", COMMAND_URL, ATOM_ORD, 0},
	{"nonumber", COMMAND_IGNORED, ATOM_NONE, 0},
	{"normalfont", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"normalsize", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"not", COMMAND_NOT, ATOM_REL, 0},
	{"notag", COMMAND_IGNORED, ATOM_NONE, 0},
	{"operatorname", COMMAND_OPERATOR, ATOM_OP, 0},
	{"overline", COMMAND_ACCENT, ATOM_ORD, 0x305},
	{"overrightarrow", COMMAND_ACCENT, ATOM_ORD, 0x20D7},
	{"overset", COMMAND_OVER, ATOM_REL, 0},
	{"par", COMMAND_SPACE, ATOM_ORD, 0},
	{"parencite", COMMAND_CITATION, ATOM_ORD, 0},
	{"path", COMMAND_URL, ATOM_ORD, 0},
	{"pmb", COMMAND_ALPHABET, ATOM_ORD, STYLE_BOLD},
	{"pmod", COMMAND_MODULO, ATOM_INNER, 0},
	{"protect", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"qquad", COMMAND_SPACE, ATOM_ORD, 0},
	{"quad", COMMAND_SPACE, ATOM_ORD, 0},
	{"relax", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"right", COMMAND_IGNORED, ATOM_NONE, 0},
	{"rm", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"rmfamily", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"sc", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"scr", COMMAND_STYLE, ATOM_ORD, STYLE_SCRIPT},
	{"scriptsize", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"scriptstyle", COMMAND_IGNORED, ATOM_NONE, 0},
	{"scshape", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"sf", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"sffamily", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"sfrac", COMMAND_FRACTION, ATOM_INNER, 0},
	{"sl", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"slshape", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"small", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"space", COMMAND_SPACE, ATOM_ORD, 0},
	{"sqrt", COMMAND_ROOT, ATOM_ORD, 0},
	{"stackrel", COMMAND_OVER, ATOM_REL, 0},
	{"symbf", COMMAND_ALPHABET, ATOM_ORD, STYLE_BOLD},
	{"symrm", COMMAND_MATH, ATOM_ORD, 0},
	{"symup", COMMAND_MATH, ATOM_ORD, 0},
	{"tbinom", COMMAND_BINOMIAL, ATOM_INNER, 0},
	{"texorpdfstring", COMMAND_SECOND, ATOM_ORD, 0},
	{"text", COMMAND_TEXT, ATOM_ORD, 0},
	{"textbf", COMMAND_TEXT, ATOM_ORD, 0},
	{"textcite", COMMAND_CITATION, ATOM_ORD, 0},
	{"textcolor", COMMAND_COLOURED, ATOM_ORD, 0},
	{"textit", COMMAND_TEXT, ATOM_ORD, 0},
	{"textmd", COMMAND_TEXT, ATOM_ORD, 0},
	{"textnormal", COMMAND_TEXT, ATOM_ORD, 0},
	{"textrm", COMMAND_TEXT, ATOM_ORD, 0},
	{"textsc", COMMAND_TEXT, ATOM_ORD, 0},
	{"textsf", COMMAND_TEXT, ATOM_ORD, 0},
	{"textsl", COMMAND_TEXT, ATOM_ORD, 0},
	{"textstyle", COMMAND_IGNORED, ATOM_NONE, 0},
	{"textsubscript", COMMAND_LOWERED, ATOM_ORD, 0},
	{"textsuperscript", COMMAND_RAISED, ATOM_ORD, 0},
	{"texttt", COMMAND_TEXT, ATOM_ORD, 0},
	{"textup", COMMAND_TEXT, ATOM_ORD, 0},
	{"tfrac", COMMAND_FRACTION, ATOM_INNER, 0},
	{"thanks", COMMAND_FOOTNOTE, ATOM_ORD, 0},
	{"thickspace", COMMAND_SPACE, ATOM_ORD, 0},
	{"thinspace", COMMAND_SPACE, ATOM_ORD, 0},
	{"tilde", COMMAND_ACCENT, ATOM_ORD, 0x303},
	{"tiny", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"tt", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"ttfamily", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"ul", COMMAND_TEXT, ATOM_ORD, 0},
	{"uline", COMMAND_TEXT, ATOM_ORD, 0},
	{"underbar", COMMAND_ACCENT, ATOM_ORD, 0x331},
	{"underline", COMMAND_TEXT, ATOM_ORD, 0},
	{"underset", COMMAND_UNDER, ATOM_OP, 0},
	{"unicode", COMMAND_UNICODE, ATOM_ORD, 0},
	{"upshape", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
	{"url", COMMAND_URL, ATOM_ORD, 0},
	{"vec", COMMAND_ACCENT, ATOM_ORD, 0x20D7},
	{"vspace", COMMAND_SKIPPED, ATOM_ORD, 0},
	{"widecheck", COMMAND_ACCENT, ATOM_ORD, 0x30C},
	{"widehat", COMMAND_ACCENT, ATOM_ORD, 0x302},
	{"widetilde", COMMAND_ACCENT, ATOM_ORD, 0x303},
	{"xspace", COMMAND_STYLE, ATOM_ORD, STYLE_NONE},
};

static int compare(const void *key, const void *item)
{
	const struct span *name = key;
	const char *const *other = item;
	int order = strncmp(name->ptr, *other, name->len);

	return order ? order : -((*other)[name->len] != '\0');
}

const void *text_find_named(struct span name, const void *items, size_t n,
                            size_t size)
{
	if (name.len == 0)
		return NULL;
	return bsearch(&name, items, n, size, compare);
}

const struct tex_command *text_find_command(struct span name)
{
	return text_find_named(name, commands,
	                       sizeof(commands) / sizeof(*commands),
	                       sizeof(*commands));
}

size_t text_measure_command(struct span rest)
{
	size_t n = 1;

	if (rest.len < 2 || rest.ptr[0] != '\\')
		return 0;
	while (n < rest.len && isalpha((unsigned char)rest.ptr[n]))
		n++;
	return n > 1 ? n : 2;
}

size_t text_measure_group(struct span rest)
{
	size_t depth = 0;

	rest = span_first(rest, MAX_GROUP);
	/* Quick where there is none at all: a text may ask often. */
	if (rest.len == 0 || rest.ptr[0] != '{' ||
	    !memchr(rest.ptr, '}', rest.len))
		return 0;
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.ptr[i] == '\\')
			i++;
		else if (rest.ptr[i] == '{')
			depth++;
		else if (rest.ptr[i] == '}' && --depth == 0)
			return i + 1;
	}
	return 0;
}
