#include "fixture.h"

#include "base/limits.h"

/* ---- completions ---- */

static void reads_a_completion(void **state)
{
	static const char body[] =
		"{\"id\": \"1\", \"choices\": [{\"index\": 0, \"message\":"
		" {\"role\": \"assistant\", \"content\": \"words\"},"
		" \"finish_reason\": \"stop\"}],"
		" \"usage\": {\"prompt_tokens\": 3, \"total_tokens\": 7}}";
	owned(llm_completion) struct llm_completion completion = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(llm_read_completion(span_of(body), &completion, &err),
	                 0);
	assert_string_equal(completion.content, "words");
	assert_int_equal(completion.n_tokens, 7);
	assert_false(completion.cut);
}

static void takes_a_refusal_for_the_content(void **state)
{
	static const char body[] =
		"{\"choices\": [{\"message\": {\"content\": null,"
		" \"refusal\": \"I cannot\"}, \"finish_reason\": \"length\"}],"
		" \"usage\": {\"total_tokens\": -5}}";
	owned(llm_completion) struct llm_completion completion = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(llm_read_completion(span_of(body), &completion, &err),
	                 0);
	assert_string_equal(completion.content, "I cannot");
	assert_int_equal(completion.n_tokens, 0);
	assert_true(completion.cut);
}

static void refuses_what_is_no_completion(void **state)
{
	static const char *const bodies[] = {
		"",
		"<html>502 Bad Gateway</html>",
		"{",
		"[]",
		"{}",
		"42",
		"{\"choices\": {}}",
		"{\"choices\": []}",
		"{\"choices\": [1]}",
		"{\"choices\": [{}]}",
		"{\"choices\": [{\"message\": \"words\"}]}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct llm_completion completion = {0};

		if (llm_read_completion(span_of(bodies[i]), &completion,
		                        &err) != -1)
			fail_msg("%s", bodies[i]);
		assert_int_equal(err.kind, ERROR_SYNTAX);
	}
}

static void reads_a_complaint(void **state)
{
	static const char body[] =
		"{\"error\": {\"message\": \"no\\n such"
		" model\\u0007\", \"type\": \"x\"}}";
	owned(mem) char *complaint = llm_read_complaint(span_of(body));

	(void)state;
	assert_string_equal(complaint, "no such model");
	assert_null(llm_read_complaint(span_of("{\"error\": \"x\"}")));
	assert_null(llm_read_complaint(span_of("<html>")));
}

/* ---- answers ---- */

static int read_content(const struct llm_question *question,
                        const char *content, struct paper_words *ret_words,
                        struct error *err)
{
	struct llm_completion completion = {.content = mem_dup(content)};
	int rc = llm_read_words(question, &completion, ret_words, err);

	llm_completion_fini(&completion);
	return rc;
}

#define SUMMARY "An index of ten million papers fits on one machine."
#define GOOD "{\"summary\": \"" SUMMARY "\"}"

static void finds_the_object_in_what_models_write(void **state)
{
	static const char *const contents[] = {
		GOOD,
		"  \n" GOOD "\n",
		"```json\n" GOOD "\n```",
		"Here it is:\n```\n" GOOD "\n```\nAnything else?",
		"<think>Hm, {braces}.</think>\n```json\n" GOOD "\n```",
		"Sure! " GOOD,
		"{\"summary\": \"" SUMMARY "\", \"extra\": [1, {}]}",
		"{\"summary\": \" " SUMMARY "\\n\"}",
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
		owned(paper_words) struct paper_words words = {0};

		if (read_content(&english, contents[i], &words, &err) < 0)
			fail_msg("%s: %s", contents[i], err.message);
		assert_string_equal(words.summary, SUMMARY);
		assert_null(words.title);
		assert_null(words.abstract);
	}
}

struct bad {
	const char *content;
	const char *fault; /* is in the message */
};

static void assert_faults(const struct llm_question *question,
                          const struct bad *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		owned(paper_words) struct paper_words words = {0};
		struct error err = {0};

		if (read_content(question, cases[i].content, &words, &err) !=
		    -1)
			fail_msg("passes: %s", cases[i].content);
		if (!strstr(err.message, cases[i].fault))
			fail_msg("%s: %s", cases[i].content, err.message);
		assert_null(words.summary);
	}
}

#define ASSERT_FAULTS(question, cases) \
	assert_faults((question), (cases), sizeof(cases) / sizeof(*(cases)))

#define OF(text) "{\"summary\": \"" text "\"}"

static void refuses_bad_summaries(void **state)
{
	static const struct bad cases[] = {
		{"", "no JSON object"},
		{"just words", "no JSON object"},
		{"[\"summary\"]", "no JSON object"},
		{"{\"summary\": \"x\"", "no JSON object"},
		{"{}", "missing"},
		{"{\"summary\": null}", "missing"},
		{"{\"summary\": 5}", "missing"},
		{"{\"summary\": [\"x\"]}", "missing"},
		{OF(""), "empty"},
		{OF(" \\n\\u200b"), "empty"},
		{OF("I'm sorry, but I can't do that."), "refusal"},
		{OF("As an AI language model I have no opinion."), "refusal"},
		{OF("抱歉，我不能这样做"), "refusal"},
		{OF("Abstract: We index papers."), "label"},
		{OF("arXiv:2601.00001v1 Announce Type: new"), "label"},
		{OF("See [here](x)."), "markup"},
		{OF("It is **fast**."), "markup"},
		{OF("It <script>alert(1)</script>"), "markup"},
		{OF("It is <i>fast"), "HTML"},
		{OF("It is at https://evil.example/x."), "address"},
		{OF("It is at www.evil.example."), "markup"},
		{OF("It is at evil.example today."), "address"},
		{OF("It is at 坏.example today."), "address"},
		{OF("Write to a.b@evil.example."), "address"},
		{OF("It is at https://example.org/codex."), "address"},
		{OF("It is at ample.org."), "address"},
		{OF("在一台机器上为一千万篇论文建立索引。"), "not in English"},
	};

	(void)state;
	ASSERT_FAULTS(&english, cases);
}

static void refuses_a_summary_that_is_no_line(void **state)
{
	owned(buf) struct buf content = BUF_INIT(10000);
	owned(paper_words) struct paper_words words = {0};
	struct error err = {0};

	(void)state;
	buf_add_str(&content, "{\"summary\": \"");
	for (int i = 0; i < 500; i++)
		buf_add_str(&content, "and on ");
	buf_add_str(&content, "\"}");
	assert_int_equal(
		read_content(&english, buf_str(&content), &words, &err), -1);
	assert_non_null(strstr(err.message, "too long"));
}

static int read_summary(size_t n)
{
	owned(buf) struct buf content = BUF_INIT(10000);
	owned(paper_words) struct paper_words words = {0};
	struct error err = {0};

	buf_add_str(&content, "{\"summary\": \"");
	for (size_t i = 0; i < n; i++)
		buf_add_char(&content, i % 8 == 7 && i + 1 < n ? ' ' : 'a');
	buf_add_str(&content, "\"}");
	return read_content(&english, buf_str(&content), &words, &err);
}

static void takes_a_summary_up_to_its_limit(void **state)
{
	(void)state;
	assert_int_equal(read_summary(LIMIT_SUMMARY_BYTES), 0);
	assert_int_equal(read_summary(LIMIT_SUMMARY_BYTES + 1), -1);
}

static void lets_pass_what_the_paper_has(void **state)
{
	static const char *const contents[] = {
		OF("Its code is at https://example.org/code."),
		OF("Its code is on example.org."),
		OF("It holds if $a<b$ and <b> is there."),
		OF("GPT-4.5 (v1.2), e.g. with i.i.d. data, 3.5x faster."),
		OF("Of 1 < 2 and 3 > 2, 5 % and a & b."),
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
		owned(paper_words) struct paper_words words = {0};

		if (read_content(&english, contents[i], &words, &err) < 0)
			fail_msg("%s: %s", contents[i], err.message);
	}
}

#define THREE(title, summary, abstract)                      \
	"{\"title\": \"" title "\", \"summary\": \"" summary \
	"\", \"abstract\": \"" abstract "\"}"

static void reads_a_translation(void **state)
{
	owned(paper_words) struct paper_words words = {0};
	struct error err = {0};

	(void)state;
	if (read_content(
		    &chinese,
		    THREE(CHINESE_TITLE, CHINESE_SUMMARY, CHINESE_ABSTRACT),
		    &words, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(words.title, CHINESE_TITLE);
	assert_string_equal(words.summary, CHINESE_SUMMARY);
	assert_string_equal(words.abstract, CHINESE_ABSTRACT);
}

static void refuses_bad_translations(void **state)
{
	static const struct bad cases[] = {
		{OF(CHINESE_SUMMARY), "\"title\" is missing"},
		{THREE(CHINESE_TITLE, SUMMARY, CHINESE_ABSTRACT),
	         "\"summary\" is not in Chinese"},
		{THREE(CHINESE_TITLE, CHINESE_SUMMARY,
	               "We index ten million papers on one machine."),
	         "\"abstract\" is not in Chinese"},
		{THREE(CHINESE_TITLE, CHINESE_SUMMARY, "索引"), "too short"},
		{THREE("", CHINESE_SUMMARY, CHINESE_ABSTRACT), "empty"},
	};

	(void)state;
	ASSERT_FAULTS(&chinese, cases);
}

/* A language that shares English's script shows by not being the same. */
static void refuses_an_abstract_that_was_not_translated(void **state)
{
	static const struct bad cases[] = {
		{THREE("Recherche", "Un index.",
	               "We index ten million papers on one machine. Code: "
	               "https://example.org/code. Queries \\\"in quotes\\\" "
	               "take a millisecond and less."),
	         "not in French"},
	};
	struct llm_question french = chinese;

	(void)state;
	french.language = "fr";
	french.language_name = "French";
	ASSERT_FAULTS(&french, cases);
}

static void refuses_an_answer_that_was_cut_off(void **state)
{
	struct llm_completion completion = {.content = mem_dup(GOOD),
	                                    .cut = true};
	owned(paper_words) struct paper_words words = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(llm_read_words(&english, &completion, &words, &err),
	                 -1);
	assert_non_null(strstr(err.message, "cut off"));
	llm_completion_fini(&completion);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_completion),
		cmocka_unit_test(takes_a_refusal_for_the_content),
		cmocka_unit_test(refuses_what_is_no_completion),
		cmocka_unit_test(reads_a_complaint),
		cmocka_unit_test(finds_the_object_in_what_models_write),
		cmocka_unit_test(refuses_bad_summaries),
		cmocka_unit_test(refuses_a_summary_that_is_no_line),
		cmocka_unit_test(takes_a_summary_up_to_its_limit),
		cmocka_unit_test(lets_pass_what_the_paper_has),
		cmocka_unit_test(reads_a_translation),
		cmocka_unit_test(refuses_bad_translations),
		cmocka_unit_test(refuses_an_abstract_that_was_not_translated),
		cmocka_unit_test(refuses_an_answer_that_was_cut_off),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
