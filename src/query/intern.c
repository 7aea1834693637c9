#include "query_private.h"

#include "base/mem.h"

#define FIRST_SLOTS 64U

void intern_fini(struct intern *intern)
{
	buf_fini(&intern->text);
	free(intern->items);
	free(intern->slots);
	*intern = INTERN_INIT;
}

struct span intern_text(const struct intern *intern, uint32_t i)
{
	return (struct span){intern->text.data + intern->items[i].start,
	                     intern->items[i].len};
}

/* FNV-1a with a final mix, since slots are the low bits. */
static uint64_t hash(struct span text)
{
	uint64_t h = 0xCBF29CE484222325U;

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) * 0x100000001B3U;
	return h ^ h >> 32;
}

/* The slot that holds `text`, or the empty one where it belongs. */
static uint32_t *find_slot(const struct intern *intern, struct span text)
{
	size_t mask = intern->n_slots - 1;
	size_t i = hash(text) & mask;

	while (intern->slots[i] != NONE &&
	       !span_equal(intern_text(intern, intern->slots[i]), text))
		i = (i + 1) & mask;
	return &intern->slots[i];
}

static void grow(struct intern *intern)
{
	free(intern->slots);
	intern->n_slots = intern->n_slots ? 4 * intern->n_slots : FIRST_SLOTS;
	intern->slots = mem_array(intern->n_slots, sizeof(*intern->slots));
	memset(intern->slots, 0xFF, intern->n_slots * sizeof(*intern->slots));
	for (uint32_t i = 0; i < intern->n; i++)
		*find_slot(intern, intern_text(intern, i)) = i;
}

uint32_t intern_find(const struct intern *intern, struct span text)
{
	return intern->n > 0 ? *find_slot(intern, text) : NONE;
}

uint32_t intern_add(struct intern *intern, struct span text)
{
	uint32_t *slot;

	if (2 * intern->n >= intern->n_slots)
		grow(intern);
	slot = find_slot(intern, text);
	if (*slot != NONE)
		return *slot;

	*slot = (uint32_t)intern->n;
	intern->items = mem_grow(intern->items, &intern->capacity,
	                         intern->n + 1, sizeof(*intern->items));
	intern->items[intern->n].start = (uint32_t)intern->text.len;
	intern->items[intern->n].len = (uint32_t)text.len;
	buf_add_span(&intern->text, text);
	intern->n++;
	return *slot;
}
