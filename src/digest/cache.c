#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/quoted.h"

#include "digest_private.h"

#define FIRST_SLOTS 1024U

struct cached {
	struct cached *next; /* in the same slot */
	uint64_t hash;
	char *key; /* all that the fragments are made of */
	size_t key_len;
	struct fragment fragments[FRAGMENTS];
};

struct digest_cache {
	struct cached **slots;
	size_t n_slots; /* a power of two, or 0 */
	size_t n;
	size_t bytes;
	size_t max_bytes;
	uint64_t n_digests;
	struct buf key; /* the one that is looked for */
};

struct digest_cache *digest_cache_new(size_t max_bytes)
{
	struct digest_cache *cache = mem_new(sizeof(*cache));

	cache->max_bytes = max_bytes;
	cache->key = BUF_INIT(SIZE_MAX / 2);
	return cache;
}

static void cached_free(struct cached *cached)
{
	for (size_t i = 0; i < FRAGMENTS; i++) {
		free(cached->fragments[i].text);
		free(cached->fragments[i].quoted);
	}
	free(cached->key);
	free(cached);
}

static void empty(struct digest_cache *cache)
{
	for (size_t i = 0; i < cache->n_slots; i++) {
		struct cached *cached = cache->slots[i];

		while (cached) {
			struct cached *next = cached->next;

			cached_free(cached);
			cached = next;
		}
	}
	free(cache->slots);
	cache->slots = NULL;
	cache->n_slots = 0;
	cache->n = 0;
	cache->bytes = 0;
}

void digest_cache_free(struct digest_cache *cache)
{
	if (!cache)
		return;
	empty(cache);
	buf_fini(&cache->key);
	free(cache);
}

void cache_begin(struct digest_cache *cache)
{
	cache->n_digests++;
	if (cache->bytes > cache->max_bytes)
		empty(cache);
}

/* ---- the key ---- */

static void add_number(struct buf *key, uint64_t number)
{
	buf_add(key, &number, sizeof(number));
}

/* With its length, so that no two lists of texts look the same. */
static void add_text(struct buf *key, const char *text)
{
	struct span span = span_of(text);

	add_number(key, span.len);
	buf_add_span(key, span);
}

static void add_strings(struct buf *key, const struct strings *list)
{
	add_number(key, list->n);
	for (size_t i = 0; i < list->n; i++)
		add_text(key, list->items[i]);
}

static void add_marks(struct buf *key, const struct marks *marks)
{
	add_number(key, marks->n);
	buf_add(key, marks->items, marks->n * sizeof(*marks->items));
}

static void add_match(struct buf *key, const struct match *match)
{
	add_marks(key, &match->title);
	add_marks(key, &match->abstract);
	add_marks(key, &match->authors);
	add_number(key, match->n_clauses);
	for (size_t i = 0; i < match->n_clauses; i++) {
		add_text(key, match->clauses[i].text);
		add_number(key, match->clauses[i].fields);
	}
}

static void add_entry(struct buf *key, const struct digest_entry *entry)
{
	const struct paper *paper = entry->paper;

	add_text(key, paper->id);
	add_number(key, paper->version);
	add_text(key, paper->title);
	add_text(key, paper->abstract);
	add_strings(key, &paper->authors);
	add_strings(key, &paper->categories);
	add_number(key, entry->type);
	add_number(key, entry->old_version);
	add_number(key, entry->held);
	add_number(key, (uint64_t)entry->held_day);
	add_match(key, &entry->match);
	add_number(key, entry->wants_words);
	add_text(key, entry->words.title);
	add_text(key, entry->words.summary);
	add_text(key, entry->words.abstract);
}

/* Papers whose template names the digest's values serve in one digest only. */
static bool needs_frame(const struct digest_templates *templates)
{
	for (size_t i = 0; i < TEMPLATES; i++)
		if (templates->needs_frame[i])
			return true;
	return false;
}

static void make_key(struct digest_cache *cache,
                     const struct digest_frame *frame,
                     const struct digest_entry *entry)
{
	struct buf *key = &cache->key;

	buf_clear(key);
	add_number(key, (uintptr_t)frame->templates);
	add_number(key, (uintptr_t)frame->language);
	add_number(key, needs_frame(frame->templates) ? cache->n_digests : 0);
	add_entry(key, entry);
}

/* ---- the table ---- */

/* Eight bytes at a time: a key has as many as an abstract. */
static uint64_t hash(struct span key)
{
	uint64_t h = key.len;

	while (key.len > 0) {
		uint64_t word = 0;
		size_t len = key.len < sizeof(word) ? key.len : sizeof(word);

		memcpy(&word, key.ptr, len);
		h = (h ^ word) * 0x9E3779B97F4A7C15U;
		h ^= h >> 32;
		key = span_skip(key, len);
	}
	return h;
}

static void grow(struct digest_cache *cache)
{
	size_t n_slots = cache->n_slots ? 2 * cache->n_slots : FIRST_SLOTS;
	struct cached **slots = mem_array(n_slots, sizeof(struct cached *));

	for (size_t i = 0; i < cache->n_slots; i++) {
		struct cached *cached = cache->slots[i];

		while (cached) {
			struct cached *next = cached->next;
			struct cached **slot =
				&slots[cached->hash & (n_slots - 1)];

			cached->next = *slot;
			*slot = cached;
			cached = next;
		}
	}
	free(cache->slots);
	cache->slots = slots;
	cache->n_slots = n_slots;
}

static struct cached *add(struct digest_cache *cache, uint64_t h,
                          struct span key)
{
	struct cached *cached = mem_new(sizeof(*cached));
	struct cached **slot;

	if (cache->n >= cache->n_slots)
		grow(cache);
	slot = &cache->slots[h & (cache->n_slots - 1)];
	*cached = (struct cached){
		.next = *slot,
		.hash = h,
		.key = mem_dup_span(key),
		.key_len = key.len,
	};
	*slot = cached;
	cache->n++;
	cache->bytes += sizeof(*cached) + key.len;
	return cached;
}

struct cached *cache_find(struct digest_cache *cache,
                          const struct digest_frame *frame,
                          const struct digest_entry *entry)
{
	struct cached *cached = NULL;
	struct span key;
	uint64_t h;

	make_key(cache, frame, entry);
	key = buf_span(&cache->key);
	h = hash(key);
	if (cache->n_slots > 0)
		cached = cache->slots[h & (cache->n_slots - 1)];
	for (; cached; cached = cached->next)
		if (cached->hash == h && cached->key_len == key.len &&
		    !memcmp(cached->key, key.ptr, key.len))
			return cached;
	return add(cache, h, key);
}

const struct fragment *cache_fragment(const struct cached *cached,
                                      enum fragment_kind kind)
{
	const struct fragment *fragment = &cached->fragments[kind];

	return fragment->text ? fragment : NULL;
}

size_t cache_encoded_len(struct cost cost)
{
	size_t base64 = (cost.bytes + 2) / 3 * 4;

	base64 += (base64 + 75) / 76 * 2;
	return cost.quoted < base64 ? cost.quoted : base64;
}

struct cost cache_cost(struct span text, struct span quoted)
{
	struct cost cost = {quoted.len, text.len};

	for (size_t i = 0; i < text.len; i++)
		cost.bytes += text.ptr[i] == '\n';
	return cost;
}

const struct fragment *cache_keep(struct digest_cache *cache,
                                  struct cached *cached,
                                  enum fragment_kind kind, struct span text)
{
	struct fragment *fragment = &cached->fragments[kind];
	owned(buf) struct buf quoted = BUF_INIT(SIZE_MAX / 2);

	buf_add_quoted(&quoted, text);
	*fragment = (struct fragment){
		.text = mem_dup_span(text),
		.quoted = mem_dup_span(buf_span(&quoted)),
		.len = text.len,
		.cost = cache_cost(text, buf_span(&quoted)),
	};
	cache->bytes += text.len + quoted.len;
	return fragment;
}
