#include "store/health.h"

#include "base/mem.h"
#include "store_private.h"

void store_ills_fini(struct store_ills *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].subject);
		free(list->items[i].words);
	}
	free(list->items);
	*list = (struct store_ills){0};
}

int store_list_ills(struct store *store, struct store_ills *ret_list,
                    struct error *err)
{
	struct store_ills list = {0};
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT subject, since, words, is_told FROM ill"
	                " ORDER BY subject",
	                NO_VALUES, err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err)) {
		list.items = mem_grow(list.items, &list.capacity, list.n + 1,
		                      sizeof(*list.items));
		list.items[list.n++] = (struct store_ill){
			.subject = mem_dup_span(store_column(row, 0)),
			.since = sqlite3_column_int64(row, 1),
			.words = mem_dup_span(store_column(row, 2)),
			.is_told = sqlite3_column_int(row, 3) != 0,
		};
	}
	if (rc < 0)
		store_ills_fini(&list);
	else
		*ret_list = list;
	return rc;
}

int store_set_ill(struct store *store, const struct store_ill *ill,
                  struct error *err)
{
	return store_run(store,
	                 "INSERT OR REPLACE INTO ill"
	                 " (subject, since, words, is_told)"
	                 " VALUES (?1, ?2, ?3, ?4)",
	                 VALUES(TEXT(ill->subject), INT(ill->since),
	                        TEXT(ill->words), INT(ill->is_told)),
	                 err);
}

int store_remove_ill(struct store *store, const char *subject,
                     struct error *err)
{
	return store_run(store, "DELETE FROM ill WHERE subject = ?1",
	                 VALUES(TEXT(subject)), err);
}

_Static_assert(OUTCOME_OF_SUBSCRIBER == 1 && OUTCOME_SENT == 6,
               "numbers in SQL");

int store_find_sent_since(struct store *store, int32_t day, struct error *err)
{
	int64_t found = 0;

	if (store_number(store,
	                 "SELECT EXISTS (SELECT 1 FROM outcome WHERE day >= ?1"
	                 "  AND of = 1 AND outcome = 6)"
	                 " OR NOT EXISTS (SELECT 1 FROM outcome WHERE day < ?1"
	                 "  AND of = 1)",
	                 VALUES(INT(day)), &found, err) < 0)
		return -1;
	return found ? STORE_FOUND : STORE_MISSING;
}
