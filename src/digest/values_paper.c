#include <inttypes.h>

#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "text/text.h"

#include "digest_private.h"

/* As many names are shown, then "+ 12". */
#define AUTHORS_SHOWN 6
/* So many when followed ones stand further back. */
#define AUTHORS_SHOWN_MAX 12

/* What surrounds the part of a text that is marked. */
struct markup {
	mustache_escape_fn escape;
	const char *open;
	const char *close;
};

static const struct markup plain = {values_escape_text, "", ""};
static const struct markup markdown_mark = {buf_add_markdown,
                                            "<b class=\"mark\">", "</b>"};
static const struct markup markdown_name = {buf_add_markdown, "<b>", "</b>"};

/*
 * Adds the trimmed `piece` of the text that begins at `text` with its marks,
 * which count from there.
 */
static void add_marked(struct value *map, const char *name, const char *text,
                       struct span piece, const struct marks *marks)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	size_t start = piece.ptr ? (size_t)(piece.ptr - text) : 0;
	size_t end = start + piece.len;
	size_t done = start;

	for (size_t i = 0; i < marks->n; i++) {
		size_t from = marks->items[i].start;
		size_t to = from + marks->items[i].len;

		from = from > done ? from : done;
		to = to < end ? to : end;
		if (from >= to)
			continue;
		buf_add_markdown(&out, (struct span){text + done, from - done});
		buf_add_str(&out, markdown_mark.open);
		buf_add_markdown(&out, (struct span){text + from, to - from});
		buf_add_str(&out, markdown_mark.close);
		done = to;
	}
	buf_add_markdown(&out, (struct span){text + done, end - done});
	value_add_ready(map, name, &out);
}

/* How an abstract is shown: a sentence for all of it, and what follows. */
struct parts {
	struct span abstract;
	struct span summary; /* of `abstract`, or a model's */
	struct span body;    /* of `abstract` */
	bool is_folded;      /* the body is its beginning only */
};

/* The first sentence, and the rest. */
static void split(struct parts *parts)
{
	parts->summary = text_first_sentence(parts->abstract);
	parts->body =
		value_trim(span_skip(parts->abstract, parts->summary.len));
}

/* Under a translation the original is its first two sentences. */
static void fold(struct parts *parts)
{
	struct span first = text_first_sentence(parts->abstract);
	struct span rest = span_skip(parts->abstract, first.len);
	struct span blank = span_first(rest, rest.len - value_trim(rest).len);
	struct span second = text_first_sentence(value_trim(rest));

	parts->body = value_trim(span_first(
		parts->abstract, first.len + blank.len + second.len));
	parts->is_folded = parts->body.len < parts->abstract.len;
}

static struct parts find_parts(const struct digest_entry *entry)
{
	const struct paper_words *words = &entry->words;
	struct parts parts = {
		.abstract = value_trim(span_of(entry->paper->abstract)),
	};

	parts.body = parts.abstract;
	parts.summary = value_trim(span_of(words->summary));
	if (!words->summary)
		split(&parts);
	else if (words->abstract)
		fold(&parts);
	return parts;
}

/* A model's text has no marks. */
static void add_words(struct value *map, const struct digest_frame *frame,
                      const struct digest_entry *entry)
{
	const struct paper_words *words = &entry->words;
	bool is_missing = entry->wants_words && !words->summary;

	value_add_text(map, "translated_title", span_of(words->title));
	value_add_text(map, "translated_abstract", span_of(words->abstract));
	value_add_text(map, "unsummarized",
	               is_missing ? values_label(frame->language, "no_summary")
	                          : SPAN_NONE);
}

/* The summary with its marks, where it is the abstract's. */
static void add_summary(struct value *map, const struct digest_entry *entry,
                        struct span summary)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_FRAGMENT_BYTES);

	if (!entry->words.summary) {
		add_marked(map, "summary_marked", entry->paper->abstract,
		           summary, &entry->match.abstract);
		return;
	}
	buf_add_markdown(&out, summary);
	value_add_ready(map, "summary_marked", &out);
}

static void add_texts(struct value *map, const struct digest_entry *entry,
                      enum values_format format)
{
	const struct match *match = &entry->match;
	const char *abstract = entry->paper->abstract;
	struct span title = value_trim(span_of(entry->paper->title));
	struct parts parts = find_parts(entry);

	value_add_text(map, "title", title);
	value_add_text(map, "abstract", parts.abstract);
	value_add_text(map, "summary", parts.summary);
	value_add_text(map, "body", parts.body);
	value_add_text(map, "ellipsis", span_of(parts.is_folded ? "…" : ""));
	if (format == VALUES_PLAIN)
		return;
	add_marked(map, "title_marked", entry->paper->title, title,
	           &match->title);
	add_marked(map, "abstract_marked", abstract, parts.abstract,
	           &match->abstract);
	add_summary(map, entry, parts.summary);
	add_marked(map, "body_marked", abstract, parts.body, &match->abstract);
}

static bool is_followed(const struct digest_entry *entry, size_t author)
{
	const struct marks *marks = &entry->match.authors;

	for (size_t i = 0; i < marks->n; i++)
		if (marks->items[i].start == author)
			return true;
	return false;
}

/* The first authors and the followed ones, then how many more there are. */
static void write_authors(struct buf *out, const struct digest_entry *entry,
                          const struct markup *markup)
{
	const struct strings *authors = &entry->paper->authors;
	size_t shown = 0;

	for (size_t i = 0; i < authors->n && shown < AUTHORS_SHOWN_MAX; i++) {
		bool followed = is_followed(entry, i);

		if (i >= AUTHORS_SHOWN && !followed)
			continue;
		buf_add_str(out, shown++ > 0 ? ", " : "");
		buf_add_str(out, followed ? markup->open : "");
		markup->escape(out, value_trim(span_of(authors->items[i])));
		buf_add_str(out, followed ? markup->close : "");
	}
	if (shown < authors->n)
		buf_addf(out, " + %zu", authors->n - shown);
}

static int add_authors(struct value *map, const struct digest_frame *frame,
                       const struct digest_entry *entry,
                       enum values_format format, struct error *err)
{
	owned(buf) struct buf names = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(value) struct value author = VALUE_MAP_INIT;
	const struct strings *authors = &entry->paper->authors;

	write_authors(&names, entry, &plain);
	value_add_text(map, "authors", buf_span(&names));
	if (format == VALUES_MARKDOWN) {
		buf_clear(&names);
		write_authors(&names, entry, &markdown_name);
		value_add_ready(map, "authors_marked", &names);
	}

	value_add_text(&author, "author",
	               span_of(authors->n > 0 ? authors->items[0] : NULL));
	if (authors->n > 1 && values_add_string(&author, "et_al", "et_al",
	                                        frame->language, err) < 0)
		return -1;
	value_add_text(map, "first_author",
	               span_of(author.items[author.n_items - 1].text));
	return 0;
}

/* A page of arxiv.org; an id that is none gives only the site. */
static void add_page(struct value *map, const char *name, const char *page,
                     const struct paper *paper)
{
	owned(buf) struct buf url = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	struct span id = SPAN_NONE;
	struct span part;
	uint32_t version = 0;

	buf_add_str(&url, "https://arxiv.org/");
	if (paper_parse_id(span_of(paper->id), &id, &version))
		buf_add_str(&url, page);
	while (span_split(&id, '/', &part)) {
		buf_add_char(&url, '/');
		buf_add_url(&url, part);
	}
	value_add_ready(map, name, &url);
}

static void add_versions(struct value *map, const struct digest_entry *entry)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	uint32_t old_version = entry->old_version;
	uint32_t version = entry->paper->version;

	/* Who did not get the version before sees what was replaced. */
	if (old_version == 0 && version > 1)
		old_version = version - 1;
	if (digest_is_update(entry) && old_version > 0)
		buf_addf(&text, "v%" PRIu32 " → ", old_version);
	if (digest_is_update(entry))
		buf_addf(&text, "v%" PRIu32, version);
	value_add_text(map, "versions", buf_span(&text));
}

/* `held`: why it comes only now. */
static int add_held(struct value *map, const struct digest_language *language,
                    const struct digest_entry *entry, struct error *err)
{
	owned(value) struct value words = VALUE_MAP_INIT;

	if (entry->held == HELD_NOT) {
		value_add_text(map, "held", SPAN_NONE);
		return 0;
	}
	if (values_add_date(&words, language, entry->held_day, err) < 0 ||
	    values_add_string(&words, "held",
	                      entry->held == HELD_LATE ? "held_late"
	                                               : "held_undelivered",
	                      language, err) < 0)
		return -1;
	value_add_text(map, "held",
	               span_of(words.items[words.n_items - 1].text));
	return 0;
}

/* Where a clause matched, in words: "title, abstract". */
static void add_fields(struct value *map,
                       const struct digest_language *language, unsigned fields)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_FRAGMENT_BYTES);

	if (fields & CLAUSE_TITLE)
		buf_add_span(&text, values_label(language, "field_title"));
	if (fields & CLAUSE_ABSTRACT) {
		values_separate(&text, language);
		buf_add_span(&text, values_label(language, "field_abstract"));
	}
	value_add_text(map, "fields", buf_span(&text));
}

/* A clause as people say it: its field is told in words, quotes are ours. */
static struct span strip_clause(struct span text)
{
	static const char *const fields[] = {"ti:", "abs:", "au:"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (span_starts(text, fields[i]))
			text = span_skip(text, strlen(fields[i]));
	if (text.len > 2 && span_starts(text, "\"") && span_ends(text, "\""))
		text = span_first(span_skip(text, 1), text.len - 2);
	return text;
}

static int add_matched(struct value *map,
                       const struct digest_language *language,
                       const struct match *match, struct error *err)
{
	owned(buf) struct buf clauses = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(value) struct value list = VALUE_MAP_INIT;

	for (size_t i = 0; i < match->n_clauses; i++) {
		const struct clause *clause = &match->clauses[i];
		owned(value) struct value words = VALUE_MAP_INIT;

		value_add_text(&words, "text",
		               strip_clause(span_of(clause->text)));
		add_fields(&words, language, clause->fields);
		values_separate(&clauses, language);
		if (language_add(&clauses, language,
		                 clause->fields & CLAUSE_AUTHOR
		                         ? "clause_author"
		                         : "clause",
		                 &words, err) < 0)
			return -1;
	}
	value_add_text(&list, "clauses", buf_span(&clauses));
	if (clauses.len > 0 &&
	    values_add_string(&list, "matched", "matched", language, err) < 0)
		return -1;
	value_add_text(map, "matched",
	               span_of(clauses.len > 0 ? list.items[1].text : NULL));
	return 0;
}

int values_add_paper(struct value *map, const struct digest_frame *frame,
                     const struct digest_entry *entry,
                     enum values_format format, struct error *err)
{
	static const char *const types[ANNOUNCE_TYPES] = {
		"type_new", "type_cross", "type_replace", "type_replace_cross"};
	const struct paper *paper = entry->paper;
	const struct strings *categories = &paper->categories;

	value_add_text(map, "id", span_of(paper->id));
	values_add_number(map, "version", paper->version);
	value_add_text(map, "type",
	               values_label(frame->language, types[entry->type]));
	value_add_text(map, "primary",
	               span_of(categories->n > 0 ? categories->items[0] : ""));
	values_add_joined(map, "cross_lists", categories, 1);
	add_versions(map, entry);
	add_page(map, "abs_url", "abs", paper);
	add_page(map, "pdf_url", "pdf", paper);
	add_page(map, "html_url", "html", paper);
	add_texts(map, entry, format);
	add_words(map, frame, entry);
	if (add_authors(map, frame, entry, format, err) < 0 ||
	    add_held(map, frame->language, entry, err) < 0)
		return -1;
	return add_matched(map, frame->language, &entry->match, err);
}
