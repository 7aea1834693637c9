#include "base/strings.h"

#include "base/mem.h"

void strings_fini(struct strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strings){0};
}

void strings_add(struct strings *list, struct span text)
{
	list->items = mem_grow(list->items, &list->capacity, list->n + 1,
	                       sizeof(*list->items));
	list->items[list->n++] = mem_dup_span(text);
}

bool strings_has(const struct strings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i], text))
			return true;
	return false;
}
