#include "mail_private.h"

#include <glib.h>

#include "base/limits.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES 78
/* Lines with encoded words: RFC 2047, section 2. */
#define WORD_LINE_MAX_BYTES 76
#define WORD_START_Q "=?utf-8?q?"
#define WORD_START_B "=?utf-8?b?"
#define WORD_END "?="
#define WORD_FRAME_BYTES (sizeof(WORD_START_Q WORD_END) - 1)
/* A character of 4 bytes in "q". */
#define WORD_LEAST_BYTES (WORD_FRAME_BYTES + 12)
#define FOLD "\r\n "
/* A name in quotation marks cannot be folded; each byte may be escaped. */
#define QUOTED_MAX_BYTES ((LINE_MAX_BYTES - 3) / 2)

static size_t column(const struct buf *out)
{
	const char *end = memrchr(out->data, '\n', out->len);

	return end ? out->len - (size_t)(end - out->data) - 1 : out->len;
}

void mail_add_one_line(struct buf *out, struct span text)
{
	bool is_gap = out->len > 0;

	while (text.len > 0 && out->len + 5 <= out->max) {
		uint32_t c = utf8_next(&text);

		if (utf8_is_blank(c) || utf8_is_control(c)) {
			is_gap = out->len > 0;
			continue;
		}
		if (is_gap)
			buf_add_char(out, ' ');
		is_gap = false;
		utf8_add(out, c);
	}
}

/* What stands for itself in a "q" word, also in a phrase (RFC 2047, 5.3). */
static bool is_q_literal(char c)
{
	return g_ascii_isalnum(c) || (c && strchr("!*+-/", c));
}

static size_t q_len(struct span text)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++)
		len += is_q_literal(text.ptr[i]) || text.ptr[i] == ' ' ? 1 : 3;
	return len;
}

static size_t b_len(struct span text)
{
	return (text.len + 2) / 3 * 4;
}

static void add_q_word(struct buf *out, struct span text)
{
	buf_add_str(out, WORD_START_Q);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == ' ')
			buf_add_char(out, '_');
		else if (is_q_literal(text.ptr[i]))
			buf_add_char(out, text.ptr[i]);
		else
			buf_addf(out, "=%02X", (unsigned char)text.ptr[i]);
	}
	buf_add_str(out, WORD_END);
}

static void add_b_word(struct buf *out, struct span text)
{
	gchar *base64 = g_base64_encode((const guchar *)text.ptr, text.len);

	buf_add_str(out, WORD_START_B);
	buf_add_str(out, base64);
	buf_add_str(out, WORD_END);
	g_free(base64);
}

struct word_form {
	size_t (*len)(struct span text);
	void (*add)(struct buf *out, struct span text);
	size_t unit; /* bytes that are encoded together */
};

/*
 * The longest start of `text`, in whole characters, that `room` holds. In
 * whole units, too, if it can: some readers (GMime is one) join the words
 * before they decode them and stop at padding in their middle.
 */
static struct span fit(struct span text, size_t room,
                       const struct word_form *form)
{
	struct span rest = text;
	size_t most = 0;
	size_t most_units = 0;

	while (rest.len > 0) {
		size_t len;

		utf8_next(&rest);
		len = text.len - rest.len;
		if (form->len(span_first(text, len)) > room)
			break;
		most = len;
		if (len % form->unit == 0 || rest.len == 0)
			most_units = len;
	}
	return span_first(text, most_units > 0 ? most_units : most);
}

/* Readers drop the blanks between encoded words: each can be a fold. */
static void add_words(struct buf *out, struct span text)
{
	static const struct word_form q = {q_len, add_q_word, 1};
	static const struct word_form b = {b_len, add_b_word, 3};
	const struct word_form *form = q_len(text) <= b_len(text) ? &q : &b;
	const char *blank = " ";

	while (text.len > 0 && !out->failed) {
		struct span part;

		if (column(out) + 1 + WORD_LEAST_BYTES > WORD_LINE_MAX_BYTES)
			blank = FOLD;
		buf_add_str(out, blank);
		part = fit(text,
		           WORD_LINE_MAX_BYTES - column(out) - WORD_FRAME_BYTES,
		           form);
		form->add(out, part);
		text = span_skip(text, part.len);
		blank = FOLD;
	}
}

/* A blank or a fold, and what must stay in one piece. */
static void add_unit(struct buf *out, struct span unit)
{
	buf_add_str(out,
	            column(out) + 1 + unit.len > LINE_MAX_BYTES ? FOLD : " ");
	buf_add_span(out, unit);
}

static void add_units(struct buf *out, struct span text)
{
	struct span word;

	while (span_split(&text, ' ', &word))
		add_unit(out, word);
}

/* Printable ASCII that no reader takes for an encoded word. */
static bool is_plain(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' ||
		    (unsigned char)text.ptr[i] > '~')
			return false;
	return span_find(text, "=?") == text.len;
}

/* Also behind the field's name: some readers keep a fold there as a blank. */
static bool has_long_word(const struct buf *out, struct span text)
{
	size_t room = LINE_MAX_BYTES - 1 - column(out);
	struct span word;

	while (span_split(&text, ' ', &word))
		if (word.len > room)
			return true;
	return false;
}

/* RFC 5322's atoms, with blanks between them. */
static bool is_atoms(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!g_ascii_isalnum(text.ptr[i]) &&
		    !strchr(" !#$%&'*+-/=?^_`{|}~", text.ptr[i]))
			return false;
	return true;
}

static void add_quoted(struct buf *out, struct span text)
{
	owned(buf) struct buf quoted = BUF_INIT(2 * LINE_MAX_BYTES);

	buf_add_char(&quoted, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buf_add_char(&quoted, '\\');
		buf_add_char(&quoted, text.ptr[i]);
	}
	buf_add_char(&quoted, '"');
	add_unit(out, buf_span(&quoted));
}

static void add_phrase(struct buf *out, struct span text)
{
	bool is_readable = is_plain(text) && !has_long_word(out, text);

	if (is_readable && is_atoms(text))
		add_units(out, text);
	else if (is_readable && text.len <= QUOTED_MAX_BYTES)
		add_quoted(out, text);
	else
		add_words(out, text);
}

void mail_add_raw_field(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "%s:", name);
	add_unit(out, span_of(value));
	buf_add_str(out, "\r\n");
}

void mail_add_text_field(struct buf *out, const char *name, struct span display)
{
	owned(buf) struct buf line = BUF_INIT(LIMIT_SUBJECT_BYTES);
	struct span text;

	mail_add_one_line(&line, display);
	text = buf_span(&line);
	buf_addf(out, "%s:", name);
	if (!is_plain(text) || has_long_word(out, text))
		add_words(out, text);
	else
		add_units(out, text);
	buf_add_str(out, "\r\n");
}

void mail_add_mailbox_field(struct buf *out, const char *name,
                            struct span display, const char *id)
{
	owned(buf) struct buf line = BUF_INIT(LIMIT_SUBJECT_BYTES);
	owned(buf) struct buf angle = BUF_INIT(SIZE_MAX / 2);

	mail_add_one_line(&line, display);
	buf_addf(&angle, "<%s>", id);
	buf_addf(out, "%s:", name);
	add_phrase(out, buf_span(&line));
	add_unit(out, buf_span(&angle));
	buf_add_str(out, "\r\n");
}
