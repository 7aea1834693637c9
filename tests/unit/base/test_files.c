#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/random.h"

static char dir[] = "/tmp/arxmail-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void replaces_a_file_whole(void **state)
{
	owned(mem) char *path = mem_printf("%s/file", dir);
	owned(buf) struct buf buf = BUF_INIT(100);
	struct error err = {0};
	struct stat info;

	(void)state;
	assert_int_equal(file_replace(path, span_of("one"), 0600, &err), 0);
	assert_int_equal(file_replace(path, span_of("two"), 0640, &err), 0);
	assert_int_equal(file_read(&buf, path, &err), 0);
	assert_string_equal(buf_str(&buf), "two");
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0640);
	assert_int_equal(unlink(path), 0);
}

static void says_which_file_and_why(void **state)
{
	owned(mem) char *missing = mem_printf("%s/missing", dir);
	owned(mem) char *expected = mem_printf(
		"%s: cannot open: No such file or directory", missing);
	owned(mem) char *inside = mem_printf("%s/no/file", dir);
	owned(buf) struct buf buf = BUF_INIT(100);
	struct error err = {0};

	(void)state;
	assert_int_equal(file_read(&buf, missing, &err), -1);
	assert_string_equal(err.message, expected);
	assert_int_equal(file_read(&buf, dir, &err), -1);
	assert_int_equal(file_replace(inside, span_of("x"), 0600, &err), -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
}

static void refuses_a_file_that_is_too_large(void **state)
{
	owned(mem) char *path = mem_printf("%s/large", dir);
	owned(buf) struct buf buf = BUF_INIT(3);
	struct error err = {0};

	(void)state;
	assert_int_equal(file_replace(path, span_of("four"), 0600, &err), 0);
	assert_int_equal(file_read(&buf, path, &err), -1);
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_int_equal(unlink(path), 0);
}

static void gives_a_lock_to_one_at_a_time(void **state)
{
	owned(mem) char *path = mem_printf("%s/lock", dir);
	owned(lock) struct lock *first = NULL;
	owned(lock) struct lock *second = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(lock_open(&first, path, &err), 0);
	assert_int_equal(lock_open(&second, path, &err), 0);
	assert_int_equal(lock_try(first, &err), LOCK_TAKEN);
	assert_int_equal(lock_try(first, &err), LOCK_TAKEN);
	assert_int_equal(lock_try(second, &err), LOCK_BUSY);
	lock_release(first);
	assert_int_equal(lock_try(second, &err), LOCK_TAKEN);
	assert_int_equal(unlink(path), 0);
}

static void takes_over_the_lock_of_a_process_that_died(void **state)
{
	owned(mem) char *path = mem_printf("%s/lock", dir);
	owned(lock) struct lock *lock = NULL;
	struct error err = {0};
	int status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct lock *theirs = NULL;

		if (lock_open(&theirs, path, &err) < 0 ||
		    lock_try(theirs, &err) != LOCK_TAKEN)
			_exit(1);
		_exit(0); /* without releasing it */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(lock_open(&lock, path, &err), 0);
	assert_int_equal(lock_try(lock, &err), LOCK_TAKEN);
	assert_int_equal(unlink(path), 0);
}

static void cuts_a_long_message_at_a_character(void **state)
{
	struct error err = {0};
	char text[700];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[699] = '\0';
	memcpy(text + 507, "\xC3\xA9", 2);
	assert_int_equal(error_set(&err, ERROR_SYNTAX, "%s", text), -1);
	assert_int_equal(strlen(err.message), 510);
	assert_string_equal(err.message + 500, "aaaaaaa...");
	assert_int_equal(error_set(&err, ERROR_LIMIT, "short"), -1);
	assert_int_equal(error_prefix(&err, "line %d", 3), -1);
	assert_string_equal(err.message, "line 3: short");
	assert_int_equal(err.kind, ERROR_LIMIT);
}

static void draws_random_numbers_below_a_bound(void **state)
{
	char hex[33];
	char other[33];

	(void)state;
	random_hex(hex, 16);
	random_hex(other, 16);
	assert_int_equal(strspn(hex, "0123456789abcdef"), 32);
	assert_string_not_equal(hex, other);
	for (int i = 0; i < 1000; i++)
		assert_true(random_below(7) < 7);
	assert_int_equal(random_below(1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces_a_file_whole),
		cmocka_unit_test(says_which_file_and_why),
		cmocka_unit_test(refuses_a_file_that_is_too_large),
		cmocka_unit_test(gives_a_lock_to_one_at_a_time),
		cmocka_unit_test(takes_over_the_lock_of_a_process_that_died),
		cmocka_unit_test(cuts_a_long_message_at_a_character),
		cmocka_unit_test(draws_random_numbers_below_a_bound),
	};

	return cmocka_run_group_tests_name("files", tests, make_dir,
	                                   remove_dir);
}
