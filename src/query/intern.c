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

static uint64_t mix(uint64_t h, uint64_t part)
{
	h = (h ^ part) * 0x9E3779B97F4A7C15U;
	return h ^ h >> 32;
}

static uint64_t read_8(const char *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint32_t read_4(const char *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* Eight bytes at a time; the last ones overlap those before them. */
static uint32_t hash(struct span text)
{
	const char *at = text.ptr;
	const char *end = at + text.len;
	uint64_t h = text.len;

	if (text.len >= 8) {
		for (; end - at > 8; at += 8)
			h = mix(h, read_8(at));
		h = mix(h, read_8(end - 8));
	} else if (text.len >= 4) {
		h = mix(h, (uint64_t)read_4(at) << 32 | read_4(end - 4));
	} else {
		for (; at < end; at++)
			h = mix(h, (unsigned char)*at);
	}
	return (uint32_t)h;
}

/* The slot that holds `text`, or the empty one where it belongs. */
static struct intern_slot *find_slot(const struct intern *intern,
                                     struct span text, uint32_t hash)
{
	size_t mask = intern->n_slots - 1;
	size_t i = hash & mask;

	while (intern->slots[i].number != NONE &&
	       (intern->slots[i].hash != hash ||
	        !span_equal(intern_text(intern, intern->slots[i].number),
	                    text)))
		i = (i + 1) & mask;
	return &intern->slots[i];
}

static void grow(struct intern *intern)
{
	struct intern_slot *old = intern->slots;
	size_t n_old = intern->n_slots;
	size_t mask;

	intern->n_slots = n_old ? 4 * n_old : FIRST_SLOTS;
	mask = intern->n_slots - 1;
	intern->slots = mem_array(intern->n_slots, sizeof(*intern->slots));
	memset(intern->slots, 0xFF, intern->n_slots * sizeof(*intern->slots));
	for (size_t i = 0; i < n_old; i++) {
		size_t at = old[i].hash & mask;

		if (old[i].number == NONE)
			continue;
		while (intern->slots[at].number != NONE)
			at = (at + 1) & mask;
		intern->slots[at] = old[i];
	}
	free(old);
}

uint32_t intern_find(const struct intern *intern, struct span text)
{
	return intern->n > 0 ? find_slot(intern, text, hash(text))->number
	                     : NONE;
}

uint32_t intern_add(struct intern *intern, struct span text)
{
	struct intern_slot *slot;
	uint32_t h = hash(text);

	if (2 * intern->n >= intern->n_slots)
		grow(intern);
	slot = find_slot(intern, text, h);
	if (slot->number != NONE)
		return slot->number;

	*slot = (struct intern_slot){h, (uint32_t)intern->n};
	intern->items = mem_grow(intern->items, &intern->capacity,
	                         intern->n + 1, sizeof(*intern->items));
	intern->items[intern->n].start = (uint32_t)intern->text.len;
	intern->items[intern->n].len = (uint32_t)text.len;
	buf_add_span(&intern->text, text);
	intern->n++;
	return slot->number;
}
