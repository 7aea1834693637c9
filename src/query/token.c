#include "query_private.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/utf8.h"
#include "text/text.h"

#define MAX_QUOTED 40 /* bytes of the user's text in a message */

int token_fail(const struct tokens *tokens, const char *at, struct error *err,
               const char *fmt, ...)
{
	struct span before = {tokens->all.ptr, (size_t)(at - tokens->all.ptr)};
	char what[ERROR_MESSAGE_MAX];
	size_t column = 1;
	va_list args;

	while (before.len > 0) {
		utf8_next(&before);
		column++;
	}
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return error_set(err, ERROR_SYNTAX, "column %zu: %s", column, what);
}

/* The beginning of `text`, for a message. */
static struct span shorten(struct span text)
{
	size_t n = text.len < MAX_QUOTED ? text.len : MAX_QUOTED;

	while (n > 0 && n < text.len && (text.ptr[n] & 0xC0) == 0x80)
		n--;
	return span_first(text, n);
}

#define QUOTED(span) (int)shorten(span).len, (span).ptr

/* ---- what tokens are made of ---- */

static bool ends_word(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7F || memchr("()\",", c, 4);
}

static struct span read_raw_word(struct span rest)
{
	size_t n = 0;

	while (n < rest.len && !ends_word(rest.ptr[n]))
		n++;
	return span_first(rest, n);
}

static bool is_like(struct span word, const char *str)
{
	return word.len == strlen(str) && !strncasecmp(word.ptr, str, word.len);
}

static bool is_field(struct span name)
{
	static const char *const fields[] = {"ti",  "abs", "au",
	                                     "cat", "id",  "type"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (span_is(name, fields[i]))
			return true;
	return false;
}

/* What somebody who writes `name` before a colon means. */
static const char *guess_field(struct span name)
{
	static const struct {
		const char *written;
		const char *meant;
	} guesses[] = {
		{"t", "ti"},           {"ti", "ti"},
		{"tit", "ti"},         {"title", "ti"},
		{"titel", "ti"},       {"ab", "abs"},
		{"abs", "abs"},        {"abstract", "abs"},
		{"a", "au"},           {"au", "au"},
		{"aut", "au"},         {"auth", "au"},
		{"author", "au"},      {"authors", "au"},
		{"name", "au"},        {"c", "cat"},
		{"cat", "cat"},        {"cats", "cat"},
		{"category", "cat"},   {"subject", "cat"},
		{"categories", "cat"}, {"id", "id"},
		{"arxiv", "id"},       {"ids", "id"},
		{"type", "type"},      {"announce", "type"},
	};

	for (size_t i = 0; i < sizeof(guesses) / sizeof(*guesses); i++)
		if (is_like(name, guesses[i].written))
			return guesses[i].meant;
	return NULL;
}

static int fail_field(const struct tokens *tokens, struct span name,
                      struct error *err)
{
	const char *meant = guess_field(name);

	if (name.len == 0)
		return token_fail(tokens, name.ptr, err,
		                  "remove the blank before ':': a field stands "
		                  "directly before it, as in ti:lattice");
	if (is_like(name, "all"))
		return token_fail(tokens, name.ptr, err,
		                  "there is no field 'all:': words without a "
		                  "field are looked for in title and abstract");
	if (meant)
		return token_fail(tokens, name.ptr, err,
		                  "there is no field '%.*s:': write '%s:'",
		                  QUOTED(name), meant);
	return token_fail(tokens, name.ptr, err,
	                  "there is no field '%.*s:': fields are ti: abs: au: "
	                  "cat: id: type:",
	                  QUOTED(name));
}

static int read_field(struct tokens *tokens, struct span word,
                      struct token *ret_token, struct error *err)
{
	size_t len = span_find(word, ":");
	struct span name = span_first(word, len);
	struct span after = span_skip(tokens->rest, len + 1);

	if (!is_field(name))
		return fail_field(tokens, name, err);
	if (after.len == 0)
		return token_fail(tokens, name.ptr, err,
		                  "something must follow '%.*s:'",
		                  QUOTED(name));
	if ((unsigned char)after.ptr[0] <= ' ')
		return token_fail(tokens, after.ptr, err,
		                  "remove the blank after '%.*s:'",
		                  QUOTED(name));
	*ret_token =
		(struct token){TOKEN_FIELD, span_first(word, len + 1), name};
	tokens->rest = after;
	return 0;
}

/* An operator in lower case would quietly be looked for as a word. */
static int check_case(const struct tokens *tokens, struct span word,
                      struct error *err)
{
	static const char *const operators[] = {"AND", "OR", "NOT"};
	bool opens = word.len < tokens->rest.len &&
	             tokens->rest.ptr[word.len] == '(';

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (is_like(word, operators[i]))
			return token_fail(
				tokens, word.ptr, err,
				"write %s in capitals, or \"%.*s\" in quotes "
				"if you look for the word",
				operators[i], QUOTED(word));
	if (opens && is_like(word, "NEAR"))
		return token_fail(tokens, word.ptr, err,
		                  "write NEAR in capitals");
	return 0;
}

static int check_near(const struct tokens *tokens, struct error *err)
{
	struct span rest = span_skip(tokens->rest, 4);

	if (span_starts(rest, "("))
		return 0;
	if (span_starts(span_trim(rest), "("))
		return token_fail(tokens, rest.ptr, err,
		                  "remove the blank after NEAR");
	return token_fail(tokens, tokens->rest.ptr, err,
	                  "write NEAR(a b, 5), or \"NEAR\" in quotes if you "
	                  "look for the word");
}

static int read_word(struct tokens *tokens, struct token *ret_token,
                     struct error *err)
{
	struct span word = read_raw_word(tokens->rest);
	enum token_kind kind = TOKEN_WORD;
	size_t len = word.len;

	if (span_find(word, ":") < word.len)
		return read_field(tokens, word, ret_token, err);
	if (span_is(word, "AND")) {
		kind = TOKEN_AND;
	} else if (span_is(word, "OR")) {
		kind = TOKEN_OR;
	} else if (span_is(word, "NOT")) {
		kind = TOKEN_NOT;
	} else if (span_is(word, "NEAR")) {
		if (check_near(tokens, err) < 0)
			return -1;
		kind = TOKEN_NEAR;
		len++;
	} else if (check_case(tokens, word, err) < 0) {
		return -1;
	}
	*ret_token = (struct token){kind, span_first(tokens->rest, len), word};
	tokens->rest = span_skip(tokens->rest, len);
	return 0;
}

static int read_phrase(struct tokens *tokens, struct token *ret_token,
                       struct error *err)
{
	struct span inside = span_skip(tokens->rest, 1);
	size_t len = span_find(inside, "\"");

	if (len == inside.len)
		return token_fail(tokens, tokens->rest.ptr, err,
		                  "the quote is never closed");
	if (len + 1 < inside.len && inside.ptr[len + 1] == '*')
		return token_fail(tokens, inside.ptr + len + 1, err,
		                  "write the '*' inside the quotes");
	*ret_token =
		(struct token){TOKEN_PHRASE, span_first(tokens->rest, len + 2),
	                       span_first(inside, len)};
	tokens->rest = span_skip(inside, len + 1);
	return 0;
}

static int read_minus(struct tokens *tokens, struct token *ret_token,
                      struct error *err)
{
	struct span after = span_skip(tokens->rest, 1);

	if (after.len == 0 || (unsigned char)after.ptr[0] <= ' ')
		return token_fail(
			tokens, tokens->rest.ptr, err,
			"'-' must stand directly before what is to be "
			"left out");
	if (after.ptr[0] == '-')
		return token_fail(tokens, after.ptr, err, "one '-' is enough");
	*ret_token = (struct token){TOKEN_MINUS, span_first(tokens->rest, 1),
	                            SPAN_NONE};
	tokens->rest = after;
	return 0;
}

static int read_sign(struct tokens *tokens, enum token_kind kind,
                     struct token *ret_token)
{
	*ret_token =
		(struct token){kind, span_first(tokens->rest, 1), SPAN_NONE};
	tokens->rest = span_skip(tokens->rest, 1);
	return 0;
}

int token_next(struct tokens *tokens, struct token *ret_token,
               struct error *err)
{
	while (tokens->rest.len > 0 &&
	       ((unsigned char)tokens->rest.ptr[0] <= ' ' ||
	        tokens->rest.ptr[0] == 0x7F))
		tokens->rest = span_skip(tokens->rest, 1);

	if (tokens->rest.len == 0) {
		*ret_token = (struct token){TOKEN_END, tokens->rest, SPAN_NONE};
		return 0;
	}
	if (span_starts(tokens->rest, "(?"))
		return token_fail(
			tokens, tokens->rest.ptr, err,
			"there are no regular expressions; case never "
			"matters");
	switch (tokens->rest.ptr[0]) {
	case '(':
		return read_sign(tokens, TOKEN_OPEN, ret_token);
	case ')':
		return read_sign(tokens, TOKEN_CLOSE, ret_token);
	case ',':
		return read_sign(tokens, TOKEN_COMMA, ret_token);
	case '"':
		return read_phrase(tokens, ret_token, err);
	case '-':
		return read_minus(tokens, ret_token, err);
	default:
		return read_word(tokens, ret_token, err);
	}
}
