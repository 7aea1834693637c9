#include "walk.h"

#include "base/buf.h"

static void take_packed(sqlite3 *db, struct buf *packed)
{
	sqlite3_stmt *row = NULL;

	assert_int_equal(sqlite3_prepare_v2(db,
	                                    "SELECT packed FROM digest"
	                                    " WHERE digest_no = 1",
	                                    -1, &row, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	buf_add(packed, sqlite3_column_blob(row, 0),
	        (size_t)sqlite3_column_bytes(row, 0));
	sqlite3_finalize(row);
}

static void put_packed(sqlite3 *db, struct span packed)
{
	const char *bytes = packed.ptr ? packed.ptr : "";
	sqlite3_stmt *row = NULL;

	assert_int_equal(sqlite3_prepare_v2(db,
	                                    "UPDATE digest SET packed = ?1"
	                                    " WHERE digest_no = 1",
	                                    -1, &row, NULL),
	                 SQLITE_OK);
	assert_int_equal(
		sqlite3_bind_blob64(row, 1, bytes, packed.len, SQLITE_STATIC),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_DONE);
	sqlite3_finalize(row);
}

/* Loads digest 1, which may fail, and looks for a paper in it. */
static bool loads_packed(struct store *store)
{
	owned(store_digest) struct store_digest *digest = NULL;
	struct walk walk = {.store = store};
	struct store_sent sent;
	bool more;

	(void)went_well(&walk,
	                store_get_sent(store, "ada", A, &sent, &walk.err));
	assert_int_equal(store_begin(store, &walk.err), 0);
	(void)went_well(&walk, store_prune(store, INT64_C(1) << 40, 9, &more,
	                                   &walk.err));
	store_rollback(store);
	if (!went_well(&walk, store_load_digest(store, 1, &digest, &walk.err)))
		return false;
	check_digest(&walk, digest->digest);
	return true;
}

static void refuses_a_truncated_digest(void **state)
{
	owned(store) struct store *store = NULL;
	owned(buf) struct buf packed = BUF_INIT(1 << 20);
	struct error err = {0};
	sqlite3 *db;

	fill(*state);
	db = open_database(*state);
	take_packed(db, &packed);
	assert_done(store_open(&store, *state, STORE_WRITE, &err));
	assert_true(loads_packed(store));
	for (size_t n = 0; n < packed.len; n++) {
		put_packed(db, span_first(buf_span(&packed), n));
		assert_false(loads_packed(store));
	}
	buf_add_char(&packed, '\0');
	put_packed(db, buf_span(&packed));
	assert_false(loads_packed(store));
	sqlite3_close(db);
}

static void survives_flipped_bits_in_a_digest(void **state)
{
	owned(store) struct store *store = NULL;
	owned(buf) struct buf packed = BUF_INIT(1 << 20);
	struct error err = {0};
	sqlite3 *db;

	fill(*state);
	db = open_database(*state);
	take_packed(db, &packed);
	assert_done(store_open(&store, *state, STORE_WRITE, &err));
	for (size_t i = 0; i < 8 * packed.len; i++) {
		char flip = (char)(1 << i % 8);

		packed.data[i / 8] ^= flip;
		put_packed(db, buf_span(&packed));
		(void)loads_packed(store);
		packed.data[i / 8] ^= flip;
	}
	put_packed(db, buf_span(&packed));
	assert_true(loads_packed(store));
	sqlite3_close(db);
}

#define HUGE "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"

static void refuses_a_digest_that_was_made_up(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"\0", 1},
		{"\1", 1},
		{"\4\0\0\0\0\0\0", 7},        /* another format */
		{"\3\0\0\0\0\0", 6},          /* no mark */
		{"\2\0\0\0\0\0", 6},          /* no mark */
		{"\2" HUGE "\0\0\0\0\0", 16}, /* a mark of 2^64 - 1 */
		{"\1\0\0\0\0\1", 6},          /* an entry, but no bytes */
		{"\1\0\0\0\0" HUGE, 15},      /* 2^64 - 1 entries */
		{"\1\0\0" HUGE, 13},          /* topics */
		{"\1\0\0\0" HUGE, 14},        /* categories */
		{"\1\0\0\1" HUGE, 14},        /* a topic's length */
		{"\1" HUGE, 11},              /* a count beyond 32 bits */
		{"\1\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 14},
		{"\1\0\0\0\0\0\0", 7}, /* more than there should be */
		{"\1\0\0\1\5abc", 8},  /* a text beyond the end */
	};
	owned(store) struct store *store = NULL;
	struct error err = {0};
	sqlite3 *db;

	fill(*state);
	db = open_database(*state);
	assert_done(store_open(&store, *state, STORE_WRITE, &err));
	for (size_t i = 0; i < N_OF(cases); i++) {
		print_message("case %zu\n", i);
		put_packed(db, (struct span){cases[i].bytes, cases[i].len});
		assert_false(loads_packed(store));
	}
	sqlite3_close(db);
}

static void reads_the_formats_before(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"\1\0\0\0\0\0", 6},
		{"\2\0\0\0\0\0\0", 7},
		{"\3\0\0\0\0\0\0", 7},
	};
	owned(store) struct store *store = NULL;
	struct error err = {0};
	sqlite3 *db;

	fill(*state);
	db = open_database(*state);
	assert_done(store_open(&store, *state, STORE_WRITE, &err));
	for (size_t i = 0; i < N_OF(cases); i++) {
		put_packed(db, (struct span){cases[i].bytes, cases[i].len});
		assert_true(loads_packed(store));
	}
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_folder(refuses_a_truncated_digest),
		test_in_folder(survives_flipped_bits_in_a_digest),
		test_in_folder(refuses_a_digest_that_was_made_up),
		test_in_folder(reads_the_formats_before),
	};

	return cmocka_run_group_tests_name("store: packed digests", tests, NULL,
	                                   NULL);
}
