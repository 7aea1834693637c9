#pragma once

/*
 * The store's troubles: what is wrong with the service since when, and whether
 * the admin was told. A row comes with a trouble and goes when its end is told.
 */

#include "base/error.h"
#include "store/store.h"

struct store_ill {
	char *subject; /* "feed cs.CL", "relay" */
	int64_t since; /* Unix seconds */
	char *words;
	bool is_told;
};

struct store_ills {
	struct store_ill *items;
	size_t n;
	size_t capacity;
};

void store_ills_fini(struct store_ills *list);

static inline void owned_release_store_ills(struct store_ills *list)
{
	store_ills_fini(list);
}

/* All of them, by subject. */
MUST_CHECK int store_list_ills(struct store *store, struct store_ills *ret_list,
                               struct error *err);

/* Adds or replaces it. */
MUST_CHECK int store_set_ill(struct store *store, const struct store_ill *ill,
                             struct error *err);
MUST_CHECK int store_remove_ill(struct store *store, const char *subject,
                                struct error *err);

/*
 * Was anybody's digest of this local day or a later one sent? STORE_FOUND or
 * STORE_MISSING; STORE_FOUND also if nothing is known of days before it.
 */
MUST_CHECK int store_find_sent_since(struct store *store, int32_t day,
                                     struct error *err);
