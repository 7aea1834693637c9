#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "digest/render.h"

#include "digest_private.h"

struct entry {
	char *key;
	char *value;
	struct mustache *string; /* NULL if it is broken: `problem` */
	char *problem;
};

struct digest_language {
	char *code;
	struct entry *entries;
	size_t n_entries;
	size_t capacity;
	struct value labels; /* the strings without names */
};

#define DATE_NAMES "weekday weekday_short day month month_short year"
#define FRAME_NAMES                                           \
	DATE_NAMES                                            \
	" date date_long count matched considered papers top" \
	" topics topic_names categories name"

struct string_kind {
	const char *key;
	const char *names; /* that its value may use */
	size_t n_words;    /* that its value must have; 0: any */
	bool has_forms;    /* for numbers: papers_one, papers_other */
};

static const struct string_kind string_kinds[] = {
	{"plurals", "", 1, false},
	{"weekdays", "", 7, false},
	{"weekdays_short", "", 7, false},
	{"months", "", 12, false},
	{"months_short", "", 12, false},
	{"date", DATE_NAMES, 0, false},
	{"date_long", DATE_NAMES, 0, false},
	{"subject", FRAME_NAMES, 0, false},
	{"papers", "count", 0, true},
	{"lead", FRAME_NAMES, 0, true},
	{"late", "categories", 0, false},
	{"list_separator", "", 0, false},
	{"topic_count", "topic count", 0, false},
	{"topic_unnamed", "", 0, false},
	{"more_matches", "", 0, false},
	{"more", "count", 0, true},
	{"type_new", "", 0, false},
	{"type_cross", "", 0, false},
	{"type_replace", "", 0, false},
	{"type_replace_cross", "", 0, false},
	{"updates", "", 0, false},
	{"held_late", "date " DATE_NAMES, 0, false},
	{"held_undelivered", "date " DATE_NAMES, 0, false},
	{"et_al", "author", 0, false},
	{"abs", "", 0, false},
	{"pdf", "", 0, false},
	{"html", "", 0, false},
	{"matched", "clauses", 0, false},
	{"clause", "text fields", 0, false},
	{"clause_author", "text", 0, false},
	{"field_title", "", 0, false},
	{"field_abstract", "", 0, false},
	{"no_summary", "", 0, false},
	{"summaries_by", "models", 0, false},
	{"language_name", "", 0, false},
	{"why", FRAME_NAMES, 0, false},
	{"filter", "filters", 0, false},
	{"filter_topic", "topic keywords authors exclude query everything", 0,
         false},
	{"filter_separator", "", 0, false},
	{"every_paper", "", 0, false},
	{"unsubscribe", "", 0, false},
	{"contact_label", "", 0, false},
	{"document_summary", "", 0, false},
	{"document_details", "", 0, false},
};

#define N_KINDS (sizeof(string_kinds) / sizeof(*string_kinds))

/* The kind of a key, which may end in a form that `rule` has. */
static const struct string_kind *find_kind(const struct plural_rule *rule,
                                           const char *key)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		const struct string_kind *kind = &string_kinds[i];
		const char *form = key + strlen(kind->key);

		if (!span_starts(span_of(key), kind->key))
			continue;
		if (kind->has_forms
		            ? form[0] == '_' && plural_has(rule, form + 1)
		            : !form[0])
			return kind;
	}
	return NULL;
}

/* The language's own, or English until it is known. */
static const struct plural_rule *
find_rule(const struct digest_language *language)
{
	const struct plural_rule *rule =
		plural_find(digest_language_get(language, "plurals"));

	return rule ? rule : plural_find("english");
}

const char *language_form(const struct digest_language *language, uint64_t n)
{
	return find_rule(language)->find(n);
}

struct digest_language *digest_language_new(const char *code)
{
	struct digest_language *language = mem_new(sizeof(*language));

	language->code = mem_dup(code);
	language->labels = VALUE_MAP_INIT;
	return language;
}

static void release_entry(struct entry *entry)
{
	free(entry->key);
	free(entry->value);
	free(entry->problem);
	mustache_free(entry->string);
}

void digest_language_free(struct digest_language *language)
{
	if (!language)
		return;
	for (size_t i = 0; i < language->n_entries; i++)
		release_entry(&language->entries[i]);
	free(language->entries);
	free(language->code);
	value_fini(&language->labels);
	free(language);
}

const char *digest_language_code(const struct digest_language *language)
{
	return language->code;
}

static struct entry *find_entry(const struct digest_language *language,
                                const char *key)
{
	for (size_t i = 0; i < language->n_entries; i++)
		if (!strcmp(language->entries[i].key, key))
			return &language->entries[i];
	return NULL;
}

const char *digest_language_get(const struct digest_language *language,
                                const char *key)
{
	const struct entry *entry = find_entry(language, key);

	return entry ? entry->value : NULL;
}

static int compile_string(struct mustache **ret_string, const char *value,
                          struct error *err)
{
	static const struct mustache_options options = {
		.escape = values_escape_text,
	};
	struct mustache_source source = {.text = span_of(value)};

	return mustache_compile(ret_string, &source, &options, err);
}

/* Labels borrow their names from the table of kinds. */
static void set_label(struct digest_language *language,
                      const struct string_kind *kind, const char *value)
{
	struct value *label = value_find(&language->labels, span_of(kind->key));

	if (!label)
		label = value_add(&language->labels, kind->key, VALUE_TEXT);
	free(label->text);
	label->text = mem_dup(value);
}

void digest_language_set(struct digest_language *language, const char *key,
                         const char *value)
{
	const struct string_kind *kind = find_kind(find_rule(language), key);
	struct entry fresh = {.key = mem_dup(key), .value = mem_dup(value)};
	struct entry *entry = find_entry(language, key);
	struct error err = {0};

	if (compile_string(&fresh.string, value, &err) < 0)
		fresh.problem = mem_dup(err.message);
	if (kind && !*kind->names)
		set_label(language, kind, value);
	if (entry) {
		release_entry(entry);
		*entry = fresh;
		return;
	}
	language->entries = mem_grow(language->entries, &language->capacity,
	                             language->n_entries + 1, sizeof(fresh));
	language->entries[language->n_entries++] = fresh;
}

const struct value *language_labels(const struct digest_language *language)
{
	return &language->labels;
}

int language_add(struct buf *out, const struct digest_language *language,
                 const char *key, const struct value *values, struct error *err)
{
	const struct mustache_scope scope = {.values = values};
	const struct entry *entry = find_entry(language, key);

	if (!entry || !entry->string)
		return error_set(err, ERROR_SYNTAX, "language %s: %s: %s",
		                 language->code, key,
		                 entry ? entry->problem : "is missing");
	if (mustache_render(out, entry->string, &scope, err) < 0)
		return error_prefix(err, "language %s: %s", language->code,
		                    key);
	return 0;
}

static size_t count_words(const char *value)
{
	struct span rest = span_of(value);
	struct span word;
	size_t n = 0;

	while (span_split(&rest, ' ', &word))
		n += word.len > 0;
	return n;
}

/* The problems of a string's variables. */
static void check_names(const char *allowed, const struct mustache *string,
                        struct strings *problems)
{
	owned(strings) struct strings names = {0};
	owned(value) struct value map = VALUE_MAP_INIT;
	struct mustache_scope scope = {.values = &map};
	struct span rest = span_of(allowed);
	struct span name;

	while (span_split(&rest, ' ', &name))
		strings_add(&names, name);
	for (size_t i = 0; i < names.n; i++)
		value_add(&map, names.items[i], VALUE_TEXT);
	mustache_check(string, &scope, problems);
}

static void add_problem(struct strings *problems, const char *key,
                        const char *what)
{
	owned(mem) char *line = mem_printf("%s: %s", key, what);

	strings_add(problems, span_of(line));
}

static void check_entry(const struct string_kind *kind,
                        const struct entry *entry, struct strings *problems)
{
	owned(strings) struct strings found = {0};

	if (!entry->string) {
		add_problem(problems, entry->key, entry->problem);
		return;
	}
	check_names(kind->names, entry->string, &found);
	for (size_t i = 0; i < found.n; i++) {
		owned(mem) char *what =
			mem_printf("%s (names: %s)", found.items[i],
		                   *kind->names ? kind->names : "none");

		add_problem(problems, entry->key, what);
	}
	if (kind->n_words > 0 && count_words(entry->value) != kind->n_words) {
		owned(mem) char *what =
			mem_printf("must be %zu words", kind->n_words);

		add_problem(problems, entry->key, what);
	}
}

static void check_present(const struct digest_language *language,
                          const char *key, struct strings *problems)
{
	if (!find_entry(language, key))
		add_problem(problems, key, "is missing");
}

static void check_forms(const struct digest_language *language,
                        const struct string_kind *kind,
                        struct strings *problems)
{
	struct span rest = span_of(find_rule(language)->forms);
	struct span form;

	while (span_split(&rest, ' ', &form)) {
		owned(mem) char *key = mem_printf("%s_%.*s", kind->key,
		                                  (int)form.len, form.ptr);

		check_present(language, key, problems);
	}
}

static void check_rule(const struct digest_language *language,
                       struct strings *problems)
{
	const char *name = digest_language_get(language, "plurals");
	owned(buf) struct buf what = BUF_INIT(SIZE_MAX);

	if (!name || plural_find(name))
		return;
	buf_add_str(&what, "must be one of ");
	plural_add_names(&what);
	add_problem(problems, "plurals", buf_str(&what));
}

void digest_language_check(const struct digest_language *language,
                           struct strings *problems)
{
	const struct plural_rule *rule = find_rule(language);

	check_rule(language, problems);
	for (size_t i = 0; i < N_KINDS; i++)
		if (string_kinds[i].has_forms)
			check_forms(language, &string_kinds[i], problems);
		else
			check_present(language, string_kinds[i].key, problems);
	for (size_t i = 0; i < language->n_entries; i++) {
		const struct entry *entry = &language->entries[i];
		const struct string_kind *kind = find_kind(rule, entry->key);

		if (kind)
			check_entry(kind, entry, problems);
		else
			add_problem(problems, entry->key,
			            "there is no such string");
	}
}

int digest_subject_check(const char *subject, struct error *err)
{
	owned(mustache) struct mustache *string = NULL;
	owned(strings) struct strings problems = {0};

	if (compile_string(&string, subject, err) < 0)
		return -1;
	check_names(FRAME_NAMES, string, &problems);
	if (problems.n > 0)
		return error_set(err, ERROR_SYNTAX, "%s (names: %s)",
		                 problems.items[0], FRAME_NAMES);
	return 0;
}

int language_add_subject(struct buf *out, const char *subject,
                         const struct value *values, struct error *err)
{
	owned(mustache) struct mustache *string = NULL;
	const struct mustache_scope scope = {.values = values};

	if (compile_string(&string, subject, err) < 0 ||
	    mustache_render(out, string, &scope, err) < 0)
		return error_prefix(err, "subject");
	return 0;
}

struct digest_language *language_sample(void)
{
	struct digest_language *language = digest_language_new("en");

	for (size_t i = 0; i < N_KINDS; i++) {
		const struct string_kind *kind = &string_kinds[i];
		owned(mem) char *key = mem_printf(
			"%s%s", kind->key, kind->has_forms ? "_other" : "");

		digest_language_set(language, key, "x");
	}
	digest_language_set(language, "plurals", "chinese");
	return language;
}
