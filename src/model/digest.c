#include "model/digest.h"

#include "base/mem.h"

void marks_add(struct marks *marks, uint32_t start, uint32_t len)
{
	marks->items = mem_grow(marks->items, &marks->capacity, marks->n + 1,
	                        sizeof(*marks->items));
	marks->items[marks->n++] = (struct mark){start, len};
}

void marks_fini(struct marks *marks)
{
	free(marks->items);
	*marks = (struct marks){0};
}

void match_add_clause(struct match *match, struct span text, unsigned fields)
{
	size_t capacity = match->n_clauses;

	match->clauses =
		mem_grow(match->clauses, &capacity, match->n_clauses + 1,
	                 sizeof(*match->clauses));
	match->clauses[match->n_clauses++] =
		(struct clause){mem_dup_span(text), fields};
}

void match_fini(struct match *match)
{
	for (size_t i = 0; i < match->n_clauses; i++)
		free(match->clauses[i].text);
	free(match->clauses);
	marks_fini(&match->title);
	marks_fini(&match->abstract);
	marks_fini(&match->authors);
	*match = (struct match){0};
}

struct digest *digest_new(void)
{
	return mem_new(sizeof(struct digest));
}

static void entry_fini(struct digest_entry *entry)
{
	match_fini(&entry->match);
	paper_words_fini(&entry->words);
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	for (size_t i = 0; i < digest->n_entries; i++)
		entry_fini(&digest->entries[i]);
	free(digest->entries);
	free(digest->subscriber_id);
	free(digest->message_id);
	strings_fini(&digest->topics);
	strings_fini(&digest->categories);
	free(digest);
}

struct digest_entry *digest_add(struct digest *digest)
{
	digest->entries =
		mem_grow(digest->entries, &digest->capacity,
	                 digest->n_entries + 1, sizeof(*digest->entries));
	digest->entries[digest->n_entries] = (struct digest_entry){0};
	return &digest->entries[digest->n_entries++];
}
