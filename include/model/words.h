#pragma once

/*
 * What a language model wrote of a paper: display text, one line each, and
 * nothing but text.
 */

#include "base/owned.h"

struct paper_words {
	char *title;    /* translated; NULL: not asked for */
	char *summary;  /* one sentence */
	char *abstract; /* translated; NULL: not asked for */
	char *model;
};

void paper_words_fini(struct paper_words *words);

static inline void owned_release_paper_words(struct paper_words *words)
{
	paper_words_fini(words);
}
