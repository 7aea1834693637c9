#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "store_private.h"

/* ---- refusals in a row ---- */

/* A delivery that is refused, as its row has it. */
struct refused {
	int64_t subscriber_no;
	char *address;
};

/* STORE_REFUSED if it counts, or STORE_REFUSED_ALREADY. */
static int read_refused(struct store *store, int64_t delivery_id,
                        struct refused *ret_refused, struct error *err)
{
	sqlite3_stmt *row = NULL;
	enum delivery_state state;
	bool is_known;
	int rc;

	if (store_query(store, &row,
	                "SELECT state, refused, subscriber_no, address"
	                " FROM delivery WHERE delivery_no = ?1",
	                VALUES(INT(delivery_id)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return error_set(err, ERROR_SYSTEM,
		                 "there is no delivery %lld that could be "
		                 "refused",
		                 (long long)delivery_id);
	state = store_column_state(row, 0);
	is_known = sqlite3_column_int(row, 1) != 0;
	if (state != DELIVERY_SENDING && !is_known)
		*ret_refused = (struct refused){sqlite3_column_int64(row, 2),
		                                store_column_dup(row, 3)};
	store_reset(row);
	if (state == DELIVERY_SENDING)
		return error_set(err, ERROR_TEMPORARY,
		                 "delivery %lld is being sent",
		                 (long long)delivery_id);
	return is_known ? STORE_REFUSED_ALREADY : STORE_REFUSED;
}

/* Where the walk over a subscriber's deliveries stands, newest first. */
struct run {
	int64_t digest_no; /* the last one that counted */
	unsigned n;
	unsigned longest;
};

/* What is neither sent nor refused neither counts nor breaks a run. */
static void take_row(struct run *run, sqlite3_stmt *row, const char *address)
{
	int64_t digest_no = sqlite3_column_int64(row, 0);
	bool is_refused = sqlite3_column_int(row, 2) != 0;

	if (is_refused && span_is(store_column(row, 3), address)) {
		run->n += run->n == 0 || digest_no != run->digest_no;
		run->digest_no = digest_no;
	} else if (is_refused || store_column_state(row, 1) == DELIVERY_SENT) {
		run->n = 0;
	}
	if (run->n > run->longest)
		run->longest = run->n;
}

/* Bounces come late and in any order: a run may have later mails behind it. */
static int find_longest_run(struct store *store, const struct refused *refused,
                            unsigned *ret_longest, struct error *err)
{
	sqlite3_stmt *row = NULL;
	struct run run = {0};
	int rc;

	if (store_query(store, &row,
	                "SELECT digest.digest_no, state, refused, address"
	                " FROM digest JOIN delivery USING (digest_no)"
	                " WHERE digest.subscriber_no = ?1"
	                " ORDER BY digest.digest_no DESC, delivery_no DESC"
	                " LIMIT ?2",
	                VALUES(INT(refused->subscriber_no),
	                       INT(LIMIT_BOUNCE_DIGESTS)),
	                err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err))
		take_row(&run, row, refused->address);
	*ret_longest = run.longest;
	return rc;
}

static int suspend(struct store *store, const struct refused *refused,
                   const struct store_refusal *refusal, struct error *err)
{
	if (store_run(store,
	              "UPDATE subscriber SET suspended_at = ?2,"
	              " refused_address = ?3, refused_words = ?4"
	              " WHERE subscriber_no = ?1"
	              " AND (suspended_at = 0 OR refused_address <> ?3)",
	              VALUES(INT(refused->subscriber_no), INT(refusal->at),
	                     TEXT(refused->address), TEXT(refusal->words)),
	              err) < 0)
		return -1;
	return store_changed(store) > 0 ? STORE_SUSPENDED_NOW : STORE_REFUSED;
}

static int count_refusal(struct store *store, const struct refused *refused,
                         const struct store_refusal *refusal, struct error *err)
{
	unsigned longest = 0;

	/* 6: failed */
	if (store_run(store,
	              "UPDATE delivery SET refused = 1, state = 6,"
	              " ended_at = ?2, words = ?3 WHERE delivery_no = ?1",
	              VALUES(INT(refusal->delivery_id), INT(refusal->at),
	                     TEXT(refusal->words)),
	              err) < 0 ||
	    find_longest_run(store, refused, &longest, err) < 0)
		return -1;
	if (longest < LIMIT_REFUSALS)
		return STORE_REFUSED;
	return suspend(store, refused, refusal, err);
}

int store_note_refusal(struct store *store, const struct store_refusal *refusal,
                       struct error *err)
{
	struct refused refused = {0};
	bool own;
	int rc;

	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = read_refused(store, refusal->delivery_id, &refused, err);
	if (rc == STORE_REFUSED)
		rc = count_refusal(store, &refused, refusal, err);
	free(refused.address);
	return store_end_change(store, own, rc, err);
}

/* ---- suspensions ---- */

int store_is_suspended(struct store *store, const char *subscriber_id,
                       const char *address, bool *ret_suspended,
                       struct error *err)
{
	int64_t n = 0;

	if (store_number(store,
	                 "SELECT count(*) FROM subscriber WHERE id = ?1"
	                 " AND suspended_at <> 0 AND refused_address = ?2",
	                 VALUES(TEXT(subscriber_id), TEXT(address)), &n,
	                 err) < 0)
		return -1;
	*ret_suspended = n > 0;
	return 0;
}

static int lift(struct store *store, const char *subscriber_id,
                struct error *err)
{
	if (store_run(store,
	              "UPDATE subscriber SET suspended_at = 0,"
	              " refused_address = '', refused_words = ''"
	              " WHERE id = ?1 AND suspended_at <> 0",
	              VALUES(TEXT(subscriber_id)), err) < 0)
		return -1;
	if (store_changed(store) == 0)
		return STORE_MISSING;
	return store_run(store,
	                 "UPDATE delivery SET refused = 0 WHERE refused AND"
	                 " digest_no IN (SELECT digest_no FROM digest"
	                 "  JOIN subscriber USING (subscriber_no)"
	                 "  WHERE subscriber.id = ?1)",
	                 VALUES(TEXT(subscriber_id)), err);
}

int store_lift_suspension(struct store *store, const char *subscriber_id,
                          struct error *err)
{
	bool own;
	int rc;

	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = lift(store, subscriber_id, err);
	return store_end_change(store, own, rc, err);
}

void store_suspended_list_fini(struct store_suspended_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].subscriber_id);
		free(list->items[i].address);
		free(list->items[i].words);
	}
	free(list->items);
	*list = (struct store_suspended_list){0};
}

static void take_suspended(struct store_suspended_list *list, sqlite3_stmt *row)
{
	list->items = mem_grow(list->items, &list->capacity, list->n + 1,
	                       sizeof(*list->items));
	list->items[list->n++] = (struct store_suspended){
		.subscriber_id = store_column_dup(row, 0),
		.address = store_column_dup(row, 1),
		.words = store_column_dup(row, 2),
		.since = sqlite3_column_int64(row, 3),
	};
}

int store_list_suspended(struct store *store,
                         struct store_suspended_list *ret_list,
                         struct error *err)
{
	struct store_suspended_list list = {0};
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT id, refused_address, refused_words,"
	                " suspended_at FROM subscriber"
	                " WHERE suspended_at <> 0 ORDER BY id",
	                NO_VALUES, err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err))
		take_suspended(&list, row);
	if (rc < 0)
		store_suspended_list_fini(&list);
	else
		*ret_list = list;
	return rc;
}
