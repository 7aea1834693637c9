#include "base/mem.h"
#include "base/utf8.h"
#include "digest/mustache.h"

void value_fini(struct value *value)
{
	for (size_t i = 0; i < value->n_items; i++)
		value_fini(&value->items[i]);
	free(value->items);
	free(value->text);
	*value = (struct value){.kind = value->kind};
}

struct value *value_add(struct value *parent, const char *name,
                        enum value_kind kind)
{
	struct value *child = NULL;

	parent->items = mem_grow(parent->items, &parent->capacity,
	                         parent->n_items + 1, sizeof(*child));
	child = &parent->items[parent->n_items++];
	*child = (struct value){.kind = kind, .name = name};
	return child;
}

static bool is_blank(uint32_t character)
{
	return utf8_is_blank(character) || utf8_is_control(character);
}

/* The last character's bytes; one byte if it is broken. */
static struct span last_character(struct span text)
{
	size_t len = 1;

	while (len < text.len && len < 4 &&
	       ((unsigned char)text.ptr[text.len - len] & 0xC0) == 0x80)
		len++;
	return span_skip(text, text.len - len);
}

struct span value_trim(struct span text)
{
	struct span rest = text;

	while (text.len > 0 && is_blank(utf8_next(&rest)))
		text = rest;
	while (text.len > 0) {
		struct span last = last_character(text);
		size_t start = text.len - last.len;

		if (!is_blank(utf8_next(&last)) || last.len > 0)
			break;
		text.len = start;
	}
	return text;
}

void value_add_text(struct value *parent, const char *name, struct span text)
{
	value_add(parent, name, VALUE_TEXT)->text =
		mem_dup_span(value_trim(text));
}

void value_add_ready(struct value *parent, const char *name, struct buf *piece)
{
	value_add(parent, name, VALUE_READY)->text = piece->data;
	*piece = BUF_INIT(piece->max);
}

struct value *value_find(const struct value *map, struct span name)
{
	if (map->kind != VALUE_MAP)
		return NULL;
	for (size_t i = 0; i < map->n_items; i++)
		if (span_is(name, map->items[i].name))
			return &map->items[i];
	return NULL;
}
