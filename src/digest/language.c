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
};

static const struct string_kind string_kinds[] = {
	{"weekdays", "", 7},
	{"weekdays_short", "", 7},
	{"months", "", 12},
	{"months_short", "", 12},
	{"date", DATE_NAMES, 0},
	{"date_long", DATE_NAMES, 0},
	{"subject", FRAME_NAMES, 0},
	{"papers_one", "count", 0},
	{"papers_other", "count", 0},
	{"lead_one", FRAME_NAMES, 0},
	{"lead_other", FRAME_NAMES, 0},
	{"late", "categories", 0},
	{"list_separator", "", 0},
	{"topic_count", "topic count", 0},
	{"topic_unnamed", "", 0},
	{"more_matches", "", 0},
	{"more_one", "count", 0},
	{"more_other", "count", 0},
	{"type_new", "", 0},
	{"type_cross", "", 0},
	{"type_replace", "", 0},
	{"type_replace_cross", "", 0},
	{"et_al", "author", 0},
	{"abs", "", 0},
	{"pdf", "", 0},
	{"html", "", 0},
	{"matched", "clauses", 0},
	{"clause", "text fields", 0},
	{"clause_author", "text", 0},
	{"field_title", "", 0},
	{"field_abstract", "", 0},
	{"no_summary", "", 0},
	{"summaries_by", "models", 0},
	{"language_name", "", 0},
	{"why", FRAME_NAMES, 0},
	{"unsubscribe", "", 0},
	{"contact_label", "", 0},
	{"document_summary", "", 0},
	{"document_details", "", 0},
};

#define N_KINDS (sizeof(string_kinds) / sizeof(*string_kinds))

static const struct string_kind *find_kind(const char *key)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!strcmp(string_kinds[i].key, key))
			return &string_kinds[i];
	return NULL;
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
	const struct string_kind *kind = find_kind(key);
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

void digest_language_check(const struct digest_language *language,
                           struct strings *problems)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!find_entry(language, string_kinds[i].key))
			add_problem(problems, string_kinds[i].key,
			            "is missing");
	for (size_t i = 0; i < language->n_entries; i++) {
		const struct entry *entry = &language->entries[i];
		const struct string_kind *kind = find_kind(entry->key);

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

	for (size_t i = 0; i < N_KINDS; i++)
		digest_language_set(language, string_kinds[i].key, "x");
	return language;
}
