#pragma once

/*
 * arXiv's categories (arxiv.org/category_taxonomy), read from etc/categories,
 * which is built into the program: one home for the list.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Categories have a name in English; archives ("cs") have one, too. */
struct category {
	struct span code; /* cs.CL, hep-th */
	struct span name; /* Computation and Language */
};

/* All categories, in the list's order; *ret_n of them. */
const struct category *category_all(size_t *ret_n);

/* The category with this code, or NULL. Case matters. */
const struct category *category_find(struct span code);

/*
 * Is it what a subscriber may name: a category ("cs.CL", "hep-th"), an
 * archive ("stat": the archive's own feed) or all parts of an archive
 * ("math.*": the feed of each)?
 */
bool category_pattern_valid(struct span pattern);

/* "cs.*" matches every cs.XX; anything else only itself. */
bool category_matches(struct span pattern, struct span code);

/*
 * The category code or pattern that `text` was probably meant to be
 * (base/slips.h), or SPAN_NONE.
 */
struct span category_nearest(struct span text);
