#include <ctype.h>

#include "base/limits.h"
#include "base/mem.h"
#include "feed_private.h"
#include "text/text.h"

/* Normalization makes a character three times as long at most. */
#define DISPLAY_GROWTH 4

/* What arXiv writes around titles and abstracts; empty spans: not there. */
struct envelope {
	struct span id;
	struct span type;
	struct span category;
	struct span title;
	struct span abstract;
};

static struct span field(const struct raw_item *raw, enum field field)
{
	struct span text = buf_span(&raw->fields[field]);

	return span_trim(text);
}

char *display_text(struct span raw)
{
	owned(buf) struct buf out = BUF_INIT(DISPLAY_GROWTH * raw.len + 1);

	text_add_display(&out, raw);
	return mem_dup(buf_str(&out));
}

static char *display_html(struct span html)
{
	owned(buf) struct buf text = BUF_INIT(DISPLAY_GROWTH * html.len + 1);

	html_add_text(&text, html);
	return display_text(buf_span(&text));
}

/* ---- the envelope ---- */

static bool take(struct span *rest, const char *word)
{
	if (!span_starts(*rest, word))
		return false;
	*rest = span_skip(*rest, strlen(word));
	return true;
}

static bool take_blanks(struct span *rest)
{
	size_t before = rest->len;

	while (rest->len > 0 && isspace((unsigned char)rest->ptr[0]))
		*rest = span_skip(*rest, 1);
	return rest->len < before;
}

/* Takes what stands before the next blank: at least one character. */
static bool take_word(struct span *rest, struct span *ret_word)
{
	size_t n = 0;

	while (n < rest->len && !isspace((unsigned char)rest->ptr[n]))
		n++;
	*ret_word = span_first(*rest, n);
	*rest = span_skip(*rest, n);
	return n > 0;
}

/* "arXiv:2403.15527v1 Announce Type: new \nAbstract: ..." since Feb 2024. */
static void open_abstract(struct span abstract, struct envelope *envelope)
{
	struct span rest = abstract, id, type;

	envelope->abstract = abstract;
	if (!take(&rest, "arXiv:") || !take_word(&rest, &id) ||
	    !take_blanks(&rest) || !take(&rest, "Announce Type:"))
		return;
	take_blanks(&rest);
	if (!take_word(&rest, &type) || !take_blanks(&rest) ||
	    !take(&rest, "Abstract:"))
		return;
	envelope->id = id;
	envelope->type = type;
	envelope->abstract = span_trim(rest);
}

/* Where the last " (arXiv:" begins, or title.len. */
static size_t find_suffix(struct span title)
{
	static const char mark[] = " (arXiv:";
	size_t found = title.len, from = 0;

	for (;;) {
		size_t at = span_find(span_skip(title, from), mark);

		if (at == title.len - from)
			return found;
		found = from + at;
		from = found + strlen(mark);
	}
}

/* "... . (arXiv:1808.09902v2 [stat.ML] UPDATED)" until January 2024. */
static void open_title(struct span title, struct envelope *envelope)
{
	size_t start = find_suffix(title);
	struct span rest = span_skip(title, start), id, category;

	envelope->title = title;
	if (!span_ends(title, ")") || !take(&rest, " (arXiv:") ||
	    !take_word(&rest, &id) || !take_blanks(&rest) || !take(&rest, "["))
		return;
	category = span_first(rest, span_find(rest, "]"));
	if (category.len == rest.len)
		return;
	rest = span_skip(rest, category.len + 1);
	envelope->id = id;
	envelope->category = category;
	envelope->type = span_trim(span_first(rest, rest.len - 1));
	/* Those feeds ended every title with a full stop of their own. */
	envelope->title = span_trim(span_first(
		title,
		span_ends(span_first(title, start), ".") ? start - 1 : start));
}

static struct envelope open_envelope(const struct raw_item *raw)
{
	struct envelope envelope = {
		.title = field(raw, FIELD_TITLE),
		.abstract = field(raw, FIELD_ABSTRACT),
	};

	if (raw->is_html)
		open_title(envelope.title, &envelope);
	else
		open_abstract(envelope.abstract, &envelope);
	return envelope;
}

/* ---- id, version, type ---- */

char *quote_text(struct span text)
{
	owned(mem) char *line = display_text(span_first(text, 200));

	return mem_dup_span(text_cut(span_of(line), 60));
}

/* The id in "oai:arXiv.org:ID" and in "https://arxiv.org/abs/ID". */
static struct span strip_id(struct span text)
{
	size_t at = span_find(text, "/abs/");

	if (take(&text, "oai:arXiv.org:"))
		return text;
	if (at < text.len &&
	    (span_starts(text, "http://") || span_starts(text, "https://")))
		return span_skip(text, at + strlen("/abs/"));
	return text;
}

static int read_id(const struct raw_item *raw, const struct envelope *envelope,
                   struct paper *paper, struct error *err)
{
	struct span text = field(raw, FIELD_ID), id, ignored;

	if (text.len == 0)
		return error_set(err, ERROR_SYNTAX, "an item without an id");
	if (!paper_parse_id(strip_id(text), &id, &paper->version)) {
		owned(mem) char *shown = quote_text(text);

		return error_set(err, ERROR_SYNTAX, "no arXiv id: %s", shown);
	}
	paper->id = mem_dup_span(id);

	if (paper->version == 0 &&
	    !paper_parse_id(envelope->id, &ignored, &paper->version))
		paper->version = 0;
	if (paper->version == 0)
		paper->version = 1;
	return 0;
}

static bool parse_type(struct span text, enum announce_type *ret_type)
{
	if (span_is(text, "UPDATED")) {
		*ret_type = ANNOUNCE_REPLACE;
		return true;
	}
	if (span_is(text, "CROSS LISTED")) {
		*ret_type = ANNOUNCE_CROSS;
		return true;
	}
	return announce_type_parse(text, ret_type);
}

/* A feed that does not say it (the API): a first version is new. */
static int read_type(const struct raw_item *raw,
                     const struct envelope *envelope, uint32_t version,
                     enum announce_type *ret_type, struct error *err)
{
	struct span text = field(raw, FIELD_TYPE);
	owned(mem) char *shown = NULL;

	if (text.len == 0)
		text = envelope->type;
	if (text.len == 0) {
		*ret_type = version == 1 ? ANNOUNCE_NEW : ANNOUNCE_REPLACE;
		return 0;
	}
	if (parse_type(text, ret_type))
		return 0;
	shown = quote_text(text);
	return error_set(err, ERROR_SYNTAX, "unknown announce type: %s", shown);
}

/* ---- texts ---- */

static int check_length(size_t len, size_t limit, const char *what,
                        struct error *err)
{
	if (len > limit)
		return error_set(err, ERROR_LIMIT, "%s longer than %zu bytes",
		                 what, limit);
	return 0;
}

static int read_title(const struct raw_item *raw,
                      const struct envelope *envelope, struct paper *paper,
                      struct error *err)
{
	struct span title = field(raw, FIELD_TITLE);

	if (check_length(title.len, LIMIT_TITLE_BYTES, "title", err) < 0)
		return -1;
	paper->title_raw = mem_dup_span(title);
	paper->title = display_text(envelope->title);
	if (!*paper->title)
		return error_set(err, ERROR_SYNTAX, "no title");
	return 0;
}

static int read_abstract(const struct raw_item *raw,
                         const struct envelope *envelope, struct paper *paper,
                         struct error *err)
{
	struct span abstract = field(raw, FIELD_ABSTRACT);

	if (check_length(abstract.len, LIMIT_ABSTRACT_BYTES, "abstract", err) <
	    0)
		return -1;
	paper->abstract_raw = mem_dup_span(abstract);
	paper->abstract = raw->is_html ? display_html(envelope->abstract)
	                               : display_text(envelope->abstract);
	if (!*paper->abstract)
		return error_set(err, ERROR_SYNTAX, "no abstract");
	return 0;
}

/* ---- authors ---- */

/* The API's names in one line, as the other feeds have them. */
static char *join_names(const struct strings *names)
{
	owned(buf) struct buf line = BUF_INIT(LIMIT_FEED_BYTES);

	for (size_t i = 0; i < names->n; i++) {
		if (i > 0)
			buf_add_str(&line, ", ");
		buf_add_str(&line, names->items[i]);
	}
	return mem_dup(buf_str(&line));
}

static void split_creator(const struct raw_item *raw, struct strings *authors)
{
	struct span creator = field(raw, FIELD_CREATOR);
	owned(buf) struct buf text = BUF_INIT(DISPLAY_GROWTH * creator.len + 1);

	if (raw->is_html) {
		html_add_text(&text, creator);
		creator = buf_span(&text);
	}
	feed_split_authors(creator, authors);
}

static void show_names(const struct strings *names, struct strings *authors)
{
	for (size_t i = 0; i < names->n; i++) {
		owned(mem) char *name = display_text(span_of(names->items[i]));

		if (*name)
			strings_add(authors, span_of(name));
	}
}

static int read_authors(const struct raw_item *raw, struct paper *paper,
                        struct error *err)
{
	if (raw->names.n > 0)
		paper->authors_raw = join_names(&raw->names);
	else
		paper->authors_raw = mem_dup_span(field(raw, FIELD_CREATOR));
	if (check_length(strlen(paper->authors_raw), LIMIT_AUTHORS_BYTES,
	                 "author list", err) < 0)
		return -1;

	if (raw->names.n > 0)
		show_names(&raw->names, &paper->authors);
	else
		split_creator(raw, &paper->authors);
	if (paper->authors.n > LIMIT_AUTHORS)
		return error_set(err, ERROR_LIMIT, "more than %u authors",
		                 LIMIT_AUTHORS);
	if (paper->authors.n == 0)
		return error_set(err, ERROR_SYNTAX, "no author");
	return 0;
}

/* ---- categories ---- */

/*
 * The API lists MSC and ACM classes ("68T07", "I.2.7") among the categories;
 * arXiv's own begin with an archive in lower case.
 */
static bool is_category(struct span text)
{
	if (text.len == 0 || !islower((unsigned char)text.ptr[0]))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!isalpha((unsigned char)text.ptr[i]) &&
		    text.ptr[i] != '-' && text.ptr[i] != '.')
			return false;
	return true;
}

static void add_category(struct paper *paper, struct span category)
{
	owned(mem) char *text = mem_dup_span(span_trim(category));

	if (is_category(span_of(text)) &&
	    !strings_has(&paper->categories, text))
		strings_add(&paper->categories, span_of(text));
}

static int read_categories(const struct raw_item *raw,
                           const struct envelope *envelope, struct paper *paper,
                           struct error *err)
{
	if (raw->categories.n > LIMIT_CATEGORIES)
		return error_set(err, ERROR_LIMIT, "more than %u categories",
		                 LIMIT_CATEGORIES);
	add_category(paper, field(raw, FIELD_PRIMARY));
	add_category(paper, envelope->category);
	for (size_t i = 0; i < raw->categories.n; i++)
		add_category(paper, span_of(raw->categories.items[i]));
	return 0;
}

/* ---- all of it ---- */

static int read_rest(const struct raw_item *raw,
                     const struct envelope *envelope, struct paper *paper,
                     enum announce_type *ret_type, struct error *err)
{
	if (read_type(raw, envelope, paper->version, ret_type, err) < 0 ||
	    read_title(raw, envelope, paper, err) < 0 ||
	    read_abstract(raw, envelope, paper, err) < 0 ||
	    read_authors(raw, paper, err) < 0 ||
	    read_categories(raw, envelope, paper, err) < 0)
		return error_prefix(err, "%s", paper->id);
	return 0;
}

int item_read(const struct raw_item *raw, struct feed_item *ret_item,
              struct error *err)
{
	struct envelope envelope = open_envelope(raw);
	owned(paper) struct paper *paper = paper_new();
	enum announce_type type;

	if (read_id(raw, &envelope, paper, err) < 0 ||
	    read_rest(raw, &envelope, paper, &type, err) < 0)
		return -1;
	*ret_item = (struct feed_item){take_ptr(paper), type};
	return 0;
}
