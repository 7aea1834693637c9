#include "digest/render.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "text/text.h"

#include "digest_private.h"

/* Longer subjects are cut off by every mail program. */
#define SUBJECT_CHARS 200
#define ELLIPSIS "…"

void digest_parts_fini(struct digest_parts *parts)
{
	free(parts->subject);
	free(parts->html);
	free(parts->text);
	*parts = (struct digest_parts){0};
}

/* ---- the choice of papers ---- */

static int compare_rank(const void *a, const void *b, void *ctx)
{
	const struct digest_entry *entries = ctx;
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;

	if (entries[left].score > entries[right].score)
		return -1;
	if (entries[left].score < entries[right].score)
		return 1;
	return left < right ? -1 : left > right;
}

void choice_init(struct choice *choice, const struct digest *digest)
{
	size_t n = digest->n_entries;

	*choice = (struct choice){
		.ranking = mem_array(n, sizeof(*choice->ranking)),
		.shown = mem_array(n, sizeof(*choice->shown)),
	};
	for (size_t i = 0; i < n; i++)
		choice->ranking[i] = i;
	qsort_r(choice->ranking, n, sizeof(*choice->ranking), compare_rank,
	        digest->entries);
}

void choice_fini(struct choice *choice)
{
	free(choice->ranking);
	free(choice->shown);
}

/* ---- the subject ---- */

/* `text` on one line, cut at a word where it is too long. */
static void add_subject_line(struct buf *out, struct span text)
{
	owned(buf) struct buf line = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	size_t chars = SUBJECT_CHARS;
	struct span cut;

	values_escape_text(&line, text);
	text = value_trim(buf_span(&line));
	cut = text_cut(text, chars);
	/* A character can be followed by any number of accents. */
	while (out->len + cut.len + strlen(ELLIPSIS) > LIMIT_SUBJECT_BYTES)
		cut = text_cut(text, chars /= 2);
	buf_add_span(out, value_trim(cut));
	if (cut.len < text.len)
		buf_add_str(out, ELLIPSIS);
}

static int render_subject(char **ret_subject, const struct digest_frame *frame,
                          const struct value *values, struct error *err)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(buf) struct buf subject = BUF_INIT(LIMIT_SUBJECT_BYTES);
	int outcome = frame->subject
	                      ? language_add_subject(&text, frame->subject,
	                                             values, err)
	                      : language_add(&text, frame->language, "subject",
	                                     values, err);

	if (outcome < 0)
		return -1;
	buf_add_str(&subject, frame->test ? "[test] " : "");
	add_subject_line(&subject, buf_span(&text));
	return buf_finish(&subject, "the subject", ret_subject, err);
}

/* ---- all of it ---- */

static void find_papers(struct rendering *rendering)
{
	const struct digest *digest = rendering->digest;

	cache_begin(rendering->cache);
	for (size_t i = 0; i < digest->n_entries; i++)
		rendering->cached[i] =
			cache_find(rendering->cache, rendering->frame,
		                   &digest->entries[i]);
}

static int render_parts(struct digest_parts *parts, struct rendering *rendering,
                        struct error *err)
{
	if (render_subject(&parts->subject, rendering->frame,
	                   rendering->scope->values, err) < 0)
		return -1;
	rendering->title = parts->subject;
	if (html_render(parts, rendering, err) < 0)
		return -1;
	return plain_render(parts, rendering, err);
}

int digest_render(struct digest_parts *ret_parts,
                  const struct digest_frame *frame, const struct digest *digest,
                  struct error *err)
{
	owned(digest_parts) struct digest_parts parts = {0};
	owned(digest_cache) struct digest_cache *own =
		frame->cache ? NULL : digest_cache_new(0);
	owned(mem) struct cached **cached =
		mem_array(digest->n_entries, sizeof(struct cached *));
	owned(value) struct value values = VALUE_MAP_INIT;
	owned(choice) struct choice choice;
	const struct mustache_scope labels = {
		.values = language_labels(frame->language)};
	const struct mustache_scope scope = {&values, &labels};
	struct rendering rendering = {
		.frame = frame,
		.digest = digest,
		.scope = &scope,
		.cache = own ? own : frame->cache,
		.cached = cached,
		.choice = &choice,
	};

	choice_init(&choice, digest);
	if (values_add_frame(&values, frame, digest, err) < 0)
		return -1;
	find_papers(&rendering);
	if (render_parts(&parts, &rendering, err) < 0)
		return -1;

	parts.n_full = choice.n_full;
	parts.n_lines = choice.n_lines;
	parts.n_cut = choice.n_cut;
	*ret_parts = parts;
	parts = (struct digest_parts){0};
	return 0;
}

int digest_render_document(char **ret_markdown,
                           const struct digest_frame *frame,
                           const struct digest *digest, struct error *err)
{
	owned(value) struct value values = VALUE_MAP_INIT;
	owned(value) struct value papers = VALUE_MAP_INIT;
	owned(buf) struct buf out = BUF_INIT(LIMIT_MESSAGE_BYTES);
	const struct mustache_scope labels = {
		.values = language_labels(frame->language)};
	const struct mustache_scope middle = {&values, &labels};
	const struct mustache_scope scope = {&papers, &middle};

	if (values_add_frame(&values, frame, digest, err) < 0 ||
	    values_add_document(&papers, frame, digest, err) < 0 ||
	    mustache_render(&out, frame->templates->items[TEMPLATE_DOCUMENT_MD],
	                    &scope, err) < 0)
		return -1;
	return buf_finish(&out, "the document", ret_markdown, err);
}
