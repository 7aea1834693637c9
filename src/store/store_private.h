#pragma once

/*
 * Shared inside store/. One idiom for all SQL:
 *
 *         sqlite3_stmt *row = NULL;
 *         int rc;
 *
 *         if (store_query(store, &row, SQL, TEXT(id), INT(day)) < 0) ...
 *         rc = store_step(store, row, err);   1: a row, 0: none, -1
 *
 * Statements are prepared once per connection and reset when they have no
 * more rows, when they fail, or by store_reset().
 */

#include <sqlite3.h>

#include "base/buf.h"
#include "model/digest.h"
#include "store/store.h"

/* ---- statements ---- */

enum value_type {
	VALUE_NULL,
	VALUE_INT,
	VALUE_TEXT,
	VALUE_BLOB,
};

struct value {
	enum value_type type;
	int64_t number;
	struct span bytes; /* borrowed until the statement is reset */
};

#define INT(n) ((struct value){.type = VALUE_INT, .number = (n)})
#define TEXT(str) store_text(str)
#define BLOB(span) ((struct value){.type = VALUE_BLOB, .bytes = (span)})

/* NULL becomes SQL's NULL. */
struct value store_text(const char *str);

struct values {
	const struct value *items;
	size_t n;
};

#define NO_VALUES ((struct values){NULL, 0})

#define VALUES(...)                                                    \
	((struct values){(const struct value[]){__VA_ARGS__},          \
	                 sizeof((const struct value[]){__VA_ARGS__}) / \
	                         sizeof(struct value)})

/* The statement of `sql` (a constant: it is found by its address), bound. */
MUST_CHECK int store_query(struct store *store, sqlite3_stmt **ret_row,
                           const char *sql, struct values values,
                           struct error *err);

/* 1 and a row, 0 at the end, -1. */
MUST_CHECK int store_step(struct store *store, sqlite3_stmt *row,
                          struct error *err);
void store_reset(sqlite3_stmt *row);

/* Runs a statement that gives no rows. */
MUST_CHECK int store_run(struct store *store, const char *sql,
                         struct values values, struct error *err);

/*
 * One number: the first column of the first row. Without a row *ret_number
 * stays what it was.
 */
MUST_CHECK int store_number(struct store *store, const char *sql,
                            struct values values, int64_t *ret_number,
                            struct error *err);

/* A column's text, borrowed until the next step; "" for NULL. */
struct span store_column(sqlite3_stmt *row, int column);
/* A copy of it. */
char *store_column_dup(sqlite3_stmt *row, int column);
/* The same, but NULL for NULL. */
char *store_column_dup_null(sqlite3_stmt *row, int column);
/* A delivery's state; what a damaged row has is DELIVERY_HELD. */
enum delivery_state store_column_state(sqlite3_stmt *row, int column);

/* Rows changed by the last statement. */
size_t store_changed(const struct store *store);

/* ---- the connection ---- */

/* Constant SQL without values, perhaps several statements. */
MUST_CHECK int store_exec(struct store *store, const char *sql,
                          struct error *err);

/* *err for SQLite's last error, as a sentence with the file's name. */
int store_fail(struct store *store, struct error *err);

/*
 * A change of several statements: begins a transaction if none is open.
 * store_end_change() commits it, or rolls it back if `rc` is -1, if it was
 * begun here; it returns `rc`, or -1 if the commit failed.
 */
MUST_CHECK int store_begin_change(struct store *store, bool *ret_own,
                                  struct error *err);
MUST_CHECK int store_end_change(struct store *store, bool own, int rc,
                                struct error *err);

/* Refuses other programs' databases and newer ones; changes nothing. */
MUST_CHECK int store_check_owner(struct store *store, struct error *err);

/* Brings the schema to this program's version, or says why it cannot. */
MUST_CHECK int store_migrate(struct store *store, enum store_mode mode,
                             struct error *err);

sqlite3 *store_db(const struct store *store);

/* ---- rows ---- */

/*
 * What can be sent (queued, deferred, unknown), and all but what has ended
 * well (sent, superseded, cancelled): in the words of the schema, by which
 * SQLite knows that an index has all such rows.
 */
#define STATE_OPEN "(state = 0 OR state = 3 OR state = 4)"
/* "arxm" and "arxb": what `file` and PRAGMA application_id show. */
#define STORE_ID 0x6172786D
#define STORE_BACKUP_ID 0x61727862
MUST_CHECK int store_set_id(struct store *store, int64_t id, struct error *err);

#define STATE_NOT_DONE "state <> 2 AND state <> 7 AND state <> 8"

/* The columns that store_read_paper() reads, from its first one on. */
#define PAPER_COLUMNS                                            \
	"paper.id, paper.version, paper.title, paper.abstract, " \
	"paper.authors, paper.title_raw, paper.abstract_raw, "   \
	"paper.authors_raw, paper.categories"

/* The caller owns it. */
struct paper *store_read_paper(sqlite3_stmt *row, int column);

/* The number of a subscriber's row, which is made if it is missing. */
MUST_CHECK int store_subscriber_no(struct store *store, const char *id,
                                   int64_t *ret_no, struct error *err);

/* Whose trouble a row tells of; the numbers stand in the database. */
enum trouble_of {
	TROUBLE_OF_RELAY = 1,
	TROUBLE_OF_MODEL = 2,
};

MUST_CHECK int store_set_trouble_of(struct store *store, enum trouble_of of,
                                    const struct store_trouble *trouble,
                                    struct error *err);
MUST_CHECK int store_get_trouble_of(struct store *store, enum trouble_of of,
                                    struct store_trouble *ret_trouble,
                                    struct error *err);

/* ---- packed digests ---- */

/* A paper that a packed digest names. */
struct packed_paper {
	struct span id;
	uint32_t version;
};

/* The papers that digests were read with last, by id and version. */
struct shelf {
	struct paper **slots; /* NULL until there is one */
	size_t n;
};

void shelf_fini(struct shelf *shelf);
/* NULL if it is not there; the shelf's. */
struct paper *shelf_find(const struct shelf *shelf,
                         const struct packed_paper *packed);
/* Takes a paper that is not there; drops all the others if it is full. */
void shelf_put(struct shelf *shelf, struct paper *paper);

struct shelf *store_shelf(struct store *store);

/*
 * Appends the digest's topics, categories, counts and entries. `mark` is
 * where the subscriber's mark is after it.
 */
void store_pack(struct buf *out, const struct digest *digest, int64_t mark);

/* That mark; INT64_MAX if it is not known. */
int64_t store_unpack_mark(struct span packed);

/*
 * Fills `digest` from a packed one; entry I's paper is papers[I], which the
 * caller has loaded by store_unpack_papers(). Fails with ERROR_SYNTAX.
 */
MUST_CHECK int store_unpack(struct span packed, struct paper *const *papers,
                            struct digest *digest, struct error *err);

/* The papers it names, in the order of its entries; the caller frees them. */
MUST_CHECK int store_unpack_papers(struct span packed,
                                   struct packed_paper **ret_papers,
                                   size_t *ret_n, struct error *err);
