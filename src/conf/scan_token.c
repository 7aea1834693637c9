#include "scan_private.h"

#include <ctype.h>

#include "base/num.h"

#define INT_LARGEST 2147483647U

static bool at_end(const struct scanner *scanner)
{
	return scanner->rest.len == 0;
}

static void skip(struct scanner *scanner, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (scanner->rest.ptr[i] == '\n')
			scanner->line++;
	scanner->rest = span_skip(scanner->rest, n);
}

static void skip_line_comment(struct scanner *scanner)
{
	skip(scanner, span_find(scanner->rest, "\n"));
}

/* False if it has no end; libconfig would take the rest of the file for it. */
static bool skip_block_comment(struct scanner *scanner)
{
	struct span inside = span_skip(scanner->rest, 2);
	size_t end = span_find(inside, "*/");

	if (end == inside.len)
		return false;
	skip(scanner, end + 4);
	return true;
}

/* Blanks and comments; false at a comment without an end. */
static bool skip_blanks(struct scanner *scanner)
{
	while (!at_end(scanner)) {
		if (strchr(" \t\n\r\f", scanner->rest.ptr[0]) &&
		    scanner->rest.ptr[0])
			skip(scanner, 1);
		else if (scanner->rest.ptr[0] == '#' ||
		         span_starts(scanner->rest, "//"))
			skip_line_comment(scanner);
		else if (!span_starts(scanner->rest, "/*"))
			return true;
		else if (!skip_block_comment(scanner))
			return false;
	}
	return true;
}

static size_t count_while(struct span text, int (*is_part)(int c))
{
	size_t n = 0;

	while (n < text.len && is_part((unsigned char)text.ptr[n]))
		n++;
	return n;
}

static int is_name_part(int c)
{
	return isalnum(c) || c == '-' || c == '_' || c == '*';
}

static int is_number_part(int c)
{
	return isalnum(c) || c == '-' || c == '+' || c == '.';
}

/* The length of a string with its quotes; 0 if it has no end. */
static size_t string_length(struct span text)
{
	for (size_t i = 1; i < text.len; i++) {
		if (text.ptr[i] == '"')
			return i + 1;
		if (text.ptr[i] == '\\')
			i++;
	}
	return 0;
}

static size_t count_digits(struct span text)
{
	return count_while(text, isdigit);
}

/* As libconfig, but with a digit in it: "." is 0.0 there. */
static bool is_float(struct span text)
{
	size_t whole = count_digits(text);
	size_t part = 0;

	text = span_skip(text, whole);
	if (span_starts(text, ".")) {
		part = count_digits(span_skip(text, 1));
		text = span_skip(text, part + 1);
	}
	if (whole + part == 0)
		return false;
	if (text.len == 0)
		return true;
	if (text.ptr[0] != 'e' && text.ptr[0] != 'E')
		return false;
	text = span_skip(text, 1);
	if (span_starts(text, "-") || span_starts(text, "+"))
		text = span_skip(text, 1);
	return text.len > 0 && count_digits(text) == text.len;
}

bool scan_is_float(struct span text)
{
	bool hex = span_starts(text, "0x") || span_starts(text, "0X");

	for (size_t i = 0; i < text.len && !hex; i++)
		if (strchr(".eE", text.ptr[i]))
			return true;
	return false;
}

static struct span without_suffix(struct span text)
{
	if (span_ends(text, "LL"))
		return span_first(text, text.len - 2);
	return span_ends(text, "L") ? span_first(text, text.len - 1) : text;
}

static enum scan_number classify_hex(struct span digits)
{
	size_t n = count_while(digits, isxdigit);

	if (n == 0 || n < digits.len)
		return SCAN_NUMBER_NONE;
	while (digits.len > 1 && digits.ptr[0] == '0')
		digits = span_skip(digits, 1);
	return digits.len < 8 || (digits.len == 8 && digits.ptr[0] < '8')
	               ? SCAN_NUMBER_FITS
	               : SCAN_NUMBER_WIDE;
}

enum scan_number scan_classify_number(struct span text)
{
	bool negative = span_starts(text, "-");
	struct span digits = without_suffix(text);
	uint64_t value;

	if (span_starts(digits, "0x") || span_starts(digits, "0X"))
		return classify_hex(span_skip(digits, 2));
	if (negative || span_starts(text, "+")) {
		digits = span_skip(digits, 1);
		text = span_skip(text, 1);
	}
	if (digits.len == 0 || count_digits(digits) < digits.len)
		return is_float(text) ? SCAN_NUMBER_FITS : SCAN_NUMBER_NONE;
	return num_parse(digits, 0, INT_LARGEST + (unsigned)negative, &value)
	               ? SCAN_NUMBER_FITS
	               : SCAN_NUMBER_WIDE;
}

static struct scan_token take(struct scanner *scanner,
                              enum scan_token_kind kind, size_t len)
{
	struct scan_token token = {
		.kind = kind,
		.text = span_first(scanner->rest, len),
		.line = scanner->line,
	};

	skip(scanner, len);
	return token;
}

static struct scan_token take_string(struct scanner *scanner)
{
	size_t len = string_length(scanner->rest);

	if (len == 0)
		return take(scanner, SCAN_OPEN_STRING, scanner->rest.len);
	return take(scanner, SCAN_STRING, len);
}

static bool is_boolean(struct span name)
{
	return (name.len == 4 && !strncasecmp(name.ptr, "true", 4)) ||
	       (name.len == 5 && !strncasecmp(name.ptr, "false", 5));
}

static struct scan_token take_name(struct scanner *scanner)
{
	size_t len = count_while(scanner->rest, is_name_part);
	bool boolean = is_boolean(span_first(scanner->rest, len));

	return take(scanner, boolean ? SCAN_BOOLEAN : SCAN_NAME, len);
}

struct scan_token scan_next(struct scanner *scanner)
{
	unsigned char c;

	if (!skip_blanks(scanner))
		return take(scanner, SCAN_OPEN_COMMENT, scanner->rest.len);
	if (at_end(scanner))
		return take(scanner, SCAN_END, 0);

	c = (unsigned char)scanner->rest.ptr[0];
	if (c == '"')
		return take_string(scanner);
	if (isalpha(c) || c == '*')
		return take_name(scanner);
	if (is_number_part(c))
		return take(scanner, SCAN_NUMBER,
		            count_while(scanner->rest, is_number_part));
	if (span_starts(scanner->rest, "@include"))
		return take(scanner, SCAN_INCLUDE, strlen("@include"));
	return take(scanner, SCAN_SIGN, 1);
}
