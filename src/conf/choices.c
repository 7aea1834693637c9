#include "base/mem.h"
#include "conf/suggest.h"
#include "conf_private.h"
#include "model/category.h"
#include "model/day.h"

/* What a subscriber chooses from a list that is known elsewhere. */

int conf_check_category(const char *text, struct error *err)
{
	owned(strings) struct strings names = {0};
	const struct category *all;
	const char *nearest;
	size_t n;

	if (category_pattern_valid(span_of(text)))
		return 0;

	all = category_all(&n);
	for (size_t i = 0; i < n; i++)
		strings_add(&names, all[i].code);
	nearest = conf_suggest(span_of(text), &names);
	if (!nearest)
		return error_set(err, ERROR_SYNTAX,
		                 "there is no such category "
		                 "(arxiv.org/category_taxonomy lists them)");
	return error_set(err, ERROR_SYNTAX,
	                 "there is no such category: did you mean \"%s\"?",
	                 nearest);
}

void conf_read_announce(const struct conf_scope *scope,
                        const config_setting_t *setting,
                        const struct conf_key *key, void *field)
{
	owned(strings) struct strings names = {0};
	int n = config_setting_length(setting);
	uint32_t types = 0;

	(void)key;
	if (!conf_expect(scope, setting, CONFIG_TYPE_ARRAY,
	                 "an array: [\"new\", \"cross\"]"))
		return;
	for (int type = 0; type < ANNOUNCE_TYPES; type++)
		strings_add(&names, span_of(announce_type_name(
					    (enum announce_type)type)));
	if (n == 0)
		conf_error(scope, setting,
		           "is empty: write at least one of \"new\", "
		           "\"cross\", \"replace\" and \"replace-cross\"");
	for (int i = 0; i < n; i++) {
		int type = conf_read_choice(
			scope, config_setting_get_elem(setting, (unsigned)i),
			&names);

		if (type >= 0)
			types |= 1U << type;
	}
	*(uint32_t *)field = types;
}

/* Each zone's file is read once, however many subscribers live there. */
bool conf_keep_zone(struct conf_loader *loader, const char *name)
{
	struct conf *conf = loader->conf;
	struct zone *zone;

	if (strings_has(&loader->zones, name))
		return true;
	/* GLib would open what is named by an absolute path. */
	if (strchr("/.:", name[0]) || strstr(name, ".."))
		return false;
	zone = zone_open(name);
	if (!zone)
		return false;
	strings_add(&loader->zones, span_of(name));
	conf->zones = mem_grow(conf->zones, &conf->zones_capacity,
	                       conf->n_zones + 1, sizeof(struct zone *));
	conf->zones[conf->n_zones++] = zone;
	return true;
}

void conf_read_zone(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field)
{
	const char *text = conf_text(scope, setting, key);

	if (!text)
		return;
	if (!conf_keep_zone(scope->loader, text)) {
		conf_error(scope, setting,
		           "there is no time zone \"%s\": write a name such as "
		           "\"Europe/Berlin\" (timedatectl list-timezones "
		           "shows all)",
		           text);
		return;
	}
	free(*(char **)field);
	*(char **)field = mem_dup(text);
}

void conf_read_language(const struct conf_scope *scope,
                        const config_setting_t *setting,
                        const struct conf_key *key, void *field)
{
	const struct conf *conf = scope->loader->conf;
	owned(strings) struct strings codes = {0};

	(void)key;
	for (size_t i = 0; i < conf->n_languages; i++)
		strings_add(&codes,
		            span_of(digest_language_code(conf->languages[i])));
	if (conf_read_choice(scope, setting, &codes) < 0)
		return;
	free(*(char **)field);
	*(char **)field = mem_dup(config_setting_get_string(setting));
}

/* true, false, or the day on which the pause ends. */
void conf_read_paused(const struct conf_scope *scope,
                      const config_setting_t *setting,
                      const struct conf_key *key, void *field)
{
	struct subscriber *subscriber = field;
	const char *text;

	if (config_setting_type(setting) == CONFIG_TYPE_BOOL) {
		subscriber->paused = config_setting_get_bool(setting);
		return;
	}
	if (!config_setting_get_string(setting)) {
		conf_expect(scope, setting, CONFIG_TYPE_BOOL,
		            "true, false or a date: \"2027-01-31\"");
		return;
	}
	text = conf_text(scope, setting, key);
	if (text && !day_parse(span_of(text), &subscriber->paused_until))
		conf_error(scope, setting,
		           "\"%s\" is no date: write YYYY-MM-DD, the first day "
		           "with a digest again",
		           text);
	subscriber->paused = text;
}
