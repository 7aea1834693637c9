#include "digest/render.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "text/text.h"

#include "digest_private.h"

#define TEXT_COLUMNS 72
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

/* ---- the text part ---- */

static int add_paper_text(struct buf *out, enum template_id id,
                          const struct html_input *input,
                          const struct digest_entry *entry, struct error *err)
{
	owned(value) struct value paper = VALUE_MAP_INIT;
	const struct mustache_scope scope = {&paper, input->scope};

	if (out->len > 0)
		buf_add_char(out, '\n');
	if (values_add_paper(&paper, input->frame, entry, VALUES_PLAIN, err) <
	    0)
		return -1;
	return mustache_render(out, input->frame->templates->items[id], &scope,
	                       err);
}

static int fill_sections(struct pieces *pieces, const struct html_input *input,
                         const struct choice *choice, struct error *err)
{
	const struct digest *digest = input->digest;

	for (size_t i = 0; i < digest->n_entries; i++) {
		const struct digest_entry *entry = &digest->entries[i];

		if (choice->shown[i] == SHOWN_FULL &&
		    add_paper_text(&pieces->sections[entry->topic],
		                   TEMPLATE_PAPER_TXT, input, entry, err) < 0)
			return -1;
	}
	return 0;
}

static int fill_lines(struct pieces *pieces, const struct html_input *input,
                      const struct choice *choice, struct error *err)
{
	const struct digest *digest = input->digest;

	pieces->n_lines = choice->n_lines;
	pieces->n_cut = choice->n_cut;
	for (size_t i = 0; i < choice->n_lines; i++) {
		size_t n = choice->ranking[choice->n_full + i];

		if (add_paper_text(&pieces->lines, TEMPLATE_LINE_TXT, input,
		                   &digest->entries[n], err) < 0)
			return -1;
	}
	return 0;
}

/* A line that is too long goes on with the same indentation. */
static void add_wrapped_line(struct buf *out, struct span line)
{
	size_t blanks = 0;

	if (text_width(line) <= TEXT_COLUMNS) {
		buf_add_span(out, line);
		return;
	}
	while (blanks < line.len && line.ptr[blanks] == ' ')
		blanks++;

	owned(mem) char *indent = mem_dup_span(span_first(line, blanks));

	text_add_wrapped(out, span_skip(line, blanks), TEXT_COLUMNS, indent);
}

static void add_wrapped(struct buf *out, struct span text)
{
	while (text.len > 0) {
		struct span line = span_first(text, span_find(text, "\n"));

		add_wrapped_line(out, line);
		text = span_skip(text, line.len);
		if (text.len > 0) {
			buf_add_char(out, '\n');
			text = span_skip(text, 1);
		}
	}
}

static int render_text(char **ret_text, const struct html_input *input,
                       const struct choice *choice, struct error *err)
{
	const struct digest_templates *templates = input->frame->templates;
	owned(pieces) struct pieces pieces;
	owned(value) struct value values = VALUE_MAP_INIT;
	owned(buf) struct buf text = BUF_INIT(LIMIT_MESSAGE_BYTES);
	owned(buf) struct buf wrapped = BUF_INIT(LIMIT_MESSAGE_BYTES);
	const struct mustache_scope scope = {&values, input->scope};

	pieces_init(&pieces, input->digest);
	if (fill_sections(&pieces, input, choice, err) < 0 ||
	    fill_lines(&pieces, input, choice, err) < 0 ||
	    values_add_pieces(&values, input->frame, input->digest, &pieces,
	                      err) < 0 ||
	    mustache_render(&text, templates->items[TEMPLATE_DIGEST_TXT],
	                    &scope, err) < 0)
		return -1;
	add_wrapped(&wrapped, buf_span(&text));
	wrapped.failed |= text.failed;
	return buf_finish(&wrapped, "the text", ret_text, err);
}

/* ---- all of it ---- */

int digest_render(struct digest_parts *ret_parts,
                  const struct digest_frame *frame, const struct digest *digest,
                  struct error *err)
{
	owned(digest_parts) struct digest_parts parts = {0};
	owned(value) struct value values = VALUE_MAP_INIT;
	owned(choice) struct choice choice;
	const struct mustache_scope labels = {
		.values = language_labels(frame->language)};
	const struct mustache_scope scope = {&values, &labels};
	struct html_input input = {
		.frame = frame, .digest = digest, .scope = &scope};

	choice_init(&choice, digest);
	if (values_add_frame(&values, frame, digest, err) < 0 ||
	    render_subject(&parts.subject, frame, &values, err) < 0)
		return -1;
	input.title = parts.subject;
	if (html_render(&parts.html, &choice, &input, err) < 0 ||
	    render_text(&parts.text, &input, &choice, err) < 0)
		return -1;

	ret_parts->subject = take_ptr(parts.subject);
	ret_parts->html = take_ptr(parts.html);
	ret_parts->text = take_ptr(parts.text);
	ret_parts->n_full = choice.n_full;
	ret_parts->n_lines = choice.n_lines;
	ret_parts->n_cut = choice.n_cut;
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
