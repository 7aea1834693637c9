/*
 * How fast digests become messages: 10,000 of 20 papers each out of 1,000,
 * for 200 different filters, from the entries to the finished MIME message.
 *
 *     bench_digest [FOLDER]
 *
 * writes the digests' Markdown into FOLDER, for others to be measured with,
 * and ends with the line "RATE N": digests a second.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmark.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "digest/render.h"
#include "mail/message.h"
#include "model/day.h"

#define N_DIGESTS 10000
#define N_PAPERS 1000
#define N_FILTERS 200
#define N_SHOWN 20
#define N_TOPICS 2
#define N_COLD 500
#define N_MARKDOWN 50
#define CACHE_BYTES (64U * LIMIT_MIB)
#define TARGET 3000
#define CREATED_AT 1790000000

static const char *const words[] = {
	"attention",  "Bayesian",   "benchmark",   "calibration", "causal",
	"clustering", "compressed", "convex",      "corpora",     "decoding",
	"density",    "diffusion",  "distilled",   "embedding",   "entropy",
	"estimation", "fairness",   "federated",   "fine-tuning", "forecast",
	"gaussian",   "generation", "gradient",    "grammar",     "hashing",
	"inference",  "kernel",     "knowledge",   "language",    "latent",
	"lattice",    "manifold",   "memory",      "mixture",     "model",
	"molecules",  "network",    "noise",       "optimal",     "parsing",
	"planning",   "policy",     "privacy",     "prompting",   "proteins",
	"pruning",    "quantum",    "query",       "ranking",     "reasoning",
	"regression", "retrieval",  "robots",      "sampling",    "scaling",
	"semantic",   "sequence",   "sparse",      "spectral",    "speech",
	"structured", "symbolic",   "temporal",    "tensor",      "tokens",
	"topology",   "transfer",   "transformer", "uncertainty", "vision",
	"of",         "the",        "for",         "with",        "in",
	"from",       "and",        "by",          "(SOTA)",      "91.4%",
	"α-Rényi",    "$O(n^2)$",   "Schrödinger", "e.g.,",       "on",
};

#define N_WORDS (sizeof(words) / sizeof(*words))
/* The first ones are what filters look for. */
#define N_KEYWORDS 70

struct bench {
	struct digest_templates *templates;
	struct digest_language *language;
	struct digest_cache *cache;
	struct mail_sender sender;
	struct paper *papers[N_PAPERS];
	struct digest *digests[N_FILTERS];
	uint64_t bytes; /* of all messages */
	uint64_t seed;
};

/* Of one core, also where others keep the machine busy. */
static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Resident now. */
static double megabytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128] = "";
	struct span rest = {line, 0};
	struct span field = SPAN_NONE;
	uint64_t pages = 0;

	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	rest = span_of(line);
	for (int i = 0; i < 2; i++)
		span_split(&rest, ' ', &field);
	num_parse(field, 0, UINT64_MAX, &pages);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / LIMIT_MIB;
}

/* Park and Miller's generator: the same numbers everywhere. */
static size_t draw(struct bench *bench, size_t n)
{
	bench->seed = bench->seed * 16807 % 2147483647;
	return (size_t)bench->seed % n;
}

static void add_words(struct buf *out, struct bench *bench, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%s", i ? " " : "",
		         words[draw(bench, N_WORDS)]);
}

/* About as long as real ones. */
static struct paper *make_paper(struct bench *bench, size_t number)
{
	struct paper *paper = paper_new();
	owned(buf) struct buf title = BUF_INIT(LIMIT_TITLE_BYTES);
	owned(buf) struct buf abstract = BUF_INIT(LIMIT_ABSTRACT_BYTES);

	buf_add_str(&title, "On ");
	add_words(&title, bench, 9);
	for (size_t i = 0; i < 7; i++) {
		buf_addf(&abstract, "%sWe show ", i ? " " : "");
		add_words(&abstract, bench, 23);
		buf_add_char(&abstract, '.');
	}
	paper->id = mem_printf("2609.%05zu", number);
	paper->version = 1;
	paper->title = mem_dup(buf_str(&title));
	paper->abstract = mem_dup(buf_str(&abstract));
	for (size_t i = 0; i < 4; i++) {
		owned(mem) char *name =
			mem_printf("Zoë Writer%zu", draw(bench, 400));

		strings_add(&paper->authors, span_of(name));
	}
	strings_add(&paper->categories, span_of("cs.CL"));
	strings_add(&paper->categories, span_of("cs.LG"));
	return paper;
}

static unsigned mark_word(struct marks *marks, const char *text,
                          const char *word, unsigned field)
{
	const char *at = strstr(text, word);

	if (!at)
		return 0;
	marks_add(marks, (uint32_t)(at - text), (uint32_t)strlen(word));
	return field;
}

/* The entry as if three words had been looked for. */
static void match_words(struct digest_entry *entry, size_t filter)
{
	for (size_t i = 0; i < 3; i++) {
		const char *word = words[(filter * 3 + i * 11) % N_KEYWORDS];
		unsigned fields =
			mark_word(&entry->match.title, entry->paper->title,
		                  word, CLAUSE_TITLE);

		if (entry->match.abstract.n == 0)
			fields |= mark_word(&entry->match.abstract,
			                    entry->paper->abstract, word,
			                    CLAUSE_ABSTRACT);
		if (fields)
			match_add_clause(&entry->match, span_of(word), fields);
		entry->match.title.n = entry->match.title.n > 0;
	}
}

static struct digest *make_digest(struct bench *bench, size_t filter)
{
	struct digest *digest = digest_new();

	digest->day = day_from_date(2026, 9, 22);
	digest->created_at = CREATED_AT;
	digest->n_considered = N_PAPERS;
	digest->n_matched = N_SHOWN + 3;
	strings_add(&digest->topics, span_of("LLM agents"));
	strings_add(&digest->topics, span_of("lattice QCD"));
	strings_add(&digest->categories, span_of("cs.CL"));
	strings_add(&digest->categories, span_of("cs.*"));
	for (size_t i = 0; i < N_SHOWN; i++) {
		struct digest_entry *entry = digest_add(digest);

		entry->paper = bench->papers[draw(bench, N_PAPERS)];
		entry->topic = (uint32_t)(i * N_TOPICS / N_SHOWN);
		entry->score = (double)draw(bench, 10);
		match_words(entry, filter);
	}
	return digest;
}

/* The built-in file, whose values are on one line each. */
static struct digest_language *read_language(void)
{
	struct digest_language *language = digest_language_new("en");
	struct span rest = digest_builtin("strings/en.conf");
	struct span line;

	while (span_split(&rest, '\n', &line)) {
		size_t equals = span_find(line, " = \"");

		if (equals == line.len || span_starts(line, "//"))
			continue;

		owned(mem) char *key =
			mem_dup_span(span_trim(span_first(line, equals)));
		owned(mem) char *value =
			mem_dup_span(span_skip(line, equals + 4));

		value[strlen(value) - 2] = '\0';
		digest_language_set(language, key, value);
	}
	return language;
}

static int set_up(struct bench *bench, struct error *err)
{
	owned(strings) struct strings problems = {0};

	bench->seed = 20261122;
	bench->language = read_language();
	bench->sender.from.name = mem_dup("arXiv digest");
	bench->sender.from.address = mem_dup("digest@example.org");
	bench->sender.unsubscribe = mem_dup("mailto:digest@example.org");
	bench->sender.list_id = mem_dup("example.org");
	for (size_t i = 0; i < N_PAPERS; i++)
		bench->papers[i] = make_paper(bench, i);
	for (size_t i = 0; i < N_FILTERS; i++)
		bench->digests[i] = make_digest(bench, i);
	return digest_templates_load(&bench->templates, NULL, &problems, err);
}

static void tear_down(struct bench *bench)
{
	digest_cache_free(bench->cache);
	digest_templates_free(bench->templates);
	digest_language_free(bench->language);
	mail_sender_fini(&bench->sender);
	for (size_t i = 0; i < N_PAPERS; i++)
		paper_free(bench->papers[i]);
	for (size_t i = 0; i < N_FILTERS; i++)
		digest_free(bench->digests[i]);
}

static int write_message(struct bench *bench, size_t i, struct error *err)
{
	owned(mem) char *name = mem_printf("Reader %zu", i);
	owned(mem) char *address = mem_printf("reader%zu@example.org", i);
	owned(mem) char *id = mem_printf("%032zx@example.org", i);
	owned(digest_parts) struct digest_parts parts = {0};
	owned(buf) struct buf message = BUF_INIT(LIMIT_MESSAGE_BYTES);
	const struct digest_frame frame = {
		.templates = bench->templates,
		.language = bench->language,
		.cache = bench->cache,
		.quoted = true,
		.name = name,
		.unsubscribe = bench->sender.unsubscribe,
		.contact = "admin@example.org",
	};
	struct mail_message mail = {
		.sender = &bench->sender,
		.to_name = name,
		.to_address = address,
		.message_id = id,
		.language = "en",
		.date = CREATED_AT,
		.utc_offset_sec = 7200,
	};

	if (digest_render(&parts, &frame, bench->digests[i % N_FILTERS], err) <
	    0)
		return -1;
	mail.subject = parts.subject;
	mail.text = parts.text;
	mail.html = parts.html;
	mail.text_quoted = parts.text_quoted;
	mail.html_quoted = parts.html_quoted;
	if (mail_build(&message, &mail, err) < 0)
		return -1;
	bench->bytes += message.len;
	return 0;
}

/* Digests a second, or 0. */
static double write_messages(struct bench *bench, size_t n, struct error *err)
{
	double begin = seconds();

	bench->bytes = 0;
	for (size_t i = 0; i < n; i++)
		if (write_message(bench, i, err) < 0)
			return 0;
	return (double)n / (seconds() - begin);
}

/* The Markdown of one filter's digest, as document.md has it. */
static char *make_markdown(const struct bench *bench, size_t filter,
                           struct error *err)
{
	const struct digest_frame frame = {
		.templates = bench->templates,
		.language = bench->language,
		.unsubscribe = bench->sender.unsubscribe,
		.contact = "admin@example.org",
	};
	char *markdown = NULL;

	if (digest_render_document(&markdown, &frame, bench->digests[filter],
	                           err) < 0)
		return NULL;
	return markdown;
}

static int write_file(const char *folder, size_t i, const char *text)
{
	owned(mem) char *path = mem_printf("%s/%zu.md", folder, i);
	FILE *file = fopen(path, "we");

	if (!file)
		return -1;
	fputs(text, file);
	return fclose(file);
}

/* cmark's digests a second with the same papers, from Markdown to HTML. */
static double measure_cmark(const struct bench *bench, const char *folder,
                            struct error *err)
{
	double spent = 0;

	for (size_t i = 0; i < N_MARKDOWN; i++) {
		owned(mem) char *markdown = make_markdown(bench, i, err);
		double begin = seconds();

		if (!markdown ||
		    (folder && write_file(folder, i, markdown) < 0))
			return 0;
		begin = seconds();
		free(cmark_markdown_to_html(markdown, strlen(markdown),
		                            CMARK_OPT_DEFAULT));
		spent += seconds() - begin;
	}
	return N_MARKDOWN / spent;
}

static int run(struct bench *bench, const char *folder, struct error *err)
{
	double before = megabytes();
	double cold = write_messages(bench, N_COLD, err);
	double first;
	double after_first;
	double rate;
	double cmark;

	bench->cache = digest_cache_new(CACHE_BYTES);
	first = write_messages(bench, N_FILTERS, err);
	after_first = megabytes();
	rate = write_messages(bench, N_DIGESTS, err);
	cmark = measure_cmark(bench, folder, err);
	if (cold == 0 || first == 0 || rate == 0 || cmark == 0)
		return -1;
	printf("digest: %zu B a message of %d papers\n",
	       (size_t)(bench->bytes / N_DIGESTS), N_SHOWN);
	printf("digest: each made anew       %8.0f a second\n", cold);
	printf("digest: first of each filter %8.0f a second\n", first);
	printf("digest: %d in all         %8.0f a second (target %d: %s)\n",
	       N_DIGESTS, rate, TARGET, rate >= TARGET ? "met" : "NOT met");
	printf("digest: memory %.1f MB before, %.1f after %d, %.1f after %d\n",
	       before, after_first, N_FILTERS, megabytes(), N_DIGESTS);
	printf("digest: cmark alone, to HTML %8.0f a second\n", cmark);
	printf("RATE %.0f\n", rate);
	return 0;
}

int main(int argc, char **argv)
{
	static struct bench bench;
	struct error err = {.message = "cannot write the Markdown"};
	int outcome = set_up(&bench, &err);

	if (outcome == 0)
		outcome = run(&bench, argc > 1 ? argv[1] : NULL, &err);
	if (outcome != 0)
		fprintf(stderr, "bench_digest: %s\n", err.message);
	tear_down(&bench);
	return outcome != 0;
}
