#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static void grows_and_stays_terminated(void **state)
{
	owned(buf) struct buf buf = BUF_INIT(1000);

	(void)state;
	assert_string_equal(buf_str(&buf), "");
	for (int i = 0; i < 100; i++)
		buf_addf(&buf, "%03d,", i);
	assert_int_equal(buf.len, 400);
	assert_int_equal(buf.data[400], '\0');
	assert_memory_equal(buf.data + 396, "099,", 4);
}

static void formats_what_is_longer_than_its_small_buffer(void **state)
{
	owned(buf) struct buf buf = BUF_INIT(5000);
	char text[1001];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	buf_addf(&buf, "<%s>", text);
	assert_int_equal(buf.len, 1002);
	assert_int_equal(buf.data[1001], '>');
}

static void reports_a_passed_maximum_once_at_the_end(void **state)
{
	owned(buf) struct buf buf = BUF_INIT(4);
	struct error err = {0};
	char *text = NULL;

	(void)state;
	buf_add_str(&buf, "1234");
	assert_false(buf.failed);
	buf_add_char(&buf, '5');
	buf_add_str(&buf, "");
	assert_true(buf.failed);
	assert_int_equal(buf_finish(&buf, "the note", &text, &err), -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_string_equal(err.message, "the note is longer than 4 bytes");
	assert_null(text);
}

static void gives_its_content_away(void **state)
{
	owned(buf) struct buf buf = BUF_INIT(10);
	owned(mem) char *text = NULL;
	owned(mem) char *empty = NULL;
	struct error err = {0};

	(void)state;
	buf_add_str(&buf, "abc");
	assert_int_equal(buf_finish(&buf, "it", &text, &err), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf_finish(&buf, "it", &empty, &err), 0);
	assert_string_equal(empty, "");
}

static void is_usable_again_after_being_cleared(void **state)
{
	owned(buf) struct buf buf = BUF_INIT(3);

	(void)state;
	buf_add_str(&buf, "four");
	assert_true(buf.failed);
	buf_clear(&buf);
	buf_add_str(&buf, "abc");
	assert_false(buf.failed);
	buf_cut(&buf, 1);
	assert_string_equal(buf_str(&buf), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_stays_terminated),
		cmocka_unit_test(formats_what_is_longer_than_its_small_buffer),
		cmocka_unit_test(reports_a_passed_maximum_once_at_the_end),
		cmocka_unit_test(gives_its_content_away),
		cmocka_unit_test(is_usable_again_after_being_cleared),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
