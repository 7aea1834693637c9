#include "base/mem.h"
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

static void set_form(struct digest_language *language, const char *key,
                     struct span form)
{
	owned(mem) char *name =
		mem_printf("%s_%.*s", key, (int)form.len, form.ptr);
	owned(mem) char *value = mem_dup_span(form);

	digest_language_set(language, name, value);
}

/* English with the forms of another rule, each of which is its own name. */
static struct digest_language *make_language(const char *rule,
                                             const char *forms)
{
	struct digest_language *language = sample_language("en");
	struct span rest = span_of(forms);
	struct span form;

	digest_language_set(language, "plurals", rule);
	while (span_split(&rest, ' ', &form)) {
		set_form(language, "papers", form);
		set_form(language, "lead", form);
		set_form(language, "more", form);
	}
	return language;
}

static void check_form(const struct digest_language *language, uint32_t count,
                       const char *form)
{
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);
	owned(sample) struct sample sample;
	owned(digest_parts) struct digest_parts parts = {0};
	struct digest_frame frame = {
		.templates = templates,
		.language = language,
		.subject = "{{lead}}",
	};
	struct error err = {0};

	sample_init(&sample);
	sample.digest->n_matched = count;
	assert_int_equal(digest_render(&parts, &frame, sample.digest, &err), 0);
	if (strcmp(parts.subject, form) != 0)
		fail_msg("%u: %s, not %s", count, parts.subject, form);
}

static void numbers_have_the_forms_of_their_language(void **state)
{
	static const struct {
		const char *rule;
		const char *forms;
		struct {
			uint32_t count;
			const char *form;
		} counts[12];
	} cases[] = {
		{"chinese", "other", {{0, "other"}, {1, "other"}}},
		{"english",
	         "one other",
	         {{0, "other"}, {1, "one"}, {2, "other"}, {101, "other"}}},
		{"french", "one other", {{0, "one"}, {1, "one"}, {2, "other"}}},
		{"czech",
	         "one few other",
	         {{0, "other"},
	          {1, "one"},
	          {4, "few"},
	          {5, "other"},
	          {22, "other"}}},
		{"polish",
	         "one few many",
	         {{0, "many"},
	          {1, "one"},
	          {2, "few"},
	          {5, "many"},
	          {12, "many"},
	          {21, "many"},
	          {22, "few"},
	          {112, "many"}}},
		{"russian",
	         "one few many",
	         {{0, "many"},
	          {1, "one"},
	          {4, "few"},
	          {11, "many"},
	          {14, "many"},
	          {21, "one"},
	          {24, "few"},
	          {111, "many"},
	          {121, "one"}}},
		{"lithuanian",
	         "one few other",
	         {{0, "other"},
	          {1, "one"},
	          {9, "few"},
	          {10, "other"},
	          {11, "other"},
	          {21, "one"},
	          {22, "few"}}},
		{"slovenian",
	         "one two few other",
	         {{0, "other"},
	          {1, "one"},
	          {2, "two"},
	          {4, "few"},
	          {5, "other"},
	          {101, "one"},
	          {102, "two"}}},
		{"arabic",
	         "zero one two few many other",
	         {{0, "zero"},
	          {1, "one"},
	          {2, "two"},
	          {3, "few"},
	          {10, "few"},
	          {11, "many"},
	          {99, "many"},
	          {100, "other"},
	          {103, "few"}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(digest_language) struct digest_language *language =
			make_language(cases[i].rule, cases[i].forms);

		for (size_t j = 0; cases[i].counts[j].form; j++)
			check_form(language, cases[i].counts[j].count,
			           cases[i].counts[j].form);
	}
}

static void a_language_has_its_own_forms_and_no_others(void **state)
{
	owned(digest_language) struct digest_language *language =
		make_language("russian", "few many");
	owned(strings) struct strings problems = {0};

	(void)state;
	digest_language_check(language, &problems);
	/* English's _one serves, its _other does not. */
	assert_int_equal(problems.n, 3);
	assert_string_equal(problems.items[0],
	                    "papers_other: there is no such string");
	digest_language_set(language, "plurals", "klingon");
	strings_fini(&problems);
	digest_language_check(language, &problems);
	assert_string_equal(problems.items[0],
	                    "plurals: must be one of chinese, english, french, "
	                    "czech, polish, russian, lithuanian, slovenian, "
	                    "arabic");
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
		cmocka_unit_test(numbers_have_the_forms_of_their_language),
		cmocka_unit_test(a_language_has_its_own_forms_and_no_others),
		cmocka_unit_test(checks_subject_templates),
	};

	return cmocka_run_group_tests_name("language", tests, NULL, NULL);
}
