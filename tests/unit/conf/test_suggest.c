#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/suggest.h"

static struct strings words_of(const char *list)
{
	struct strings words = {0};
	struct span rest = span_of(list);
	struct span word;

	while (span_split(&rest, ' ', &word))
		strings_add(&words, word);
	return words;
}

#define KEYS                                                                   \
	"email id name categories keywords authors exclude topics announce "   \
	"send_at timezone days digest_wait_min max_papers min_score language " \
	"subject summaries paused"
#define CATEGORIES "cs cs.AI cs.CL cs.IR cs.IT cs.LG cs.NA hep-th math.AG"

static void finds_the_word_that_was_meant(void **state)
{
	static const struct {
		const char *words;
		const char *text;
		const char *meant;
	} cases[] = {
		{KEYS, "keyword", "keywords"},
		{KEYS, "Keywords", "keywords"},
		{KEYS, "kewyords", "keywords"},
		{KEYS, "time_zone", "timezone"},
		{KEYS, "sendat", "send_at"},
		{KEYS, "emial", "email"},
		{KEYS, "langage", "language"},
		{KEYS, "digestwaitmin", "digest_wait_min"},
		{CATEGORIES, "cs.IA", "cs.AI"},
		{CATEGORIES, "CS.CL", "cs.CL"},
		{CATEGORIES, "cs.cl", "cs.CL"},
		{CATEGORIES, "csCL", "cs.CL"},
		{CATEGORIES, "hep.th", "hep-th"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(strings) struct strings words = words_of(cases[i].words);
		const char *found =
			conf_suggest(span_of(cases[i].text), &words);

		assert_non_null(found);
		assert_string_equal(found, cases[i].meant);
	}
}

static void suggests_nothing_far_fetched(void **state)
{
	static const struct {
		const char *words;
		const char *text;
	} cases[] = {
		{KEYS, ""},
		{KEYS, "x"},
		{KEYS, "colour"},
		{KEYS, "keywordsandmore"},
		{CATEGORIES, "cs.XX"},
		{CATEGORIES, "physics"},
		{"", "anything"},
	};
	owned(mem) char *lengthy = mem_new(100001);

	(void)state;
	memset(lengthy, 'k', 100000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(strings) struct strings words = words_of(cases[i].words);

		assert_null(conf_suggest(span_of(cases[i].text), &words));
		assert_null(conf_suggest(span_of(lengthy), &words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_word_that_was_meant),
		cmocka_unit_test(suggests_nothing_far_fetched),
	};

	return cmocka_run_group_tests_name("conf suggest", tests, NULL, NULL);
}
