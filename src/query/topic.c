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

	if (span_find(keyword, ":") == keyword.len)
		return false;
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

/* What reading a topic needs. */
struct reader {
	struct query_pool *pool;
	struct numbers code;
	struct words words; /* scratch */
	struct buf display; /* scratch */
};

static int add_keyword(struct reader *r, struct span keyword, struct error *err)
{
	const char *at;
	bool prefix;

	if (check_keyword(keyword, err) < 0 ||
	    token_read_words(&r->words, keyword, &prefix, &at, err) < 0)
		return -1;
	pool_begin_clause(r->pool, KIND_PHRASE, ANY_FIELD);
	pool_add_phrase(r->pool, &r->words, prefix);
	return 0;
}

static int add_author(struct reader *r, struct span name, struct error *err)
{
	const char *at;
	bool prefix;

	if (span_starts(name, "au:"))
		return error_set(err, ERROR_SYNTAX,
		                 "leave 'au:' out: these are authors already");
	if (token_check_name(&r->words, name, &prefix, &at, err) < 0)
		return -1;
	pool_begin_clause(r->pool, KIND_AUTHOR, CLAUSE_AUTHOR);
	pool_add_name(r->pool, name, prefix);
	return 0;
}

static int add_clause(struct reader *r, enum clause_kind kind,
                      struct span written, struct error *err)
{
	struct span display;
	int rc;

	if (written.len > LIMIT_KEYWORD_BYTES)
		return error_set(err, ERROR_LIMIT, "is longer than %u bytes",
		                 LIMIT_KEYWORD_BYTES);
	/* It may be pasted from TeX: Schr\"odinger. */
	buf_clear(&r->display);
	text_add_display(&r->display, written);
	display = buf_span(&r->display);
	rc = kind == KIND_AUTHOR ? add_author(r, display, err)
	                         : add_keyword(r, display, err);
	if (rc < 0)
		return -1;
	numbers_add(&r->code,
	            code_make(NODE_CLAUSE, pool_end_clause(r->pool, written)));
	return 0;
}

/* `setting` stands before the number in a message: "keywords[1]: what". */
static int add_list(struct reader *r, const char *setting,
                    enum clause_kind kind, const struct strings *entries,
                    struct error *err)
{
	for (size_t i = 0; i < entries->n; i++) {
		struct span written = span_trim(span_of(entries->items[i]));

		if (add_clause(r, kind, written, err) < 0)
			return error_prefix(err, "%s[%zu]", setting, i);
	}
	return 0;
}

static uint32_t clause_at(const struct reader *r, size_t i)
{
	uint32_t code = r->code.items[i];

	return code_kind(code) == NODE_CLAUSE
	               ? leaf_clause(r->pool, code_number(code))
	               : NONE;
}

/* A keyword that is excluded as well would silently find nothing. */
static int check_excluded(const struct reader *r, size_t n_excluded,
                          struct error *err)
{
	size_t first = r->code.n - n_excluded;

	for (size_t i = first; i < r->code.n; i++)
		for (size_t j = 0; j < first; j++)
			if (clause_at(r, i) == clause_at(r, j))
				return error_set(
					err, ERROR_SYNTAX,
					"exclude[%zu]: is under keywords as "
					"well: no paper can match that keyword",
					i - first);
	return 0;
}

static int read_lists(struct reader *r, const struct topic *topic,
                      struct error *err)
{
	size_t n_wanted = topic->keywords.n + topic->authors.n;
	size_t n_unwanted = topic->exclude.n;

	numbers_add(&r->code,
	            code_make(NODE_AND, (n_wanted > 0 ? 1U : 0U) +
	                                        (n_unwanted > 0 ? 1U : 0U)));
	if (n_wanted > 0)
		numbers_add(&r->code, code_make(NODE_OR, n_wanted));
	if (add_list(r, "keywords", KIND_PHRASE, &topic->keywords, err) < 0 ||
	    add_list(r, "authors", KIND_AUTHOR, &topic->authors, err) < 0)
		return -1;
	if (n_unwanted == 0)
		return 0;
	numbers_add(&r->code, code_make(NODE_NOT, 1));
	numbers_add(&r->code, code_make(NODE_OR, n_unwanted));
	if (add_list(r, "exclude", KIND_PHRASE, &topic->exclude, err) < 0)
		return -1;
	return check_excluded(r, n_unwanted, err);
}

int query_from_topic(struct query **ret_query, struct query_pool *pool,
                     const struct topic *topic, struct error *err)
{
	struct reader r = {
		.pool = pool,
		.words = WORDS_INIT,
		.display = BUF_INIT(SIZE_MAX),
	};
	int rc;

	if (topic->query) {
		if (query_parse(ret_query, pool, topic->query, err) < 0)
			return error_prefix(err, "query");
		return 0;
	}
	rc = read_lists(&r, topic, err);
	if (rc == 0)
		*ret_query = query_new(pool, &r.code);
	numbers_fini(&r.code);
	words_fini(&r.words);
	buf_fini(&r.display);
	return rc;
}

int query_check_topic(const struct topic *topic, struct error *err)
{
	owned(query_pool) struct query_pool *pool = query_pool_new();
	owned(query) struct query *query = NULL;

	return query_from_topic(&query, pool, topic, err);
}
