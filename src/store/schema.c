#include "store_private.h"

/*
 * Papers have a number, so that announcements are small. A digest's entries
 * are packed into one blob (pack.c). Deliveries that have ended well are in
 * none of the indexes, which so stay as small as the queue.
 */
static const char schema_1[] =
	"CREATE TABLE paper ("
	"  paper_no     INTEGER PRIMARY KEY,"
	"  id           TEXT NOT NULL,"
	"  version      INTEGER NOT NULL,"
	"  title        TEXT NOT NULL,"
	"  abstract     TEXT NOT NULL,"
	"  authors      TEXT NOT NULL," /* a line each */
	"  title_raw    TEXT NOT NULL,"
	"  abstract_raw TEXT NOT NULL,"
	"  authors_raw  TEXT NOT NULL,"
	"  categories   TEXT NOT NULL," /* a blank between, primary first */
	"  stored_at    INTEGER NOT NULL,"
	"  UNIQUE (id, version)"
	") STRICT;"
	"CREATE INDEX paper_by_age ON paper (stored_at);"

	"CREATE TABLE announcement ("
	"  seq       INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  category  TEXT NOT NULL,"
	"  paper_no  INTEGER NOT NULL REFERENCES paper,"
	"  type      INTEGER NOT NULL,"
	"  day       INTEGER NOT NULL,"
	"  stored_at INTEGER NOT NULL,"
	"  UNIQUE (paper_no, category)"
	") STRICT;"

	"CREATE TABLE feed ("
	"  category      TEXT PRIMARY KEY,"
	"  etag          TEXT,"
	"  last_modified TEXT,"
	"  polled_at     INTEGER NOT NULL DEFAULT 0,"
	"  newest_day    INTEGER," /* of its newest batch */
	"  newest_seq    INTEGER"  /* where that batch begins */
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE subscriber ("
	"  subscriber_no INTEGER PRIMARY KEY,"
	"  id            TEXT NOT NULL UNIQUE,"
	"  mark          INTEGER NOT NULL DEFAULT 0,"
	"  began_at      INTEGER NOT NULL DEFAULT 0,"
	"  paused        INTEGER NOT NULL DEFAULT 1,"
	"  suspended_at  INTEGER NOT NULL DEFAULT 0"
	") STRICT;"

	"CREATE TABLE digest ("
	"  digest_no     INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  subscriber_no INTEGER NOT NULL REFERENCES subscriber,"
	"  message_id    TEXT NOT NULL,"
	"  day           INTEGER NOT NULL,"
	"  created_at    INTEGER NOT NULL,"
	"  packed        BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX digest_of ON digest (subscriber_no, digest_no);"
	"CREATE INDEX digest_by_age ON digest (created_at);"

	"CREATE TABLE delivery ("
	"  delivery_no   INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  digest_no     INTEGER NOT NULL REFERENCES digest,"
	"  subscriber_no INTEGER NOT NULL REFERENCES subscriber,"
	"  address       TEXT NOT NULL,"
	"  message_id    TEXT NOT NULL,"
	"  state         INTEGER NOT NULL DEFAULT 0,"
	"  n_attempts    INTEGER NOT NULL DEFAULT 0,"
	"  created_at    INTEGER NOT NULL,"
	"  next_at       INTEGER NOT NULL DEFAULT 0,"
	"  started_at    INTEGER NOT NULL DEFAULT 0,"
	"  dot_at        INTEGER NOT NULL DEFAULT 0,"
	"  ended_at      INTEGER NOT NULL DEFAULT 0,"
	"  words         TEXT"
	") STRICT;"
	"CREATE INDEX delivery_of ON delivery (digest_no);"
	/* 0 queued, 3 deferred, 4 unknown: what can be sent */
	"CREATE INDEX delivery_open ON delivery (delivery_no)"
	"  WHERE state IN (0, 3, 4);"
	/* all but 2 sent, 7 superseded, 8 cancelled */
	"CREATE INDEX delivery_state ON delivery (state, delivery_no)"
	"  WHERE state NOT IN (2, 7, 8);"

	"CREATE TABLE outcome ("
	"  of      INTEGER NOT NULL,"
	"  name    TEXT NOT NULL,"
	"  day     INTEGER NOT NULL,"
	"  outcome INTEGER NOT NULL,"
	"  reason  TEXT NOT NULL,"
	"  at      INTEGER NOT NULL,"
	"  PRIMARY KEY (of, name, day)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX outcome_by_day ON outcome (day);";

/*
 * Deliveries of older digests drop out of the index by message, which so
 * stays as small as the list of subscribers. Eight of a Message-ID's random
 * digits are enough to find it.
 */
static const char schema_2[] =
	"ALTER TABLE subscriber ADD COLUMN"
	"  refused_address TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE subscriber ADD COLUMN"
	"  refused_words TEXT NOT NULL DEFAULT '';"
	/* the address refused it for good */
	"ALTER TABLE delivery ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE delivery ADD COLUMN"
	"  may_bounce INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX delivery_by_message"
	"  ON delivery (substr(message_id, 1, 8)) WHERE may_bounce;";

/*
 * A delivery that may have arrived once stays in doubt. What is due is found
 * by its time; what is open of a subscriber by the subscriber. The relay's
 * trouble is one row, or none.
 */
static const char schema_3[] =
	"ALTER TABLE delivery ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0;"
	"UPDATE delivery SET doubt = 1 WHERE state IN (4, 5);"
	"DROP INDEX delivery_open;"
	"CREATE INDEX delivery_due ON delivery (next_at, delivery_no)"
	"  WHERE state IN (0, 3, 4);"
	"CREATE INDEX delivery_open ON delivery (subscriber_no)"
	"  WHERE state IN (0, 3, 4);"
	/* the local day of the last slot that is done; 0: none yet */
	"ALTER TABLE subscriber ADD COLUMN"
	"  slot_day INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE trouble ("
	"  one     INTEGER PRIMARY KEY,"
	"  since   INTEGER NOT NULL,"
	"  next_at INTEGER NOT NULL,"
	"  words   TEXT NOT NULL"
	") STRICT;";

/*
 * SQLite makes a table of a list after IN, and did so for each of these
 * indexes whenever a delivery changed.
 */
static const char schema_4[] =
	"DROP INDEX delivery_due;"
	"CREATE INDEX delivery_due ON delivery (next_at, delivery_no)"
	"  WHERE state = 0 OR state = 3 OR state = 4;"
	"DROP INDEX delivery_open;"
	"CREATE INDEX delivery_open ON delivery (subscriber_no)"
	"  WHERE state = 0 OR state = 3 OR state = 4;"
	"DROP INDEX delivery_state;"
	"CREATE INDEX delivery_state ON delivery (state, delivery_no)"
	"  WHERE state <> 2 AND state <> 7 AND state <> 8;"
	"CREATE INDEX announcement_by_age ON announcement (stored_at);";

static const char schema_5[] =
	/* when what the day lacked was asked for; NULL: never */
	"ALTER TABLE outcome ADD COLUMN recovered_day INTEGER;";

/*
 * What a language model wrote; a summary of no bytes was given up at that
 * time. Row 2 of `trouble` is the model's.
 */
static const char schema_6[] =
	"CREATE TABLE answer ("
	"  paper_no INTEGER NOT NULL REFERENCES paper ON DELETE CASCADE,"
	"  language TEXT NOT NULL,"
	"  model    TEXT NOT NULL,"
	"  prompt   TEXT NOT NULL,"
	"  title    TEXT NOT NULL,"
	"  summary  TEXT NOT NULL,"
	"  abstract TEXT NOT NULL,"
	"  fault    TEXT NOT NULL,"
	"  answered_at INTEGER NOT NULL,"
	"  PRIMARY KEY (paper_no, language, model, prompt)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE asked ("
	"  day      INTEGER PRIMARY KEY,"
	"  n_calls  INTEGER NOT NULL,"
	"  n_tokens INTEGER NOT NULL"
	") STRICT;";

static const char schema_7[] =
	/* what is wrong with the service; is_told: the admin knows */
	"CREATE TABLE ill ("
	"  subject TEXT PRIMARY KEY,"
	"  since   INTEGER NOT NULL,"
	"  words   TEXT NOT NULL,"
	"  is_told INTEGER NOT NULL"
	") STRICT;";

/* Step I leads from version I to I + 1. Steps that were released stay. */
static const char *const steps[] = {schema_1, schema_2, schema_3, schema_4,
                                    schema_5, schema_6, schema_7};

#define SCHEMA_VERSION ((int64_t)(sizeof(steps) / sizeof(steps[0])))

struct version {
	int64_t number;
	int64_t application;
	int64_t n_tables;
};

static int read_numbers(struct store *store, struct version *ret_version,
                        struct error *err)
{
	*ret_version = (struct version){0};
	if (store_number(store, "PRAGMA user_version", NO_VALUES,
	                 &ret_version->number, err) < 0 ||
	    store_number(store, "PRAGMA application_id", NO_VALUES,
	                 &ret_version->application, err) < 0)
		return -1;
	return store_number(store, "SELECT count(*) FROM sqlite_schema",
	                    NO_VALUES, &ret_version->n_tables, err);
}

/* In one transaction: another process may be creating the schema. */
static int read_version(struct store *store, struct version *ret_version,
                        struct error *err)
{
	int rc;

	if (!sqlite3_get_autocommit(store_db(store)))
		return read_numbers(store, ret_version, err);
	if (store_exec(store, "BEGIN", err) < 0)
		return -1;
	rc = read_numbers(store, ret_version, err);
	if (rc < 0) {
		store_rollback(store);
		return -1;
	}
	return store_exec(store, "COMMIT", err);
}

static int check_version(const char *path, const struct version *version,
                         struct error *err)
{
	bool fresh = version->number == 0 && version->n_tables == 0;

	if (!fresh && version->application != STORE_ID &&
	    version->application != STORE_BACKUP_ID)
		return error_set(err, ERROR_SYSTEM,
		                 "%s: this is another program's database: "
		                 "move it away, or set state_dir to another "
		                 "folder",
		                 path);
	if (version->number > SCHEMA_VERSION)
		return error_set(err, ERROR_LIMIT,
		                 "%s: a newer arxmail wrote this database "
		                 "(version %lld, this one knows %lld): install "
		                 "that version again, or put a backup in its "
		                 "place",
		                 path, (long long)version->number,
		                 (long long)SCHEMA_VERSION);
	return 0;
}

static int take_steps(struct store *store, int64_t from, struct error *err)
{
	for (int64_t i = from; i < SCHEMA_VERSION; i++)
		if (store_exec(store, steps[i], err) < 0)
			return -1;
	_Static_assert(sizeof(steps) / sizeof(steps[0]) == 7,
	               "the number below is the schema's version");
	/* A backup of an older version stays one. */
	if (from == 0 && store_set_id(store, STORE_ID, err) < 0)
		return -1;
	return store_exec(store, "PRAGMA user_version = 7", err);
}

/* Inside the write lock the version is read again: two may have started. */
static int upgrade(struct store *store, const char *path, struct error *err)
{
	struct version version;
	bool own;
	int rc;

	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = read_version(store, &version, err);
	if (rc == 0)
		rc = check_version(path, &version, err);
	if (rc == 0 && version.number < SCHEMA_VERSION)
		rc = take_steps(store, version.number, err);
	return store_end_change(store, own, rc, err);
}

static const char *path_of(const struct store *store)
{
	return sqlite3_db_filename(store_db(store), "main");
}

int store_check_owner(struct store *store, struct error *err)
{
	struct version version;

	if (read_version(store, &version, err) < 0)
		return -1;
	return check_version(path_of(store), &version, err);
}

int store_migrate(struct store *store, enum store_mode mode, struct error *err)
{
	struct version version;

	if (read_version(store, &version, err) < 0)
		return -1;
	if (version.number == SCHEMA_VERSION)
		return 0;
	if (mode == STORE_READ)
		return error_set(err, ERROR_SYSTEM,
		                 "%s: an older arxmail wrote this database: "
		                 "run 'arxmail fetch' to bring it up to date",
		                 path_of(store));
	return upgrade(store, path_of(store), err);
}
