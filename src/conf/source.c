#include <stdarg.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "conf_private.h"

static struct conf_place place_of(const struct conf_source *source,
                                  unsigned line)
{
	return (struct conf_place){source->path, source->rank, line};
}

/* The settings' hooks are their values' entries, in the order of both. */
static void attach_values(config_setting_t *setting, struct conf_values *values,
                          size_t *next)
{
	int n = config_setting_length(setting);

	for (int i = 0; i < n; i++) {
		config_setting_t *child =
			config_setting_get_elem(setting, (unsigned)i);

		if (*next < values->n)
			config_setting_set_hook(child,
			                        &values->items[(*next)++]);
		if (config_setting_is_aggregate(child))
			attach_values(child, values, next);
	}
}

unsigned conf_line(const config_setting_t *setting)
{
	const struct conf_value *value;

	if (!setting || config_setting_is_root(setting))
		return 1;
	value = config_setting_get_hook(setting);
	return value ? value->line : config_setting_source_line(setting);
}

bool conf_is_bad(const config_setting_t *setting)
{
	const struct conf_value *value = config_setting_get_hook(setting);

	return value && value->bad;
}

/*
 * Who can write the config can make us read any file as the password and mail
 * what they like. The file is opened by its name afterwards: who could
 * exchange it in between could as well have exchanged it before.
 */
static void check_owner(struct conf_loader *loader,
                        const struct conf_source *source)
{
	struct stat st;

	if (stat(source->path, &st))
		return;
	if (st.st_mode & S_IWOTH)
		conf_problems_add(&loader->errors, place_of(source, 0),
		                  "permissions: everybody can write it: chmod "
		                  "o-w %s",
		                  source->path);
	else if (st.st_mode & S_IWGRP)
		conf_problems_add(&loader->warnings, place_of(source, 0),
		                  "permissions: its group can write it: chmod "
		                  "g-w %s",
		                  source->path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		conf_problems_add(&loader->warnings, place_of(source, 0),
		                  "permissions: it belongs to another user "
		                  "(uid %u), who can change it",
		                  (unsigned)st.st_uid);
}

static enum conf_source_outcome
parse(struct conf_source *source, struct conf_loader *loader, const char *text)
{
	size_t next = 0;

	if (!config_read_string(&source->config, text)) {
		unsigned line = (unsigned)config_error_line(&source->config);

		conf_problems_add(&loader->errors, place_of(source, line),
		                  "syntax: %s",
		                  config_error_text(&source->config));
		return CONF_SOURCE_BROKEN;
	}
	attach_values(conf_source_root(source), &source->values, &next);
	return CONF_SOURCE_READ;
}

/* libconfig takes a comment on the last line for an error if no line end
 * follows, and a byte order mark in any case. */
static enum conf_source_outcome read_text(struct conf_source *source,
                                          struct conf_loader *loader,
                                          struct buf *text)
{
	struct span content;

	buf_add_char(text, '\n');
	content = buf_span(text);
	if (span_starts(content, "\xEF\xBB\xBF"))
		content = span_skip(content, 3);
	if (conf_scan(content, place_of(source, 0), &source->values,
	              &loader->errors) == CONF_SCAN_BROKEN)
		return CONF_SOURCE_BROKEN;
	return parse(source, loader, content.ptr);
}

static struct conf_source *new_source(struct conf_loader *loader,
                                      const char *path)
{
	struct conf_source *source = mem_new(sizeof(*source));

	/* Problems point to the path longer than the source lives. */
	strings_add(&loader->paths, span_of(path));
	source->rank = (unsigned)loader->paths.n;
	source->path = loader->paths.items[loader->paths.n - 1];
	config_init(&source->config);
	return source;
}

int conf_source_open(struct conf_source **ret_source,
                     struct conf_loader *loader, const char *path,
                     struct error *err)
{
	owned(conf_source) struct conf_source *source =
		new_source(loader, path);
	owned(buf) struct buf text = BUF_INIT(LIMIT_CONF_BYTES);
	enum conf_source_outcome outcome;

	if (file_read(&text, path, err) < 0)
		return -1;
	check_owner(loader, source);
	outcome = read_text(source, loader, &text);
	*ret_source = take_ptr(source);
	return (int)outcome;
}

int conf_source_open_text(struct conf_source **ret_source,
                          struct conf_loader *loader, const char *path,
                          struct span text)
{
	struct conf_source *source = new_source(loader, path);
	owned(buf) struct buf copy = BUF_INIT(text.len + 1);

	buf_add_span(&copy, text);
	*ret_source = source;
	return (int)read_text(source, loader, &copy);
}

void conf_source_close(struct conf_source *source)
{
	if (!source)
		return;
	config_destroy(&source->config);
	conf_values_fini(&source->values);
	free(source);
}

#define MESSAGE_BYTES 4096U

/* An element is called by its array's name. */
static const char *name_of(const config_setting_t *setting)
{
	const config_setting_t *parent;

	if (config_setting_name(setting))
		return config_setting_name(setting);
	parent = config_setting_parent(setting);
	if (!parent || config_setting_is_group(setting))
		return "";
	return config_setting_name(parent) ? config_setting_name(parent) : "";
}

/* An array's element is called by its text. */
static const char *element_text(const config_setting_t *setting)
{
	const config_setting_t *parent = config_setting_parent(setting);

	if (!parent || !config_setting_is_array(parent))
		return NULL;
	return config_setting_get_string(setting);
}

#define SHOWN_BYTES 80

static void report(struct conf_problems *problems,
                   const struct conf_scope *scope,
                   const config_setting_t *setting, struct span what)
{
	owned(buf) struct buf name = BUF_INIT(MESSAGE_BYTES);
	const char *text = element_text(setting);

	buf_add_str(&name, name_of(setting));
	if (text)
		buf_addf(&name, ": \"%.*s\"", SHOWN_BYTES, text);
	if (name.len > 0)
		buf_add_str(&name, ": ");
	conf_problems_add(problems, place_of(scope->source, conf_line(setting)),
	                  "%s%s%.*s", scope->prefix, buf_str(&name),
	                  (int)what.len, what.ptr);
}

void conf_error(const struct conf_scope *scope, const config_setting_t *setting,
                const char *fmt, ...)
{
	owned(buf) struct buf what = BUF_INIT(MESSAGE_BYTES);
	va_list args;

	if (scope->silent)
		return;
	va_start(args, fmt);
	buf_addv(&what, fmt, args);
	va_end(args);
	report(&scope->loader->errors, scope, setting, buf_span(&what));
}

void conf_warning(const struct conf_scope *scope,
                  const config_setting_t *setting, const char *fmt, ...)
{
	owned(buf) struct buf what = BUF_INIT(MESSAGE_BYTES);
	va_list args;

	if (scope->silent)
		return;
	va_start(args, fmt);
	buf_addv(&what, fmt, args);
	va_end(args);
	report(&scope->loader->warnings, scope, setting, buf_span(&what));
}

void conf_report_failure(struct conf_loader *loader, const char *message)
{
	conf_problems_add(&loader->errors,
	                  (struct conf_place){.rank = UINT32_MAX}, "%s",
	                  message);
}
