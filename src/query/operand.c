/* What is inside a word, a phrase or a name of a query or a keyword. */

#include "query_private.h"

#include <ctype.h>

#include "base/utf8.h"
#include "text/text.h"

/* What to write instead of a character that people bring from elsewhere. */
static const struct {
	const char *character;
	const char *advice;
} habits[] = {
	{"|", "write OR instead of '|'"},
	{"!", "write NOT instead of '!'"},
	{"&", "write AND instead of '&'"},
	{"\u201C", "write \" instead of \u201C"},
	{"\u201D", "write \" instead of \u201D"},
	{"\u201E", "write \" instead of \u201E"},
	{"\\",
         "TeX and regular expressions are not read here: write the "
         "letters themselves (\u00F6 or o, alpha)"},
	{"?",
         "there is no '?' for any letter: write the beginning of the "
         "word and '*'"},
	{"[", "there are no regular expressions: write words, joined by OR"},
	{"]", "there are no regular expressions: write words, joined by OR"},
	{"{", "there are no regular expressions: write words, joined by OR"},
	{"}", "there are no regular expressions: write words, joined by OR"},
	{"~", "'~' means nothing here: leave it out"},
};

static const char *find_habit(struct span rest)
{
	/* Nearly all characters are none of them. */
	if (isalnum((unsigned char)rest.ptr[0]) || rest.ptr[0] == ' ')
		return NULL;
	for (size_t i = 0; i < sizeof(habits) / sizeof(*habits); i++)
		if (span_starts(rest, habits[i].character))
			return habits[i].advice;
	return NULL;
}

static int fail(const char **ret_at, const char *at, struct error *err,
                const char *what)
{
	*ret_at = at;
	return error_set(err, ERROR_SYNTAX, "%s", what);
}

/*
 * Characters that words_read() would pass over in a paper but that in a query
 * show a misunderstanding.
 */
static int check_habits(struct span text, const char **ret_at,
                        struct error *err)
{
	static const char before[] =
		"'^' and '+' before a word mean nothing: "
		"leave them out; all words must occur";
	bool inside = false;

	for (struct span rest = text; rest.len > 0;) {
		const char *at = rest.ptr;
		bool linked = inside && at[0] == '&' && rest.len > 1 &&
		              isalnum((unsigned char)at[1]);
		const char *advice = linked ? NULL : find_habit(rest);

		if (advice)
			return fail(ret_at, at, err, advice);
		if (!inside && (at[0] == '^' || at[0] == '+'))
			return fail(ret_at, at, err, before);
		inside = !utf8_is_blank(utf8_next(&rest));
	}
	return 0;
}

static int check_star(struct span text, const char **ret_at, struct error *err)
{
	size_t star = span_find(text, "*");

	if (star == text.len)
		return 0;
	return fail(ret_at, text.ptr + star, err,
	            "'*' works at the end of the last word only");
}

/* Cuts the star of a prefix off. */
static bool take_star(struct span *text)
{
	if (!span_ends(*text, "*"))
		return false;
	text->len--;
	return true;
}

static int check_break(const struct words *words, const char **ret_at,
                       struct error *err)
{
	struct span found = words->first_break;

	if (!found.ptr)
		return 0;
	*ret_at = found.ptr;
	return error_set(err, ERROR_SYNTAX,
	                 "'%.*s' ends a phrase, so nothing matches across it: "
	                 "leave it out or write two phrases",
	                 (int)found.len, found.ptr);
}

int token_read_words(struct words *words, struct span text, bool *ret_prefix,
                     const char **ret_at, struct error *err)
{
	struct span body = span_trim(text);
	bool prefix = take_star(&body);

	words_read(words, body);
	if (check_habits(body, ret_at, err) < 0)
		return -1;
	if (words->n == 0)
		return fail(ret_at, text.ptr, err, "there is no word in it");
	if (check_star(body, ret_at, err) < 0 ||
	    check_break(words, ret_at, err) < 0)
		return -1;
	if (prefix && words->n == 1 && words->items[0].folded_len < 2)
		return fail(ret_at, body.ptr + body.len, err,
		            "two letters or more must stand before '*'");
	if (prefix && !isalnum((unsigned char)body.ptr[body.len - 1]) &&
	    (unsigned char)body.ptr[body.len - 1] < 0x80)
		return fail(ret_at, body.ptr + body.len, err,
		            "a letter must stand directly before '*'");
	*ret_prefix = prefix;
	return 0;
}

int token_check_name(struct words *words, struct span name, bool *ret_prefix,
                     const char **ret_at, struct error *err)
{
	struct span body = span_trim(name);
	bool prefix = take_star(&body);
	size_t n_commas = 0;

	words_read(words, body);
	if (check_habits(body, ret_at, err) < 0)
		return -1;
	if (words->n == 0)
		return fail(ret_at, name.ptr, err, "there is no name in it");
	if (check_star(body, ret_at, err) < 0)
		return -1;

	for (struct span rest = body; rest.len > 0;) {
		const char *at = rest.ptr;
		enum text_kind kind = text_kind(utf8_next(&rest));

		n_commas += at[0] == ',';
		if (n_commas == 2 ||
		    (kind == TEXT_OTHER && at[0] != ',' && at[0] != '.'))
			return fail(ret_at, at, err,
			            "write one name, as \"Yann LeCun\", "
			            "\"Y. LeCun\" or \"LeCun, Y\"");
	}
	*ret_prefix = prefix;
	return 0;
}
