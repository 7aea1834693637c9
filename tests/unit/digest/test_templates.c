#include "folder.h"
#include "sample.h"

static void loads_the_built_in_templates(void **state)
{
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(NULL);

	(void)state;
	assert_non_null(templates);
	assert_non_null(digest_builtin("paper.md").ptr);
	assert_null(digest_builtin("paper").ptr);
}

static void fails_where_the_folder_is_missing(void **state)
{
	struct digest_templates *templates = NULL;
	owned(strings) struct strings problems = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(digest_templates_load(&templates, "/nonexistent",
	                                       &problems, &err),
	                 -1);
	assert_string_equal(err.message,
	                    "/nonexistent: No such file or directory");
}

static void render_with(const char *dir, struct digest_parts *ret_parts)
{
	owned(digest_templates) struct digest_templates *templates =
		sample_templates(dir);
	owned(digest_language) struct digest_language *language =
		sample_language("en");
	owned(sample) struct sample sample;
	const struct digest_frame frame = {.templates = templates,
	                                   .language = language};
	struct error err = {0};

	sample_init(&sample);
	sample_fill(&sample);
	assert_int_equal(digest_render(ret_parts, &frame, sample.digest, &err),
	                 0);
}

static void own_files_replace_built_in_ones(void **state)
{
	struct folder *folder = *state;
	owned(digest_parts) struct digest_parts parts = {0};

	write_file(folder, "paper.md",
	           "### {{title}}\n\n{{>_footer}}\n\n<i class=\"own\">x</i>\n");
	write_file(folder, "_footer.md", "*Own* footer of {{id}}\n");
	write_file(folder, "style.css", ".own { color: red }\n");
	render_with(folder->path, &parts);
	assert_non_null(
		strstr(parts.html,
	               "<h3>What in-context learners forget</h3>\n"
	               "<p><em>Own</em> footer of 2609.01871</p>\n"
	               "<p><i class=\"own\" style=\"color: red\">x</i></p>\n"));
	assert_non_null(strstr(parts.text, "\nWhat in-context learners"));
}

static void reports_every_problem_of_every_file(void **state)
{
	static const struct {
		const char *name;
		const char *content;
		const char *problem;
	} cases[] = {
		{"digest.md", "x\n{{#sections}}\n{{paper}}\n{{/sections}}",
	         "digest.md:3: {{paper}}: there is no such name here"},
		{"paper.md", "**{{title}}**",
	         "paper.md:1: {{title}}: stands inside emphasis or code, "
	         "where its own characters would change the meaning: use <b>"},
		{"line.md", "{{{title}}}",
	         "line.md:1: {{title}}: comes from outside and wants two "
	         "braces"},
		{"digest.txt", "{{#lead}}",
	         "digest.txt:1: the section {{#lead}} is not closed"},
		{"paper.txt", "{{{title_marked}}}",
	         "paper.txt:1: {{title_marked}}: there is no such name here"},
		{"line.txt", "{{> ../x}}",
	         "line.txt:1: there is no partial \"../x\""},
		{"document.md", "\n{{#papers}}{{lead}}{{nmber}}{{/papers}}",
	         "document.md:2: {{nmber}}: there is no such name here"},
		{"layout.html", "{{content}}",
	         "layout.html:1: {{content}}: is finished already and wants "
	         "three braces"},
		{"style.css", "p a {}",
	         "style.css:1: a selector is an element, a .class or an "
	         "element.class; others stand inside @media"},
	};
	struct folder *folder = *state;
	struct digest_templates *templates = NULL;
	owned(strings) struct strings problems = {0};
	struct error err = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		write_file(folder, cases[i].name, cases[i].content);
	assert_int_equal(digest_templates_load(&templates, folder->path,
	                                       &problems, &err),
	                 DIGEST_BROKEN);
	assert_null(templates);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		owned(mem) char *wanted =
			mem_printf("%s/%s", folder->path, cases[i].problem);

		if (!strings_has(&problems, wanted))
			fail_msg("missing: %s (the first: %s)", wanted,
			         problems.items[0]);
	}
}

static void names_a_file_that_no_template_is(void **state)
{
	struct folder *folder = *state;
	struct digest_templates *templates = NULL;
	owned(strings) struct strings problems = {0};
	struct error err = {0};

	write_file(folder, "papr.md", "x");
	write_file(folder, "README", "x");
	write_file(folder, "paper.md~", "x");
	assert_int_equal(digest_templates_load(&templates, folder->path,
	                                       &problems, &err),
	                 DIGEST_BROKEN);
	assert_int_equal(problems.n, 1);
	assert_non_null(strstr(problems.items[0],
	                       "/papr.md:1: no template has this name and "
	                       "none uses it as a partial"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_the_built_in_templates),
		cmocka_unit_test(fails_where_the_folder_is_missing),
		cmocka_unit_test_setup_teardown(own_files_replace_built_in_ones,
	                                        make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			reports_every_problem_of_every_file, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(
			names_a_file_that_no_template_is, make_folder,
			remove_folder),
	};

	return cmocka_run_group_tests_name("templates", tests, NULL, NULL);
}
