#include "base/mem.h"
#include "base/utf8.h"
#include "conf/suggest.h"
#include "conf_private.h"

#define TEXT_BYTES 1000U

static const char *type_words(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "is a group { }";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "is a number";
	case CONFIG_TYPE_FLOAT:
		return "is a number with a point";
	case CONFIG_TYPE_STRING:
		return "is a text";
	case CONFIG_TYPE_BOOL:
		return "is true or false";
	case CONFIG_TYPE_ARRAY:
		return "is an array [ ]";
	default:
		return "is a list ( )";
	}
}

bool conf_expect(const struct conf_scope *scope,
                 const config_setting_t *setting, int type, const char *what)
{
	if (conf_is_bad(setting))
		return false;
	if (config_setting_type(setting) == type)
		return true;
	conf_error(scope, setting, "%s, should be %s", type_words(setting),
	           what);
	return false;
}

/* What is wrong with the text's characters, or NULL. */
static const char *find_flaw(struct span text, const struct conf_key *key)
{
	if (!utf8_valid(text))
		return "is not UTF-8";
	while (text.len > 0) {
		uint32_t c = utf8_next(&text);

		if ((key->flags & CONF_LINES) && (c == '\n' || c == '\t'))
			continue;
		if (c == '\n')
			return "has a line end in it: is a '\"' missing?";
		if (utf8_is_control(c))
			return "has a control character in it";
	}
	return NULL;
}

const char *conf_text(const struct conf_scope *scope,
                      const config_setting_t *setting,
                      const struct conf_key *key)
{
	size_t max = key->max > 0 ? key->max : TEXT_BYTES;
	struct span text;
	const char *flaw;

	if (!conf_expect(scope, setting, CONFIG_TYPE_STRING, "a \"text\""))
		return NULL;
	text = span_of(config_setting_get_string(setting));
	flaw = find_flaw(text, key);
	if (flaw)
		conf_error(scope, setting, "%s", flaw);
	else if (span_trim(text).len == 0 && key->example)
		conf_error(scope, setting, "is empty: write for example %s",
		           key->example);
	else if (span_trim(text).len == 0)
		conf_error(scope, setting, "is empty");
	else if (text.len > max)
		conf_error(scope, setting, "is longer than %zu bytes", max);
	else
		return text.ptr;
	return NULL;
}

void conf_report_missing(const struct conf_scope *scope,
                         const config_setting_t *group,
                         const struct conf_key *key)
{
	struct conf_place place = {scope->source->path, scope->source->rank,
	                           conf_line(group)};

	if (!scope->silent && !scope->partial)
		conf_problems_add(&scope->loader->errors, place,
		                  "%s%s: is missing: write for example %s",
		                  scope->prefix, key->name, key->example);
}

static const struct conf_key *find_key(struct conf_keys keys, const char *name)
{
	const struct conf_key *end = keys.items + keys.n;

	for (const struct conf_key *key = keys.items; key < end; key++)
		if (!strcmp(key->name, name))
			return key;
	return NULL;
}

static void report_unknown(const struct conf_scope *scope,
                           const config_setting_t *setting,
                           struct conf_keys keys)
{
	owned(strings) struct strings names = {0};
	const char *nearest;

	for (size_t i = 0; i < keys.n; i++)
		strings_add(&names, span_of(keys.items[i].name));
	nearest = conf_suggest(span_of(config_setting_name(setting)), &names);
	if (nearest)
		conf_error(scope, setting,
		           "there is no such setting: did you mean \"%s\"?",
		           nearest);
	else
		conf_error(scope, setting, "there is no such setting");
}

void conf_report_unknown(const struct conf_scope *scope,
                         const config_setting_t *group, struct conf_keys keys)
{
	int n = config_setting_length(group);

	for (int i = 0; i < n; i++) {
		const config_setting_t *setting =
			config_setting_get_elem(group, (unsigned)i);

		if (!find_key(keys, config_setting_name(setting)))
			report_unknown(scope, setting, keys);
	}
}

void conf_read_key(const struct conf_scope *scope,
                   const config_setting_t *setting, const struct conf_key *key,
                   void *base)
{
	void *field = (char *)base + key->offset;

	/* What cannot be read leaves the default to later checks. */
	if (key->text)
		*(char **)field = mem_dup(key->text);
	else if (key->fallback > 0)
		*(uint32_t *)field = key->fallback;
	if (!setting)
		return;
	key->read(scope, setting, key, field);
}

void conf_read_group(const struct conf_scope *scope,
                     const config_setting_t *group, struct conf_keys keys,
                     void *base)
{
	for (size_t i = 0; i < keys.n; i++) {
		const struct conf_key *key = &keys.items[i];
		const config_setting_t *setting = NULL;

		if (group)
			setting = config_setting_get_member(group, key->name);
		if (!setting && (key->flags & CONF_REQUIRED))
			conf_report_missing(scope, group, key);
		conf_read_key(scope, setting, key, base);
	}
	if (group)
		conf_report_unknown(scope, group, keys);
}
