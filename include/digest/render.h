#pragma once

/*
 * A digest and templates to what is sent: subject, HTML, text, and the
 * Markdown document. Pure but for digest_templates_load().
 *
 * Values enter a template escaped for that template's format; papers are
 * rendered alone and joined. The HTML stays under LIMIT_HTML_ENCODED_BYTES
 * after transfer encoding: full papers by rank, then lines, then "and 41
 * more".
 */

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "base/strings.h"
#include "model/digest.h"

/*
 * A built-in file by its name below templates/ ("paper.md",
 * "strings/en.conf"), or SPAN_NONE.
 */
struct span digest_builtin(const char *name);

/* The names of the built-in languages, "en" first. */
void digest_builtin_languages(struct strings *names);

/* Words of ours in one language, from a strings file (conf reads it). */
struct digest_language;

struct digest_language *digest_language_new(const char *code);
void digest_language_free(struct digest_language *language);
const char *digest_language_code(const struct digest_language *language);
/* Copies both; a key that is there already is replaced. */
void digest_language_set(struct digest_language *language, const char *key,
                         const char *value);
/* NULL if it is missing. */
const char *digest_language_get(const struct digest_language *language,
                                const char *key);
/*
 * Appends to `problems` a line for each key that the built-in English has and
 * this one lacks, that is unknown, or whose placeholders are wrong:
 * "KEY: what".
 */
void digest_language_check(const struct digest_language *language,
                           struct strings *problems);

OWNED_DEFINE(digest_language, struct digest_language, digest_language_free);

/* All templates, compiled and checked. Immutable. */
struct digest_templates;

enum digest_load {
	DIGEST_LOADED = 0,
	DIGEST_BROKEN = 1, /* `problems` says what, one line each */
};

/*
 * Loads the built-in templates, each replaced by the file of its name in
 * `dir` where there is one (`dir` may be NULL). Every problem of every file
 * is appended to `problems` as "FILE:LINE: what". Fails if `dir` cannot be
 * read.
 */
MUST_CHECK int digest_templates_load(struct digest_templates **ret_templates,
                                     const char *dir, struct strings *problems,
                                     struct error *err);
void digest_templates_free(struct digest_templates *templates);

OWNED_DEFINE(digest_templates, struct digest_templates, digest_templates_free);

/* Checks a subject template of the config. */
MUST_CHECK int digest_subject_check(const char *subject, struct error *err);

/*
 * Papers as they were rendered, for the next digest with the same paper, the
 * same marks and clauses, templates and language. Use it only while these
 * templates and languages are alive.
 */
struct digest_cache;

/*
 * An empty cache. A digest that finds more than `max_bytes` in it empties it
 * first. The caller releases it with digest_cache_free().
 */
struct digest_cache *digest_cache_new(size_t max_bytes);
void digest_cache_free(struct digest_cache *cache);

OWNED_DEFINE(digest_cache, struct digest_cache, digest_cache_free);

/* What a digest says besides its papers. Borrowed. */
struct digest_frame {
	const struct digest_templates *templates;
	const struct digest_language *language;
	struct digest_cache *cache;  /* NULL: none */
	const char *subject;         /* template; NULL: the language's */
	const char *name;            /* the subscriber's; NULL: none */
	const char *unsubscribe;     /* URL */
	const char *contact;         /* address of the admin */
	const struct strings *notes; /* sentences: what is late or missing */
	const struct topic *topics;  /* the subscriber's, for the footer */
	size_t n_topics;             /* 0: the footer says nothing of them */
	bool test;                   /* the subject begins with [test] */
	bool quoted; /* parts in quoted-printable where base64 is no shorter */
};

/*
 * A sentence for the notes: the feeds of these categories could not be read,
 * their papers come later. The caller owns it.
 */
MUST_CHECK int digest_note_late(char **ret_note,
                                const struct digest_language *language,
                                const struct strings *categories,
                                struct error *err);

struct digest_parts {
	char *subject; /* one line of display text */
	char *html;
	char *text;
	bool html_quoted; /* it is in quoted-printable already */
	bool text_quoted;
	size_t n_full;  /* papers in full */
	size_t n_lines; /* papers in one line */
	size_t n_cut;   /* matched, but only counted: by size or limits */
};

void digest_parts_fini(struct digest_parts *parts);

static inline void owned_release_digest_parts(struct digest_parts *parts)
{
	digest_parts_fini(parts);
}

/*
 * On success the caller owns the parts. Fails only for a template's fault
 * that the check at load cannot see, or ERROR_LIMIT.
 */
MUST_CHECK int digest_render(struct digest_parts *ret_parts,
                             const struct digest_frame *frame,
                             const struct digest *digest, struct error *err);

/* The Markdown document of DESIGN section 8; the caller owns it. */
MUST_CHECK int digest_render_document(char **ret_markdown,
                                      const struct digest_frame *frame,
                                      const struct digest *digest,
                                      struct error *err);

/* Appends the name and version of cmark. */
void digest_add_library(struct buf *out);
