#include "digest/mustache.h"

#include <stdarg.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

#include "mustache_private.h"

enum tag_outcome {
	TAG_FOUND = 0,
	TAG_NONE = 1,
};

/* One source being read: the template, or a partial inside it. */
struct reader {
	struct mustache *mustache;
	const struct mustache_options *options;
	const struct reader *parent; /* in whose text this partial stands */
	struct span text;
	size_t file;
	size_t pos;
	unsigned line; /* at pos */
	struct span open;
	struct span close;
	size_t sections[LIMIT_TEMPLATE_DEPTH]; /* the open ones' tokens */
	size_t n_sections;
};

struct tag {
	char kind; /* one of # ^ / > ! & { = or 0 for a plain variable */
	struct span name;
	size_t start;
	size_t end;
	unsigned line;
	struct span indent; /* before a tag that has its line for itself */
};

void mustache_free(struct mustache *mustache)
{
	if (!mustache)
		return;
	free(mustache->tokens);
	strings_fini(&mustache->texts);
	strings_fini(&mustache->files);
	free(mustache);
}

int mustache_fail(const struct mustache *mustache, size_t file, unsigned line,
                  struct error *err, const char *fmt, ...)
{
	const char *name = mustache->files.items[file];
	owned(buf) struct buf what = BUF_INIT(LIMIT_TEMPLATE_BYTES);
	va_list args;

	if (*name)
		buf_addf(&what, "%s:%u: ", name, line);
	va_start(args, fmt);
	buf_addv(&what, fmt, args);
	va_end(args);
	return error_set(err, ERROR_SYNTAX, "%s", buf_str(&what));
}

#define fail_at(reader, line, err, ...)                              \
	mustache_fail((reader)->mustache, (reader)->file, line, err, \
	              __VA_ARGS__)

/* For "%.*s". */
#define PRINT(span) (int)(span).len, (span).ptr

static unsigned count_lines(struct span text)
{
	unsigned n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == '\n';
	return n;
}

static struct span slice(const struct reader *reader, size_t from, size_t to)
{
	return (struct span){reader->text.ptr + from, to - from};
}

/* The place of `needle` from `from` on, or text.len. */
static size_t find_from(struct span text, struct span needle, size_t from)
{
	const char *found = NULL;

	if (from < text.len)
		found = memmem(text.ptr + from, text.len - from, needle.ptr,
		               needle.len);
	return found ? (size_t)(found - text.ptr) : text.len;
}

/* The closing delimiter; {{{x}}} and {{=x=}} want a character before it. */
static size_t find_close(const struct reader *reader, size_t from, char before)
{
	struct span text = reader->text;
	size_t at = find_from(text, reader->close, from);

	while (before && at < text.len &&
	       (at == from || text.ptr[at - 1] != before))
		at = find_from(text, reader->close, at + 1);
	return at;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * A section, comment, partial or delimiter tag that is alone on its line takes
 * the line with it.
 */
static void take_line(const struct reader *reader, struct tag *tag)
{
	struct span text = reader->text;
	size_t start = tag->start;
	size_t end = tag->end;

	while (start > reader->pos && is_blank(text.ptr[start - 1]))
		start--;
	if (start > 0 && text.ptr[start - 1] != '\n')
		return;
	while (end < text.len && is_blank(text.ptr[end]))
		end++;
	if (span_starts(span_skip(text, end), "\r\n"))
		end += 2;
	else if (span_starts(span_skip(text, end), "\n"))
		end += 1;
	else if (end < text.len)
		return;

	tag->indent = slice(reader, start, tag->start);
	tag->start = start;
	tag->end = end;
}

/* The next tag after reader->pos; TAG_FOUND or TAG_NONE. */
static int read_tag(const struct reader *reader, struct tag *ret_tag,
                    struct error *err)
{
	struct span text = reader->text;
	struct tag tag = {.start = find_from(text, reader->open, reader->pos)};
	size_t inside = tag.start + reader->open.len;
	size_t close;
	char before;

	if (tag.start == text.len)
		return TAG_NONE;
	tag.line = reader->line +
	           count_lines(slice(reader, reader->pos, tag.start));
	if (inside < text.len && memchr("#^/>!&{=", text.ptr[inside], 8))
		tag.kind = text.ptr[inside++];

	before = tag.kind == '{' ? '}' : tag.kind == '=' ? '=' : '\0';
	close = find_close(reader, inside, before);
	if (close == text.len)
		return fail_at(reader, tag.line, err,
		               "a tag is not closed with %.*s",
		               PRINT(reader->close));

	tag.name = span_trim(slice(reader, inside, close - (before ? 1 : 0)));
	tag.end = close + reader->close.len;
	if (tag.kind != '\0' && tag.kind != '&' && tag.kind != '{')
		take_line(reader, &tag);
	*ret_tag = tag;
	return TAG_FOUND;
}

static void add_token(const struct reader *reader, enum token_type type,
                      struct span text, unsigned line)
{
	struct mustache *mustache = reader->mustache;

	mustache->tokens =
		mem_grow(mustache->tokens, &mustache->capacity,
	                 mustache->n_tokens + 1, sizeof(*mustache->tokens));
	mustache->tokens[mustache->n_tokens++] = (struct token){
		.type = type, .line = line, .file = reader->file, .text = text};
}

/* The text up to `end`, and on to it. */
static void add_text(struct reader *reader, size_t end)
{
	if (end > reader->pos)
		add_token(reader, TOKEN_TEXT, slice(reader, reader->pos, end),
		          reader->line);
}

/* {{=<% %>=}} */
static int set_delimiters(struct reader *reader, const struct tag *tag,
                          struct error *err)
{
	size_t blank = 0;
	struct span open;
	struct span close;

	while (blank < tag->name.len && !is_blank(tag->name.ptr[blank]))
		blank++;
	open = span_first(tag->name, blank);
	close = span_trim(span_skip(tag->name, blank));
	if (open.len == 0 || close.len == 0 ||
	    memchr(open.ptr, '=', open.len) ||
	    span_find(close, " ") + span_find(close, "=") < 2 * close.len)
		return fail_at(reader, tag->line, err,
		               "delimiters are set like this: {{=<%% %%>=}}");
	reader->open = open;
	reader->close = close;
	return 0;
}

/* How many partials and sections are open here. */
static size_t measure_depth(const struct reader *reader)
{
	size_t depth = 0;

	for (; reader; reader = reader->parent)
		depth += reader->n_sections + 1;
	return depth;
}

static int open_section(struct reader *reader, const struct tag *tag,
                        struct error *err)
{
	if (measure_depth(reader) >= LIMIT_TEMPLATE_DEPTH)
		return fail_at(reader, tag->line, err,
		               "nested more than %u deep",
		               LIMIT_TEMPLATE_DEPTH);
	reader->sections[reader->n_sections++] = reader->mustache->n_tokens;
	add_token(reader, tag->kind == '#' ? TOKEN_SECTION : TOKEN_INVERTED,
	          tag->name, tag->line);
	return 0;
}

static int close_section(struct reader *reader, const struct tag *tag,
                         struct error *err)
{
	struct mustache *mustache = reader->mustache;
	struct token *token;

	if (reader->n_sections == 0)
		return fail_at(reader, tag->line, err,
		               "{{/%.*s}} closes nothing", PRINT(tag->name));
	token = &mustache->tokens[reader->sections[--reader->n_sections]];
	if (!span_equal(token->text, tag->name))
		return fail_at(reader, tag->line, err,
		               "{{/%.*s}} where {{#%.*s}} of line %u is open",
		               PRINT(tag->name), PRINT(token->text),
		               token->line);
	token->end = mustache->n_tokens;
	return 0;
}

/* Copies a source into the template, each line after `indent`. */
static int keep_text(struct reader *reader, struct span text,
                     struct span indent, struct error *err)
{
	struct mustache *mustache = reader->mustache;
	owned(buf) struct buf copy =
		BUF_INIT(LIMIT_TEMPLATE_BYTES - mustache->n_bytes);

	while (text.len > 0) {
		size_t end = span_find(text, "\n");
		struct span line = span_first(text, end + 1);

		buf_add_span(&copy, indent);
		buf_add_span(&copy, line);
		text = span_skip(text, line.len);
	}
	if (copy.failed) {
		fail_at(reader, 1, err, "longer than %u bytes",
		        LIMIT_TEMPLATE_BYTES);
		err->kind = ERROR_LIMIT;
		return -1;
	}
	mustache->n_bytes += copy.len;
	strings_add(&mustache->texts, buf_span(&copy));
	reader->text = (struct span){
		mustache->texts.items[mustache->texts.n - 1], copy.len};
	return 0;
}

static void begin(struct reader *reader, const char *file)
{
	struct strings *files = &reader->mustache->files;

	reader->file = files->n;
	strings_add(files, span_of(file));
	reader->line = 1;
	reader->open = span_of("{{");
	reader->close = span_of("}}");
}

static bool is_open(const struct reader *reader, const char *file)
{
	for (; reader; reader = reader->parent)
		if (!strcmp(reader->mustache->files.items[reader->file], file))
			return true;
	return false;
}

static int read_template(struct reader *reader, struct error *err);

static int add_partial(const struct reader *parent, const struct tag *tag,
                       struct error *err)
{
	const struct mustache_options *options = parent->options;
	struct mustache_source source = {0};
	struct reader reader = {.mustache = parent->mustache,
	                        .options = options,
	                        .parent = parent};

	if (!options->partial ||
	    !options->partial(options->ctx, tag->name, &source))
		return fail_at(parent, tag->line, err,
		               "there is no partial \"%.*s\"",
		               PRINT(tag->name));
	if (is_open(parent, source.file))
		return fail_at(parent, tag->line, err,
		               "the partial \"%.*s\" contains itself",
		               PRINT(tag->name));
	if (measure_depth(parent) >= LIMIT_TEMPLATE_DEPTH)
		return fail_at(parent, tag->line, err,
		               "nested more than %u deep",
		               LIMIT_TEMPLATE_DEPTH);

	begin(&reader, source.file);
	if (keep_text(&reader, source.text, tag->indent, err) < 0)
		return -1;
	return read_template(&reader, err);
}

static int add_tag(struct reader *reader, const struct tag *tag,
                   struct error *err)
{
	if (tag->name.len == 0 && tag->kind != '!')
		return fail_at(reader, tag->line, err, "a tag without a name");
	switch (tag->kind) {
	case '#':
	case '^':
		return open_section(reader, tag, err);
	case '/':
		return close_section(reader, tag, err);
	case '>':
		return add_partial(reader, tag, err);
	case '=':
		return set_delimiters(reader, tag, err);
	case '!':
		return 0;
	case '&':
	case '{':
		add_token(reader, TOKEN_READY, tag->name, tag->line);
		return 0;
	default:
		add_token(reader, TOKEN_VALUE, tag->name, tag->line);
		return 0;
	}
}

static int read_template(struct reader *reader, struct error *err)
{
	struct tag tag = {0};
	int outcome = read_tag(reader, &tag, err);

	while (outcome == TAG_FOUND) {
		add_text(reader, tag.start);
		if (add_tag(reader, &tag, err) < 0)
			return -1;
		reader->line +=
			count_lines(slice(reader, reader->pos, tag.end));
		reader->pos = tag.end;
		outcome = read_tag(reader, &tag, err);
	}
	if (outcome < 0)
		return -1;

	add_text(reader, reader->text.len);
	if (reader->n_sections > 0) {
		size_t i = reader->sections[reader->n_sections - 1];
		const struct token *token = &reader->mustache->tokens[i];

		return fail_at(reader, token->line, err,
		               "the section {{#%.*s}} is not closed",
		               PRINT(token->text));
	}
	return 0;
}

int mustache_compile(struct mustache **ret_mustache,
                     const struct mustache_source *source,
                     const struct mustache_options *options, struct error *err)
{
	owned(mustache) struct mustache *mustache = mem_new(sizeof(*mustache));
	struct reader reader = {.mustache = mustache, .options = options};

	mustache->escape = options->escape;
	begin(&reader, source->file);
	if (keep_text(&reader, source->text, SPAN_NONE, err) < 0 ||
	    read_template(&reader, err) < 0)
		return -1;

	*ret_mustache = take_ptr(mustache);
	return 0;
}
