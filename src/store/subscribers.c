#include <string.h>

#include "model/category.h"
#include "store_private.h"

int store_subscriber_no(struct store *store, const char *id, int64_t *ret_no,
                        struct error *err)
{
	if (store_run(store,
	              "INSERT OR IGNORE INTO subscriber (id) VALUES (?1)",
	              VALUES(TEXT(id)), err) < 0)
		return -1;
	return store_number(store,
	                    "SELECT subscriber_no FROM subscriber"
	                    " WHERE id = ?1",
	                    VALUES(TEXT(id)), ret_no, err);
}

int store_get_subscriber(struct store *store, const char *id,
                         struct store_subscriber *ret_subscriber,
                         struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT mark, paused, suspended_at,"
	                " max(slot_day, 0) FROM subscriber WHERE id = ?1",
	                VALUES(TEXT(id)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc <= 0)
		return rc < 0 ? -1 : STORE_MISSING;
	*ret_subscriber = (struct store_subscriber){
		.mark = sqlite3_column_int64(row, 0),
		.paused = sqlite3_column_int(row, 1) != 0,
		.suspended_at = sqlite3_column_int64(row, 2),
		.slot_day = sqlite3_column_int(row, 3),
	};
	store_reset(row);
	return STORE_FOUND;
}

int store_begin_subscriber(struct store *store, const char *id, int64_t mark,
                           int64_t at, struct error *err)
{
	return store_run(store,
	                 "INSERT INTO subscriber (id, mark, began_at, paused)"
	                 " VALUES (?1, ?2, ?3, 0)"
	                 " ON CONFLICT (id) DO UPDATE SET mark = ?2,"
	                 " began_at = ?3, paused = 0",
	                 VALUES(TEXT(id), INT(mark), INT(at)), err);
}

int store_pause_subscriber(struct store *store, const char *id,
                           struct error *err)
{
	return store_run(store,
	                 "INSERT INTO subscriber (id, paused) VALUES (?1, 1)"
	                 " ON CONFLICT (id) DO UPDATE SET paused = 1",
	                 VALUES(TEXT(id)), err);
}

int store_get_slot(struct store *store, const char *id, int32_t *ret_day,
                   struct error *err)
{
	int64_t day = -1;

	if (store_number(store, "SELECT slot_day FROM subscriber WHERE id = ?1",
	                 VALUES(TEXT(id)), &day, err) < 0)
		return -1;
	if (day < 0 || day > INT32_MAX)
		return STORE_MISSING;
	*ret_day = (int32_t)day;
	return STORE_FOUND;
}

int store_set_slot(struct store *store, const char *id, int32_t day,
                   struct error *err)
{
	return store_run(store,
	                 "INSERT INTO subscriber (id, slot_day) VALUES (?1, ?2)"
	                 " ON CONFLICT (id) DO UPDATE SET slot_day = ?2",
	                 VALUES(TEXT(id), INT(day)), err);
}

/* ---- who is there ---- */

static int list_present(struct store *store, const struct strings *ids,
                        struct error *err)
{
	if (store_exec(store,
	               "CREATE TEMP TABLE IF NOT EXISTS present"
	               " (id TEXT PRIMARY KEY) WITHOUT ROWID;"
	               "DELETE FROM present",
	               err) < 0)
		return -1;
	for (size_t i = 0; i < ids->n; i++)
		if (store_run(store,
		              "INSERT OR IGNORE INTO present VALUES (?1)",
		              VALUES(TEXT(ids->items[i])), err) < 0)
			return -1;
	return 0;
}

/* 0 queued, 3 deferred, 4 unknown, 5 held become 8 cancelled. */
static int cancel_absent(struct store *store, int64_t at, size_t *ret_cancelled,
                         struct error *err)
{
	if (store_run(store,
	              "UPDATE delivery SET state = 8, ended_at = ?1,"
	              " words = 'the subscriber is no longer in the config'"
	              " WHERE state IN (0, 3, 4, 5) AND " STATE_NOT_DONE
	              " AND subscriber_no IN"
	              "  (SELECT subscriber_no FROM subscriber"
	              "   WHERE id NOT IN (SELECT id FROM present))",
	              VALUES(INT(at)), err) < 0)
		return -1;
	*ret_cancelled = store_changed(store);
	return store_run(store,
	                 "UPDATE subscriber SET paused = 1 WHERE NOT paused"
	                 " AND id NOT IN (SELECT id FROM present)",
	                 NO_VALUES, err);
}

int store_keep_subscribers(struct store *store, const struct strings *ids,
                           int64_t at, size_t *ret_cancelled, struct error *err)
{
	size_t cancelled = 0;
	bool own;
	int rc;

	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = list_present(store, ids, err);
	if (rc == 0)
		rc = cancel_absent(store, at, &cancelled, err);
	if (store_end_change(store, own, rc, err) < 0)
		return -1;
	*ret_cancelled = cancelled;
	return 0;
}

/* ---- where a mark begins ---- */

struct newest {
	int64_t day;
	int64_t seq;
};

static bool is_wanted(const struct strings *categories, struct span code)
{
	for (size_t i = 0; i < categories->n; i++)
		if (category_matches(span_of(categories->items[i]), code))
			return true;
	return false;
}

static void consider(struct newest *newest, int64_t day, int64_t seq)
{
	if (day > newest->day || (day == newest->day && seq < newest->seq))
		*newest = (struct newest){day, seq};
}

int store_newest_batch_mark(struct store *store,
                            const struct strings *categories, int64_t *ret_mark,
                            struct error *err)
{
	struct newest newest = {INT64_MIN, 0};
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT category, newest_day, newest_seq FROM feed"
	                " WHERE newest_day IS NOT NULL",
	                NO_VALUES, err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err))
		if (is_wanted(categories, store_column(row, 0)))
			consider(&newest, sqlite3_column_int64(row, 1),
			         sqlite3_column_int64(row, 2));
	if (rc < 0)
		return -1;
	if (newest.day == INT64_MIN)
		return store_last_seq(store, ret_mark, err);
	*ret_mark = newest.seq - 1;
	return 0;
}
