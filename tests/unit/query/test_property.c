/*
 * The matcher against arxmail-query(7), applied by brute force to random papers
 * and whole random queries of a small vocabulary, in which words meet, join and
 * have plurals as often as possible. QUERY_SEED=N begins with that seed.
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
#define N_BATCHES 5000
#define N_PAPERS 5
#define N_QUERIES 20
#define ALL_PAPERS ((1U << N_PAPERS) - 1)
#define MAX_DEPTH 3
#define MAX_NEAR 3
#define MAX_WORDS 12
#define MAX_JOINED 4

static const char *const vocabulary[] = {
	"fine", "tuning", "finetuning", "graph",  "graphs", "finegraph",
	"x",    "xfine",  "2",          "graph2", "xx",     "tunings",
};

static const char *const names[] = {"yann", "y", "lecun", "ada", "a", "chen"};
static const char *const categories[] = {"cs.CL", "cs.LG", "math.NT"};
static const char *const patterns[] = {"cs.CL", "cs.*", "math.NT", "math.*"};

/* Words with what stands before each: ' ', '-' or ','. */
struct sentence {
	const char *words[MAX_WORDS];
	char before[MAX_WORDS];
	size_t n;
	bool prefix; /* of a phrase's last word only the beginning */
};

struct item {
	struct sentence text[2]; /* title, abstract */
	struct sentence author;
	const char *category;
	enum announce_type type;
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

static bool begins_with(const struct buf *word, const struct buf *prefix)
{
	return word->len >= prefix->len &&
	       !memcmp(word->data, prefix->data, prefix->len);
}

static bool has_blank(const struct sentence *s, size_t i, size_t n)
{
	for (size_t j = 1; j < n; j++)
		if (s->before[i + j] != '-')
			return true;
	return false;
}

/* Phrase words `i` to `i + n - 1` and text words `at` to `at + m - 1`. */
static bool meets_joined(const struct sentence *text, size_t at, size_t m,
                         const struct sentence *phrase, size_t i, size_t n)
{
	owned(buf) struct buf a = BUF_INIT(SIZE_MAX);
	owned(buf) struct buf b = BUF_INIT(SIZE_MAX);

	/* Joined or not, both begin with the same letter. */
	if (phrase->words[i][0] != text->words[at][0])
		return false;
	/* At most one of the two sides is joined. */
	if ((n > 1 && m > 1) || !join(&a, phrase, i, n) ||
	    !join(&b, text, at, m))
		return false;
	if (phrase->prefix && i + n == phrase->n)
		return !has_blank(text, at, m) && begins_with(&b, &a);
	return is_same_word(&a, &b);
}

/* How many words of the text the phrase takes from `at` on; 0: none. */
static size_t measure_match(const struct sentence *text, size_t at,
                            const struct sentence *phrase, size_t i)
{
	if (at >= text->n || (i > 0 && text->before[at] == ','))
		return 0;
	for (size_t nm = 0; nm < MAX_JOINED * MAX_JOINED; nm++) {
		size_t n = 1 + nm / MAX_JOINED;
		size_t m = nm % MAX_JOINED;
		size_t rest;

		/* One word first, then as many linked ones as there are. */
		m = m == 0 ? 1 : MAX_JOINED + 1 - m;
		if (!meets_joined(text, at, m, phrase, i, n))
			continue;
		if (i + n == phrase->n)
			return m;
		rest = measure_match(text, at + m, phrase, i + n);
		if (rest > 0)
			return m + rest;
	}
	return 0;
}

static bool has_phrase(const struct sentence *text,
                       const struct sentence *phrase)
{
	for (size_t at = 0; at < text->n; at++)
		if (measure_match(text, at, phrase, 0) > 0)
			return true;
	return false;
}

/* Operands from the `i`th on, the words between begin at `first`. */
struct near {
	const struct sentence *text;
	const struct sentence *operands;
	size_t n;
	size_t distance;
};

/* Is there a place for each, so that the last begins soon enough? */
static bool has_near(const struct near *near)
{
	const struct sentence *text = near->text;

	for (size_t first = 0; first < near->n; first++)
		for (size_t at = 0; at < text->n; at++) {
			size_t len = measure_match(text, at,
			                           &near->operands[first], 0);
			size_t n_found = 0;

			for (size_t i = 0; len > 0 && i < near->n; i++)
				for (size_t to = at;
				     to <= at + len + near->distance; to++)
					if (measure_match(text, to,
					                  &near->operands[i],
					                  0) > 0) {
						n_found++;
						break;
					}
			if (len > 0 && n_found == near->n)
				return true;
		}
	return false;
}

static bool is_initial_of(const char *a, const char *b)
{
	return (!a[1] || !b[1]) && a[0] == b[0];
}

/* In this order, the last in full, an initial first means the first name. */
static bool has_name(const struct sentence *author, const struct sentence *name)
{
	size_t i = 0;

	for (size_t at = 0; at < author->n && i < name->n; at++) {
		const char *word = name->words[i];
		const char *part = author->words[at];
		bool last = i + 1 == name->n;

		if (last && name->prefix)
			i += !strncmp(part, word, strlen(word));
		else
			i += !strcmp(part, word) ||
			     (!last && (i > 0 || at == 0) &&
			      is_initial_of(part, word));
	}
	return i == name->n;
}

static bool has_category(const struct item *item, const char *pattern)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return !strncmp(item->category, pattern, len - 1);
	return !strcmp(item->category, pattern);
}

/* ---- random queries, and which papers they should pass ---- */

enum field {
	FIELD_ANY,
	FIELD_TITLE,
	FIELD_ABSTRACT,
};

struct draft {
	struct buf text;
	const struct item *items;
	enum field field; /* of the parentheses around */
	unsigned depth;
	bool contradicts; /* an AND of it passes no paper */
};

static unsigned draw_or(struct draft *draft);

static void add_quoted(struct buf *out, const struct sentence *phrase)
{
	buf_add_char(out, '"');
	add_sentence(out, phrase);
	buf_add_str(out, phrase->prefix ? "*\"" : "\"");
}

/* A prefix needs two letters. */
static struct sentence draw_phrase(size_t max)
{
	struct sentence phrase = draw_sentence(max, " -");

	phrase.prefix = draw(4) == 0 && strlen(phrase.words[phrase.n - 1]) > 1;
	return phrase;
}

static enum field draw_field(struct draft *draft)
{
	static const char *const texts[] = {"", "ti:", "abs:"};
	enum field field = (enum field)draw(3);

	if (draft->field != FIELD_ANY)
		return draft->field;
	buf_add_str(&draft->text, texts[field]);
	return field;
}

static bool looks_at(enum field field, unsigned part)
{
	return field == FIELD_ANY || field == part + FIELD_TITLE;
}

static unsigned draw_words(struct draft *draft)
{
	enum field field = draw_field(draft);
	struct sentence phrase = draw_phrase(4);
	unsigned passes = 0;

	add_quoted(&draft->text, &phrase);
	for (unsigned i = 0; i < N_PAPERS; i++)
		for (unsigned part = 0; part < 2; part++)
			if (looks_at(field, part) &&
			    has_phrase(&draft->items[i].text[part], &phrase))
				passes |= 1U << i;
	return passes;
}

static unsigned draw_near(struct draft *draft)
{
	enum field field = draw_field(draft);
	struct sentence operands[MAX_NEAR];
	struct near near = {.operands = operands,
	                    .n = 2 + draw(MAX_NEAR - 1),
	                    .distance = draw(4)};
	unsigned passes = 0;

	buf_add_str(&draft->text, "NEAR(");
	for (size_t i = 0; i < near.n; i++) {
		operands[i] = draw_phrase(1);
		add_quoted(&draft->text, &operands[i]);
		buf_add_char(&draft->text, ' ');
	}
	buf_addf(&draft->text, ", %zu)", near.distance);
	for (unsigned i = 0; i < N_PAPERS; i++)
		for (unsigned part = 0; part < 2; part++) {
			near.text = &draft->items[i].text[part];
			if (looks_at(field, part) && has_near(&near))
				passes |= 1U << i;
		}
	return passes;
}

static struct sentence draw_name(void)
{
	struct sentence name = {.n = 1 + draw(3)};

	for (size_t i = 0; i < name.n; i++) {
		name.words[i] = names[draw(N(names))];
		name.before[i] = ' ';
	}
	return name;
}

static unsigned draw_author(struct draft *draft)
{
	struct sentence name = draw_name();
	unsigned passes = 0;

	name.prefix = draw(4) == 0 && strlen(name.words[name.n - 1]) > 1;
	buf_add_str(&draft->text, "au:");
	add_quoted(&draft->text, &name);
	for (unsigned i = 0; i < N_PAPERS; i++)
		passes |= (unsigned)has_name(&draft->items[i].author, &name)
		          << i;
	return passes;
}

static unsigned draw_value(struct draft *draft)
{
	enum announce_type type = (enum announce_type)draw(ANNOUNCE_TYPES);
	const char *pattern = patterns[draw(N(patterns))];
	bool by_type = draw(2);
	unsigned passes = 0;

	if (by_type)
		buf_addf(&draft->text, "type:%s", announce_type_name(type));
	else
		buf_addf(&draft->text, "cat:%s", pattern);
	for (unsigned i = 0; i < N_PAPERS; i++) {
		const struct item *item = &draft->items[i];

		if (by_type ? item->type == type : has_category(item, pattern))
			passes |= 1U << i;
	}
	return passes;
}

static unsigned draw_group(struct draft *draft)
{
	enum field outside = draft->field;
	unsigned passes;

	draft->field = draw_field(draft);
	draft->depth++;
	buf_add_char(&draft->text, '(');
	passes = draw_or(draft);
	buf_add_char(&draft->text, ')');
	draft->depth--;
	draft->field = outside;
	return passes;
}

static unsigned draw_unary(struct draft *draft)
{
	uint32_t what = draw(12);

	if (what < 2) {
		bool minus =
			what == 0 && !span_ends(buf_span(&draft->text), "-");

		buf_add_str(&draft->text, minus ? "-" : "NOT ");
		return ~draw_unary(draft);
	}
	if (what < 4 && draft->depth < MAX_DEPTH)
		return draw_group(draft);
	if (what < 6)
		return draw_near(draft);
	if (what < 7 && draft->field == FIELD_ANY)
		return draw_author(draft);
	if (what < 8 && draft->field == FIELD_ANY)
		return draw_value(draft);
	return draw_words(draft);
}

static unsigned draw_and(struct draft *draft)
{
	unsigned passes = draw_unary(draft);

	while (draw(3) == 0) {
		buf_add_str(&draft->text, draw(2) ? " AND " : " ");
		passes &= draw_unary(draft);
	}
	draft->contradicts = draft->contradicts || !(passes & ALL_PAPERS);
	return passes;
}

static unsigned draw_or(struct draft *draft)
{
	unsigned passes = draw_and(draft);

	while (draw(3) == 0) {
		buf_add_str(&draft->text, " OR ");
		passes |= draw_and(draft);
	}
	return passes;
}

/* ---- the comparison ---- */

struct batch {
	struct item items[N_PAPERS];
	struct paper *owned[N_PAPERS];
	struct query_paper papers[N_PAPERS];
	struct query_pool *pool;
	struct query_index *index;
};

static char *write_sentence(const struct sentence *sentence)
{
	owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

	add_sentence(&text, sentence);
	return mem_dup(buf_str(&text));
}

static struct paper *make_paper(const struct item *item)
{
	owned(mem) char *author = write_sentence(&item->author);
	struct paper *paper = paper_new();

	paper->id = mem_dup("2601.00001");
	paper->title = write_sentence(&item->text[0]);
	paper->abstract = write_sentence(&item->text[1]);
	strings_add(&paper->authors, span_of(author));
	strings_add(&paper->categories, span_of(item->category));
	return paper;
}

static void batch_init(struct batch *batch)
{
	for (size_t i = 0; i < N_PAPERS; i++) {
		struct item *item = &batch->items[i];

		item->text[0] = draw_sentence(MAX_WORDS, "  --,");
		item->text[1] = draw_sentence(MAX_WORDS, "  --,");
		item->author = draw_name();
		item->category = categories[draw(N(categories))];
		item->type = (enum announce_type)draw(ANNOUNCE_TYPES);
		batch->owned[i] = make_paper(item);
		batch->papers[i] =
			(struct query_paper){batch->owned[i], item->type};
	}
	batch->pool = query_pool_new();
	batch->index = query_index_begin(batch->pool, batch->papers, N_PAPERS);
	while (!query_index_go_on(batch->index, 7))
		continue;
}

static void batch_fini(struct batch *batch)
{
	query_index_free(batch->index);
	query_pool_free(batch->pool);
	for (size_t i = 0; i < N_PAPERS; i++)
		paper_free(batch->owned[i]);
}

/*
 * False if the query was refused, which is right only if all that some AND of
 * it asks for passes none of these papers.
 */
static bool compare_query(struct batch *batch, uint64_t seed)
{
	struct draft draft = {.text = BUF_INIT(SIZE_MAX),
	                      .items = batch->items};
	owned(query) struct query *query = NULL;
	owned(query_results) struct query_results results = {0};
	unsigned wanted = draw_or(&draft) & ALL_PAPERS;
	struct error err = {0};
	unsigned got = 0;

	if (query_parse(&query, batch->pool, buf_str(&draft.text), &err) < 0) {
		if (!draft.contradicts || !strstr(err.message, "no paper can"))
			fail_msg("%s: %s", buf_str(&draft.text), err.message);
		buf_fini(&draft.text);
		return false;
	}
	query_run(batch->index, query, &results);
	for (size_t i = 0; i < results.n; i++)
		got |= 1U << results.items[i].paper;
	for (unsigned i = 0; i < N_PAPERS; i++)
		if ((got ^ wanted) >> i & 1)
			fail_msg("seed %llu: %s should%s find \"%s\", \"%s\"",
			         (unsigned long long)seed, buf_str(&draft.text),
			         wanted >> i & 1 ? "" : " not",
			         batch->owned[i]->title,
			         batch->owned[i]->abstract);
	buf_fini(&draft.text);
	return true;
}

static uint64_t first_seed(void)
{
	const char *text = getenv("QUERY_SEED");
	uint64_t seed;

	if (text && num_parse(span_of(text), 1, UINT32_MAX, &seed))
		return seed;
	return 1;
}

static void agrees_with_the_manual(void **state)
{
	uint64_t first = first_seed();

	(void)state;
	print_message("%d queries from seed %llu on\n", N_BATCHES * N_QUERIES,
	              (unsigned long long)first);
	for (uint64_t seed = first; seed < first + N_BATCHES; seed++) {
		struct batch batch = {0};

		random_state = seed * 0x9E3779B97F4A7C15U;
		batch_init(&batch);
		for (size_t i = 0; i < N_QUERIES;)
			i += compare_query(&batch, seed);
		batch_fini(&batch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_manual),
	};

	return cmocka_run_group_tests_name("query property", tests, NULL, NULL);
}
