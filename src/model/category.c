#include "model/category.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/embed.h"
#include "base/mem.h"

EMBED(categories, "etc/categories");

#define MAX_CATEGORIES 256
#define MAX_CODE 32
#define MAX_SLIPS 2

/* Filled before main(), so that it is constant for everybody after it. */
static struct category all[MAX_CATEGORIES];
static size_t n_all;

static void __attribute__((constructor)) read_list(void)
{
	struct span rest = EMBEDDED(categories);
	struct span line;

	while (span_split(&rest, '\n', &line)) {
		struct category *category = &all[n_all];

		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (n_all == MAX_CATEGORIES ||
		    !span_split(&line, '\t', &category->code))
			abort();
		category->name = line;
		n_all++;
	}
}

const struct category *category_all(size_t *ret_n)
{
	*ret_n = n_all;
	return all;
}

const struct category *category_find(struct span code)
{
	for (size_t i = 0; i < n_all; i++)
		if (span_equal(all[i].code, code))
			return &all[i];
	return NULL;
}

/* The "cs" of "cs.*"; false if `pattern` is no such thing. */
static bool read_archive(struct span pattern, struct span *ret_archive)
{
	if (!span_ends(pattern, ".*"))
		return false;
	*ret_archive = span_first(pattern, pattern.len - 2);
	return true;
}

bool category_matches(struct span pattern, struct span code)
{
	struct span archive;

	if (!read_archive(pattern, &archive))
		return span_equal(pattern, code);
	return code.len > archive.len + 1 && code.ptr[archive.len] == '.' &&
	       span_equal(span_first(code, archive.len), archive);
}

bool category_pattern_valid(struct span pattern)
{
	if (category_find(pattern))
		return true;
	for (size_t i = 0; i < n_all; i++)
		if (category_matches(pattern, all[i].code))
			return true;
	return false;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, letters' case ignored; both at most MAX_CODE. */
static size_t count_slips(struct span a, struct span b)
{
	size_t row[MAX_CODE + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t same = tolower((unsigned char)a.ptr[i - 1]) ==
			              tolower((unsigned char)b.ptr[j - 1]);
			size_t next = min3(row[j] + 1, row[j - 1] + 1,
			                   diagonal + !same);

			diagonal = row[j];
			row[j] = next;
		}
	}
	return row[b.len];
}

struct span category_nearest(struct span text)
{
	struct span best = SPAN_NONE;
	size_t least = MAX_SLIPS + 1;

	if (text.len > MAX_CODE)
		return SPAN_NONE;
	for (size_t i = 0; i < n_all; i++) {
		size_t n = count_slips(text, all[i].code);

		if (n < least && n < all[i].code.len) {
			least = n;
			best = all[i].code;
		}
	}
	return best;
}
