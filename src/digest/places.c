#include "base/limits.h"
#include "base/mem.h"
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
		size_t section = values_section(digest, i);
		struct buf *place = &pieces->sections[section];

		if (choice->shown[i] == SHOWN_FULL && place->len == 0)
			buf_addf(place, PLACE_START "%zu" PLACE_END, section);
	}
	pieces->n_lines = choice->n_lines;
	pieces->n_cut = choice->n_cut;
	if (pieces->n_lines > 0)
		buf_add_str(&pieces->lines, PLACE_START PLACE_LINES PLACE_END);
}

struct joined {
	struct buf text;
	bool is_quoted;
	bool is_torn;   /* a paper is no lines of its own */
	bool ends_line; /* what is there so far does, or nothing is */
	size_t n_bytes; /* with CRLF */
};

/* Lines alone are in quoted-printable what they are among others. */
static void note_piece(struct joined *out, struct span text, size_t n_bytes)
{
	out->is_torn |= !out->ends_line;
	out->ends_line = span_ends(text, "\n");
	out->n_bytes += n_bytes;
}

static void add_text(struct joined *out, struct span text)
{
	if (text.len == 0)
		return;
	note_piece(out, text, cache_cost(text, SPAN_NONE).bytes);
	if (out->is_quoted)
		buf_add_quoted(&out->text, text);
	else
		buf_add_span(&out->text, text);
}

static void add_fragment(struct joined *out, const struct fragment *fragment)
{
	struct span text = {fragment->text, fragment->len};

	if (text.len == 0)
		return;
	note_piece(out, text, fragment->cost.bytes);
	if (out->is_quoted)
		buf_add(&out->text, fragment->quoted, fragment->cost.quoted);
	else
		buf_add_span(&out->text, text);
}

static const struct fragment *find_fragment(const struct joint *joint,
                                            size_t entry)
{
	const struct rendering *rendering = joint->rendering;

	return cache_fragment(rendering->cached[entry],
	                      rendering->choice->shown[entry] == SHOWN_FULL
	                              ? joint->full
	                              : joint->line);
}

static void add_full(struct joined *out, const struct joint *joint,
                     uint64_t section)
{
	const struct digest *digest = joint->rendering->digest;
	const char *separator = "";

	for (size_t i = 0; i < digest->n_entries; i++) {
		if (joint->rendering->choice->shown[i] != SHOWN_FULL ||
		    values_section(digest, i) != section)
			continue;
		add_text(out, span_of(separator));
		add_fragment(out, find_fragment(joint, i));
		separator = joint->separator;
	}
}

static void add_lines(struct joined *out, const struct joint *joint)
{
	const struct choice *choice = joint->rendering->choice;

	for (size_t i = 0; i < choice->n_lines; i++) {
		size_t entry = choice->ranking[choice->n_full + i];

		add_text(out, span_of(i > 0 ? joint->separator : ""));
		add_fragment(out, find_fragment(joint, entry));
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

/* Room for all papers and, roughly, for the frame. */
static void reserve(struct joined *out, const struct joint *joint)
{
	size_t len = 2 * joint->frame->len;

	for (size_t i = 0; i < joint->rendering->digest->n_entries; i++) {
		const struct fragment *fragment = find_fragment(joint, i);

		if (joint->rendering->choice->shown[i] != SHOWN_NOT)
			len += 2 + (out->is_quoted ? fragment->cost.quoted
			                           : fragment->len);
	}
	buf_reserve(&out->text, len);
}

static void join(struct joined *out, const struct joint *joint)
{
	struct span frame = buf_span(joint->frame);

	reserve(out, joint);
	while (frame.len > 0) {
		size_t start = span_find(frame, PLACE_START);
		size_t len;

		add_text(out, span_first(frame, start));
		if (start == frame.len)
			break;
		frame = span_skip(frame, start + strlen(PLACE_START));
		len = span_find(frame, PLACE_END);
		add_place(out, joint, span_first(frame, len));
		frame = span_skip(frame, len);
		if (frame.len > 0)
			frame = span_skip(frame, strlen(PLACE_END));
	}
	out->text.failed |= joint->frame->failed;
}

static inline void owned_release_joined(struct joined *joined)
{
	buf_fini(&joined->text);
}

/* False: base64 would be shorter, or it would not be right. */
static bool join_quoted(char **ret_text, const struct joint *joint)
{
	owned(joined) struct joined joined = {BUF_INIT(LIMIT_MESSAGE_BYTES),
	                                      .is_quoted = true,
	                                      .ends_line = true};
	struct cost cost;

	join(&joined, joint);
	cost = (struct cost){joined.text.len, joined.n_bytes};
	if (joined.is_torn || joined.text.failed ||
	    cache_encoded_len(cost) < joined.text.len)
		return false;
	*ret_text = take_ptr(joined.text.data);
	return true;
}

int places_join(char **ret_text, bool *ret_quoted, const struct joint *joint,
                struct error *err)
{
	owned(joined) struct joined joined = {BUF_INIT(LIMIT_MESSAGE_BYTES),
	                                      .ends_line = true};

	*ret_quoted =
		joint->rendering->frame->quoted && join_quoted(ret_text, joint);
	if (*ret_quoted)
		return 0;
	join(&joined, joint);
	return buf_finish(&joined.text, joint->what, ret_text, err);
}
