#pragma once

/*
 * Mustache templates (github.com/mustache/spec: variables, sections, inverted
 * sections, comments, partials, delimiters), stricter than the specification:
 *
 * - A name that is not there is an error, not an empty text.
 * - Text from outside is escaped by the template's own function; the
 *   triple mustache takes only what was made as a finished piece.
 * - Partials are put in when a template is compiled, so that a missing one, a
 *   cycle and a nesting that is too deep are errors then.
 *
 * Messages begin with FILE:LINE where the template has a file.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"
#include "base/strings.h"

enum value_kind {
	VALUE_TEXT,  /* from outside: escaped; false if empty */
	VALUE_READY, /* a piece of the template's own format; false if empty */
	VALUE_LIST,
	VALUE_MAP,
};

/* What templates are filled with. A zeroed value is an empty text. */
struct value {
	enum value_kind kind;
	const char *name; /* in a map; borrowed, outlives the map */
	char *text;       /* TEXT, READY; NULL is "" */
	struct value *items;
	size_t n_items; /* LIST, MAP */
	size_t capacity;
};

#define VALUE_MAP_INIT ((struct value){.kind = VALUE_MAP})

void value_fini(struct value *value);

static inline void owned_release_value(struct value *value)
{
	value_fini(value);
}

/*
 * A new child of a map or, with a NULL name, of a list. It is the parent's
 * and stands until the next child is added.
 */
struct value *value_add(struct value *parent, const char *name,
                        enum value_kind kind);

/* Adds a text, trimmed by Unicode's blanks and control characters. */
void value_add_text(struct value *parent, const char *name, struct span text);

/* Adds a finished piece: what `piece` holds, which becomes empty. */
void value_add_ready(struct value *parent, const char *name, struct buf *piece);

/* `text` without blanks and control characters (Unicode's) at both ends. */
struct span value_trim(struct span text);

/* The map's value of this name, or NULL. */
struct value *value_find(const struct value *map, struct span name);

/* Appends `text` so that it is only text in the template's format. */
typedef void (*mustache_escape_fn)(struct buf *out, struct span text);

/* Borrowed. */
struct mustache_source {
	const char
		*file; /* for messages; NULL: they begin with what is wrong */
	struct span text;
};

struct mustache_options {
	mustache_escape_fn escape;
	/* Finds a partial (with a file); false if there is none, as if NULL. */
	bool (*partial)(void *ctx, struct span name,
	                struct mustache_source *ret_source);
	void *ctx;
};

struct mustache;

/* The template copies what it needs of `source`. ERROR_SYNTAX, ERROR_LIMIT. */
MUST_CHECK int mustache_compile(struct mustache **ret_mustache,
                                const struct mustache_source *source,
                                const struct mustache_options *options,
                                struct error *err);
void mustache_free(struct mustache *mustache);

OWNED_DEFINE(mustache, struct mustache, mustache_free);

/* Maps in which names are looked for, from the innermost outwards. */
struct mustache_scope {
	const struct value *values;
	const struct mustache_scope *outer; /* NULL: none */
};

#define MUSTACHE_SCOPES_MAX 4

/* Appends the template filled from at most MUSTACHE_SCOPES_MAX scopes. */
MUST_CHECK int mustache_render(struct buf *out, const struct mustache *mustache,
                               const struct mustache_scope *scope,
                               struct error *err);

/*
 * Appends to `problems` each use of a name that rendering with values of this
 * shape would refuse. All sections are looked into, so every list should have
 * an item.
 */
void mustache_check(const struct mustache *mustache,
                    const struct mustache_scope *scope,
                    struct strings *problems);

/*
 * Appends to `problems` each value that stands inside *emphasis*, _emphasis_
 * or `code` of a Markdown template: there the value's own characters would
 * decide what the marks around it mean.
 */
void mustache_check_markdown(const struct mustache *mustache,
                             struct strings *problems);
