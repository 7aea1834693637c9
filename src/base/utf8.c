#include "base/utf8.h"

/* Lead bytes: how many continuation bytes follow and the least value. */
struct shape {
	unsigned n_more;
	uint32_t bits;
	uint32_t min;
};

static bool read_lead(unsigned char lead, struct shape *ret_shape)
{
	if (lead < 0x80)
		*ret_shape = (struct shape){0, lead, 0};
	else if (lead >= 0xC2 && lead <= 0xDF)
		*ret_shape = (struct shape){1, lead & 0x1FU, 0x80};
	else if (lead >= 0xE0 && lead <= 0xEF)
		*ret_shape = (struct shape){2, lead & 0x0FU, 0x800};
	else if (lead >= 0xF0 && lead <= 0xF4)
		*ret_shape = (struct shape){3, lead & 0x07U, 0x10000};
	else
		return false;
	return true;
}

static bool is_scalar(uint32_t character)
{
	return character <= 0x10FFFF &&
	       !(character >= 0xD800 && character <= 0xDFFF);
}

/* The whole sequence at the start of `rest`; false if it is broken. */
static bool read_sequence(struct span rest, uint32_t *ret_character,
                          size_t *ret_len)
{
	struct shape shape;
	uint32_t character;

	if (!read_lead((unsigned char)rest.ptr[0], &shape) ||
	    rest.len < shape.n_more + 1)
		return false;

	character = shape.bits;
	for (unsigned i = 1; i <= shape.n_more; i++) {
		unsigned char byte = (unsigned char)rest.ptr[i];

		if ((byte & 0xC0) != 0x80)
			return false;
		character = character << 6 | (byte & 0x3FU);
	}
	*ret_character = character;
	*ret_len = shape.n_more + 1;
	return character >= shape.min && is_scalar(character);
}

uint32_t utf8_next(struct span *rest)
{
	uint32_t character = (unsigned char)*rest->ptr;
	size_t len = 1;

	if (character >= 0x80 && !read_sequence(*rest, &character, &len)) {
		character = UTF8_REPLACEMENT;
		len = 1;
	}
	*rest = span_skip(*rest, len);
	return character;
}

void utf8_add(struct buf *buf, uint32_t character)
{
	unsigned char bytes[4];
	size_t n = 0;

	if (!is_scalar(character))
		character = UTF8_REPLACEMENT;

	if (character < 0x80) {
		bytes[n++] = (unsigned char)character;
	} else if (character < 0x800) {
		bytes[n++] = (unsigned char)(0xC0 | character >> 6);
	} else if (character < 0x10000) {
		bytes[n++] = (unsigned char)(0xE0 | character >> 12);
		bytes[n++] = (unsigned char)(0x80 | (character >> 6 & 0x3F));
	} else {
		bytes[n++] = (unsigned char)(0xF0 | character >> 18);
		bytes[n++] = (unsigned char)(0x80 | (character >> 12 & 0x3F));
		bytes[n++] = (unsigned char)(0x80 | (character >> 6 & 0x3F));
	}
	if (character >= 0x80)
		bytes[n++] = (unsigned char)(0x80 | (character & 0x3F));
	buf_add(buf, bytes, n);
}

bool utf8_valid(struct span text)
{
	uint32_t character;
	size_t len;

	while (text.len > 0) {
		if (!read_sequence(text, &character, &len))
			return false;
		text = span_skip(text, len);
	}
	return true;
}

struct range {
	uint32_t first;
	uint32_t last;
};

static bool is_within(uint32_t character, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}

bool utf8_is_control(uint32_t character)
{
	static const struct range ranges[] = {
		{0x00, 0x1F},       {0x7F, 0x9F},     {0xAD, 0xAD},
		{0x061C, 0x061C},   {0x180E, 0x180E}, {0x200B, 0x200B},
		{0x200E, 0x200F},   {0x2028, 0x202E}, {0x2060, 0x206F},
		{0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},
		{0xE0000, 0xE007F},
	};

	if (character >= 0x20 && character < 0x7F)
		return false;
	return (character & 0xFFFE) == 0xFFFE ||
	       is_within(character, ranges, sizeof(ranges) / sizeof(ranges[0]));
}

bool utf8_is_blank(uint32_t character)
{
	static const struct range ranges[] = {
		{0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},
		{0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
		{0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
		{0x3000, 0x3000},
	};

	return is_within(character, ranges, sizeof(ranges) / sizeof(ranges[0]));
}
