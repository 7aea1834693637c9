#include "store/words.h"

#include "base/mem.h"
#include "store_private.h"

#define OF_PAPER                                 \
	"paper_no = (SELECT paper_no FROM paper" \
	" WHERE id = ?1 AND version = ?2)"       \
	" AND language = ?3"

#define KEY_VALUES(key) \
	TEXT((key)->paper_id), INT((key)->version), TEXT((key)->language)

/* Texts that were given up are empty. */
static char *take_text(sqlite3_stmt *row, int column)
{
	struct span text = store_column(row, column);

	return text.len > 0 ? mem_dup_span(text) : NULL;
}

int store_get_words(struct store *store, const struct store_words_key *key,
                    struct paper_words *ret_words, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT title, summary, abstract, model FROM answer"
	                " WHERE " OF_PAPER " AND summary <> ''"
	                " ORDER BY answered_at DESC LIMIT 1",
	                VALUES(KEY_VALUES(key)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc <= 0)
		return rc < 0 ? -1 : STORE_MISSING;
	*ret_words = (struct paper_words){
		.title = take_text(row, 0),
		.summary = take_text(row, 1),
		.abstract = take_text(row, 2),
		.model = take_text(row, 3),
	};
	store_reset(row);
	return STORE_FOUND;
}

int store_check_words(struct store *store, const struct store_words_key *key,
                      int64_t since, struct error *err)
{
	int64_t state = STORE_WORDS_MISSING;

	if (store_number(store,
	                 "SELECT min(CASE WHEN summary <> '' THEN 0"
	                 " WHEN answered_at >= ?4 THEN 1 ELSE 2 END)"
	                 " FROM answer WHERE " OF_PAPER " HAVING count(*) > 0",
	                 VALUES(KEY_VALUES(key), INT(since)), &state, err) < 0)
		return -1;
	return (int)state;
}

static struct value text_or_empty(const char *text)
{
	return TEXT(text ? text : "");
}

int store_put_answer(struct store *store, const struct store_words_key *key,
                     const struct store_answer *answer, struct error *err)
{
	const struct paper_words *words = &answer->words;

	return store_run(
		store,
		"INSERT OR REPLACE INTO answer (paper_no, language,"
		" model, prompt, title, summary, abstract, fault, answered_at)"
		" SELECT paper_no, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10"
		" FROM paper WHERE id = ?1 AND version = ?2",
		VALUES(KEY_VALUES(key), TEXT(words->model),
	               TEXT(answer->prompt), text_or_empty(words->title),
	               text_or_empty(words->summary),
	               text_or_empty(words->abstract),
	               text_or_empty(answer->fault), INT(answer->at)),
		err);
}

int store_load_newest(struct store *store, const char *paper_id,
                      struct paper **ret_paper, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc;

	if (store_query(store, &row,
	                "SELECT " PAPER_COLUMNS " FROM paper WHERE id = ?1"
	                " ORDER BY version DESC LIMIT 1",
	                VALUES(TEXT(paper_id)), err) < 0)
		return -1;
	rc = store_step(store, row, err);
	if (rc <= 0)
		return rc < 0 ? -1 : STORE_MISSING;
	*ret_paper = store_read_paper(row, 0);
	store_reset(row);
	return STORE_FOUND;
}

int store_add_asked(struct store *store, int32_t day,
                    const struct store_asked *asked, struct error *err)
{
	return store_run(store,
	                 "INSERT INTO asked (day, n_calls, n_tokens)"
	                 " VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
	                 " n_calls = n_calls + ?2, n_tokens = n_tokens + ?3",
	                 VALUES(INT(day), INT((int64_t)asked->n_calls),
	                        INT((int64_t)asked->n_tokens)),
	                 err);
}

int store_get_asked(struct store *store, int32_t day,
                    struct store_asked *ret_asked, struct error *err)
{
	int64_t n_calls = 0;
	int64_t n_tokens = 0;

	if (store_number(store, "SELECT n_calls FROM asked WHERE day = ?1",
	                 VALUES(INT(day)), &n_calls, err) < 0 ||
	    store_number(store, "SELECT n_tokens FROM asked WHERE day = ?1",
	                 VALUES(INT(day)), &n_tokens, err) < 0)
		return -1;
	*ret_asked =
		(struct store_asked){(uint64_t)n_calls, (uint64_t)n_tokens};
	return 0;
}

int store_set_model_trouble(struct store *store,
                            const struct store_trouble *trouble,
                            struct error *err)
{
	return store_set_trouble_of(store, TROUBLE_OF_MODEL, trouble, err);
}

int store_get_model_trouble(struct store *store,
                            struct store_trouble *ret_trouble,
                            struct error *err)
{
	return store_get_trouble_of(store, TROUBLE_OF_MODEL, ret_trouble, err);
}
