#include "query_private.h"

#include "base/limits.h"
#include "base/mem.h"
#include "text/text.h"

#define ANY_FIELD (CLAUSE_TITLE | CLAUSE_ABSTRACT)

static int fail_for_query(struct error *err, const char *what)
{
	return error_set(err, ERROR_SYNTAX,
	                 "%s in `query` only: make a topic with a query of it",
	                 what);
}

static bool has_field(struct span keyword)
{
	static const char *const fields[] = {
		"ti:", "abs:", "au:", "cat:", "id:", "type:"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		struct span rest = keyword;
		size_t at = span_find(rest, fields[i]);

		if (at < rest.len && (at == 0 || rest.ptr[at - 1] == ' '))
			return true;
	}
	return false;
}

/* A lone AND is the word; among others it was meant as an operator. */
static bool has_operator(struct span keyword)
{
	struct span rest = keyword;
	struct span word;

	while (span_split(&rest, ' ', &word))
		if (word.len < keyword.len &&
		    (span_is(word, "AND") || span_is(word, "OR") ||
		     span_is(word, "NOT")))
			return true;
	return false;
}

static int check_keyword(struct span keyword, struct error *err)
{
	if (has_field(keyword))
		return fail_for_query(err, "fields (ti: au: cat:) work");
	if (has_operator(keyword))
		return fail_for_query(err, "AND, OR and NOT work");
	if (span_starts(keyword, "-"))
		return error_set(
			err, ERROR_SYNTAX,
			"'-' works in `query` only: put the word under "
			"`exclude` instead");
	if (span_starts(keyword, "NEAR(") || span_starts(keyword, "("))
		return fail_for_query(err, "parentheses and NEAR work");
	if (span_find(keyword, "\"") < keyword.len)
		return error_set(err, ERROR_SYNTAX,
		                 "leave the quotes out: words in a row are a "
		                 "phrase already");
	return 0;
}

static int add_keyword(struct query_clause *clause, struct span written,
                       struct error *err)
{
	owned(words) struct words words = WORDS_INIT;
	owned(buf) struct buf keyword = BUF_INIT(SIZE_MAX);
	const char *at;
	bool prefix;

	/* It may be pasted from TeX: Schr\"odinger. */
	text_add_display(&keyword, written);
	if (check_keyword(buf_span(&keyword), err) < 0 ||
	    token_read_words(&words, buf_span(&keyword), &prefix, &at, err) < 0)
		return -1;
	clause_add_phrase(clause, &words, prefix);
	return 0;
}

static int add_author(struct query_clause *clause, struct span written,
                      struct error *err)
{
	owned(buf) struct buf name = BUF_INIT(SIZE_MAX);
	const char *at;
	bool prefix;

	text_add_display(&name, written);
	if (span_starts(buf_span(&name), "au:"))
		return error_set(err, ERROR_SYNTAX,
		                 "leave 'au:' out: these are authors already");
	if (token_check_name(buf_span(&name), &prefix, &at, err) < 0)
		return -1;
	clause_add_name(clause, buf_span(&name), prefix);
	return 0;
}

static int add_clause(struct node *list, enum clause_kind kind,
                      struct span written, struct error *err)
{
	unsigned fields = kind == KIND_AUTHOR ? CLAUSE_AUTHOR : ANY_FIELD;
	owned(clause) struct query_clause *clause =
		clause_new(kind, fields, written);
	int rc;

	if (written.len > LIMIT_KEYWORD_BYTES)
		return error_set(err, ERROR_LIMIT, "is longer than %u bytes",
		                 LIMIT_KEYWORD_BYTES);
	rc = kind == KIND_AUTHOR ? add_author(clause, written, err)
	                         : add_keyword(clause, written, err);
	if (rc < 0)
		return -1;
	node_add(list, node_new_clause(take_ptr(clause)));
	return 0;
}

static int add_list(struct node *list, enum clause_kind kind,
                    const struct strings *entries, struct error *err)
{
	for (size_t i = 0; i < entries->n; i++) {
		struct span written = span_trim(span_of(entries->items[i]));

		if (add_clause(list, kind, written, err) < 0)
			return error_prefix(err, "[%zu]", i);
	}
	return 0;
}

/* Puts the setting's name before "[1]: what". */
static int fail_setting(struct error *err, const char *setting)
{
	struct error what = *err;

	return error_set(err, what.kind, "%s%s", setting, what.message);
}

static int read_wanted(struct node *wanted, const struct topic *topic,
                       struct error *err)
{
	if (add_list(wanted, KIND_PHRASE, &topic->keywords, err) < 0)
		return fail_setting(err, "keywords");
	if (add_list(wanted, KIND_AUTHOR, &topic->authors, err) < 0)
		return fail_setting(err, "authors");
	return 0;
}

static int read_lists(struct node **ret_root, const struct topic *topic,
                      struct error *err)
{
	owned(node) struct node *root = node_new(NODE_AND);
	owned(node) struct node *wanted = node_new(NODE_OR);
	owned(node) struct node *unwanted = node_new(NODE_OR);

	if (read_wanted(wanted, topic, err) < 0)
		return -1;
	if (add_list(unwanted, KIND_PHRASE, &topic->exclude, err) < 0)
		return fail_setting(err, "exclude");

	if (wanted->n > 0)
		node_add(root, take_ptr(wanted));
	if (unwanted->n > 0) {
		struct node *not = node_new(NODE_NOT);

		node_add(not, take_ptr(unwanted));
		node_add(root, not );
	}
	*ret_root = take_ptr(root);
	return 0;
}

int query_from_topic(struct query **ret_query, const struct topic *topic,
                     struct error *err)
{
	struct node *root = NULL;

	if (topic->query) {
		if (query_parse(ret_query, topic->query, err) < 0)
			return error_prefix(err, "query");
		return 0;
	}
	if (read_lists(&root, topic, err) < 0)
		return -1;
	*ret_query = query_new(root);
	return 0;
}
