#include "base/limits.h"
#include "base/mem.h"
#include "store_private.h"

static const char *const outcome_names[OUTCOMES] = {
	[OUTCOME_FRESH] = "fresh",
	[OUTCOME_STALE] = "stale",
	[OUTCOME_PARTIAL] = "partial",
	[OUTCOME_NO_ANNOUNCEMENT] = "no-announcement",
	[OUTCOME_UNREACHABLE] = "unreachable",
	[OUTCOME_INVALID] = "invalid",
	[OUTCOME_SENT] = "sent",
	[OUTCOME_NOTHING_MATCHED] = "nothing-matched",
	[OUTCOME_WAITING] = "waiting",
	[OUTCOME_DEFERRED] = "deferred",
	[OUTCOME_HELD] = "held",
	[OUTCOME_FAILED] = "failed",
	[OUTCOME_SUSPENDED] = "suspended",
	[OUTCOME_PAUSED] = "paused",
};

/* The numbers stand in the database: new ones only at the end. */
_Static_assert(OUTCOME_NO_ANNOUNCEMENT == 3 && OUTCOME_SENT == 6 &&
                       OUTCOME_PAUSED == 13 && OUTCOMES == 14,
               "stored numbers");

const char *outcome_name(enum outcome outcome)
{
	return outcome_names[outcome];
}

void store_outcomes_fini(struct store_outcomes *outcomes)
{
	strings_fini(&outcomes->texts);
	free(outcomes->items);
	*outcomes = (struct store_outcomes){0};
}

int store_set_outcome(struct store *store, const struct store_outcome *outcome,
                      struct error *err)
{
	const struct store_day *day = &outcome->of_day;

	return store_run(store,
	                 "INSERT OR REPLACE INTO outcome"
	                 " (of, name, day, outcome, reason, at)"
	                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	                 VALUES(INT(day->of), TEXT(day->name), INT(day->day),
	                        INT(outcome->outcome), TEXT(outcome->reason),
	                        INT(outcome->at)),
	                 err);
}

int store_get_outcome(struct store *store, const struct store_day *day,
                      enum outcome *ret_outcome, struct error *err)
{
	int64_t number = -1;

	if (store_number(store,
	                 "SELECT outcome FROM outcome"
	                 " WHERE of = ?1 AND name = ?2 AND day = ?3",
	                 VALUES(INT(day->of), TEXT(day->name), INT(day->day)),
	                 &number, err) < 0)
		return -1;
	if (number < 0 || number >= OUTCOMES)
		return STORE_MISSING;
	*ret_outcome = (enum outcome)number;
	return STORE_FOUND;
}

static const char *take_text(struct store_outcomes *list, sqlite3_stmt *row,
                             int column)
{
	strings_add(&list->texts, store_column(row, column));
	return list->texts.items[list->texts.n - 1];
}

/* A damaged row is none. */
static void take_outcome(struct store_outcomes *list, sqlite3_stmt *row)
{
	int64_t of = sqlite3_column_int64(row, 0);
	int64_t number = sqlite3_column_int64(row, 3);

	if (of < 0 || of > OUTCOME_OF_SUBSCRIBER || number < 0 ||
	    number >= OUTCOMES)
		return;
	list->items = mem_grow(list->items, &list->capacity, list->n + 1,
	                       sizeof(*list->items));
	list->items[list->n++] = (struct store_outcome){
		.of_day = {(enum outcome_of)of, take_text(list, row, 1),
	                   sqlite3_column_int(row, 2)},
		.outcome = (enum outcome)number,
		.reason = take_text(list, row, 4),
		.at = sqlite3_column_int64(row, 5),
		.recovered = sqlite3_column_type(row, 6) != SQLITE_NULL,
	};
}

#define OUTCOME_COLUMNS "of, name, day, outcome, reason, at, recovered_day"

static int take_outcomes(struct store *store, sqlite3_stmt *row,
                         struct store_outcomes *ret_outcomes, struct error *err)
{
	struct store_outcomes list = {0};
	int rc;

	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err))
		take_outcome(&list, row);
	if (rc < 0)
		store_outcomes_fini(&list);
	else
		*ret_outcomes = list;
	return rc;
}

int store_list_outcomes(struct store *store, int32_t since_day,
                        struct store_outcomes *ret_outcomes, struct error *err)
{
	sqlite3_stmt *row = NULL;

	/* The sign leaves the rows to the index by day: there may be years. */
	if (store_query(store, &row,
	                "SELECT " OUTCOME_COLUMNS " FROM outcome"
	                " WHERE day >= ?1 ORDER BY +of, name, day",
	                VALUES(INT(since_day)), err) < 0)
		return -1;
	return take_outcomes(store, row, ret_outcomes, err);
}

int store_list_outcomes_of(struct store *store, const struct store_day *since,
                           struct store_outcomes *ret_outcomes,
                           struct error *err)
{
	sqlite3_stmt *row = NULL;

	if (store_query(
		    store, &row,
		    "SELECT " OUTCOME_COLUMNS " FROM outcome"
		    " WHERE of = ?1 AND name = ?2 AND day >= ?3"
		    " ORDER BY day",
		    VALUES(INT(since->of), TEXT(since->name), INT(since->day)),
		    err) < 0)
		return -1;
	return take_outcomes(store, row, ret_outcomes, err);
}

/* ---- days that were recovered ---- */

/* Stale, unreachable, invalid. */
#define WITHOUT_BATCH "outcome IN (1, 4, 5)"

_Static_assert(OUTCOME_STALE == 1 && OUTCOME_UNREACHABLE == 4 &&
                       OUTCOME_INVALID == 5,
               "numbers in SQL");

int store_get_missed(struct store *store, const char *category, int32_t today,
                     struct store_missed *ret_missed, struct error *err)
{
	int32_t since_day = today - LIMIT_RECOVER_DAYS;
	int64_t days = 0;
	int64_t first_day = 0;

	if (store_number(store,
	                 "SELECT sum(1 << (day - ?2)) FROM outcome"
	                 " WHERE of = 0 AND name = ?1 AND day >= ?2"
	                 " AND day < ?3 AND " WITHOUT_BATCH
	                 " AND ifnull(recovered_day, 0) < min(day + 2, ?3)",
	                 VALUES(TEXT(category), INT(since_day), INT(today)),
	                 &days, err) < 0 ||
	    store_number(store,
	                 "SELECT day FROM outcome WHERE of = 0 AND name = ?1"
	                 " ORDER BY day LIMIT 1",
	                 VALUES(TEXT(category)), &first_day, err) < 0)
		return -1;
	*ret_missed = (struct store_missed){since_day, (uint32_t)days,
	                                    (int32_t)first_day};
	return 0;
}

int store_set_recovered(struct store *store,
                        const struct store_recovered *recovered,
                        struct error *err)
{
	return store_run(store,
	                 "UPDATE outcome SET recovered_day = ?3,"
	                 " reason = CASE WHEN recovered_day AND ?4 = 0"
	                 "  THEN reason ELSE reason || '; ' || ?5 END"
	                 " WHERE of = 0 AND name = ?1 AND day = ?2"
	                 " AND (?4 > 0 OR " WITHOUT_BATCH ")",
	                 VALUES(TEXT(recovered->category), INT(recovered->day),
	                        INT(recovered->on_day),
	                        INT((int64_t)recovered->n_papers),
	                        TEXT(recovered->reason)),
	                 err);
}
