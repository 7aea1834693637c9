/*
 * How long a delivery takes in the store, on the disk that TMPDIR (or /tmp)
 * is on: queueing N digests of 20 papers, then start, dot and end of each, as
 * 16 connections do it.
 *
 *     bench_store [N]
 */

#include <dirent.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/num.h"
#include "store/store.h"

#define N_DELIVERIES 20000
#define N_PAPERS 20
#define N_TOGETHER 16

struct bench {
	struct store *store;
	struct paper *papers[N_PAPERS];
	size_t n;
	struct error err;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(const char *what, const struct bench *bench, double since)
{
	printf("store: %-28s %8.1f us per delivery\n", what,
	       (seconds() - since) * 1e6 / (double)bench->n);
}

static struct paper *make_paper(size_t i)
{
	struct paper *paper = paper_new();

	paper->id = mem_printf("2401.%05zu", i);
	paper->version = 1;
	paper->title = mem_printf(
		"On the %zuth title, of usual length, with "
		"a colon: and a second half",
		i);
	paper->abstract = mem_printf("%1200zu", i);
	paper->title_raw = mem_dup(paper->title);
	paper->abstract_raw = mem_dup(paper->abstract);
	paper->authors_raw = mem_dup("Ada Lovelace, Emmy Noether");
	strings_add(&paper->authors, span_of("Ada Lovelace"));
	strings_add(&paper->authors, span_of("Emmy Noether"));
	strings_add(&paper->categories, span_of("cs.CL"));
	return paper;
}

static int add_papers(struct bench *bench)
{
	owned(mem) struct announcement *announcements =
		mem_array(N_PAPERS, sizeof(*announcements));
	const struct store_batch batch = {"cs.CL", 19800, 1, announcements,
	                                  N_PAPERS};
	struct store_batch_counts counts;

	for (size_t i = 0; i < N_PAPERS; i++) {
		bench->papers[i] = make_paper(i);
		announcements[i].paper = bench->papers[i];
	}
	return store_add_batch(bench->store, &batch, &counts, &bench->err);
}

static struct digest *make_digest(const struct bench *bench, size_t i)
{
	struct digest *digest = digest_new();

	digest->subscriber_id = mem_printf("reader%zu@example.org", i);
	digest->message_id = mem_printf("%032zx@example.org", i);
	strings_add(&digest->topics, span_of(""));
	strings_add(&digest->categories, span_of("cs.*"));
	for (size_t j = 0; j < N_PAPERS; j++) {
		struct digest_entry *entry = digest_add(digest);

		entry->paper = bench->papers[j];
		match_add_clause(&entry->match, span_of("title"), CLAUSE_TITLE);
		marks_add(&entry->match.title, 7, 5);
	}
	return digest;
}

static int queue_one(struct bench *bench, size_t i)
{
	owned(digest) struct digest *digest = make_digest(bench, i);
	const struct store_move move = {0, N_PAPERS};

	if (store_begin_subscriber(bench->store, digest->subscriber_id, 0, 1,
	                           &bench->err) < 0)
		return -1;
	return store_queue_digest(bench->store, digest, digest->subscriber_id,
	                          &move, &bench->err);
}

/* In slices, as the service composes. */
static int queue_all(struct bench *bench)
{
	for (size_t i = 0; i < bench->n; i++) {
		if (i % 100 == 0 && store_begin(bench->store, &bench->err) < 0)
			return -1;
		if (queue_one(bench, i) != STORE_QUEUED)
			return -1;
		if ((i % 100 == 99 || i + 1 == bench->n) &&
		    store_commit(bench->store, &bench->err) < 0)
			return -1;
	}
	return 0;
}

enum step {
	START,
	DOT,
	END,
	STEPS,
};

static int take_step(struct bench *bench, enum step step,
                     const struct store_delivery *delivery)
{
	const struct store_attempt sent = {DELIVERY_SENT, 3, 0, "250 ok"};

	switch (step) {
	case START:
		return store_start_delivery(bench->store, delivery->id,
		                            delivery->address, 2, &bench->err);
	case DOT:
		return store_dot_delivery(bench->store, delivery->id, 2,
		                          &bench->err);
	case END:
	case STEPS:
		break;
	}
	return store_end_delivery(bench->store, delivery->id, &sent,
	                          &bench->err);
}

/*
 * What a turn of the loop records, in one commit: 16 deliveries start while
 * those before them come to the dot and those before these end.
 */
static int take_turn(struct bench *bench, const struct store_deliveries *all,
                     size_t turn)
{
	if (store_begin(bench->store, &bench->err) < 0)
		return -1;
	for (enum step step = START; step < STEPS && step <= turn; step++) {
		size_t i = (turn - step) * N_TOGETHER;

		for (size_t end = i + N_TOGETHER; i < end && i < all->n; i++)
			if (take_step(bench, step, &all->items[i]) < 0)
				return -1;
	}
	return store_commit(bench->store, &bench->err);
}

static int walk_all(struct bench *bench)
{
	const struct store_page whole = {INT64_MAX, 0, 0, bench->n};
	struct store_deliveries all = {0};
	int rc = store_next_deliveries(bench->store, &whole, &all, &bench->err);

	for (size_t turn = 0;
	     rc == 0 && turn * N_TOGETHER < all.n + (STEPS - 1) * N_TOGETHER;
	     turn++)
		rc = take_turn(bench, &all, turn);
	store_deliveries_fini(&all);
	return rc;
}

static int load_all(struct bench *bench)
{
	for (size_t i = 0; i < bench->n; i++) {
		owned(store_digest) struct store_digest *digest = NULL;

		if (store_load_digest(bench->store, (int64_t)i + 1, &digest,
		                      &bench->err) < 0)
			return -1;
	}
	return 0;
}

static int prune_all(struct bench *bench)
{
	bool more = true;

	while (more)
		if (store_prune(bench->store, 1000, 1000, &more, &bench->err) <
		    0)
			return -1;
	return 0;
}

static int run(struct bench *bench, const char *folder)
{
	static const struct {
		const char *what;
		int (*step)(struct bench *bench);
	} steps[] = {
		{"queue a digest of 20 papers", queue_all},
		{"start, dot, end, 16 a turn", walk_all},
		{"load a digest of 20 papers", load_all},
		{"prune", prune_all},
	};

	if (store_open(&bench->store, folder, STORE_WRITE, &bench->err) < 0 ||
	    add_papers(bench) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		double since = seconds();

		if (steps[i].step(bench) < 0)
			return -1;
		report(steps[i].what, bench, since);
	}
	return 0;
}

static void remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry = dir ? readdir(dir) : NULL;

	for (; entry; entry = readdir(dir))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	(void)rmdir(folder);
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	owned(mem) char *folder =
		mem_printf("%s/arxmail-bench-XXXXXX", tmp ? tmp : "/tmp");
	struct bench bench = {.n = N_DELIVERIES};
	uint64_t n = N_DELIVERIES;
	int rc;

	if (argc > 1 && !num_parse(span_of(argv[1]), 1, 10000000, &n)) {
		(void)fprintf(stderr, "usage: bench_store [N]\n");
		return 2;
	}
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	bench.n = (size_t)n;
	rc = run(&bench, folder);
	if (rc < 0)
		(void)fprintf(stderr, "bench_store: %s\n", bench.err.message);
	store_close(bench.store);
	for (size_t i = 0; i < N_PAPERS; i++)
		paper_free(bench.papers[i]);
	remove_folder(folder);
	return rc < 0;
}
