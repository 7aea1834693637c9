#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/quoted.h"

#define X25 "xxxxxxxxxxxxxxxxxxxxxxxxx"
#define X75 X25 X25 X25

static void encodes_text(void **state)
{
	static const struct {
		const char *text;
		const char *quoted;
	} cases[] = {
		{"", ""},
		{"\n", "\r\n"},
		{"plain", "plain\r\n"},
		{"a=b\n", "a=3Db\r\n"},
		{"blank \nand tab\t\r\nlast ",
	         "blank=20\r\nand tab=09\r\nlast=20\r\n"},
		{"  in  front\n \n", "  in  front\r\n=20\r\n"},
		{"ü\x01\x7f~", "=C3=BC=01=7F~\r\n"},
		{"\xff\xc3", "=EF=BF=BD=EF=BF=BD\r\n"},
		{"\xef\xbf\xbd", "=EF=BF=BD\r\n"},
		{"a\rb\r\rc", "a\r\nb\r\n\r\nc\r\n"},
		{".\n..\nFrom me", ".\r\n..\r\nFrom me\r\n"},
		{X75, X75 "\r\n"},
		{X75 "y", X75 "=\r\ny\r\n"},
		{X75 " ", X75 "=\r\n=20\r\n"},
		{X25 X25 X25 "=", X75 "=\r\n=3D\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(buf) struct buf out = BUF_INIT(1000);

		buf_add_quoted(&out, span_of(cases[i].text));
		assert_string_equal(buf_str(&out), cases[i].quoted);
	}
}

/* Lines of random length made of what is hard, always the same. */
static void add_random(struct buf *out, uint32_t *seed)
{
	static const char *const pieces[] = {
		" ",
		"\t",
		"=",
		"word",
		"ü",
		"语",
		"\xf0\x9f\x98\x80",
		"a.b",
		"--",
		"\x01",
		X25,
		"<p class=\"x\">",
		"  ",
	};
	size_t n = sizeof(pieces) / sizeof(*pieces);

	for (size_t i = 0; i < 40; i++) {
		*seed = *seed * 1664525U + 1013904223U;
		buf_add_str(out, (*seed >> 8) % 9 == 0
		                         ? "\n"
		                         : pieces[(*seed >> 16) % n]);
	}
	buf_add_char(out, '\n');
}

static unsigned char read_hex(const char *digits)
{
	static const char all[] = "0123456789ABCDEF";
	const char *high = strchr(all, digits[0]);
	const char *low = strchr(all, digits[1]);

	assert_true(digits[0] && high && digits[1] && low);
	return (unsigned char)((high - all) << 4 | (low - all));
}

/* As a reader does it, with lines checked. */
static void decode(struct buf *out, struct span quoted)
{
	size_t column = 0;

	while (quoted.len > 0) {
		if (span_starts(quoted, "\r\n")) {
			assert_true(column <= 76);
			buf_add_char(out, '\n');
			column = 0;
			quoted = span_skip(quoted, 2);
		} else if (span_starts(quoted, "=\r\n")) {
			assert_true(column <= 75);
			column = 0;
			quoted = span_skip(quoted, 3);
		} else if (*quoted.ptr == '=') {
			buf_add_char(out, (char)read_hex(quoted.ptr + 1));
			column += 3;
			quoted = span_skip(quoted, 3);
		} else {
			assert_true(*quoted.ptr >= ' ' || *quoted.ptr == '\t');
			assert_true(!span_starts(quoted, " \r\n") &&
			            !span_starts(quoted, "\t\r\n"));
			buf_add_char(out, *quoted.ptr);
			column++;
			quoted = span_skip(quoted, 1);
		}
	}
}

static void is_decoded_to_the_same_and_can_be_joined(void **state)
{
	uint32_t seed = 20261122;
	owned(buf) struct buf joined = BUF_INIT(SIZE_MAX / 2);
	owned(buf) struct buf all = BUF_INIT(SIZE_MAX / 2);
	owned(buf) struct buf whole = BUF_INIT(SIZE_MAX / 2);
	owned(buf) struct buf decoded = BUF_INIT(SIZE_MAX / 2);

	(void)state;
	for (int i = 0; i < 500; i++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX / 2);

		add_random(&text, &seed);
		buf_add_quoted(&joined, buf_span(&text));
		buf_add_span(&all, buf_span(&text));
	}
	buf_add_quoted(&whole, buf_span(&all));
	assert_string_equal(buf_str(&joined), buf_str(&whole));
	decode(&decoded, buf_span(&whole));
	assert_string_equal(buf_str(&decoded), buf_str(&all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_text),
		cmocka_unit_test(is_decoded_to_the_same_and_can_be_joined),
	};

	return cmocka_run_group_tests_name("quoted", tests, NULL, NULL);
}
