/* Asking a model, played by each case: what is asked, kept and waited for. */

#include "model.h"

#include "base/limits.h"
#include "service/schedule.h"
#include "service/summarize.h"
#include "store/words.h"

/* ---- steps ---- */

static void on_eased(void *ctx)
{
	endpoint_of(ctx)->n_eased++;
}

static struct summarizer_job job_of(struct rig *rig)
{
	return (struct summarizer_job){
		.subscribers = (const struct subscriber *const *)
	                               rig->conf->subscribers,
		.n = rig->conf->n_subscribers,
		.eased = on_eased,
		.ctx = rig,
	};
}

/* Until it is done or `wait_sec` have passed on the test's clock. */
static void summarize(struct rig *rig, int64_t wait_sec)
{
	const struct summarizer_job job = job_of(rig);
	const struct summarize_events events = {0};
	struct error err = {0};

	if (service_summarize(&rig->service, &job,
	                      read_ms(rig) + wait_sec * 1000, &events,
	                      &err) < 0)
		fail_msg("%s", err.message);
}

static size_t count_words(struct rig *rig, const char *language)
{
	static const char *const ids[] = {"2609.00001", "2609.00002",
	                                  "2609.00003"};
	struct error err = {0};
	size_t n = 0;

	for (size_t i = 0; i < 3; i++) {
		const struct store_words_key key = {ids[i], 1, language};
		owned(paper_words) struct paper_words words = {0};
		int found = store_get_words(rig->store, &key, &words, &err);

		assert_true(found >= 0);
		n += found == STORE_FOUND;
	}
	return n;
}

#define TWO_LANGUAGES                                                     \
	"{ id = \"ada\"; email = \"ada@example.org\";"                    \
	" categories = [\"cs.CL\"]; keywords = [\"retrieval\"]; },"       \
	"{ id = \"bob\"; email = \"bob@example.org\";"                    \
	" categories = [\"cs.CL\"]; keywords = [\"retrieval\"]; },"       \
	"{ id = \"wei\"; email = \"wei@example.org\"; language = \"zh\";" \
	" categories = [\"cs.CL\"]; },"                                   \
	"{ id = \"eve\"; email = \"eve@example.org\"; summaries = false;" \
	" language = \"zh\"; categories = [\"cs.CL\"]; }"

/* ---- what is asked ---- */

static void
asks_once_for_each_paper_and_language_that_a_digest_carries(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);

	configure(rig, TWO_LANGUAGES);
	poll(rig);
	summarize(rig, 600);
	/* Two papers in English for two readers, three in Chinese. */
	assert_int_equal(endpoint->n_calls, 5);
	assert_int_equal(count_words(rig, "en"), 2);
	assert_int_equal(count_words(rig, "zh"), 3);
	summarize(rig, 600);
	assert_int_equal(endpoint->n_calls, 5);
}

static void asks_as_many_at_once_as_it_may(void **state)
{
	struct rig *rig = *state;

	configure(rig, TWO_LANGUAGES);
	poll(rig);
	summarize(rig, 600);
	assert_int_equal(endpoint_of(rig)->most_pending, 2);
}

static void asks_for_the_best_ranked_first(void **state)
{
	struct rig *rig = *state;

	ANNOUNCE(rig, "2609.00001v1 new of things",
	         "2609.00002v1 new retrieval of retrieval",
	         "2609.00003v1 new retrieval of things");
	configure(rig, ADA("topics = ( { name = \"A\"; keywords = "
	                   "[\"things\"]; }, { name = \"B\"; weight = 9;"
	                   " keywords = [\"retrieval\"]; } );"));
	poll(rig);
	summarize(rig, 600);
	assert_string_equal(endpoint_of(rig)->calls[2].title, "of things");
}

static void asks_nothing_for_who_is_paused_or_wants_none(void **state)
{
	struct rig *rig = *state;

	configure(rig,
	          ADA("paused = true;") ", { id = \"eve\"; email = "
	                                "\"eve@example.org\"; summaries = "
	                                "false; categories = [\"cs.CL\"]; }");
	poll(rig);
	summarize(rig, 600);
	assert_int_equal(endpoint_of(rig)->n_calls, 0);
}

/* ---- what comes back ---- */

static void
asks_again_with_the_fault_and_then_gives_up_for_the_day(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);

	endpoint->bad_title = "retrieval one";
	poll(rig);
	summarize(rig, 600);
	assert_int_equal(count_words(rig, "en"), 1);
	assert_int_equal(endpoint->n_calls, 3);
	for (size_t i = 0; i < 3; i++)
		if (endpoint->calls[i].fault[0])
			assert_string_equal(endpoint->calls[i].fault,
			                    "it is bad");
	summarize(rig, 600);
	assert_int_equal(endpoint->n_calls, 3);

	rig->now += DAY_SEC;
	endpoint->bad_title = NULL;
	summarize(rig, 600);
	assert_int_equal(endpoint->n_calls, 4);
	assert_int_equal(count_words(rig, "en"), 2);
}

static void puts_words_only_into_digests_that_want_them(void **state)
{
	struct rig *rig = *state;
	owned(store_digest) struct store_digest *stored = NULL;
	struct store_last_digest last = {0};
	struct error err = {0};

	endpoint_of(rig)->bad_title = "retrieval one";
	poll(rig);
	summarize(rig, 600);
	queue(rig);
	assert_int_equal(store_last_digest(rig->store, "ada", &last, &err),
	                 STORE_FOUND);
	assert_int_equal(
		store_load_digest(rig->store, last.digest_id, &stored, &err),
		0);
	assert_int_equal(service_add_words(&rig->service,
	                                   rig->conf->subscribers[0],
	                                   stored->digest, &err),
	                 0);
	assert_int_equal(stored->digest->n_entries, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct digest_entry *entry = &stored->digest->entries[i];

		assert_true(entry->wants_words);
		if (!strcmp(entry->paper->id, "2609.00001"))
			assert_null(entry->words.summary);
		else
			assert_string_equal(entry->words.summary, SUMMARY);
	}
}

/* ---- trouble ---- */

struct trouble {
	enum play play;
	int64_t retry_after_sec;
	size_t most_calls;
};

/* However the endpoint fails, it is left alone soon, and that is stored. */
static void leaves_an_endpoint_in_trouble_alone(void **state)
{
	static const struct trouble cases[] = {
		{PLAY_FAIL, 0, 2 * LIMIT_LLM_TRIES},
		{PLAY_FAIL_FOR_GOOD, 0, 2},
		{PLAY_SLOW_DOWN, 1000, 2},
	};
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);
	const struct store_trouble none = {0};
	struct error err = {0};

	configure(rig, TWO_LANGUAGES);
	poll(rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct store_trouble trouble = {0};
		int64_t begun = rig->now;

		endpoint->n_calls = 0;
		endpoint->play = cases[i].play;
		endpoint->retry_after_sec = cases[i].retry_after_sec;
		summarize(rig, 600);
		assert_true(endpoint->n_calls <= cases[i].most_calls);
		/* It did not wait for the whole of its time. */
		assert_true(rig->now - begun < 100);
		assert_int_equal(
			store_get_model_trouble(rig->store, &trouble, &err),
			STORE_FOUND);
		assert_string_equal(trouble.words, "the endpoint says no");
		assert_true(trouble.next_at >=
		            rig->now + cases[i].retry_after_sec);
		store_trouble_fini(&trouble);
		/* Another process knows of it. */
		summarize(rig, 600);
		assert_true(endpoint->n_calls <= cases[i].most_calls);
		assert_int_equal(
			store_set_model_trouble(rig->store, &none, &err), 0);
	}
}

static void pauses_as_long_as_it_is_asked_to(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);
	const struct summarizer_job job = job_of(rig);
	owned(summarizer) struct summarizer *summarizer = NULL;
	struct error err = {0};
	int64_t look_ms = 0;

	poll(rig);
	endpoint->play = PLAY_SLOW_DOWN;
	endpoint->retry_after_sec = 30;
	assert_int_equal(
		summarizer_open(&summarizer, &rig->service, &job, &err), 0);
	while (endpoint->n_calls == 0)
		assert_int_equal(summarizer_turn(summarizer, &look_ms, &err),
		                 0);
	while (on_wait(rig))
		continue;
	assert_int_equal(summarizer_turn(summarizer, &look_ms, &err), 0);
	assert_int_equal(look_ms, read_ms(rig) + 30000);
	assert_true(summarizer_keeps(summarizer, rig->conf->subscribers[0]));
	endpoint->play = PLAY_ANSWER;
	rig->now += 30;
	while (summarizer_keeps(summarizer, rig->conf->subscribers[0])) {
		assert_int_equal(summarizer_turn(summarizer, &look_ms, &err),
		                 0);
		on_wait(rig);
	}
	assert_int_equal(count_words(rig, "en"), 2);
}

/* As often as a daemon would, for so many seconds on the test's clock. */
static void stay(struct rig *rig, int64_t seconds)
{
	const struct summarizer_job job = job_of(rig);
	owned(summarizer) struct summarizer *summarizer = NULL;
	int64_t until = rig->now + seconds;
	struct error err = {0};

	assert_int_equal(
		summarizer_open(&summarizer, &rig->service, &job, &err), 0);
	for (; rig->now < until; rig->now++) {
		int64_t look_ms = 0;

		assert_int_equal(summarizer_turn(summarizer, &look_ms, &err),
		                 0);
		while (on_wait(rig))
			continue;
	}
	assert_int_equal(summarizer_turn(summarizer, &(int64_t){0}, &err), 0);
}

static void comes_back_when_the_endpoint_does(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);
	struct store_trouble trouble = {0};
	struct error err = {0};

	poll(rig);
	endpoint->play = PLAY_FAIL;
	stay(rig, 120);
	assert_int_equal(count_words(rig, "en"), 0);
	endpoint->play = PLAY_ANSWER;
	stay(rig, 200);
	assert_int_equal(count_words(rig, "en"), 2);
	assert_int_equal(store_get_model_trouble(rig->store, &trouble, &err),
	                 STORE_MISSING);
}

/* A day of an endpoint that is down costs little, and is not given up. */
static void asks_less_and_less_often(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);

	poll(rig);
	endpoint->play = PLAY_FAIL;
	stay(rig, 40000);
	assert_in_range(endpoint->n_calls, 15, 30);
	endpoint->play = PLAY_ANSWER;
	stay(rig, 4000);
	assert_int_equal(count_words(rig, "en"), 2);
}

static void asks_once_more_when_the_time_of_a_trouble_is_over(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);
	struct store_trouble trouble = {0};
	struct error err = {0};

	poll(rig);
	endpoint->play = PLAY_FAIL_FOR_GOOD;
	summarize(rig, 600);
	endpoint->n_calls = 0;
	rig->now += 100;
	summarize(rig, 600);
	assert_int_equal(endpoint->n_calls, 0);
	rig->now += 1000;
	summarize(rig, 600);
	assert_int_equal(endpoint->n_calls, 1);
	endpoint->play = PLAY_ANSWER;
	rig->now += 1000;
	summarize(rig, 600);
	assert_int_equal(count_words(rig, "en"), 2);
	assert_int_equal(store_get_model_trouble(rig->store, &trouble, &err),
	                 STORE_MISSING);
}

static void leaves_an_endpoint_alone_whose_answers_are_of_no_use(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);

	ANNOUNCE(rig, "2609.00001v1 new a", "2609.00002v1 new b",
	         "2609.00003v1 new c", "2609.00004v1 new d",
	         "2609.00005v1 new e", "2609.00006v1 new f",
	         "2609.00007v1 new g", "2609.00008v1 new h",
	         "2609.00009v1 new i", "2609.00010v1 new j",
	         "2609.00011v1 new k", "2609.00012v1 new l");
	configure(rig, ADA(""));
	endpoint->play = PLAY_FAULTY;
	poll(rig);
	summarize(rig, 600);
	assert_true(endpoint->n_calls >= 16);
	assert_true(endpoint->n_calls <= 18);
}

static void waits_for_an_endpoint_that_says_nothing_until_its_time(void **state)
{
	struct rig *rig = *state;
	int64_t begun = rig->now;

	poll(rig);
	endpoint_of(rig)->play = PLAY_NOTHING;
	summarize(rig, 600);
	assert_int_equal(rig->now - begun, 600);
}

/* ---- tokens ---- */

static void stops_when_the_days_tokens_are_used_up(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);
	struct store_asked asked = {0};
	struct error err = {0};
	int64_t begun = rig->now;

	rig->more =
		"llm: { url = \"http://127.0.0.1:9/v1\"; model = \"m\";"
		" concurrency = 1; per_day_tokens = 250; };";
	configure(rig, TWO_LANGUAGES);
	poll(rig);
	summarize(rig, 600);
	/* A hundred each: the third passes the limit. */
	assert_int_equal(endpoint->n_calls, 3);
	assert_int_equal(rig->now, begun);
	assert_int_equal(store_get_asked(rig->store,
	                                 (int32_t)(rig->now / DAY_SEC), &asked,
	                                 &err),
	                 0);
	assert_int_equal(asked.n_calls, 3);
	assert_int_equal(asked.n_tokens, 300);
	summarize(rig, 600);
	assert_int_equal(endpoint->n_calls, 3);
	rig->now += DAY_SEC;
	summarize(rig, 600);
	assert_int_equal(endpoint->n_calls, 5);
}

/* ---- waiting ---- */

static void keeps_a_digest_until_its_own_papers_are_answered(void **state)
{
	struct rig *rig = *state;
	struct endpoint *endpoint = endpoint_of(rig);
	const struct summarizer_job job = job_of(rig);
	owned(summarizer) struct summarizer *summarizer = NULL;
	const struct subscriber *ada = rig->conf->subscribers[0];
	struct error err = {0};
	int64_t look_ms = 0;

	poll(rig);
	assert_int_equal(
		summarizer_open(&summarizer, &rig->service, &job, &err), 0);
	assert_true(summarizer_keeps(summarizer, ada));
	for (int i = 0; i < 3; i++)
		assert_int_equal(summarizer_turn(summarizer, &look_ms, &err),
		                 0);
	assert_int_equal(endpoint->n_pending, 2);
	assert_true(summarizer_keeps(summarizer, ada));
	on_wait(rig);
	assert_int_equal(summarizer_turn(summarizer, &look_ms, &err), 0);
	assert_true(summarizer_keeps(summarizer, ada));
	on_wait(rig);
	assert_int_equal(endpoint->n_eased, 0);
	assert_int_equal(summarizer_turn(summarizer, &look_ms, &err), 0);
	assert_false(summarizer_keeps(summarizer, ada));
	assert_int_equal(endpoint->n_eased, 1);

	/* What a feed brings later is asked, too. */
	ANNOUNCE(rig, "2609.00004v1 new retrieval four");
	rig->now += DAY_SEC;
	poll(rig);
	summarizer_wake(summarizer);
	assert_true(summarizer_keeps(summarizer, ada));
	for (int i = 0; i < 3; i++)
		assert_int_equal(summarizer_turn(summarizer, &look_ms, &err),
		                 0);
	assert_int_equal(endpoint->n_calls, 3);
	assert_string_equal(endpoint->calls[2].title, "retrieval four");
}

static bool is_queued(struct rig *rig)
{
	struct store_last_digest last = {0};
	struct error err = {0};
	int found = store_last_digest(rig->store, "ada", &last, &err);

	assert_true(found >= 0);
	return found == STORE_FOUND;
}

/* The seconds after its time at which the digest was queued. */
static int64_t wait_for_digest(struct rig *rig, struct summarizer *summarizer)
{
	owned(schedule) struct schedule *schedule = NULL;
	struct error err = {0};
	int64_t look_ms = 0;
	int64_t begun = rig->now;

	rig->service.summarizer = summarizer;
	assert_int_equal(store_set_slot(rig->store, "ada", 1, &err), 0);
	assert_int_equal(schedule_open(&schedule, &rig->service, &err), 0);
	for (; !is_queued(rig); rig->now++) {
		assert_true(rig->now < begun + DAY_SEC);
		assert_int_equal(summarizer_turn(summarizer, &look_ms, &err),
		                 0);
		on_wait(rig);
		for (int i = 0; i < 5; i++)
			assert_int_equal(
				schedule_turn(schedule, &look_ms, &err), 0);
	}
	rig->service.summarizer = NULL;
	return rig->now - begun;
}

/*
 * The digest is due at 14:13, and it is 14:13:20: it may wait until 14:23. How
 * many seconds it did.
 */
static int64_t measure_wait(struct rig *rig, enum play play)
{
	owned(summarizer) struct summarizer *summarizer = NULL;
	struct summarizer_job job;
	struct error err = {0};

	rig->more =
		"llm: { url = \"http://127.0.0.1:9/v1\"; model = \"m\";"
		" max_wait_min = 10; };";
	configure(rig, ADA("keywords = [\"retrieval\"]; send_at = "
	                   "\"14:13\"; digest_wait_min = 0;"));
	poll(rig);
	endpoint_of(rig)->play = play;
	job = job_of(rig);
	assert_int_equal(
		summarizer_open(&summarizer, &rig->service, &job, &err), 0);
	return wait_for_digest(rig, summarizer);
}

static void makes_a_due_digest_wait_as_long_as_it_may(void **state)
{
	assert_in_range(measure_wait(*state, PLAY_NOTHING), 580, 582);
}

static void lets_a_due_digest_go_when_the_model_has_answered(void **state)
{
	assert_in_range(measure_wait(*state, PLAY_ANSWER), 1, 60);
}

static void lets_a_due_digest_go_when_the_model_is_in_trouble(void **state)
{
	assert_in_range(measure_wait(*state, PLAY_FAIL_FOR_GOOD), 1, 60);
}

int main(void)
{
#define WITH_MODEL(test) \
	cmocka_unit_test_setup_teardown(test, set_up_model, tear_down_model)
	const struct CMUnitTest tests[] = {
		WITH_MODEL(
			asks_once_for_each_paper_and_language_that_a_digest_carries),
		WITH_MODEL(asks_as_many_at_once_as_it_may),
		WITH_MODEL(asks_for_the_best_ranked_first),
		WITH_MODEL(asks_nothing_for_who_is_paused_or_wants_none),
		WITH_MODEL(
			asks_again_with_the_fault_and_then_gives_up_for_the_day),
		WITH_MODEL(puts_words_only_into_digests_that_want_them),
		WITH_MODEL(leaves_an_endpoint_in_trouble_alone),
		WITH_MODEL(pauses_as_long_as_it_is_asked_to),
		WITH_MODEL(comes_back_when_the_endpoint_does),
		WITH_MODEL(asks_less_and_less_often),
		WITH_MODEL(asks_once_more_when_the_time_of_a_trouble_is_over),
		WITH_MODEL(
			leaves_an_endpoint_alone_whose_answers_are_of_no_use),
		WITH_MODEL(
			waits_for_an_endpoint_that_says_nothing_until_its_time),
		WITH_MODEL(stops_when_the_days_tokens_are_used_up),
		WITH_MODEL(keeps_a_digest_until_its_own_papers_are_answered),
		WITH_MODEL(makes_a_due_digest_wait_as_long_as_it_may),
		WITH_MODEL(lets_a_due_digest_go_when_the_model_has_answered),
		WITH_MODEL(lets_a_due_digest_go_when_the_model_is_in_trouble),
	};

	return cmocka_run_group_tests_name("summarize", tests, NULL, NULL);
}
