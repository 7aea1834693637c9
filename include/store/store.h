#pragma once

/*
 * The store: everything that survives a restart. One SQLite database
 * (state_dir/arxmail.db, WAL, synchronous=FULL), one connection. Each change
 * of state is one function here and one transaction inside it (or part of the
 * one between store_begin() and store_commit()), so a crash between two calls
 * leaves a state from which the next start can go on. No SQL and no sqlite3
 * type leaves src/store/. Several processes may have it open.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "base/strings.h"
#include "model/digest.h"
#include "model/paper.h"
#include "store/outcome.h"

struct store;

enum store_mode {
	STORE_WRITE, /* creates the database, migrates its schema */
	STORE_READ,  /* changes nothing; there must be a database */
};

/*
 * Opens the database in `state_dir`, which exists. Fails with ERROR_LIMIT if
 * a newer version of this program wrote it, ERROR_TEMPORARY if another
 * process keeps it locked, else with a sentence that names the file and what
 * to do. "" as `state_dir`: in memory, for tests.
 */
MUST_CHECK int store_open(struct store **ret_store, const char *state_dir,
                          enum store_mode mode, struct error *err);
void store_close(struct store *store);

OWNED_DEFINE(store, struct store, store_close);

/*
 * Joins the changes until store_commit() into one durable transaction. Not
 * nested. store_rollback() (also after a failed call) undoes them.
 */
MUST_CHECK int store_begin(struct store *store, struct error *err);
MUST_CHECK int store_commit(struct store *store, struct error *err);
void store_rollback(struct store *store);

/*
 * A consistent copy to a new file while others write. It knows that it is one:
 * see store_hold_restored().
 */
MUST_CHECK int store_backup(struct store *store, const char *path,
                            struct error *err);

/* ---- feeds ---- */

struct store_feed {
	char *etag;          /* NULL: none */
	char *last_modified; /* NULL: none */
	int64_t polled_at;   /* last answer of any kind; 0: never */
};

void store_feed_fini(struct store_feed *feed);

/* What is remembered of a category's feed; zeroed if nothing is. */
MUST_CHECK int store_get_feed(struct store *store, const char *category,
                              struct store_feed *ret_feed, struct error *err);
MUST_CHECK int store_set_feed(struct store *store, const char *category,
                              const struct store_feed *feed, struct error *err);

struct store_batch_counts {
	size_t n_new;   /* announcements that were not stored before */
	size_t n_known; /* (category, id, version) stored before */
	size_t n_known_before_day; /* of the known: on an earlier day */
};

/* What a category announced on a day, seen at an instant. Borrowed. */
struct store_batch {
	const char *category;
	int32_t day;
	int64_t at;
	const struct announcement *announcements;
	size_t n;
};

/*
 * Stores a batch: papers that are new, and announcements keyed by (category,
 * id, version). The announcements' seq, category and day fields are ignored.
 * All or nothing.
 */
MUST_CHECK int store_add_batch(struct store *store,
                               const struct store_batch *batch,
                               struct store_batch_counts *ret_counts,
                               struct error *err);

/* ---- candidates ---- */

/* Stored announcements, by seq ascending, and their papers, which it owns. */
struct store_candidates {
	struct announcement *announcements;
	size_t n;
	struct paper **papers; /* each (id, version) once */
	size_t n_papers;
};

void store_candidates_free(struct store_candidates *candidates);
OWNED_DEFINE(store_candidates, struct store_candidates, store_candidates_free);

/* Announcements with seq > `after_seq` stored at `since` or later. */
MUST_CHECK int store_load_candidates(struct store *store, int64_t after_seq,
                                     int64_t since,
                                     struct store_candidates **ret_candidates,
                                     struct error *err);

/* The highest seq in the store; 0 when it is empty. */
MUST_CHECK int store_last_seq(struct store *store, int64_t *ret_seq,
                              struct error *err);

/*
 * Where a new subscriber's mark stands: just before the newest batch of the
 * categories (patterns as in category_matches()), or at the last seq when
 * there is none.
 */
MUST_CHECK int store_newest_batch_mark(struct store *store,
                                       const struct strings *categories,
                                       int64_t *ret_mark, struct error *err);

/*
 * As what the category has announced the paper, in any version: of several
 * types the one that counts. STORE_FOUND or STORE_MISSING.
 */
MUST_CHECK int store_get_announced(struct store *store, const char *category,
                                   const char *paper_id,
                                   enum announce_type *ret_type,
                                   struct error *err);

/* The seq of the paper's first announcement, anywhere; 0 if there is none. */
MUST_CHECK int store_first_seq(struct store *store, const char *paper_id,
                               int64_t *ret_seq, struct error *err);

/* ---- subscribers ---- */

enum store_found {
	STORE_FOUND = 0,
	STORE_MISSING = 1,
};

struct store_subscriber {
	int64_t mark;
	bool paused;          /* paused or removed when last seen */
	int64_t suspended_at; /* 0: not */
	int32_t slot_day;     /* as store_get_slot() gives it; 0: none yet */
};

/*
 * The local day of the last of a subscriber's slots that is done; 0: none yet.
 * STORE_FOUND or STORE_MISSING.
 */
MUST_CHECK int store_get_slot(struct store *store, const char *id,
                              int32_t *ret_day, struct error *err);
/* Makes the subscriber's row, paused as long as it has not begun. */
MUST_CHECK int store_set_slot(struct store *store, const char *id, int32_t day,
                              struct error *err);

/* STORE_FOUND or STORE_MISSING. */
MUST_CHECK int store_get_subscriber(struct store *store, const char *id,
                                    struct store_subscriber *ret_subscriber,
                                    struct error *err);

/* A new or resumed subscriber: sets the mark, lifts the pause. */
MUST_CHECK int store_begin_subscriber(struct store *store, const char *id,
                                      int64_t mark, int64_t at,
                                      struct error *err);
MUST_CHECK int store_pause_subscriber(struct store *store, const char *id,
                                      struct error *err);

/*
 * All subscribers there are now (ids, any order). Of all others open
 * deliveries are cancelled and the pause is set; *ret_cancelled deliveries.
 */
MUST_CHECK int store_keep_subscribers(struct store *store,
                                      const struct strings *ids, int64_t at,
                                      size_t *ret_cancelled, struct error *err);

/* ---- digests ---- */

enum store_queue {
	STORE_QUEUED = 0,
	STORE_MARK_MOVED = 1, /* somebody else was there first; nothing done */
};

/* Where a subscriber's mark is expected, and where it goes. */
struct store_move {
	int64_t from;
	int64_t to;
};

/*
 * A digest, its papers, the moved mark and its queued delivery to `address`,
 * if the subscriber's mark is still where `move` says. `digest` is not kept;
 * its entries' papers must be stored.
 */
MUST_CHECK int store_queue_digest(struct store *store,
                                  const struct digest *digest,
                                  const char *address,
                                  const struct store_move *move,
                                  struct error *err);

/* Nothing matched: only the mark moves. STORE_QUEUED or STORE_MARK_MOVED. */
MUST_CHECK int store_move_mark(struct store *store, const char *subscriber_id,
                               const struct store_move *move,
                               struct error *err);

/* What a subscriber was sent of a paper. */
struct store_sent {
	uint32_t version;  /* the highest */
	int32_t day;       /* of the digest that carried it last */
	int64_t digest_id; /* that one */
};

/*
 * What the subscriber's digests carried of the paper (deliveries cancelled
 * before they were sent do not count). STORE_FOUND or STORE_MISSING.
 */
MUST_CHECK int store_get_sent(struct store *store, const char *subscriber_id,
                              const char *paper_id, struct store_sent *ret_sent,
                              struct error *err);

/* A digest with the papers it points to. */
struct store_digest {
	struct digest *digest;
	struct paper **papers;
	size_t n_papers;
};

void store_digest_free(struct store_digest *digest);
OWNED_DEFINE(store_digest, struct store_digest, store_digest_free);

MUST_CHECK int store_load_digest(struct store *store, int64_t digest_id,
                                 struct store_digest **ret_digest,
                                 struct error *err);

enum delivery_state {
	DELIVERY_QUEUED,
	DELIVERY_SENDING,
	DELIVERY_SENT,
	DELIVERY_DEFERRED,
	DELIVERY_UNKNOWN, /* lost after the dot; is sent again like deferred */
	DELIVERY_HELD,
	DELIVERY_FAILED,
	DELIVERY_SUPERSEDED,
	DELIVERY_CANCELLED,
	DELIVERY_STATES,
};

/* The subscriber's newest digest and its delivery's state. */
struct store_last_digest {
	int64_t digest_id;
	int64_t delivery_id;
	enum delivery_state state;
};

/* STORE_FOUND or STORE_MISSING. */
MUST_CHECK int store_last_digest(struct store *store, const char *subscriber_id,
                                 struct store_last_digest *ret_last,
                                 struct error *err);

/* ---- deliveries ---- */

const char *delivery_state_name(enum delivery_state state);

struct store_delivery {
	int64_t id;
	int64_t digest_id;
	char *subscriber_id;
	char *address;
	char *message_id;
	enum delivery_state state;
	uint32_t n_attempts;
	int64_t created_at;
	int64_t next_at;  /* deferred, unknown: not before */
	char *last_words; /* the last outcome's sentence; NULL: none */
};

void store_delivery_fini(struct store_delivery *delivery);

struct store_deliveries {
	struct store_delivery *items;
	size_t n;
	size_t capacity;
};

void store_deliveries_fini(struct store_deliveries *deliveries);

/* Which deliveries to list. */
struct store_page {
	int64_t now;      /* whose next_at has passed */
	int64_t after_at; /* those behind the one with this next_at */
	int64_t after_id; /* and this id; both 0: from the beginning */
	size_t limit;
};

/* Queued, deferred and unknown deliveries that may go, by next_at and id. */
MUST_CHECK int store_next_deliveries(struct store *store,
                                     const struct store_page *page,
                                     struct store_deliveries *ret_deliveries,
                                     struct error *err);

/* Those that are due at `now` or being sent, oldest first. */
MUST_CHECK int store_list_pending(struct store *store, int64_t now,
                                  struct store_deliveries *ret_deliveries,
                                  struct error *err);

/*
 * When the first of them may go; 0 while one is being sent, which may be a dead
 * sender's. STORE_FOUND, or STORE_MISSING: none is open.
 */
MUST_CHECK int store_next_due(struct store *store, int64_t *ret_at,
                              struct error *err);

/*
 * The subscriber's open deliveries that provably did not arrive, oldest first:
 * their papers may travel with the next digest.
 */
MUST_CHECK int store_list_undelivered(struct store *store,
                                      const char *subscriber_id,
                                      struct store_deliveries *ret_deliveries,
                                      struct error *err);

/* One of those: its papers are in a later digest now. */
MUST_CHECK int store_supersede_delivery(struct store *store, int64_t id,
                                        int64_t at, struct error *err);

/* Open deliveries are due at once: the subscriber's; of all, if it is NULL. */
MUST_CHECK int store_hasten_deliveries(struct store *store,
                                       const char *subscriber_id,
                                       struct error *err);

/* It is not looked at before `next_at`; nothing is counted. */
MUST_CHECK int store_postpone_delivery(struct store *store, int64_t id,
                                       int64_t next_at, struct error *err);

/* One delivery; STORE_FOUND or STORE_MISSING. */
MUST_CHECK int store_get_delivery(struct store *store, int64_t id,
                                  struct store_delivery *ret_delivery,
                                  struct error *err);

/*
 * It is being sent from now on; the address may have changed. STORE_FOUND, or
 * STORE_MISSING: it is not open any more (superseded, cancelled).
 */
MUST_CHECK int store_start_delivery(struct store *store, int64_t id,
                                    const char *address, int64_t at,
                                    struct error *err);

/* The final dot is about to be sent. */
MUST_CHECK int store_dot_delivery(struct store *store, int64_t id, int64_t at,
                                  struct error *err);

/* How an attempt ended. */
struct store_attempt {
	enum delivery_state state; /* SENT, DEFERRED, UNKNOWN, HELD, FAILED, or
	                              QUEUED: handed back, nothing counted */
	int64_t at;
	int64_t next_at;
	const char *words; /* NULL: none */
};

/*
 * A delivery that may have arrived once stays `unknown` where others go back
 * to `queued` or `deferred`.
 */
MUST_CHECK int store_end_delivery(struct store *store, int64_t id,
                                  const struct store_attempt *attempt,
                                  struct error *err);

/*
 * A failed one is queued again, for `next_at`: the refusal was not about its
 * recipient.
 */
MUST_CHECK int store_reopen_delivery(struct store *store, int64_t id,
                                     int64_t next_at, struct error *err);

/*
 * For who has just got the send lock: `sending` rows of a dead sender go back
 * to queued if their dot was not sent, else to unknown (or held, with
 * `hold`). *ret_n_unknown of the latter.
 */
MUST_CHECK int store_recover_deliveries(struct store *store, int64_t at,
                                        bool hold, size_t *ret_n_unknown,
                                        struct error *err);

/*
 * For who has just got the send lock, before store_recover_deliveries(): if a
 * backup was put in the database's place, what it has open for longer than
 * LIMIT_RESTORED_SEC may have been sent since, and is held. STORE_FOUND (once)
 * if it is a backup, STORE_MISSING otherwise.
 */
MUST_CHECK int store_hold_restored(struct store *store, int64_t at,
                                   size_t *ret_n_held, struct error *err);

/* The relay refuses everybody: since when, and when it is asked again. */
struct store_trouble {
	int64_t since; /* 0: there is none */
	int64_t next_at;
	char *words;
};

void store_trouble_fini(struct store_trouble *trouble);

/* A trouble that is known keeps its `since`. */
MUST_CHECK int store_set_trouble(struct store *store,
                                 const struct store_trouble *trouble,
                                 struct error *err);
/* STORE_FOUND or STORE_MISSING. */
MUST_CHECK int store_get_trouble(struct store *store,
                                 struct store_trouble *ret_trouble,
                                 struct error *err);

/* A digest that is to be sent once more. */
struct store_again {
	struct store_last_digest last;
	const char *address;
	const char *message_id; /* of a new delivery */
	int64_t at;
};

/*
 * The last digest once more: a delivery that was sent (or failed, cancelled,
 * superseded) gets a new one with `message_id`; a held, unknown or deferred
 * one is queued again as it is.
 */
MUST_CHECK int store_requeue_digest(struct store *store,
                                    const struct store_again *again,
                                    struct error *err);

/* How many are in each state; ended well (sent, superseded, cancelled): 0. */
struct store_queue_counts {
	uint64_t n[DELIVERY_STATES];
};

MUST_CHECK int store_count_deliveries(struct store *store,
                                      struct store_queue_counts *ret_counts,
                                      struct error *err);

/*
 * Deliveries that need a look, newest first: deferred, unknown, held and failed
 * ones, and queued ones that were handed back with a reason.
 */
MUST_CHECK int store_list_deliveries(struct store *store, size_t limit,
                                     struct store_deliveries *ret_deliveries,
                                     struct error *err);
/* All of one digest, oldest first. */
MUST_CHECK int store_list_deliveries_of(struct store *store, int64_t digest_id,
                                        struct store_deliveries *ret_deliveries,
                                        struct error *err);

/* The queue, for people. */
struct store_queue_view {
	int64_t oldest_at[DELIVERY_STATES]; /* created then; 0: none is in it */
	int64_t next_at;      /* when the next may go; 0: none, or at once */
	uint64_t n_sent_hour; /* in the last hour */
	uint64_t n_sent_day;  /* in the last 24 hours */
	char *last_words;     /* the relay's, of the newest attempts; or NULL */
};

void store_queue_view_fini(struct store_queue_view *view);

MUST_CHECK int store_view_queue(struct store *store, int64_t now,
                                struct store_queue_view *ret_view,
                                struct error *err);

/* ---- refused addresses ---- */

/* A delivery that its address refused for good, at once or by a bounce. */
struct store_refusal {
	int64_t delivery_id;
	const char *words; /* the server's */
	int64_t at;
};

enum store_refused {
	STORE_REFUSED = 0,
	STORE_SUSPENDED_NOW = 1,   /* and so LIMIT_REFUSALS in a row */
	STORE_REFUSED_ALREADY = 2, /* nothing done: it was counted before */
};

/*
 * The delivery has failed and counts against its address. Refused digests are
 * in a row if none between them was sent without coming back, so nothing has
 * to be told when one arrives. An enum store_refused. Fails with
 * ERROR_TEMPORARY while it is being sent.
 */
MUST_CHECK int store_note_refusal(struct store *store,
                                  const struct store_refusal *refusal,
                                  struct error *err);

/*
 * Is the subscriber suspended, and not for another address than this one (as
 * store_start_delivery() got it)?
 */
MUST_CHECK int store_is_suspended(struct store *store,
                                  const char *subscriber_id,
                                  const char *address, bool *ret_suspended,
                                  struct error *err);

/* Earlier refusals count no more. STORE_FOUND, or STORE_MISSING: not
   suspended. */
MUST_CHECK int store_lift_suspension(struct store *store,
                                     const char *subscriber_id,
                                     struct error *err);

struct store_suspended {
	char *subscriber_id;
	char *address;
	char *words; /* the last refusal's */
	int64_t since;
};

struct store_suspended_list {
	struct store_suspended *items;
	size_t n;
	size_t capacity;
};

void store_suspended_list_fini(struct store_suspended_list *list);

/* All who are suspended, by id. */
MUST_CHECK int store_list_suspended(struct store *store,
                                    struct store_suspended_list *ret_list,
                                    struct error *err);

/*
 * The delivery with this Message-ID (32 hexadecimal digits, perhaps `@` and
 * the domain) if it is of one of the subscriber's LIMIT_BOUNCE_DIGESTS newest
 * digests. STORE_FOUND or STORE_MISSING.
 */
MUST_CHECK int store_find_by_message_id(struct store *store,
                                        const char *message_id,
                                        struct store_delivery *ret_delivery,
                                        struct error *err);

/* ---- retention ---- */

/*
 * Deletes papers, announcements, outcomes and digests with ended deliveries
 * that are older than `before`, at most `max_rows` of each; *ret_more says
 * whether there are others. The newest digest of a subscriber and the papers
 * of every kept digest stay; other papers go some days after their time, and
 * outcomes 60 days after it.
 */
MUST_CHECK int store_prune(struct store *store, int64_t before, size_t max_rows,
                           bool *ret_more, struct error *err);

/* Appends the name and version of SQLite. */
void store_add_library(struct buf *out);
