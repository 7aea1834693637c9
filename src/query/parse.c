#include "query_private.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/category.h"

#define MAX_DISTANCE 100
#define ANY_FIELD (CLAUSE_TITLE | CLAUSE_ABSTRACT)

/* What the field says that stands before an operand or its parenthesis. */
enum field {
	FIELD_ANY,
	FIELD_TITLE,
	FIELD_ABSTRACT,
	FIELD_AUTHOR,
	FIELD_CATEGORY,
	FIELD_ID,
	FIELD_TYPE,
};

struct parser {
	struct query_pool *pool;
	struct tokens tokens;
	struct token token; /* the next one */
	enum field field;
	unsigned depth;
	unsigned n_nodes;
	struct words words; /* scratch */
};

static int parse_or(struct parser *p, struct node **ret_node,
                    struct error *err);

static int advance(struct parser *p, struct error *err)
{
	return token_next(&p->tokens, &p->token, err);
}

#define fail_at(p, at, err, ...) token_fail(&(p)->tokens, at, err, __VA_ARGS__)

static int count_node(struct parser *p, struct error *err)
{
	if (++p->n_nodes <= LIMIT_QUERY_NODES)
		return 0;
	return error_set(err, ERROR_LIMIT,
	                 "a query has at most %u words, phrases and operators",
	                 LIMIT_QUERY_NODES);
}

static int go_deeper(struct parser *p, struct error *err)
{
	if (++p->depth <= LIMIT_QUERY_DEPTH)
		return 0;
	return error_set(err, ERROR_LIMIT,
	                 "parentheses and NOT go at most %u levels deep",
	                 LIMIT_QUERY_DEPTH);
}

/* ---- leaves ---- */

static int fail_operand(struct parser *p, const char *at, struct error *err)
{
	char what[ERROR_MESSAGE_MAX];

	snprintf(what, sizeof(what), "%s", err->message);
	return fail_at(p, at, err, "%s", what);
}

static unsigned fields_of(enum field field)
{
	switch (field) {
	case FIELD_TITLE:
		return CLAUSE_TITLE;
	case FIELD_ABSTRACT:
		return CLAUSE_ABSTRACT;
	case FIELD_AUTHOR:
		return CLAUSE_AUTHOR;
	case FIELD_CATEGORY:
	case FIELD_ID:
	case FIELD_TYPE:
		return CLAUSE_OTHER;
	case FIELD_ANY:
		break;
	}
	return ANY_FIELD;
}

static int add_words(struct parser *p, struct error *err)
{
	bool prefix;
	const char *at;

	if (token_read_words(&p->words, p->token.value, &prefix, &at, err) < 0)
		return fail_operand(p, at, err);
	pool_add_phrase(p->pool, &p->words, prefix);
	return 0;
}

static int add_name(struct parser *p, struct error *err)
{
	struct span name = p->token.value;
	bool prefix;
	const char *at;

	if (token_check_name(&p->words, name, &prefix, &at, err) < 0)
		return fail_operand(p, at, err);
	pool_add_name(p->pool, name, prefix);
	return 0;
}

static int fail_category(struct parser *p, struct span value, struct error *err)
{
	struct span nearest = category_nearest(value);

	if (nearest.len > 0)
		return fail_at(p, value.ptr, err,
		               "there is no category '%.*s': did you mean "
		               "'%.*s'?",
		               (int)value.len, value.ptr, (int)nearest.len,
		               nearest.ptr);
	return fail_at(p, value.ptr, err,
	               "there is no category '%.*s': see "
	               "arxiv.org/category_taxonomy",
	               value.len < 40 ? (int)value.len : 40, value.ptr);
}

/* An archive with parts has no papers of its own: cs, but not hep-th. */
static bool has_parts(struct span code)
{
	owned(mem) char *parts = mem_printf("%.*s.*", (int)code.len, code.ptr);

	return category_pattern_valid(span_of(parts));
}

static int add_category(struct parser *p, struct error *err)
{
	struct span value = p->token.value;

	if (!category_pattern_valid(value))
		return fail_category(p, value, err);
	if (has_parts(value))
		return fail_at(p, value.ptr, err,
		               "no paper is in '%.*s' itself: write "
		               "cat:%.*s.* for all its parts",
		               (int)value.len, value.ptr, (int)value.len,
		               value.ptr);
	pool_set_value(p->pool, value);
	return 0;
}

static int add_id(struct parser *p, struct error *err)
{
	struct span value = p->token.value;
	struct span id;
	uint32_t version;

	if (!paper_parse_id(value, &id, &version))
		return fail_at(p, value.ptr, err,
		               "'%.*s' is no arXiv id: write it as 2403.17887 "
		               "or hep-th/9901001",
		               value.len < 40 ? (int)value.len : 40, value.ptr);
	if (version > 0)
		return fail_at(p, id.ptr + id.len, err,
		               "leave the version out: id:%.*s matches all "
		               "versions",
		               (int)id.len, id.ptr);
	pool_set_value(p->pool, id);
	return 0;
}

static int add_type(struct parser *p, struct error *err)
{
	struct span value = p->token.value;
	enum announce_type type;

	if (!announce_type_parse(value, &type))
		return fail_at(p, value.ptr, err,
		               "there is no type '%.*s': types are new, cross, "
		               "replace and replace-cross",
		               value.len < 40 ? (int)value.len : 40, value.ptr);
	pool_set_value(p->pool, value);
	return 0;
}

static enum clause_kind kind_of(enum field field)
{
	switch (field) {
	case FIELD_AUTHOR:
		return KIND_AUTHOR;
	case FIELD_CATEGORY:
		return KIND_CATEGORY;
	case FIELD_ID:
		return KIND_ID;
	case FIELD_TYPE:
		return KIND_TYPE;
	case FIELD_ANY:
	case FIELD_TITLE:
	case FIELD_ABSTRACT:
		break;
	}
	return KIND_PHRASE;
}

static int fill_clause(struct parser *p, enum clause_kind kind,
                       struct error *err)
{
	switch (kind) {
	case KIND_AUTHOR:
		return add_name(p, err);
	case KIND_CATEGORY:
		return add_category(p, err);
	case KIND_ID:
		return add_id(p, err);
	case KIND_TYPE:
		return add_type(p, err);
	case KIND_PHRASE:
	case KIND_NEAR:
		break;
	}
	return add_words(p, err);
}

/* Ends the clause with the token that ends its text. */
static int end_clause(struct parser *p, const char *start,
                      struct node **ret_node, struct error *err)
{
	const char *end = p->token.text.ptr + p->token.text.len;
	struct span text = {start, (size_t)(end - start)};

	if (advance(p, err) < 0)
		return -1;
	*ret_node = node_new_leaf(pool_end_clause(p->pool, text));
	return 0;
}

/* A word or a phrase; `start` is where its text begins, its field perhaps. */
static int parse_leaf(struct parser *p, const char *start,
                      struct node **ret_node, struct error *err)
{
	enum clause_kind kind = kind_of(p->field);

	pool_begin_clause(p->pool, kind, fields_of(p->field));
	if (count_node(p, err) < 0 || fill_clause(p, kind, err) < 0)
		return -1;
	return end_clause(p, start, ret_node, err);
}

/* ---- NEAR(a b, 5) ---- */

static int parse_near_operands(struct parser *p, struct error *err)
{
	while (p->token.kind == TOKEN_WORD || p->token.kind == TOKEN_PHRASE)
		if (count_node(p, err) < 0 || add_words(p, err) < 0 ||
		    advance(p, err) < 0)
			return -1;
	return 0;
}

static int parse_distance(struct parser *p, struct error *err)
{
	uint64_t distance;

	if (p->token.kind != TOKEN_COMMA)
		return fail_at(p, p->token.text.ptr, err,
		               "NEAR takes words and phrases, then a comma "
		               "and a number: NEAR(a b, 5)");
	if (advance(p, err) < 0)
		return -1;
	if (p->token.kind != TOKEN_WORD ||
	    !num_parse(p->token.value, 0, MAX_DISTANCE, &distance))
		return fail_at(p, p->token.text.ptr, err,
		               "a number from 0 to %d must stand here: how "
		               "many words may come between",
		               MAX_DISTANCE);
	p->pool->draft.distance = distance & 0xFFFFU;
	if (advance(p, err) < 0)
		return -1;
	if (p->token.kind != TOKEN_CLOSE)
		return fail_at(p, p->token.text.ptr, err,
		               "NEAR must end in ')' here");
	return 0;
}

static int parse_near(struct parser *p, const char *start,
                      struct node **ret_node, struct error *err)
{
	const char *name = p->token.text.ptr;

	if (kind_of(p->field) != KIND_PHRASE)
		return fail_at(
			p, name, err,
			"NEAR works on words of title and abstract only");
	pool_begin_clause(p->pool, KIND_NEAR, fields_of(p->field));
	if (count_node(p, err) < 0 || advance(p, err) < 0 ||
	    parse_near_operands(p, err) < 0 || parse_distance(p, err) < 0)
		return -1;
	if (p->pool->draft.n_phrases < 2)
		return fail_at(p, name, err, "NEAR needs two words or more");
	return end_clause(p, start, ret_node, err);
}

/* ---- operators ---- */

static int parse_group(struct parser *p, struct node **ret_node,
                       struct error *err)
{
	const char *open = p->token.text.ptr;
	owned(node) struct node *inside = NULL;

	if (go_deeper(p, err) < 0 || advance(p, err) < 0)
		return -1;
	if (p->token.kind == TOKEN_CLOSE)
		return fail_at(p, open, err,
		               "there is nothing between the parentheses");
	if (parse_or(p, &inside, err) < 0)
		return -1;
	if (p->token.kind != TOKEN_CLOSE)
		return fail_at(p, open, err, "the '(' is never closed");
	p->depth--;
	if (advance(p, err) < 0)
		return -1;
	*ret_node = take_ptr(inside);
	return 0;
}

static int fail_missing(struct parser *p, struct error *err)
{
	struct span text = p->token.text;

	if (p->token.kind == TOKEN_END)
		return fail_at(p, text.ptr, err,
		               "the query ends where a word, a phrase or '(' "
		               "should follow");
	if (p->token.kind == TOKEN_COMMA)
		return fail_at(p, text.ptr, err,
		               "',' means nothing here: leave it out (all "
		               "words must occur) or write OR");
	return fail_at(p, text.ptr, err,
	               "'%.*s' stands where a word, a phrase or '(' should; "
	               "quotes would make a word of it",
	               (int)text.len, text.ptr);
}

static int parse_operand(struct parser *p, const char *start,
                         struct node **ret_node, struct error *err)
{
	switch (p->token.kind) {
	case TOKEN_OPEN:
		return parse_group(p, ret_node, err);
	case TOKEN_NEAR:
		return parse_near(p, start, ret_node, err);
	case TOKEN_WORD:
	case TOKEN_PHRASE:
		return parse_leaf(p, start, ret_node, err);
	default:
		return fail_missing(p, err);
	}
}

static enum field name_to_field(struct span name)
{
	static const struct {
		const char *name;
		enum field field;
	} fields[] = {
		{"ti", FIELD_TITLE},  {"abs", FIELD_ABSTRACT},
		{"au", FIELD_AUTHOR}, {"cat", FIELD_CATEGORY},
		{"id", FIELD_ID},     {"type", FIELD_TYPE},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (span_is(name, fields[i].name))
			return fields[i].field;
	return FIELD_ANY;
}

static int parse_field(struct parser *p, struct node **ret_node,
                       struct error *err)
{
	struct span name = p->token.text;
	int rc;

	if (p->field != FIELD_ANY)
		return fail_at(p, name.ptr, err,
		               "'%.*s' stands inside another field's "
		               "parentheses: take it out of them",
		               (int)name.len, name.ptr);
	p->field = name_to_field(p->token.value);
	if (advance(p, err) < 0)
		return -1;
	if (p->token.kind == TOKEN_FIELD || p->token.kind == TOKEN_MINUS)
		return fail_at(p, p->token.text.ptr, err,
		               "a word, a phrase or '(' must follow '%.*s'",
		               (int)name.len, name.ptr);
	rc = parse_operand(p, name.ptr, ret_node, err);
	p->field = FIELD_ANY;
	return rc;
}

static int parse_unary(struct parser *p, struct node **ret_node,
                       struct error *err)
{
	owned(node) struct node *not = NULL;
	struct node *inside;

	if (p->token.kind == TOKEN_FIELD)
		return parse_field(p, ret_node, err);
	if (p->token.kind != TOKEN_NOT && p->token.kind != TOKEN_MINUS)
		return parse_operand(p, p->token.text.ptr, ret_node, err);

	not = node_new(NODE_NOT);
	if (count_node(p, err) < 0 || go_deeper(p, err) < 0 ||
	    advance(p, err) < 0 || parse_unary(p, &inside, err) < 0)
		return -1;
	node_add(not, inside);
	p->depth--;
	*ret_node = take_ptr(not );
	return 0;
}

static bool ends_and(const struct parser *p)
{
	return p->token.kind == TOKEN_END || p->token.kind == TOKEN_OR ||
	       p->token.kind == TOKEN_CLOSE;
}

/* `list` itself, or its only child. */
static struct node *unwrap(struct node *list)
{
	struct node *only;

	if (list->n != 1)
		return list;
	only = list->children[0];
	list->n = 0;
	node_free(list);
	return only;
}

static int parse_and(struct parser *p, struct node **ret_node,
                     struct error *err)
{
	owned(node) struct node *list = node_new(NODE_AND);

	do {
		const char *conflict;
		const char *start;
		struct node *next;

		if (list->n > 0 && p->token.kind == TOKEN_AND &&
		    advance(p, err) < 0)
			return -1;
		start = p->token.text.ptr;
		if (parse_unary(p, &next, err) < 0)
			return -1;
		conflict = node_find_conflict(p->pool, list, next);
		node_add(list, next);
		if (conflict)
			return fail_at(p, start, err, "no paper can match: %s",
			               conflict);
	} while (!ends_and(p));
	*ret_node = unwrap(take_ptr(list));
	return 0;
}

static int parse_or(struct parser *p, struct node **ret_node, struct error *err)
{
	owned(node) struct node *list = node_new(NODE_OR);
	struct node *next = NULL;

	if (parse_and(p, &next, err) < 0)
		return -1;
	node_add(list, next);
	while (p->token.kind == TOKEN_OR) {
		if (count_node(p, err) < 0 || advance(p, err) < 0 ||
		    parse_and(p, &next, err) < 0)
			return -1;
		node_add(list, next);
	}
	*ret_node = unwrap(take_ptr(list));
	return 0;
}

static int parse_all(struct parser *p, struct node **ret_root,
                     struct error *err)
{
	owned(node) struct node *root = NULL;

	if (advance(p, err) < 0)
		return -1;
	if (p->token.kind == TOKEN_END)
		return error_set(err, ERROR_SYNTAX,
		                 "column 1: the query is empty");
	if (parse_or(p, &root, err) < 0)
		return -1;
	if (p->token.kind == TOKEN_CLOSE)
		return fail_at(p, p->token.text.ptr, err,
		               "no '(' belongs to this ')'");
	*ret_root = take_ptr(root);
	return 0;
}

int query_parse(struct query **ret_query, struct query_pool *pool,
                const char *text, struct error *err)
{
	struct parser p = {
		.pool = pool,
		.tokens = {span_of(text), span_of(text)},
		.words = WORDS_INIT,
	};
	owned(numbers) struct numbers code = {0};
	owned(node) struct node *root = NULL;
	int rc;

	if (p.tokens.all.len > LIMIT_QUERY_BYTES)
		return error_set(err, ERROR_LIMIT,
		                 "the query is longer than %u bytes",
		                 LIMIT_QUERY_BYTES);
	rc = parse_all(&p, &root, err);
	words_fini(&p.words);
	if (rc < 0)
		return -1;
	code_add_node(&code, root);
	*ret_query = query_new(pool, &code);
	return 0;
}
