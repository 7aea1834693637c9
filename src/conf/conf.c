#include "conf/conf.h"

#include <libconfig.h>

#include "base/mem.h"

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	for (size_t i = 0; i < conf->n_subscribers; i++)
		subscriber_free(conf->subscribers[i]);
	for (size_t i = 0; i < conf->n_languages; i++)
		digest_language_free(conf->languages[i]);
	for (size_t i = 0; i < conf->n_zones; i++)
		zone_close(conf->zones[i]);
	digest_templates_free(conf->templates);
	mail_sender_fini(&conf->sender);
	smtp_options_fini(&conf->smtp);
	feed_options_fini(&conf->feeds);
	llm_options_fini(&conf->llm);
	calendar_fini(&conf->holidays);
	free(conf->subscribers);
	free(conf->by_id);
	free(conf->languages);
	free(conf->zones);
	free(conf->path);
	free(conf->state_dir);
	free(conf->templates_dir);
	free(conf);
}

static int compare_id(const void *id, const void *element)
{
	const struct subscriber *const *subscriber = element;

	return strcmp(id, (*subscriber)->id);
}

const struct subscriber *conf_find_subscriber(const struct conf *conf,
                                              const char *id_or_email)
{
	struct subscriber **found =
		bsearch(id_or_email, conf->by_id, conf->n_subscribers,
	                sizeof(struct subscriber *), compare_id);

	if (found)
		return *found;
	for (size_t i = 0; i < conf->n_subscribers; i++)
		if (!strcasecmp(conf->subscribers[i]->email, id_or_email))
			return conf->subscribers[i];
	return NULL;
}

const struct digest_language *conf_language(const struct conf *conf,
                                            const char *code)
{
	for (size_t i = 0; i < conf->n_languages; i++)
		if (!strcmp(digest_language_code(conf->languages[i]), code))
			return conf->languages[i];
	return NULL;
}

void conf_add_library(struct buf *out)
{
	buf_addf(out, "libconfig %d.%d", LIBCONFIG_VER_MAJOR,
	         LIBCONFIG_VER_MINOR);
}
