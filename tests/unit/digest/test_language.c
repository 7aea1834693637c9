#include "sample.h"

static void built_in_languages_are_complete(void **state)
{
	owned(strings) struct strings names = {0};

	(void)state;
	digest_builtin_languages(&names);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.items[0], "en");
	for (size_t i = 0; i < names.n; i++) {
		owned(digest_language) struct digest_language *language =
			sample_language(names.items[i]);
		owned(strings) struct strings problems = {0};

		digest_language_check(language, &problems);
		if (problems.n > 0)
			fail_msg("%s: %s", names.items[i], problems.items[0]);
		assert_string_equal(digest_language_code(language),
		                    names.items[i]);
	}
}

static void names_every_fault_of_a_language(void **state)
{
	static const char *const cases[][3] = {
		{"lead_onne", "x", "lead_onne: there is no such string"},
		{"papers_one", "{{number}}",
	         "papers_one: {{number}}: there is no such name here (names: "
	         "count)"},
		{"abs", "{{count}}",
	         "abs: {{count}}: there is no such name here (names: none)"},
		{"date", "{{day}", "date: a tag is not closed with }}"},
		{"date", "{{{day}}}",
	         "date: {{day}}: comes from outside and wants two braces "
	         "(names: weekday weekday_short day month month_short year)"},
		{"weekdays", "a b c d e f", "weekdays: must be 7 words"},
		{"months", "", "months: must be 12 words"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(digest_language) struct digest_language *language =
			sample_language("en");
		owned(strings) struct strings problems = {0};

		digest_language_set(language, cases[i][0], cases[i][1]);
		assert_string_equal(digest_language_get(language, cases[i][0]),
		                    cases[i][1]);
		digest_language_check(language, &problems);
		assert_int_equal(problems.n, 1);
		assert_string_equal(problems.items[0], cases[i][2]);
	}
}

static void names_what_a_language_lacks(void **state)
{
	owned(digest_language) struct digest_language *language =
		digest_language_new("xx");
	owned(strings) struct strings problems = {0};

	(void)state;
	assert_null(digest_language_get(language, "abs"));
	digest_language_set(language, "abs", "a");
	digest_language_set(language, "abs", "b");
	assert_string_equal(digest_language_get(language, "abs"), "b");
	digest_language_check(language, &problems);
	assert_true(problems.n > 30);
	assert_true(strings_has(&problems, "lead_one: is missing"));
	assert_false(strings_has(&problems, "abs: is missing"));
}

static void checks_subject_templates(void **state)
{
	static const char *const good[] = {
		"",
		"papers",
		"{{count}} of {{considered}} ({{matched}}) {{date}} "
		"{{weekday}} "
		"{{day}} {{month}} {{top}} {{topics}} {{name}} {{papers}}",
		"{{#name}}{{name}}, {{/name}}{{^topics}}x{{/topics}}",
	};
	static const char *const bad[] = {
		"{{conut}}",    "{{#count}}", "{{count",
		"{{>partial}}", "{{{top}}}",
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(digest_subject_check(good[i], &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(digest_subject_check(bad[i], &err), -1);
	assert_int_equal(digest_subject_check("{{conut}}", &err), -1);
	assert_int_equal(err.kind, ERROR_SYNTAX);
	assert_non_null(strstr(err.message,
	                       "{{conut}}: there is no such name here "
	                       "(names: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_languages_are_complete),
		cmocka_unit_test(names_every_fault_of_a_language),
		cmocka_unit_test(names_what_a_language_lacks),
		cmocka_unit_test(checks_subject_templates),
	};

	return cmocka_run_group_tests_name("language", tests, NULL, NULL);
}
