#include "base/limits.h"

#include "digest_private.h"

/* The text part. */

static int make_papers(const struct rendering *rendering, struct error *err)
{
	static const enum fragment_kind kinds[] = {
		[SHOWN_LINE] = FRAGMENT_TEXT_LINE,
		[SHOWN_FULL] = FRAGMENT_TEXT_FULL,
	};
	const struct choice *choice = rendering->choice;
	const struct fragment *fragment;

	for (size_t i = 0; i < rendering->digest->n_entries; i++)
		if (choice->shown[i] != SHOWN_NOT &&
		    fragment_make(&fragment, rendering, i,
		                  kinds[choice->shown[i]], err) < 0)
			return -1;
	return 0;
}

static int render_frame(struct buf *out, const struct rendering *rendering,
                        struct error *err)
{
	const struct digest_templates *templates = rendering->frame->templates;
	owned(pieces) struct pieces pieces;
	owned(value) struct value values = VALUE_MAP_INIT;
	owned(buf) struct buf text = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	const struct mustache_scope scope = {&values, rendering->scope};

	pieces_init(&pieces, rendering->digest);
	places_fill(&pieces, rendering);
	if (values_add_pieces(&values, rendering->frame, rendering->digest,
	                      &pieces, err) < 0 ||
	    mustache_render(&text, templates->items[TEMPLATE_DIGEST_TXT],
	                    &scope, err) < 0)
		return -1;
	fragment_add_wrapped(out, buf_span(&text));
	out->failed |= text.failed;
	return 0;
}

int plain_render(struct digest_parts *parts, const struct rendering *rendering,
                 struct error *err)
{
	static const char blank_line[] = "\n";
	owned(buf) struct buf frame = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	const struct joint joint = {
		rendering,          &frame,
		"the text",         blank_line,
		FRAGMENT_TEXT_FULL, FRAGMENT_TEXT_LINE,
	};

	if (make_papers(rendering, err) < 0 ||
	    render_frame(&frame, rendering, err) < 0)
		return -1;
	return places_join(&parts->text, &parts->text_quoted, &joint, err);
}
