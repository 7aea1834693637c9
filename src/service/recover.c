/* One category's gap: its pages to the store, its days to their outcomes. */

#include "base/mem.h"
#include "poll_private.h"
#include "recover_private.h"

/* What a turn stores: some milliseconds of work. */
#define SLICE_RECORDS 100U

enum step {
	STEP_READ,
	STEP_STORE,
	STEP_MARK,
};

struct recovery {
	struct service *service;
	const struct zone *new_york;
	char *category;
	struct gap gap;
	enum step step;
	struct pages pages;
	struct oai_page *page; /* that is being stored */
	size_t n_stored;       /* of its records */
	size_t n_pages;
	size_t n_records; /* of all pages, also of no use */
	size_t n_skipped;
	char *skipped; /* the first one and why */
	bool is_cut;   /* there were more than may be read */
	size_t n_papers[LIMIT_RECOVER_DAYS]; /* as gap.missed */
	enum service_recover_end end;
	char *reason;
};

static const char *base_of(const struct recovery *recovery)
{
	return recovery->service->conf->feeds.oai_url;
}

static int64_t now_of(const struct recovery *recovery)
{
	return clock_now_sec(&recovery->service->world->clock);
}

static size_t count_papers(const struct recovery *recovery)
{
	size_t n = 0;

	for (size_t i = 0; i < LIMIT_RECOVER_DAYS; i++)
		n += recovery->n_papers[i];
	return n;
}

/* ---- its life ---- */

struct recovery *recovery_new(struct service *service,
                              const struct zone *new_york, const char *category,
                              const struct gap *gap)
{
	struct recovery *recovery = mem_new(sizeof(*recovery));

	recovery->service = service;
	recovery->new_york = new_york;
	recovery->category = mem_dup(category);
	recovery->gap = *gap;
	recovery->pages.world = service->world;
	/* What a day's feed shows was announced the evening before. */
	pages_ask(&recovery->pages, oai_first_url(base_of(recovery), category,
	                                          gap->first_day - 1));
	return recovery;
}

void recovery_free(struct recovery *recovery)
{
	if (!recovery)
		return;
	pages_fini(&recovery->pages);
	oai_page_free(recovery->page);
	free(recovery->category);
	free(recovery->skipped);
	free(recovery->reason);
	free(recovery);
}

struct service_recover_result recovery_result(const struct recovery *recovery)
{
	return (struct service_recover_result){
		.category = recovery->category,
		.end = recovery->end,
		.n_papers = count_papers(recovery),
		.reason = recovery->reason,
		.retry_after_sec = recovery->pages.answer.retry_after_sec,
	};
}

/* ---- its end ---- */

static void add_count(struct buf *text, size_t n)
{
	buf_addf(text, "recovered %zu paper%s", n, n == 1 ? "" : "s");
}

static int mark_day(struct recovery *recovery, int32_t day, struct error *err)
{
	size_t n = recovery->n_papers[day - recovery->gap.first_day];
	owned(buf) struct buf reason = BUF_INIT(200);
	struct store_recovered row = {
		.category = recovery->category,
		.day = day,
		.on_day = zone_day(recovery->new_york, now_of(recovery)),
		.n_papers = n,
	};

	add_count(&reason, n);
	buf_add_str(&reason, ", no replacements");
	if (recovery->is_cut)
		buf_add_str(&reason, ", of more than may be read");
	row.reason = buf_str(&reason);
	return store_set_recovered(recovery->service->store, &row, err);
}

static int mark_missed(struct recovery *recovery, struct error *err)
{
	const struct gap *gap = &recovery->gap;

	for (int32_t day = gap->first_day; day <= gap->last_day; day++)
		if (gap->missed[day - gap->first_day] &&
		    mark_day(recovery, day, err) < 0)
			return -1;
	return 0;
}

static char *explain(const struct recovery *recovery)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_LOG_LINE_BYTES);
	const struct gap *gap = &recovery->gap;
	char day[DAY_TEXT_SIZE];

	add_count(&text, count_papers(recovery));
	buf_addf(&text, " of %s", day_format(gap->first_day, day));
	if (gap->last_day > gap->first_day)
		buf_addf(&text, " to %s", day_format(gap->last_day, day));
	buf_add_str(&text, "; replacements are not recovered");
	if (recovery->is_cut)
		buf_addf(&text,
		         "; some may be missing: arXiv had more than %zu "
		         "records",
		         recovery->n_records);
	if (recovery->skipped)
		buf_addf(&text, "; %zu left out: %s", recovery->n_skipped,
		         recovery->skipped);
	return mem_dup(buf_str(&text));
}

static int mark_days(struct recovery *recovery, struct error *err)
{
	struct store *store = recovery->service->store;

	if (store_begin(store, err) < 0)
		return -1;
	if (mark_missed(recovery, err) < 0 || store_commit(store, err) < 0) {
		store_rollback(store);
		return -1;
	}
	recovery->end = RECOVER_DONE;
	recovery->reason = explain(recovery);
	return RECOVERY_ENDED;
}

/* ---- records ---- */

/* 1 if the category has announced it already, other than as a replacement. */
static int is_known(struct recovery *recovery, const struct paper *paper,
                    struct error *err)
{
	enum announce_type type = ANNOUNCE_NEW;
	int found =
		store_get_announced(recovery->service->store,
	                            recovery->category, paper->id, &type, err);

	if (found < 0)
		return -1;
	return found == STORE_FOUND && type <= ANNOUNCE_CROSS;
}

/* What was missed is version 1's announcement, whatever the newest is. */
static int store_paper(struct recovery *recovery, struct paper *paper,
                       int32_t day, struct error *err)
{
	const struct announcement item = {
		.paper = paper,
		.type = recover_type(recovery->category, paper),
	};
	const struct store_batch batch = {recovery->category, day,
	                                  now_of(recovery), &item, 1};
	struct store_batch_counts counts;
	int known = is_known(recovery, paper, err);

	if (known != 0)
		return known < 0 ? -1 : 0;
	paper->version = 1;
	if (store_add_batch(recovery->service->store, &batch, &counts, err) < 0)
		return -1;
	recovery->n_papers[day - recovery->gap.first_day] += counts.n_new;
	return 0;
}

static int store_records(struct recovery *recovery, size_t until,
                         struct error *err)
{
	for (size_t i = recovery->n_stored; i < until; i++) {
		const struct oai_record *record = &recovery->page->records[i];
		int32_t day;

		if (gap_find_day(&recovery->gap, recovery->new_york,
		                 record->first_at, &day) &&
		    store_paper(recovery, record->paper, day, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- pages ---- */

/* The next page is asked for, if there is one and may be. */
static int end_page(struct recovery *recovery)
{
	struct oai_page *page = recovery->page;

	recovery->step = STEP_MARK;
	if (page->token && !recovery->is_cut) {
		recovery->step = STEP_READ;
		pages_ask(&recovery->pages,
		          oai_next_url(base_of(recovery), page->token));
	}
	oai_page_free(take_ptr(recovery->page));
	return RECOVERY_GOES_ON;
}

static int commit_slice(struct recovery *recovery, size_t until,
                        struct error *err)
{
	struct store *store = recovery->service->store;

	if (store_begin(store, err) < 0)
		return -1;
	if (store_records(recovery, until, err) < 0 ||
	    store_commit(store, err) < 0) {
		store_rollback(store);
		return -1;
	}
	return RECOVERY_GOES_ON;
}

/* All or nothing: after a failure the slice is stored again. */
static int store_slice(struct recovery *recovery, struct error *err)
{
	size_t left = recovery->page->n_records - recovery->n_stored;
	size_t until = recovery->n_stored +
	               (left < SLICE_RECORDS ? left : SLICE_RECORDS);
	size_t had[LIMIT_RECOVER_DAYS];

	if (left == 0)
		return end_page(recovery);
	memcpy(had, recovery->n_papers, sizeof(had));
	if (commit_slice(recovery, until, err) < 0) {
		memcpy(recovery->n_papers, had, sizeof(had));
		return -1;
	}
	recovery->n_stored = until;
	return RECOVERY_GOES_ON;
}

static int begin_page(struct recovery *recovery)
{
	struct oai_page *page = recovery->page;

	recovery->step = STEP_STORE;
	recovery->n_stored = 0;
	recovery->n_pages++;
	recovery->n_records +=
		page->n_records + page->n_skipped + page->n_deleted;
	recovery->n_skipped += page->n_skipped;
	if (!recovery->skipped)
		recovery->skipped = take_ptr(page->skipped);
	recovery->is_cut =
		page->token && (recovery->n_pages >= LIMIT_RECOVER_PAGES ||
	                        recovery->n_records >= LIMIT_RECOVER_RECORDS);
	return RECOVERY_GOES_ON;
}

static int fail(struct recovery *recovery, const struct error *why)
{
	recovery->end = RECOVER_FAILED;
	recovery->reason = mem_dup(why->message);
	return RECOVERY_ENDED;
}

static int read_pages(struct recovery *recovery, int64_t *ret_look_ms)
{
	struct error why = {0};

	switch (pages_turn(&recovery->pages, ret_look_ms, &recovery->page,
	                   &why)) {
	case PAGES_PAGE:
		return begin_page(recovery);
	case PAGES_NONE:
		recovery->step = STEP_MARK;
		return RECOVERY_GOES_ON;
	case PAGES_GO_ON:
		return RECOVERY_GOES_ON;
	default:
		return fail(recovery, &why);
	}
}

int recovery_turn(struct recovery *recovery, int64_t *ret_look_ms,
                  struct error *err)
{
	*ret_look_ms = 0;
	switch (recovery->step) {
	case STEP_READ:
		return read_pages(recovery, ret_look_ms);
	case STEP_STORE:
		return store_slice(recovery, err);
	case STEP_MARK:
		return mark_days(recovery, err);
	}
	return RECOVERY_ENDED;
}
