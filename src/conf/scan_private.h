#pragma once

/* A config's text as tokens. */

#include <stdbool.h>

#include "base/span.h"

enum scan_token_kind {
	SCAN_END,
	SCAN_NAME,
	SCAN_STRING, /* with its quotes, escapes as they are */
	SCAN_NUMBER, /* or what looks like one */
	SCAN_BOOLEAN,
	SCAN_SIGN, /* one byte */
	SCAN_INCLUDE,
	SCAN_OPEN_STRING,  /* without an end */
	SCAN_OPEN_COMMENT, /* without an end */
};

struct scan_token {
	enum scan_token_kind kind;
	struct span text;
	unsigned line; /* where it begins */
};

struct scanner {
	struct span rest;
	unsigned line;
};

struct scan_token scan_next(struct scanner *scanner);

enum scan_number {
	SCAN_NUMBER_FITS, /* a float, or an integer of 32 bits */
	SCAN_NUMBER_WIDE,
	SCAN_NUMBER_NONE, /* not a number */
};

enum scan_number scan_classify_number(struct span text);
/* Of a number: has it a point or an exponent? */
bool scan_is_float(struct span text);
