#include "base/limits.h"
#include "base/mem.h"
#include "store_private.h"

/* ---- queueing ---- */

int store_move_mark(struct store *store, const char *subscriber_id,
                    const struct store_move *move, struct error *err)
{
	if (store_run(
		    store,
		    "UPDATE subscriber SET mark = ?3"
		    " WHERE id = ?1 AND mark = ?2 AND NOT paused",
		    VALUES(TEXT(subscriber_id), INT(move->from), INT(move->to)),
		    err) < 0)
		return -1;
	return store_changed(store) > 0 ? STORE_QUEUED : STORE_MARK_MOVED;
}

/* A digest that is queued, as a row. */
struct new_digest {
	const struct digest *digest;
	int64_t subscriber_no;
	int64_t mark;
};

static int insert_digest(struct store *store, const struct new_digest *row,
                         struct error *err)
{
	const struct digest *digest = row->digest;
	owned(buf) struct buf packed = BUF_INIT(LIMIT_MESSAGE_BYTES);

	store_pack(&packed, digest, row->mark);
	if (packed.failed)
		return error_set(err, ERROR_LIMIT,
		                 "the digest of %s is larger than %u bytes",
		                 digest->subscriber_id, LIMIT_MESSAGE_BYTES);
	return store_run(store,
	                 "INSERT INTO digest (subscriber_no, message_id, day,"
	                 " created_at, packed) VALUES (?1, ?2, ?3, ?4, ?5)",
	                 VALUES(INT(row->subscriber_no),
	                        TEXT(digest->message_id), INT(digest->day),
	                        INT(digest->created_at),
	                        BLOB(buf_span(&packed))),
	                 err);
}

/* A delivery of a digest, as a row. */
struct new_delivery {
	int64_t digest_no;
	int64_t subscriber_no;
	const char *address;
	const char *message_id;
	int64_t at;
};

static int insert_delivery(struct store *store, const struct new_delivery *row,
                           struct error *err)
{
	return store_run(store,
	                 "INSERT INTO delivery (digest_no, subscriber_no,"
	                 " address, message_id, created_at, may_bounce)"
	                 " VALUES (?1, ?2, ?3, ?4, ?5, 1)",
	                 VALUES(INT(row->digest_no), INT(row->subscriber_no),
	                        TEXT(row->address), TEXT(row->message_id),
	                        INT(row->at)),
	                 err);
}

/* Of the digest that is no longer among the newest ones. */
static int forget_bounces(struct store *store, int64_t subscriber_no,
                          struct error *err)
{
	return store_run(store,
	                 "UPDATE delivery SET may_bounce = 0 WHERE digest_no ="
	                 " (SELECT digest_no FROM digest"
	                 "  WHERE subscriber_no = ?1"
	                 "  ORDER BY digest_no DESC LIMIT 1 OFFSET ?2)",
	                 VALUES(INT(subscriber_no), INT(LIMIT_BOUNCE_DIGESTS)),
	                 err);
}

static int add_digest(struct store *store, const struct digest *digest,
                      const char *address, int64_t mark, struct error *err)
{
	struct new_digest row = {digest, 0, mark};

	if (store_subscriber_no(store, digest->subscriber_id,
	                        &row.subscriber_no, err) < 0 ||
	    insert_digest(store, &row, err) < 0)
		return -1;
	if (insert_delivery(store,
	                    &(struct new_delivery){
				    sqlite3_last_insert_rowid(store_db(store)),
				    row.subscriber_no, address,
				    digest->message_id, digest->created_at},
	                    err) < 0)
		return -1;
	return forget_bounces(store, row.subscriber_no, err);
}

int store_queue_digest(struct store *store, const struct digest *digest,
                       const char *address, const struct store_move *move,
                       struct error *err)
{
	bool own;
	int rc;

	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = store_move_mark(store, digest->subscriber_id, move, err);
	if (rc == STORE_QUEUED &&
	    add_digest(store, digest, address, move->to, err) < 0)
		rc = -1;
	return store_end_change(store, own, rc, err);
}

/* ---- reading ---- */

/* Looks for the paper in the packed digest of a row; newer ones came first. */
static int look_into(sqlite3_stmt *row, const char *paper_id,
                     struct store_sent *sent, struct error *err)
{
	owned(mem) struct packed_paper *papers = NULL;
	size_t n = 0;

	if (store_unpack_papers(store_column(row, 0), &papers, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!span_is(papers[i].id, paper_id))
			continue;
		if (sent->version == 0) {
			sent->day = sqlite3_column_int(row, 1);
			sent->digest_id = sqlite3_column_int64(row, 2);
		}
		if (papers[i].version > sent->version)
			sent->version = papers[i].version;
	}
	return 0;
}

/* Digests of earlier marks cannot carry what was not yet announced. */
int store_get_sent(struct store *store, const char *subscriber_id,
                   const char *paper_id, struct store_sent *ret_sent,
                   struct error *err)
{
	sqlite3_stmt *row = NULL;
	struct store_sent sent = {0};
	int64_t first_seq;
	int rc;

	if (store_first_seq(store, paper_id, &first_seq, err) < 0)
		return -1;
	/* 8: cancelled; with a dot it may have arrived all the same */
	if (store_query(store, &row,
	                "SELECT packed, day, digest_no FROM digest"
	                " WHERE subscriber_no ="
	                "  (SELECT subscriber_no FROM subscriber WHERE id = ?1)"
	                " AND EXISTS (SELECT 1 FROM delivery"
	                "  WHERE delivery.digest_no = digest.digest_no"
	                "  AND (state <> 8 OR dot_at > 0))"
	                " ORDER BY digest_no DESC",
	                VALUES(TEXT(subscriber_id)), err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err)) {
		bool too_old =
			store_unpack_mark(store_column(row, 0)) < first_seq;

		if (!too_old && look_into(row, paper_id, &sent, err) == 0)
			continue;
		store_reset(row);
		rc = too_old ? 0 : -1;
		break;
	}
	if (rc < 0 || sent.version == 0)
		return rc < 0 ? -1 : STORE_MISSING;
	*ret_sent = sent;
	return STORE_FOUND;
}

void store_digest_free(struct store_digest *digest)
{
	if (!digest)
		return;
	digest_free(digest->digest);
	for (size_t i = 0; i < digest->n_papers; i++)
		paper_free(digest->papers[i]);
	free(digest->papers);
	free(digest);
}

static int read_paper(struct store *store, const struct packed_paper *packed,
                      struct paper **ret_paper, struct error *err)
{
	sqlite3_stmt *row = NULL;
	owned(mem) char *id = mem_dup_span(packed->id);
	int rc;

	if (store_query(store, &row,
	                "SELECT " PAPER_COLUMNS " FROM paper"
	                " WHERE id = ?1 AND version = ?2",
	                VALUES(TEXT(id), INT(packed->version)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return error_set(err, ERROR_SYSTEM,
		                 "the paper %sv%u of a digest is missing in "
		                 "the database: put a backup in its place",
		                 id, packed->version);
	*ret_paper = store_read_paper(row, 0);
	store_reset(row);
	return 0;
}

/* Many digests of a day have the same papers: each is read once. */
static int load_paper(struct store *store, const struct packed_paper *packed,
                      struct paper **ret_paper, struct error *err)
{
	struct shelf *shelf = store_shelf(store);
	struct paper *paper = shelf_find(shelf, packed);

	if (!paper) {
		if (read_paper(store, packed, &paper, err) < 0)
			return -1;
		shelf_put(shelf, paper);
	}
	*ret_paper = paper_share(paper);
	return 0;
}

static int unpack(struct store *store, struct span packed,
                  struct store_digest *digest, struct error *err)
{
	owned(mem) struct packed_paper *papers = NULL;
	size_t n = 0;

	if (store_unpack_papers(packed, &papers, &n, err) < 0)
		return -1;
	digest->papers = mem_array(n, sizeof(struct paper *));
	for (; digest->n_papers < n; digest->n_papers++)
		if (load_paper(store, &papers[digest->n_papers],
		               &digest->papers[digest->n_papers], err) < 0)
			return -1;
	return store_unpack(packed, digest->papers, digest->digest, err);
}

int store_load_digest(struct store *store, int64_t digest_id,
                      struct store_digest **ret_digest, struct error *err)
{
	owned(store_digest) struct store_digest *digest =
		mem_new(sizeof(*digest));
	sqlite3_stmt *row = NULL;
	int rc;

	digest->digest = digest_new();
	if (store_query(store, &row,
	                "SELECT subscriber.id, message_id, day, created_at,"
	                " packed FROM digest JOIN subscriber"
	                " USING (subscriber_no) WHERE digest_no = ?1",
	                VALUES(INT(digest_id)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc <= 0)
		return rc < 0 ? -1
		              : error_set(err, ERROR_SYSTEM,
		                          "there is no digest %lld in the "
		                          "database",
		                          (long long)digest_id);

	digest->digest->subscriber_id = store_column_dup(row, 0);
	digest->digest->message_id = store_column_dup(row, 1);
	digest->digest->day = sqlite3_column_int(row, 2);
	digest->digest->created_at = sqlite3_column_int64(row, 3);
	rc = unpack(store, store_column(row, 4), digest, err);
	store_reset(row);
	if (rc == 0)
		*ret_digest = take_ptr(digest);
	return rc;
}

int store_last_digest(struct store *store, const char *subscriber_id,
                      struct store_last_digest *ret_last, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT digest_no, delivery_no, state"
	                " FROM digest JOIN delivery USING (digest_no)"
	                " WHERE digest.subscriber_no ="
	                "  (SELECT subscriber_no FROM subscriber WHERE id = ?1)"
	                " ORDER BY digest_no DESC, delivery_no DESC LIMIT 1",
	                VALUES(TEXT(subscriber_id)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc <= 0)
		return rc < 0 ? -1 : STORE_MISSING;
	*ret_last = (struct store_last_digest){
		.digest_id = sqlite3_column_int64(row, 0),
		.delivery_id = sqlite3_column_int64(row, 1),
		.state = store_column_state(row, 2),
	};
	store_reset(row);
	return STORE_FOUND;
}

/* ---- once more ---- */

static int queue_again(struct store *store, int64_t delivery_id,
                       struct error *err)
{
	/* 3 deferred, 4 unknown, 5 held; queued and sending ones stand */
	return store_run(store,
	                 "UPDATE delivery SET state = 0, next_at = 0"
	                 " WHERE delivery_no = ?1 AND state IN (3, 4, 5)",
	                 VALUES(INT(delivery_id)), err);
}

static int deliver_anew(struct store *store, const struct store_again *again,
                        struct error *err)
{
	struct new_delivery row = {
		.digest_no = again->last.digest_id,
		.address = again->address,
		.message_id = again->message_id,
		.at = again->at,
	};

	if (store_number(store,
	                 "SELECT subscriber_no FROM digest"
	                 " WHERE digest_no = ?1",
	                 VALUES(INT(row.digest_no)), &row.subscriber_no,
	                 err) < 0)
		return -1;
	return insert_delivery(store, &row, err);
}

static int requeue(struct store *store, const struct store_again *again,
                   struct error *err)
{
	int64_t state = DELIVERY_CANCELLED;

	if (store_number(store,
	                 "SELECT state FROM delivery WHERE delivery_no = ?1",
	                 VALUES(INT(again->last.delivery_id)), &state, err) < 0)
		return -1;
	switch ((enum delivery_state)state) {
	case DELIVERY_QUEUED:
	case DELIVERY_SENDING:
	case DELIVERY_DEFERRED:
	case DELIVERY_UNKNOWN:
	case DELIVERY_HELD:
		return queue_again(store, again->last.delivery_id, err);
	case DELIVERY_SENT:
	case DELIVERY_FAILED:
	case DELIVERY_SUPERSEDED:
	case DELIVERY_CANCELLED:
	case DELIVERY_STATES:
		break;
	}
	return deliver_anew(store, again, err);
}

int store_requeue_digest(struct store *store, const struct store_again *again,
                         struct error *err)
{
	bool own;
	int rc;

	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = requeue(store, again, err);
	return store_end_change(store, own, rc, err);
}
