#include <ctype.h>

#include "base/mem.h"
#include "conf_private.h"

#define SUFFIX ".conf"

static void add_language(struct conf *conf, struct digest_language *language)
{
	conf->languages = mem_grow(conf->languages, &conf->languages_capacity,
	                           conf->n_languages + 1,
	                           sizeof(struct digest_language *));
	conf->languages[conf->n_languages++] = language;
}

static void read_words(const struct conf_scope *scope,
                       struct digest_language *language)
{
	const config_setting_t *root = conf_source_root(scope->source);
	int n = config_setting_length(root);

	for (int i = 0; i < n; i++) {
		const config_setting_t *setting =
			config_setting_get_elem(root, (unsigned)i);

		if (conf_expect(scope, setting, CONFIG_TYPE_STRING,
		                "a \"text\""))
			digest_language_set(language,
			                    config_setting_name(setting),
			                    config_setting_get_string(setting));
	}
}

/* A problem begins with its key, which stands in the file or is missing. */
static void report_words(const struct conf_scope *scope, const char *problem)
{
	size_t len = span_find(span_of(problem), ":");
	owned(mem) char *key = mem_dup_span((struct span){problem, len});
	const config_setting_t *setting =
		config_setting_get_member(conf_source_root(scope->source), key);
	struct conf_place place = {
		.file = scope->source->path,
		.rank = scope->source->rank,
		.line = setting ? conf_line(setting) : 0,
	};

	/* What is no text has been reported as such. */
	if (!setting || config_setting_get_string(setting))
		conf_problems_add(&scope->loader->errors, place, "%s", problem);
}

static void check_words(const struct conf_scope *scope,
                        const struct digest_language *language)
{
	owned(strings) struct strings problems = {0};

	digest_language_check(language, &problems);
	for (size_t i = 0; i < problems.n; i++)
		report_words(scope, problems.items[i]);
}

static void read_source(struct conf_loader *loader,
                        const struct conf_source *source, const char *code)
{
	struct digest_language *language = digest_language_new(code);
	struct conf_scope scope = {
		.loader = loader,
		.source = source,
		.prefix = "",
	};

	read_words(&scope, language);
	check_words(&scope, language);
	add_language(loader->conf, language);
}

static void read_builtin(struct conf_loader *loader, const char *code)
{
	owned(conf_source) struct conf_source *source = NULL;
	owned(mem) char *name = mem_printf("strings/%s" SUFFIX, code);

	if (conf_source_open_text(&source, loader, name,
	                          digest_builtin(name)) == CONF_SOURCE_READ)
		read_source(loader, source, code);
}

static bool is_code(struct span code)
{
	for (size_t i = 0; i < code.len; i++)
		if (!isalnum((unsigned char)code.ptr[i]) && code.ptr[i] != '-')
			return false;
	return code.len > 0;
}

/* Its language exists even if it cannot be read: one error is enough. */
static void read_file(struct conf_loader *loader, const char *path,
                      const char *code)
{
	owned(conf_source) struct conf_source *source = NULL;
	struct error err = {0};
	int rc = conf_source_open(&source, loader, path, &err);

	if (rc == CONF_SOURCE_READ)
		read_source(loader, source, code);
	else
		add_language(loader->conf, digest_language_new(code));
	if (rc < 0)
		conf_report_failure(loader, err.message);
}

static void read_named_file(struct conf_loader *loader, const char *folder,
                            const char *name)
{
	owned(mem) char *path = mem_printf("%s/%s", folder, name);
	owned(mem) char *code = mem_dup_span(
		span_first(span_of(name), strlen(name) - strlen(SUFFIX)));
	owned(mem) char *problem = NULL;

	if (is_code(span_of(code))) {
		read_file(loader, path, code);
		return;
	}
	problem = mem_printf(
		"%s: the name should be a language's code, such "
		"as en.conf or pt-BR.conf",
		path);
	conf_report_failure(loader, problem);
}

static bool has_file(const struct strings *files, const char *code)
{
	owned(mem) char *name = mem_printf("%s" SUFFIX, code);

	return strings_has(files, name);
}

void conf_read_languages(struct conf_loader *loader)
{
	owned(strings) struct strings codes = {0};
	owned(strings) struct strings files = {0};
	owned(mem) char *folder = NULL;
	struct error err = {0};

	if (loader->conf->templates_dir) {
		folder = mem_printf("%s/strings", loader->conf->templates_dir);
		if (conf_list_folder(&files, folder, &err) < 0)
			conf_report_failure(loader, err.message);
	}
	digest_builtin_languages(&codes);
	for (size_t i = 0; i < codes.n; i++)
		if (!has_file(&files, codes.items[i]))
			read_builtin(loader, codes.items[i]);
	for (size_t i = 0; i < files.n; i++)
		read_named_file(loader, folder, files.items[i]);
}
