#include "llm/answer.h"

#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "llm_private.h"
#include "text/text.h"

/* Deep enough for the protocol; a bomb of brackets is none. */
#define DEPTH 32
/* Of a server's complaint. */
#define COMPLAINT_CHARS 200

OWNED_DEFINE(json, struct json_object, json_object_put);
OWNED_DEFINE(tokener, struct json_tokener, json_tokener_free);

void llm_completion_fini(struct llm_completion *completion)
{
	free(completion->content);
	*completion = (struct llm_completion){0};
}

/* ---- JSON ---- */

/* NULL if the text does not begin with a JSON value. */
static struct json_object *parse(struct span text)
{
	owned(tokener) struct json_tokener *tokener =
		json_tokener_new_ex(DEPTH);

	if (!tokener || text.len == 0 || text.len > LIMIT_LLM_ANSWER_BYTES)
		return NULL;
	return json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
}

/* A member of that type, borrowed; NULL if it is missing or another. */
static struct json_object *member(struct json_object *object, const char *name,
                                  enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, type))
		return NULL;
	return value;
}

static struct span text_of(struct json_object *text)
{
	return (struct span){json_object_get_string(text),
	                     (size_t)json_object_get_string_len(text)};
}

static bool is_text(struct json_object *object, const char *name,
                    const char *wanted)
{
	struct json_object *text = member(object, name, json_type_string);

	return text && span_is(text_of(text), wanted);
}

/* ---- the completion ---- */

static int fail(struct error *err, const char *what)
{
	return error_set(err, ERROR_SYNTAX, "%s", what);
}

static struct json_object *first_choice(struct json_object *body)
{
	struct json_object *choices = member(body, "choices", json_type_array);

	if (!choices || json_object_array_length(choices) == 0)
		return NULL;
	return json_object_array_get_idx(choices, 0);
}

static uint64_t count_tokens(struct json_object *body)
{
	struct json_object *usage = member(body, "usage", json_type_object);
	struct json_object *total =
		usage ? member(usage, "total_tokens", json_type_int) : NULL;
	int64_t n = total ? json_object_get_int64(total) : 0;

	return n > 0 ? (uint64_t)n : 0;
}

int llm_read_completion(struct span body, struct llm_completion *ret_completion,
                        struct error *err)
{
	owned(json) struct json_object *root = parse(body);
	struct json_object *choice;
	struct json_object *message;
	struct json_object *content;

	if (!root)
		return fail(err, "the answer is not JSON");
	choice = first_choice(root);
	message = choice ? member(choice, "message", json_type_object) : NULL;
	if (!message)
		return fail(err, "the answer is no chat completion");
	content = member(message, "content", json_type_string);
	if (!content)
		content = member(message, "refusal", json_type_string);
	*ret_completion = (struct llm_completion){
		.content =
			mem_dup_span(content ? text_of(content) : span_of("")),
		.n_tokens = count_tokens(root),
		.cut = is_text(choice, "finish_reason", "length"),
	};
	return 0;
}

char *llm_read_complaint(struct span body)
{
	owned(json) struct json_object *root = parse(body);
	owned(buf) struct buf text = BUF_INIT(LIMIT_LLM_ANSWER_BYTES);
	struct json_object *error =
		root ? member(root, "error", json_type_object) : NULL;
	struct json_object *message =
		error ? member(error, "message", json_type_string) : NULL;
	struct span cut;

	if (!message)
		return NULL;
	text_add_display(&text, text_of(message));
	cut = text_cut(buf_span(&text), COMPLAINT_CHARS);
	return cut.len > 0 ? mem_dup_span(cut) : NULL;
}

/* ---- the object in it ---- */

/* The part of the text where an object may stand: a fenced block's, or all. */
static struct span find_object(struct span text)
{
	size_t fence = span_find(text, "```");
	size_t begin;

	if (fence < text.len) {
		struct span inside = span_skip(text, fence + 3);

		if (span_find(inside, "{") < span_find(inside, "```"))
			text = inside;
	}
	begin = span_find(text, "{");
	return span_skip(text, begin);
}

/* What comes after the object is not looked at. */
static struct json_object *parse_object(struct span text)
{
	struct json_object *object = parse(find_object(text));

	if (object && !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		return NULL;
	}
	return object;
}

struct wanted {
	const char *name;
	size_t min;
	size_t max; /* of bytes */
};

static int read_text(struct json_object *object, const struct wanted *wanted,
                     char **ret_text, struct error *err)
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_LLM_ANSWER_BYTES);
	struct json_object *value =
		member(object, wanted->name, json_type_string);

	if (!value)
		return error_set(err, ERROR_SYNTAX,
		                 "\"%s\" is missing or no text", wanted->name);
	text_add_display(&text, text_of(value));
	if (text.len == 0)
		return error_set(err, ERROR_SYNTAX, "\"%s\" is empty",
		                 wanted->name);
	if (text.failed || text.len > wanted->max)
		return error_set(err, ERROR_SYNTAX, "\"%s\" is too long",
		                 wanted->name);
	if (text.len < wanted->min)
		return error_set(err, ERROR_SYNTAX,
		                 "\"%s\" is too short for the whole of it",
		                 wanted->name);
	*ret_text = mem_dup(buf_str(&text));
	return 0;
}

static int read_one(struct json_object *object,
                    const struct llm_question *question,
                    const struct wanted *wanted, char **ret_text,
                    struct error *err)
{
	if (read_text(object, wanted, ret_text, err) < 0)
		return -1;
	return llm_check_text(question, wanted->name, *ret_text, err);
}

/* Scripts differ by three in bytes, languages by two in length. */
static int read_all(struct json_object *object,
                    const struct llm_question *question,
                    struct paper_words *words, struct error *err)
{
	size_t n_title = strlen(question->title);
	size_t n_abstract = strlen(question->abstract);
	const struct wanted summary = {"summary", 1, LIMIT_SUMMARY_BYTES};
	const struct wanted title = {"title", 1, 4 * n_title + 200};
	const struct wanted abstract = {"abstract", n_abstract / 8,
	                                4 * n_abstract + 400};

	if (read_one(object, question, &summary, &words->summary, err) < 0)
		return -1;
	if (!llm_translates(question->language))
		return 0;
	if (read_one(object, question, &title, &words->title, err) < 0)
		return -1;
	return read_one(object, question, &abstract, &words->abstract, err);
}

int llm_read_words(const struct llm_question *question,
                   const struct llm_completion *completion,
                   struct paper_words *ret_words, struct error *err)
{
	owned(paper_words) struct paper_words words = {0};
	owned(json) struct json_object *object = NULL;

	if (completion->cut)
		return fail(err, "it was cut off at the limit of its length");
	object = parse_object(span_of(completion->content));
	if (!object)
		return fail(err, "it holds no JSON object");
	if (read_all(object, question, &words, err) < 0)
		return -1;
	*ret_words = words;
	words = (struct paper_words){0};
	return 0;
}

void llm_add_library(struct buf *out)
{
	buf_addf(out, "json-c %s", json_c_version());
}
