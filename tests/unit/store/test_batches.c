#include "fixture.h"

#define A "2401.00001"
#define B "2401.00002"
#define C "2401.00003"
#define OLD "hep-th/9901001"

static void remembers_what_a_feed_said(void **state)
{
	char etag[] = "\"e'tag\"";
	char date[] = "Tue, 26 Mar 2024";
	struct store_feed known = {etag, date, 77};
	struct store_feed plain = {NULL, NULL, 78};
	struct store_feed feed = {0};
	struct error err = {0};

	assert_done(store_get_feed(*state, "cs.CL", &feed, &err));
	assert_null(feed.etag);
	assert_null(feed.last_modified);
	assert_int_equal(feed.polled_at, 0);

	assert_done(store_set_feed(*state, "cs.CL", &known, &err));
	assert_done(store_get_feed(*state, "cs.CL", &feed, &err));
	assert_string_equal(feed.etag, known.etag);
	assert_string_equal(feed.last_modified, known.last_modified);
	assert_int_equal(feed.polled_at, 77);
	store_feed_fini(&feed);

	assert_done(store_set_feed(*state, "cs.CL", &plain, &err));
	assert_done(store_get_feed(*state, "cs.CL", &feed, &err));
	assert_null(feed.etag);
	assert_null(feed.last_modified);
	assert_int_equal(feed.polled_at, 78);
	store_feed_fini(&feed);

	assert_done(store_get_feed(*state, "cs", &feed, &err));
	assert_int_equal(feed.polled_at, 0);
	store_feed_fini(&feed);
}

static void stores_an_announcement_once(void **state)
{
	static const struct {
		struct batch batch;
		size_t n_new;
		size_t n_known;
		size_t n_known_before_day;
		int64_t last_seq;
	} cases[] = {
		{{"cs.CL", 100, 1, {{A, 1, ANNOUNCE_NEW}, {B, 1, 0}}},
	         2,
	         0,
	         0,
	         2},
		{{"cs.CL", 100, 2, {{A, 1, 0}, {B, 1, 0}, {C, 1, 0}}},
	         1,
	         2,
	         0,
	         3},
		{{"cs.CL",
	          101,
	          3,
	          {{A, 1, ANNOUNCE_CROSS}, {A, 2, ANNOUNCE_REPLACE}}},
	         1,
	         1,
	         1,
	         4},
		{{"math.AG", 101, 4, {{A, 1, ANNOUNCE_CROSS}}}, 1, 0, 0, 5},
		{{"math.AG", 101, 5, {{NULL, 0, 0}}}, 0, 0, 0, 5},
		{{"cs.CL", 101, 6, {{OLD, 1, 0}, {OLD, 1, 0}}}, 1, 1, 0, 6},
		{{"cs.CL", 99, 7, {{OLD, 1, 0}}}, 0, 1, 0, 6},
	};

	assert_int_equal(last_seq(*state), 0);
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct store_batch_counts counts =
			add_batch(*state, &cases[i].batch);

		print_message("case %zu\n", i);
		assert_int_equal(counts.n_new, cases[i].n_new);
		assert_int_equal(counts.n_known, cases[i].n_known);
		assert_int_equal(counts.n_known_before_day,
		                 cases[i].n_known_before_day);
		assert_true(last_seq(*state) >= cases[i].last_seq);
	}
}

static void numbers_announcements_in_order(void **state)
{
	owned(store_candidates) struct store_candidates *all = NULL;

	add_batch(*state,
	          &(struct batch){"cs.CL", 100, 1, {{B, 1, 0}, {A, 3, 2}}});
	add_batch(*state, &(struct batch){"math.AG", 99, 2, {{B, 1, 1}}});
	all = load_all(*state);
	assert_int_equal(all->n, 3);
	assert_true(all->announcements[0].seq > 0);
	for (size_t i = 1; i < all->n; i++)
		assert_true(all->announcements[i].seq >
		            all->announcements[i - 1].seq);
	assert_string_equal(all->announcements[0].paper->id, B);
	assert_string_equal(all->announcements[1].paper->id, A);
	assert_int_equal(all->announcements[1].type, ANNOUNCE_REPLACE);
	assert_int_equal(all->announcements[1].paper->version, 3);
	assert_string_equal(all->announcements[2].category, "math.AG");
	assert_int_equal(all->announcements[2].day, 99);
	assert_int_equal(last_seq(*state), all->announcements[2].seq);
}

/* Or a mark would stand above what comes next, which nobody then gets. */
static void never_gives_a_number_twice(void **state)
{
	struct error err = {0};
	int64_t before;
	bool more = false;

	add_batch(*state,
	          &(struct batch){"cs.CL", 1, 1, {{A, 1, 0}, {B, 1, 0}}});
	before = last_seq(*state);
	assert_done(store_prune(*state, INT64_C(1) << 40, 1000, &more, &err));
	assert_false(more);
	add_batch(*state, &(struct batch){"cs.CL", 2, 2, {{C, 1, 0}}});
	assert_true(last_seq(*state) > before);
}

static void loads_each_paper_of_the_candidates_once(void **state)
{
	owned(store_candidates) struct store_candidates *all = NULL;
	owned(paper) struct paper *second = make_paper(A, 2);

	add_batch(*state,
	          &(struct batch){"cs.CL", 1, 1, {{A, 1, 0}, {B, 1, 0}}});
	add_batch(*state,
	          &(struct batch){"cs.LG", 1, 1, {{B, 1, 1}, {A, 1, 0}}});
	add_batch(*state, &(struct batch){"cs.CL", 2, 2, {{A, 2, 2}}});
	all = load_all(*state);
	assert_int_equal(all->n, 5);
	assert_int_equal(all->n_papers, 3);
	assert_ptr_equal(all->announcements[0].paper,
	                 all->announcements[3].paper);
	assert_ptr_equal(all->announcements[1].paper,
	                 all->announcements[2].paper);
	assert_ptr_not_equal(all->announcements[0].paper,
	                     all->announcements[4].paper);
	assert_same_paper(all->announcements[4].paper, second);
}

/* One announcement of `paper` in a store of its own, and back. */
static void assert_paper_survives(struct paper *paper)
{
	owned(store) struct store *store = NULL;
	owned(store_candidates) struct store_candidates *all = NULL;
	struct announcement announcement = {.paper = paper};
	struct store_batch_counts counts = {0};
	struct error err = {0};

	assert_done(store_open(&store, "", STORE_WRITE, &err));
	assert_done(store_add_batch(
		store, &(struct store_batch){"cs.CL", 1, 1, &announcement, 1},
		&counts, &err));
	all = load_all(store);
	assert_int_equal(all->n, 1);
	assert_same_paper(all->papers[0], paper);
}

static void replace_text(char **text, const char *by)
{
	free(*text);
	*text = mem_dup(by);
}

static void keeps_all_of_a_paper(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"plain",
		"'); DROP TABLE paper; --",
		"?1 %s \\ \"' \x01\x1f\x7f",
		"\xff\xfe broken \xc3",
		"\xe2\x80\xa8 line \xef\xbb\xbf",
		"[\"json\", 'x']",
		"one\ntwo\ttab,comma;semi|bar",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		owned(paper) struct paper *paper = make_paper(A, 999);

		replace_text(&paper->title, texts[i]);
		replace_text(&paper->abstract, texts[i]);
		replace_text(&paper->title_raw, texts[i]);
		replace_text(&paper->abstract_raw, texts[i]);
		replace_text(&paper->authors_raw, texts[i]);
		replace_text(&paper->id, texts[i]);
		assert_paper_survives(paper);
	}
}

static void keeps_papers_of_no_and_of_many_authors(void **state)
{
	owned(paper) struct paper *many = make_paper(OLD, 1);
	owned(paper) struct paper *none = make_paper(OLD, 1);
	char *long_text = mem_new(500001);

	(void)state;
	strings_fini(&none->authors);
	strings_fini(&none->categories);
	assert_paper_survives(none);
	strings_add(&none->authors, span_of("O'Neil; \"x\", \\ | \xff"));
	strings_add(&none->categories, span_of("cs.CL"));
	assert_paper_survives(none);

	for (size_t i = 0; i < 10000; i++) {
		owned(mem) char *name = mem_printf("Author %zu", i);

		strings_add(&many->authors, span_of(name));
	}
	memset(long_text, 'x', 500000);
	free(many->authors_raw);
	many->authors_raw = long_text;
	assert_paper_survives(many);
}

static void finds_candidates_by_number_and_age(void **state)
{
	static const struct {
		int after; /* 0, or after the n-th announcement */
		int64_t since;
		size_t n;
		size_t n_papers;
	} cases[] = {
		{0, 0, 4, 3},   {0, 100, 4, 3}, {0, 101, 2, 2}, {0, 200, 2, 2},
		{0, 201, 0, 0}, {1, 0, 3, 3},   {2, 0, 2, 2},   {4, 0, 0, 0},
		{3, 101, 1, 1}, {4, 300, 0, 0},
	};
	owned(store_candidates) struct store_candidates *all = NULL;
	struct error err = {0};

	add_batch(*state,
	          &(struct batch){"cs.CL", 9, 100, {{A, 1, 0}, {B, 1, 0}}});
	add_batch(*state,
	          &(struct batch){"cs.LG", 8, 200, {{A, 1, 0}, {C, 1, 0}}});
	all = load_all(*state);
	for (size_t i = 0; i < N_OF(cases); i++) {
		owned(store_candidates) struct store_candidates *found = NULL;
		int after = cases[i].after;

		print_message("case %zu\n", i);
		assert_done(store_load_candidates(
			*state, after ? all->announcements[after - 1].seq : 0,
			cases[i].since, &found, &err));
		assert_int_equal(found->n, cases[i].n);
		assert_int_equal(found->n_papers, cases[i].n_papers);
		for (size_t j = 0; j < found->n; j++)
			assert_non_null(found->announcements[j].paper);
	}
}

static void knows_what_was_announced_first(void **state)
{
	static const struct {
		const char *id;
		size_t first; /* of all announcements; 0: it was never */
	} cases[] = {
		{A, 1}, {B, 2}, {C, 3}, {"2401.0", 0}, {"", 0}, {"2401%", 0},
	};
	owned(store_candidates) struct store_candidates *all = NULL;
	struct error err = {0};

	add_batch(*state,
	          &(struct batch){"cs.CL", 9, 1, {{A, 2, 0}, {B, 1, 0}}});
	add_batch(*state,
	          &(struct batch){
			  "cs.LG", 9, 1, {{C, 1, 0}, {A, 2, 1}, {A, 1, 0}}});
	all = load_all(*state);
	for (size_t i = 0; i < N_OF(cases); i++) {
		size_t n = cases[i].first;
		int64_t seq = -1;

		assert_done(store_first_seq(*state, cases[i].id, &seq, &err));
		assert_int_equal(seq, n ? all->announcements[n - 1].seq : 0);
	}
}

/* Its place is the number of announcements that stand before the mark. */
static size_t place_mark(struct store *store, const char *const *patterns)
{
	owned(store_candidates) struct store_candidates *rest = NULL;
	owned(store_candidates) struct store_candidates *all = load_all(store);
	owned(strings) struct strings categories = {0};
	struct error err = {0};
	int64_t mark = -1;

	for (size_t i = 0; i < 3 && patterns[i]; i++)
		strings_add(&categories, span_of(patterns[i]));
	assert_done(store_newest_batch_mark(store, &categories, &mark, &err));
	assert_done(store_load_candidates(store, mark, 0, &rest, &err));
	assert_true(mark <= last_seq(store));
	return all->n - rest->n;
}

static void places_a_new_mark_before_the_newest_batch(void **state)
{
	static const struct batch batches[] = {
		{"cs.CL", 100, 1, {{A, 1, 0}, {B, 1, 0}}},
		{"math.AG", 100, 1, {{A, 1, 0}}},
		{"math.NT", 101, 2, {{B, 1, 0}, {C, 1, 0}}},
		{"cs.CL", 101, 3, {{C, 1, 0}, {A, 2, 0}, {B, 2, 0}}},
		{"hep-th", 101, 3, {{OLD, 1, 0}}},
		{"cs.CL", 101, 4, {{OLD, 2, 0}}}, /* the rest of that batch */
		{"cs.CL", 99, 5, {{OLD, 1, 0}}},  /* recovered later */
	};
	static const struct {
		const char *categories[3];
		size_t place;
	} cases[] = {
		{{"cs.CL"}, 5},
		{{"cs.*"}, 5},
		{{"math.AG"}, 2},
		{{"math.*"}, 3},
		{{"hep-th"}, 8},
		{{"stat.ML", "hep-th"}, 8},
		{{"stat.ML"}, 11},
		{{"cs"}, 11},
		{{"cs.*", "math.*"}, 3},
		{{"math.AG", "cs.CL"}, 5},
		{{"cs._L"}, 11},
		{{"%"}, 11},
		{{NULL}, 11},
	};

	assert_int_equal(place_mark(*state, cases[0].categories), 0);
	for (size_t i = 0; i < N_OF(batches); i++)
		add_batch(*state, &batches[i]);
	for (size_t i = 0; i < N_OF(cases); i++) {
		print_message("case %zu\n", i);
		assert_int_equal(place_mark(*state, cases[i].categories),
		                 cases[i].place);
	}
}

static void knows_as_what_a_category_announced_a_paper(void **state)
{
	static const struct batch batches[] = {
		{"cs.CL", 100, 1, {{A, 2, ANNOUNCE_REPLACE}, {B, 1, 0}}},
		{"cs.CL", 101, 2, {{B, 2, ANNOUNCE_REPLACE}}},
		{"math.AG", 100, 1, {{A, 1, ANNOUNCE_CROSS}}},
	};
	static const struct {
		const char *category, *id;
		int found;
		enum announce_type type;
	} cases[] = {
		{"cs.CL", A, STORE_FOUND, ANNOUNCE_REPLACE},
		{"cs.CL", B, STORE_FOUND, ANNOUNCE_NEW},
		{"math.AG", A, STORE_FOUND, ANNOUNCE_CROSS},
		{"math.AG", B, STORE_MISSING, ANNOUNCE_TYPES},
		{"cs", A, STORE_MISSING, ANNOUNCE_TYPES},
	};
	struct error err = {0};

	for (size_t i = 0; i < N_OF(batches); i++)
		add_batch(*state, &batches[i]);
	for (size_t i = 0; i < N_OF(cases); i++) {
		enum announce_type type = ANNOUNCE_TYPES;

		assert_gives(store_get_announced(*state, cases[i].category,
		                                 cases[i].id, &type, &err),
		             cases[i].found);
		assert_int_equal(type, cases[i].type);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_memory(remembers_what_a_feed_said),
		test_in_memory(stores_an_announcement_once),
		test_in_memory(numbers_announcements_in_order),
		test_in_memory(never_gives_a_number_twice),
		test_in_memory(loads_each_paper_of_the_candidates_once),
		cmocka_unit_test(keeps_all_of_a_paper),
		cmocka_unit_test(keeps_papers_of_no_and_of_many_authors),
		test_in_memory(finds_candidates_by_number_and_age),
		test_in_memory(knows_as_what_a_category_announced_a_paper),
		test_in_memory(knows_what_was_announced_first),
		test_in_memory(places_a_new_mark_before_the_newest_batch),
	};

	return cmocka_run_group_tests_name("store: batches", tests, NULL, NULL);
}
