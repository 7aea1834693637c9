#include "walk.h"

#include <unistd.h>

#include "base/file.h"

/* From one damaged byte to the next; with 1 none is left out. */
#define STRIDE 211

/* ---- the file ---- */

static void put_file(const char *folder, const char *name, struct span content)
{
	owned(mem) char *path = mem_printf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(content.ptr, 1, content.len, file),
	                 content.len);
	assert_int_equal(fclose(file), 0);
}

static void take_file(const char *folder, const char *name, struct buf *content)
{
	owned(mem) char *path = mem_printf("%s/%s", folder, name);
	struct error err = {0};

	assert_done(file_read(content, path, &err));
}

static void drop_file(const char *folder, const char *name)
{
	owned(mem) char *path = mem_printf("%s/%s", folder, name);

	(void)unlink(path);
}

static void put_database(const char *folder, struct span content)
{
	drop_file(folder, "arxmail.db-wal");
	drop_file(folder, "arxmail.db-shm");
	put_file(folder, "arxmail.db", content);
}

static void reads_a_sound_file_without_complaint(void **state)
{
	fill(*state);
	/* Digests 0 and 3 are not there. */
	assert_int_equal(walk_all(*state, STORE_READ), 2);
}

static void survives_a_truncated_file(void **state)
{
	owned(buf) struct buf whole = BUF_INIT(1 << 24);

	fill(*state);
	take_file(*state, "arxmail.db", &whole);
	for (size_t n = 1; n < whole.len; n += n < 600 ? 50 : 1000) {
		put_database(*state, span_first(buf_span(&whole), n));
		assert_true(walk_all(*state, STORE_READ) > 0);
		(void)walk_all(*state, STORE_WRITE);
	}
}

static char damage(char byte, size_t i)
{
	switch (i % 3) {
	case 0:
		return 0;
	case 1:
		return (char)0xFF;
	default:
		return (char)(byte ^ 1 << i % 8);
	}
}

static void survives_damaged_bytes(void **state)
{
	owned(buf) struct buf file = BUF_INIT(1 << 24);

	fill(*state);
	take_file(*state, "arxmail.db", &file);
	for (size_t i = 0; i < file.len; i += STRIDE) {
		enum store_mode mode = i % 8 ? STORE_READ : STORE_WRITE;
		char sound = file.data[i];

		file.data[i] = damage(sound, i);
		put_database(*state, buf_span(&file));
		(void)walk_all(*state, mode);
		file.data[i] = sound;
	}
}

/* The log's checksums tell: what comes after the fault never happened. */
static void survives_a_damaged_log(void **state)
{
	owned(buf) struct buf file = BUF_INIT(1 << 24);
	owned(buf) struct buf log = BUF_INIT(1 << 24);
	owned(store) struct store *store = NULL;
	struct error err = {0};

	fill(*state);
	assert_done(store_open(&store, *state, STORE_WRITE, &err));
	add_batch(store, &(struct batch){"cs.CL", 11, 200, {{B, 3, 2}}});
	add_batch(store, &(struct batch){"cs.LG", 11, 201, {{B, 3, 2}}});
	take_file(*state, "arxmail.db", &file);
	take_file(*state, "arxmail.db-wal", &log);
	store_close(take_ptr(store));
	for (size_t i = 0; i < log.len; i += 4 * STRIDE) {
		char sound = log.data[i];

		log.data[i] = damage(sound, i);
		put_database(*state, buf_span(&file));
		put_file(*state, "arxmail.db-wal", buf_span(&log));
		assert_done(store_open(&store, *state, STORE_WRITE, &err));
		assert_in_range(last_seq(store), 3, 5);
		store_close(take_ptr(store));
		assert_int_equal(walk_all(*state, STORE_READ), 2);
		log.data[i] = sound;
	}
}

/* ---- values that cannot be ---- */

static void run_sql(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* The columns' types are only promises: a damaged row keeps none. */
static void survives_values_that_cannot_be(void **state)
{
	static const char *const damages[] = {
		"UPDATE announcement SET type = 4",
		"UPDATE announcement SET type = -1, day = 1 << 40",
		"UPDATE announcement SET paper_no = paper_no + 90",
		"UPDATE announcement SET category = NULL, type = NULL",
		"UPDATE delivery SET state = 9",
		"UPDATE delivery SET state = -1",
		"UPDATE delivery SET state = 1 << 40, n_attempts = -1",
		"UPDATE delivery SET address = NULL, message_id = NULL",
		"UPDATE outcome SET outcome = 14",
		"UPDATE outcome SET outcome = NULL, reason = NULL",
		"UPDATE outcome SET of = 2",
		"UPDATE paper SET id = NULL, version = NULL",
		"UPDATE paper SET title = NULL",
		"UPDATE paper SET title = 'Short'",
		"UPDATE paper SET title = 'a' || char(0) || 'long title'",
		"UPDATE paper SET abstract = char(0), authors = char(0, 10)",
		"UPDATE paper SET title = 7, title_raw = zeroblob(3)",
		"UPDATE paper SET abstract = NULL, abstract_raw = NULL",
		"UPDATE paper SET authors = NULL, authors_raw = NULL",
		"UPDATE paper SET categories = NULL",
		"UPDATE paper SET version = -1",
		"DELETE FROM paper",
		"DELETE FROM subscriber",
		"UPDATE subscriber SET id = NULL",
		"UPDATE subscriber SET mark = NULL, paused = 'x'",
		"UPDATE digest SET message_id = NULL, day = NULL",
		"UPDATE digest SET packed = NULL",
		"UPDATE digest SET packed = 5",
		"DELETE FROM digest",
		"DELETE FROM delivery",
		"UPDATE feed SET newest_day = 'x', newest_seq = NULL",
		"DROP TABLE paper",
		"ALTER TABLE delivery DROP COLUMN words",
	};
	owned(buf) struct buf file = BUF_INIT(1 << 24);
	sqlite3 *db;

	fill(*state);
	db = open_database(*state);
	run_sql(db,
	        "PRAGMA writable_schema = ON;"
	        "UPDATE sqlite_schema SET sql = replace(replace(replace("
	        "sql, 'NOT NULL', ''), 'STRICT, ', ''), 'STRICT', '')");
	sqlite3_close(db);
	take_file(*state, "arxmail.db", &file);
	for (size_t i = 0; i < N_OF(damages); i++) {
		print_message("%s\n", damages[i]);
		put_database(*state, buf_span(&file));
		db = open_database(*state);
		run_sql(db, damages[i]);
		sqlite3_close(db);
		(void)walk_all(*state, STORE_READ);
		(void)walk_all(*state, STORE_WRITE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_folder(reads_a_sound_file_without_complaint),
		test_in_folder(survives_a_truncated_file),
		test_in_folder(survives_damaged_bytes),
		test_in_folder(survives_a_damaged_log),
		test_in_folder(survives_values_that_cannot_be),
	};

	return cmocka_run_group_tests_name("store: damage", tests, NULL, NULL);
}
