#include "base/mem.h"
#include "store_private.h"

/* More than arXiv announces in a day; 4 KB each. */
#define MOST_PAPERS 4096U
#define SLOTS (2 * MOST_PAPERS) /* a power of two */

void shelf_fini(struct shelf *shelf)
{
	for (size_t i = 0; shelf->slots && i < SLOTS; i++)
		paper_free(shelf->slots[i]);
	free(shelf->slots);
	*shelf = (struct shelf){0};
}

/* FNV-1a. */
static uint32_t hash(const struct packed_paper *packed)
{
	uint32_t h = 2166136261U ^ packed->version;

	for (size_t i = 0; i < packed->id.len; i++)
		h = (h ^ (unsigned char)packed->id.ptr[i]) * 16777619U;
	return h ^ h >> 16;
}

/* Where the paper is, or would be; there is always an empty slot. */
static struct paper **find_slot(const struct shelf *shelf,
                                const struct packed_paper *packed)
{
	uint32_t i = hash(packed) % SLOTS;

	while (shelf->slots[i] &&
	       (shelf->slots[i]->version != packed->version ||
	        !span_is(packed->id, shelf->slots[i]->id)))
		i = (i + 1) % SLOTS;
	return &shelf->slots[i];
}

struct paper *shelf_find(const struct shelf *shelf,
                         const struct packed_paper *packed)
{
	return shelf->slots ? *find_slot(shelf, packed) : NULL;
}

void shelf_put(struct shelf *shelf, struct paper *paper)
{
	const struct packed_paper key = {span_of(paper->id), paper->version};

	if (shelf->n == MOST_PAPERS)
		shelf_fini(shelf);
	if (!shelf->slots)
		shelf->slots = mem_array(SLOTS, sizeof(struct paper *));
	*find_slot(shelf, &key) = paper;
	shelf->n++;
}
