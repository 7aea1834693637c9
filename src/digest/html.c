#include <stdlib.h>
#include <string.h>

#include <cmark.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"

#include "digest_private.h"

/*
 * Papers and lines are rendered alone. In the frame a comment stands for
 * them, which no value can forge: its < would be escaped.
 */
#define PLACE_START "<!--arxmail "
#define PLACE_END "-->"
#define PLACE_LINES "lines"

/* What bytes become in transfer; sums of parts are those of the whole. */
struct cost {
	size_t quoted; /* quoted-printable, without soft line breaks */
	size_t bytes;  /* with CRLF, which is what base64 encodes */
};

struct fragment {
	char *html;
	struct cost cost;
};

struct page {
	const struct html_input *input;
	struct choice *choice;
	struct fragment *full;  /* by rank; made as far as they can fit */
	struct fragment *lines; /* by rank; made when not all are in full */
	size_t n_papers;
	size_t n_full_made;
	size_t n_lines_made;
	struct cost frame; /* what is known of it so far */
};

/* ---- size ---- */

static size_t quoted_len(struct span text, size_t i)
{
	unsigned char c = (unsigned char)text.ptr[i];
	bool ends_line = i + 1 == text.len || text.ptr[i + 1] == '\n';

	if (c == '\n')
		return 2;
	if (c == ' ' || c == '\t')
		return ends_line ? 3 : 1;
	return c > ' ' && c < 0x7F && c != '=' ? 1 : 3;
}

static struct cost measure(struct span html)
{
	struct cost cost = {.bytes = html.len};

	for (size_t i = 0; i < html.len; i++) {
		cost.quoted += quoted_len(html, i);
		cost.bytes += html.ptr[i] == '\n';
	}
	return cost;
}

static struct cost add_cost(struct cost a, struct cost b)
{
	return (struct cost){a.quoted + b.quoted, a.bytes + b.bytes};
}

/* The shorter of both encodings, at most; lines have 73 to 76 columns. */
static size_t encoded_len(struct cost cost)
{
	size_t quoted = cost.quoted + (cost.quoted / 73 + 1) * 3;
	size_t base64 = (cost.bytes + 2) / 3 * 4;

	base64 += (base64 / 76 + 1) * 2;
	return quoted < base64 ? quoted : base64;
}

/* ---- fragments ---- */

static int render_markdown(char **ret_html, enum template_id id,
                           const struct page *page,
                           const struct mustache_scope *scope,
                           struct error *err)
{
	const struct digest_templates *templates =
		page->input->frame->templates;
	owned(buf) struct buf source = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(mem) char *markdown = NULL;
	size_t len;

	if (mustache_render(&source, templates->items[id], scope, err) < 0)
		return -1;
	len = source.len;
	if (buf_finish(&source, "a digest's Markdown", &markdown, err) < 0)
		return -1;
	*ret_html = cmark_markdown_to_html(markdown, len, CMARK_OPT_UNSAFE);
	return 0;
}

static int make_fragment(struct fragment *ret_fragment, enum template_id id,
                         const struct page *page, size_t rank,
                         struct error *err)
{
	const struct html_input *input = page->input;
	const struct digest_entry *entry =
		&input->digest->entries[page->choice->ranking[rank]];
	owned(value) struct value paper = VALUE_MAP_INIT;
	const struct mustache_scope scope = {&paper, input->scope};
	owned(buf) struct buf styled = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(mem) char *html = NULL;

	if (values_add_paper(&paper, input->frame, entry, VALUES_MARKDOWN,
	                     err) < 0 ||
	    render_markdown(&html, id, page, &scope, err) < 0)
		return -1;
	style_inline(&styled, input->frame->templates->style, span_of(html));
	ret_fragment->cost = measure(buf_span(&styled));
	return buf_finish(&styled, "a paper's HTML", &ret_fragment->html, err);
}

/* Papers in full, best first, until one more would not fit. */
static int make_full(struct page *page, struct error *err)
{
	struct cost sum = {0};

	while (page->n_full_made < page->n_papers &&
	       encoded_len(sum) <= LIMIT_HTML_ENCODED_BYTES) {
		struct fragment *next = &page->full[page->n_full_made];

		if (make_fragment(next, TEMPLATE_PAPER_MD, page,
		                  page->n_full_made, err) < 0)
			return -1;
		sum = add_cost(sum, next->cost);
		page->n_full_made++;
	}
	return 0;
}

static int make_lines(struct page *page, struct error *err)
{
	while (page->n_lines_made < page->n_papers) {
		if (make_fragment(&page->lines[page->n_lines_made],
		                  TEMPLATE_LINE_MD, page, page->n_lines_made,
		                  err) < 0)
			return -1;
		page->n_lines_made++;
	}
	return 0;
}

/* ---- the choice ---- */

static bool fits(struct cost cost)
{
	return encoded_len(cost) <= LIMIT_HTML_ENCODED_BYTES;
}

/* How many papers fit in full if nothing else were shown. */
static size_t count_fitting(const struct page *page)
{
	struct cost sum = page->frame;
	size_t n = 0;

	for (; n < page->n_full_made; n++) {
		sum = add_cost(sum, page->full[n].cost);
		if (!fits(sum))
			break;
	}
	return n;
}

/* The lines of all papers from `rank` on, but at most a quarter of a mail. */
static size_t lines_share(const struct page *page, size_t rank)
{
	size_t most = LIMIT_HTML_ENCODED_BYTES / 4;
	struct cost sum = {0};

	for (size_t i = rank; i < page->n_papers; i++) {
		sum = add_cost(sum, page->lines[i].cost);
		if (encoded_len(sum) >= most)
			return most;
	}
	return encoded_len(sum);
}

/* Papers in full as long as they leave room for the lines of the others. */
static void choose_some(struct page *page, size_t n_fitting)
{
	struct cost sum = page->frame;
	size_t n = 0;

	for (; n < n_fitting; n++) {
		struct cost next = add_cost(sum, page->full[n].cost);

		if (encoded_len(next) + lines_share(page, n + 1) >
		    LIMIT_HTML_ENCODED_BYTES)
			break;
		sum = next;
	}
	page->choice->n_full = n;
	for (; n < page->n_papers; n++) {
		sum = add_cost(sum, page->lines[n].cost);
		if (!fits(sum))
			break;
	}
	page->choice->n_lines = n - page->choice->n_full;
}

static int choose(struct page *page, struct error *err)
{
	struct choice *choice = page->choice;
	size_t n_fitting = count_fitting(page);

	choice->n_full = n_fitting;
	choice->n_lines = 0;
	if (n_fitting < page->n_papers) {
		if (make_lines(page, err) < 0)
			return -1;
		choose_some(page, n_fitting);
	}

	choice->n_cut = values_matched(page->input->digest) - choice->n_full -
	                choice->n_lines;
	for (size_t i = 0; i < page->n_papers; i++)
		choice->shown[choice->ranking[i]] =
			i < choice->n_full                     ? SHOWN_FULL
			: i < choice->n_full + choice->n_lines ? SHOWN_LINE
							       : SHOWN_NOT;
	return 0;
}

/* ---- the page ---- */

static void fill_places(struct pieces *pieces, const struct page *page)
{
	const struct digest *digest = page->input->digest;

	for (size_t i = 0; i < digest->n_entries; i++) {
		struct buf *place = &pieces->sections[digest->entries[i].topic];

		if (page->choice->shown[i] == SHOWN_FULL && place->len == 0)
			buf_addf(place, PLACE_START "%u" PLACE_END,
			         digest->entries[i].topic);
	}
	pieces->n_lines = page->choice->n_lines;
	pieces->n_cut = page->choice->n_cut;
	if (pieces->n_lines > 0)
		buf_add_str(&pieces->lines, PLACE_START PLACE_LINES PLACE_END);
}

/* The frame in the layout, with places for the papers. */
static int render_frame(struct buf *out, const struct page *page,
                        struct error *err)
{
	const struct html_input *input = page->input;
	const struct digest_templates *templates = input->frame->templates;
	owned(pieces) struct pieces pieces;
	owned(value) struct value values = VALUE_MAP_INIT;
	owned(value) struct value outside = VALUE_MAP_INIT;
	owned(buf) struct buf content = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(buf) struct buf html = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(mem) char *body = NULL;
	struct mustache_scope scope = {&values, input->scope};

	pieces_init(&pieces, input->digest);
	fill_places(&pieces, page);
	if (values_add_pieces(&values, input->frame, input->digest, &pieces,
	                      err) < 0 ||
	    render_markdown(&body, TEMPLATE_DIGEST_MD, page, &scope, err) < 0)
		return -1;

	buf_add_str(&content, body);
	values_add_layout(&outside, input->frame, input->title, &content);
	scope.values = &outside;
	if (mustache_render(&html, templates->items[TEMPLATE_LAYOUT_HTML],
	                    &scope, err) < 0)
		return -1;
	style_inline(out, templates->style, buf_span(&html));
	return 0;
}

static void add_full(struct buf *out, const struct page *page, uint64_t topic)
{
	const struct choice *choice = page->choice;
	const struct digest_entry *entries = page->input->digest->entries;

	for (size_t i = 0; i < choice->n_full; i++)
		if (entries[choice->ranking[i]].topic == topic)
			buf_add_str(out, page->full[i].html);
}

static void add_lines(struct buf *out, const struct page *page)
{
	const struct choice *choice = page->choice;

	for (size_t i = 0; i < choice->n_lines; i++)
		buf_add_str(out, page->lines[choice->n_full + i].html);
}

static void add_place(struct buf *out, const struct page *page,
                      struct span place)
{
	uint64_t topic = 0;

	if (span_is(place, PLACE_LINES))
		add_lines(out, page);
	else if (num_parse(place, 0, UINT32_MAX, &topic))
		add_full(out, page, topic);
}

static void join(struct buf *out, const struct page *page, struct span frame)
{
	while (frame.len > 0) {
		size_t start = span_find(frame, PLACE_START);
		size_t len;

		buf_add_span(out, span_first(frame, start));
		if (start == frame.len)
			return;
		frame = span_skip(frame, start + strlen(PLACE_START));
		len = span_find(frame, PLACE_END);
		add_place(out, page, span_first(frame, len));
		frame = span_skip(frame, len);
		if (frame.len > 0)
			frame = span_skip(frame, strlen(PLACE_END));
	}
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* What the page costs without its papers; never less than before. */
static void learn_frame(struct page *page, struct cost whole)
{
	const struct choice *choice = page->choice;
	struct cost papers = {0};

	for (size_t i = 0; i < choice->n_full; i++)
		papers = add_cost(papers, page->full[i].cost);
	for (size_t i = 0; i < choice->n_lines; i++)
		papers = add_cost(papers, page->lines[choice->n_full + i].cost);
	page->frame.quoted =
		larger(page->frame.quoted, whole.quoted - papers.quoted);
	page->frame.bytes =
		larger(page->frame.bytes, whole.bytes - papers.bytes);
}

/*
 * The frame's size depends on the choice and the choice on the frame's size:
 * the first try takes the frame for nothing, each later one for the largest
 * that was seen. Nearly every digest needs one try, a long one two or three.
 */
static int render_page(struct buf *out, struct page *page, struct error *err)
{
	for (;;) {
		owned(buf) struct buf frame = BUF_INIT(LIMIT_FRAGMENT_BYTES);

		if (choose(page, err) < 0 ||
		    render_frame(&frame, page, err) < 0)
			return -1;
		buf_clear(out);
		join(out, page, buf_span(&frame));
		if (frame.failed || out->failed || fits(measure(buf_span(out))))
			return 0;
		if (page->choice->n_full + page->choice->n_lines == 0)
			return error_set(err, ERROR_LIMIT,
			                 "the frame of the digest alone is "
			                 "longer than %u bytes",
			                 LIMIT_HTML_ENCODED_BYTES);
		learn_frame(page, measure(buf_span(out)));
	}
}

static void page_fini(struct page *page)
{
	for (size_t i = 0; i < page->n_full_made; i++)
		free(page->full[i].html);
	for (size_t i = 0; i < page->n_lines_made; i++)
		free(page->lines[i].html);
	free(page->full);
	free(page->lines);
}

static inline void owned_release_page(struct page *page)
{
	page_fini(page);
}

int html_render(char **ret_html, struct choice *choice,
                const struct html_input *input, struct error *err)
{
	size_t n = input->digest->n_entries;
	owned(page) struct page page = {
		.input = input,
		.choice = choice,
		.full = mem_array(n, sizeof(struct fragment)),
		.lines = mem_array(n, sizeof(struct fragment)),
		.n_papers = n,
	};
	owned(buf) struct buf html = BUF_INIT(LIMIT_MESSAGE_BYTES);

	if (make_full(&page, err) < 0 || render_page(&html, &page, err) < 0)
		return -1;
	return buf_finish(&html, "the HTML", ret_html, err);
}
