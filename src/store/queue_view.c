/* The queue as `status` shows it. */

#include "base/mem.h"
#include "store_private.h"

#define SEC_PER_HOUR 3600
#define SEC_PER_DAY 86400

/* A day's mails of a large service; older rows are not looked at. */
#define NEWEST_ROWS 200000

void store_queue_view_fini(struct store_queue_view *view)
{
	free(view->last_words);
	*view = (struct store_queue_view){0};
}

/* There is no index of what was sent: it lies among the newest rows. */
static int count_sent(struct store *store, int64_t since, uint64_t *ret_n,
                      struct error *err)
{
	int64_t n = 0;

	if (store_number(store,
	                 "SELECT count(*) FROM (SELECT state, ended_at"
	                 "  FROM delivery ORDER BY delivery_no DESC LIMIT ?2)"
	                 " WHERE state = 2 AND ended_at > ?1",
	                 VALUES(INT(since), INT(NEWEST_ROWS)), &n, err) < 0)
		return -1;
	*ret_n = (uint64_t)n;
	return 0;
}

static int find_oldest(struct store *store, struct store_queue_view *view,
                       struct error *err)
{
	for (int64_t state = 0; state < DELIVERY_STATES; state++)
		if (store_number(store,
		                 "SELECT created_at FROM delivery"
		                 " WHERE state = ?1 AND state NOT IN (2, 7, 8)"
		                 " ORDER BY delivery_no LIMIT 1",
		                 VALUES(INT(state)), &view->oldest_at[state],
		                 err) < 0)
			return -1;
	return 0;
}

static int find_last_words(struct store *store, struct store_queue_view *view,
                           struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT words FROM (SELECT words, ended_at"
	                "  FROM delivery ORDER BY delivery_no DESC LIMIT ?1)"
	                " WHERE words IS NOT NULL"
	                " ORDER BY ended_at DESC LIMIT 1",
	                VALUES(INT(NEWEST_ROWS)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc > 0) {
		view->last_words = store_column_dup(row, 0);
		store_reset(row);
	}
	return rc < 0 ? -1 : 0;
}

int store_view_queue(struct store *store, int64_t now,
                     struct store_queue_view *ret_view, struct error *err)
{
	struct store_queue_view view = {0};

	if (find_oldest(store, &view, err) < 0 ||
	    store_next_due(store, &view.next_at, err) < 0 ||
	    count_sent(store, now - SEC_PER_HOUR, &view.n_sent_hour, err) < 0 ||
	    count_sent(store, now - SEC_PER_DAY, &view.n_sent_day, err) < 0 ||
	    find_last_words(store, &view, err) < 0) {
		store_queue_view_fini(&view);
		return -1;
	}
	*ret_view = view;
	return 0;
}
