#include "fixture.h"
#include "store/words.h"

#define A "2401.00001"
#define B "2401.00002"
#define DAY_SEC 86400

static int open_with_papers(void **state)
{
	static const struct batch old = {
		"cs.CL", 10, 10 * DAY_SEC, {{A, 1, 0}, {A, 2, 0}, {B, 1, 0}}};

	if (open_in_memory(state) < 0)
		return -1;
	add_batch(*state, &old);
	return 0;
}

static const struct store_words_key a_in_chinese = {A, 1, "zh"};

static void put(struct store *store, const struct store_words_key *key,
                const char *model, const char *summary, int64_t at)
{
	const struct store_answer answer = {
		.words = {.summary = mem_dup(summary), .model = mem_dup(model)},
		.prompt = "hash",
		.fault = summary ? NULL : "no JSON",
		.at = at,
	};
	struct error err = {0};

	assert_done(store_put_answer(store, key, &answer, &err));
	free(answer.words.summary);
	free(answer.words.model);
}

static void assert_summary(struct store *store,
                           const struct store_words_key *key,
                           const char *wanted)
{
	owned(paper_words) struct paper_words words = {0};
	struct error err = {0};
	int found = store_get_words(store, key, &words, &err);

	assert_gives(found, wanted ? STORE_FOUND : STORE_MISSING);
	if (wanted)
		assert_string_equal(words.summary, wanted);
}

static void assert_checked(struct store *store,
                           const struct store_words_key *key, int64_t since,
                           enum store_words_state wanted)
{
	struct error err = {0};

	assert_gives(store_check_words(store, key, since, &err), wanted);
}

static void keeps_all_texts(void **state)
{
	const struct store_answer answer = {
		.words = {.title = mem_dup("题目"),
	                  .summary = mem_dup("it's one line"),
	                  .abstract = mem_dup("摘要"),
	                  .model = mem_dup("m")},
		.prompt = "hash",
		.at = 5,
	};
	owned(paper_words) struct paper_words words = {0};
	struct paper_words given = answer.words;
	struct error err = {0};

	assert_done(store_put_answer(*state, &a_in_chinese, &answer, &err));
	assert_gives(store_get_words(*state, &a_in_chinese, &words, &err),
	             STORE_FOUND);
	assert_string_equal(words.title, "题目");
	assert_string_equal(words.summary, "it's one line");
	assert_string_equal(words.abstract, "摘要");
	assert_string_equal(words.model, "m");
	paper_words_fini(&given);
}

static void tells_papers_versions_and_languages_apart(void **state)
{
	static const struct store_words_key others[] = {
		{A, 2, "zh"}, {A, 1, "en"}, {B, 1, "zh"}, {"gone", 1, "zh"}};

	put(*state, &a_in_chinese, "m", "one", 5);
	for (size_t i = 0; i < N_OF(others); i++) {
		assert_summary(*state, &others[i], NULL);
		assert_checked(*state, &others[i], 0, STORE_WORDS_MISSING);
	}
	assert_summary(*state, &a_in_chinese, "one");
}

static void gives_the_newest_of_several_models(void **state)
{
	put(*state, &a_in_chinese, "m", "first", 5);
	put(*state, &a_in_chinese, "n", "second", 7);
	put(*state, &a_in_chinese, "o", "third", 6);
	assert_summary(*state, &a_in_chinese, "second");
	put(*state, &a_in_chinese, "m", "again", 8);
	assert_summary(*state, &a_in_chinese, "again");
}

static void gives_up_for_a_time(void **state)
{
	put(*state, &a_in_chinese, "m", NULL, 1000);
	assert_summary(*state, &a_in_chinese, NULL);
	assert_checked(*state, &a_in_chinese, 1000, STORE_WORDS_GIVEN_UP);
	assert_checked(*state, &a_in_chinese, 1001, STORE_WORDS_MISSING);
	/* What another model answered is there all the same. */
	put(*state, &a_in_chinese, "n", "words", 5);
	assert_checked(*state, &a_in_chinese, 1000, STORE_WORDS_THERE);
	assert_summary(*state, &a_in_chinese, "words");
	put(*state, &a_in_chinese, "m", "later", 2000);
	assert_summary(*state, &a_in_chinese, "later");
}

static void has_no_words_of_a_paper_that_is_not_there(void **state)
{
	static const struct store_words_key key = {"2401.99999", 1, "zh"};

	put(*state, &key, "m", "words", 5);
	assert_summary(*state, &key, NULL);
}

static void loses_the_words_with_the_paper(void **state)
{
	struct error err = {0};
	bool more = true;

	put(*state, &a_in_chinese, "m", "words", 5);
	while (more)
		assert_done(store_prune(*state, 100 * (int64_t)DAY_SEC, 100,
		                        &more, &err));
	/* The paper comes once more, and gets a number anew. */
	add_batch(*state,
	          &(struct batch){"cs.CL", 110, 110 * DAY_SEC, {{A, 1, 0}}});
	assert_summary(*state, &a_in_chinese, NULL);
}

static void loads_the_newest_version(void **state)
{
	owned(paper) struct paper *paper = NULL;
	struct error err = {0};

	assert_gives(store_load_newest(*state, A, &paper, &err), STORE_FOUND);
	assert_int_equal(paper->version, 2);
	assert_gives(store_load_newest(*state, "gone", &paper, &err),
	             STORE_MISSING);
}

static void assert_asked(struct store *store, int32_t day, uint64_t n_calls,
                         uint64_t n_tokens)
{
	struct store_asked asked = {0};
	struct error err = {0};

	assert_done(store_get_asked(store, day, &asked, &err));
	assert_int_equal(asked.n_calls, n_calls);
	assert_int_equal(asked.n_tokens, n_tokens);
}

static void counts_what_was_asked_in_a_day(void **state)
{
	struct error err = {0};

	assert_asked(*state, 7, 0, 0);
	assert_done(store_add_asked(*state, 7, &(struct store_asked){1, 500},
	                            &err));
	assert_done(
		store_add_asked(*state, 7, &(struct store_asked){2, 70}, &err));
	assert_done(
		store_add_asked(*state, 8, &(struct store_asked){1, 9}, &err));
	assert_asked(*state, 7, 3, 570);
	assert_asked(*state, 8, 1, 9);
}

static void keeps_the_models_trouble_apart_from_the_relays(void **state)
{
	const struct store_trouble trouble = {5, 65, mem_dup("no answer")};
	const struct store_trouble none = {0};
	struct store_trouble got = {0};
	struct error err = {0};

	assert_done(store_set_model_trouble(*state, &trouble, &err));
	assert_gives(store_get_trouble(*state, &got, &err), STORE_MISSING);
	assert_done(store_set_trouble(*state, &none, &err));
	assert_gives(store_get_model_trouble(*state, &got, &err), STORE_FOUND);
	assert_int_equal(got.since, 5);
	assert_int_equal(got.next_at, 65);
	assert_string_equal(got.words, "no answer");
	store_trouble_fini(&got);
	assert_done(store_set_model_trouble(*state, &none, &err));
	assert_gives(store_get_model_trouble(*state, &got, &err),
	             STORE_MISSING);
	free(trouble.words);
}

int main(void)
{
#define test_with_papers(function) \
	cmocka_unit_test_setup_teardown(function, open_with_papers, close_store)
	const struct CMUnitTest tests[] = {
		test_with_papers(keeps_all_texts),
		test_with_papers(tells_papers_versions_and_languages_apart),
		test_with_papers(gives_the_newest_of_several_models),
		test_with_papers(gives_up_for_a_time),
		test_with_papers(has_no_words_of_a_paper_that_is_not_there),
		test_with_papers(loses_the_words_with_the_paper),
		test_with_papers(loads_the_newest_version),
		test_with_papers(counts_what_was_asked_in_a_day),
		test_with_papers(
			keeps_the_models_trouble_apart_from_the_relays),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
