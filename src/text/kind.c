#include "text_private.h"

#include <glib.h>

#include "base/utf8.h"

static bool is_ideograph(uint32_t character)
{
	switch (g_unichar_get_script(character)) {
	case G_UNICODE_SCRIPT_HAN:
	case G_UNICODE_SCRIPT_HIRAGANA:
	case G_UNICODE_SCRIPT_KATAKANA:
	case G_UNICODE_SCRIPT_HANGUL:
	case G_UNICODE_SCRIPT_BOPOMOFO:
		return true;
	default:
		/* The mark that lengthens kana is of no single script. */
		return character == 0x30FC || character == 0xFF70;
	}
}

static enum text_kind kind_of_ascii(uint32_t c)
{
	if (g_ascii_isalnum((char)c))
		return TEXT_LETTER;
	if (c <= ' ' || c == 0x7F)
		return TEXT_BLANK;
	if (c == '-')
		return TEXT_HYPHEN;
	if (c == '\'')
		return TEXT_APOSTROPHE;
	return TEXT_OTHER;
}

static enum text_kind kind_of_symbol(uint32_t character)
{
	switch (character) {
	case 0x2010: /* hyphen */
	case 0x2011: /* hyphen that does not break */
	case 0x2012: /* figure dash */
	case 0x2013: /* en dash: Kullback–Leibler */
	case 0x2212: /* minus */
	case 0x207B: /* raised, lowered */
	case 0x208B:
	case 0xFE63:
	case 0xFF0D:
		return TEXT_HYPHEN;
	case 0x2018:
	case 0x2019:
	case 0x2032: /* prime */
	case 0xFF07:
		return TEXT_APOSTROPHE;
	default:
		return TEXT_OTHER;
	}
}

enum text_kind text_kind(uint32_t character)
{
	if (character < 0x80)
		return kind_of_ascii(character);
	if (utf8_is_blank(character))
		return TEXT_BLANK;
	if (character < 0xA0)
		return TEXT_BLANK;
	if (utf8_is_control(character) || character == 0x200C ||
	    character == 0x200D)
		return TEXT_INVISIBLE;
	if (g_unichar_ismark(character))
		return TEXT_MARK;
	if (g_unichar_isalnum(character) ||
	    g_unichar_type(character) == G_UNICODE_OTHER_NUMBER ||
	    g_unichar_type(character) == G_UNICODE_LETTER_NUMBER)
		return is_ideograph(character) ? TEXT_IDEOGRAPH : TEXT_LETTER;
	return kind_of_symbol(character);
}
