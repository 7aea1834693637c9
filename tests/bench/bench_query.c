/*
 * The matcher at its full size, beside what one might use instead.
 *
 * 100,000 subscribers with 10 phrases each of 100,000 distinct ones, and 1,000
 * papers of 1,400 characters: from compiled queries to every subscriber's
 * ranked list. The words are made so that none is another one's plural, and
 * none is two of them: there a phrase means the same to all. Times are this
 * process's processor time, the best of a few runs.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <hs/hs.h>
#include <pcre2.h>
#include <sqlite3.h>

#include "base/mem.h"
#include "base/num.h"
#include "query/query.h"

#include "corpus.h"

/* What somebody found: how many pairs of phrase and paper, and which. */
struct tally {
	uint64_t n;
	uint64_t sum;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void count(struct tally *tally, uint64_t phrase, uint64_t paper)
{
	uint64_t pair = (phrase * N_PAPERS + paper + 1) * 0x9E3779B97F4A7C15U;

	tally->n++;
	tally->sum += pair ^ pair >> 29;
}

/* ---- this program ---- */

/* The most memory that this process had since the last call, in MB. */
/* "   1234 kB" */
static double read_kib(struct span text)
{
	uint64_t kib = 0;

	text = span_trim(text);
	num_parse(span_first(text, span_find(text, " ")), 0, UINT64_MAX, &kib);
	return (double)kib;
}

static double measure_peak_mb(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	double peak = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmHWM:", 6))
			peak = read_kib(span_of(line + 6)) / 1024;
	if (file)
		fclose(file);
	file = fopen("/proc/self/clear_refs", "we");
	if (file) {
		fputs("5", file);
		fclose(file);
	}
	return peak;
}

struct filters {
	struct query_pool *pool;
	struct query **queries;
	size_t n;
};

static void add_filter(struct filters *filters, char **phrases, size_t n)
{
	struct topic topic = {.keywords = {phrases, n, n}};
	struct error err = {0};

	if (query_from_topic(&filters->queries[filters->n++], filters->pool,
	                     &topic, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(EXIT_FAILURE);
	}
}

static struct filters compile_readers(const struct corpus *corpus, size_t n)
{
	struct filters filters = {query_pool_new(),
	                          mem_array(n, sizeof(struct query *)), 0};

	for (size_t i = 0; i < n; i++) {
		char *phrases[PER_READER];

		for (size_t j = 0; j < PER_READER; j++)
			phrases[j] =
				corpus->phrases[corpus->wishes[i * PER_READER +
			                                       j]];
		add_filter(&filters, phrases, PER_READER);
	}
	return filters;
}

static void free_filters(struct filters *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		query_free(filters->queries[i]);
	free(filters->queries);
	query_pool_free(filters->pool);
}

/* All of a day's work: the index, and each reader's list. */
static double run_once(const struct corpus *corpus,
                       const struct filters *filters, struct tally *ret_tally)
{
	double start = now_ms();
	struct query_index *index =
		query_index_new(filters->pool, corpus->batch, N_PAPERS);
	struct query_results results = {0};

	*ret_tally = (struct tally){0};
	for (size_t i = 0; i < filters->n; i++) {
		query_run(index, filters->queries[i], &results);
		for (size_t j = 0; j < results.n; j++)
			count(ret_tally, i, results.items[j].paper);
	}
	query_results_fini(&results);
	query_index_free(index);
	return now_ms() - start;
}

static double run_readers(const struct corpus *corpus, size_t n,
                          double *ret_compile_ms, double *ret_mb,
                          struct tally *ret_tally)
{
	double before = (measure_peak_mb(), measure_peak_mb());
	double start = now_ms();
	struct filters filters = compile_readers(corpus, n);
	double best;

	*ret_compile_ms = now_ms() - start;
	best = run_once(corpus, &filters, ret_tally);
	*ret_mb = measure_peak_mb() - before;
	for (int i = 1; i < N_RUNS; i++) {
		double ms = run_once(corpus, &filters, ret_tally);

		best = ms < best ? ms : best;
	}
	free_filters(&filters);
	return best;
}

/* Each phrase alone, to be compared with what others find. */
static struct tally find_phrases(struct corpus *corpus)
{
	struct filters filters = {query_pool_new(),
	                          mem_array(N_PHRASES, sizeof(struct query *)),
	                          0};
	struct tally tally;

	for (size_t i = 0; i < N_PHRASES; i++)
		add_filter(&filters, &corpus->phrases[i], 1);
	run_once(corpus, &filters, &tally);
	free_filters(&filters);
	return tally;
}

/* ---- Hyperscan: all phrases at once ---- */

/*
 * Literals, whose ends are looked at here: as expressions with \b they would
 * take minutes to compile.
 */
struct scan {
	const struct corpus *corpus;
	const char *text;
	uint64_t paper;
	uint64_t *last; /* the paper, from 1, in which each was found last */
	struct tally tally;
};

static bool is_inside(char c)
{
	return c >= 'a' && c <= 'z';
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to,
                    unsigned flags, void *ctx)
{
	struct scan *scan = ctx;
	const char *end = scan->text + to;
	const char *start = end - strlen(scan->corpus->phrases[id]);

	(void)from;
	(void)flags;
	if (scan->last[id] == scan->paper + 1 || is_inside(*end) ||
	    (start > scan->text && is_inside(start[-1])))
		return 0;
	scan->last[id] = scan->paper + 1;
	count(&scan->tally, id, scan->paper);
	return 0;
}

static char *join_paper(const struct corpus *corpus, size_t i)
{
	return mem_printf("%s\n%s", corpus->papers[i]->title,
	                  corpus->papers[i]->abstract);
}

static hs_database_t *compile_hyperscan(const struct corpus *corpus)
{
	owned(mem) size_t *lens = mem_array(N_PHRASES, sizeof(*lens));
	owned(mem) unsigned *flags = mem_array(N_PHRASES, sizeof(*flags));
	owned(mem) unsigned *ids = mem_array(N_PHRASES, sizeof(*ids));
	hs_compile_error_t *error = NULL;
	hs_database_t *database = NULL;

	for (unsigned i = 0; i < N_PHRASES; i++) {
		lens[i] = strlen(corpus->phrases[i]);
		flags[i] = HS_FLAG_CASELESS;
		ids[i] = i;
	}
	if (hs_compile_lit_multi((const char *const *)corpus->phrases, flags,
	                         ids, lens, N_PHRASES, HS_MODE_BLOCK, NULL,
	                         &database, &error) != HS_SUCCESS)
		fprintf(stderr, "hyperscan: %s\n", error->message);
	hs_free_compile_error(error);
	return database;
}

static double scan_once(const struct corpus *corpus,
                        const hs_database_t *database, hs_scratch_t *scratch,
                        struct tally *ret_tally)
{
	struct scan scan = {
		.corpus = corpus,
		.last = mem_array(N_PHRASES, sizeof(uint64_t)),
	};
	double start = now_ms();

	for (size_t i = 0; i < N_PAPERS; i++) {
		owned(mem) char *text = join_paper(corpus, i);

		scan.paper = i;
		scan.text = text;
		hs_scan(database, text, (unsigned)strlen(text), 0, scratch,
		        on_match, &scan);
	}
	free(scan.last);
	*ret_tally = scan.tally;
	return now_ms() - start;
}

static double run_hyperscan(const struct corpus *corpus,
                            struct tally *ret_tally)
{
	hs_database_t *database = compile_hyperscan(corpus);
	hs_scratch_t *scratch = NULL;
	double best = 1e9;

	if (!database || hs_alloc_scratch(database, &scratch) != HS_SUCCESS)
		return 0;
	for (int run = 0; run < N_RUNS; run++) {
		double ms = scan_once(corpus, database, scratch, ret_tally);

		best = ms < best ? ms : best;
	}
	hs_free_scratch(scratch);
	hs_free_database(database);
	return best;
}

/* ---- SQLite FTS5: a query for each phrase ---- */

static void insert_papers(sqlite3 *db, const struct corpus *corpus)
{
	sqlite3_stmt *stmt = NULL;

	sqlite3_exec(db, "CREATE VIRTUAL TABLE p USING fts5(t, a)", NULL, NULL,
	             NULL);
	sqlite3_prepare_v2(db, "INSERT INTO p(rowid, t, a) VALUES (?, ?, ?)",
	                   -1, &stmt, NULL);
	for (size_t i = 0; i < N_PAPERS; i++) {
		sqlite3_bind_int64(stmt, 1, (sqlite3_int64)i);
		sqlite3_bind_text(stmt, 2, corpus->papers[i]->title, -1,
		                  SQLITE_STATIC);
		sqlite3_bind_text(stmt, 3, corpus->papers[i]->abstract, -1,
		                  SQLITE_STATIC);
		sqlite3_step(stmt);
		sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
}

static void ask_fts5(sqlite3_stmt *stmt, const struct corpus *corpus,
                     struct tally *tally)
{
	for (size_t i = 0; i < N_PHRASES; i++) {
		owned(mem) char *match =
			mem_printf("\"%s\"", corpus->phrases[i]);

		sqlite3_bind_text(stmt, 1, match, -1, SQLITE_STATIC);
		while (sqlite3_step(stmt) == SQLITE_ROW)
			count(tally, i,
			      (uint64_t)sqlite3_column_int64(stmt, 0));
		sqlite3_reset(stmt);
	}
}

static double run_fts5(const struct corpus *corpus, struct tally *ret_tally)
{
	struct tally tally = {0};
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	double start;
	double ms;

	if (sqlite3_open(":memory:", &db))
		return 0;
	start = now_ms();
	insert_papers(db, corpus);
	sqlite3_prepare_v2(db, "SELECT rowid FROM p WHERE p MATCH ?", -1, &stmt,
	                   NULL);
	ask_fts5(stmt, corpus, &tally);
	ms = now_ms() - start;
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	*ret_tally = tally;
	return ms;
}

/* ---- PCRE2: an expression for each reader ---- */

static pcre2_code *compile_pcre2(const struct corpus *corpus, size_t reader)
{
	owned(buf) struct buf pattern = BUF_INIT(SIZE_MAX);
	PCRE2_SIZE at;
	pcre2_code *code;
	int error;

	for (size_t i = 0; i < PER_READER; i++)
		buf_addf(&pattern, "%s%s", i > 0 ? "|" : "\\b(?:",
		         corpus->phrases[corpus->wishes[reader * PER_READER +
		                                        i]]);
	buf_add_str(&pattern, ")\\b");
	code = pcre2_compile((PCRE2_SPTR)buf_str(&pattern), pattern.len,
	                     PCRE2_CASELESS | PCRE2_UTF, &error, &at, NULL);
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return code;
}

static double run_pcre2(const struct corpus *corpus, struct tally *ret_tally)
{
	struct tally tally = {0};
	double start = now_ms();

	for (size_t i = 0; i < N_SAMPLE; i++) {
		pcre2_code *code = compile_pcre2(corpus, i);
		pcre2_match_data *data =
			pcre2_match_data_create_from_pattern(code, NULL);

		for (size_t j = 0; j < N_PAPERS; j++) {
			owned(mem) char *text = join_paper(corpus, j);

			if (pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0,
			                0, data, NULL) > 0)
				count(&tally, i, j);
		}
		pcre2_match_data_free(data);
		pcre2_code_free(code);
	}
	*ret_tally = tally;
	return now_ms() - start;
}

/* ---- the comparison ---- */

static int report_peer(const char *name, double ms, double our_ms,
                       const struct tally *tally, const struct tally *want)
{
	bool equal = tally->n == want->n && tally->sum == want->sum;

	printf("  %-34s %10.0f ms  %8.1f times ours, %s\n", name, ms,
	       ms / our_ms, equal ? "equal results" : "OTHER RESULTS");
	return equal ? 0 : 1;
}

static const char *judge(double value, double most)
{
	return value <= most ? "" : " MISSED";
}

static double report_ours(const struct corpus *corpus)
{
	struct tally tally;
	double compile_ms;
	double few_ms;
	double ms;
	double mb;

	few_ms = run_readers(corpus, N_FEW, &compile_ms, &mb, &tally);
	printf("%u subscribers, %u papers: %.1f ms (at most 15%s), compiled "
	       "in %.0f ms\n",
	       N_FEW, N_PAPERS, few_ms, judge(few_ms, 15), compile_ms);
	ms = run_readers(corpus, N_READERS, &compile_ms, &mb, &tally);
	printf("%u subscribers, %u distinct phrases: %.0f ms (at most 150%s), "
	       "%.0f MB (at most 60%s), compiled in %.0f ms, %llu matches\n",
	       N_READERS, N_PHRASES, ms, judge(ms, 150), mb, judge(mb, 60),
	       compile_ms, (unsigned long long)tally.n);
	fflush(stdout);
	return ms;
}

static int compare_peers(struct corpus *corpus, double ms)
{
	struct filters sample = compile_readers(corpus, N_SAMPLE);
	struct tally want = find_phrases(corpus);
	struct tally want_sample;
	struct tally got = {0};
	double peer_ms;
	int status;

	run_once(corpus, &sample, &want_sample);
	free_filters(&sample);
	peer_ms = run_hyperscan(corpus, &got);
	status = report_peer("Hyperscan, its scan alone", peer_ms, ms, &got,
	                     &want);
	peer_ms = run_fts5(corpus, &got);
	status |= report_peer("SQLite FTS5, a query a phrase", peer_ms, ms,
	                      &got, &want);
	peer_ms = run_pcre2(corpus, &got);
	status |= report_peer("PCRE2-JIT, scaled from 20 of them",
	                      peer_ms * N_READERS / N_SAMPLE, ms, &got,
	                      &want_sample);
	return status;
}

int main(void)
{
	struct corpus *corpus = make_corpus();
	double ms = report_ours(corpus);
	int status = compare_peers(corpus, ms);

	free_corpus(corpus);
	return status;
}
