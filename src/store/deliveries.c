#include "base/mem.h"
#include "store_private.h"

/* No attempt lies further ahead: the longest of smtp.retry_min, and more. */
#define FARTHEST_NEXT_SEC (15 * 86400)

static const char *const state_names[DELIVERY_STATES] = {
	[DELIVERY_QUEUED] = "queued",
	[DELIVERY_SENDING] = "sending",
	[DELIVERY_SENT] = "sent",
	[DELIVERY_DEFERRED] = "deferred",
	[DELIVERY_UNKNOWN] = "unknown",
	[DELIVERY_HELD] = "held",
	[DELIVERY_FAILED] = "failed",
	[DELIVERY_SUPERSEDED] = "superseded",
	[DELIVERY_CANCELLED] = "cancelled",
};

/* The numbers stand in the database and in the SQL below. */
_Static_assert(DELIVERY_QUEUED == 0 && DELIVERY_SENDING == 1 &&
                       DELIVERY_SENT == 2 && DELIVERY_DEFERRED == 3 &&
                       DELIVERY_UNKNOWN == 4 && DELIVERY_HELD == 5 &&
                       DELIVERY_FAILED == 6 && DELIVERY_SUPERSEDED == 7 &&
                       DELIVERY_CANCELLED == 8,
               "stored numbers");

const char *delivery_state_name(enum delivery_state state)
{
	return state_names[state];
}

void store_delivery_fini(struct store_delivery *delivery)
{
	free(delivery->subscriber_id);
	free(delivery->address);
	free(delivery->message_id);
	free(delivery->last_words);
	*delivery = (struct store_delivery){0};
}

void store_deliveries_fini(struct store_deliveries *deliveries)
{
	for (size_t i = 0; i < deliveries->n; i++)
		store_delivery_fini(&deliveries->items[i]);
	free(deliveries->items);
	*deliveries = (struct store_deliveries){0};
}

/* ---- reading ---- */

enum delivery_state store_column_state(sqlite3_stmt *row, int column)
{
	int64_t state = sqlite3_column_int64(row, column);

	if (state < 0 || state >= DELIVERY_STATES)
		return DELIVERY_HELD;
	return (enum delivery_state)state;
}

#define DELIVERY_ROWS                                                        \
	"SELECT delivery_no, digest_no, subscriber.id, address, message_id," \
	" state, n_attempts, created_at, next_at, words"                     \
	" FROM delivery JOIN subscriber USING (subscriber_no)"

static struct store_delivery read_delivery(sqlite3_stmt *row)
{
	return (struct store_delivery){
		.id = sqlite3_column_int64(row, 0),
		.digest_id = sqlite3_column_int64(row, 1),
		.subscriber_id = store_column_dup(row, 2),
		.address = store_column_dup(row, 3),
		.message_id = store_column_dup(row, 4),
		.state = store_column_state(row, 5),
		.n_attempts = (uint32_t)sqlite3_column_int64(row, 6),
		.created_at = sqlite3_column_int64(row, 7),
		.next_at = sqlite3_column_int64(row, 8),
		.last_words = store_column_dup_null(row, 9),
	};
}

static int read_list(struct store *store, const char *sql, struct values values,
                     struct store_deliveries *ret_deliveries, struct error *err)
{
	struct store_deliveries list = {0};
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row, sql, values, err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err)) {
		list.items = mem_grow(list.items, &list.capacity, list.n + 1,
		                      sizeof(*list.items));
		list.items[list.n++] = read_delivery(row);
	}
	if (rc < 0)
		store_deliveries_fini(&list);
	else
		*ret_deliveries = list;
	return rc;
}

int store_next_deliveries(struct store *store, const struct store_page *page,
                          struct store_deliveries *ret_deliveries,
                          struct error *err)
{
	return read_list(store,
	                 DELIVERY_ROWS
	                 " WHERE " STATE_OPEN
	                 " AND next_at <= ?1"
	                 " AND (next_at, delivery_no) > (?2, ?3)"
	                 " ORDER BY next_at, delivery_no LIMIT ?4",
	                 VALUES(INT(page->now), INT(page->after_at),
	                        INT(page->after_id), INT((int64_t)page->limit)),
	                 ret_deliveries, err);
}

int store_list_pending(struct store *store, int64_t now,
                       struct store_deliveries *ret_deliveries,
                       struct error *err)
{
	return read_list(store,
	                 DELIVERY_ROWS
	                 " WHERE state IN (0, 1, 3, 4)"
	                 " AND " STATE_NOT_DONE
	                 " AND (state = 1 OR next_at <= ?1)"
	                 " ORDER BY delivery_no",
	                 VALUES(INT(now)), ret_deliveries, err);
}

int store_next_due(struct store *store, int64_t *ret_at, struct error *err)
{
	int64_t at = -1;

	/* Without min(), which is NULL, and so 0, where there is none. */
	if (store_number(store,
	                 "SELECT next_at FROM delivery WHERE " STATE_OPEN
	                 " ORDER BY next_at LIMIT 1",
	                 NO_VALUES, &at, err) < 0 ||
	    store_number(store,
	                 "SELECT 0 FROM delivery WHERE state = 1"
	                 " AND " STATE_NOT_DONE " LIMIT 1",
	                 NO_VALUES, &at, err) < 0)
		return -1;
	if (at < 0)
		return STORE_MISSING;
	*ret_at = at;
	return STORE_FOUND;
}

int store_list_undelivered(struct store *store, const char *subscriber_id,
                           struct store_deliveries *ret_deliveries,
                           struct error *err)
{
	/* Nor those of a digest that was sent, or may be, and is sent again. */
	return read_list(store,
	                 DELIVERY_ROWS
	                 " WHERE subscriber_no = (SELECT subscriber_no"
	                 "  FROM subscriber AS s WHERE s.id = ?1)"
	                 " AND " STATE_OPEN
	                 " AND state <> 4 AND NOT doubt"
	                 " AND NOT EXISTS (SELECT 1 FROM delivery AS other"
	                 "  WHERE other.digest_no = delivery.digest_no"
	                 "  AND other.delivery_no <> delivery.delivery_no"
	                 "  AND other.state <> 8)"
	                 " ORDER BY delivery_no",
	                 VALUES(TEXT(subscriber_id)), ret_deliveries, err);
}

int store_list_deliveries(struct store *store, size_t limit,
                          struct store_deliveries *ret_deliveries,
                          struct error *err)
{
	return read_list(store,
	                 DELIVERY_ROWS
	                 " WHERE state IN (0, 3, 4, 5, 6)"
	                 " AND " STATE_NOT_DONE
	                 " AND words IS NOT NULL"
	                 " ORDER BY delivery_no DESC LIMIT ?1",
	                 VALUES(INT((int64_t)limit)), ret_deliveries, err);
}

int store_list_deliveries_of(struct store *store, int64_t digest_id,
                             struct store_deliveries *ret_deliveries,
                             struct error *err)
{
	return read_list(store,
	                 DELIVERY_ROWS
	                 " WHERE digest_no = ?1"
	                 " ORDER BY delivery_no",
	                 VALUES(INT(digest_id)), ret_deliveries, err);
}

static int read_one(struct store *store, sqlite3_stmt *row,
                    struct store_delivery *ret_delivery, struct error *err)
{
	int rc = store_step(store, row, err);

	if (rc <= 0)
		return rc < 0 ? -1 : STORE_MISSING;
	*ret_delivery = read_delivery(row);
	store_reset(row);
	return STORE_FOUND;
}

int store_get_delivery(struct store *store, int64_t id,
                       struct store_delivery *ret_delivery, struct error *err)
{
	sqlite3_stmt *row = NULL;

	if (store_query(store, &row, DELIVERY_ROWS " WHERE delivery_no = ?1",
	                VALUES(INT(id)), err) < 0)
		return -1;
	return read_one(store, row, ret_delivery, err);
}

int store_find_by_message_id(struct store *store, const char *message_id,
                             struct store_delivery *ret_delivery,
                             struct error *err)
{
	sqlite3_stmt *row = NULL;

	/* The first comparison is the index's. */
	if (store_query(store, &row,
	                DELIVERY_ROWS
	                " WHERE may_bounce"
	                " AND substr(message_id, 1, 8) = substr(?1, 1, 8)"
	                " AND (message_id = ?1 OR"
	                "  substr(message_id, 1, instr(message_id, '@') - 1)"
	                "  = ?1)",
	                VALUES(TEXT(message_id)), err) < 0)
		return -1;
	return read_one(store, row, ret_delivery, err);
}

int store_count_deliveries(struct store *store,
                           struct store_queue_counts *ret_counts,
                           struct error *err)
{
	struct store_queue_counts counts = {0};
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT state, count(*) FROM delivery"
	                " WHERE " STATE_NOT_DONE " GROUP BY state",
	                NO_VALUES, err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err)) {
		int state = sqlite3_column_int(row, 0);

		if (state >= 0 && state < DELIVERY_STATES)
			counts.n[state] =
				(uint64_t)sqlite3_column_int64(row, 1);
	}
	if (rc == 0)
		*ret_counts = counts;
	return rc;
}

/* ---- the way of a delivery ---- */

/* The row must be in one of the states that the statement allows. */
static int change(struct store *store, const char *sql, struct values values,
                  struct error *err)
{
	if (store_run(store, sql, values, err) < 0)
		return -1;
	if (store_changed(store) == 1)
		return 0;
	return error_set(err, ERROR_SYSTEM,
	                 "delivery %lld is not where this sender left it: "
	                 "another one has taken it over",
	                 (long long)values.items[0].number);
}

int store_start_delivery(struct store *store, int64_t id, const char *address,
                         int64_t at, struct error *err)
{
	if (store_run(store,
	              "UPDATE delivery SET state = 1, address = ?2,"
	              " started_at = ?3, dot_at = 0"
	              " WHERE delivery_no = ?1 AND " STATE_OPEN,
	              VALUES(INT(id), TEXT(address), INT(at)), err) < 0)
		return -1;
	return store_changed(store) > 0 ? STORE_FOUND : STORE_MISSING;
}

int store_dot_delivery(struct store *store, int64_t id, int64_t at,
                       struct error *err)
{
	return change(store,
	              "UPDATE delivery SET dot_at = ?2"
	              " WHERE delivery_no = ?1 AND state = 1",
	              VALUES(INT(id), INT(at)), err);
}

int store_end_delivery(struct store *store, int64_t id,
                       const struct store_attempt *attempt, struct error *err)
{
	bool handed_back = attempt->state == DELIVERY_QUEUED;

	/* What may have arrived once stays in doubt until it ends. */
	return change(store,
	              "UPDATE delivery SET"
	              " state = CASE WHEN doubt AND ?2 IN (0, 3) THEN 4"
	              "  ELSE ?2 END,"
	              " doubt = doubt OR ?2 IN (4, 5),"
	              " n_attempts = n_attempts + ?3, next_at = ?4,"
	              " ended_at = ?5, words = ?6"
	              " WHERE delivery_no = ?1 AND state = 1",
	              VALUES(INT(id), INT(attempt->state), INT(!handed_back),
	                     INT(handed_back ? 0 : attempt->next_at),
	                     INT(attempt->at), TEXT(attempt->words)),
	              err);
}

int store_reopen_delivery(struct store *store, int64_t id, int64_t next_at,
                          struct error *err)
{
	return change(store,
	              "UPDATE delivery SET next_at = ?2,"
	              " state = CASE WHEN doubt THEN 4 ELSE 0 END"
	              " WHERE delivery_no = ?1 AND state = 6",
	              VALUES(INT(id), INT(next_at)), err);
}

int store_postpone_delivery(struct store *store, int64_t id, int64_t next_at,
                            struct error *err)
{
	return store_run(store,
	                 "UPDATE delivery SET next_at = ?2"
	                 " WHERE delivery_no = ?1 AND " STATE_OPEN,
	                 VALUES(INT(id), INT(next_at)), err);
}

int store_hasten_deliveries(struct store *store, const char *subscriber_id,
                            struct error *err)
{
	return store_run(store,
	                 "UPDATE delivery SET next_at = 0"
	                 " WHERE " STATE_OPEN
	                 " AND next_at > 0"
	                 " AND (?1 IS NULL OR subscriber_no ="
	                 "  (SELECT subscriber_no FROM subscriber"
	                 "   WHERE id = ?1))",
	                 VALUES(TEXT(subscriber_id)), err);
}

int store_supersede_delivery(struct store *store, int64_t id, int64_t at,
                             struct error *err)
{
	return change(store,
	              "UPDATE delivery SET state = 7, ended_at = ?2"
	              " WHERE delivery_no = ?1 AND state IN (0, 3)",
	              VALUES(INT(id), INT(at)), err);
}

static int recover(struct store *store, int64_t at, enum delivery_state lost,
                   size_t *ret_n_unknown, struct error *err)
{
	if (store_run(store,
	              "UPDATE delivery SET state = ?2, ended_at = ?1,"
	              " next_at = 0, n_attempts = n_attempts + 1, doubt = 1,"
	              " words = 'the sender ended before the server had"
	              " answered'"
	              " WHERE state = 1 AND dot_at > 0 AND " STATE_NOT_DONE,
	              VALUES(INT(at), INT(lost)), err) < 0)
		return -1;
	*ret_n_unknown = store_changed(store);
	if (store_run(store,
	              "UPDATE delivery SET"
	              " state = CASE WHEN doubt THEN 4 ELSE 0 END"
	              " WHERE state = 1 AND " STATE_NOT_DONE,
	              NO_VALUES, err) < 0)
		return -1;
	/* A clock that was wrong for a while made these. */
	return store_run(store,
	                 "UPDATE delivery SET next_at = 0"
	                 " WHERE " STATE_OPEN " AND next_at > ?1",
	                 VALUES(INT(at + FARTHEST_NEXT_SEC)), err);
}

/* ---- the relay's trouble ---- */

int store_set_trouble_of(struct store *store, enum trouble_of of,
                         const struct store_trouble *trouble, struct error *err)
{
	if (trouble->since == 0)
		return store_run(store, "DELETE FROM trouble WHERE one = ?1",
		                 VALUES(INT(of)), err);
	return store_run(store,
	                 "INSERT INTO trouble (one, since, next_at, words)"
	                 " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (one)"
	                 " DO UPDATE SET next_at = ?3, words = ?4",
	                 VALUES(INT(of), INT(trouble->since),
	                        INT(trouble->next_at), TEXT(trouble->words)),
	                 err);
}

int store_set_trouble(struct store *store, const struct store_trouble *trouble,
                      struct error *err)
{
	return store_set_trouble_of(store, TROUBLE_OF_RELAY, trouble, err);
}

void store_trouble_fini(struct store_trouble *trouble)
{
	free(trouble->words);
	*trouble = (struct store_trouble){0};
}

int store_get_trouble_of(struct store *store, enum trouble_of of,
                         struct store_trouble *ret_trouble, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	*ret_trouble = (struct store_trouble){0};
	if (store_query(store, &row,
	                "SELECT since, next_at, words FROM trouble"
	                " WHERE one = ?1",
	                VALUES(INT(of)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc <= 0)
		return rc < 0 ? -1 : STORE_MISSING;
	*ret_trouble = (struct store_trouble){
		sqlite3_column_int64(row, 0),
		sqlite3_column_int64(row, 1),
		store_column_dup(row, 2),
	};
	store_reset(row);
	return STORE_FOUND;
}

int store_get_trouble(struct store *store, struct store_trouble *ret_trouble,
                      struct error *err)
{
	return store_get_trouble_of(store, TROUBLE_OF_RELAY, ret_trouble, err);
}

int store_recover_deliveries(struct store *store, int64_t at, bool hold,
                             size_t *ret_n_unknown, struct error *err)
{
	enum delivery_state lost = hold ? DELIVERY_HELD : DELIVERY_UNKNOWN;
	size_t n_unknown = 0;
	bool own;
	int rc;

	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = recover(store, at, lost, &n_unknown, err);
	if (store_end_change(store, own, rc, err) < 0)
		return -1;
	*ret_n_unknown = n_unknown;
	return 0;
}
