#include <string.h>

#include "base/mem.h"
#include "store_private.h"

#define LIST_BYTES (16U << 20)

/* ---- rows and papers ---- */

static void split_into(struct strings *list, struct span text, char separator)
{
	struct span part;

	while (text.len > 0 && span_split(&text, separator, &part))
		strings_add(list, part);
}

struct paper *store_read_paper(sqlite3_stmt *row, int column)
{
	struct paper *paper = paper_new();

	paper->id = store_column_dup(row, column);
	paper->version = (uint32_t)sqlite3_column_int64(row, column + 1);
	paper->title = store_column_dup(row, column + 2);
	paper->abstract = store_column_dup(row, column + 3);
	split_into(&paper->authors, store_column(row, column + 4), '\n');
	paper->title_raw = store_column_dup(row, column + 5);
	paper->abstract_raw = store_column_dup(row, column + 6);
	paper->authors_raw = store_column_dup(row, column + 7);
	split_into(&paper->categories, store_column(row, column + 8), ' ');
	return paper;
}

static void join(struct buf *out, const struct strings *list, char separator)
{
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			buf_add_char(out, separator);
		buf_add_str(out, list->items[i]);
	}
}

static int insert_paper(struct store *store, const struct paper *paper,
                        int64_t at, struct error *err)
{
	owned(buf) struct buf authors = BUF_INIT(LIST_BYTES);
	owned(buf) struct buf categories = BUF_INIT(LIST_BYTES);

	join(&authors, &paper->authors, '\n');
	join(&categories, &paper->categories, ' ');
	return store_run(store,
	                 "INSERT OR IGNORE INTO paper (id, version, title,"
	                 " abstract, authors, title_raw, abstract_raw,"
	                 " authors_raw, categories, stored_at)"
	                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	                 VALUES(TEXT(paper->id), INT(paper->version),
	                        TEXT(paper->title), TEXT(paper->abstract),
	                        TEXT(buf_str(&authors)), TEXT(paper->title_raw),
	                        TEXT(paper->abstract_raw),
	                        TEXT(paper->authors_raw),
	                        TEXT(buf_str(&categories)), INT(at)),
	                 err);
}

static int find_paper(struct store *store, const struct paper *paper,
                      int64_t *ret_no, struct error *err)
{
	return store_number(store,
	                    "SELECT paper_no FROM paper"
	                    " WHERE id = ?1 AND version = ?2",
	                    VALUES(TEXT(paper->id), INT(paper->version)),
	                    ret_no, err);
}

/* ---- a batch ---- */

static int count_known(struct store *store, const struct store_batch *batch,
                       int64_t paper_no, struct store_batch_counts *counts,
                       struct error *err)
{
	int64_t day = batch->day;

	if (store_number(store,
	                 "SELECT day FROM announcement"
	                 " WHERE paper_no = ?1 AND category = ?2",
	                 VALUES(INT(paper_no), TEXT(batch->category)), &day,
	                 err) < 0)
		return -1;
	counts->n_known++;
	counts->n_known_before_day += day < batch->day;
	return 0;
}

static int add_announcement(struct store *store,
                            const struct store_batch *batch,
                            const struct announcement *announcement,
                            struct store_batch_counts *counts,
                            struct error *err)
{
	int64_t paper_no = 0;

	if (insert_paper(store, announcement->paper, batch->at, err) < 0 ||
	    find_paper(store, announcement->paper, &paper_no, err) < 0 ||
	    store_run(store,
	              "INSERT OR IGNORE INTO announcement"
	              " (category, paper_no, type, day, stored_at)"
	              " VALUES (?1, ?2, ?3, ?4, ?5)",
	              VALUES(TEXT(batch->category), INT(paper_no),
	                     INT(announcement->type), INT(batch->day),
	                     INT(batch->at)),
	              err) < 0)
		return -1;
	if (store_changed(store) == 0)
		return count_known(store, batch, paper_no, counts, err);
	counts->n_new++;
	return 0;
}

/* Where the category's newest batch begins: at its first announcement. */
static int note_newest(struct store *store, const struct store_batch *batch,
                       int64_t first_seq, struct error *err)
{
	return store_run(
		store,
		"INSERT INTO feed (category, newest_day, newest_seq)"
		" VALUES (?1, ?2, ?3)"
		" ON CONFLICT DO UPDATE"
		" SET newest_day = ?2, newest_seq = ?3"
		" WHERE newest_day IS NULL OR newest_day < ?2",
		VALUES(TEXT(batch->category), INT(batch->day), INT(first_seq)),
		err);
}

static int add_all(struct store *store, const struct store_batch *batch,
                   struct store_batch_counts *counts, struct error *err)
{
	int64_t last_seq;

	if (store_last_seq(store, &last_seq, err) < 0)
		return -1;
	for (size_t i = 0; i < batch->n; i++)
		if (add_announcement(store, batch, &batch->announcements[i],
		                     counts, err) < 0)
			return -1;
	return counts->n_new > 0 ? note_newest(store, batch, last_seq + 1, err)
	                         : 0;
}

int store_add_batch(struct store *store, const struct store_batch *batch,
                    struct store_batch_counts *ret_counts, struct error *err)
{
	struct store_batch_counts counts = {0};
	bool own;
	int rc;

	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = add_all(store, batch, &counts, err);
	if (store_end_change(store, own, rc, err) < 0)
		return -1;
	*ret_counts = counts;
	return 0;
}

/* ---- feeds ---- */

void store_feed_fini(struct store_feed *feed)
{
	free(feed->etag);
	free(feed->last_modified);
	*feed = (struct store_feed){0};
}

int store_get_feed(struct store *store, const char *category,
                   struct store_feed *ret_feed, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT etag, last_modified, polled_at FROM feed"
	                " WHERE category = ?1",
	                VALUES(TEXT(category)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc < 0)
		return -1;
	*ret_feed = (struct store_feed){0};
	if (rc > 0) {
		ret_feed->etag = store_column_dup_null(row, 0);
		ret_feed->last_modified = store_column_dup_null(row, 1);
		ret_feed->polled_at = sqlite3_column_int64(row, 2);
		store_reset(row);
	}
	return 0;
}

int store_set_feed(struct store *store, const char *category,
                   const struct store_feed *feed, struct error *err)
{
	return store_run(store,
	                 "INSERT INTO feed"
	                 " (category, etag, last_modified, polled_at)"
	                 " VALUES (?1, ?2, ?3, ?4)"
	                 " ON CONFLICT DO UPDATE SET etag = ?2,"
	                 " last_modified = ?3, polled_at = ?4",
	                 VALUES(TEXT(category), TEXT(feed->etag),
	                        TEXT(feed->last_modified),
	                        INT(feed->polled_at)),
	                 err);
}

/* ---- candidates ---- */

void store_candidates_free(struct store_candidates *candidates)
{
	if (!candidates)
		return;
	for (size_t i = 0; i < candidates->n; i++)
		free(candidates->announcements[i].category);
	free(candidates->announcements);
	for (size_t i = 0; i < candidates->n_papers; i++)
		paper_free(candidates->papers[i]);
	free(candidates->papers);
	free(candidates);
}

/* A paper's number in the database and in memory, for announcements. */
struct loaded {
	int64_t paper_no;
	struct paper *paper;
};

struct loading {
	struct store_candidates *candidates;
	struct loaded *loaded; /* by paper_no */
	size_t announcements_capacity;
	size_t papers_capacity;
	size_t loaded_capacity;
};

static void take_paper(struct loading *loading, sqlite3_stmt *row)
{
	struct store_candidates *candidates = loading->candidates;
	struct paper *paper = store_read_paper(row, 1);
	size_t n = candidates->n_papers++;

	candidates->papers =
		mem_grow(candidates->papers, &loading->papers_capacity, n + 1,
	                 sizeof(struct paper *));
	candidates->papers[n] = paper;
	loading->loaded = mem_grow(loading->loaded, &loading->loaded_capacity,
	                           n + 1, sizeof(*loading->loaded));
	loading->loaded[n] =
		(struct loaded){sqlite3_column_int64(row, 0), paper};
}

static int load_papers(struct store *store, struct loading *loading,
                       struct values bounds, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT paper_no, " PAPER_COLUMNS " FROM paper"
	                " WHERE paper_no IN (SELECT paper_no FROM announcement"
	                "  WHERE seq > ?1 AND +stored_at >= ?2)"
	                " ORDER BY paper_no",
	                bounds, err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err))
		take_paper(loading, row);
	return rc;
}

static int compare_numbers(const void *key, const void *item)
{
	const int64_t *paper_no = key;
	const struct loaded *loaded = item;

	return *paper_no < loaded->paper_no ? -1 : *paper_no > loaded->paper_no;
}

static void take_announcement(struct loading *loading, sqlite3_stmt *row)
{
	struct store_candidates *candidates = loading->candidates;
	int64_t paper_no = sqlite3_column_int64(row, 2);
	const struct loaded *loaded = NULL;
	int type = sqlite3_column_int(row, 3);

	if (loading->loaded)
		loaded = bsearch(&paper_no, loading->loaded,
		                 candidates->n_papers, sizeof(*loading->loaded),
		                 compare_numbers);
	/* The type of a damaged row may be anything. */
	if (!loaded || type < 0 || type >= ANNOUNCE_TYPES)
		return;
	candidates->announcements = mem_grow(
		candidates->announcements, &loading->announcements_capacity,
		candidates->n + 1, sizeof(*candidates->announcements));
	candidates->announcements[candidates->n++] = (struct announcement){
		.seq = sqlite3_column_int64(row, 0),
		.category = store_column_dup(row, 1),
		.paper = loaded->paper,
		.type = (enum announce_type)type,
		.day = sqlite3_column_int(row, 4),
	};
}

static int load_announcements(struct store *store, struct loading *loading,
                              struct values bounds, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT seq, category, paper_no, type, day"
	                " FROM announcement"
	                " WHERE seq > ?1 AND +stored_at >= ?2 ORDER BY seq",
	                bounds, err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err))
		take_announcement(loading, row);
	return rc;
}

/*
 * The signs before stored_at leave the rows to their seq, which bounds them
 * better than the index by age does.
 *
 * Announcements that come between the two reads have papers that were not
 * loaded; take_announcement() leaves them to the next time.
 */
int store_load_candidates(struct store *store, int64_t after_seq, int64_t since,
                          struct store_candidates **ret_candidates,
                          struct error *err)
{
	const struct values bounds = VALUES(INT(after_seq), INT(since));
	owned(store_candidates) struct store_candidates *candidates =
		mem_new(sizeof(*candidates));
	struct loading loading = {.candidates = candidates};
	int rc = load_papers(store, &loading, bounds, err);

	if (rc == 0)
		rc = load_announcements(store, &loading, bounds, err);
	free(loading.loaded);
	if (rc == 0)
		*ret_candidates = take_ptr(candidates);
	return rc;
}

int store_last_seq(struct store *store, int64_t *ret_seq, struct error *err)
{
	*ret_seq = 0;
	return store_number(store,
	                    "SELECT seq FROM announcement"
	                    " ORDER BY seq DESC LIMIT 1",
	                    NO_VALUES, ret_seq, err);
}

int store_get_announced(struct store *store, const char *category,
                        const char *paper_id, enum announce_type *ret_type,
                        struct error *err)
{
	int64_t type = ANNOUNCE_TYPES;

	if (store_number(
		    store,
		    "SELECT type FROM paper JOIN announcement USING (paper_no)"
		    " WHERE id = ?1 AND category = ?2 ORDER BY type LIMIT 1",
		    VALUES(TEXT(paper_id), TEXT(category)), &type, err) < 0)
		return -1;
	if (type < 0 || type >= ANNOUNCE_TYPES)
		return STORE_MISSING;
	*ret_type = (enum announce_type)type;
	return STORE_FOUND;
}

int store_first_seq(struct store *store, const char *paper_id, int64_t *ret_seq,
                    struct error *err)
{
	*ret_seq = 0;
	return store_number(store,
	                    "SELECT min(seq) FROM paper"
	                    " JOIN announcement USING (paper_no)"
	                    " WHERE id = ?1",
	                    VALUES(TEXT(paper_id)), ret_seq, err);
}
