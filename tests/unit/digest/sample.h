/* Digests and languages that the tests of this folder share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "digest/render.h"
#include "model/day.h"

/* Strings files are flat and every value is on one line of its own. */
static inline void sample_add_line(struct digest_language *language,
                                   struct span line)
{
	size_t equals = span_find(line, " = \"");
	struct span key = span_trim(span_first(line, equals));
	struct span value;

	if (equals == line.len || span_starts(line, "//"))
		return;
	value = span_skip(line, equals + 4);
	assert_true(span_ends(value, "\";"));
	value.len -= 2;

	owned(mem) char *key_str = mem_dup_span(key);
	owned(mem) char *value_str = mem_dup_span(value);

	assert_null(digest_language_get(language, key_str));
	digest_language_set(language, key_str, value_str);
}

static inline struct digest_language *sample_language(const char *code)
{
	struct digest_language *language = digest_language_new(code);
	owned(mem) char *name = mem_printf("strings/%s.conf", code);
	struct span rest = digest_builtin(name);
	struct span line;

	assert_non_null(rest.ptr);
	while (span_split(&rest, '\n', &line))
		sample_add_line(language, line);
	return language;
}

static inline struct digest_templates *sample_templates(const char *dir)
{
	struct digest_templates *templates = NULL;
	owned(strings) struct strings problems = {0};
	struct error err = {0};

	if (digest_templates_load(&templates, dir, &problems, &err) != 0)
		fail_msg("%s",
		         problems.n > 0 ? problems.items[0] : err.message);
	return templates;
}

/* A digest whose papers are its own. */
struct sample {
	struct digest *digest;
	struct paper **papers;
	size_t n_papers;
	size_t capacity;
};

static inline struct paper *sample_add(struct sample *sample, const char *id,
                                       const char *title, const char *abstract)
{
	struct paper *paper = paper_new();
	struct digest_entry *entry = digest_add(sample->digest);

	paper->id = mem_dup(id);
	paper->version = 1;
	paper->title = mem_dup(title);
	paper->abstract = mem_dup(abstract);
	entry->paper = paper;
	sample->papers = mem_grow(sample->papers, &sample->capacity,
	                          sample->n_papers + 1, sizeof(paper));
	sample->papers[sample->n_papers++] = paper;
	return paper;
}

static inline struct digest_entry *sample_last(struct sample *sample)
{
	return &sample->digest->entries[sample->digest->n_entries - 1];
}

static inline void sample_fini(struct sample *sample)
{
	digest_free(sample->digest);
	for (size_t i = 0; i < sample->n_papers; i++)
		paper_free(sample->papers[i]);
	free(sample->papers);
}

static inline void owned_release_sample(struct sample *sample)
{
	sample_fini(sample);
}

/* An empty digest of Tuesday, 22 September 2026. */
static inline void sample_init(struct sample *sample)
{
	*sample = (struct sample){.digest = digest_new()};
	sample->digest->day = day_from_date(2026, 9, 22);
	sample->digest->n_considered = 412;
	strings_add(&sample->digest->categories, span_of("cs.CL"));
	strings_add(&sample->digest->categories, span_of("cs.LG"));
	strings_add(&sample->digest->categories, span_of("hep-lat"));
}

static inline void sample_split(struct strings *list, const char *text)
{
	struct span rest = span_of(text);
	struct span part;

	while (rest.len > 0 && span_split(&rest, ';', &part))
		strings_add(list, span_trim(part));
}

static inline void sample_mark(struct marks *marks, const char *text,
                               const char *words)
{
	owned(strings) struct strings list = {0};

	sample_split(&list, words);
	for (size_t i = 0; i < list.n; i++) {
		const char *at = strstr(text, list.items[i]);

		assert_non_null(at);
		marks_add(marks, (uint32_t)(at - text),
		          (uint32_t)strlen(list.items[i]));
	}
}

/* Lists are separated by semicolons; "" is the empty one. */
struct sample_paper {
	const char *id;
	const char *title;
	const char *title_marks;
	const char *abstract;
	const char *abstract_marks;
	const char *authors;
	const char *categories;
	enum announce_type type;
	uint32_t version;
	uint32_t old_version;
	enum held held;
	uint32_t topic;
	double score;
	struct {
		const char *text;
		unsigned fields;
	} clauses[3];
};

/* Seven papers under two topics, with the oddities of real ones. */
static const struct sample_paper sample_papers[] = {
	{
		.id = "2609.01234",
		.title = "Sparse retrieval-augmented decoding for small "
			 "language models",
		.title_marks = "retrieval-augmented;language models",
		.abstract =
			"Looks up only the tokens whose entropy is high, and "
			"keeps 97 % of the gain at a fifth of the cost. "
			"Retrieving for every token is wasteful. We show that "
			"the benefit of retrieval-augmented generation "
			"concentrates in a few positions whose predictive "
			"entropy exceeds a learnt threshold τ, with error "
			"O(n⁻¹ᐟ²). A lookup policy trained by distillation "
			"visits 6 % of positions and matches full retrieval "
			"on eleven tasks.",
		.abstract_marks = "retrieval-augmented",
		.authors = "Mira Okafor;Jonas Väisänen;T. Nakagawa;Li Wen;"
			   "R. Castellanos;A. Haddad;P. Banerjee;Y. LeCun;"
			   "I. Sørensen",
		.categories = "cs.CL;cs.LG;stat.ML",
		.score = 9,
		.clauses = {{"retrieval-augmented",
                             CLAUSE_TITLE | CLAUSE_ABSTRACT},
                            {"language model", CLAUSE_TITLE},
                            {"au:\"Y. LeCun\"", CLAUSE_AUTHOR}},
	},
	{
		.id = "2609.01871",
		.title = "What in-context learners forget",
		.title_marks = "",
		.abstract =
			"In-context learning overwrites old examples in a "
			"fixed order that can be predicted from attention "
			"alone. We measure which demonstrations a large "
			"language model still uses after k further examples. "
			"Forgetting follows the α-Rényi divergence between "
			"prompt segments (ρ = 0.91), not recency.",
		.abstract_marks = "large language model",
		.authors = "Ingrid Sørensen;P. Banerjee",
		.categories = "cs.CL",
		.score = 5,
		.clauses = {{"large language model", CLAUSE_ABSTRACT}},
	},
	{
		.id = "2609.03003",
		.title = "*Emphasis*, `code` & <tags>: \"quotes\" in "
			 "[titles](x)",
		.title_marks = "",
		.abstract = "Only one sentence, with a | and a _mark_ in it.",
		.abstract_marks = "_mark_",
		.authors = "Solo Author",
		.categories = "cs.CL;cs.AI",
		.type = ANNOUNCE_CROSS,
		.score = 4,
		.clauses = {{"cat:cs.*", CLAUSE_OTHER}},
	},
	{
		.id = "2601.00077",
		.title = "检索增强的小型语言模型稀疏解码",
		.title_marks = "语言模型",
		.abstract =
			"为每个词元检索是浪费的。我们证明，检索增强生成的收益"
			"集中在少数位置，其预测熵超过一个学习到的阈值。通过蒸馏"
			"训练的查找策略只访问百分之六的位置，并在十一项任务上与"
			"完全检索相当。",
		.abstract_marks = "",
		.authors = "李 文;王 芳;A. Haddad",
		.categories = "cs.CL",
		.type = ANNOUNCE_REPLACE,
		.version = 3,
		.old_version = 2,
		.held = HELD_LATE,
		.score = 3,
	},
	{
		.id = "2609.02210",
		.title = "The gauge structure of lattice fermions at finite θ",
		.title_marks = "gauge;lattice",
		.abstract = "A sign-problem-free formulation reaches θ = π on "
			    "32⁴ lattices. We construct an action whose "
			    "measure stays positive for all θ, and compute "
			    "χ(θ) with errors of 10⁻³. The continuum limit "
			    "a → 0 agrees with large-N predictions.",
		.abstract_marks = "",
		.authors = "E. Brandt;G. Müller;S. Haußer",
		.categories = "hep-lat;hep-th",
		.type = ANNOUNCE_CROSS,
		.topic = 1,
		.score = 7,
		.clauses = {{"ti:lattice", CLAUSE_TITLE},
                            {"gauge theory", CLAUSE_TITLE}},
	},
	{
		.id = "hep-th/9901001",
		.title = "An old identifier",
		.title_marks = "",
		.abstract = "",
		.abstract_marks = "",
		.authors = "",
		.categories = "hep-th",
		.type = ANNOUNCE_REPLACE_CROSS,
		.version = 12,
		.topic = 1,
		.score = 2,
	},
	{
		.id = "2609.04444",
		.title = "Averyveryveryveryveryveryveryveryveryveryveryvery"
			 "veryveryveryveryverylongwordinatitle",
		.title_marks = "",
		.abstract = "See https://example.org/a/very/long/address/that/"
			    "goes/on/and/on/and/on/until/it/is/longer/than/a/"
			    "line for more, e.g. code. 1. Not a list. - Nor "
			    "this.",
		.abstract_marks = "",
		.authors = "X",
		.categories = "hep-lat",
		.topic = 1,
		.score = 1,
	},
};

static inline void sample_add_paper(struct sample *sample,
                                    const struct sample_paper *from)
{
	struct paper *paper =
		sample_add(sample, from->id, from->title, from->abstract);
	struct digest_entry *entry = sample_last(sample);

	sample_split(&paper->authors, from->authors);
	sample_split(&paper->categories, from->categories);
	paper->version = from->version;
	entry->type = from->type;
	entry->old_version = from->old_version;
	entry->held = from->held;
	entry->held_day = from->held ? 20713 : 0; /* Thursday, 17 September */
	entry->topic = from->topic;
	entry->score = from->score;
	sample_mark(&entry->match.title, from->title, from->title_marks);
	sample_mark(&entry->match.abstract, from->abstract,
	            from->abstract_marks);
	for (size_t i = 0; i < 3 && from->clauses[i].text; i++)
		match_add_clause(&entry->match, span_of(from->clauses[i].text),
		                 from->clauses[i].fields);
}

static inline void sample_fill(struct sample *sample)
{
	struct digest *digest = sample->digest;
	size_t n = sizeof(sample_papers) / sizeof(*sample_papers);

	strings_add(&digest->topics, span_of("LLM agents"));
	strings_add(&digest->topics, span_of("Lattice QCD"));
	digest->n_matched = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		sample_add_paper(sample, &sample_papers[i]);
	marks_add(&digest->entries[0].match.authors, 7, 1);
}
