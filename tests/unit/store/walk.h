#pragma once

/*
 * For tests of damaged databases: a store with a bit of everything, and a walk
 * that reads all of it and uses all that it reads. A disk can lie: whatever
 * is in the file, the store answers or says what is wrong, and what it
 * answers is safe to use.
 */

#include <sqlite3.h>

#include "fixture.h"

#define A "2401.00001"
#define B "2401.00002"

static const struct plan plan = {
	"ada", "m1@example.org", 10, 1000, {{A, 1, 0}, {B, 2, 2}}};

/* ---- a store with a bit of everything ---- */

static inline void queue_marked_digest(struct store *store)
{
	owned(store_digest) struct store_digest *made = make_digest(&plan);
	struct match *match = &made->digest->entries[0].match;
	struct error err = {0};

	made->digest->entries[1].score = 2.5;
	match_add_clause(match, span_of("title"), CLAUSE_TITLE);
	match_add_clause(match, span_of("Müller"), CLAUSE_AUTHOR);
	marks_add(&match->title, 0, 8);
	marks_add(&match->title, 12, 5);
	marks_add(&match->abstract, 4, 8);
	marks_add(&match->authors, 1, 1);
	assert_gives(store_queue_digest(store, made->digest, "a@b",
	                                &(struct store_move){0, 2}, &err),
	             STORE_QUEUED);
}

static inline void fill(const char *folder)
{
	const struct store_attempt later = {DELIVERY_DEFERRED, 5, 6, "451"};
	owned(store) struct store *store = NULL;
	struct store_feed feed = {NULL, NULL, 5};
	struct error err = {0};

	assert_done(store_open(&store, folder, STORE_WRITE, &err));
	assert_done(store_set_feed(store, "cs.CL", &feed, &err));
	add_batch(store,
	          &(struct batch){"cs.CL", 10, 100, {{A, 1, 0}, {B, 2, 2}}});
	add_batch(store, &(struct batch){"math.AG", 10, 101, {{A, 1, 1}}});
	begin_subscriber(store, "ada");
	queue_marked_digest(store);
	deliver(store, 1, &later);
	queue(store, &plan);
	set_outcome(store,
	            &(struct store_outcome){{OUTCOME_OF_CATEGORY, "cs.CL", 10},
	                                    OUTCOME_FRESH,
	                                    "2 papers",
	                                    100,
	                                    false});
}

/* ---- reading all of it ---- */

struct walk {
	struct store *store;
	struct error err;
	size_t weight; /* of the texts, so that all are looked at */
	size_t n_failed;
};

/* What failed says so; returns whether it did not. */
static inline bool went_well(struct walk *walk, int rc)
{
	if (rc < 0) {
		assert_int_not_equal(walk->err.kind, ERROR_NONE);
		assert_string_not_equal(walk->err.message, "");
		walk->err = (struct error){0};
		walk->n_failed++;
	}
	return rc == 0;
}

static inline void weigh(struct walk *walk, const char *text)
{
	assert_non_null(text);
	walk->weight += strlen(text);
}

static inline void weigh_strings(struct walk *walk, const struct strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		weigh(walk, list->items[i]);
}

static inline void weigh_paper(struct walk *walk, const struct paper *paper)
{
	weigh(walk, paper->id);
	weigh(walk, paper->title);
	weigh(walk, paper->abstract);
	weigh(walk, paper->title_raw);
	weigh(walk, paper->abstract_raw);
	weigh(walk, paper->authors_raw);
	weigh_strings(walk, &paper->authors);
	weigh_strings(walk, &paper->categories);
}

static inline void check_marks(const struct marks *marks, size_t max)
{
	uint64_t end = 0;

	for (size_t i = 0; i < marks->n; i++) {
		assert_true(marks->items[i].start >= end);
		end = (uint64_t)marks->items[i].start + marks->items[i].len;
		assert_true(end <= max);
	}
}

static inline void check_digest(struct walk *walk, const struct digest *digest)
{
	weigh(walk, digest->subscriber_id);
	weigh(walk, digest->message_id);
	weigh_strings(walk, &digest->topics);
	weigh_strings(walk, &digest->categories);
	for (size_t i = 0; i < digest->n_entries; i++) {
		const struct digest_entry *entry = &digest->entries[i];
		const struct match *match = &entry->match;

		weigh_paper(walk, entry->paper);
		weigh(walk, announce_type_name(entry->type));
		assert_true(entry->topic < digest->topics.n);
		for (size_t j = 0; j < match->n_clauses; j++)
			weigh(walk, match->clauses[j].text);
		check_marks(&match->title, strlen(entry->paper->title));
		check_marks(&match->abstract, strlen(entry->paper->abstract));
		check_marks(&match->authors, entry->paper->authors.n);
	}
}

static inline void walk_papers(struct walk *walk)
{
	owned(store_candidates) struct store_candidates *found = NULL;
	int64_t seq;

	(void)went_well(walk, store_last_seq(walk->store, &seq, &walk->err));
	(void)went_well(walk,
	                store_first_seq(walk->store, A, &seq, &walk->err));
	if (!went_well(walk, store_load_candidates(walk->store, 0, 0, &found,
	                                           &walk->err)))
		return;
	for (size_t i = 0; i < found->n; i++) {
		const struct announcement *item = &found->announcements[i];

		weigh(walk, item->category);
		assert_in_range(item->type, 0, ANNOUNCE_TYPES - 1);
		weigh_paper(walk, item->paper);
	}
}

static inline void walk_feeds(struct walk *walk)
{
	owned(strings) struct strings patterns = {0};
	struct store_feed feed = {0};
	struct store_outcomes outcomes = {0};
	const struct store_day day = {OUTCOME_OF_CATEGORY, "cs.CL", 10};
	enum outcome outcome;
	int64_t mark;

	strings_add(&patterns, span_of("cs.*"));
	if (went_well(walk,
	              store_get_feed(walk->store, "cs.CL", &feed, &walk->err)))
		store_feed_fini(&feed);
	(void)went_well(walk, store_newest_batch_mark(walk->store, &patterns,
	                                              &mark, &walk->err));
	if (went_well(walk, store_get_outcome(walk->store, &day, &outcome,
	                                      &walk->err)))
		weigh(walk, outcome_name(outcome));
	if (!went_well(walk, store_list_outcomes(walk->store, 0, &outcomes,
	                                         &walk->err)))
		return;
	for (size_t i = 0; i < outcomes.n; i++) {
		assert_in_range(outcomes.items[i].of_day.of, 0, 1);
		weigh(walk, outcomes.items[i].of_day.name);
		weigh(walk, outcomes.items[i].reason);
		weigh(walk, outcome_name(outcomes.items[i].outcome));
	}
	store_outcomes_fini(&outcomes);
}

static inline void walk_digests(struct walk *walk)
{
	struct store_subscriber subscriber;
	struct store_last_digest last;
	struct store_sent sent;

	(void)went_well(walk, store_get_subscriber(walk->store, "ada",
	                                           &subscriber, &walk->err));
	(void)went_well(
		walk, store_get_sent(walk->store, "ada", B, &sent, &walk->err));
	if (went_well(walk,
	              store_last_digest(walk->store, "ada", &last, &walk->err)))
		assert_in_range(last.state, 0, DELIVERY_STATES - 1);
	for (int64_t id = 0; id < 4; id++) {
		owned(store_digest) struct store_digest *digest = NULL;

		if (went_well(walk, store_load_digest(walk->store, id, &digest,
		                                      &walk->err)))
			check_digest(walk, digest->digest);
	}
}

static inline void check_delivery(struct walk *walk,
                                  const struct store_delivery *delivery)
{
	assert_in_range(delivery->state, 0, DELIVERY_STATES - 1);
	weigh(walk, delivery->subscriber_id);
	weigh(walk, delivery->address);
	weigh(walk, delivery->message_id);
}

static inline void check_list(struct walk *walk, int rc,
                              struct store_deliveries *list)
{
	if (!went_well(walk, rc))
		return;
	for (size_t i = 0; i < list->n; i++)
		check_delivery(walk, &list->items[i]);
	store_deliveries_fini(list);
}

static inline void walk_deliveries(struct walk *walk)
{
	struct store_deliveries list = {0};
	struct store_queue_counts counts;

	check_list(walk,
	           store_next_deliveries(
			   walk->store,
			   &(struct store_page){INT64_MAX, 0, 0, 100}, &list,
			   &walk->err),
	           &list);
	check_list(walk,
	           store_list_deliveries(walk->store, 100, &list, &walk->err),
	           &list);
	(void)went_well(
		walk, store_count_deliveries(walk->store, &counts, &walk->err));
	for (int64_t id = 0; id < 4; id++) {
		struct store_delivery delivery = {0};

		if (!went_well(walk, store_get_delivery(walk->store, id,
		                                        &delivery, &walk->err)))
			continue;
		check_delivery(walk, &delivery);
		store_delivery_fini(&delivery);
	}
}

static inline void walk_writes(struct walk *walk)
{
	struct strings nobody = {0};
	struct store_batch_counts counts;
	size_t n;
	bool more;

	(void)went_well(
		walk, try_batch(walk->store,
	                        &(struct batch){"cs.CL", 11, 200, {{B, 3, 2}}},
	                        &counts, &walk->err));
	(void)went_well(walk, store_recover_deliveries(walk->store, 9, false,
	                                               &n, &walk->err));
	(void)went_well(walk, store_keep_subscribers(walk->store, &nobody, 9,
	                                             &n, &walk->err));
	(void)went_well(walk, store_prune(walk->store, INT64_C(1) << 40, 100,
	                                  &more, &walk->err));
}

/* Opens it, reads all of it; with STORE_WRITE writes, too. */
static inline size_t walk_all(const char *folder, enum store_mode mode)
{
	owned(mem) char *path = mem_printf("%s/arxmail.db", folder);
	owned(store) struct store *store = NULL;
	struct walk walk = {0};

	if (store_open(&store, folder, mode, &walk.err) < 0) {
		assert_non_null(strstr(walk.err.message, path));
		return 1;
	}
	walk.store = store;
	walk_papers(&walk);
	walk_feeds(&walk);
	walk_digests(&walk);
	walk_deliveries(&walk);
	if (mode == STORE_WRITE)
		walk_writes(&walk);
	return walk.n_failed;
}

/* ---- behind the store's back ---- */

static inline sqlite3 *open_database(const char *folder)
{
	owned(mem) char *path = mem_printf("%s/arxmail.db", folder);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL),
		SQLITE_OK);
	return db;
}
