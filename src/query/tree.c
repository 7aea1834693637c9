#include "query_private.h"

#include "base/mem.h"

struct node *node_new(enum node_kind kind)
{
	struct node *node = mem_new(sizeof(*node));

	node->kind = kind;
	return node;
}

struct node *node_new_clause(struct query_clause *clause)
{
	struct node *node = node_new(NODE_CLAUSE);

	clause_finish(clause);
	node->clause = clause;
	return node;
}

void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->n; i++)
		node_free(node->children[i]);
	free(node->children);
	clause_free(node->clause);
	free(node);
}

void node_add(struct node *node, struct node *child)
{
	node->children = mem_grow(node->children, &node->capacity, node->n + 1,
	                          sizeof(struct node *));
	node->children[node->n++] = child;
}

struct query *query_new(struct node *root)
{
	struct query *query = mem_new(sizeof(*query));

	query->root = root;
	return query;
}

void query_free(struct query *query)
{
	if (!query)
		return;
	node_free(query->root);
	free(query);
}

static const char *name_node(const struct node *node)
{
	switch (node->kind) {
	case NODE_AND:
		return node->n > 0 ? "and" : "all";
	case NODE_OR:
		return "or";
	case NODE_NOT:
		return "not";
	case NODE_CLAUSE:
		break;
	}
	return "";
}

static void add_node(struct buf *out, const struct node *node)
{
	if (node->kind == NODE_CLAUSE) {
		buf_add_str(out, node->clause->canonical);
		return;
	}
	buf_addf(out, "(%s", name_node(node));
	for (size_t i = 0; i < node->n; i++) {
		buf_add_char(out, ' ');
		add_node(out, node->children[i]);
	}
	buf_add_char(out, ')');
}

void query_add_tree(struct buf *out, const struct query *query)
{
	add_node(out, query->root);
}
