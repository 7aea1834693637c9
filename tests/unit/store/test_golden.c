#include "fixture.h"

#include <glob.h>

#include <sqlite3.h>

#include "base/file.h"

/*
 * Databases of each schema version that was ever released, as SQL. When the
 * schema gets version N, and before that is released, keep one of it, too:
 *
 *     mkdir /tmp/vN
 *     ARXMAIL_KEEP_STORE=/tmp/vN build/release/tests/unit/store/test_golden
 *     { echo 'PRAGMA application_id = 0x6172786D;'
 *       echo 'PRAGMA user_version = N;'
 *       sqlite3 /tmp/vN/arxmail.db .dump; } > tests/golden/store/vN.sql
 *
 * Files of released versions never change.
 */

#define A "2401.00001"
#define B "2401.00002"
#define C "hep-th/9901001"

/* ---- what is in each of them ---- */

static const struct batch batches[] = {
	{"cs.CL", 19800, 1000, {{A, 1, 0}, {B, 1, 1}}},
	{"math.AG", 19801, 2000, {{A, 1, 1}, {A, 2, 2}, {C, 3, 3}}},
};

static const struct {
	struct plan plan;
	struct store_attempt attempt; /* QUEUED: none was made */
} digests[] = {
	{{"ada", "m1@b", 19800, 3000, {{A, 1, 0}, {B, 1, 1}}},
         {DELIVERY_SENT, 3001, 0, "250 2.0.0 ok"}},
	{{"ada", "m2@b", 19801, 4000, {{A, 2, 2}}},
         {DELIVERY_DEFERRED, 4001, 4300, "451 4.3.0 später"}},
	{{"ada", "m3@b", 19802, 5000, {{C, 3, 3}}},
         {DELIVERY_UNKNOWN, 5001, 5300, "lost"}},
	{{"ada", "m4@b", 19803, 6000, {{C, 3, 3}}},
         {DELIVERY_HELD, 6001, 0, "552 full"}},
	{{"ada", "m5@b", 19804, 7000, {{C, 3, 3}}},
         {DELIVERY_FAILED, 7001, 0, "550 nobody"}},
	{{"ada", "m6@b", 19805, 8000, {{C, 3, 3}}},
         {DELIVERY_QUEUED, 0, 0, NULL}},
};

static void enrich(struct digest *digest)
{
	struct digest_entry *entry = &digest->entries[0];

	strings_add(&digest->topics, span_of("Gitter"));
	digest->n_considered = 300;
	digest->n_matched = 3;
	entry->topic = 1;
	entry->old_version = 7;
	entry->score = 1.5;
	match_add_clause(&entry->match, span_of("Müller"), CLAUSE_AUTHOR);
	marks_add(&entry->match.title, 0, 7);
	marks_add(&entry->match.title, 10, 2);
	marks_add(&entry->match.abstract, 4, 8);
	marks_add(&entry->match.authors, 1, 1);
}

static void fill_digest(struct store *store, size_t i)
{
	const struct store_attempt *attempt = &digests[i].attempt;
	owned(store_digest) struct store_digest *made =
		make_digest(&digests[i].plan);
	struct error err = {0};
	int64_t mark = (int64_t)i;

	enrich(made->digest);
	assert_gives(store_queue_digest(store, made->digest, "ada@example.org",
	                                &(struct store_move){mark, mark + 1},
	                                &err),
	             STORE_QUEUED);
	if (attempt->state != DELIVERY_QUEUED)
		deliver(store, get_last(store, "ada").delivery_id, attempt);
}

static void fill(struct store *store)
{
	char etag[] = "\"etag\"";
	struct store_feed feed = {etag, NULL, 2000};
	struct error err = {0};

	for (size_t i = 0; i < N_OF(batches); i++)
		add_batch(store, &batches[i]);
	assert_done(store_set_feed(store, "cs.CL", &feed, &err));
	begin_subscriber(store, "ada");
	for (size_t i = 0; i < N_OF(digests); i++)
		fill_digest(store, i);
	begin_subscriber(store, "emmy");
	assert_done(store_pause_subscriber(store, "emmy", &err));
	set_outcome(store, &(struct store_outcome){
				   {OUTCOME_OF_CATEGORY, "cs.CL", 19800},
				   OUTCOME_FRESH,
				   "2 papers",
				   1000,
				   false});
	set_outcome(store, &(struct store_outcome){
				   {OUTCOME_OF_SUBSCRIBER, "ada", 19800},
				   OUTCOME_SENT,
				   "it's done",
				   3001,
				   false});
}

static void check_papers(struct store *store)
{
	owned(store_candidates) struct store_candidates *all = load_all(store);
	size_t n = 0;

	for (size_t i = 0; i < N_OF(batches); i++) {
		for (size_t j = 0; j < count_keys(batches[i].papers); j++) {
			const struct key *key = &batches[i].papers[j];
			owned(paper) struct paper *wanted =
				make_paper(key->id, key->version);

			assert_true(n < all->n);
			assert_string_equal(all->announcements[n].category,
			                    batches[i].category);
			assert_int_equal(all->announcements[n].day,
			                 batches[i].day);
			assert_int_equal(all->announcements[n].type, key->type);
			assert_same_paper(all->announcements[n++].paper,
			                  wanted);
		}
	}
	assert_int_equal(all->n, n);
}

static void check_feed(struct store *store)
{
	owned(strings) struct strings math = {0};
	struct store_feed feed;
	struct error err = {0};
	int64_t mark = 0;

	assert_done(store_get_feed(store, "cs.CL", &feed, &err));
	assert_string_equal(feed.etag, "\"etag\"");
	assert_null(feed.last_modified);
	assert_int_equal(feed.polled_at, 2000);
	store_feed_fini(&feed);
	strings_add(&math, span_of("math.*"));
	assert_done(store_newest_batch_mark(store, &math, &mark, &err));
	assert_int_equal(mark, 2);
}

static void check_digest(const struct digest *digest, const struct plan *plan)
{
	owned(store_digest) struct store_digest *made = make_digest(plan);
	const struct digest_entry *entry = &digest->entries[0];

	assert_string_equal(digest->subscriber_id, plan->subscriber_id);
	assert_string_equal(digest->message_id, plan->message_id);
	assert_int_equal(digest->day, plan->day);
	assert_int_equal(digest->created_at, plan->created_at);
	assert_string_equal(digest->topics.items[1], "Gitter");
	assert_string_equal(digest->categories.items[0], "cs.*");
	assert_int_equal(digest->n_considered, 300);
	assert_int_equal(digest->n_matched, 3);
	assert_int_equal(digest->n_entries, made->n_papers);
	for (size_t i = 0; i < made->n_papers; i++)
		assert_same_paper(digest->entries[i].paper, made->papers[i]);
	assert_int_equal(entry->type, plan->papers[0].type);
	assert_int_equal(entry->topic, 1);
	assert_int_equal(entry->old_version, 7);
	assert_true(entry->score > 1.4 && entry->score < 1.6);
	assert_string_equal(entry->match.clauses[0].text, "Müller");
	assert_int_equal(entry->match.clauses[0].fields, CLAUSE_AUTHOR);
	assert_int_equal(entry->match.title.n, 2);
	assert_int_equal(entry->match.title.items[1].start, 10);
	assert_int_equal(entry->match.abstract.items[0].len, 8);
	assert_int_equal(entry->match.authors.items[0].start, 1);
}

static void check_delivery(struct store *store, size_t i)
{
	const struct store_attempt *attempt = &digests[i].attempt;
	struct store_delivery delivery = get_delivery(store, (int64_t)i + 1);
	owned(store_digest) struct store_digest *loaded = NULL;
	struct error err = {0};

	assert_string_equal(delivery.subscriber_id, "ada");
	assert_string_equal(delivery.address, "ada@example.org");
	assert_int_equal(delivery.state, attempt->state);
	assert_int_equal(delivery.next_at, attempt->next_at);
	assert_int_equal(delivery.n_attempts,
	                 attempt->state != DELIVERY_QUEUED);
	if (attempt->words)
		assert_string_equal(delivery.last_words, attempt->words);
	assert_done(
		store_load_digest(store, delivery.digest_id, &loaded, &err));
	check_digest(loaded->digest, &digests[i].plan);
	store_delivery_fini(&delivery);
}

static void check_outcomes(struct store *store)
{
	struct store_outcomes list = {0};
	struct error err = {0};

	assert_done(store_list_outcomes(store, 0, &list, &err));
	assert_int_equal(list.n, 2);
	assert_int_equal(list.items[0].outcome, OUTCOME_FRESH);
	assert_int_equal(list.items[1].outcome, OUTCOME_SENT);
	assert_string_equal(list.items[1].reason, "it's done");
	store_outcomes_fini(&list);
}

static void check(struct store *store)
{
	struct store_sent sent = {0};
	struct error err = {0};

	check_papers(store);
	check_feed(store);
	check_outcomes(store);
	for (size_t i = 0; i < N_OF(digests); i++)
		check_delivery(store, i);
	assert_int_equal(get_subscriber(store, "ada").mark, N_OF(digests));
	assert_false(get_subscriber(store, "ada").paused);
	assert_true(get_subscriber(store, "emmy").paused);
	assert_gives(store_get_sent(store, "ada", A, &sent, &err), STORE_FOUND);
	assert_int_equal(sent.version, 2);
	assert_int_equal(sent.day, 19801);
}

/* It can be used, too, and no number is given a second time. */
static void go_on(struct store *store)
{
	static const struct plan next = {
		"ada", "m7@b", 19806, 9000, {{A, 1, 0}}};
	const struct store_attempt sent = {DELIVERY_SENT, 9001, 0, NULL};
	int64_t id = queue(store, &next);

	assert_int_equal(id, N_OF(digests) + 1);
	deliver(store, id, &sent);
	add_batch(store, &(struct batch){"cs.LG", 19806, 9000, {{A, 1, 0}}});
	assert_int_equal(last_seq(store), 6);
}

/* ---- the files ---- */

static void load_sql(const char *path, const char *folder)
{
	owned(buf) struct buf sql = BUF_INIT(1 << 24);
	owned(mem) char *name = mem_printf("%s/arxmail.db", folder);
	struct error err = {0};
	sqlite3 *db = NULL;

	assert_done(file_read(&sql, path, &err));
	(void)remove(name);
	assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
	if (sqlite3_exec(db, buf_str(&sql), NULL, NULL, NULL))
		fail_msg("%s: %s", path, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void opens_the_databases_of_all_versions(void **state)
{
	struct error err = {0};
	glob_t files;

	assert_int_equal(glob("tests/golden/store/v*.sql", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		print_message("%s\n", files.gl_pathv[i]);
		load_sql(files.gl_pathv[i], *state);
		for (int round = 0; round < 2; round++) {
			owned(store) struct store *store = NULL;

			assert_done(
				store_open(&store, *state, STORE_WRITE, &err));
			check(store);
			if (round > 0)
				go_on(store);
		}
	}
	globfree(&files);
}

static void fills_a_store_of_this_version_alike(void **state)
{
	const char *kept = getenv("ARXMAIL_KEEP_STORE");
	owned(store) struct store *store = NULL;
	struct error err = {0};

	assert_done(
		store_open(&store, kept ? kept : *state, STORE_WRITE, &err));
	fill(store);
	check(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_folder(fills_a_store_of_this_version_alike),
		test_in_folder(opens_the_databases_of_all_versions),
	};

	return cmocka_run_group_tests_name("store: versions", tests, NULL,
	                                   NULL);
}
