#include <ctype.h>

#include "base/mem.h"
#include "feed_private.h"

/* Follow a name after a comma and belong to it. */
static const char *const suffixes[] = {"Jr", "Jr.", "Sr", "Sr.",
                                       "II", "III", "IV"};

static bool is_suffix(const char *name)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (!strcmp(name, suffixes[i]))
			return true;
	return false;
}

/* A name holds a letter; arXiv's own splitting leaves parts like ":". */
static bool is_name(const char *text)
{
	if (!strcmp(text, "et al.") || !strcmp(text, "et al"))
		return false;
	for (; *text; text++)
		if (isalpha((unsigned char)*text) ||
		    (unsigned char)*text >= 0x80)
			return true;
	return false;
}

static void append_suffix(char **name, const char *suffix)
{
	owned(mem) char *before = *name;

	*name = mem_printf("%s %s", before, suffix);
}

/* The end of a part: it becomes a name, or nothing. */
static void end_part(struct buf *part, struct strings *authors)
{
	owned(mem) char *name = display_text(buf_span(part));

	buf_clear(part);
	if (!is_name(name))
		return;
	if (authors->n > 0 && is_suffix(name))
		append_suffix(&authors->items[authors->n - 1], name);
	else
		strings_add(authors, span_of(name));
}

/* After a backslash TeX means something else: `\,` is a thin space. */
static bool is_escaped(struct span text, size_t i)
{
	return i > 0 && text.ptr[i - 1] == '\\';
}

/*
 * Marks each '(' that has its ')': one that has none would otherwise swallow
 * all names after it.
 */
static bool *find_opening(struct span text)
{
	bool *opening = mem_array(text.len + 1, sizeof(*opening));
	size_t n_closing = 0;

	for (size_t i = text.len; i-- > 0;) {
		if (is_escaped(text, i))
			continue;
		if (text.ptr[i] == ')') {
			n_closing++;
		} else if (text.ptr[i] == '(' && n_closing > 0) {
			n_closing--;
			opening[i] = true;
		}
	}
	return opening;
}

/* The length of " and", with a blank behind it, at this place; or 0. */
static size_t and_len(struct span text, size_t i)
{
	static const char word[] = "and";
	size_t end = i + 1 + strlen(word);

	if (end >= text.len || !isspace((unsigned char)text.ptr[i]) ||
	    !isspace((unsigned char)text.ptr[end]) ||
	    memcmp(text.ptr + i + 1, word, strlen(word)) != 0)
		return 0;
	return end - i;
}

/* The length of what ends a name at this place: a comma, a colon, "and". */
static size_t separator_len(struct span text, size_t i)
{
	char next = i + 1 < text.len ? text.ptr[i + 1] : ' ';

	if (text.ptr[i] == ',' ||
	    (text.ptr[i] == ':' &&
	     (next == ',' || isspace((unsigned char)next))))
		return 1;
	return and_len(text, i);
}

void feed_split_authors(struct span text, struct strings *authors)
{
	owned(mem) bool *opening = find_opening(text);
	owned(buf) struct buf part = BUF_INIT(text.len + 1);
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		bool escaped = is_escaped(text, i);
		size_t len = escaped ? 0 : separator_len(text, i);

		if (opening[i]) {
			depth++;
		} else if (depth > 0 && text.ptr[i] == ')' && !escaped) {
			depth--;
		} else if (depth == 0 && len > 0) {
			end_part(&part, authors);
			i += len - 1;
		} else if (depth == 0) {
			buf_add_char(&part, text.ptr[i]);
		}
	}
	end_part(&part, authors);
}
