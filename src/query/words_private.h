#pragma once

/* Words as the matcher sees them, and numbers for them. */

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"
#include "model/digest.h"
#include "model/paper.h"
#include "query/query.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many words linked by hyphens also count as one joined word. */
#define MAX_JOINED 4
#define NONE UINT32_MAX

/* ---- words.c ---- */

/* What stands between a word and the one before it. */
enum gap {
	GAP_BREAK, /* punctuation that ends a phrase, or the beginning */
	GAP_BLANK, /* blanks */
	GAP_LINK,  /* a hyphen, slash or the like, no blank */
	GAP_NONE,  /* nothing, as between ideographs */
};

struct word {
	uint32_t start; /* of the whole original word, in bytes of the text */
	uint32_t len;
	uint32_t folded; /* place in words.folded */
	uint32_t folded_len;
	uint32_t plain_len; /* without ++; folded_len if there is none */
	enum gap gap;
};

struct words {
	struct buf folded;
	struct word *items;
	size_t n;
	size_t capacity;
	/* The first character that ends a phrase, or SPAN_NONE. */
	struct span first_break;
};

#define WORDS_INIT ((struct words){.folded = BUF_INIT(SIZE_MAX)})

void words_fini(struct words *words);

static inline void owned_release_words(struct words *words)
{
	words_fini(words);
}

/* Takes `text` apart; what `words` held before is gone. */
void words_read(struct words *words, struct span text);
struct span words_folded(const struct words *words, size_t i);

/*
 * May two words with a blank between them count as one joined word? If each
 * has three characters, or one has and the other is a number.
 */
bool words_may_join(struct span first, struct span second);

/* ---- singular.c ---- */

/*
 * Appends the key of a folded word: English singular and plural have the same
 * one. It is for comparing only and not always a word.
 */
void singular_add(struct buf *out, struct span folded);

/* ---- intern.c ---- */

/* Empty if `number` is NONE. */
struct intern_slot {
	uint32_t hash;
	uint32_t number;
};

/* Distinct strings, numbered from 0 in the order of their arrival. */
struct intern {
	struct buf text;
	struct {
		uint32_t start;
		uint32_t len;
	} * items;
	size_t n;
	size_t capacity;
	struct intern_slot *slots;
	size_t n_slots;
};

#define INTERN_INIT ((struct intern){.text = BUF_INIT(SIZE_MAX)})

void intern_fini(struct intern *intern);
uint32_t intern_add(struct intern *intern, struct span text);
/* NONE if it was never added. */
uint32_t intern_find(const struct intern *intern, struct span text);
struct span intern_text(const struct intern *intern, uint32_t i);
