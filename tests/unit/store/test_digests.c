#include "fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#define A "2401.00001"
#define B "2401.00002"
#define C "2401.00003"

static const struct batch first_batch = {
	"cs.CL",
	100,
	1000,
	{{A, 1, 0}, {A, 2, 0}, {A, 3, 0}, {B, 1, 0}, {C, 1, 0}}};

static const struct plan one_paper = {
	"ada", "m1@example.org", 100, 2000, {{A, 1, 0}}};

static int open_with_papers(void **state)
{
	if (open_in_memory(state) < 0)
		return -1;
	add_batch(*state, &first_batch);
	begin_subscriber(*state, "ada");
	begin_subscriber(*state, "emmy");
	return 0;
}

#define test_with_papers(function) \
	cmocka_unit_test_setup_teardown(function, open_with_papers, close_store)

static void assert_same_marks(const struct marks *a, const struct marks *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->items[i].start, b->items[i].start);
		assert_int_equal(a->items[i].len, b->items[i].len);
	}
}

static void assert_same_match(const struct match *a, const struct match *b)
{
	assert_int_equal(a->n_clauses, b->n_clauses);
	for (size_t i = 0; i < a->n_clauses; i++) {
		assert_string_equal(a->clauses[i].text, b->clauses[i].text);
		assert_int_equal(a->clauses[i].fields, b->clauses[i].fields);
	}
	assert_same_marks(&a->title, &b->title);
	assert_same_marks(&a->abstract, &b->abstract);
	assert_same_marks(&a->authors, &b->authors);
}

static void assert_same_digest(const struct digest *a, const struct digest *b)
{
	assert_string_equal(a->subscriber_id, b->subscriber_id);
	assert_string_equal(a->message_id, b->message_id);
	assert_int_equal(a->created_at, b->created_at);
	assert_int_equal(a->day, b->day);
	assert_same_strings(&a->topics, &b->topics);
	assert_same_strings(&a->categories, &b->categories);
	assert_int_equal(a->n_considered, b->n_considered);
	assert_int_equal(a->n_matched, b->n_matched);
	assert_int_equal(a->n_entries, b->n_entries);
	for (size_t i = 0; i < a->n_entries; i++) {
		const struct digest_entry *x = &a->entries[i];
		const struct digest_entry *y = &b->entries[i];

		assert_same_paper(x->paper, y->paper);
		assert_int_equal(x->type, y->type);
		assert_int_equal(x->topic, y->topic);
		assert_int_equal(x->old_version, y->old_version);
		assert_memory_equal(&x->score, &y->score, sizeof(x->score));
		assert_same_match(&x->match, &y->match);
	}
}

/* Queues it and loads it again through its delivery. */
static struct store_digest *pass_through(struct store *store,
                                         const struct digest *digest)
{
	int64_t mark = get_subscriber(store, digest->subscriber_id).mark;
	struct store_digest *loaded = NULL;
	struct store_delivery delivery;
	struct error err = {0};

	assert_gives(store_queue_digest(store, digest, "a@example.org",
	                                &(struct store_move){mark, mark + 1},
	                                &err),
	             STORE_QUEUED);
	delivery = get_delivery(
		store, get_last(store, digest->subscriber_id).delivery_id);
	assert_string_equal(delivery.message_id, digest->message_id);
	assert_string_equal(delivery.subscriber_id, digest->subscriber_id);
	assert_done(
		store_load_digest(store, delivery.digest_id, &loaded, &err));
	store_delivery_fini(&delivery);
	return loaded;
}

static void enrich(struct digest *digest)
{
	struct digest_entry *first = &digest->entries[0];
	struct digest_entry *last = &digest->entries[digest->n_entries - 1];

	strings_add(&digest->topics, span_of("Gitter-QCD; \"O'Neil\"\n"));
	strings_add(&digest->categories, span_of("math.AG"));
	digest->n_considered = UINT32_MAX;
	digest->n_matched = 128;
	first->type = ANNOUNCE_REPLACE_CROSS;
	first->old_version = 999;
	first->score = -0.1;
	match_add_clause(&first->match, span_of("quantiz*"),
	                 CLAUSE_TITLE | CLAUSE_ABSTRACT);
	match_add_clause(&first->match, span_of(""), 0);
	match_add_clause(&first->match, span_of("Müller"), CLAUSE_AUTHOR);
	marks_add(&first->match.title, 0, 8);
	marks_add(&first->match.title, 8, 1);
	marks_add(&first->match.title, 12, 3);
	marks_add(&first->match.abstract, 4, 8);
	marks_add(&first->match.authors, 0, 1);
	marks_add(&first->match.authors, 1, 1);
	last->topic = 1;
	last->score = 1e300;
	match_add_clause(&last->match, span_of("cat:cs.*"), CLAUSE_OTHER);
}

static void keeps_all_of_a_digest(void **state)
{
	static const struct plan plans[] = {
		{"ada",
	         "m1@example.org",
	         -1,
	         5000000000,
	         {{A, 2, 2}, {B, 1, 0}}},
		{"emmy", "m2@example.org", 19000, 0, {{C, 1, 1}}},
		{"ada",
	         "m3@example.org",
	         0,
	         1,
	         {{A, 2, 0}, {A, 1, 0}, {A, 3, 0}}},
	};

	for (size_t i = 0; i < N_OF(plans); i++) {
		owned(store_digest) struct store_digest *made =
			make_digest(&plans[i]);
		owned(store_digest) struct store_digest *loaded = NULL;

		enrich(made->digest);
		loaded = pass_through(*state, made->digest);
		assert_same_digest(loaded->digest, made->digest);
	}
}

static void keeps_a_digest_without_papers(void **state)
{
	static const struct plan plan = {
		"ada", "m@example.org", 1, 1, {{NULL, 0, 0}}};
	owned(store_digest) struct store_digest *made = make_digest(&plan);
	owned(store_digest) struct store_digest *loaded = NULL;

	strings_fini(&made->digest->topics);
	strings_fini(&made->digest->categories);
	loaded = pass_through(*state, made->digest);
	assert_same_digest(loaded->digest, made->digest);
	assert_int_equal(loaded->n_papers, 0);
}

/* Papers that are stored as well; `first` is the number of the first one. */
static struct store_digest *make_large_digest(struct store *store, size_t first,
                                              size_t n)
{
	static const struct plan plan = {
		"ada", "m@example.org", 100, 2000, {{NULL, 0, 0}}};
	struct store_digest *made = make_digest(&plan);
	owned(mem) struct announcement *announcements =
		mem_array(n, sizeof(*announcements));
	const struct store_batch batch = {"cs.LG", 100, 1000, announcements, n};
	struct store_batch_counts counts;
	struct error err = {0};

	free(made->papers);
	made->papers = mem_array(n, sizeof(struct paper *));
	for (; made->n_papers < n; made->n_papers++) {
		size_t i = made->n_papers;
		owned(mem) char *id = mem_printf("2402.%05zu", first + i);

		made->papers[i] = make_paper(id, 1);
		announcements[i].paper = made->papers[i];
		digest_add(made->digest)->paper = made->papers[i];
	}
	assert_done(store_add_batch(store, &batch, &counts, &err));
	return made;
}

/* More papers than a store keeps at hand: two rounds of a digest each. */
static void reads_papers_of_which_there_are_many(void **state)
{
	enum {
		N_DIGESTS = 12,
		N_PAPERS = 500,
	};
	struct store_digest *loaded[N_DIGESTS];

	for (size_t i = 0; i < N_DIGESTS; i++) {
		owned(store_digest) struct store_digest *made =
			make_large_digest(*state, i * N_PAPERS, N_PAPERS);

		loaded[i] = pass_through(*state, made->digest);
		assert_same_digest(loaded[i]->digest, made->digest);
	}
	for (size_t i = 0; i < N_DIGESTS; i++) {
		owned(store_digest) struct store_digest *made =
			make_large_digest(*state, i * N_PAPERS, N_PAPERS);

		assert_same_digest(loaded[i]->digest, made->digest);
		store_digest_free(loaded[i]);
	}
}

/* It is in memory once, and there as long as anybody has it. */
static void shares_a_paper_among_digests(void **state)
{
	static const struct plan other = {
		"emmy", "m2@example.org", 100, 2000, {{B, 1, 0}, {A, 1, 0}}};
	owned(store_digest) struct store_digest *made = make_digest(&one_paper);
	owned(store_digest) struct store_digest *more = make_digest(&other);
	owned(store_digest) struct store_digest *first =
		pass_through(*state, made->digest);
	owned(store_digest) struct store_digest *second =
		pass_through(*state, more->digest);

	assert_ptr_equal(first->papers[0], second->papers[1]);
	store_digest_free(take_ptr(first));
	store_close(*state);
	*state = NULL;
	assert_same_digest(second->digest, more->digest);
}

static void keeps_a_digest_of_many_marks(void **state)
{
	owned(store_digest) struct store_digest *made = make_digest(&one_paper);
	owned(store_digest) struct store_digest *loaded = NULL;
	struct match *match = &made->digest->entries[0].match;

	for (uint32_t i = 0; i < 1000; i++) {
		owned(mem) char *text = mem_printf("clause %u", i);

		match_add_clause(match, span_of(text), i % 16);
	}
	for (uint32_t i = 0; i < 12; i++)
		marks_add(&match->title, 2 * i, 1);
	loaded = pass_through(*state, made->digest);
	assert_same_digest(loaded->digest, made->digest);
}

/* Half a digest would be one that is never sent, and never missed. */
static void refuses_a_digest_that_is_too_large(void **state)
{
	owned(store_digest) struct store_digest *made = make_digest(&one_paper);
	owned(mem) char *text = mem_printf("%01000d", 7);
	struct error err = {0};

	for (size_t i = 0; i < 20000; i++)
		match_add_clause(&made->digest->entries[0].match, span_of(text),
		                 CLAUSE_TITLE);
	assert_fails(store_queue_digest(*state, made->digest, "a@b",
	                                &(struct store_move){0, 1}, &err));
	assert_int_equal(err.kind, ERROR_LIMIT);
	assert_int_equal(get_subscriber(*state, "ada").mark, 0);
	assert_int_equal(count_deliveries(*state), 0);
}

static void queues_a_digest_and_moves_the_mark_as_one(void **state)
{
	struct store_delivery delivery;
	struct error err = {0};
	int64_t id;

	assert_gives(try_queue(*state, &one_paper, 0, 5, &err), STORE_QUEUED);
	assert_int_equal(get_subscriber(*state, "ada").mark, 5);
	assert_int_equal(get_subscriber(*state, "emmy").mark, 0);
	id = get_last(*state, "ada").delivery_id;
	delivery = get_delivery(*state, id);
	assert_int_equal(delivery.id, id);
	assert_int_equal(delivery.state, DELIVERY_QUEUED);
	assert_int_equal(delivery.n_attempts, 0);
	assert_int_equal(delivery.created_at, 2000);
	assert_string_equal(delivery.address, "ada@example.org");
	assert_null(delivery.last_words);
	store_delivery_fini(&delivery);
}

static void queues_nothing_once_the_mark_has_moved(void **state)
{
	static const struct plan stranger = {
		"grace", "m@example.org", 1, 1, {{A, 1, 0}}};
	struct error err = {0};

	assert_done(store_move_mark(*state, "ada", &(struct store_move){0, 3},
	                            &err));
	assert_gives(try_queue(*state, &one_paper, 0, 5, &err),
	             STORE_MARK_MOVED);
	assert_gives(store_move_mark(*state, "ada", &(struct store_move){0, 9},
	                             &err),
	             STORE_MARK_MOVED);
	assert_int_equal(get_subscriber(*state, "ada").mark, 3);
	assert_int_not_equal(try_queue(*state, &stranger, 7, 8, &err),
	                     STORE_QUEUED);
	assert_int_equal(count_deliveries(*state), 0);
}

static void refuses_a_digest_of_papers_it_does_not_have(void **state)
{
	static const struct plan unknown = {
		"ada", "m@example.org", 1, 1, {{A, 1, 0}, {A, 4, 0}}};
	owned(store_digest) struct store_digest *loaded = NULL;
	struct error err = {0};

	/* It may find out when it queues, or when it loads. */
	if (try_queue(*state, &unknown, 0, 5, &err) < 0) {
		assert_int_equal(get_subscriber(*state, "ada").mark, 0);
		assert_int_equal(count_deliveries(*state), 0);
		return;
	}
	assert_fails(store_load_digest(
		*state, get_last(*state, "ada").digest_id, &loaded, &err));
	assert_null(loaded);
}

static void says_which_digest_there_is_not(void **state)
{
	static const int64_t ids[] = {0, 1, -1, INT64_MAX, INT64_MIN};
	owned(store_digest) struct store_digest *loaded = NULL;
	struct store_last_digest last;
	struct store_delivery delivery;
	struct error err = {0};

	for (size_t i = 0; i < N_OF(ids); i++) {
		assert_fails(store_load_digest(*state, ids[i], &loaded, &err));
		assert_gives(
			store_get_delivery(*state, ids[i], &delivery, &err),
			STORE_MISSING);
	}
	assert_gives(store_last_digest(*state, "ada", &last, &err),
	             STORE_MISSING);
	assert_gives(store_last_digest(*state, "", &last, &err), STORE_MISSING);
}

/* ---- what was sent ---- */

static void assert_sent(struct store *store, const char *paper_id,
                        uint32_t wanted_version, int32_t wanted_day)
{
	struct store_sent sent = {0};
	struct error err = {0};

	assert_gives(store_get_sent(store, "ada", paper_id, &sent, &err),
	             STORE_FOUND);
	assert_int_equal(sent.version, wanted_version);
	assert_int_equal(sent.day, wanted_day);
}

static void assert_never_sent(struct store *store, const char *subscriber_id,
                              const char *paper_id)
{
	struct store_sent sent = {0};
	struct error err = {0};

	assert_gives(
		store_get_sent(store, subscriber_id, paper_id, &sent, &err),
		STORE_MISSING);
}

/* The mark stands behind all papers, as it does with their digests. */
static void pass_all_papers(struct store *store)
{
	const struct store_move move = {0, last_seq(store)};
	struct error err = {0};

	assert_gives(store_move_mark(store, "ada", &move, &err), STORE_QUEUED);
}

static void knows_the_highest_version_it_sent(void **state)
{
	static const struct plan plans[] = {
		{"ada", "m1@example.org", 10, 1, {{A, 1, 0}, {B, 1, 0}}},
		{"ada", "m2@example.org", 11, 2, {{A, 3, 0}}},
		{"ada", "m3@example.org", 12, 3, {{A, 2, 0}}},
	};

	pass_all_papers(*state);
	assert_never_sent(*state, "ada", A);
	queue(*state, &plans[0]);
	assert_sent(*state, A, 1, 10);
	queue(*state, &plans[1]);
	assert_sent(*state, A, 3, 11);
	queue(*state, &plans[2]);
	assert_sent(*state, A, 3, 12);
	assert_sent(*state, B, 1, 10);
	assert_never_sent(*state, "ada", C);
	assert_never_sent(*state, "emmy", A);
	assert_never_sent(*state, "nobody", A);
	assert_never_sent(*state, "ada", "2401.0000");
	assert_never_sent(*state, "ada", "");
}

/* A year of digests is not read for a paper of yesterday. */
static void looks_into_no_digest_from_before_the_paper(void **state)
{
	static const struct plan plans[] = {
		{"ada", "m1@example.org", 10, 1, {{A, 1, 0}, {C, 1, 0}}},
		{"ada", "m2@example.org", 11, 2, {{B, 1, 0}}},
	};
	const struct store_move move = {1, last_seq(*state)};
	struct error err = {0};

	queue(*state, &plans[0]); /* its mark is 1: C came later */
	assert_gives(store_move_mark(*state, "ada", &move, &err), STORE_QUEUED);
	queue(*state, &plans[1]);
	assert_sent(*state, A, 1, 10);
	assert_sent(*state, B, 1, 11);
	assert_never_sent(*state, "ada", C);
}

/* The subscriber comes back: what never left comes with the next digest. */
static void forgets_what_was_cancelled_before_it_was_sent(void **state)
{
	static const struct plan sent = {
		"ada", "m1@example.org", 10, 1, {{A, 1, 0}}};
	static const struct plan cancelled = {
		"ada", "m2@example.org", 11, 2, {{A, 2, 0}, {B, 1, 0}}};
	const struct store_attempt attempt = {DELIVERY_SENT, 5, 0, "250 ok"};
	struct strings nobody = {0};
	struct error err = {0};
	size_t n = 0;

	pass_all_papers(*state);
	deliver(*state, queue(*state, &sent), &attempt);
	queue(*state, &cancelled);
	assert_sent(*state, A, 2, 11);
	assert_done(store_keep_subscribers(*state, &nobody, 6, &n, &err));
	assert_int_equal(n, 1);
	assert_sent(*state, A, 1, 10);
	assert_never_sent(*state, "ada", B);
}

static void finds_the_last_digest_and_its_delivery(void **state)
{
	static const struct plan plans[] = {
		{"ada", "m1@example.org", 10, 1, {{A, 1, 0}}},
		{"ada", "m2@example.org", 10, 2, {{B, 1, 0}}},
		{"emmy", "m3@example.org", 10, 3, {{C, 1, 0}}},
	};
	const struct store_attempt attempt = {DELIVERY_HELD, 5, 0, "552 big"};
	owned(store_digest) struct store_digest *loaded = NULL;
	struct store_last_digest last;
	struct error err = {0};
	int64_t id;

	queue(*state, &plans[0]);
	id = queue(*state, &plans[1]);
	queue(*state, &plans[2]);
	deliver(*state, id, &attempt);
	last = get_last(*state, "ada");
	assert_int_equal(last.delivery_id, id);
	assert_int_equal(last.state, DELIVERY_HELD);
	assert_done(store_load_digest(*state, last.digest_id, &loaded, &err));
	assert_string_equal(loaded->digest->message_id, "m2@example.org");
}

/* ---- two at once ---- */

static void lets_one_of_two_stores_move_a_mark(void **state)
{
	owned(store) struct store *first = NULL;
	owned(store) struct store *second = NULL;
	struct error err = {0};

	assert_done(store_open(&first, *state, STORE_WRITE, &err));
	add_batch(first, &first_batch);
	begin_subscriber(first, "ada");
	assert_done(store_open(&second, *state, STORE_WRITE, &err));
	assert_int_equal(get_subscriber(second, "ada").mark, 0);
	assert_gives(try_queue(first, &one_paper, 0, 1, &err), STORE_QUEUED);
	assert_gives(try_queue(second, &one_paper, 0, 1, &err),
	             STORE_MARK_MOVED);
	assert_int_equal(count_deliveries(second), 1);
	assert_int_equal(get_subscriber(second, "ada").mark, 1);
}

#define N_RACERS 4
#define N_ROUNDS 25

/* How many of the rounds this process won, or -1. */
static int race(const char *folder)
{
	owned(store) struct store *store = NULL;
	struct error err = {0};
	int n_won = 0;

	if (store_open(&store, folder, STORE_WRITE, &err) < 0)
		return -1;
	for (int64_t i = 0; i < N_ROUNDS; i++) {
		int rc = try_queue(store, &one_paper, i, i + 1, &err);

		if (rc < 0)
			return -1;
		n_won += rc == STORE_QUEUED;
	}
	return n_won;
}

static void lets_one_of_many_processes_move_a_mark(void **state)
{
	owned(store) struct store *store = NULL;
	struct error err = {0};
	pid_t racers[N_RACERS];
	int n_won = 0;

	assert_done(store_open(&store, *state, STORE_WRITE, &err));
	add_batch(store, &first_batch);
	begin_subscriber(store, "ada");
	store_close(take_ptr(store));
	for (size_t i = 0; i < N_RACERS; i++) {
		racers[i] = fork();
		if (racers[i] == 0)
			_exit(race(*state));
	}
	for (size_t i = 0; i < N_RACERS; i++) {
		int status = -1;

		assert_int_equal(waitpid(racers[i], &status, 0), racers[i]);
		assert_true(WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), 255);
		n_won += WEXITSTATUS(status);
	}
	assert_int_equal(n_won, N_ROUNDS);
	assert_done(store_open(&store, *state, STORE_READ, &err));
	assert_int_equal(count_deliveries(store), N_ROUNDS);
	assert_int_equal(get_subscriber(store, "ada").mark, N_ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_papers(keeps_all_of_a_digest),
		test_with_papers(keeps_a_digest_without_papers),
		test_with_papers(keeps_a_digest_of_many_marks),
		test_with_papers(reads_papers_of_which_there_are_many),
		test_with_papers(shares_a_paper_among_digests),
		test_with_papers(refuses_a_digest_that_is_too_large),
		test_with_papers(queues_a_digest_and_moves_the_mark_as_one),
		test_with_papers(queues_nothing_once_the_mark_has_moved),
		test_with_papers(refuses_a_digest_of_papers_it_does_not_have),
		test_with_papers(says_which_digest_there_is_not),
		test_with_papers(knows_the_highest_version_it_sent),
		test_with_papers(looks_into_no_digest_from_before_the_paper),
		test_with_papers(forgets_what_was_cancelled_before_it_was_sent),
		test_with_papers(finds_the_last_digest_and_its_delivery),
		test_in_folder(lets_one_of_two_stores_move_a_mark),
		test_in_folder(lets_one_of_many_processes_move_a_mark),
	};

	return cmocka_run_group_tests_name("store: digests", tests, NULL, NULL);
}
