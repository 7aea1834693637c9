#pragma once

/*
 * A look at a config's text before libconfig reads it. libconfig 1.5 joins
 * adjacent strings, wraps integers, drops \x00, follows @include and says
 * "syntax error" about everything else; and the line that it gives to an
 * array's last element is that of the bracket behind it. Pure.
 */

#include <stdbool.h>

#include "base/span.h"
#include "conf/problems.h"

struct conf_value {
	unsigned line;
	bool bad; /* reported: what libconfig makes of it means nothing */
};

/* All values of a text, groups and lists too, in the order they begin. */
struct conf_values {
	struct conf_value *items;
	size_t n;
	size_t capacity;
};

void conf_values_fini(struct conf_values *values);

static inline void owned_release_conf_values(struct conf_values *values)
{
	conf_values_fini(values);
}

enum conf_scan_outcome {
	CONF_SCAN_READABLE = 0, /* perhaps with problems */
	CONF_SCAN_BROKEN = 1,   /* libconfig must not or cannot read it */
};

/* `file.line` is not looked at. */
enum conf_scan_outcome conf_scan(struct span text, struct conf_place file,
                                 struct conf_values *values,
                                 struct conf_problems *problems);
