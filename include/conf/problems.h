#pragma once

/* Lines of the report while they are collected. */

#include <stdbool.h>
#include <stddef.h>

#include "base/owned.h"
#include "base/strings.h"

struct conf_place {
	const char *file; /* borrowed */
	unsigned rank;    /* of the file in the report */
	unsigned line;    /* 0: none */
};

struct conf_problem {
	struct conf_place place;
	size_t n; /* how many came before it */
	char *text;
};

struct conf_problems {
	struct conf_problem *items;
	size_t n;
	size_t capacity;
};

void conf_problems_fini(struct conf_problems *problems);

static inline void owned_release_conf_problems(struct conf_problems *problems)
{
	conf_problems_fini(problems);
}

void conf_problems_add(struct conf_problems *problems, struct conf_place place,
                       const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Appends all of them to `lines` as `FILE:LINE: text`, sorted by file and
 * line, and safe for a terminal.
 */
void conf_problems_print(struct conf_problems *problems, struct strings *lines);
