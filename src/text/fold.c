#include "text/text.h"

#include <glib.h>

#include "base/utf8.h"

/* Letters that Unicode does not take apart, as those who lack them write. */
static const struct {
	uint32_t letter;
	const char *plain;
} plain_letters[] = {
	{0x00DF, "ss"}, {0x00E6, "ae"}, {0x00F0, "d"}, {0x00F8, "o"},
	{0x00FE, "th"}, {0x0111, "d"},  {0x0127, "h"}, {0x0131, "i"},
	{0x0138, "k"},  {0x0142, "l"},  {0x014B, "n"}, {0x0153, "oe"},
	{0x0167, "t"},  {0x0180, "b"},  {0x0237, "j"}, {0x03C2, "\xCF\x83"},
};

#define MAX_SYMBOLS 2 /* more Greek letters are a word of that language */

/* From alpha to omega: a symbol is the same as its name. */
static const char *const greek_names[] = {
	"alpha",   "beta", "gamma", "delta",  "epsilon", "zeta", "eta",
	"theta",   "iota", "kappa", "lambda", "mu",      "nu",   "xi",
	"omicron", "pi",   "rho",   "sigma",  "sigma",   "tau",  "upsilon",
	"phi",     "chi",  "psi",   "omega",
};

static const char *find_plain(uint32_t letter)
{
	for (size_t i = 0; i < sizeof(plain_letters) / sizeof(*plain_letters);
	     i++)
		if (plain_letters[i].letter == letter)
			return plain_letters[i].plain;
	return NULL;
}

/*
 * Accents of the alphabets only: in Indian scripts marks are vowels, in kana
 * they tell one consonant from another.
 */
static bool is_accent(uint32_t character)
{
	return (character >= 0x0300 && character <= 0x036F) ||
	       (character >= 0x1AB0 && character <= 0x1AFF) ||
	       (character >= 0x1DC0 && character <= 0x1DFF) ||
	       (character >= 0x20D0 && character <= 0x20FF) ||
	       (character >= 0xFE20 && character <= 0xFE2F);
}

static bool is_greek(uint32_t letter)
{
	letter = g_unichar_tolower(letter);
	return letter >= 0x3B1 && letter <= 0x3C9;
}

static size_t count_greek(struct span text)
{
	size_t n = 0;

	while (text.len > 0) {
		uint32_t character = utf8_next(&text);

		if (!is_accent(character) && !is_greek(character))
			break;
		n += is_greek(character) ? 1 : 0;
	}
	return n;
}

/* One letter, as a symbol if it is one. */
static void add_letter(struct buf *out, uint32_t letter, bool is_symbol)
{
	const char *plain;

	letter = g_unichar_tolower(letter);
	plain = is_symbol ? greek_names[letter - 0x3B1] : find_plain(letter);
	if (plain)
		buf_add_str(out, plain);
	else
		utf8_add(out, letter);
}

/* Text without accents; the run of Greek letters at hand is measured once. */
static void add_letters(struct buf *out, struct span text)
{
	size_t n_greek = 0;

	while (text.len > 0) {
		struct span rest = text;
		uint32_t character = utf8_next(&text);

		if (is_accent(character))
			continue;
		if (!is_greek(character))
			n_greek = 0;
		else if (n_greek == 0)
			n_greek = count_greek(rest);
		add_letter(out, character,
		           n_greek > 0 && n_greek <= MAX_SYMBOLS);
	}
}

static void add_normalized(struct buf *out, struct span text,
                           GNormalizeMode mode)
{
	char *normal = g_utf8_normalize(text.ptr, (gssize)text.len, mode);

	/* NULL is broken UTF-8, which nobody gives it here. */
	buf_add_span(out, normal ? span_of(normal) : text);
	g_free(normal);
}

static void add_valid(struct buf *out, struct span text)
{
	while (text.len > 0) {
		uint32_t character = utf8_next(&text);

		utf8_add(out, character ? character : UTF8_REPLACEMENT);
	}
}

static void fold_unicode(struct buf *out, struct span text)
{
	owned(buf) struct buf valid = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf apart = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf folded = BUF_INIT(SIZE_MAX);

	add_valid(&valid, text);
	add_normalized(&apart, buf_span(&valid), G_NORMALIZE_NFKD);
	add_letters(&folded, buf_span(&apart));
	/* What is no accent (hangul, kana) is put together again. */
	if (folded.len > 0)
		add_normalized(out, buf_span(&folded), G_NORMALIZE_NFC);
}

static bool is_ascii(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] >= 0x80 || !text.ptr[i])
			return false;
	return true;
}

void text_add_folded(struct buf *out, struct span text)
{
	if (text.len == 0)
		return;
	if (!is_ascii(text)) {
		fold_unicode(out, text);
		return;
	}
	buf_add_span(out, text);
	for (size_t i = out->len - text.len; !out->failed && i < out->len; i++)
		if (out->data[i] >= 'A' && out->data[i] <= 'Z')
			out->data[i] = (char)(out->data[i] - 'A' + 'a');
}
