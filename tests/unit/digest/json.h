/*
 * Just enough JSON for the Mustache specification's cases: objects become
 * maps, arrays lists, true "true", false and null "". Names are kept in
 * `names`, because values borrow theirs.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "digest/mustache.h"

struct json {
	struct span rest;
	struct strings *names;
};

static inline void json_skip_blanks(struct json *json)
{
	while (json->rest.len > 0 && strchr(" \t\r\n", *json->rest.ptr))
		json->rest = span_skip(json->rest, 1);
}

/* Takes `c` if it is the next character. */
static inline bool json_take(struct json *json, char c)
{
	json_skip_blanks(json);
	if (json->rest.len == 0 || *json->rest.ptr != c)
		return false;
	json->rest = span_skip(json->rest, 1);
	return true;
}

/* No \u: the cases have none. */
static inline void json_add_escaped(struct json *json, struct buf *out)
{
	static const char from[] = "nrtbf\"\\/";
	static const char to[] = "\n\r\t\b\f\"\\/";
	const char *known = strchr(from, *json->rest.ptr);

	assert_non_null(known);
	buf_add_char(out, to[known - from]);
	json->rest = span_skip(json->rest, 1);
}

static inline char *json_read_string(struct json *json)
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_MIB);

	assert_true(json_take(json, '"'));
	while (json->rest.len > 1 && *json->rest.ptr != '"') {
		char c = *json->rest.ptr;

		json->rest = span_skip(json->rest, 1);
		if (c == '\\')
			json_add_escaped(json, &out);
		else
			buf_add_char(&out, c);
	}
	assert_true(json_take(json, '"'));
	return mem_dup(buf_str(&out));
}

static inline void json_read(struct json *json, struct value *ret_value);

static inline void json_read_items(struct json *json, struct value *value,
                                   char end)
{
	if (json_take(json, end))
		return;
	do {
		const char *name = NULL;

		json_skip_blanks(json);
		if (value->kind == VALUE_MAP) {
			owned(mem) char *key = json_read_string(json);

			strings_add(json->names, span_of(key));
			name = json->names->items[json->names->n - 1];
			assert_true(json_take(json, ':'));
		}
		json_read(json, value_add(value, name, VALUE_TEXT));
	} while (json_take(json, ','));
	assert_true(json_take(json, end));
}

/* Fills a zeroed text, which changes its kind as needed. */
static inline void json_read(struct json *json, struct value *ret_value)
{
	size_t len = 0;

	json_skip_blanks(json);
	assert_true(json->rest.len > 0);
	if (*json->rest.ptr == '"') {
		ret_value->text = json_read_string(json);
	} else if (json_take(json, '{')) {
		ret_value->kind = VALUE_MAP;
		json_read_items(json, ret_value, '}');
	} else if (json_take(json, '[')) {
		ret_value->kind = VALUE_LIST;
		json_read_items(json, ret_value, ']');
	} else {
		while (len < json->rest.len &&
		       !strchr(",]} \t\r\n", json->rest.ptr[len]))
			len++;
		ret_value->text = mem_dup_span(span_first(json->rest, len));
		json->rest = span_skip(json->rest, len);
		if (!strcmp(ret_value->text, "null") ||
		    !strcmp(ret_value->text, "false"))
			*ret_value->text = '\0';
	}
}
