#include <assert.h>
#include <ctype.h>

#include "base/limits.h"
#include "digest/mustache.h"

#include "mustache_private.h"

/* The scopes of the start, and one more for each open section. */
#define STACK_MAX (LIMIT_TEMPLATE_DEPTH + MUSTACHE_SCOPES_MAX)

struct walk {
	const struct mustache *mustache;
	const struct value *stack[STACK_MAX];
	size_t depth;
	struct buf *out;          /* rendering */
	struct strings *problems; /* checking */
	struct error *err;
};

static void begin(struct walk *walk, const struct mustache_scope *scope)
{
	if (scope->outer)
		begin(walk, scope->outer);
	assert(walk->depth < MUSTACHE_SCOPES_MAX);
	walk->stack[walk->depth++] = scope->values;
}

/* The value of a name such as `a` or `a.b`, from the innermost scope on. */
static const struct value *find(const struct walk *walk, struct span name)
{
	const struct value *value = NULL;
	struct span rest = name;
	struct span part;

	if (span_is(name, "."))
		return walk->stack[walk->depth - 1];

	span_split(&rest, '.', &part);
	for (size_t i = walk->depth; i-- > 0 && !value;)
		value = value_find(walk->stack[i], part);
	while (value && span_split(&rest, '.', &part))
		value = value_find(value, part);
	return value;
}

/* What is wrong with using `value` for the token, or NULL. */
static const char *find_fault(const struct token *token,
                              const struct value *value)
{
	if (!value)
		return "there is no such name here";
	if (token->type == TOKEN_VALUE && value->kind == VALUE_READY)
		return "is finished already and wants three braces";
	if (token->type == TOKEN_READY && value->kind == VALUE_TEXT)
		return "comes from outside and wants two braces";
	if ((token->type == TOKEN_VALUE || token->type == TOKEN_READY) &&
	    (value->kind == VALUE_LIST || value->kind == VALUE_MAP))
		return "is not a text but wants {{#…}}";
	return NULL;
}

static void fail(const struct walk *walk, const struct token *token,
                 const char *what)
{
	mustache_fail(walk->mustache, token->file, token->line, walk->err,
	              "{{%.*s}}: %s", (int)token->text.len, token->text.ptr,
	              what);
}

/* The token's value, of a kind that may stand there; NULL: *err says why. */
static const struct value *resolve(const struct walk *walk,
                                   const struct token *token)
{
	const struct value *value = find(walk, token->text);
	const char *fault = find_fault(token, value);

	if (!fault)
		return value;
	fail(walk, token, fault);
	return NULL;
}

static bool is_true(const struct value *value)
{
	switch (value->kind) {
	case VALUE_TEXT:
	case VALUE_READY:
		return value->text && *value->text;
	case VALUE_LIST:
		return value->n_items > 0;
	case VALUE_MAP:
		return true;
	}
	return false;
}

static int render_tokens(struct walk *walk, size_t from, size_t to);

static int render_inside(struct walk *walk, size_t section,
                         const struct value *value)
{
	const struct token *token = &walk->mustache->tokens[section];
	int outcome;

	walk->stack[walk->depth++] = value;
	outcome = render_tokens(walk, section + 1, token->end);
	walk->depth--;
	return outcome;
}

static int render_section(struct walk *walk, size_t section,
                          const struct value *value)
{
	if (value->kind != VALUE_LIST)
		return is_true(value) ? render_inside(walk, section, value) : 0;
	for (size_t i = 0; i < value->n_items; i++)
		if (render_inside(walk, section, &value->items[i]) < 0)
			return -1;
	return 0;
}

static int render_token(struct walk *walk, size_t i)
{
	const struct token *token = &walk->mustache->tokens[i];
	const struct value *value;

	if (token->type == TOKEN_TEXT) {
		buf_add_span(walk->out, token->text);
		return 0;
	}
	value = resolve(walk, token);
	if (!value)
		return -1;
	if (token->type == TOKEN_SECTION)
		return render_section(walk, i, value);
	if (token->type == TOKEN_INVERTED)
		return is_true(value) ? 0
		                      : render_tokens(walk, i + 1, token->end);
	if (value->kind == VALUE_READY)
		buf_add_span(walk->out, span_of(value->text));
	else
		walk->mustache->escape(walk->out, span_of(value->text));
	return 0;
}

static int render_tokens(struct walk *walk, size_t from, size_t to)
{
	const struct token *tokens = walk->mustache->tokens;

	for (size_t i = from; i < to;) {
		if (render_token(walk, i) < 0)
			return -1;
		i = tokens[i].end ? tokens[i].end : i + 1;
	}
	return 0;
}

int mustache_render(struct buf *out, const struct mustache *mustache,
                    const struct mustache_scope *scope, struct error *err)
{
	struct walk walk = {.mustache = mustache, .out = out, .err = err};

	begin(&walk, scope);
	return render_tokens(&walk, 0, mustache->n_tokens);
}

static void check_tokens(struct walk *walk, size_t from, size_t to);

static void check_token(struct walk *walk, size_t i)
{
	const struct token *token = &walk->mustache->tokens[i];
	const struct value *value;
	size_t depth = walk->depth;

	if (token->type == TOKEN_TEXT)
		return;
	value = resolve(walk, token);
	if (!value) {
		strings_add(walk->problems, span_of(walk->err->message));
		return;
	}
	if (token->type == TOKEN_SECTION) {
		if (value->kind == VALUE_LIST && value->n_items > 0)
			value = &value->items[0];
		walk->stack[walk->depth++] = value;
	}
	if (token->end)
		check_tokens(walk, i + 1, token->end);
	walk->depth = depth;
}

static void check_tokens(struct walk *walk, size_t from, size_t to)
{
	const struct token *tokens = walk->mustache->tokens;

	for (size_t i = from; i < to;) {
		check_token(walk, i);
		i = tokens[i].end ? tokens[i].end : i + 1;
	}
}

void mustache_check(const struct mustache *mustache,
                    const struct mustache_scope *scope,
                    struct strings *problems)
{
	struct error err = {0};
	struct walk walk = {
		.mustache = mustache, .problems = problems, .err = &err};

	begin(&walk, scope);
	check_tokens(&walk, 0, mustache->n_tokens);
}

/* What is open at a place of a Markdown paragraph. */
struct paragraph {
	char mark;   /* * _ or ` that is open, or 0 */
	char before; /* the character before */
	bool in_tag; /* inside <…>, where marks mean nothing */
};

static void read_mark(struct paragraph *paragraph, char c, char after)
{
	bool opens = !isspace((unsigned char)after) &&
	             !isalnum((unsigned char)paragraph->before);

	if (paragraph->mark == c)
		paragraph->mark = '\0';
	else if (!paragraph->mark && (c == '`' || opens))
		paragraph->mark = c;
}

/* A run of marks counts once: `**` opens and closes as `*` does. */
static void read_character(struct paragraph *paragraph, char c, char after)
{
	if (c == '\n' && paragraph->before == '\n')
		*paragraph = (struct paragraph){0};
	else if (c == '<')
		paragraph->in_tag = true;
	else if (c == '>')
		paragraph->in_tag = false;
	else if ((c == '*' || c == '_' || c == '`') && !paragraph->in_tag &&
	         c != after)
		read_mark(paragraph, c, after);
	if (c != after || c == '\n')
		paragraph->before = c;
}

static void read_text(struct paragraph *paragraph, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		read_character(paragraph, text.ptr[i],
		               i + 1 < text.len ? text.ptr[i + 1] : '{');
}

void mustache_check_markdown(const struct mustache *mustache,
                             struct strings *problems)
{
	struct paragraph paragraph = {0};
	struct error err = {0};
	struct walk walk = {.mustache = mustache, .err = &err};

	for (size_t i = 0; i < mustache->n_tokens; i++) {
		const struct token *token = &mustache->tokens[i];

		if (token->type == TOKEN_TEXT) {
			read_text(&paragraph, token->text);
		} else if (token->type <= TOKEN_READY && paragraph.mark) {
			fail(&walk, token,
			     "stands inside emphasis or code, where its own "
			     "characters would change the meaning: use <b>");
			strings_add(problems, span_of(err.message));
		}
	}
}
