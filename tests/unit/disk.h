#pragma once

/*
 * For tests of bad disks and early ends: a file system for SQLite in which the
 * nth write fails or is the process's last act.
 */

#include <signal.h>
#include <stdbool.h>

#include <sqlite3.h>

struct disk {
	int writes_left; /* the end's countdown; -1: none */
	int fault;       /* SQLite's code; 0: the process stops (SIGSTOP) */
	bool recovers;   /* only one write fails */
};

/* The caller's, perhaps shared with children. */
static struct disk *disk;

/* Of the database, and of its log. */
static const sqlite3_io_methods *real_methods[2];
static sqlite3_io_methods deadly_methods[2];
static sqlite3_vfs deadly_vfs;

static inline const sqlite3_io_methods *methods_of(const sqlite3_file *file)
{
	return real_methods[file->pMethods == &deadly_methods[1]];
}

/* What the write that comes now gives: SQLITE_OK, SQLITE_FULL or `broken`. */
static inline int next_write(int broken)
{
	if (disk->writes_left < 0)
		return SQLITE_OK;
	if (disk->writes_left > 0)
		disk->writes_left--;
	if (disk->writes_left > 0)
		return SQLITE_OK;
	if (!disk->fault)
		(void)raise(SIGSTOP);
	if (disk->recovers)
		disk->writes_left = -1;
	return disk->fault == SQLITE_FULL ? SQLITE_FULL : broken;
}

/* The last one is torn. */
static inline int write_deadly(sqlite3_file *file, const void *bytes, int n,
                               sqlite3_int64 at)
{
	int rc;

	if (disk->writes_left == 1)
		(void)methods_of(file)->xWrite(file, bytes, n / 2, at);
	rc = next_write(SQLITE_IOERR_WRITE);
	return rc ? rc : methods_of(file)->xWrite(file, bytes, n, at);
}

static inline int truncate_deadly(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = next_write(SQLITE_IOERR_TRUNCATE);

	return rc ? rc : methods_of(file)->xTruncate(file, size);
}

/* The kernel outlives the process: nothing need reach the disk. */
static inline int sync_deadly(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return next_write(SQLITE_IOERR_FSYNC);
}

static inline int delete_deadly(sqlite3_vfs *vfs, const char *name,
                                int sync_folder)
{
	sqlite3_vfs *real = vfs->pAppData;
	int rc = next_write(SQLITE_IOERR_DELETE);

	(void)sync_folder;
	return rc ? rc : real->xDelete(real, name, 0);
}

static inline int open_deadly(sqlite3_vfs *vfs, const char *name,
                              sqlite3_file *file, int flags, int *ret_flags)
{
	sqlite3_vfs *real = vfs->pAppData;
	int rc = real->xOpen(real, name, file, flags, ret_flags);
	int i = flags & SQLITE_OPEN_MAIN_DB ? 0 : 1;

	if (rc != SQLITE_OK || !file->pMethods)
		return rc;
	real_methods[i] = file->pMethods;
	deadly_methods[i] = *file->pMethods;
	deadly_methods[i].xWrite = write_deadly;
	deadly_methods[i].xTruncate = truncate_deadly;
	deadly_methods[i].xSync = sync_deadly;
	file->pMethods = &deadly_methods[i];
	return rc;
}

/* From now on all databases lie on it. */
static inline int disk_begin(struct disk *own)
{
	disk = own;
	deadly_vfs = *sqlite3_vfs_find(NULL);
	deadly_vfs.pAppData = sqlite3_vfs_find(NULL);
	deadly_vfs.zName = "deadly";
	deadly_vfs.xOpen = open_deadly;
	deadly_vfs.xDelete = delete_deadly;
	return sqlite3_vfs_register(&deadly_vfs, 1);
}

static inline int disk_end(void)
{
	return sqlite3_vfs_unregister(&deadly_vfs);
}
