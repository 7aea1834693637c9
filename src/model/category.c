#include "model/category.h"

#include <stdlib.h>

#include "base/embed.h"
#include "base/slips.h"

EMBED(categories, "etc/categories");

#define MAX_CATEGORIES 256

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

struct span category_nearest(struct span text)
{
	struct span best = SPAN_NONE;
	unsigned least = SLIPS_TOO_MANY;

	for (size_t i = 0; i < n_all; i++) {
		unsigned cost = slips_cost(text, all[i].code);

		if (cost < least) {
			least = cost;
			best = all[i].code;
		}
	}
	return best;
}
