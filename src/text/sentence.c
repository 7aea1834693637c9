#include "text_private.h"

#include <ctype.h>
#include <strings.h>

#include <glib.h>

#include "base/utf8.h"

/* An aside longer than this is a bracket that somebody forgot to close. */
#define MAX_ASIDE 600

static bool is_in(struct span word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (word.len == strlen(list[i]) &&
		    !strncasecmp(word.ptr, list[i], word.len))
			return true;
	return false;
}

/* The letters and points that stand directly before a point. */
static struct span read_word_before(struct span text)
{
	size_t n = text.len;

	while (n > 0 && (isalpha((unsigned char)text.ptr[n - 1]) ||
	                 (unsigned char)text.ptr[n - 1] >= 0x80 ||
	                 text.ptr[n - 1] == '.'))
		n--;
	return span_skip(text, n);
}

/* Does the point after `before` belong to an abbreviation or an initial? */
static bool is_abbreviation(struct span before)
{
	static const char *const list[] = {
		"al",   "approx", "ca",    "cf",    "def",  "dr",  "e.g",
		"eq",   "eqn",    "eqs",   "fig",   "figs", "i.e", "lem",
		"mr",   "mrs",    "ms",    "prof",  "prop", "ref", "refs",
		"resp", "sec",    "sect",  "st",    "thm",  "viz", "vol",
		"vs",   "w.r.t",  "i.i.d", "a.k.a", "eg",   "ie",
	};
	struct span word = read_word_before(before);

	if (is_in(word, list, sizeof(list) / sizeof(*list)))
		return true;
	return word.len == 1 && isupper((unsigned char)word.ptr[0]);
}

/* The length of a bracket with what is in it; 0 if it is not closed. */
static size_t measure_aside(struct span text)
{
	size_t depth = 0;

	for (size_t i = 0; i < text.len && i < MAX_ASIDE; i++) {
		if (text.ptr[i] == '(' || text.ptr[i] == '[')
			depth++;
		else if ((text.ptr[i] == ')' || text.ptr[i] == ']') &&
		         --depth == 0)
			return i + 1;
	}
	return 0;
}

static bool is_closing(uint32_t character)
{
	switch (character) {
	case ')':
	case ']':
	case '"':
	case '\'':
	case 0x2019:
	case 0x201D:
	case 0x300D: /* 」 */
	case 0x300F: /* 』 */
	case 0xFF09: /* ） */
		return true;
	default:
		return false;
	}
}

static void skip_closing(struct span *rest)
{
	while (rest->len > 0) {
		struct span after = *rest;

		if (!is_closing(utf8_next(&after)))
			return;
		*rest = after;
	}
}

static bool is_wide_end(uint32_t character)
{
	return character == 0x3002 || character == 0xFF01 ||
	       character == 0xFF1F;
}

/* Is a sentence over that goes on with `rest`? */
static bool begins_sentence(struct span rest)
{
	struct span trimmed = span_trim(rest);

	if (trimmed.len == 0)
		return true;
	return rest.ptr[0] == ' ' && !g_unichar_islower(utf8_next(&trimmed));
}

static bool ends_sentence(struct span before, uint32_t mark, struct span rest)
{
	if (is_wide_end(mark))
		return true;
	if (mark == '.' && is_abbreviation(before))
		return false;
	return (mark == '.' || mark == '!' || mark == '?') &&
	       begins_sentence(rest);
}

struct span text_first_sentence(struct span text)
{
	struct span rest = text;

	while (rest.len > 0) {
		struct span before = {text.ptr, text.len - rest.len};
		size_t aside = text_math_len(rest);
		uint32_t character;

		if (aside == 0 && (rest.ptr[0] == '(' || rest.ptr[0] == '['))
			aside = measure_aside(rest);
		if (aside > 0) {
			rest = span_skip(rest, aside);
			continue;
		}
		character = utf8_next(&rest);
		if (is_closing(character))
			continue;
		skip_closing(&rest);
		if (ends_sentence(before, character, rest))
			return span_first(text, text.len - rest.len);
	}
	return text;
}
