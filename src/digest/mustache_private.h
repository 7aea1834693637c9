#pragma once

/* A compiled template, shared by its compiler, its renderer and its checks. */

#include <stddef.h>

#include "digest/mustache.h"

enum token_type {
	TOKEN_TEXT,
	TOKEN_VALUE,    /* {{x}} */
	TOKEN_READY,    /* {{{x}}}, {{&x}} */
	TOKEN_SECTION,  /* {{#x}} */
	TOKEN_INVERTED, /* {{^x}} */
};

struct token {
	enum token_type type;
	unsigned line;
	size_t file;      /* number in the template's files */
	struct span text; /* the text, or the name */
	size_t end;       /* sections: the token after the last inside */
};

struct mustache {
	struct token *tokens;
	size_t n_tokens;
	size_t capacity;
	struct strings texts; /* what the tokens' spans point into */
	struct strings files; /* "" where there is none */
	size_t n_bytes;       /* of all texts */
	mustache_escape_fn escape;
};

/* "FILE:LINE: what" in *err; without a file only what. Returns -1. */
int mustache_fail(const struct mustache *mustache, size_t file, unsigned line,
                  struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
