#include "fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"

#define A "2401.00001"
#define B "2401.00002"

static const struct batch batch = {"cs.CL", 10, 100, {{A, 1, 0}, {B, 1, 0}}};

static char *path_in(const char *folder, const char *name)
{
	return mem_printf("%s/%s", folder, name);
}

static bool exists(const char *folder, const char *name)
{
	owned(mem) char *path = path_in(folder, name);

	return access(path, F_OK) == 0;
}

static struct store *open_store(const char *folder, enum store_mode mode)
{
	struct store *store = NULL;
	struct error err = {0};

	assert_done(store_open(&store, folder, mode, &err));
	return store;
}

/* Runs SQL on the folder's database behind the store's back. */
static void run_sql(const char *folder, const char *sql)
{
	owned(mem) char *path = path_in(folder, "arxmail.db");
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void assert_refused(const char *folder, enum store_mode mode,
                           enum error_kind kind, const char *word)
{
	owned(mem) char *path = path_in(folder, "arxmail.db");
	owned(store) struct store *store = NULL;
	struct error err = {0};

	assert_fails(store_open(&store, folder, mode, &err));
	assert_null(store);
	assert_int_equal(err.kind, kind);
	assert_non_null(strstr(err.message, path));
	assert_non_null(strstr(err.message, word));
}

/* ---- files ---- */

static void keeps_its_files_private(void **state)
{
	static const char *const names[] = {"arxmail.db", "arxmail.db-wal",
	                                    "arxmail.db-shm"};
	mode_t mask = umask(0);
	owned(store) struct store *store = open_store(*state, STORE_WRITE);

	add_batch(store, &batch);
	umask(mask);
	for (size_t i = 0; i < N_OF(names); i++) {
		owned(mem) char *path = path_in(*state, names[i]);
		struct stat info;

		assert_int_equal(stat(path, &info), 0);
		assert_int_equal(info.st_mode & 0777, 0600);
	}
}

static void remembers_over_a_restart(void **state)
{
	for (int i = 0; i < 3; i++) {
		owned(store) struct store *store =
			open_store(*state, STORE_WRITE);
		struct store_batch_counts counts = add_batch(store, &batch);

		assert_int_equal(counts.n_new, i == 0 ? 2 : 0);
		assert_int_equal(last_seq(store), 2);
	}
}

static void makes_no_database_to_read(void **state)
{
	assert_refused(*state, STORE_READ, ERROR_SYSTEM, "no database");
	assert_false(exists(*state, "arxmail.db"));
	assert_int_equal(rmdir(*state), 0);
	assert_refused(*state, STORE_READ, ERROR_SYSTEM, "no database");
	assert_refused(*state, STORE_WRITE, ERROR_SYSTEM, "No such file");
	assert_int_equal(mkdir(*state, 0700), 0);
}

/* ---- readers ---- */

static void reads_what_is_committed_while_another_writes(void **state)
{
	owned(store) struct store *writer = open_store(*state, STORE_WRITE);
	owned(store) struct store *reader = open_store(*state, STORE_READ);
	struct error err = {0};

	assert_int_equal(last_seq(reader), 0);
	assert_done(store_begin(writer, &err));
	add_batch(writer, &batch);
	begin_subscriber(writer, "ada");
	assert_int_equal(last_seq(writer), 2);
	assert_int_equal(last_seq(reader), 0);
	assert_done(store_commit(writer, &err));
	assert_int_equal(last_seq(reader), 2);
	assert_int_equal(get_subscriber(reader, "ada").mark, 0);
}

static void changes_nothing_as_a_reader(void **state)
{
	static const struct plan plan = {"ada", "m@b", 1, 1, {{A, 1, 0}}};
	static const struct store_outcome sent = {
		{OUTCOME_OF_SUBSCRIBER, "ada", 1}, OUTCOME_SENT, "", 1, false};
	const struct store_feed feed = {NULL, NULL, 5};
	struct store_batch_counts counts = {0};
	struct strings nobody = {0};
	owned(store) struct store *store = open_store(*state, STORE_WRITE);
	owned(store) struct store *reader = NULL;
	struct error err = {0};
	bool more = false;
	size_t n = 0;

	add_batch(store, &batch);
	begin_subscriber(store, "ada");
	store_close(take_ptr(store));
	reader = open_store(*state, STORE_READ);
	assert_fails(store_set_feed(reader, "cs.CL", &feed, &err));
	assert_fails(try_batch(reader, &batch, &counts, &err));
	assert_fails(store_begin_subscriber(reader, "ada", 9, 9, &err));
	assert_fails(store_pause_subscriber(reader, "ada", &err));
	assert_fails(store_keep_subscribers(reader, &nobody, 1, &n, &err));
	assert_fails(try_queue(reader, &plan, 0, 1, &err));
	assert_fails(store_move_mark(reader, "ada", &(struct store_move){0, 1},
	                             &err));
	assert_fails(store_set_outcome(reader, &sent, &err));
	assert_fails(store_recover_deliveries(reader, 1, false, &n, &err));
	assert_fails(store_prune(reader, 1 << 30, 100, &more, &err));
	assert_int_equal(last_seq(reader), 2);
	assert_int_equal(get_subscriber(reader, "ada").mark, 0);
	assert_false(get_subscriber(reader, "ada").paused);
}

/* What a child finds there as a user who may not write to the folder. */
static int read_as_stranger(const char *folder)
{
	owned(mem) char *path = path_in(folder, "arxmail.db");
	owned(store) struct store *store = NULL;
	struct error err = {0};
	const uid_t nobody = 65534;
	int64_t seq = 0;

	if (geteuid() == 0 &&
	    (chown(path, nobody, nobody) || chown(folder, nobody, nobody) ||
	     setgid(nobody) || setuid(nobody)))
		return 1;
	if (chmod(folder, 0500))
		return 2;
	if (store_open(&store, folder, STORE_READ, &err) < 0 ||
	    store_last_seq(store, &seq, &err) < 0)
		return 3;
	store_close(take_ptr(store));
	if (store_open(&store, folder, STORE_READ, &err) < 0)
		return 4;
	return chmod(folder, 0700) || seq != 2 ? 5 : 0;
}

static void reads_where_it_may_not_write(void **state)
{
	owned(mem) char *folder = path_in(*state, "50%25?mode=rw#&x y");
	int status = -1;
	pid_t child;

	assert_int_equal(chmod(*state, 0711), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	{
		owned(store) struct store *store =
			open_store(folder, STORE_WRITE);

		add_batch(store, &batch);
	}
	child = fork();
	if (child == 0)
		_exit(read_as_stranger(folder));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- locks ---- */

static int sleep_never(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds;
}

static void says_that_another_keeps_it_locked(void **state)
{
	owned(store) struct store *first = open_store(*state, STORE_WRITE);
	owned(store) struct store *second = NULL;
	sqlite3_vfs hasty = *sqlite3_vfs_find(NULL);
	struct error err = {0};

	hasty.zName = "hasty";
	hasty.xSleep = sleep_never;
	assert_int_equal(sqlite3_vfs_register(&hasty, 1), SQLITE_OK);
	second = open_store(*state, STORE_WRITE);
	assert_done(store_begin(first, &err));
	assert_fails(store_begin(second, &err));
	assert_int_equal(err.kind, ERROR_TEMPORARY);
	assert_non_null(strstr(err.message, *state));
	assert_fails(store_pause_subscriber(second, "ada", &err));
	assert_int_equal(err.kind, ERROR_TEMPORARY);
	assert_int_equal(last_seq(second), 0);
	assert_done(store_commit(first, &err));
	assert_done(store_pause_subscriber(second, "ada", &err));
	store_close(take_ptr(second));
	assert_int_equal(sqlite3_vfs_unregister(&hasty), SQLITE_OK);
}

static void waits_for_nobody_who_keeps_all_of_it(void **state)
{
	owned(mem) char *path = path_in(*state, "arxmail.db");
	sqlite3_vfs hasty = *sqlite3_vfs_find(NULL);
	sqlite3 *db = NULL;

	store_close(open_store(*state, STORE_WRITE));
	hasty.zName = "hasty";
	hasty.xSleep = sleep_never;
	assert_int_equal(sqlite3_vfs_register(&hasty, 1), SQLITE_OK);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
	                              "PRAGMA locking_mode = EXCLUSIVE;"
	                              "BEGIN EXCLUSIVE",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	assert_refused(*state, STORE_WRITE, ERROR_TEMPORARY, "locked");
	assert_refused(*state, STORE_READ, ERROR_TEMPORARY, "locked");
	sqlite3_close(db);
	store_close(open_store(*state, STORE_WRITE));
	assert_int_equal(sqlite3_vfs_unregister(&hasty), SQLITE_OK);
}

/* ---- files that are not ours ---- */

static void refuses_what_a_newer_version_wrote(void **state)
{
	store_close(open_store(*state, STORE_WRITE));
	run_sql(*state, "PRAGMA user_version = 99");
	assert_refused(*state, STORE_WRITE, ERROR_LIMIT, "newer");
	assert_refused(*state, STORE_READ, ERROR_LIMIT, "newer");
}

static void write_file(const char *folder, const char *name,
                       struct span content)
{
	owned(mem) char *path = path_in(folder, name);
	struct error err = {0};

	assert_done(file_replace(path, content, 0600, &err));
}

static void read_file(const char *folder, const char *name, struct buf *content)
{
	owned(mem) char *path = path_in(folder, name);
	struct error err = {0};

	assert_done(file_read(content, path, &err));
}

/* And leaves it as it is: somebody needs it. */
static void refuses_another_programs_database(void **state)
{
	static const char *const theirs[] = {
		"CREATE TABLE paper (id TEXT)",
		"CREATE TABLE t (x); PRAGMA user_version = 1",
		"CREATE TABLE t (x); PRAGMA application_id = 77",
		"PRAGMA user_version = 1",
		"PRAGMA application_id = 77; PRAGMA user_version = 99",
	};

	for (size_t i = 0; i < N_OF(theirs); i++) {
		owned(buf) struct buf before = BUF_INIT(1 << 20);
		owned(buf) struct buf after = BUF_INIT(1 << 20);

		run_sql(*state, theirs[i]);
		read_file(*state, "arxmail.db", &before);
		assert_refused(*state, STORE_WRITE, ERROR_SYSTEM, "another");
		assert_refused(*state, STORE_READ, ERROR_SYSTEM, "another");
		read_file(*state, "arxmail.db", &after);
		assert_true(span_equal(buf_span(&before), buf_span(&after)));
		write_file(*state, "arxmail.db", SPAN_NONE);
	}
}

static void refuses_what_is_no_database(void **state)
{
	static const char *const texts[] = {
		"x",
		"# arxmail.conf\nstate_dir = \"/var/lib/arxmail\";\n",
		"SQLite format 2",
		"SQLite format 3",
	};

	for (size_t i = 0; i < N_OF(texts); i++) {
		owned(buf) struct buf text = BUF_INIT(1 << 20);

		for (size_t j = 0; j < 1000; j++)
			buf_add_str(&text, texts[i]);
		write_file(*state, "arxmail.db", buf_span(&text));
		assert_refused(*state, STORE_WRITE, ERROR_SYSTEM, "damaged");
		assert_refused(*state, STORE_READ, ERROR_SYSTEM, "damaged");
	}
}

static void takes_an_empty_file_for_a_new_database(void **state)
{
	owned(store) struct store *store = NULL;

	write_file(*state, "arxmail.db", SPAN_NONE);
	store = open_store(*state, STORE_WRITE);
	add_batch(store, &batch);
}

static void says_that_the_database_is_a_folder(void **state)
{
	owned(mem) char *path = path_in(*state, "arxmail.db");

	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(*state, STORE_WRITE, ERROR_SYSTEM, "");
	assert_refused(*state, STORE_READ, ERROR_SYSTEM, "");
}

/* ---- backup ---- */

static void backs_up_while_another_writes(void **state)
{
	owned(mem) char *other = path_in(*state, "copy");
	owned(mem) char *path = path_in(*state, "copy/arxmail.db");
	owned(store) struct store *writer = open_store(*state, STORE_WRITE);
	owned(store) struct store *reader = NULL;
	owned(store) struct store *copy = NULL;
	mode_t mask = umask(0);
	struct error err = {0};
	struct stat info;

	add_batch(writer, &batch);
	reader = open_store(*state, STORE_READ);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_done(store_begin(writer, &err));
	begin_subscriber(writer, "ada");
	assert_done(store_backup(reader, path, &err));
	umask(mask);
	assert_done(store_commit(writer, &err));
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);

	copy = open_store(other, STORE_WRITE);
	assert_int_equal(last_seq(copy), 2);
	assert_gives(store_get_subscriber(copy, "ada",
	                                  &(struct store_subscriber){0}, &err),
	             STORE_MISSING);
	begin_subscriber(copy, "emmy");
	assert_gives(store_get_subscriber(writer, "emmy",
	                                  &(struct store_subscriber){0}, &err),
	             STORE_MISSING);
}

static void overwrites_nothing_with_a_backup(void **state)
{
	owned(mem) char *path = path_in(*state, "precious");
	owned(mem) char *nowhere = path_in(*state, "no/folder");
	owned(store) struct store *store = open_store(*state, STORE_WRITE);
	owned(buf) struct buf left = BUF_INIT(100);
	struct error err = {0};

	write_file(*state, "precious", span_of("letters"));
	assert_fails(store_backup(store, path, &err));
	assert_non_null(strstr(err.message, path));
	read_file(*state, "precious", &left);
	assert_string_equal(buf_str(&left), "letters");
	assert_fails(store_backup(store, nowhere, &err));
	assert_non_null(strstr(err.message, nowhere));
	add_batch(store, &batch);
}

/* ---- many at once ---- */

#define N_PROCESSES 6
#define N_ROUNDS 5

static int open_and_add(const char *folder, int number)
{
	for (int i = 0; i < N_ROUNDS; i++) {
		owned(store) struct store *store = NULL;
		struct store_batch_counts counts = {0};
		struct error err = {0};

		if (store_open(&store, folder, STORE_WRITE, &err) < 0 ||
		    try_batch(store, &batch, &counts, &err) < 0) {
			(void)fprintf(stderr, "process %d, round %d: %s\n",
			              number, i, err.message);
			return 1;
		}
	}
	return 0;
}

static void opens_in_many_processes_at_once(void **state)
{
	owned(store) struct store *store = NULL;
	pid_t children[N_PROCESSES];
	int n_failed = 0;

	for (int i = 0; i < N_PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(open_and_add(*state, i));
	}
	for (int i = 0; i < N_PROCESSES; i++) {
		int status = -1;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		n_failed += status != 0;
	}
	assert_int_equal(n_failed, 0);
	store = open_store(*state, STORE_READ);
	assert_int_equal(last_seq(store), 2);
}

/* ---- all or nothing ---- */

static void stores_all_of_a_batch_or_nothing(void **state)
{
	owned(store) struct store *store = open_store(*state, STORE_WRITE);
	struct store_batch_counts counts = {77, 77, 77};
	struct error err = {0};

	run_sql(*state,
	        "CREATE TRIGGER stop BEFORE INSERT ON announcement"
	        " WHEN (SELECT count(*) FROM announcement) = 1"
	        " BEGIN SELECT RAISE(ABORT, 'no more'); END");
	assert_fails(try_batch(store, &batch, &counts, &err));
	assert_int_equal(counts.n_new, 77);
	assert_int_equal(last_seq(store), 0);
	assert_done(store_begin(store, &err));
	assert_fails(try_batch(store, &batch, &counts, &err));
	store_rollback(store);
	assert_int_equal(last_seq(store), 0);

	run_sql(*state, "DROP TRIGGER stop");
	assert_int_equal(add_batch(store, &batch).n_new, 2);
}

static void queues_all_of_a_digest_or_nothing(void **state)
{
	static const char *const tables[] = {"digest", "delivery"};
	static const struct plan plan = {"ada", "m@b", 1, 1, {{A, 1, 0}}};
	owned(store) struct store *store = open_store(*state, STORE_WRITE);
	struct error err = {0};

	add_batch(store, &batch);
	begin_subscriber(store, "ada");
	for (size_t i = 0; i < N_OF(tables); i++) {
		owned(mem) char *trigger = mem_printf(
			"CREATE TRIGGER stop BEFORE INSERT ON %s"
			" BEGIN SELECT RAISE(ABORT, 'no more'); END",
			tables[i]);

		run_sql(*state, trigger);
		assert_fails(try_queue(store, &plan, 0, 1, &err));
		assert_int_equal(get_subscriber(store, "ada").mark, 0);
		assert_int_equal(count_deliveries(store), 0);
		run_sql(*state, "DROP TRIGGER stop");
	}
	queue(store, &plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_folder(keeps_its_files_private),
		test_in_folder(remembers_over_a_restart),
		test_in_folder(makes_no_database_to_read),
		test_in_folder(reads_what_is_committed_while_another_writes),
		test_in_folder(changes_nothing_as_a_reader),
		test_in_folder(reads_where_it_may_not_write),
		test_in_folder(says_that_another_keeps_it_locked),
		test_in_folder(waits_for_nobody_who_keeps_all_of_it),
		test_in_folder(refuses_what_a_newer_version_wrote),
		test_in_folder(refuses_another_programs_database),
		test_in_folder(refuses_what_is_no_database),
		test_in_folder(takes_an_empty_file_for_a_new_database),
		test_in_folder(says_that_the_database_is_a_folder),
		test_in_folder(backs_up_while_another_writes),
		test_in_folder(overwrites_nothing_with_a_backup),
		test_in_folder(opens_in_many_processes_at_once),
		test_in_folder(stores_all_of_a_batch_or_nothing),
		test_in_folder(queues_all_of_a_digest_or_nothing),
	};

	return cmocka_run_group_tests_name("store: opening", tests, NULL, NULL);
}
