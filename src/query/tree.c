#include "query_private.h"

#include "base/mem.h"

void numbers_fini(struct numbers *numbers)
{
	free(numbers->items);
	*numbers = (struct numbers){0};
}

void numbers_add(struct numbers *numbers, uint32_t number)
{
	if (numbers->n == numbers->capacity)
		numbers->items =
			mem_grow(numbers->items, &numbers->capacity,
		                 numbers->n + 1, sizeof(*numbers->items));
	numbers->items[numbers->n++] = number;
}

struct node *node_new(enum node_kind kind)
{
	struct node *node = mem_new(sizeof(*node));

	node->kind = kind;
	return node;
}

struct node *node_new_leaf(uint32_t leaf)
{
	struct node *node = node_new(NODE_CLAUSE);

	node->leaf = leaf;
	return node;
}

void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->n; i++)
		node_free(node->children[i]);
	free(node->children);
	free(node);
}

void node_add(struct node *node, struct node *child)
{
	node->children = mem_grow(node->children, &node->capacity, node->n + 1,
	                          sizeof(struct node *));
	node->children[node->n++] = child;
}

static bool have_same_words(const struct query_pool *pool,
                            const struct query_clause *a,
                            const struct query_clause *b)
{
	const struct phrase *left = pool_phrase(pool, a, 0);
	const struct phrase *right = pool_phrase(pool, b, 0);

	if (left->n_terms != right->n_terms || left->prefix != right->prefix)
		return false;
	for (size_t i = 0; i < left->n_terms; i++)
		if (pool_terms(pool, left)[i].word !=
		            pool_terms(pool, right)[i].word ||
		    pool_terms(pool, left)[i].gap !=
		            pool_terms(pool, right)[i].gap)
			return false;
	return true;
}

/* Is `node` a leaf that every paper with `clause` passes? ti:x has x. */
static bool is_implied(const struct query_pool *pool, const struct node *node,
                       uint32_t clause)
{
	const struct query_clause *a = &pool->clause[clause];
	const struct query_clause *b;

	if (node->kind != NODE_CLAUSE)
		return false;
	if (leaf_clause(pool, node->leaf) == clause)
		return true;
	b = &pool->clause[leaf_clause(pool, node->leaf)];
	return a->kind == KIND_PHRASE && b->kind == KIND_PHRASE &&
	       (a->fields & ~b->fields) == 0 && have_same_words(pool, a, b);
}

/* Does `node` leave out all that passes the leaf? */
static bool leaves_out(const struct query_pool *pool, const struct node *node,
                       const struct node *leaf)
{
	uint32_t clause;
	const struct node *inside;

	if (node->kind != NODE_NOT || leaf->kind != NODE_CLAUSE)
		return false;
	clause = leaf_clause(pool, leaf->leaf);
	inside = node->children[0];
	if (inside->kind == NODE_OR)
		for (size_t i = 0; i < inside->n; i++)
			if (is_implied(pool, inside->children[i], clause))
				return true;
	return is_implied(pool, inside, clause);
}

static bool are_two_of(const struct query_pool *pool, enum clause_kind kind,
                       const struct node *a, const struct node *b)
{
	return a->kind == NODE_CLAUSE && b->kind == NODE_CLAUSE &&
	       pool->clause[leaf_clause(pool, a->leaf)].kind == kind &&
	       pool->clause[leaf_clause(pool, b->leaf)].kind == kind &&
	       leaf_clause(pool, a->leaf) != leaf_clause(pool, b->leaf);
}

const char *node_find_conflict(const struct query_pool *pool,
                               const struct node *list, const struct node *node)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct node *before = list->children[i];

		if (leaves_out(pool, node, before) ||
		    leaves_out(pool, before, node))
			return "the same is asked for and left out";
		if (are_two_of(pool, KIND_ID, before, node))
			return "it has one id only; write OR between them";
		if (are_two_of(pool, KIND_TYPE, before, node))
			return "it is of one type only; write OR between them";
	}
	return NULL;
}

void code_add_node(struct numbers *code, const struct node *node)
{
	if (node->kind == NODE_CLAUSE) {
		numbers_add(code, code_make(NODE_CLAUSE, node->leaf));
		return;
	}
	numbers_add(code, code_make(node->kind, node->n));
	for (size_t i = 0; i < node->n; i++)
		code_add_node(code, node->children[i]);
}

struct query *query_new(const struct query_pool *pool,
                        const struct numbers *code)
{
	size_t size = code->n * sizeof(*code->items);
	struct query *query = mem_new(sizeof(*query) + size);

	query->pool = pool;
	query->n = (uint32_t)code->n;
	memcpy(query->code, code->items, size);
	return query;
}

void query_free(struct query *query)
{
	free(query);
}

static const char *name_node(uint32_t code)
{
	switch (code_kind(code)) {
	case NODE_AND:
		return code_number(code) > 0 ? "and" : "all";
	case NODE_OR:
		return "or";
	case NODE_NOT:
		return "not";
	case NODE_CLAUSE:
		break;
	}
	return "";
}

/* Returns the node behind it. */
static const uint32_t *add_node(struct buf *out, const struct query_pool *pool,
                                const uint32_t *code)
{
	uint32_t number = code_number(*code);

	if (code_kind(*code) == NODE_CLAUSE) {
		buf_add_span(out, intern_text(&pool->clauses,
		                              leaf_clause(pool, number)));
		return code + 1;
	}
	buf_addf(out, "(%s", name_node(*code++));
	for (uint32_t i = 0; i < number; i++) {
		buf_add_char(out, ' ');
		code = add_node(out, pool, code);
	}
	buf_add_char(out, ')');
	return code;
}

void query_add_tree(struct buf *out, const struct query *query)
{
	add_node(out, query->pool, query->code);
}
