#include <stdlib.h>
#include <string.h>

#include <cmark.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/quoted.h"

#include "digest_private.h"

struct page {
	const struct rendering *rendering;
	const struct fragment **full;  /* by rank; as far as they can fit */
	const struct fragment **lines; /* by rank; if not all are in full */
	size_t n_papers;
	size_t n_full_made;
	size_t n_lines_made;
	struct cost frame; /* what is known of it so far */
};

/* ---- size ---- */

static struct cost add_cost(struct cost a, struct cost b)
{
	return (struct cost){a.quoted + b.quoted, a.bytes + b.bytes};
}

/* ---- fragments ---- */

static int make_fragment(const struct fragment **ret_fragment,
                         const struct page *page, size_t rank,
                         enum fragment_kind kind, struct error *err)
{
	const struct choice *choice = page->rendering->choice;

	return fragment_make(ret_fragment, page->rendering,
	                     choice->ranking[rank], kind, err);
}

/* Papers in full, best first, until one more would not fit. */
static int make_full(struct page *page, struct error *err)
{
	struct cost sum = {0};

	while (page->n_full_made < page->n_papers &&
	       cache_encoded_len(sum) <= LIMIT_HTML_ENCODED_BYTES) {
		const struct fragment **next = &page->full[page->n_full_made];

		if (make_fragment(next, page, page->n_full_made,
		                  FRAGMENT_HTML_FULL, err) < 0)
			return -1;
		sum = add_cost(sum, (*next)->cost);
		page->n_full_made++;
	}
	return 0;
}

static int make_lines(struct page *page, struct error *err)
{
	while (page->n_lines_made < page->n_papers) {
		if (make_fragment(&page->lines[page->n_lines_made], page,
		                  page->n_lines_made, FRAGMENT_HTML_LINE,
		                  err) < 0)
			return -1;
		page->n_lines_made++;
	}
	return 0;
}

/* ---- the choice ---- */

static bool fits(struct cost cost)
{
	return cache_encoded_len(cost) <= LIMIT_HTML_ENCODED_BYTES;
}

/* How many papers fit in full if nothing else were shown. */
static size_t count_fitting(const struct page *page)
{
	struct cost sum = page->frame;
	size_t n = 0;

	for (; n < page->n_full_made; n++) {
		sum = add_cost(sum, page->full[n]->cost);
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
		sum = add_cost(sum, page->lines[i]->cost);
		if (cache_encoded_len(sum) >= most)
			return most;
	}
	return cache_encoded_len(sum);
}

/* Papers in full as long as they leave room for the lines of the others. */
static void choose_some(struct page *page, size_t n_fitting)
{
	struct cost sum = page->frame;
	size_t n = 0;

	for (; n < n_fitting; n++) {
		struct cost next = add_cost(sum, page->full[n]->cost);

		if (cache_encoded_len(next) + lines_share(page, n + 1) >
		    LIMIT_HTML_ENCODED_BYTES)
			break;
		sum = next;
	}
	page->rendering->choice->n_full = n;
	for (; n < page->n_papers; n++) {
		sum = add_cost(sum, page->lines[n]->cost);
		if (!fits(sum))
			break;
	}
	page->rendering->choice->n_lines = n - page->rendering->choice->n_full;
}

static int choose(struct page *page, struct error *err)
{
	struct choice *choice = page->rendering->choice;
	size_t n_fitting = count_fitting(page);

	choice->n_full = n_fitting;
	choice->n_lines = 0;
	if (n_fitting < page->n_papers) {
		if (make_lines(page, err) < 0)
			return -1;
		choose_some(page, n_fitting);
	}

	choice->n_cut = values_matched(page->rendering->digest) -
	                choice->n_full - choice->n_lines;
	for (size_t i = 0; i < page->n_papers; i++)
		choice->shown[choice->ranking[i]] =
			i < choice->n_full                     ? SHOWN_FULL
			: i < choice->n_full + choice->n_lines ? SHOWN_LINE
							       : SHOWN_NOT;
	return 0;
}

/* ---- the page ---- */

/* The frame in the layout, with places for the papers. */
static int render_frame(struct buf *out, const struct page *page,
                        struct error *err)
{
	const struct rendering *rendering = page->rendering;
	const struct digest_templates *templates = rendering->frame->templates;
	owned(pieces) struct pieces pieces;
	owned(value) struct value values = VALUE_MAP_INIT;
	owned(value) struct value outside = VALUE_MAP_INIT;
	owned(buf) struct buf content = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(buf) struct buf html = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(mem) char *body = NULL;
	struct mustache_scope scope = {&values, rendering->scope};

	pieces_init(&pieces, rendering->digest);
	places_fill(&pieces, rendering);
	if (values_add_pieces(&values, rendering->frame, rendering->digest,
	                      &pieces, err) < 0 ||
	    fragment_html(&body, templates->items[TEMPLATE_DIGEST_MD], &scope,
	                  err) < 0)
		return -1;

	buf_add_str(&content, body);
	values_add_layout(&outside, rendering->frame, rendering->title,
	                  &content);
	scope.values = &outside;
	if (mustache_render(&html, templates->items[TEMPLATE_LAYOUT_HTML],
	                    &scope, err) < 0)
		return -1;
	style_inline(out, templates->style, buf_span(&html));
	return 0;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* What the page costs. The frame's part is learnt, never less than before. */
static struct cost measure_page(struct page *page, struct span frame)
{
	const struct choice *choice = page->rendering->choice;
	owned(buf) struct buf quoted = BUF_INIT(SIZE_MAX / 2);
	struct cost cost;

	buf_add_quoted(&quoted, frame);
	cost = cache_cost(frame, buf_span(&quoted));
	page->frame.quoted = larger(page->frame.quoted, cost.quoted);
	page->frame.bytes = larger(page->frame.bytes, cost.bytes);
	for (size_t i = 0; i < choice->n_full; i++)
		cost = add_cost(cost, page->full[i]->cost);
	for (size_t i = 0; i < choice->n_lines; i++)
		cost = add_cost(cost, page->lines[choice->n_full + i]->cost);
	return cost;
}

/*
 * The frame's size depends on the choice and the choice on the frame's size:
 * the first try takes the frame for nothing, each later one for the largest
 * that was seen. Nearly every digest needs one try, a long one two or three.
 */
static int render_page(struct digest_parts *parts, struct page *page,
                       struct error *err)
{
	const struct rendering *rendering = page->rendering;

	for (;;) {
		owned(buf) struct buf frame = BUF_INIT(LIMIT_FRAGMENT_BYTES);
		const struct joint joint = {
			rendering,          &frame,
			"the HTML",         "",
			FRAGMENT_HTML_FULL, FRAGMENT_HTML_LINE,
		};

		if (choose(page, err) < 0 ||
		    render_frame(&frame, page, err) < 0)
			return -1;
		if (frame.failed || fits(measure_page(page, buf_span(&frame))))
			return places_join(&parts->html, &parts->html_quoted,
			                   &joint, err);
		if (rendering->choice->n_full + rendering->choice->n_lines == 0)
			return error_set(err, ERROR_LIMIT,
			                 "the frame of the digest alone is "
			                 "longer than %u bytes",
			                 LIMIT_HTML_ENCODED_BYTES);
	}
}

int html_render(struct digest_parts *parts, const struct rendering *rendering,
                struct error *err)
{
	size_t n = rendering->digest->n_entries;
	owned(mem) const struct fragment **full =
		mem_array(2 * n, sizeof(struct fragment *));
	struct page page = {
		.rendering = rendering,
		.full = full,
		.lines = full + n,
		.n_papers = n,
	};

	if (make_full(&page, err) < 0)
		return -1;
	return render_page(parts, &page, err);
}
