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

static inline void sample_mark(struct marks *marks, const char *text,
                               const char *word)
{
	const char *at = strstr(text, word);

	assert_non_null(at);
	marks_add(marks, (uint32_t)(at - text), (uint32_t)strlen(word));
}

static inline void sample_split(struct strings *list, const char *text)
{
	struct span rest = span_of(text);
	struct span part;

	while (span_split(&rest, ';', &part))
		strings_add(list, span_trim(part));
}

/* Seven papers under two topics, with the oddities of real ones. */
static inline void sample_fill(struct sample *sample)
{
	struct digest *digest = sample->digest;
	struct digest_entry *entry;
	struct paper *paper;

	strings_add(&digest->topics, span_of("LLM agents"));
	strings_add(&digest->topics, span_of("Lattice QCD"));
	digest->n_matched = 7;

	paper = sample_add(
		sample, "2609.01234",
		"Sparse retrieval-augmented decoding for small language models",
		"Looks up only the tokens whose entropy is high, and keeps "
		"97 % of the gain at a fifth of the cost. Retrieving for every "
		"token is wasteful. We show that the benefit of "
		"retrieval-augmented generation concentrates in a few "
		"positions whose predictive entropy exceeds a learnt "
		"threshold τ, with error O(n⁻¹ᐟ²). A lookup policy trained by "
		"distillation visits 6 % of positions and matches full "
		"retrieval on eleven tasks.");
	sample_split(
		&paper->authors,
		"Mira Okafor;Jonas Väisänen;T. Nakagawa;Li Wen;"
		"R. Castellanos;A. Haddad;P. Banerjee;Y. LeCun;I. Sørensen");
	sample_split(&paper->categories, "cs.CL;cs.LG;stat.ML");
	entry = sample_last(sample);
	entry->score = 9;
	sample_mark(&entry->match.title, paper->title, "retrieval-augmented");
	sample_mark(&entry->match.title, paper->title, "language models");
	sample_mark(&entry->match.abstract, paper->abstract,
	            "retrieval-augmented");
	marks_add(&entry->match.authors, 7, 1);
	match_add_clause(&entry->match, span_of("retrieval-augmented"),
	                 CLAUSE_TITLE | CLAUSE_ABSTRACT);
	match_add_clause(&entry->match, span_of("language model"),
	                 CLAUSE_TITLE);
	match_add_clause(&entry->match, span_of("Y. LeCun"), CLAUSE_AUTHOR);

	paper = sample_add(
		sample, "2609.01871", "What in-context learners forget",
		"In-context learning overwrites old examples in a fixed order "
		"that can be predicted from attention alone. We measure which "
		"demonstrations a large language model still uses after k "
		"further examples. Forgetting follows the α-Rényi divergence "
		"between prompt segments (ρ = 0.91), not recency.");
	sample_split(&paper->authors, "Ingrid Sørensen;P. Banerjee");
	sample_split(&paper->categories, "cs.CL");
	entry = sample_last(sample);
	entry->score = 5;
	sample_mark(&entry->match.abstract, paper->abstract,
	            "large language model");
	match_add_clause(&entry->match, span_of("large language model"),
	                 CLAUSE_ABSTRACT);

	paper = sample_add(
		sample, "2609.03003",
		"*Emphasis*, `code` & <tags>: \"quotes\" in [titles](x)",
		"Only one sentence, with a | and a _mark_ in it.");
	sample_split(&paper->authors, "Solo Author");
	sample_split(&paper->categories, "cs.CL;cs.AI");
	entry = sample_last(sample);
	entry->score = 4;
	entry->type = ANNOUNCE_CROSS;
	sample_mark(&entry->match.abstract, paper->abstract, "_mark_");
	match_add_clause(&entry->match, span_of("cat:cs.*"), CLAUSE_OTHER);

	paper = sample_add(
		sample, "2601.00077", "检索增强的小型语言模型稀疏解码",
		"为每个词元检索是浪费的。我们证明，检索增强生成的收益集中在少数"
		"位置，其预测熵超过一个学习到的阈值。通过蒸馏训练的查找策略只访"
		"问"
		"百分之六的位置，并在十一项任务上与完全检索相当。");
	paper->version = 3;
	sample_split(&paper->authors, "李 文;王 芳;A. Haddad");
	sample_split(&paper->categories, "cs.CL");
	entry = sample_last(sample);
	entry->score = 3;
	entry->type = ANNOUNCE_REPLACE;
	entry->old_version = 2;
	sample_mark(&entry->match.title, paper->title, "语言模型");

	paper = sample_add(
		sample, "2609.02210",
		"The gauge structure of lattice fermions at finite θ",
		"A sign-problem-free formulation reaches θ = π on 32⁴ "
		"lattices. We construct an action whose measure stays "
		"positive for all θ, and compute χ(θ) with errors of 10⁻³. "
		"The continuum limit a → 0 agrees with large-N predictions.");
	sample_split(&paper->authors, "E. Brandt;G. Müller;S. Haußer");
	sample_split(&paper->categories, "hep-lat;hep-th");
	entry = sample_last(sample);
	entry->topic = 1;
	entry->score = 7;
	entry->type = ANNOUNCE_CROSS;
	sample_mark(&entry->match.title, paper->title, "gauge");
	sample_mark(&entry->match.title, paper->title, "lattice");
	match_add_clause(&entry->match, span_of("lattice"), CLAUSE_TITLE);
	match_add_clause(&entry->match, span_of("gauge theory"), CLAUSE_TITLE);

	paper = sample_add(sample, "hep-th/9901001", "An old identifier", "");
	sample_split(&paper->categories, "hep-th");
	entry = sample_last(sample);
	entry->topic = 1;
	entry->score = 2;
	entry->type = ANNOUNCE_REPLACE_CROSS;
	paper->version = 12;

	paper = sample_add(
		sample, "2609.04444",
		"Averyveryveryveryveryveryveryveryveryveryveryveryveryveryvery"
		"veryverylongwordinatitle",
		"See https://example.org/a/very/long/address/that/goes/on/and/"
		"on/and/on/until/it/is/longer/than/a/line for more, e.g. code. "
		"1. Not a list. - Nor this.");
	sample_split(&paper->authors, "X");
	sample_split(&paper->categories, "hep-lat");
	entry = sample_last(sample);
	entry->topic = 1;
	entry->score = 1;
}
