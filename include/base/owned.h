#pragma once

/*
 * Ownership of locals.
 *
 *         owned(fd) int fd = -1;
 *         owned(store) struct store *store = NULL;
 *
 * says where a thing is declared that this scope releases it, on every path
 * out. Ownership leaves the scope only through take_ptr().
 */

#include <stdlib.h>
#include <unistd.h>

#define owned(kind) __attribute__((cleanup(owned_release_##kind)))

/* Makes owned(kind) available for `type *`, released with release(ptr). */
#define OWNED_DEFINE(kind, type, release)                 \
	static inline void owned_release_##kind(type **p) \
	{                                                 \
		if (*p)                                   \
			release(*p);                      \
	}                                                 \
	_Static_assert(sizeof(type *), "owned " #kind)

static inline void owned_release_mem(void *p)
{
	free(*(void **)p);
}

static inline void owned_release_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* The value of `p`, which becomes NULL: the thing has a new owner. */
#define take_ptr(p)                       \
	__extension__({                   \
		__auto_type taken_ = (p); \
		(p) = NULL;               \
		taken_;                   \
	})
