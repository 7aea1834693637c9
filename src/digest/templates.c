#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "model/day.h"

#include "digest_private.h"

static const struct {
	const char *name;
	mustache_escape_fn escape;
} kinds[TEMPLATES] = {
	[TEMPLATE_DIGEST_MD] = {"digest.md", buf_add_markdown},
	[TEMPLATE_PAPER_MD] = {"paper.md", buf_add_markdown},
	[TEMPLATE_LINE_MD] = {"line.md", buf_add_markdown},
	[TEMPLATE_DIGEST_TXT] = {"digest.txt", values_escape_text},
	[TEMPLATE_PAPER_TXT] = {"paper.txt", values_escape_text},
	[TEMPLATE_LINE_TXT] = {"line.txt", values_escape_text},
	[TEMPLATE_DOCUMENT_MD] = {"document.md", buf_add_markdown},
	[TEMPLATE_LAYOUT_HTML] = {"layout.html", buf_add_html},
};

void digest_templates_free(struct digest_templates *templates)
{
	if (!templates)
		return;
	for (size_t i = 0; i < TEMPLATES; i++)
		mustache_free(templates->items[i]);
	style_free(templates->style);
	free(templates);
}

/* Files read so far stay until all is compiled. */
struct loader {
	const char *dir; /* NULL: built-in only */
	const char *suffix;
	struct strings paths;
	struct strings texts;
	struct strings *problems;
};

static struct span keep(struct strings *list, struct span text)
{
	strings_add(list, text);
	return (struct span){list->items[list->n - 1], text.len};
}

/* A file of `dir`; false if there is none that can be read. */
static bool read_own(struct loader *loader, const char *name,
                     struct mustache_source *ret_source)
{
	owned(mem) char *path = mem_printf("%s/%s", loader->dir, name);
	owned(buf) struct buf text = BUF_INIT(LIMIT_TEMPLATE_BYTES);
	struct error err = {0};

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return false;
	if (file_read(&text, path, &err) < 0) {
		strings_add(loader->problems, span_of(err.message));
		return false;
	}
	ret_source->file = keep(&loader->paths, span_of(path)).ptr;
	ret_source->text = keep(&loader->texts, buf_span(&text));
	return true;
}

static bool find_source(struct loader *loader, const char *name,
                        struct mustache_source *ret_source)
{
	struct span text = digest_builtin(name);

	if (loader->dir && read_own(loader, name, ret_source))
		return true;
	if (!text.ptr)
		return false;
	ret_source->file = keep(&loader->paths, span_of(name)).ptr;
	ret_source->text = text;
	return true;
}

/* {{>name}} is the file name.SUFFIX beside, never one elsewhere. */
static bool find_partial(void *ctx, struct span name,
                         struct mustache_source *ret_source)
{
	struct loader *loader = ctx;
	owned(mem) char *file =
		mem_printf("%.*s%s", (int)name.len, name.ptr, loader->suffix);

	return !strchr(file, '/') && find_source(loader, file, ret_source);
}

static void load_template(struct loader *loader, enum template_id id,
                          struct mustache **ret_template)
{
	const struct mustache_options options = {
		.escape = kinds[id].escape,
		.partial = find_partial,
		.ctx = loader,
	};
	struct mustache_source source = {0};
	struct error err = {0};

	loader->suffix = strrchr(kinds[id].name, '.');
	if (!find_source(loader, kinds[id].name, &source))
		return;
	if (mustache_compile(ret_template, &source, &options, &err) < 0)
		strings_add(loader->problems, span_of(err.message));
}

static void load_style(struct loader *loader, struct style **ret_style)
{
	struct mustache_source source = {0};
	struct error err = {0};

	if (!find_source(loader, "style.css", &source))
		return;
	if (style_parse(ret_style, source.file, source.text, &err) == 0)
		return;
	strings_add(loader->problems, span_of(err.message));
	/* An empty one in its place, so that the templates are checked. */
	if (style_parse(ret_style, source.file, SPAN_NONE, &err) < 0)
		strings_add(loader->problems, span_of(err.message));
}

/* A digest with one of everything, so that all names are there. */
static struct digest *make_sample(struct paper *paper)
{
	struct digest *digest = digest_new();
	struct digest_entry *entry = digest_add(digest);

	paper->id = mem_dup("2609.01234");
	paper->title = mem_dup("x");
	paper->abstract = mem_dup("x");
	strings_add(&paper->authors, span_of("x"));
	strings_add(&paper->categories, span_of("cs.CL"));
	strings_add(&digest->topics, span_of("x"));
	strings_add(&digest->categories, span_of("cs.CL"));
	entry->paper = paper;
	return digest;
}

struct sample {
	struct value frame;
	struct value pieces;
	struct value paper;
	struct value plain_paper;
	struct value document;
	struct value layout;
};

static void sample_fini(struct sample *sample)
{
	value_fini(&sample->frame);
	value_fini(&sample->pieces);
	value_fini(&sample->paper);
	value_fini(&sample->plain_paper);
	value_fini(&sample->document);
	value_fini(&sample->layout);
}

static inline void owned_release_sample(struct sample *sample)
{
	sample_fini(sample);
}

static int fill_sample(struct sample *sample, const struct digest_frame *frame,
                       struct error *err)
{
	owned(paper) struct paper *paper = paper_new();
	owned(digest) struct digest *digest = make_sample(paper);
	owned(pieces) struct pieces pieces;
	owned(buf) struct buf content = BUF_INIT(LIMIT_FRAGMENT_BYTES);

	pieces_init(&pieces, digest);
	buf_add_str(&pieces.sections[0], "x");
	values_add_layout(&sample->layout, frame, "x", &content);
	if (values_add_frame(&sample->frame, frame, digest, err) < 0 ||
	    values_add_pieces(&sample->pieces, frame, digest, &pieces, err) <
	            0 ||
	    values_add_paper(&sample->paper, frame, digest->entries,
	                     VALUES_MARKDOWN, err) < 0 ||
	    values_add_paper(&sample->plain_paper, frame, digest->entries,
	                     VALUES_PLAIN, err) < 0)
		return -1;
	return values_add_document(&sample->document, frame, digest, err);
}

/* The innermost values of each template when it is rendered. */
static const struct value *sample_values(const struct sample *sample,
                                         enum template_id id)
{
	switch (id) {
	case TEMPLATE_DIGEST_MD:
	case TEMPLATE_DIGEST_TXT:
		return &sample->pieces;
	case TEMPLATE_PAPER_MD:
	case TEMPLATE_LINE_MD:
		return &sample->paper;
	case TEMPLATE_PAPER_TXT:
	case TEMPLATE_LINE_TXT:
		return &sample->plain_paper;
	case TEMPLATE_DOCUMENT_MD:
		return &sample->document;
	case TEMPLATE_LAYOUT_HTML:
	case TEMPLATES:
		break;
	}
	return &sample->layout;
}

static bool is_markdown_for_cmark(enum template_id id)
{
	return id == TEMPLATE_DIGEST_MD || id == TEMPLATE_PAPER_MD ||
	       id == TEMPLATE_LINE_MD;
}

static bool is_of_paper(enum template_id id)
{
	return id == TEMPLATE_PAPER_MD || id == TEMPLATE_LINE_MD ||
	       id == TEMPLATE_PAPER_TXT || id == TEMPLATE_LINE_TXT;
}

/* Does the template use names that `scope` has not? */
static bool needs_more(const struct mustache *template,
                       const struct mustache_scope *scope)
{
	owned(strings) struct strings missing = {0};

	mustache_check(template, scope, &missing);
	return missing.n > 0;
}

/* Names and Markdown of the templates that could be compiled. */
static int check_templates(struct digest_templates *templates,
                           struct strings *problems, struct error *err)
{
	owned(digest_language) struct digest_language *language =
		language_sample();
	owned(strings) struct strings notes = {0};
	const struct digest_frame frame = {
		.templates = templates, .language = language, .notes = &notes};
	owned(sample) struct sample sample = {VALUE_MAP_INIT, VALUE_MAP_INIT,
	                                      VALUE_MAP_INIT, VALUE_MAP_INIT,
	                                      VALUE_MAP_INIT, VALUE_MAP_INIT};
	struct mustache_scope labels = {.values = language_labels(language)};
	struct mustache_scope middle = {&sample.frame, &labels};

	strings_add(&notes, span_of("x"));
	if (fill_sample(&sample, &frame, err) < 0)
		return -1;
	for (enum template_id id = 0; id < TEMPLATES; id++) {
		const struct mustache *template = templates->items[id];
		struct mustache_scope scope = {sample_values(&sample, id),
		                               &middle};

		if (!template)
			continue;
		mustache_check(template, &scope, problems);
		scope.outer = &labels;
		templates->needs_frame[id] =
			is_of_paper(id) && needs_more(template, &scope);
		if (is_markdown_for_cmark(id))
			mustache_check_markdown(template, problems);
	}
	return 0;
}

static bool is_template_name(const char *name)
{
	static const char *const suffixes[] = {".md", ".txt", ".html", ".css"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (span_ends(span_of(name), suffixes[i]))
			return true;
	return false;
}

/* A slip in a file's name must not leave the built-in one in use unsaid. */
static void check_file_name(struct loader *loader, const char *name)
{
	owned(mem) char *path = mem_printf("%s/%s", loader->dir, name);
	owned(mem) char *problem = NULL;

	if (!is_template_name(name) || digest_builtin(name).ptr ||
	    strings_has(&loader->paths, path))
		return;
	problem = mem_printf(
		"%s:1: no template has this name and none uses "
		"it as a partial",
		path);
	strings_add(loader->problems, span_of(problem));
}

static int check_dir(struct loader *loader, struct error *err)
{
	struct dirent **files = NULL;
	int n = scandir(loader->dir, &files, NULL, alphasort);

	if (n < 0)
		return error_set(err, ERROR_SYSTEM, "%s: %s", loader->dir,
		                 strerror(errno));
	for (int i = 0; i < n; i++) {
		check_file_name(loader, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	return 0;
}

static void loader_fini(struct loader *loader)
{
	strings_fini(&loader->paths);
	strings_fini(&loader->texts);
}

static inline void owned_release_loader(struct loader *loader)
{
	loader_fini(loader);
}

int digest_templates_load(struct digest_templates **ret_templates,
                          const char *dir, struct strings *problems,
                          struct error *err)
{
	owned(digest_templates) struct digest_templates *templates =
		mem_new(sizeof(*templates));
	owned(loader) struct loader loader = {.dir = dir, .problems = problems};
	size_t n_problems = problems->n;

	for (enum template_id id = 0; id < TEMPLATES; id++)
		load_template(&loader, id, &templates->items[id]);
	load_style(&loader, &templates->style);
	if (check_templates(templates, problems, err) < 0)
		return -1;
	/* Only then is it known which partials are in use. */
	if (dir && problems->n == n_problems && check_dir(&loader, err) < 0)
		return -1;
	if (problems->n > n_problems)
		return DIGEST_BROKEN;

	*ret_templates = take_ptr(templates);
	return DIGEST_LOADED;
}
