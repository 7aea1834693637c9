#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "model/category.h"
#include "model/day.h"

#include "digest_private.h"

static struct span topic_name(const struct digest_frame *frame,
                              const struct digest *digest, size_t topic)
{
	struct span name = value_trim(span_of(digest->topics.items[topic]));

	if (name.len > 0 || digest->topics.n == 1)
		return name;
	return values_label(frame->language, "topic_unnamed");
}

static size_t count_topic(const struct digest *digest, size_t topic)
{
	size_t n = 0;

	for (size_t i = 0; i < digest->n_entries; i++)
		n += digest->entries[i].topic == topic;
	return n;
}

size_t values_section(const struct digest *digest, size_t entry)
{
	return digest_is_update(&digest->entries[entry])
	               ? digest->topics.n
	               : digest->entries[entry].topic;
}

static size_t count_section(const struct digest *digest, size_t section)
{
	size_t n = 0;

	for (size_t i = 0; i < digest->n_entries; i++)
		n += values_section(digest, i) == section;
	return n;
}

static int add_topic_count(struct buf *out, const struct digest_frame *frame,
                           struct span name, size_t count, struct error *err)
{
	owned(value) struct value map = VALUE_MAP_INIT;

	value_add_text(&map, "topic", name);
	values_add_number(&map, "count", count);
	values_separate(out, frame->language);
	return language_add(out, frame->language, "topic_count", &map, err);
}

/* `topics` ("LLM agents 4, lattice QCD 3") and `topic_names`. */
static int add_topics(struct value *map, const struct digest_frame *frame,
                      const struct digest *digest, struct error *err)
{
	owned(buf) struct buf counts = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(buf) struct buf names = BUF_INIT(LIMIT_FRAGMENT_BYTES);

	for (size_t i = 0; i < digest->topics.n; i++) {
		struct span name = topic_name(frame, digest, i);
		size_t count = count_topic(digest, i);

		if (name.len == 0)
			continue;
		values_separate(&names, frame->language);
		buf_add_span(&names, name);
		if (count > 0 &&
		    add_topic_count(&counts, frame, name, count, err) < 0)
			return -1;
	}
	value_add_text(map, "topics", buf_span(&counts));
	value_add_text(map, "topic_names", buf_span(&names));
	return 0;
}

/* The title of the paper with the highest score. */
static void add_top(struct value *map, const struct digest *digest)
{
	const struct digest_entry *top = NULL;

	for (size_t i = 0; i < digest->n_entries; i++)
		if (!top || digest->entries[i].score > top->score)
			top = &digest->entries[i];
	value_add_text(map, "top", span_of(top ? top->paper->title : NULL));
}

size_t values_matched(const struct digest *digest)
{
	return digest->n_matched > digest->n_entries ? digest->n_matched
	                                             : digest->n_entries;
}

/* The models whose words the papers have, each once, and a line on them. */
static int add_models(struct value *map, const struct digest_frame *frame,
                      const struct digest *digest, struct error *err)
{
	owned(strings) struct strings models = {0};
	owned(value) struct value line = VALUE_MAP_INIT;

	for (size_t i = 0; i < digest->n_entries; i++) {
		const char *model = digest->entries[i].words.model;

		if (model && !strings_has(&models, model))
			strings_add(&models, span_of(model));
	}
	values_add_joined(&line, "models", &models, 0);
	if (values_add_string(&line, "summaries_by", "summaries_by",
	                      frame->language, err) < 0)
		return -1;
	value_add_text(map, "summaries",
	               span_of(models.n > 0 ? line.items[1].text : NULL));
	return 0;
}

int values_add_frame(struct value *map, const struct digest_frame *frame,
                     const struct digest *digest, struct error *err)
{
	const struct digest_language *language = frame->language;
	size_t count = digest->n_entries;
	size_t matched = values_matched(digest);

	add_top(map, digest);
	values_add_joined(map, "categories", &digest->categories, 0);
	value_add_text(map, "name", span_of(frame->name));
	values_add_number(map, "count", count);
	values_add_number(map, "matched", matched);
	values_add_number(map, "considered", digest->n_considered);
	if (add_topics(map, frame, digest, err) < 0 ||
	    add_models(map, frame, digest, err) < 0 ||
	    values_add_date(map, language, digest->day, err) < 0 ||
	    values_add_string(map, "date_long", "date_long", language, err) <
	            0 ||
	    values_add_plural(map, "papers", count, language, err) < 0 ||
	    values_add_plural(map, "lead", matched, language, err) < 0 ||
	    values_add_filter(map, frame, err) < 0)
		return -1;
	return values_add_string(map, "why", "why", language, err);
}

/* arXiv's list of new papers for each of the subscriber's categories. */
static void add_listings(struct value *map, const struct digest *digest)
{
	struct value *list = value_add(map, "listings", VALUE_LIST);

	for (size_t i = 0; i < digest->categories.n; i++) {
		struct span category = span_of(digest->categories.items[i]);
		struct span code = category;
		owned(buf) struct buf url = BUF_INIT(LIMIT_FRAGMENT_BYTES);
		struct value *listing;

		if (!category_pattern_valid(category))
			continue;
		if (span_ends(code, ".*"))
			code.len -= 2;
		buf_add_str(&url, "https://arxiv.org/list/");
		buf_add_url(&url, code);
		buf_add_str(&url, "/new");
		listing = value_add(list, NULL, VALUE_MAP);
		value_add_text(listing, "category", category);
		value_add_ready(listing, "url", &url);
	}
}

/* mailto: with all but the @ between the address's parts as %XX. */
static void add_contact(struct value *map, const char *contact)
{
	owned(buf) struct buf url = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	const char *at = contact ? strrchr(contact, '@') : NULL;

	value_add_text(map, "contact", span_of(contact));
	if (at) {
		buf_add_str(&url, "mailto:");
		buf_add_url(&url, span_first(span_of(contact),
		                             (size_t)(at - contact)));
		buf_add_char(&url, '@');
		buf_add_url(&url, span_of(at + 1));
	}
	value_add_text(map, "contact_url", buf_span(&url));
}

int digest_note_late(char **ret_note, const struct digest_language *language,
                     const struct strings *categories, struct error *err)
{
	owned(value) struct value map = VALUE_MAP_INIT;
	owned(buf) struct buf note = BUF_INIT(LIMIT_FRAGMENT_BYTES);

	values_add_joined(&map, "categories", categories, 0);
	if (language_add(&note, language, "late", &map, err) < 0)
		return -1;
	return buf_finish(&note, "the note", ret_note, err);
}

static void add_notes(struct value *map, const struct strings *notes)
{
	struct value *list = value_add(map, "notes", VALUE_LIST);

	for (size_t i = 0; notes && i < notes->n; i++)
		value_add_text(list, NULL, span_of(notes->items[i]));
}

/* `more`: "and 41 more", or empty. */
static int add_more(struct value *map, const struct digest_language *language,
                    size_t n_cut, struct error *err)
{
	owned(value) struct value words = VALUE_MAP_INIT;

	values_add_number(&words, "count", n_cut);
	if (values_add_plural(&words, "more", n_cut, language, err) < 0)
		return -1;
	value_add_text(map, "more",
	               span_of(n_cut > 0 ? words.items[1].text : NULL));
	return 0;
}

static struct span section_title(const struct digest_frame *frame,
                                 const struct digest *digest, size_t section)
{
	return section < digest->topics.n
	               ? topic_name(frame, digest, section)
	               : values_label(frame->language, "updates");
}

int values_add_pieces(struct value *map, const struct digest_frame *frame,
                      const struct digest *digest, struct pieces *pieces,
                      struct error *err)
{
	struct value *sections = value_add(map, "sections", VALUE_LIST);

	for (size_t i = 0; i < pieces->n_sections; i++) {
		struct value *section;

		if (pieces->sections[i].len == 0)
			continue;
		section = value_add(sections, NULL, VALUE_MAP);
		value_add_text(section, "title",
		               section_title(frame, digest, i));
		values_add_number(section, "count", count_section(digest, i));
		if (pieces->sections[i].failed)
			return error_set(err, ERROR_LIMIT,
			                 "the papers are longer than %u bytes",
			                 LIMIT_MESSAGE_BYTES);
		value_add_ready(section, "papers", &pieces->sections[i]);
	}
	value_add_ready(map, "lines", &pieces->lines);
	values_add_number(map, "lines_count", pieces->n_lines);
	value_add_text(map, "unsubscribe_url", span_of(frame->unsubscribe));
	add_contact(map, frame->contact);
	add_notes(map, frame->notes);
	add_listings(map, digest);
	return add_more(map, frame->language, pieces->n_cut, err);
}

void pieces_init(struct pieces *pieces, const struct digest *digest)
{
	/* The last one is that of the updates. */
	*pieces = (struct pieces){.n_sections = digest->topics.n + 1};
	pieces->sections =
		mem_array(pieces->n_sections, sizeof(*pieces->sections));
	for (size_t i = 0; i < pieces->n_sections; i++)
		pieces->sections[i] = BUF_INIT(LIMIT_MESSAGE_BYTES);
	pieces->lines = BUF_INIT(LIMIT_MESSAGE_BYTES);
}

void pieces_fini(struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->n_sections; i++)
		buf_fini(&pieces->sections[i]);
	free(pieces->sections);
	buf_fini(&pieces->lines);
}

int values_add_document(struct value *map, const struct digest_frame *frame,
                        const struct digest *digest, struct error *err)
{
	struct value *papers = value_add(map, "papers", VALUE_LIST);

	for (size_t i = 0; i < digest->n_entries; i++) {
		struct value *paper = value_add(papers, NULL, VALUE_MAP);

		values_add_number(paper, "number", i + 1);
		if (values_add_paper(paper, frame, &digest->entries[i],
		                     VALUES_PLAIN, err) < 0)
			return -1;
	}
	return 0;
}

void values_add_layout(struct value *map, const struct digest_frame *frame,
                       const char *title, struct buf *content)
{
	owned(buf) struct buf style = BUF_INIT(LIMIT_TEMPLATE_BYTES);

	buf_add_span(&style, style_head(frame->templates->style));
	value_add_text(map, "language",
	               span_of(digest_language_code(frame->language)));
	value_add_text(map, "title", span_of(title));
	value_add_ready(map, "style", &style);
	value_add_ready(map, "content", content);
}
