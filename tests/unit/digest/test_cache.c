#include "folder.h"
#include "sample.h"

#include "base/limits.h"
#include "base/quoted.h"

struct scene {
	struct digest_templates *templates;
	struct digest_language *language;
	struct sample sample;
};

static void set_scene(struct scene *scene, const char *dir, const char *code)
{
	scene->templates = sample_templates(dir);
	scene->language = sample_language(code);
	sample_init(&scene->sample);
	sample_fill(&scene->sample);
}

static inline void owned_release_scene(struct scene *scene)
{
	sample_fini(&scene->sample);
	digest_language_free(scene->language);
	digest_templates_free(scene->templates);
}

static void render(struct digest_parts *parts, const struct scene *scene,
                   struct digest_frame frame)
{
	struct error err = {0};

	frame.templates = scene->templates;
	frame.language = scene->language;
	frame.unsubscribe = "https://example.org/u";
	frame.contact = "admin@example.org";
	if (digest_render(parts, &frame, scene->sample.digest, &err) < 0)
		fail_msg("%s", err.message);
}

/* What the cache gives is what there is without one. */
static void assert_same(const struct scene *scene, struct digest_cache *cache,
                        const char *name)
{
	owned(digest_parts) struct digest_parts plain = {0};
	owned(digest_parts) struct digest_parts cached = {0};

	render(&plain, scene, (struct digest_frame){.name = name});
	render(&cached, scene,
	       (struct digest_frame){.name = name, .cache = cache});
	assert_string_equal(cached.subject, plain.subject);
	assert_string_equal(cached.html, plain.html);
	assert_string_equal(cached.text, plain.text);
	assert_int_equal(cached.n_full, plain.n_full);
}

static void gives_what_there_is_without_it(void **state)
{
	static const size_t sizes[] = {0, 1, 20000, LIMIT_MIB};
	owned(scene) struct scene scene;

	(void)state;
	set_scene(&scene, NULL, "en");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		owned(digest_cache) struct digest_cache *cache =
			digest_cache_new(sizes[i]);

		for (int round = 0; round < 3; round++)
			assert_same(&scene, cache, "Ada");
		assert_same(&scene, cache, "Emmy");
	}
}

static void replace(char **text, const char *by)
{
	free(*text);
	*text = mem_dup(by);
}

/* Each change alone must reach the page. */
static void change(struct digest_entry *entry, size_t what)
{
	static const char title[] = "Another title with as many words";

	switch (what) {
	case 0:
		replace(&entry->paper->title, title);
		entry->match.title.n = 0;
		return;
	case 1:
		marks_add(&entry->match.title, 0, 7);
		return;
	case 2:
		marks_fini(&entry->match.title);
		marks_add(&entry->match.title, 1, 7);
		return;
	case 3:
		match_add_clause(&entry->match, span_of("ti:x"), CLAUSE_TITLE);
		return;
	case 4:
		entry->match.clauses[entry->match.n_clauses - 1].fields =
			CLAUSE_ABSTRACT;
		return;
	case 5:
		entry->type = ANNOUNCE_REPLACE;
		return;
	case 6:
		entry->paper->version = 3;
		return;
	case 7:
		entry->old_version = 2;
		return;
	case 8:
		strings_add(&entry->paper->authors, span_of("N. Ew"));
		return;
	case 9:
		strings_add(&entry->paper->categories, span_of("cs.NE"));
		return;
	case 10:
		replace(&entry->paper->id, "2609.99999");
		return;
	case 11:
		entry->wants_words = true;
		return;
	case 12:
		replace(&entry->words.summary, "In a word.");
		return;
	case 13:
		replace(&entry->words.title, "Titre");
		return;
	case 14:
		replace(&entry->words.abstract, "Tout.");
		return;
	default:
		replace(&entry->paper->abstract, "Other. Words.");
		marks_fini(&entry->match.abstract);
	}
}

static void sees_whatever_changes_a_paper(void **state)
{
	owned(scene) struct scene scene;
	owned(digest_cache) struct digest_cache *cache =
		digest_cache_new(LIMIT_MIB);

	(void)state;
	set_scene(&scene, NULL, "en");
	assert_same(&scene, cache, "Ada");
	for (size_t what = 0; what < 16; what++) {
		change(&scene.sample.digest->entries[0], what);
		assert_same(&scene, cache, "Ada");
	}
}

static void keeps_languages_apart(void **state)
{
	owned(scene) struct scene english;
	owned(scene) struct scene chinese;
	owned(digest_cache) struct digest_cache *cache =
		digest_cache_new(LIMIT_MIB);

	(void)state;
	set_scene(&english, NULL, "en");
	set_scene(&chinese, NULL, "zh");
	for (int round = 0; round < 2; round++) {
		assert_same(&english, cache, "Ada");
		assert_same(&chinese, cache, "Ada");
	}
}

static void papers_that_name_the_reader_name_the_right_one(void **state)
{
	owned(scene) struct scene scene;
	owned(digest_cache) struct digest_cache *cache =
		digest_cache_new(LIMIT_MIB);
	struct folder *folder = *state;

	write_file(folder, "paper.md", "### {{title}}\n\n{{name}}\n");
	write_file(folder, "paper.txt", "{{#matched}}{{name}}{{/matched}}\n");
	set_scene(&scene, folder->path, "en");
	assert_same(&scene, cache, "Ada");
	assert_same(&scene, cache, "Emmy");
}

/* A part in quoted-printable is the plain part, encoded. */
static void assert_quoted(const struct scene *scene)
{
	owned(digest_parts) struct digest_parts plain = {0};
	owned(digest_parts) struct digest_parts parts = {0};
	owned(buf) struct buf html = BUF_INIT(LIMIT_MESSAGE_BYTES);
	owned(buf) struct buf text = BUF_INIT(LIMIT_MESSAGE_BYTES);

	render(&plain, scene, (struct digest_frame){0});
	render(&parts, scene, (struct digest_frame){.quoted = true});
	buf_add_quoted(&html, span_of(plain.html));
	buf_add_quoted(&text, span_of(plain.text));
	assert_string_equal(parts.html,
	                    parts.html_quoted ? buf_str(&html) : plain.html);
	assert_string_equal(parts.text,
	                    parts.text_quoted ? buf_str(&text) : plain.text);
}

static void gives_parts_in_quoted_printable(void **state)
{
	owned(scene) struct scene scene;
	owned(digest_parts) struct digest_parts parts = {0};

	(void)state;
	set_scene(&scene, NULL, "en");
	assert_quoted(&scene);
	render(&parts, &scene, (struct digest_frame){.quoted = true});
	assert_true(parts.html_quoted);
	assert_true(parts.text_quoted);
}

static void leaves_to_base64_what_it_makes_shorter(void **state)
{
	owned(scene) struct scene scene;
	owned(digest_parts) struct digest_parts parts = {0};

	(void)state;
	set_scene(&scene, NULL, "zh");
	for (size_t i = 0; i < scene.sample.digest->n_entries; i++) {
		struct digest_entry *entry = &scene.sample.digest->entries[i];

		replace(&entry->paper->abstract,
		        "注意力机制在大型语言模型中的应用。研究更多的内容，"
		        "在这里换行显示才可以看到结果，再加上一些文字。研究更多"
		        "的内容，在这里换行显示才可以看到结果。");
		marks_fini(&entry->match.abstract);
	}
	assert_quoted(&scene);
	render(&parts, &scene, (struct digest_frame){.quoted = true});
	assert_false(parts.text_quoted);
}

static void papers_inside_a_line_are_encoded_with_it(void **state)
{
	owned(scene) struct scene scene;
	struct folder *folder = *state;

	write_file(folder, "digest.txt",
	           "{{#sections}}Papers: {{{papers}}} end of them\n"
	           "{{/sections}}");
	write_file(folder, "paper.txt", "{{title}} ");
	set_scene(&scene, folder->path, "en");
	assert_quoted(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_there_is_without_it),
		cmocka_unit_test(sees_whatever_changes_a_paper),
		cmocka_unit_test(keeps_languages_apart),
		cmocka_unit_test_setup_teardown(
			papers_that_name_the_reader_name_the_right_one,
			make_folder, remove_folder),
		cmocka_unit_test(gives_parts_in_quoted_printable),
		cmocka_unit_test(leaves_to_base64_what_it_makes_shorter),
		cmocka_unit_test_setup_teardown(
			papers_inside_a_line_are_encoded_with_it, make_folder,
			remove_folder),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
