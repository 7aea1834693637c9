/* TeX's notation for one letter: \"u, \v{s}, \'{\i}, \c c, \ss, \L{}. */

#include "text_private.h"

#include <ctype.h>

#include <glib.h>

#include "base/utf8.h"

#define MAX_NESTED 3 /* accents on one letter; Vietnamese needs two */

static const struct {
	char name;
	uint32_t mark;
} accents[] = {
	{'"', 0x0308}, {'\'', 0x0301}, {'`', 0x0300}, {'^', 0x0302},
	{'~', 0x0303}, {'=', 0x0304},  {'.', 0x0307}, {'u', 0x0306},
	{'v', 0x030C}, {'H', 0x030B},  {'c', 0x0327}, {'d', 0x0323},
	{'b', 0x0331}, {'k', 0x0328},  {'r', 0x030A}, {'t', 0x0361},
};

#define MARK_TIE 0x0361U

static const struct {
	const char *name;
	uint32_t letter;
} letters[] = {
	{"ss", 0xDF},  {"ae", 0xE6},  {"AE", 0xC6},  {"oe", 0x153},
	{"OE", 0x152}, {"aa", 0xE5},  {"AA", 0xC5},  {"o", 0xF8},
	{"O", 0xD8},   {"l", 0x142},  {"L", 0x141},  {"i", 0x131},
	{"j", 0x237},  {"dh", 0xF0},  {"DH", 0xD0},  {"th", 0xFE},
	{"TH", 0xDE},  {"dj", 0x111}, {"DJ", 0x110}, {"ng", 0x14B},
	{"NG", 0x14A},
};

/* A letter with its accents, as it is being read. */
struct letter {
	uint32_t base;
	uint32_t second; /* of \t{oo}; 0 */
	uint32_t marks[MAX_NESTED];
	size_t n_marks;
};

static uint32_t find_mark(char name)
{
	for (size_t i = 0; i < sizeof(accents) / sizeof(*accents); i++)
		if (accents[i].name == name)
			return accents[i].mark;
	return 0;
}

static uint32_t find_letter(struct span name)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (span_is(name, letters[i].name))
			return letters[i].letter;
	return 0;
}

static void skip_blanks(struct span *rest)
{
	while (rest->len > 0 && rest->ptr[0] == ' ')
		*rest = span_skip(*rest, 1);
}

static bool skip_char(struct span *rest, char c)
{
	if (rest->len == 0 || rest->ptr[0] != c)
		return false;
	*rest = span_skip(*rest, 1);
	return true;
}

static struct span read_name(struct span rest)
{
	size_t n = 0;

	while (n < rest.len && isalpha((unsigned char)rest.ptr[n]))
		n++;
	return span_first(rest, n);
}

/*
 * \ss, \L, \i with what ends the command: blanks, {} or anything that is no
 * letter. A subscript or an argument shows that it is somebody's macro.
 */
static uint32_t read_special(struct span *rest)
{
	struct span after = *rest;
	struct span name;
	uint32_t letter;

	if (!skip_char(&after, '\\'))
		return 0;
	name = read_name(after);
	letter = find_letter(name);
	if (!letter)
		return 0;

	after = span_skip(after, name.len);
	if (span_starts(after, "{}"))
		after = span_skip(after, 2);
	else
		skip_blanks(&after);
	if (after.len > 0 && memchr("_^{", after.ptr[0], 3))
		return 0;
	*rest = after;
	return letter;
}

static uint32_t read_plain(struct span *rest)
{
	struct span after = *rest;
	uint32_t character;

	if (after.len == 0)
		return 0;
	character = utf8_next(&after);
	if (!g_unichar_isalpha(character))
		return 0;
	*rest = after;
	return character;
}

static bool read_accented(struct span *rest, struct letter *letter);

/* What an accent stands on: a letter, a special one, or an accented one. */
static bool read_base(struct span *rest, struct letter *letter)
{
	letter->base = read_plain(rest);
	if (!letter->base)
		letter->base = read_special(rest);
	return letter->base || read_accented(rest, letter);
}

/* {x}, where x is the accent's base; {oo} under a tie. */
static bool read_braced(struct span *rest, struct letter *letter, uint32_t mark)
{
	struct span after = *rest;

	if (!skip_char(&after, '{'))
		return false;
	skip_blanks(&after);
	if (!read_base(&after, letter))
		return false;
	if (mark == MARK_TIE) {
		letter->second = read_plain(&after);
		if (!letter->second)
			return false;
	}
	skip_blanks(&after);
	if (!skip_char(&after, '}'))
		return false;
	*rest = after;
	return true;
}

static bool exists_with(uint32_t base, uint32_t mark)
{
	uint32_t composed;

	return g_unichar_compose(base, mark, &composed);
}

/*
 * The base without braces. After an accent that is a letter only what Unicode
 * has as one character counts, and \b and \d never: papers define them as
 * they please.
 */
static bool read_bare(struct span *rest, struct letter *letter, char name)
{
	bool is_word = isalpha((unsigned char)name);
	struct span after = *rest;

	if (is_word && after.len > 0 && after.ptr[0] == ' ')
		skip_blanks(&after);
	else if (is_word && (after.len == 0 || after.ptr[0] != '\\'))
		return false;

	letter->base = read_special(&after);
	if (!letter->base)
		letter->base = read_plain(&after);
	if (!letter->base || letter->base == UTF8_REPLACEMENT)
		return false;
	if (is_word &&
	    (strchr("bd", name) || !exists_with(letter->base, find_mark(name))))
		return false;
	*rest = after;
	return true;
}

static bool read_accented(struct span *rest, struct letter *letter)
{
	struct span after = *rest;
	uint32_t mark;
	char name;

	if (after.len < 2 || after.ptr[0] != '\\' ||
	    letter->n_marks == MAX_NESTED)
		return false;
	name = after.ptr[1];
	mark = find_mark(name);
	after = span_skip(after, 2);
	if (!mark)
		return false;

	letter->marks[letter->n_marks++] = mark;
	if (!read_braced(&after, letter, mark) &&
	    (mark == MARK_TIE || !read_bare(&after, letter, name)))
		return false;
	*rest = after;
	return true;
}

uint32_t text_with_dot(uint32_t letter)
{
	if (letter == 0x131)
		return 'i';
	return letter == 0x237 ? 'j' : letter;
}

/* Accents above take the place of the dot of i and j. */
static uint32_t with_dot(const struct letter *letter)
{
	bool above = letter->n_marks > 0;

	for (size_t i = 0; i < letter->n_marks; i++)
		above = above && letter->marks[i] != 0x0327 &&
		        letter->marks[i] != 0x0323 &&
		        letter->marks[i] != 0x0331 &&
		        letter->marks[i] != 0x0328;
	return above ? text_with_dot(letter->base) : letter->base;
}

static void add_composed(struct buf *out, const struct letter *letter)
{
	owned(buf) struct buf apart = BUF_INIT(64);
	char *composed;

	utf8_add(&apart, with_dot(letter));
	/* The innermost accent was read last. */
	for (size_t i = letter->n_marks; i > 0; i--)
		utf8_add(&apart, letter->marks[i - 1]);
	if (letter->second)
		utf8_add(&apart, letter->second);

	composed = g_utf8_normalize(buf_str(&apart), (gssize)apart.len,
	                            G_NORMALIZE_NFC);
	buf_add_str(out, composed ? composed : "");
	g_free(composed);
}

bool text_read_letter(struct buf *out, struct span *rest)
{
	struct letter letter = {0};

	letter.base = read_special(rest);
	if (!letter.base && !read_accented(rest, &letter))
		return false;
	add_composed(out, &letter);
	return true;
}
