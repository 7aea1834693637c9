#include "base/num.h"
#include "base/quoted.h"

#include "digest_private.h"

/*
 * In the frame a mark stands for the papers of a section. No value can forge
 * it: control characters in values become blanks. cmark passes it on as the
 * comment that it is.
 */
#define PLACE_START "<!--arxmail\002"
#define PLACE_END "-->"
#define PLACE_LINES "lines"

void places_fill(struct pieces *pieces, const struct rendering *rendering)
{
	const struct digest *digest = rendering->digest;
	const struct choice *choice = rendering->choice;

	for (size_t i = 0; i < digest->n_entries; i++) {
		struct buf *place = &pieces->sections[digest->entries[i].topic];

		if (choice->shown[i] == SHOWN_FULL && place->len == 0)
			buf_addf(place, PLACE_START "%u" PLACE_END,
			         digest->entries[i].topic);
	}
	pieces->n_lines = choice->n_lines;
	pieces->n_cut = choice->n_cut;
	if (pieces->n_lines > 0)
		buf_add_str(&pieces->lines, PLACE_START PLACE_LINES PLACE_END);
}

/* Only what begins a line is the same in quoted-printable by itself. */
static void check_line(struct joined *out)
{
	out->is_torn |=
		out->text.len > 0 && !span_ends(buf_span(&out->text), "\n");
}

static void add_text(struct joined *out, struct span text)
{
	if (text.len == 0)
		return;
	check_line(out);
	buf_add_span(&out->text, text);
	buf_add_quoted(&out->quoted, text);
}

static void add_fragment(struct joined *out, const struct joint *joint,
                         size_t entry, enum fragment_kind kind)
{
	const struct fragment *fragment =
		cache_fragment(joint->rendering->cached[entry], kind);

	if (fragment->len == 0)
		return;
	check_line(out);
	buf_add(&out->text, fragment->text, fragment->len);
	buf_add(&out->quoted, fragment->quoted, fragment->cost.quoted);
}

static void add_full(struct joined *out, const struct joint *joint,
                     uint64_t topic)
{
	const struct digest *digest = joint->rendering->digest;
	const char *separator = "";

	for (size_t i = 0; i < digest->n_entries; i++) {
		if (joint->rendering->choice->shown[i] != SHOWN_FULL ||
		    digest->entries[i].topic != topic)
			continue;
		add_text(out, span_of(separator));
		add_fragment(out, joint, i, joint->full);
		separator = joint->separator;
	}
}

static void add_lines(struct joined *out, const struct joint *joint)
{
	const struct choice *choice = joint->rendering->choice;

	for (size_t i = 0; i < choice->n_lines; i++) {
		add_text(out, span_of(i > 0 ? joint->separator : ""));
		add_fragment(out, joint, choice->ranking[choice->n_full + i],
		             joint->line);
	}
}

static void add_place(struct joined *out, const struct joint *joint,
                      struct span place)
{
	uint64_t topic = 0;

	if (span_is(place, PLACE_LINES))
		add_lines(out, joint);
	else if (num_parse(place, 0, UINT32_MAX, &topic))
		add_full(out, joint, topic);
}

void places_join(struct joined *out, struct span frame,
                 const struct joint *joint)
{
	while (frame.len > 0) {
		size_t start = span_find(frame, PLACE_START);
		size_t len;

		add_text(out, span_first(frame, start));
		if (start == frame.len)
			return;
		frame = span_skip(frame, start + strlen(PLACE_START));
		len = span_find(frame, PLACE_END);
		add_place(out, joint, span_first(frame, len));
		frame = span_skip(frame, len);
		if (frame.len > 0)
			frame = span_skip(frame, strlen(PLACE_END));
	}
}

int places_finish(struct joined *joined, const char *what, char **ret_text,
                  char **ret_quoted, struct error *err)
{
	if (buf_finish(&joined->text, what, ret_text, err) < 0)
		return -1;
	if (joined->is_torn || joined->quoted.failed)
		return 0;
	return buf_finish(&joined->quoted, what, ret_quoted, err);
}
