/* Every author of the real feeds in the folder $ARXMAIL_FEEDS converts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "text/text.h"

#define BEGIN "<dc:creator>"
#define END "</dc:creator>"

static void check_authors(struct span authors)
{
	owned(buf) struct buf display = BUF_INIT(SIZE_MAX);

	text_add_display(&display, authors);
	if (span_find(buf_span(&display), "\\") < display.len)
		fail_msg("%.*s", (int)authors.len, authors.ptr);
}

static size_t check_feed(struct span feed)
{
	size_t n = 0;

	for (;;) {
		size_t begin = span_find(feed, BEGIN);
		size_t len;

		if (begin == feed.len)
			return n;
		feed = span_skip(feed, begin + strlen(BEGIN));
		len = span_find(feed, END);
		check_authors(span_first(feed, len));
		n++;
	}
}

static void converts_all_accents_of_the_real_feeds(void **state)
{
	const char *folder = getenv("ARXMAIL_FEEDS");
	struct dirent **entries;
	int n_entries;
	size_t n = 0;

	(void)state;
	if (!folder) {
		print_message("ARXMAIL_FEEDS is not set\n");
		skip();
	}
	n_entries = scandir(folder, &entries, NULL, alphasort);
	assert_true(n_entries > 0);
	for (int i = 0; i < n_entries; i++) {
		owned(mem) struct dirent *entry = entries[i];
		owned(mem) char *path =
			mem_printf("%s/%s", folder, entry->d_name);
		owned(buf) struct buf feed = BUF_INIT(LIMIT_FEED_BYTES);
		struct error err = {0};

		if (!span_ends(span_of(path), ".xml"))
			continue;
		assert_int_equal(file_read(&feed, path, &err), 0);
		n += check_feed(buf_span(&feed));
	}
	free(entries);
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts_all_accents_of_the_real_feeds),
	};

	return cmocka_run_group_tests_name("text feeds", tests, NULL, NULL);
}
