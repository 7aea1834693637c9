#include "conf_private.h"

#include "base/buf.h"

/*
 * Keys that are read and checked although what they are for is not there yet.
 * A feature that arrives takes its lines away.
 */

enum later_group {
	LATER_HEALTH,
};

static const char *const sentences[CONF_LATER_GROUPS] = {
	[LATER_HEALTH] =
		"mails about changes of health come with a later "
		"version; 'arxmail status' and the log tell them",
};

static const struct {
	const char *group;
	const char *name;
	enum later_group later;
} keys[] = {
	{"sender", "admin", LATER_HEALTH},
};

void conf_later_fini(struct conf_later *later)
{
	for (size_t i = 0; i < CONF_LATER_GROUPS; i++)
		strings_fini(&later->names[i]);
}

static void note(const struct conf_scope *scope, enum later_group group,
                 const char *name, unsigned line)
{
	struct conf_later *later = &scope->loader->later;
	owned(buf) struct buf full = BUF_INIT(200);

	if (*scope->group && strcmp(scope->group, "subscriber") != 0)
		buf_addf(&full, "%s.", scope->group);
	buf_add_str(&full, name);
	if (strings_has(&later->names[group], buf_str(&full)))
		return;
	if (later->names[group].n == 0)
		later->first[group] = (struct conf_place){
			scope->source->path, scope->source->rank, line};
	strings_add(&later->names[group], buf_span(&full));
}

void conf_later_note(const struct conf_scope *scope, const char *name,
                     const config_setting_t *setting)
{
	if (scope->silent)
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(keys[i].name, name) &&
		    !strcmp(keys[i].group, scope->group))
			note(scope, keys[i].later, name, conf_line(setting));
}

void conf_later_warn(struct conf_loader *loader)
{
	for (size_t i = 0; i < CONF_LATER_GROUPS; i++) {
		const struct strings *names = &loader->later.names[i];
		owned(buf) struct buf list = BUF_INIT(1000);

		if (names->n == 0)
			continue;
		for (size_t j = 0; j < names->n; j++)
			buf_addf(&list, "%s%s", j > 0 ? ", " : "",
			         names->items[j]);
		conf_problems_add(&loader->warnings, loader->later.first[i],
		                  "%s: not there yet: %s", buf_str(&list),
		                  sentences[i]);
	}
}
