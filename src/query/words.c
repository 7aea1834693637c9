#include "query_private.h"

#include <ctype.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/text.h"

#define MAX_PLAIN 32 /* bytes; a longer word is read as the rare ones are */

/* TeX commands that only dress what follows: no words of the paper. */
static const char *const dressing[] = {
	"bar",     "bf",        "boldsymbol",   "cite",     "citep",
	"citet",   "dfrac",     "em",           "emph",     "frac",
	"hat",     "href",      "it",           "left",     "mathbb",
	"mathbf",  "mathcal",   "mathfrak",     "mathit",   "mathrm",
	"mathsf",  "mbox",      "operatorname", "overline", "right",
	"rm",      "sc",        "sqrt",         "text",     "textbf",
	"textit",  "textrm",    "textsc",       "textsf",   "texttt",
	"tilde",   "tt",        "underline",    "url",      "vec",
	"widehat", "widetilde",
};

struct reader {
	struct words *words;
	struct span text;
	size_t pos;
	/* The math in which pos is; a word of it extends to all of it. */
	size_t math_start;
	size_t math_end;
	/* What stood since the last word. */
	bool blank;
	bool link;
	bool ends_phrase;
	/* The last word: its end, and whether it is a letter of i.i.d. */
	size_t word_end;
	bool one_letter;
	bool abbreviated;
	struct buf raw; /* the word being read */
};

void words_fini(struct words *words)
{
	buf_fini(&words->folded);
	free(words->items);
	*words = WORDS_INIT;
}

struct span words_folded(const struct words *words, size_t i)
{
	return (struct span){words->folded.data + words->items[i].folded,
	                     words->items[i].folded_len};
}

static bool is_number(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!isdigit((unsigned char)word.ptr[i]))
			return false;
	return word.len > 0;
}

static bool has_three_characters(struct span word)
{
	for (int i = 0; i < 3; i++) {
		if (word.len == 0)
			return false;
		utf8_next(&word);
	}
	return true;
}

bool words_may_join(struct span first, struct span second)
{
	bool first_long = has_three_characters(first) && !is_number(first);
	bool second_long = has_three_characters(second) && !is_number(second);

	return (first_long && second_long) ||
	       (first_long && is_number(second)) ||
	       (is_number(first) && second_long);
}

static struct span rest_at(const struct reader *r, size_t pos)
{
	return pos < r->text.len ? span_skip(r->text, pos)
	                         : (struct span){"", 0};
}

static enum text_kind kind_at(const struct reader *r, size_t pos)
{
	struct span rest = rest_at(r, pos);

	if (rest.len > 0 && isalnum((unsigned char)rest.ptr[0]))
		return TEXT_LETTER;
	return rest.len > 0 ? text_kind(utf8_next(&rest)) : TEXT_BLANK;
}

static bool has_letter_at(const struct reader *r, size_t pos)
{
	return kind_at(r, pos) == TEXT_LETTER;
}

static char byte_at(const struct reader *r, size_t pos)
{
	return pos < r->text.len ? r->text.ptr[pos] : ' ';
}

static size_t measure_char(const struct reader *r)
{
	struct span rest = rest_at(r, r->pos);
	size_t before = rest.len;

	utf8_next(&rest);
	return before - rest.len;
}

static void take_char(struct reader *r)
{
	size_t n = measure_char(r);

	buf_add_span(&r->raw, span_first(rest_at(r, r->pos), n));
	r->pos += n;
}

static void take_marks(struct reader *r)
{
	while (kind_at(r, r->pos) == TEXT_MARK)
		take_char(r);
}

/* 's at the end of a word: the LLM's answer is an answer of an LLM. */
static bool is_possessive(const struct reader *r)
{
	return tolower((unsigned char)byte_at(r, r->pos)) == 's' &&
	       !has_letter_at(r, r->pos + 1);
}

/* An apostrophe inside a word leaves it one word: don't, O'Neil. */
static bool skip_apostrophe(struct reader *r)
{
	size_t n = measure_char(r);

	if (!has_letter_at(r, r->pos + n))
		return false;
	r->pos += n;
	if (!is_possessive(r))
		return true;
	r->pos++;
	return false;
}

/* C++, Grad-CAM++, C#, F#; the point of 3.5. False: the word ends here. */
static bool take_symbol(struct reader *r)
{
	struct span rest = rest_at(r, r->pos);
	char before = r->raw.data[r->raw.len - 1];

	if (span_starts(rest, "++") && !has_letter_at(r, r->pos + 2)) {
		buf_add_str(&r->raw, "++");
		r->pos += 2;
	} else if (span_starts(rest, "#") && r->raw.len == 1 &&
	           isalpha((unsigned char)before) &&
	           !has_letter_at(r, r->pos + 1)) {
		buf_add_char(&r->raw, '#');
		r->pos++;
	} else if (span_starts(rest, ".") && isdigit((unsigned char)before) &&
	           isdigit((unsigned char)byte_at(r, r->pos + 1))) {
		take_char(r);
		return true;
	}
	return false;
}

/* A brace inside a word outside math: \textbf{R}etrieval is retrieval. */
static bool skip_brace(struct reader *r)
{
	char c = byte_at(r, r->pos);

	if ((c != '{' && c != '}') || r->pos < r->math_end ||
	    !has_letter_at(r, r->pos + 1))
		return false;
	r->pos++;
	return true;
}

static bool is_one_character(struct span text)
{
	utf8_next(&text);
	return text.len == 0;
}

/* x_1, N_max, R^d: one word, as it is where the text has them as x₁, ℝᵈ. */
static bool skip_script_sign(struct reader *r)
{
	struct span after = rest_at(r, r->pos + 1);
	bool first = is_one_character(buf_span(&r->raw));

	if (r->pos < r->math_end || !strchr("_^", byte_at(r, r->pos)) ||
	    !has_letter_at(r, r->pos + 1))
		return false;
	utf8_next(&after);
	if (!first && has_letter_at(r, r->text.len - after.len))
		return false;
	r->pos++;
	return true;
}

/* Takes what continues the word at pos; false at its end. */
static bool take_more(struct reader *r)
{
	switch (kind_at(r, r->pos)) {
	case TEXT_LETTER:
	case TEXT_MARK:
		take_char(r);
		return true;
	case TEXT_INVISIBLE:
		r->pos += measure_char(r);
		return true;
	case TEXT_APOSTROPHE:
		return skip_apostrophe(r);
	case TEXT_OTHER:
		return skip_brace(r) || skip_script_sign(r) || take_symbol(r);
	case TEXT_IDEOGRAPH:
	case TEXT_BLANK:
	case TEXT_HYPHEN:
		break;
	}
	return false;
}

static enum gap read_gap(const struct reader *r)
{
	if (r->words->n == 0 || r->ends_phrase)
		return GAP_BREAK;
	if (r->blank)
		return GAP_BLANK;
	return r->link ? GAP_LINK : GAP_NONE;
}

/* The word that was read from `start` on, folded from `at` on. */
static void add_word(struct reader *r, size_t start, size_t at)
{
	size_t end = r->pos;
	struct words *words = r->words;
	struct word word = {.gap = read_gap(r)};
	struct span folded = span_skip(buf_span(&words->folded), at);

	if (folded.len == 0)
		return;
	word.folded = (uint32_t)at;
	word.folded_len = (uint32_t)folded.len;
	word.plain_len = word.folded_len;
	/* C++ is another thing than C, but CAM++ is also a CAM. */
	if (folded.len > 3 && span_ends(folded, "++"))
		word.plain_len -= 2;
	if (start < r->math_end) {
		start = r->math_start;
		end = end > r->math_end ? end : r->math_end;
	}
	word.start = (uint32_t)start;
	word.len = (uint32_t)(end - start);

	words->items = mem_grow(words->items, &words->capacity, words->n + 1,
	                        sizeof(*words->items));
	words->items[words->n++] = word;
}

/* An ASCII letter or digit in lower case, else NUL. */
static char fold_plain(char c)
{
	char lower = (char)(c | 0x20);

	if (lower >= 'a' && lower <= 'z')
		return lower;
	return c >= '0' && c <= '9' ? c : '\0';
}

/*
 * Folds a word as nearly all are, which read_any_word() would take unchanged:
 * a short one in ASCII up to something that no word goes on behind. Returns
 * its length, 0 if it is another kind of word.
 */
static size_t fold_plain_word(const struct reader *r, char folded[MAX_PLAIN])
{
	struct span rest = span_first(rest_at(r, r->pos), MAX_PLAIN);
	size_t n = 0;

	for (; n < rest.len; n++) {
		folded[n] = fold_plain(rest.ptr[n]);
		if (folded[n] == '\0')
			break;
	}
	if (n == rest.len)
		return r->pos + n == r->text.len ? n : 0;
	if (n == 0 || rest.ptr[n] == ' ')
		return n;
	if (rest.ptr[n] == '.')
		return isdigit((unsigned char)rest.ptr[n - 1]) ? 0 : n;
	return memchr("-,;:)", rest.ptr[n], 5) ? n : 0;
}

static struct span read_any_word(struct reader *r)
{
	bool ideograph = kind_at(r, r->pos) == TEXT_IDEOGRAPH;

	buf_clear(&r->raw);
	take_char(r);
	if (ideograph)
		take_marks(r);
	else
		while (r->pos < r->text.len && take_more(r))
			continue;
	return buf_span(&r->raw);
}

/* The word was read from `start` on; `len` is that of what counts of it. */
static void end_word(struct reader *r, size_t start, size_t at, size_t len)
{
	if (r->blank || r->ends_phrase)
		r->abbreviated = false;
	add_word(r, start, at);
	r->one_letter = len == 1;
	r->word_end = r->pos;
	r->blank = r->link = r->ends_phrase = false;
}

static bool read_plain_word(struct reader *r)
{
	size_t start = r->pos;
	size_t at = r->words->folded.len;
	char plain[MAX_PLAIN];
	size_t n = fold_plain_word(r, plain);

	if (n == 0)
		return false;
	buf_add(&r->words->folded, plain, n);
	r->pos += n;
	end_word(r, start, at, n);
	return true;
}

static void read_word(struct reader *r)
{
	size_t start = r->pos;
	size_t at = r->words->folded.len;
	struct span raw = read_any_word(r);

	text_add_folded(&r->words->folded, raw);
	end_word(r, start, at, raw.len);
}

/*
 * The point of an abbreviation of single letters (i.i.d., U.S.) links them
 * as a hyphen does; the last one is nothing at all.
 */
static bool skip_point(struct reader *r)
{
	if (byte_at(r, r->pos) != '.' || r->word_end != r->pos ||
	    !r->one_letter)
		return false;
	if (has_letter_at(r, r->pos + 1) && !has_letter_at(r, r->pos + 2)) {
		r->abbreviated = true;
		r->link = true;
	} else if (!r->abbreviated) {
		return false;
	} else {
		r->abbreviated = false;
	}
	r->pos++;
	return true;
}

static bool is_dressing(struct span name)
{
	for (size_t i = 0; i < sizeof(dressing) / sizeof(*dressing); i++)
		if (span_is(name, dressing[i]))
			return true;
	return false;
}

/* \alpha is the word alpha; \textit is none; \, and its like are blanks. */
static void skip_backslash(struct reader *r)
{
	struct span name = rest_at(r, r->pos + 1);
	size_t n = 0;

	while (n < name.len && isalpha((unsigned char)name.ptr[n]))
		n++;
	r->pos++;
	if (n > 0) {
		r->link = true;
		r->pos += is_dressing(span_first(name, n)) ? n : 0;
		return;
	}
	if (name.len > 0 && memchr(" ,;:!\\()[]", name.ptr[0], 10)) {
		r->blank = r->blank || memchr(" ,;:\\", name.ptr[0], 5);
		r->link = true;
		r->pos++;
	}
}

/* / _ ^ $ link, and so do & and @ between letters: Q&A, pass@k. */
static bool skip_linking(struct reader *r)
{
	char c = byte_at(r, r->pos);
	bool inside = r->word_end == r->pos && has_letter_at(r, r->pos + 1);
	bool in_math = r->pos < r->math_end;

	if (c == '~')
		r->blank = true;
	else if (strchr("/_^$", c) || (in_math && strchr("{}", c)) ||
	         (inside && strchr("&@", c)))
		r->link = true;
	else if (!strchr("{}", c))
		return false;
	r->pos++;
	return true;
}

static void skip_other(struct reader *r)
{
	size_t n = measure_char(r);

	if (byte_at(r, r->pos) == '\\') {
		skip_backslash(r);
		return;
	}
	if (skip_point(r) || skip_linking(r))
		return;
	r->ends_phrase = true;
	if (!r->words->first_break.ptr)
		r->words->first_break = span_first(rest_at(r, r->pos), n);
	r->pos += n;
}

static void skip_gap(struct reader *r, enum text_kind kind)
{
	if (kind == TEXT_OTHER) {
		skip_other(r);
		return;
	}
	r->blank = r->blank || kind == TEXT_BLANK;
	r->link = r->link || kind == TEXT_HYPHEN;
	r->pos += measure_char(r);
}

static void enter_math(struct reader *r)
{
	char c = r->text.ptr[r->pos];
	size_t len;

	if (r->pos < r->math_end || (c != '$' && c != '\\'))
		return;
	len = text_math_len(rest_at(r, r->pos));
	if (len == 0)
		return;
	r->math_start = r->pos;
	r->math_end = r->pos + len;
}

void words_read(struct words *words, struct span text)
{
	struct reader r = {
		.words = words,
		.text = text,
		.word_end = SIZE_MAX,
		.raw = BUF_INIT(SIZE_MAX),
	};

	buf_clear(&words->folded);
	words->n = 0;
	words->first_break = SPAN_NONE;
	while (r.pos < text.len) {
		enum text_kind kind;

		if (text.ptr[r.pos] == ' ') {
			r.blank = true;
			r.pos++;
			continue;
		}
		if (read_plain_word(&r))
			continue;
		enter_math(&r);
		kind = kind_at(&r, r.pos);
		if (kind == TEXT_LETTER || kind == TEXT_IDEOGRAPH)
			read_word(&r);
		else
			skip_gap(&r, kind);
	}
	buf_fini(&r.raw);
}
