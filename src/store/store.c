#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store_private.h"

/* Other processes hold the write lock for milliseconds. */
#define BUSY_TIMEOUT_MS 20000
#define WAL_PAUSE_MS 20
#define WAL_TRIES (BUSY_TIMEOUT_MS / WAL_PAUSE_MS)
#define CACHE_SIZE 96

struct cached {
	const char *sql;
	sqlite3_stmt *stmt;
};

struct store {
	sqlite3 *db;
	char *path;
	struct cached cache[CACHE_SIZE];
	size_t n_cached;
	struct shelf shelf;
};

sqlite3 *store_db(const struct store *store)
{
	return store->db;
}

struct shelf *store_shelf(struct store *store)
{
	return &store->shelf;
}

/* ---- errors ---- */

/* SQLite says "I/O error" where it has no room for its shared memory. */
static int code_of(struct store *store)
{
	int code = sqlite3_errcode(store->db) & 0xFF;

	if (code == SQLITE_IOERR && sqlite3_system_errno(store->db) == ENOSPC)
		return SQLITE_FULL;
	return code;
}

int store_fail(struct store *store, struct error *err)
{
	const char *words = sqlite3_errmsg(store->db);

	switch (code_of(store)) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, ERROR_TEMPORARY,
		                 "%s: another program keeps the database "
		                 "locked; try again, or find it with "
		                 "'fuser %s'",
		                 store->path, store->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set(err, ERROR_SYSTEM,
		                 "%s: the database is damaged (%s): put a "
		                 "backup in its place, or move it away to "
		                 "begin anew",
		                 store->path, words);
	case SQLITE_FULL:
		return error_set(err, ERROR_SYSTEM,
		                 "%s: the disk is full: "
		                 "make room and try again",
		                 store->path);
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return error_set(err, ERROR_SYSTEM,
		                 "%s: %s: see to the permissions of the file "
		                 "and its folder",
		                 store->path, words);
	default:
		return error_set(err, ERROR_SYSTEM, "%s: %s", store->path,
		                 words);
	}
}

/* ---- statements ---- */

struct value store_text(const char *str)
{
	if (!str)
		return (struct value){.type = VALUE_NULL};
	return (struct value){.type = VALUE_TEXT, .bytes = span_of(str)};
}

static int find_statement(struct store *store, const char *sql,
                          sqlite3_stmt **ret_stmt, struct error *err)
{
	sqlite3_stmt *stmt = NULL;

	for (size_t i = 0; i < store->n_cached; i++) {
		if (store->cache[i].sql == sql) {
			*ret_stmt = store->cache[i].stmt;
			return 0;
		}
	}
	assert(store->n_cached < CACHE_SIZE);
	if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
	                       &stmt, NULL))
		return store_fail(store, err);
	store->cache[store->n_cached++] = (struct cached){sql, stmt};
	*ret_stmt = stmt;
	return 0;
}

static int bind(sqlite3_stmt *stmt, int place, const struct value *value)
{
	const char *bytes = value->bytes.ptr ? value->bytes.ptr : "";

	switch (value->type) {
	case VALUE_NULL:
		return sqlite3_bind_null(stmt, place);
	case VALUE_INT:
		return sqlite3_bind_int64(stmt, place, value->number);
	case VALUE_TEXT:
		return sqlite3_bind_text64(stmt, place, bytes, value->bytes.len,
		                           SQLITE_STATIC, SQLITE_UTF8);
	case VALUE_BLOB:
		return sqlite3_bind_blob64(stmt, place, bytes, value->bytes.len,
		                           SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

int store_query(struct store *store, sqlite3_stmt **ret_row, const char *sql,
                struct values values, struct error *err)
{
	sqlite3_stmt *stmt = NULL;

	if (find_statement(store, sql, &stmt, err) < 0)
		return -1;
	for (size_t i = 0; i < values.n; i++)
		if (bind(stmt, (int)i + 1, &values.items[i]))
			return store_fail(store, err);
	*ret_row = stmt;
	return 0;
}

void store_reset(sqlite3_stmt *row)
{
	sqlite3_reset(row);
	sqlite3_clear_bindings(row);
}

int store_step(struct store *store, sqlite3_stmt *row, struct error *err)
{
	int rc = sqlite3_step(row);

	if (rc == SQLITE_ROW)
		return 1;
	/* The message is lost with the reset. */
	rc = rc == SQLITE_DONE ? 0 : store_fail(store, err);
	store_reset(row);
	return rc;
}

int store_run(struct store *store, const char *sql, struct values values,
              struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row, sql, values, err) < 0)
		return -1;
	do
		rc = store_step(store, row, err);
	while (rc > 0);
	return rc;
}

int store_number(struct store *store, const char *sql, struct values values,
                 int64_t *ret_number, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row, sql, values, err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc < 0)
		return -1;
	if (rc > 0) {
		*ret_number = sqlite3_column_int64(row, 0);
		store_reset(row);
	}
	return 0;
}

struct span store_column(sqlite3_stmt *row, int column)
{
	/* In this order: the blob's type decides what bytes() counts. */
	const char *bytes = sqlite3_column_blob(row, column);

	return (struct span){bytes ? bytes : "",
	                     (size_t)sqlite3_column_bytes(row, column)};
}

char *store_column_dup(sqlite3_stmt *row, int column)
{
	return mem_dup_span(store_column(row, column));
}

char *store_column_dup_null(sqlite3_stmt *row, int column)
{
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return NULL;
	return store_column_dup(row, column);
}

size_t store_changed(const struct store *store)
{
	return (size_t)sqlite3_changes64(store->db);
}

int store_exec(struct store *store, const char *sql, struct error *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL))
		return store_fail(store, err);
	return 0;
}

/* ---- transactions ---- */

static bool in_transaction(const struct store *store)
{
	return !sqlite3_get_autocommit(store->db);
}

int store_begin(struct store *store, struct error *err)
{
	assert(!in_transaction(store));
	return store_exec(store, "BEGIN IMMEDIATE", err);
}

int store_commit(struct store *store, struct error *err)
{
	if (store_exec(store, "COMMIT", err) < 0) {
		store_rollback(store);
		return -1;
	}
	return 0;
}

/* SQLite rolls back by itself after some errors; then this does nothing. */
void store_rollback(struct store *store)
{
	if (in_transaction(store))
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

int store_begin_change(struct store *store, bool *ret_own, struct error *err)
{
	*ret_own = !in_transaction(store);
	return *ret_own ? store_begin(store, err) : 0;
}

int store_end_change(struct store *store, bool own, int rc, struct error *err)
{
	if (!own)
		return rc;
	if (rc < 0) {
		store_rollback(store);
		return -1;
	}
	return store_commit(store, err) < 0 ? -1 : rc;
}

/* ---- opening ---- */

/* Before SQLite makes it, so that nobody else can ever read it. */
static int create_file(const char *path, struct error *err)
{
	owned(fd) int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == EACCES)
		return error_set(err, ERROR_SYSTEM,
		                 "%s: cannot open the database: permission "
		                 "denied: give it and its folder back to the "
		                 "user that arxmail runs as",
		                 path);
	if (fd < 0)
		return error_set(err, ERROR_SYSTEM,
		                 "%s: cannot open the database: %s", path,
		                 strerror(errno));
	return 0;
}

static int find_file(const char *path, struct error *err)
{
	if (access(path, F_OK))
		return error_set(err, ERROR_SYSTEM,
		                 "%s: %s: run 'arxmail fetch' first", path,
		                 errno == ENOENT ? "there is no database yet"
		                                 : strerror(errno));
	return 0;
}

/*
 * Of several that open a new file at once, one makes it a WAL file; the others
 * get SQLITE_BUSY without the busy timeout.
 */
static int enter_wal(struct store *store, struct error *err)
{
	int rc = store_exec(store, "PRAGMA journal_mode=WAL", err);

	for (int i = 0; i < WAL_TRIES && rc < 0 && err->kind == ERROR_TEMPORARY;
	     i++) {
		sqlite3_sleep(WAL_PAUSE_MS);
		rc = store_exec(store, "PRAGMA journal_mode=WAL", err);
	}
	return rc;
}

static int configure(struct store *store, enum store_mode mode,
                     struct error *err)
{
	if (mode == STORE_READ)
		return store_exec(store, "PRAGMA query_only=1", err);
	if (enter_wal(store, err) < 0)
		return -1;
	return store_exec(store,
	                  "PRAGMA synchronous=FULL;"
	                  "PRAGMA foreign_keys=ON",
	                  err);
}

static int connect_to(struct store *store, const char *name, int flags,
                      struct error *err)
{
	int rc = sqlite3_open_v2(name, &store->db, flags | SQLITE_OPEN_NOMUTEX,
	                         NULL);

	if (rc)
		return store_fail(store, err);
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	return 0;
}

/*
 * A reader who may not write to the folder cannot make the files that WAL
 * needs. When there are none, nobody writes, and the file can be read as it
 * lies there.
 */
static int connect_reader(struct store *store, struct error *err)
{
	owned(mem) char *wal = mem_printf("%s-wal", store->path);
	owned(buf) struct buf uri = BUF_INIT(4 * PATH_MAX);
	const char *folder_end = strrchr(store->path, '/');
	owned(mem) char *folder = mem_dup_span(
		(struct span){store->path, (size_t)(folder_end - store->path)});

	if (access(folder, W_OK) == 0 || access(wal, F_OK) == 0)
		return connect_to(store, store->path, SQLITE_OPEN_READONLY,
		                  err);
	buf_add_str(&uri, "file:");
	for (const char *c = store->path; *c; c++)
		buf_addf(&uri, strchr("%?#", *c) ? "%%%02X" : "%c", *c);
	buf_add_str(&uri, "?immutable=1");
	return connect_to(store, buf_str(&uri),
	                  SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
}

static int open_database(struct store *store, enum store_mode mode,
                         struct error *err)
{
	bool in_memory = !strcmp(store->path, ":memory:");

	if (mode == STORE_READ)
		return find_file(store->path, err) < 0 ||
		                       connect_reader(store, err) < 0
		               ? -1
		               : 0;
	if (!in_memory && create_file(store->path, err) < 0)
		return -1;
	return connect_to(store, store->path,
	                  SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
}

int store_open(struct store **ret_store, const char *state_dir,
               enum store_mode mode, struct error *err)
{
	owned(store) struct store *store = mem_new(sizeof(*store));

	store->path = state_dir[0] ? mem_printf("%s/arxmail.db", state_dir)
	                           : mem_dup(":memory:");
	if (open_database(store, mode, err) < 0 ||
	    store_check_owner(store, err) < 0 ||
	    configure(store, mode, err) < 0 ||
	    store_migrate(store, mode, err) < 0)
		return -1;
	*ret_store = take_ptr(store);
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < store->n_cached; i++)
		sqlite3_finalize(store->cache[i].stmt);
	sqlite3_close(store->db);
	shelf_fini(&store->shelf);
	free(store->path);
	free(store);
}

void store_add_library(struct buf *out)
{
	buf_addf(out, "SQLite %s", sqlite3_libversion());
}
