#pragma once

/*
 * What the store's tests share: a folder of their own, short descriptions of
 * batches and digests, comparisons. static inline, since each test is a
 * program and uses a part of it.
 */

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "store/store.h"

#define N_OF(array) (sizeof(array) / sizeof(*(array)))
#define MAX_KEYS 8

/* These three use the caller's `struct error err`. */
#define assert_gives(call, outcome)                                     \
	do {                                                            \
		const int rc_ = (call);                                 \
		if (rc_ != (int)(outcome))                              \
			fail_msg("%s: gives %d: %s", #call, rc_,        \
			         rc_ < 0 ? err.message : "an outcome"); \
	} while (0)
#define assert_done(call) assert_gives(call, 0)
#define assert_fails(call)                                  \
	do {                                                \
		err = (struct error){0};                    \
		assert_int_equal(call, -1);                 \
		assert_int_not_equal(err.kind, ERROR_NONE); \
		assert_string_not_equal(err.message, "");   \
	} while (0)

/* ---- a folder, and a store in memory, as *state ---- */

static inline int make_folder(void **state)
{
	*state = mem_dup("/tmp/arxmail-test-XXXXXX");
	return mkdtemp(*state) ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *info,
                             int type, struct FTW *at)
{
	(void)info;
	(void)type;
	(void)at;
	return remove(path);
}

static inline int remove_folder(void **state)
{
	owned(mem) char *folder = *state;

	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int open_in_memory(void **state)
{
	struct error err = {0};

	return store_open((struct store **)state, "", STORE_WRITE, &err);
}

static inline int close_store(void **state)
{
	store_close(*state);
	return 0;
}

#define test_in_folder(function) \
	cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
#define test_in_memory(function) \
	cmocka_unit_test_setup_teardown(function, open_in_memory, close_store)

/* ---- papers ---- */

/* A list of these ends where id is NULL. */
struct key {
	const char *id;
	uint32_t version;
	enum announce_type type;
};

static inline size_t count_keys(const struct key *keys)
{
	size_t n = 0;

	while (n < MAX_KEYS && keys[n].id)
		n++;
	return n;
}

static inline struct paper *make_paper(const char *id, uint32_t version)
{
	struct paper *paper = paper_new();

	paper->id = mem_dup(id);
	paper->version = version;
	paper->title = mem_printf("Müller's \"title\" of %s, %u", id, version);
	paper->abstract = mem_printf("The abstract of %s.", id);
	strings_add(&paper->authors, span_of("Jörg Müller"));
	strings_add(&paper->authors, span_of("李明, Jr."));
	paper->title_raw = mem_printf("M\\\"uller's title\nof %s", id);
	paper->abstract_raw = mem_printf("arXiv:%s\nThe  abstract.", id);
	paper->authors_raw = mem_dup("J\\\"org M\\\"uller, Li Ming, Jr.");
	strings_add(&paper->categories, span_of("cs.CL"));
	strings_add(&paper->categories, span_of("math.AG"));
	return paper;
}

static inline void assert_same_strings(const struct strings *a,
                                       const struct strings *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_string_equal(a->items[i], b->items[i]);
}

static inline void assert_same_paper(const struct paper *a,
                                     const struct paper *b)
{
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->version, b->version);
	assert_string_equal(a->title, b->title);
	assert_string_equal(a->abstract, b->abstract);
	assert_same_strings(&a->authors, &b->authors);
	assert_string_equal(a->title_raw, b->title_raw);
	assert_string_equal(a->abstract_raw, b->abstract_raw);
	assert_string_equal(a->authors_raw, b->authors_raw);
	assert_same_strings(&a->categories, &b->categories);
}

/* ---- batches ---- */

struct batch {
	const char *category;
	int32_t day;
	int64_t at;
	struct key papers[MAX_KEYS];
};

/* What store_add_batch() returned; no assertions, for children too. */
static inline int try_batch(struct store *store, const struct batch *batch,
                            struct store_batch_counts *ret_counts,
                            struct error *err)
{
	struct announcement announcements[MAX_KEYS] = {0};
	size_t n = count_keys(batch->papers);
	int rc;

	for (size_t i = 0; i < n; i++) {
		const struct key *key = &batch->papers[i];

		announcements[i].paper = make_paper(key->id, key->version);
		announcements[i].type = key->type;
	}
	rc = store_add_batch(store,
	                     &(struct store_batch){batch->category, batch->day,
	                                           batch->at, announcements, n},
	                     ret_counts, err);
	for (size_t i = 0; i < n; i++)
		paper_free(announcements[i].paper);
	return rc;
}

static inline struct store_batch_counts add_batch(struct store *store,
                                                  const struct batch *batch)
{
	struct store_batch_counts counts = {0};
	struct error err = {0};

	assert_done(try_batch(store, batch, &counts, &err));
	return counts;
}

static inline int64_t last_seq(struct store *store)
{
	struct error err = {0};
	int64_t seq = -1;

	assert_done(store_last_seq(store, &seq, &err));
	return seq;
}

static inline struct store_candidates *load_all(struct store *store)
{
	struct store_candidates *candidates = NULL;
	struct error err = {0};

	assert_done(store_load_candidates(store, 0, 0, &candidates, &err));
	return candidates;
}

/* ---- digests ---- */

struct plan {
	const char *subscriber_id;
	const char *message_id;
	int32_t day;
	int64_t created_at;
	struct key papers[MAX_KEYS];
};

/* A digest with papers of its own, as the store loads one. */
static inline struct store_digest *make_digest(const struct plan *plan)
{
	struct store_digest *made = mem_new(sizeof(*made));
	struct digest *digest = digest_new();

	made->digest = digest;
	made->n_papers = count_keys(plan->papers);
	made->papers = mem_array(made->n_papers, sizeof(struct paper *));
	digest->subscriber_id = mem_dup(plan->subscriber_id);
	digest->message_id = mem_dup(plan->message_id);
	digest->day = plan->day;
	digest->created_at = plan->created_at;
	strings_add(&digest->topics, span_of(""));
	strings_add(&digest->categories, span_of("cs.*"));
	for (size_t i = 0; i < made->n_papers; i++) {
		struct digest_entry *entry = digest_add(digest);

		made->papers[i] =
			make_paper(plan->papers[i].id, plan->papers[i].version);
		entry->paper = made->papers[i];
		entry->type = plan->papers[i].type;
	}
	return made;
}

/* What store_queue_digest() returned; no assertions, for children too. */
static inline int try_queue(struct store *store, const struct plan *plan,
                            int64_t from, int64_t to, struct error *err)
{
	owned(store_digest) struct store_digest *made = make_digest(plan);

	return store_queue_digest(store, made->digest, "ada@example.org",
	                          &(struct store_move){from, to}, err);
}

static inline void begin_subscriber(struct store *store, const char *id)
{
	struct error err = {0};

	assert_done(store_begin_subscriber(store, id, 0, 1000, &err));
}

static inline struct store_subscriber get_subscriber(struct store *store,
                                                     const char *id)
{
	struct store_subscriber subscriber = {0};
	struct error err = {0};

	assert_gives(store_get_subscriber(store, id, &subscriber, &err),
	             STORE_FOUND);
	return subscriber;
}

static inline struct store_last_digest get_last(struct store *store,
                                                const char *subscriber_id)
{
	struct store_last_digest last = {0};
	struct error err = {0};

	assert_gives(store_last_digest(store, subscriber_id, &last, &err),
	             STORE_FOUND);
	return last;
}

/* Queues it at the subscriber's mark, which moves by one: its delivery. */
static inline int64_t queue(struct store *store, const struct plan *plan)
{
	int64_t mark = get_subscriber(store, plan->subscriber_id).mark;
	struct error err = {0};

	assert_gives(try_queue(store, plan, mark, mark + 1, &err),
	             STORE_QUEUED);
	return get_last(store, plan->subscriber_id).delivery_id;
}

/* ---- outcomes ---- */

static inline void set_outcome(struct store *store,
                               const struct store_outcome *outcome)
{
	struct error err = {0};

	assert_done(store_set_outcome(store, outcome, &err));
}

/* ---- deliveries ---- */

/* Starts it, sends the dot and ends it so, all at `at`. */
static inline void deliver(struct store *store, int64_t id,
                           const struct store_attempt *attempt)
{
	struct error err = {0};

	assert_done(store_start_delivery(store, id, "ada@example.org",
	                                 attempt->at, &err));
	assert_done(store_dot_delivery(store, id, attempt->at, &err));
	assert_done(store_end_delivery(store, id, attempt, &err));
}

/* The delivery, which the caller finishes. */
static inline struct store_delivery get_delivery(struct store *store,
                                                 int64_t id)
{
	struct store_delivery delivery = {0};
	struct error err = {0};

	assert_gives(store_get_delivery(store, id, &delivery, &err),
	             STORE_FOUND);
	return delivery;
}

static inline enum delivery_state state_of(struct store *store, int64_t id)
{
	struct store_delivery delivery = get_delivery(store, id);
	enum delivery_state state = delivery.state;

	store_delivery_fini(&delivery);
	return state;
}

static inline struct store_queue_counts count_states(struct store *store)
{
	struct store_queue_counts counts = {0};
	struct error err = {0};

	assert_done(store_count_deliveries(store, &counts, &err));
	return counts;
}

static inline uint64_t count_deliveries(struct store *store)
{
	struct store_queue_counts counts = count_states(store);
	uint64_t n = 0;

	for (size_t i = 0; i < DELIVERY_STATES; i++)
		n += counts.n[i];
	return n;
}
