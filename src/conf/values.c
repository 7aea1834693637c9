#include <math.h>

#include "base/mem.h"
#include "conf/formats.h"
#include "conf/suggest.h"
#include "conf_private.h"

#define SCORE_MAX 1e6

static void replace(char **text, char *with)
{
	free(*text);
	*text = with;
}

/* The text if it passes the key's check, or NULL. */
static const char *checked_text(const struct conf_scope *scope,
                                const config_setting_t *setting,
                                const struct conf_key *key)
{
	const char *text = conf_text(scope, setting, key);
	struct error err = {0};

	if (!text || !key->check || key->check(text, &err) == 0)
		return text;
	conf_error(scope, setting, "%s", err.message);
	return NULL;
}

void conf_read_text(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field)
{
	const char *text = checked_text(scope, setting, key);

	if (text)
		replace(field, mem_dup(text));
}

char *conf_resolve(const struct conf_loader *loader, const char *path)
{
	const char *main = loader->conf->path;
	const char *slash = strrchr(main, '/');

	if (path[0] == '/' || !slash)
		return mem_dup(path);
	return mem_printf("%.*s/%s", (int)(slash - main), main, path);
}

void conf_read_path(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field)
{
	owned(mem) char *path = NULL;
	struct error err = {0};
	const char *text = conf_text(scope, setting, key);

	if (!text)
		return;
	path = conf_resolve(scope->loader, text);
	if (key->check && key->check(path, &err) < 0)
		conf_error(scope, setting, "%s", err.message);
	else
		replace(field, take_ptr(path));
}

static void report_range(const struct conf_scope *scope,
                         const config_setting_t *setting,
                         const struct conf_key *key)
{
	conf_error(scope, setting, "%lld is not from %u to %u",
	           config_setting_get_int64(setting), key->min, key->max);
}

void conf_read_number(const struct conf_scope *scope,
                      const config_setting_t *setting,
                      const struct conf_key *key, void *field)
{
	int type = config_setting_type(setting);
	long long value;

	if (type != CONFIG_TYPE_INT64 &&
	    !conf_expect(scope, setting, CONFIG_TYPE_INT, "a whole number"))
		return;
	if (conf_is_bad(setting))
		return;
	value = config_setting_get_int64(setting);
	if (value < key->min || value > key->max)
		report_range(scope, setting, key);
	else
		*(uint32_t *)field = (uint32_t)value;
}

void conf_read_bool(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field)
{
	(void)key;
	if (conf_expect(scope, setting, CONFIG_TYPE_BOOL, "true or false"))
		*(bool *)field = config_setting_get_bool(setting);
}

void conf_read_score(const struct conf_scope *scope,
                     const config_setting_t *setting,
                     const struct conf_key *key, void *field)
{
	double value;

	(void)key;
	if (conf_is_bad(setting))
		return;
	if (config_setting_type(setting) == CONFIG_TYPE_FLOAT)
		value = config_setting_get_float(setting);
	else if (conf_expect(scope, setting, CONFIG_TYPE_INT, "a number"))
		value = config_setting_get_int(setting);
	else
		return;
	if (isfinite(value) && value >= 0 && value <= SCORE_MAX)
		*(double *)field = value;
	else
		conf_error(scope, setting, "%g is not from 0 to %g", value,
		           SCORE_MAX);
}

/* "7:30", which is most of what is written wrong, gives "07:30". */
static void report_time(const struct conf_scope *scope,
                        const config_setting_t *setting, const char *text)
{
	owned(mem) char *padded = mem_printf("0%s", text);
	uint32_t minute;

	if (conf_parse_time(span_of(padded), &minute))
		conf_error(scope, setting,
		           "\"%s\" is no time: did you mean \"%s\"?", text,
		           padded);
	else
		conf_error(scope, setting,
		           "\"%s\" is no time: write HH:MM, from \"00:00\" to "
		           "\"23:59\"",
		           text);
}

void conf_read_time(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field)
{
	const char *text = conf_text(scope, setting, key);

	if (text && !conf_parse_time(span_of(text), field))
		report_time(scope, setting, text);
}

void conf_read_days(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field)
{
	const char *text = conf_text(scope, setting, key);
	struct error err = {0};

	if (text && conf_parse_days(span_of(text), field, &err) < 0)
		conf_error(scope, setting, "%s", err.message);
}

/* One text where an array is wanted is a frequent slip. */
static bool expect_array(const struct conf_scope *scope,
                         const config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);

	if (!text)
		return conf_expect(scope, setting, CONFIG_TYPE_ARRAY,
		                   "an array [\"…\", \"…\"]");
	conf_error(scope, setting, "is a text, should be an array: [\"%s\"]",
	           text);
	return false;
}

void conf_read_strings(const struct conf_scope *scope,
                       const config_setting_t *setting,
                       const struct conf_key *key, void *field)
{
	struct conf_key element = {.check = key->check};
	int n = config_setting_length(setting);

	if (!expect_array(scope, setting))
		return;
	if ((uint32_t)n > key->max)
		conf_error(scope, setting, "has %d texts, more than %u", n,
		           key->max);
	if (n == 0 && (key->flags & CONF_REQUIRED))
		conf_error(scope, setting, "is empty: write for example %s",
		           key->example);
	for (int i = 0; i < n; i++) {
		const char *text = checked_text(
			scope, config_setting_get_elem(setting, (unsigned)i),
			&element);

		if (text)
			strings_add(field, span_of(text));
	}
}

static void add_choices(struct buf *what, const struct strings *names)
{
	buf_addf(what, "write \"%s\"", names->items[0]);
	for (size_t i = 1; i < names->n; i++)
		buf_addf(what, "%s\"%s\"", i + 1 < names->n ? ", " : " or ",
		         names->items[i]);
}

static void report_choice(const struct conf_scope *scope,
                          const config_setting_t *setting, const char *text,
                          const struct strings *names)
{
	owned(buf) struct buf what = BUF_INIT(4000);
	const char *nearest = conf_suggest(span_of(text), names);

	/* An element is called by its text already. */
	if (config_setting_name(setting))
		buf_addf(&what, "\"%s\": ", text);
	buf_add_str(&what, "there is no such choice: ");
	if (nearest)
		buf_addf(&what, "did you mean \"%s\"?", nearest);
	else
		add_choices(&what, names);
	conf_error(scope, setting, "%s", buf_str(&what));
}

int conf_read_choice(const struct conf_scope *scope,
                     const config_setting_t *setting,
                     const struct strings *names)
{
	static const struct conf_key plain = {.name = ""};
	const char *text = conf_text(scope, setting, &plain);

	if (!text)
		return -1;
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->items[i], text))
			return (int)i;
	report_choice(scope, setting, text, names);
	return -1;
}
