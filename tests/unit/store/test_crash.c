#include "fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../disk.h"

/*
 * A child does a short day's work and is killed at its first write to a file,
 * then another at its second, and so on until one gets through. Whatever one
 * leaves, the next process finds a state that is whole and finishes the work.
 * The same with a disk that is full from the first write on, and so on.
 */

#define A "2401.00001"
#define B "2401.00002"
#define C "2401.00003"
#define D "2401.00004"
#define MAX_WRITES 2000
#define N_DELIVERIES 3

/* What happened outside of the database: shared with the children. */
struct world {
	struct disk disk;
	int64_t seq;                  /* batches up to here were claimed */
	int64_t mark;                 /* as was this mark */
	int64_t n_queued;             /* digests that were claimed */
	bool claimed[N_DELIVERIES];   /* as sent */
	int n_messages[N_DELIVERIES]; /* that a server got */
};

static struct world *world;

/* ---- the world ---- */

static int make_world(void **state)
{
	(void)state;
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE,
	             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return world == MAP_FAILED || disk_begin(&world->disk);
}

static int end_world(void **state)
{
	(void)state;
	return disk_end() || munmap(world, sizeof(*world));
}

/* ---- the work, as the service does it: what is done is not done again ---- */

static const struct batch batches[] = {
	{"cs.CL", 10, 100, {{A, 1, 0}, {B, 1, 0}}},
	{"cs.CL", 11, 200, {{C, 1, 0}, {A, 2, 2}, {D, 1, 1}}},
};

/* Each is queued at the mark that it begins at, and not else. */
static const struct {
	struct plan plan;
	struct store_move move;
} digests[N_DELIVERIES] = {
	{{"ada", "m1@b", 10, 160, {{A, 1, 0}, {B, 1, 0}}}, {0, 2}},
	{{"ada", "m2@b", 11, 210, {{C, 1, 0}}}, {2, 4}},
	{{"ada", "m3@b", 11, 211, {{D, 1, 1}}}, {4, 5}},
};

static int add(struct store *store, size_t i, struct error *err)
{
	struct store_feed feed = {NULL, NULL, batches[i].at};
	struct store_batch_counts counts;
	struct store_feed known;

	if (store_get_feed(store, "cs.CL", &known, err) < 0)
		return -1;
	if (known.polled_at >= feed.polled_at)
		return 0;
	if (store_begin(store, err) < 0 ||
	    try_batch(store, &batches[i], &counts, err) < 0 ||
	    store_set_feed(store, "cs.CL", &feed, err) < 0 ||
	    store_commit(store, err) < 0)
		return -1;
	return store_last_seq(store, &world->seq, err);
}

static int subscribe(struct store *store, struct error *err)
{
	struct store_subscriber ada;
	int rc = store_get_subscriber(store, "ada", &ada, err);

	if (rc == STORE_MISSING)
		rc = store_begin_subscriber(store, "ada", 0, 100, err);
	return rc;
}

static int enqueue(struct store *store, size_t i, struct error *err)
{
	int rc = try_queue(store, &digests[i].plan, digests[i].move.from,
	                   digests[i].move.to, err);

	if (rc == STORE_QUEUED) {
		world->mark = digests[i].move.to;
		world->n_queued++;
	}
	return rc < 0 ? -1 : 0;
}

static int send_one(struct store *store, const struct store_delivery *delivery,
                    struct error *err)
{
	const struct store_attempt sent = {DELIVERY_SENT, 300, 0, "250"};
	size_t i = (size_t)delivery->id - 1;

	if (store_start_delivery(store, delivery->id, "a@b", 300, err) != 0 ||
	    store_dot_delivery(store, delivery->id, 300, err) < 0)
		return -1;
	world->n_messages[i]++;
	if (store_end_delivery(store, delivery->id, &sent, err) < 0)
		return -1;
	world->claimed[i] = true;
	return 0;
}

static int send_all(struct store *store, struct error *err)
{
	struct store_deliveries page = {0};
	int rc = store_next_deliveries(
		store, &(struct store_page){INT64_MAX, 0, 0, 100}, &page, err);

	for (size_t i = 0; i < page.n && rc == 0; i++)
		rc = send_one(store, &page.items[i], err);
	store_deliveries_fini(&page);
	return rc;
}

static int work(const char *folder, size_t *ret_n_unknown, struct error *err)
{
	owned(store) struct store *store = NULL;
	bool more;

	if (store_open(&store, folder, STORE_WRITE, err) < 0 ||
	    store_recover_deliveries(store, 300, false, ret_n_unknown, err) <
	            0 ||
	    add(store, 0, err) < 0 || subscribe(store, err) < 0 ||
	    enqueue(store, 0, err) < 0 || send_all(store, err) < 0 ||
	    add(store, 1, err) < 0 || enqueue(store, 1, err) < 0 ||
	    enqueue(store, 2, err) < 0 || send_all(store, err) < 0)
		return -1;
	return store_prune(store, 150, 100, &more, err);
}

/* ---- what must hold ---- */

/* True if it got through before its kill. */
static bool work_until(const char *folder, int n_writes)
{
	int status = -1;
	pid_t child;

	*world = (struct world){.disk.writes_left = n_writes};
	child = fork();
	if (child == 0) {
		struct error err = {0};
		size_t n = 0;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(work(folder, &n, &err) < 0);
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	if (!WIFSTOPPED(status)) {
		assert_int_equal(status, 0);
		return true;
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return false;
}

/* The mark and the digests up to it are one. */
static void check_digests(struct store *store, int64_t mark)
{
	uint64_t n_found = 0;

	for (size_t i = 0; i < N_DELIVERIES; i++) {
		struct store_delivery delivery = {0};
		struct error err = {0};
		int found = store_get_delivery(store, (int64_t)i + 1, &delivery,
		                               &err);

		assert_int_equal(found == STORE_FOUND,
		                 mark >= digests[i].move.to);
		if (found != STORE_FOUND)
			continue;
		n_found++;
		assert_string_equal(delivery.message_id,
		                    digests[i].plan.message_id);
		if (world->claimed[i])
			assert_int_equal(delivery.state, DELIVERY_SENT);
		if (delivery.state == DELIVERY_SENT)
			assert_int_equal(world->n_messages[i], 1);
		if (delivery.state == DELIVERY_QUEUED)
			assert_int_equal(world->n_messages[i], 0);
		store_delivery_fini(&delivery);
	}
	assert_true(n_found >= (uint64_t)world->n_queued);
}

/* As `arxmail status` does it right after. */
static void check_reader(const char *folder)
{
	owned(store) struct store *store = NULL;
	struct error err = {0};

	if (store_open(&store, folder, STORE_READ, &err) == 0)
		assert_true(last_seq(store) >= world->seq);
	else
		assert_int_equal(world->seq, 0);
}

/* What was claimed is there; what was not is there whole, or not at all. */
static void check_what_is_left(const char *folder)
{
	owned(store) struct store *store = NULL;
	struct store_subscriber ada = {0};
	struct store_feed feed = {0};
	struct error err = {0};
	int64_t seq;

	assert_done(store_open(&store, folder, STORE_WRITE, &err));
	assert_true(store_get_subscriber(store, "ada", &ada, &err) >= 0);
	assert_done(store_get_feed(store, "cs.CL", &feed, &err));
	seq = last_seq(store);
	assert_true(seq >= world->seq);
	assert_true(ada.mark >= world->mark);
	assert_true(seq == 0 || seq == 2 || seq == 5);
	assert_int_equal(feed.polled_at, seq == 0 ? 0 : seq == 2 ? 100 : 200);
	check_digests(store, ada.mark);
	store_feed_fini(&feed);
}

static void check_end(const char *folder)
{
	owned(store) struct store *store = NULL;
	struct error err = {0};

	assert_done(store_open(&store, folder, STORE_READ, &err));
	assert_int_equal(last_seq(store), 5);
	assert_int_equal(get_subscriber(store, "ada").mark, 5);
	for (int64_t id = 1; id <= N_DELIVERIES; id++) {
		owned(store_digest) struct store_digest *loaded = NULL;
		struct store_delivery delivery = get_delivery(store, id);

		assert_int_equal(delivery.state, DELIVERY_SENT);
		assert_done(store_load_digest(store, delivery.digest_id,
		                              &loaded, &err));
		store_delivery_fini(&delivery);
	}
}

/* The next process finishes what the one before could not. */
static void finish(const char *folder)
{
	struct error err = {0};
	size_t n_unknown = 0;
	int n_again = 0;

	world->disk.writes_left = -1;
	check_reader(folder);
	check_what_is_left(folder);
	assert_done(work(folder, &n_unknown, &err));
	check_end(folder);
	for (size_t i = 0; i < N_DELIVERIES; i++) {
		assert_true(world->n_messages[i] >= 1);
		n_again += world->n_messages[i] - 1;
	}
	assert_true(n_again <= (int)n_unknown && n_unknown <= 1);
}

static void finishes_what_a_killed_process_began(void **state)
{
	bool through = false;
	int n = 0;

	(void)state;
	while (!through) {
		void *folder;

		assert_int_equal(make_folder(&folder), 0);
		assert_true(++n < MAX_WRITES);
		through = work_until(folder, n);
		finish(folder);
		assert_int_equal(remove_folder(&folder), 0);
	}
	/* Or it was no test. */
	assert_true(n > 50);
}

static void finishes_what_a_bad_disk_stopped(void **state)
{
	static const struct {
		int fault;
		const char *word;
	} cases[] = {
		{SQLITE_FULL, "disk is full"},
		{SQLITE_IOERR, "disk I/O error"},
	};

	(void)state;
	for (int n = 1; n < 2 * 90; n++) {
		struct error err = {0};
		size_t n_unknown;
		void *folder;

		*world = (struct world){.disk = {.writes_left = (n + 1) / 2,
		                                 .fault = cases[n % 2].fault}};
		assert_int_equal(make_folder(&folder), 0);
		assert_int_equal(work(folder, &n_unknown, &err), -1);
		assert_non_null(strstr(err.message, "arxmail.db: "));
		assert_non_null(strstr(err.message, cases[n % 2].word));
		finish(folder);
		assert_int_equal(remove_folder(&folder), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finishes_what_a_killed_process_began),
		cmocka_unit_test(finishes_what_a_bad_disk_stopped),
	};

	return cmocka_run_group_tests_name("store: crash", tests, make_world,
	                                   end_world);
}
