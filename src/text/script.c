/* Letters in other forms: raised, lowered, struck, in other alphabets. */

#include "text_private.h"

#include <glib.h>

#include "base/utf8.h"

#define N(array) (sizeof(array) / sizeof(*(array)))

struct form {
	const char *plain;
	const char *form;
};

/* The last of each stand at the height of both: x*, 90°, K±; the mass M⊙. */
static const struct form raised_forms[] = {
	{"0", "⁰"}, {"1", "¹"}, {"2", "²"}, {"3", "³"}, {"4", "⁴"}, {"5", "⁵"},
	{"6", "⁶"}, {"7", "⁷"}, {"8", "⁸"}, {"9", "⁹"}, {"+", "⁺"}, {"−", "⁻"},
	{"-", "⁻"}, {"=", "⁼"}, {"(", "⁽"}, {")", "⁾"}, {"a", "ᵃ"}, {"b", "ᵇ"},
	{"c", "ᶜ"}, {"d", "ᵈ"}, {"e", "ᵉ"}, {"f", "ᶠ"}, {"g", "ᵍ"}, {"h", "ʰ"},
	{"i", "ⁱ"}, {"j", "ʲ"}, {"k", "ᵏ"}, {"l", "ˡ"}, {"m", "ᵐ"}, {"n", "ⁿ"},
	{"o", "ᵒ"}, {"p", "ᵖ"}, {"r", "ʳ"}, {"s", "ˢ"}, {"t", "ᵗ"}, {"u", "ᵘ"},
	{"v", "ᵛ"}, {"w", "ʷ"}, {"x", "ˣ"}, {"y", "ʸ"}, {"z", "ᶻ"}, {"A", "ᴬ"},
	{"B", "ᴮ"}, {"D", "ᴰ"}, {"E", "ᴱ"}, {"G", "ᴳ"}, {"H", "ᴴ"}, {"I", "ᴵ"},
	{"J", "ᴶ"}, {"K", "ᴷ"}, {"L", "ᴸ"}, {"M", "ᴹ"}, {"N", "ᴺ"}, {"O", "ᴼ"},
	{"P", "ᴾ"}, {"R", "ᴿ"}, {"T", "ᵀ"}, {"U", "ᵁ"}, {"V", "ⱽ"}, {"W", "ᵂ"},
	{"β", "ᵝ"}, {"γ", "ᵞ"}, {"δ", "ᵟ"}, {"θ", "ᶿ"}, {"φ", "ᵠ"}, {"χ", "ᵡ"},
	{"⊤", "ᵀ"}, {"*", "*"}, {"⋆", "⋆"}, {"†", "†"}, {"‡", "‡"}, {"′", "′"},
	{"″", "″"}, {"‴", "‴"}, {"∘", "°"}, {"°", "°"}, {"±", "±"}, {"∓", "∓"},
};

static const struct form lowered_forms[] = {
	{"0", "₀"}, {"1", "₁"}, {"2", "₂"}, {"3", "₃"}, {"4", "₄"}, {"5", "₅"},
	{"6", "₆"}, {"7", "₇"}, {"8", "₈"}, {"9", "₉"}, {"+", "₊"}, {"−", "₋"},
	{"-", "₋"}, {"=", "₌"}, {"(", "₍"}, {")", "₎"}, {"a", "ₐ"}, {"e", "ₑ"},
	{"h", "ₕ"}, {"i", "ᵢ"}, {"j", "ⱼ"}, {"k", "ₖ"}, {"l", "ₗ"}, {"m", "ₘ"},
	{"n", "ₙ"}, {"o", "ₒ"}, {"p", "ₚ"}, {"r", "ᵣ"}, {"s", "ₛ"}, {"t", "ₜ"},
	{"u", "ᵤ"}, {"v", "ᵥ"}, {"x", "ₓ"}, {"β", "ᵦ"}, {"γ", "ᵧ"}, {"ρ", "ᵨ"},
	{"φ", "ᵩ"}, {"χ", "ᵪ"}, {"⊙", "⊙"}, {"⊕", "⊕"}, {"☉", "☉"},
};

/* The first letter of each alphabet, and those that Unicode had before. */
static const struct {
	uint32_t capital;
	uint32_t small;
	uint32_t digit; /* 0: none */
	struct form before[12];
} alphabets[] = {
	[STYLE_BOLD] = {0x1D400, 0x1D41A, 0x1D7CE, {{NULL, NULL}}},
	[STYLE_SCRIPT] = {0x1D49C,
                          0x1D4B6,
                          0,
                          {{"B", "ℬ"},
                           {"E", "ℰ"},
                           {"F", "ℱ"},
                           {"H", "ℋ"},
                           {"I", "ℐ"},
                           {"L", "ℒ"},
                           {"M", "ℳ"},
                           {"R", "ℛ"},
                           {"e", "ℯ"},
                           {"g", "ℊ"},
                           {"o", "ℴ"},
                           {NULL, NULL}}},
	[STYLE_FRAKTUR] = {0x1D504,
                           0x1D51E,
                           0,
                           {{"C", "ℭ"},
                            {"H", "ℌ"},
                            {"I", "ℑ"},
                            {"R", "ℜ"},
                            {"Z", "ℨ"},
                            {NULL, NULL}}},
	[STYLE_DOUBLE] = {0x1D538,
                          0x1D552,
                          0x1D7D8,
                          {{"C", "ℂ"},
                           {"H", "ℍ"},
                           {"N", "ℕ"},
                           {"P", "ℙ"},
                           {"Q", "ℚ"},
                           {"R", "ℝ"},
                           {"Z", "ℤ"},
                           {NULL, NULL}}},
};

static struct span take_character(struct span *rest, uint32_t *ret_character)
{
	struct span all = *rest;

	*ret_character = utf8_next(rest);
	return span_first(all, all.len - rest->len);
}

static const char *find_form(const struct form *forms, size_t n,
                             struct span plain)
{
	for (size_t i = 0; i < n && forms[i].plain; i++)
		if (span_is(plain, forms[i].plain))
			return forms[i].form;
	return NULL;
}

bool text_add_script(struct buf *out, struct span script, bool raised)
{
	const struct form *forms = raised ? raised_forms : lowered_forms;
	size_t n = raised ? N(raised_forms) : N(lowered_forms);
	size_t start = out->len;
	uint32_t character;

	while (script.len > 0) {
		const char *form = find_form(
			forms, n, take_character(&script, &character));

		if (!form) {
			buf_cut(out, start);
			return false;
		}
		buf_add_str(out, form);
	}
	return true;
}

static bool is_form(const struct form *forms, size_t n, struct span form)
{
	for (size_t i = 0; i < n; i++)
		if (span_is(form, forms[i].form))
			return true;
	return false;
}

bool text_is_script(struct span text)
{
	while (text.len > 0) {
		uint32_t character;
		struct span form = take_character(&text, &character);

		if (!g_unichar_ismark(character) &&
		    !is_form(raised_forms, N(raised_forms), form) &&
		    !is_form(lowered_forms, N(lowered_forms), form))
			return false;
	}
	return true;
}

static uint32_t style_letter(uint32_t letter, enum text_style style)
{
	if (letter >= 'A' && letter <= 'Z')
		return alphabets[style].capital + letter - 'A';
	if (letter >= 'a' && letter <= 'z')
		return alphabets[style].small + letter - 'a';
	if (letter >= '0' && letter <= '9' && alphabets[style].digit)
		return alphabets[style].digit + letter - '0';
	if (style == STYLE_BOLD && letter >= 0x391 && letter <= 0x3A9)
		return 0x1D6A8 + letter - 0x391; /* Greek */
	if (style == STYLE_BOLD && letter >= 0x3B1 && letter <= 0x3C9)
		return 0x1D6C2 + letter - 0x3B1;
	return letter;
}

/* Words in other alphabets are hard to read: only letters are for symbols. */
static bool is_symbol(struct span text, enum text_style style)
{
	size_t n_letters = 0;
	bool small = false;

	while (text.len > 0) {
		uint32_t character = utf8_next(&text);

		n_letters += g_unichar_isalnum(character) ? 1 : 0;
		small = small || g_unichar_islower(character);
	}
	return n_letters == 1 ||
	       (style != STYLE_BOLD && (style == STYLE_DOUBLE || !small));
}

void text_add_styled(struct buf *out, struct span text, enum text_style style)
{
	bool styled = style != STYLE_NONE && is_symbol(text, style);

	while (text.len > 0) {
		uint32_t letter;
		struct span plain = take_character(&text, &letter);
		const char *before =
			styled ? find_form(alphabets[style].before,
		                           N(alphabets[style].before), plain)
			       : NULL;

		if (before)
			buf_add_str(out, before);
		else
			utf8_add(out,
			         styled ? style_letter(letter, style) : letter);
	}
}
