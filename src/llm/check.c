#include <ctype.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "llm_private.h"
#include "text/text.h"

/* One text of an answer: what must not be in it, and its language. */

static int fault(struct error *err, const char *name, const char *what)
{
	return error_set(err, ERROR_SYNTAX, "\"%s\" %s", name, what);
}

/* ---- what a model says in place of an answer ---- */

static const char *const refusals[] = {
	"i'm sorry",   "i’m sorry",        "i am sorry", "sorry,",
	"i cannot",    "i can't",          "i can’t",    "i'm unable",
	"i am unable", "as an ai",         "as a large", "抱歉",
	"很抱歉",      "非常抱歉",         "对不起",     "我无法",
	"我不能",      "作为一个人工智能", "作为一名AI", "作为AI",
};

/* What stands before the text in arXiv's feeds, and models like to repeat. */
static const char *const leftovers[] = {
	"arxiv:", "announce type", "abstract:", "title:", "summary:",
	"摘要：", "摘要:",         "标题：",    "标题:",  "总结：",
};

static bool starts_with(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncasecmp(text, list[i], strlen(list[i])))
			return true;
	return false;
}

#define STARTS_WITH(text, list) \
	starts_with((text), (list), sizeof(list) / sizeof(*(list)))

static bool contains(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

static int check_manners(const struct llm_question *question, const char *name,
                         const char *text, struct error *err)
{
	if (STARTS_WITH(text, refusals) &&
	    !STARTS_WITH(question->title, refusals))
		return fault(err, name, "is a refusal");
	if (STARTS_WITH(text, leftovers) || contains(text, "announce type:"))
		return fault(err, name,
		             "begins with a label in place of the text");
	return 0;
}

/* ---- markup and links ---- */

/* Markdown's and HTML's marks, and what tells of a link. */
static const char *const marks[] = {
	"](", "**", "__", "```", "<!", "</", "://", "www.", "mailto:", "&#",
};

static bool does_paper_have(const struct llm_question *question,
                            const char *part)
{
	return contains(question->title, part) ||
	       contains(question->abstract, part);
}

static bool is_address_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-_.@/:~%+", c));
}

/* The longest run of an address's characters, without a sentence's end. */
static struct span find_run(const char *text)
{
	size_t len = 0;

	while (is_address_char(text[len]))
		len++;
	while (len > 0 && !isalnum((unsigned char)text[len - 1]) &&
	       text[len - 1] != '/')
		len--;
	return (struct span){text, len};
}

/*
 * "example.org", which mail programs make a link of: something, a dot and two
 * letters. What stands before the run may belong to it: a letter of another
 * script.
 */
static bool is_host_like(const char *begin, struct span run)
{
	for (size_t i = 0; i + 2 < run.len; i++) {
		const char *dot = run.ptr + i;

		if (*dot == '.' && dot > begin && dot[-1] != ' ' &&
		    dot[-1] != '.' && isalpha((unsigned char)dot[1]) &&
		    isalpha((unsigned char)dot[2]))
			return true;
	}
	return false;
}

/* Does the run stand in `text` as a whole, or before a longer path? */
static bool has_address(const char *text, const char *run)
{
	size_t len = strlen(run);

	for (const char *at = strcasestr(text, run); at;
	     at = strcasestr(at + 1, run))
		if ((at == text || at[-1] == '/' || !is_address_char(at[-1])) &&
		    !isalnum((unsigned char)at[len]) && at[len] != '-')
			return true;
	return false;
}

static int check_links(const struct llm_question *question, const char *name,
                       const char *text, struct error *err)
{
	const char *begin = text;

	while (*text) {
		struct span run = find_run(text);
		owned(mem) char *address = mem_dup_span(run);

		if (is_host_like(begin, run) &&
		    !has_address(question->title, address) &&
		    !has_address(question->abstract, address))
			return fault(err, name,
			             "has an address that is not the paper's");
		text += run.len > 0 ? run.len : 1;
	}
	return 0;
}

/* "<b": a tag; "<3" and "a < b" are none. Is there one of our own making? */
static bool has_new_tag(const struct llm_question *question, const char *text)
{
	for (text = strchr(text, '<'); text; text = strchr(text + 1, '<')) {
		size_t len = 1;
		owned(mem) char *tag = NULL;

		while (isalnum((unsigned char)text[len]))
			len++;
		tag = mem_dup_span((struct span){text, len});
		if (isalpha((unsigned char)text[1]) &&
		    !does_paper_have(question, tag))
			return true;
	}
	return false;
}

static int check_markup(const struct llm_question *question, const char *name,
                        const char *text, struct error *err)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (contains(text, marks[i]) &&
		    !does_paper_have(question, marks[i]))
			return error_set(err, ERROR_SYNTAX,
			                 "\"%s\" has markup or a link in it "
			                 "(%s)",
			                 name, marks[i]);
	if (has_new_tag(question, text))
		return fault(err, name, "has HTML in it");
	return check_links(question, name, text, err);
}

/* ---- the language ---- */

struct script {
	const char *languages;
	uint32_t first;
	uint32_t last;
};

/* Languages whose script is not Latin; the others tell nothing by theirs. */
static const struct script scripts[] = {
	{"zh ja ko", 0, 0}, /* by TEXT_IDEOGRAPH */
	{"ru uk bg sr be mk", 0x400, 0x52F},
	{"el", 0x370, 0x3FF},
	{"he", 0x590, 0x5FF},
	{"ar fa ur", 0x600, 0x6FF},
	{"hi mr ne", 0x900, 0x97F},
	{"th", 0xE00, 0xE7F},
};

/* Of the letters that must be its own: names and formulas stay Latin. */
#define SCRIPT_PERCENT 25
/* Of English's letters that may be ideographs: names. */
#define FOREIGN_PERCENT 10

static const struct script *find_script(const char *code)
{
	struct span language = span_first(span_of(code), strcspn(code, "-_"));

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		struct span rest = span_of(scripts[i].languages);
		struct span word;

		while (span_split(&rest, ' ', &word))
			if (span_equal(word, language))
				return &scripts[i];
	}
	return NULL;
}

static bool is_of_script(uint32_t character, const struct script *script)
{
	if (script->last == 0)
		return text_kind(character) == TEXT_IDEOGRAPH;
	return character >= script->first && character <= script->last;
}

/* How many of a hundred letters are of the script. */
static size_t percent_of(struct span text, const struct script *script)
{
	size_t n_letters = 0;
	size_t n_own = 0;

	while (text.len > 0) {
		uint32_t character = utf8_next(&text);
		enum text_kind kind = text_kind(character);

		if (kind != TEXT_LETTER && kind != TEXT_IDEOGRAPH)
			continue;
		n_letters++;
		n_own += is_of_script(character, script);
	}
	return n_letters > 0 ? n_own * 100 / n_letters : 100;
}

/* A title may be nothing but names; of it one own letter is enough. */
static bool is_in_language(const struct llm_question *question,
                           const char *name, const char *text)
{
	const struct script *script = find_script(question->language);
	size_t percent;

	if (!strcmp(question->language, "en"))
		return percent_of(span_of(text), &scripts[0]) <=
		       FOREIGN_PERCENT;
	if (!strcmp(name, "title"))
		return true;
	if (!script)
		return strcmp(text, question->abstract) != 0;
	percent = percent_of(span_of(text), script);
	return percent >= SCRIPT_PERCENT;
}

int llm_check_text(const struct llm_question *question, const char *name,
                   const char *text, struct error *err)
{
	if (check_manners(question, name, text, err) < 0 ||
	    check_markup(question, name, text, err) < 0)
		return -1;
	if (!is_in_language(question, name, text))
		return error_set(err, ERROR_SYNTAX, "\"%s\" is not in %s", name,
		                 question->language_name);
	return 0;
}
