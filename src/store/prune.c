#include "base/mem.h"
#include "store_private.h"

/*
 * A digest may carry papers that were stored this long before it: the age of
 * candidates, of a delivery that is given up, and some days. Papers are kept so
 * much longer than digests, so that only digests kept although they are old
 * have to be looked into for papers that must stay.
 */
#define PAPER_GRACE_SEC (40 * 86400)

struct prune {
	int64_t before;
	size_t max_rows;
	bool more;
};

/* Deletes by a statement that takes the time and the limit. */
static int delete_some(struct store *store, const char *sql,
                       struct prune *prune, struct error *err)
{
	if (store_run(store, sql,
	              VALUES(INT(prune->before), INT((int64_t)prune->max_rows)),
	              err) < 0)
		return -1;
	if (store_changed(store) >= prune->max_rows)
		prune->more = true;
	return 0;
}

/*
 * Old digests but each subscriber's newest, unless one of their deliveries
 * is open (0 queued, 1 sending, 3 deferred, 4 unknown, 5 held).
 */
#define OLD_DIGESTS                                                 \
	"SELECT digest_no FROM digest AS old WHERE created_at < ?1" \
	" AND EXISTS (SELECT 1 FROM digest AS newer"                \
	"  WHERE newer.subscriber_no = old.subscriber_no"           \
	"  AND newer.digest_no > old.digest_no)"                    \
	" AND NOT EXISTS (SELECT 1 FROM delivery"                   \
	"  WHERE delivery.digest_no = old.digest_no"                \
	"  AND state IN (0, 1, 3, 4, 5))"                           \
	" ORDER BY created_at LIMIT ?2"

static int prune_digests(struct store *store, struct prune *prune,
                         struct error *err)
{
	if (store_run(store,
	              "DELETE FROM delivery WHERE digest_no IN (" OLD_DIGESTS
	              ")",
	              VALUES(INT(prune->before), INT((int64_t)prune->max_rows)),
	              err) < 0)
		return -1;
	return delete_some(store,
	                   "DELETE FROM digest WHERE digest_no IN"
	                   " (" OLD_DIGESTS ")",
	                   prune, err);
}

static int keep_paper(struct store *store, const struct packed_paper *paper,
                      struct error *err)
{
	owned(mem) char *id = mem_dup_span(paper->id);

	return store_run(store,
	                 "INSERT OR IGNORE INTO kept SELECT paper_no FROM paper"
	                 " WHERE id = ?1 AND version = ?2",
	                 VALUES(TEXT(id), INT(paper->version)), err);
}

static int keep_papers(struct store *store, struct span packed,
                       struct error *err)
{
	owned(mem) struct packed_paper *papers = NULL;
	size_t n = 0;

	if (store_unpack_papers(packed, &papers, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (keep_paper(store, &papers[i], err) < 0)
			return -1;
	return 0;
}

/* The papers of digests that are kept although they are old. */
static int list_kept(struct store *store, int64_t before, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_exec(store,
	               "CREATE TEMP TABLE IF NOT EXISTS kept"
	               " (paper_no INTEGER PRIMARY KEY);"
	               "DELETE FROM kept",
	               err) < 0 ||
	    store_query(store, &row,
	                "SELECT packed FROM digest WHERE created_at < ?1",
	                VALUES(INT(before)), err) < 0)
		return -1;
	for (rc = store_step(store, row, err); rc > 0;
	     rc = store_step(store, row, err)) {
		if (keep_papers(store, store_column(row, 0), err) < 0) {
			store_reset(row);
			return -1;
		}
	}
	return rc;
}

static int prune_papers(struct store *store, struct prune *prune,
                        struct error *err)
{
	struct prune papers = *prune;

	papers.before -= PAPER_GRACE_SEC;
	if (list_kept(store, prune->before, err) < 0 ||
	    delete_some(store,
	                "DELETE FROM paper WHERE paper_no IN"
	                " (SELECT paper_no FROM paper WHERE stored_at < ?1"
	                "  AND paper_no NOT IN (SELECT paper_no FROM kept)"
	                "  AND NOT EXISTS (SELECT 1 FROM announcement"
	                "   WHERE announcement.paper_no = paper.paper_no)"
	                "  LIMIT ?2)",
	                &papers, err) < 0)
		return -1;
	prune->more = papers.more;
	return 0;
}

/* Papers last: what points to them must be gone. */
static int prune_all(struct store *store, struct prune *prune,
                     struct error *err)
{
	if (prune_digests(store, prune, err) < 0 ||
	    delete_some(store,
	                "DELETE FROM asked WHERE day IN (SELECT day FROM asked"
	                " WHERE day < ?1 / 86400 LIMIT ?2)",
	                prune, err) < 0 ||
	    delete_some(store,
	                /* 60 days later: 90 at least, keep_days being 30 */
	                "DELETE FROM outcome WHERE (of, name, day) IN"
	                " (SELECT of, name, day FROM outcome"
	                "  WHERE day < ?1 / 86400 - 60 LIMIT ?2)",
	                prune, err) < 0 ||
	    delete_some(store,
	                "DELETE FROM announcement WHERE seq IN"
	                " (SELECT seq FROM announcement WHERE stored_at < ?1"
	                "  LIMIT ?2)",
	                prune, err) < 0)
		return -1;
	return prune->more ? 0 : prune_papers(store, prune, err);
}

int store_prune(struct store *store, int64_t before, size_t max_rows,
                bool *ret_more, struct error *err)
{
	struct prune prune = {before, max_rows, false};
	bool own;
	int rc;

	if (store_begin_change(store, &own, err) < 0)
		return -1;
	rc = prune_all(store, &prune, err);
	if (store_end_change(store, own, rc, err) < 0)
		return -1;
	*ret_more = prune.more;
	return 0;
}
