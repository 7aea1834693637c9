#include "digest_private.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/day.h"

void values_escape_text(struct buf *out, struct span text)
{
	while (text.len > 0) {
		size_t n = 0;
		uint32_t character;

		while (n < text.len && text.ptr[n] >= ' ' && text.ptr[n] <= '~')
			n++;
		buf_add(out, text.ptr, n);
		text = span_skip(text, n);
		if (text.len == 0)
			return;
		character = utf8_next(&text);
		utf8_add(out, utf8_is_control(character) ? ' ' : character);
	}
}

void values_add_number(struct value *map, const char *name, uint64_t number)
{
	value_add(map, name, VALUE_TEXT)->text = mem_printf("%" PRIu64, number);
}

struct span values_label(const struct digest_language *language,
                         const char *key)
{
	return span_of(digest_language_get(language, key));
}

int values_add_string(struct value *map, const char *name, const char *key,
                      const struct digest_language *language, struct error *err)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_FRAGMENT_BYTES);

	if (language_add(&text, language, key, map, err) < 0)
		return -1;
	value_add_text(map, name, buf_span(&text));
	return 0;
}

void values_separate(struct buf *out, const struct digest_language *language)
{
	if (out->len > 0)
		buf_add_span(out, values_label(language, "list_separator"));
}

int values_add_plural(struct value *map, const char *key, uint64_t count,
                      const struct digest_language *language, struct error *err)
{
	owned(mem) char *form =
		mem_printf("%s_%s", key, language_form(language, count));

	return values_add_string(map, key, form, language, err);
}

void values_add_joined(struct value *map, const char *name,
                       const struct strings *list, size_t first)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_FRAGMENT_BYTES);

	for (size_t i = first; i < list->n; i++)
		buf_addf(&text, "%s%s", text.len > 0 ? ", " : "",
		         list->items[i]);
	value_add_text(map, name, buf_span(&text));
}

static void add_word(struct value *map, const char *name, struct span words,
                     int number)
{
	struct span word = SPAN_NONE;

	for (int i = 0; i <= number; i++)
		if (!span_split(&words, ' ', &word))
			word = SPAN_NONE;
	value_add_text(map, name, word);
}

int values_add_date(struct value *map, const struct digest_language *language,
                    int32_t day, struct error *err)
{
	struct day_date date = day_date(day);

	values_add_number(map, "day", (uint64_t)date.day);
	values_add_number(map, "year", (uint64_t)date.year);
	add_word(map, "weekday", values_label(language, "weekdays"),
	         date.weekday);
	add_word(map, "weekday_short", values_label(language, "weekdays_short"),
	         date.weekday);
	add_word(map, "month", values_label(language, "months"),
	         date.month - 1);
	add_word(map, "month_short", values_label(language, "months_short"),
	         date.month - 1);
	return values_add_string(map, "date", "date", language, err);
}
