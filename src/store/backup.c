/*
 * Copies, and what is done when one is put in the database's place. A copy is
 * known by its application_id, until its queue is looked at.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "store_private.h"

OWNED_DEFINE(sqlite, sqlite3, sqlite3_close);

static int sync_file(const char *path, struct error *err)
{
	owned(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd))
		return error_set(err, ERROR_SYSTEM, "%s: cannot sync: %s", path,
		                 strerror(errno));
	return 0;
}

int store_set_id(struct store *store, int64_t id, struct error *err)
{
	return store_exec(store,
	                  id == STORE_ID ? "PRAGMA application_id = 0x6172786D"
	                                 : "PRAGMA application_id = 0x61727862",
	                  err);
}

static int mark_copy(const char *path, struct error *err)
{
	owned(sqlite) sqlite3 *copy = NULL;

	if (sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE, NULL) ||
	    sqlite3_exec(copy, "PRAGMA application_id = 0x61727862", NULL, NULL,
	                 NULL))
		return error_set(err, ERROR_SYSTEM, "%s", sqlite3_errmsg(copy));
	return 0;
}

static int write_copy(struct store *store, const char *path, struct error *err)
{
	/* VACUUM INTO takes an empty file, which keeps our mode. */
	if (store_exec(store, "PRAGMA query_only=0", err) < 0 ||
	    store_run(store, "VACUUM INTO ?1", VALUES(TEXT(path)), err) < 0)
		return -1;
	return mark_copy(path, err);
}

int store_backup(struct store *store, const char *path, struct error *err)
{
	owned(fd) int fd =
		open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_set(err, ERROR_SYSTEM, "%s: cannot create: %s",
		                 path, strerror(errno));
	if (write_copy(store, path, err) < 0) {
		unlink(path);
		return error_prefix(err, "backup to %s", path);
	}
	return sync_file(path, err);
}

/* 0 queued, 1 sending, 3 deferred, 4 unknown become 5 held. */
static int hold(struct store *store, int64_t at, size_t *ret_n,
                struct error *err)
{
	if (store_run(store,
	              "UPDATE delivery SET state = 5, words = 'the database is"
	              " a backup: it may have been sent since'"
	              " WHERE state IN (0, 1, 3, 4) AND created_at < ?1",
	              VALUES(INT(at - LIMIT_RESTORED_SEC)), err) < 0)
		return -1;
	*ret_n = store_changed(store);
	return store_set_id(store, STORE_ID, err);
}

int store_hold_restored(struct store *store, int64_t at, size_t *ret_n_held,
                        struct error *err)
{
	int64_t id = 0;
	bool own;
	int rc;

	*ret_n_held = 0;
	if (store_number(store, "PRAGMA application_id", NO_VALUES, &id, err) <
	    0)
		return -1;
	if (id != STORE_BACKUP_ID)
		return STORE_MISSING;
	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = hold(store, at, ret_n_held, err);
	if (store_end_change(store, own, rc, err) < 0)
		return -1;
	return STORE_FOUND;
}
