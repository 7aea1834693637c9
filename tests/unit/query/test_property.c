/*
 * The matcher against the manual's definition, applied by brute force to
 * random texts and phrases of a small vocabulary, in which words meet, join
 * and have plurals as often as possible.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/num.h"
#include "query/query.h"

#define N(array) (sizeof(array) / sizeof(*(array)))
#define N_BATCHES 1000
#define N_PAPERS 5
#define N_PHRASES 20
#define MAX_WORDS 12
#define MAX_JOINED 4

static const char *const vocabulary[] = {
	"fine", "tuning", "finetuning", "graph",  "graphs", "finegraph",
	"x",    "xfine",  "2",          "graph2", "xx",     "tunings",
};

/* Words with what stands before each: ' ', '-' or ','. */
struct sentence {
	const char *words[MAX_WORDS];
	char before[MAX_WORDS];
	size_t n;
};

static uint64_t random_state;

/* xorshift64*: the same everywhere for the same seed. */
static uint32_t draw(uint32_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545F4914F6CDD1DU) >> 33) % below;
}

static struct sentence draw_sentence(size_t max, const char *gaps)
{
	struct sentence sentence = {.n = 1 + draw((uint32_t)max)};

	for (size_t i = 0; i < sentence.n; i++) {
		sentence.words[i] = vocabulary[draw(N(vocabulary))];
		sentence.before[i] = gaps[draw((uint32_t)strlen(gaps))];
	}
	return sentence;
}

static void add_sentence(struct buf *out, const struct sentence *sentence)
{
	for (size_t i = 0; i < sentence->n; i++) {
		if (i > 0)
			buf_add_char(out, sentence->before[i]);
		buf_add_str(out, sentence->words[i]);
	}
}

/* ---- the definition ---- */

static bool is_number(const char *word)
{
	uint64_t value;

	return num_parse(span_of(word), 0, UINT32_MAX, &value);
}

/* Three characters each, or three and a number. */
static bool may_join_over_blank(const char *a, const char *b)
{
	bool long_a = strlen(a) >= 3 && !is_number(a);
	bool long_b = strlen(b) >= 3 && !is_number(b);

	return (long_a && (long_b || is_number(b))) || (long_b && is_number(a));
}

/* Words `i` to `i + n - 1` as one; false if they may not join. */
static bool join(struct buf *out, const struct sentence *s, size_t i, size_t n)
{
	buf_clear(out);
	if (i + n > s->n)
		return false;
	for (size_t j = 0; j < n; j++) {
		bool hyphen = s->before[i + j] == '-';

		if (j > 0 && !hyphen &&
		    (n > 2 || s->before[i + j] != ' ' ||
		     !may_join_over_blank(s->words[i], s->words[i + 1])))
			return false;
		buf_add_str(out, s->words[i + j]);
	}
	return true;
}

/* Of the vocabulary only words on -s of four letters or more are plurals. */
static size_t measure_singular(const struct buf *word)
{
	return word->len - (word->len >= 4 && word->data[word->len - 1] == 's');
}

static bool is_same_word(const struct buf *a, const struct buf *b)
{
	size_t len = measure_singular(a);

	return len == measure_singular(b) && !memcmp(a->data, b->data, len);
}

static bool matches_from(const struct sentence *text, size_t at,
                         const struct sentence *phrase, size_t i);

/* `n` words of the phrase and `m` of the text as one word each, and so on. */
static bool matches_joined(const struct sentence *text, size_t at,
                           const struct sentence *phrase, size_t i, size_t nm)
{
	owned(buf) struct buf a = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf b = BUF_INIT(SIZE_MAX);
	size_t n = nm % (MAX_JOINED + 1);
	size_t m = nm / (MAX_JOINED + 1);

	/* At most one of the two sides is joined. */
	if (n == 0 || m == 0 || (n > 1 && m > 1))
		return false;
	return join(&a, phrase, i, n) && join(&b, text, at, m) &&
	       is_same_word(&a, &b) &&
	       matches_from(text, at + m, phrase, i + n);
}

static bool matches_from(const struct sentence *text, size_t at,
                         const struct sentence *phrase, size_t i)
{
	if (i == phrase->n)
		return true;
	if (at >= text->n || (i > 0 && text->before[at] == ','))
		return false;
	for (size_t nm = 0; nm < (MAX_JOINED + 1) * (MAX_JOINED + 1); nm++)
		if (matches_joined(text, at, phrase, i, nm))
			return true;
	return false;
}

static bool matches(const struct sentence *text, const struct sentence *phrase)
{
	for (size_t at = 0; at < text->n; at++)
		if (matches_from(text, at, phrase, 0))
			return true;
	return false;
}

/* ---- the comparison ---- */

struct batch {
	struct sentence titles[N_PAPERS];
	struct paper *owned[N_PAPERS];
	struct query_paper papers[N_PAPERS];
};

static void batch_init(struct batch *batch)
{
	for (size_t i = 0; i < N_PAPERS; i++) {
		owned(buf) struct buf title = BUF_INIT(SIZE_MAX);

		batch->titles[i] = draw_sentence(MAX_WORDS, "  --,");
		add_sentence(&title, &batch->titles[i]);
		batch->owned[i] = paper_new();
		batch->owned[i]->title = mem_dup(buf_str(&title));
		batch->owned[i]->abstract = mem_dup("");
		batch->papers[i].paper = batch->owned[i];
	}
}

static void batch_fini(struct batch *batch)
{
	for (size_t i = 0; i < N_PAPERS; i++)
		paper_free(batch->owned[i]);
}

static void compare_phrase(const struct batch *batch, struct query_pool *pool,
                           struct query_index *index, uint64_t seed)
{
	struct sentence phrase = draw_sentence(4, " -");
	owned(buf) struct buf text = BUF_INIT(SIZE_MAX);
	owned(query) struct query *query = NULL;
	struct error err = {0};
	owned(query_results) struct query_results results = {0};
	uint64_t bits = 0;

	buf_add_char(&text, '"');
	add_sentence(&text, &phrase);
	buf_add_char(&text, '"');
	if (query_parse(&query, pool, buf_str(&text), &err) < 0)
		fail_msg("%s: %s", buf_str(&text), err.message);
	query_run(index, query, &results);
	for (size_t i = 0; i < results.n; i++)
		bits |= (uint64_t)1 << results.items[i].paper;
	for (size_t i = 0; i < N_PAPERS; i++)
		if ((bits >> i & 1) != matches(&batch->titles[i], &phrase))
			fail_msg("seed %llu: %s in %s",
			         (unsigned long long)seed, buf_str(&text),
			         batch->owned[i]->title);
}

static void agrees_with_the_definition(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= N_BATCHES; seed++) {
		owned(query_pool) struct query_pool *pool = query_pool_new();
		owned(query_index) struct query_index *index = NULL;
		struct batch batch = {0};

		random_state = seed * 0x9E3779B97F4A7C15U;
		batch_init(&batch);
		index = query_index_new(pool, batch.papers, N_PAPERS);
		for (size_t i = 0; i < N_PHRASES; i++)
			compare_phrase(&batch, pool, index, seed);
		batch_fini(&batch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_definition),
	};

	return cmocka_run_group_tests_name("query property", tests, NULL, NULL);
}
