#pragma once

/* A list of strings that owns them. {NULL, 0, 0} is the empty one. */

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct strings {
	char **items;
	size_t n;
	size_t capacity;
};

void strings_fini(struct strings *list);
void strings_add(struct strings *list, struct span text);
bool strings_has(const struct strings *list, const char *text);

static inline void owned_release_strings(struct strings *list)
{
	strings_fini(list);
}
