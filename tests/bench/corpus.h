#pragma once

/*
 * The papers, phrases and readers of bench_query.c: words are made so that
 * none is another one's plural, and none is two of them.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "query/query.h"

#define N_WORDS 30000U
#define N_PAPERS 1000U
#define N_PHRASES 100000U
#define N_READERS 100000U
#define N_FEW 1000U
#define PER_READER 10U
#define PAPER_CHARS 1400U
#define TITLE_WORDS 9U
#define N_RUNS 3
#define N_SAMPLE 20U

struct corpus {
	char *words[N_WORDS];
	char *phrases[N_PHRASES];
	struct paper *papers[N_PAPERS];
	struct query_paper batch[N_PAPERS];
	uint32_t *wishes; /* PER_READER phrases of each reader */
};

static uint64_t random_state = 1;

/* xorshift64*: the same everywhere. */
static uint32_t draw(uint32_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545F4914F6CDD1DU) >> 33) % below;
}

/* ---- the corpus ---- */

/* A word of two to four syllables; only its first letter may begin one. */
static char *make_word(void)
{
	static const char first[] = "bdfghjkmpqtvwz";
	static const char vowels[] = "aeiou";
	static const char inner[] = "lrnc";
	owned(buf) struct buf word = BUF_INIT(64);
	uint32_t n = 2 + draw(3);

	buf_add_char(&word, first[draw(sizeof(first) - 1)]);
	for (uint32_t i = 0; i < n; i++) {
		buf_add_char(&word, vowels[draw(sizeof(vowels) - 1)]);
		buf_add_char(&word, inner[draw(sizeof(inner) - 1)]);
	}
	return mem_dup(buf_str(&word));
}

/* Common words often, as in every language: the nth one 1/n as often. */
static uint32_t draw_word(uint32_t from)
{
	uint32_t bits = 0;

	while (from << bits < N_WORDS)
		bits++;
	for (;;) {
		uint32_t octave = from << draw(bits);
		uint32_t word = octave + draw(octave);

		if (word < N_WORDS)
			return word;
	}
}

static char *make_text(const struct corpus *corpus, size_t n_chars)
{
	owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

	while (text.len < n_chars) {
		if (text.len > 0)
			buf_add_char(&text, ' ');
		buf_add_str(&text, corpus->words[draw_word(1)]);
	}
	return mem_dup(buf_str(&text));
}

static void make_papers(struct corpus *corpus)
{
	for (size_t i = 0; i < N_PAPERS; i++) {
		struct paper *paper = paper_new();

		paper->id = mem_printf("2601.%05zu", i);
		paper->title = make_text(corpus, TITLE_WORDS * 8);
		paper->abstract =
			make_text(corpus, PAPER_CHARS - TITLE_WORDS * 8);
		corpus->papers[i] = paper;
		corpus->batch[i].paper = paper;
	}
}

/* A few words in a row of some abstract, as somebody who has read it asks. */
static char *quote_paper(const struct corpus *corpus, uint32_t n)
{
	const char *text = corpus->papers[draw(N_PAPERS)]->abstract;
	struct span rest = span_of(text);
	struct span quote;

	rest = span_skip(rest, draw((uint32_t)rest.len / 2));
	rest = span_skip(rest, span_find(rest, " ") + 1);
	quote.ptr = rest.ptr;
	for (quote.len = 0; n > 0; n--)
		quote.len += 1 + span_find(span_skip(rest, quote.len), " ");
	quote.len--;
	return mem_dup_span(quote);
}

/* One word, two or three; half of the phrases stand somewhere. */
static char *make_phrase(const struct corpus *corpus)
{
	uint32_t n = draw(10) < 2 ? 1 : 2 + !draw(4);
	owned(buf) struct buf phrase = BUF_INIT(SIZE_MAX);

	if (n > 1 && draw(2))
		return quote_paper(corpus, n);
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(&phrase, ' ');
		buf_add_str(&phrase, corpus->words[draw_word(64)]);
	}
	return mem_dup(buf_str(&phrase));
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts and keeps one of each; returns how many are left. */
static size_t make_distinct(char **strings, size_t n)
{
	size_t n_kept = 0;

	qsort(strings, n, sizeof(*strings), compare_strings);
	for (size_t i = 0; i < n; i++) {
		if (n_kept > 0 && !strcmp(strings[n_kept - 1], strings[i]))
			free(strings[i]);
		else
			strings[n_kept++] = strings[i];
	}
	return n_kept;
}

static void shuffle(char **strings, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = draw(i);
		char *other = strings[j];

		strings[j] = strings[i - 1];
		strings[i - 1] = other;
	}
}

static struct corpus *make_corpus(void)
{
	struct corpus *corpus = mem_new(sizeof(*corpus));
	size_t n = 0;

	while (n < N_WORDS) {
		while (n < N_WORDS)
			corpus->words[n++] = make_word();
		n = make_distinct(corpus->words, n);
	}
	shuffle(corpus->words, N_WORDS);
	make_papers(corpus);
	for (n = 0; n < N_PHRASES;) {
		while (n < N_PHRASES)
			corpus->phrases[n++] = make_phrase(corpus);
		n = make_distinct(corpus->phrases, n);
	}
	shuffle(corpus->phrases, N_PHRASES);
	corpus->wishes = mem_array(N_READERS * PER_READER, sizeof(uint32_t));
	for (size_t i = 0; i < (size_t)N_READERS * PER_READER; i++)
		corpus->wishes[i] = draw(N_PHRASES);
	return corpus;
}

static void free_corpus(struct corpus *corpus)
{
	for (size_t i = 0; i < N_WORDS; i++)
		free(corpus->words[i]);
	for (size_t i = 0; i < N_PHRASES; i++)
		free(corpus->phrases[i]);
	for (size_t i = 0; i < N_PAPERS; i++)
		paper_free(corpus->papers[i]);
	free(corpus->wishes);
	free(corpus);
}
