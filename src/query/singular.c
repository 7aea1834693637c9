#include "query_private.h"

#define MIN_WORD 4 /* shorter words have no plural: gas, bus, its */

/* Irregular plurals that abstracts are full of. */
static const struct {
	const char *plural;
	const char *singular;
} irregular[] = {
	{"appendices", "appendix"},
	{"automata", "automaton"},
	{"buses", "bus"},
	{"corpora", "corpus"},
	{"criteria", "criterion"},
	{"formulae", "formula"},
	{"gases", "gas"},
	{"indices", "index"},
	{"matrices", "matrix"},
	{"maxima", "maximum"},
	{"minima", "minimum"},
	{"optima", "optimum"},
	{"phenomena", "phenomenon"},
	{"quanta", "quantum"},
	{"quizzes", "quiz"},
	{"simplices", "simplex"},
	{"spectra", "spectrum"},
	{"vertices", "vertex"},
	{"vortices", "vortex"},
};

/* What looks like a plural, or would share a stem, and must not. */
static const char *const singulars[] = {
	"alias", "atlas", "bias",  "canvas", "chaos", "cosmos",
	"does",  "ethos", "goes",  "lens",   "news",  "pancreas",
	"plus",  "texas", "these", "this",   "thus",  "whereas",
};

/* Plurals and what is taken for them end in s, and a few in a or e. */
static bool may_change(struct span word)
{
	return word.len >= MIN_WORD && memchr("aes", word.ptr[word.len - 1], 3);
}

static bool is_singular(struct span word)
{
	for (size_t i = 0; i < sizeof(singulars) / sizeof(*singulars); i++)
		if (span_is(word, singulars[i]))
			return true;
	return false;
}

static const char *find_irregular(struct span word)
{
	for (size_t i = 0; i < sizeof(irregular) / sizeof(*irregular); i++)
		if (span_is(word, irregular[i].plural))
			return irregular[i].singular;
	return NULL;
}

static struct span without(struct span word, size_t n)
{
	return span_first(word, word.len - n);
}

/*
 * What remains without -es, -e or -is after a hiss. Response, responses;
 * virus, viruses; analysis, analyses; cache, caches, but also branch,
 * branches: what follows s and ch goes always, or the two could not meet.
 * Stems of three letters stand: pose must not become POS.
 */
static struct span strip_hiss(struct span word)
{
	static const struct {
		const char *ending;
		size_t n;
		size_t min_stem;
	} endings[] = {
		{"xes", 2, 3}, {"shes", 2, 3}, {"ses", 2, 4}, {"ches", 2, 4},
		{"se", 1, 4},  {"che", 1, 4},  {"sis", 2, 4},
	};

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		if (span_ends(word, endings[i].ending) &&
		    word.len >= endings[i].n + endings[i].min_stem)
			return without(word, endings[i].n);
	return word;
}

/*
 * Not class, corpus, tennis; but gpus and apis: four letters on -us and -is
 * are abbreviations oftener than words.
 */
static bool is_plural(struct span word)
{
	if (!span_ends(word, "s") || span_ends(word, "ss"))
		return false;
	if (span_ends(word, "us") || span_ends(word, "is"))
		return word.len == MIN_WORD;
	return true;
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Has it an ending that may be English? Not 1990s, not другие. */
static bool is_english(struct span word)
{
	return word.len >= MIN_WORD && is_letter(word.ptr[word.len - 1]) &&
	       is_letter(word.ptr[word.len - 2]);
}

/* theories, theory; movies, movie. */
static void add_with_y(struct buf *out, struct span word)
{
	if (word.len >= MIN_WORD && span_ends(word, "ie")) {
		buf_add_span(out, without(word, 2));
		buf_add_char(out, 'y');
		return;
	}
	buf_add_span(out, word);
}

void singular_add(struct buf *out, struct span folded)
{
	const char *singular;
	struct span stem;

	if (!may_change(folded)) {
		buf_add_span(out, folded);
		return;
	}
	singular = find_irregular(folded);
	if (singular) {
		buf_add_str(out, singular);
		return;
	}
	if (!is_english(folded) || is_singular(folded)) {
		buf_add_span(out, folded);
		return;
	}
	stem = strip_hiss(folded);
	if (stem.len < folded.len)
		buf_add_span(out, stem);
	else
		add_with_y(out,
		           is_plural(folded) ? without(folded, 1) : folded);
}
