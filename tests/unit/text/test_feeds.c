/*
 * The real feeds in the folder $ARXMAIL_FEEDS: every author converts, and so do
 * nearly all of TeX's commands in titles and abstracts.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/strings.h"
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

/* What check_all() has seen of TeX's commands, each once. */
struct commands {
	struct strings seen;
	struct strings left; /* of those: not understood */
};

/*
 * Macros of the authors, which no feed defines. \\https, \\naive and \\texit
 * are slips of theirs.
 */
static const char *const own_macros[] = {
	"\\F",      "\\MoviePuzzle", "\\SPOIL",  "\\b",     "\\bigol",
	"\\cF",     "\\dataset",     "\\dpa",    "\\https", "\\ipg",
	"\\method", "\\methodname",  "\\naive",  "\\ours",  "\\rt",
	"\\sk",     "\\texit",       "\\weight", "\\wt",
};

static bool is_own_macro(struct span name)
{
	for (size_t i = 0; i < sizeof(own_macros) / sizeof(*own_macros); i++)
		if (span_is(name, own_macros[i]))
			return true;
	return false;
}

static bool has(const struct strings *strings, struct span item)
{
	for (size_t i = 0; i < strings->n; i++)
		if (span_is(item, strings->items[i]))
			return true;
	return false;
}

/* The next command in *rest with its backslash; false at the end. */
static bool next_command(struct span *rest, struct span *ret_name)
{
	size_t n = 1;

	*rest = span_skip(*rest, span_find(*rest, "\\"));
	if (rest->len < 2)
		return false;
	while (n < rest->len && isalpha((unsigned char)rest->ptr[n]))
		n++;
	*ret_name = span_first(*rest, n > 1 ? n : 2);
	*rest = span_skip(*rest, ret_name->len);
	return true;
}

static bool converts(const char *before, struct span name, const char *after)
{
	owned(mem) char *raw =
		mem_printf("%s%.*s%s", before, (int)name.len, name.ptr, after);
	owned(buf) struct buf display = BUF_INIT(SIZE_MAX);

	text_add_display(&display, span_of(raw));
	return span_find(buf_span(&display), "\\") == display.len;
}

/* As it may stand: in a formula or not, with what it asks for. */
static bool is_understood(struct span name)
{
	static const struct {
		const char *before;
		const char *after;
	} places[] = {
		{"$x", "$"},       {"$", "{x}$"},  {"$", "{x}{y}$"},
		{"$", "{x2014}$"}, {"$x", "2mu$"}, {"", "{x}"},
		{"", "x"},         {"{", "}"},     {"", "x\\)"},
		{"\\(x", ""},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (converts(places[i].before, name, places[i].after))
			return true;
	return false;
}

static void check_commands(struct commands *commands, struct span text)
{
	struct span name;

	while (next_command(&text, &name)) {
		if (has(&commands->seen, name))
			continue;
		strings_add(&commands->seen, name);
		if (!is_understood(name))
			strings_add(&commands->left, name);
	}
}

struct counts {
	size_t n_authors; /* lists of them */
	struct commands commands;
};

static void check_file(const char *path, struct counts *counts)
{
	owned(buf) struct buf feed = BUF_INIT(LIMIT_FEED_BYTES);
	struct error err = {0};

	if (!span_ends(span_of(path), ".xml"))
		return;
	assert_int_equal(file_read(&feed, path, &err), 0);
	counts->n_authors += check_feed(buf_span(&feed));
	check_commands(&counts->commands, buf_span(&feed));
}

static void check_all(struct counts *counts)
{
	const char *folder = getenv("ARXMAIL_FEEDS");
	struct dirent **entries;
	int n_entries;

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

		check_file(path, counts);
	}
	free(entries);
}

static void converts_all_accents_and_nearly_all_commands(void **state)
{
	struct counts counts = {0};
	struct commands *commands = &counts.commands;
	size_t n_own = 0;

	(void)state;
	check_all(&counts);
	for (size_t i = 0; i < commands->left.n; i++) {
		bool own = is_own_macro(span_of(commands->left.items[i]));

		n_own += own ? 1 : 0;
		print_message("not understood: %s%s\n", commands->left.items[i],
		              own ? " (the authors' own)" : "");
	}
	print_message(
		"%zu distinct commands, %zu of them the authors' own "
		"and not understood, %zu others not understood\n",
		commands->seen.n, n_own, commands->left.n - n_own);
	assert_true(counts.n_authors > 0);
	/* 97 % of those that TeX has. */
	assert_true((commands->left.n - n_own) * 100 <=
	            (commands->seen.n - n_own) * 3);
	strings_fini(&commands->seen);
	strings_fini(&commands->left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts_all_accents_and_nearly_all_commands),
	};

	return cmocka_run_group_tests_name("text feeds", tests, NULL, NULL);
}
