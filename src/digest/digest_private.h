#pragma once

/* Shared inside src/digest: words, values, templates. */

#include <stdint.h>

#include "digest/mustache.h"
#include "digest/render.h"
#include "digest/style.h"

/* ---- plural.c ---- */

/* A way to tell numbers, named after a language that has it. */
struct plural_rule {
	const char *name;
	const char *forms; /* with blanks between them: "one other" */
	const char *(*find)(uint64_t n);
};

/* NULL: there is none of this name. */
const struct plural_rule *plural_find(const char *name);
bool plural_has(const struct plural_rule *rule, const char *form);
/* Appends the names of all. */
void plural_add_names(struct buf *out);

/* ---- language.c ---- */

/* The form for `n` things: "one", "other". */
const char *language_form(const struct digest_language *language, uint64_t n);

/* The strings without variables, which every template may use. */
const struct value *language_labels(const struct digest_language *language);

/* The string `key`; a missing one is an error. */
MUST_CHECK int language_add(struct buf *out,
                            const struct digest_language *language,
                            const char *key, const struct value *values,
                            struct error *err);

/* The same for a subject template of the config. */
MUST_CHECK int language_add_subject(struct buf *out, const char *subject,
                                    const struct value *values,
                                    struct error *err);

/* A language whose strings are all "x", to check templates with. */
struct digest_language *language_sample(void);

/* ---- templates.c ---- */

enum template_id {
	TEMPLATE_DIGEST_MD,
	TEMPLATE_PAPER_MD,
	TEMPLATE_LINE_MD,
	TEMPLATE_DIGEST_TXT,
	TEMPLATE_PAPER_TXT,
	TEMPLATE_LINE_TXT,
	TEMPLATE_DOCUMENT_MD,
	TEMPLATE_LAYOUT_HTML,
	TEMPLATES, /* how many there are */
};

struct digest_templates {
	struct mustache *items[TEMPLATES];
	bool needs_frame[TEMPLATES]; /* a paper's that uses the digest's names
	                              */
	struct style *style;
};

/* ---- values.c: parts of values ---- */

/* Plain text: control characters as blanks. */
void values_escape_text(struct buf *out, struct span text);

/* A string of the language as it is written. */
struct span values_label(const struct digest_language *language,
                         const char *key);

void values_add_number(struct value *map, const char *name, uint64_t number);

/* Adds the string `key`, filled from the map itself, as `name`. */
MUST_CHECK int values_add_string(struct value *map, const char *name,
                                 const char *key,
                                 const struct digest_language *language,
                                 struct error *err);

/* The key's form for `count` (papers_one, papers_other), named as the key. */
MUST_CHECK int values_add_plural(struct value *map, const char *key,
                                 uint64_t count,
                                 const struct digest_language *language,
                                 struct error *err);

/* A day's parts and `date`. */
MUST_CHECK int values_add_date(struct value *map,
                               const struct digest_language *language,
                               int32_t day, struct error *err);

/* Adds the list's items from `first` on with commas between them. */
void values_add_joined(struct value *map, const char *name,
                       const struct strings *list, size_t first);

/* Appends the language's separator if something stands before it. */
void values_separate(struct buf *out, const struct digest_language *language);

/* ---- values_paper.c ---- */

enum values_format {
	VALUES_PLAIN,    /* text, document: without marks */
	VALUES_MARKDOWN, /* with marks as finished Markdown */
};

MUST_CHECK int values_add_paper(struct value *map,
                                const struct digest_frame *frame,
                                const struct digest_entry *entry,
                                enum values_format format, struct error *err);

/* ---- values_frame.c ---- */

/* Names of the digest as a whole, which subject and strings use, too. */
MUST_CHECK int values_add_frame(struct value *map,
                                const struct digest_frame *frame,
                                const struct digest *digest, struct error *err);

/* `filter`: the reader's filter in words; empty if frame->topics is. */
MUST_CHECK int values_add_filter(struct value *map,
                                 const struct digest_frame *frame,
                                 struct error *err);

/* Papers that matched, shown or not. */
size_t values_matched(const struct digest *digest);

/* The entry's section: its topic, or the number of topics for updates. */
size_t values_section(const struct digest *digest, size_t entry);

/* What goes into the frame, finished. */
struct pieces {
	struct buf *sections; /* papers in full: each topic's, the updates */
	size_t n_sections;
	struct buf lines;
	size_t n_lines;
	size_t n_cut;
};

void pieces_init(struct pieces *pieces, const struct digest *digest);
void pieces_fini(struct pieces *pieces);

static inline void owned_release_pieces(struct pieces *pieces)
{
	pieces_fini(pieces);
}

/* Names of the frame alone. Takes the buffers of `pieces`. */
MUST_CHECK int values_add_pieces(struct value *map,
                                 const struct digest_frame *frame,
                                 const struct digest *digest,
                                 struct pieces *pieces, struct error *err);

MUST_CHECK int values_add_document(struct value *map,
                                   const struct digest_frame *frame,
                                   const struct digest *digest,
                                   struct error *err);

/* Takes what `content` holds. */
void values_add_layout(struct value *map, const struct digest_frame *frame,
                       const char *title, struct buf *content);

/* ---- cache.c ---- */

/* What bytes become in transfer; sums of parts are those of the whole. */
struct cost {
	size_t quoted; /* quoted-printable */
	size_t bytes;  /* with CRLF, which is what base64 encodes */
};

enum fragment_kind {
	FRAGMENT_HTML_FULL,
	FRAGMENT_HTML_LINE,
	FRAGMENT_TEXT_FULL,
	FRAGMENT_TEXT_LINE,
	FRAGMENTS, /* how many there are */
};

/* A paper in one form; NULL until it is made. */
struct fragment {
	char *text;
	char *quoted; /* as base/quoted.h has it */
	size_t len;
	struct cost cost;
};

/* A paper with its marks in all forms that were asked for. */
struct cached;

/* Empties the cache if it is over its limit; nothing of it may be in use. */
void cache_begin(struct digest_cache *cache);

/* The one of this entry; stands until cache_begin() or the cache's end. */
struct cached *cache_find(struct digest_cache *cache,
                          const struct digest_frame *frame,
                          const struct digest_entry *entry);

/* What the text costs if `quoted` is it in quoted-printable. */
struct cost cache_cost(struct span text, struct span quoted);

/* The shorter of quoted-printable and base64. */
size_t cache_encoded_len(struct cost cost);

/* NULL if it was not made. */
const struct fragment *cache_fragment(const struct cached *cached,
                                      enum fragment_kind kind);
/* Keeps copies. */
const struct fragment *cache_keep(struct digest_cache *cache,
                                  struct cached *cached,
                                  enum fragment_kind kind, struct span text);

/* ---- html.c ---- */

/* Which papers are shown, and how. */
enum shown {
	SHOWN_NOT,
	SHOWN_LINE,
	SHOWN_FULL,
};

struct choice {
	size_t *ranking;   /* numbers of entries, the best first */
	enum shown *shown; /* for each entry */
	size_t n_full;
	size_t n_lines;
	size_t n_cut;
};

void choice_init(struct choice *choice, const struct digest *digest);
void choice_fini(struct choice *choice);

static inline void owned_release_choice(struct choice *choice)
{
	choice_fini(choice);
}

/* One digest on its way; borrowed. */
struct rendering {
	const struct digest_frame *frame;
	const struct digest *digest;
	const struct mustache_scope *scope; /* values_add_frame() and labels */
	const char *title;
	struct digest_cache *cache;
	struct cached **cached; /* for each entry */
	struct choice *choice;
};

/* Makes the choice and parts->html. */
MUST_CHECK int html_render(struct digest_parts *parts,
                           const struct rendering *rendering,
                           struct error *err);

/* ---- plain.c ---- */

/* Makes parts->text of what was chosen. */
MUST_CHECK int plain_render(struct digest_parts *parts,
                            const struct rendering *rendering,
                            struct error *err);

/* ---- fragment.c ---- */

/* The entry's fragment, from the cache or made and kept there. */
MUST_CHECK int fragment_make(const struct fragment **ret_fragment,
                             const struct rendering *rendering, size_t entry,
                             enum fragment_kind kind, struct error *err);

/* Markdown of the template as HTML without styles; the caller owns it. */
MUST_CHECK int fragment_html(char **ret_html, const struct mustache *template,
                             const struct mustache_scope *scope,
                             struct error *err);

/* Lines longer than the text part's are wrapped with their indentation. */
void fragment_add_wrapped(struct buf *out, struct span text);

/* ---- places.c ---- */

/* Puts a mark for the papers wherever the choice has some. */
void places_fill(struct pieces *pieces, const struct rendering *rendering);

/* How marks are replaced by fragments, all of which are there. */
struct joint {
	const struct rendering *rendering;
	const struct buf *frame;
	const char *what; /* it is, for errors */
	const char *separator;
	enum fragment_kind full;
	enum fragment_kind line;
};

/*
 * The frame with the papers in their places: in quoted-printable if that is
 * wanted and no longer than base64. The caller owns *ret_text.
 */
MUST_CHECK int places_join(char **ret_text, bool *ret_quoted,
                           const struct joint *joint, struct error *err);
