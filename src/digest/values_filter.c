/* The reader's own filter in words, for the footer. */

#include "base/limits.h"
#include "model/subscriber.h"
#include "text/text.h"

#include "digest_private.h"

/* As many of a list are named, then "+ 12". */
#define MAX_TOPICS 10
#define MAX_ITEMS 12
/* What is longer is cut at a word. */
#define MAX_QUERY_CHARS 200
#define MAX_FILTER_CHARS 1000

static void add_rest(struct buf *out, size_t n, size_t shown)
{
	if (n > shown)
		buf_addf(out, " + %zu", n - shown);
}

/* “large language model”, “quantiz*” */
static int add_quoted(struct value *map, const char *name,
                      const struct digest_language *language,
                      const struct strings *list, struct error *err)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	size_t n = list->n < MAX_ITEMS ? list->n : MAX_ITEMS;

	for (size_t i = 0; i < n; i++) {
		owned(value) struct value words = VALUE_MAP_INIT;

		value_add_text(&words, "text", span_of(list->items[i]));
		value_add_text(&words, "fields", SPAN_NONE);
		values_separate(&out, language);
		if (language_add(&out, language, "clause", &words, err) < 0)
			return -1;
	}
	add_rest(&out, list->n, n);
	value_add_text(map, name, buf_span(&out));
	return 0;
}

static void add_names(struct value *map, const char *name,
                      const struct digest_language *language,
                      const struct strings *list)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	size_t n = list->n < MAX_ITEMS ? list->n : MAX_ITEMS;

	for (size_t i = 0; i < n; i++) {
		values_separate(&out, language);
		buf_add_str(&out, list->items[i]);
	}
	add_rest(&out, list->n, n);
	value_add_text(map, name, buf_span(&out));
}

static void add_cut(struct value *map, const char *name, struct span text,
                    size_t max_chars)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	struct span all = value_trim(text);
	struct span cut = text_cut(all, max_chars);

	buf_add_span(&out, cut);
	buf_add_str(&out, cut.len < all.len ? "…" : "");
	value_add_text(map, name, buf_span(&out));
}

static int add_topic(struct buf *out, const struct digest_language *language,
                     const struct topic *topic, struct error *err)
{
	owned(value) struct value words = VALUE_MAP_INIT;
	bool all = !topic->query && topic->keywords.n + topic->authors.n == 0;

	value_add_text(&words, "topic", span_of(topic->name));
	value_add_text(&words, "everything",
	               all ? values_label(language, "every_paper") : SPAN_NONE);
	add_cut(&words, "query", span_of(topic->query), MAX_QUERY_CHARS);
	add_names(&words, "authors", language, &topic->authors);
	if (add_quoted(&words, "keywords", language, &topic->keywords, err) <
	            0 ||
	    add_quoted(&words, "exclude", language, &topic->exclude, err) < 0)
		return -1;
	if (out->len > 0)
		buf_add_span(out, values_label(language, "filter_separator"));
	return language_add(out, language, "filter_topic", &words, err);
}

int values_add_filter(struct value *map, const struct digest_frame *frame,
                      struct error *err)
{
	owned(buf) struct buf filters = BUF_INIT(LIMIT_FRAGMENT_BYTES);
	owned(value) struct value words = VALUE_MAP_INIT;
	size_t n = frame->n_topics < MAX_TOPICS ? frame->n_topics : MAX_TOPICS;

	for (size_t i = 0; i < n; i++)
		if (add_topic(&filters, frame->language, &frame->topics[i],
		              err) < 0)
			return -1;
	add_rest(&filters, frame->n_topics, n);
	add_cut(&words, "filters", buf_span(&filters), MAX_FILTER_CHARS);
	if (values_add_string(&words, "filter", "filter", frame->language,
	                      err) < 0)
		return -1;
	value_add_text(map, "filter",
	               n > 0 ? span_of(words.items[words.n_items - 1].text)
	                     : SPAN_NONE);
	return 0;
}
