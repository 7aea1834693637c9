#include <ctype.h>

#include "base/limits.h"
#include "base/mem.h"
#include "conf_private.h"

#define ID_BYTES 200
#define SHOWN_BYTES 80
/* All of arXiv's categories and archives are fewer. */
#define LIMIT_PATTERNS 400

/* A subscriber while it is read. */
struct draft {
	struct subscriber subscriber;
	struct topic own; /* of the subscriber's own lists */
};

#define IN_DRAFT(member) .offset = offsetof(struct draft, member)
#define IN_PERSON(member) .offset = offsetof(struct draft, subscriber.member)

static const struct conf_key keys[] = {
	{.name = "email",
         .read = conf_read_text,
         IN_PERSON(email),
         .flags = CONF_REQUIRED | CONF_OWN,
         .check = conf_check_address,
         .example = "email = \"ada@example.org\""},
	{.name = "id",
         .read = conf_read_text,
         IN_PERSON(id),
         .flags = CONF_OWN,
         .max = ID_BYTES},
	{.name = "name",
         .read = conf_read_text,
         IN_PERSON(name),
         .flags = CONF_OWN},
	{.name = "categories",
         .read = conf_read_strings,
         IN_PERSON(categories),
         .flags = CONF_REQUIRED,
         .max = LIMIT_PATTERNS,
         .check = conf_check_category,
         .example = "categories = [\"cs.CL\", \"math.*\"]"},
	{.name = "keywords",
         .read = conf_read_strings,
         IN_DRAFT(own.keywords),
         .max = LIMIT_KEYWORDS},
	{.name = "authors",
         .read = conf_read_strings,
         IN_DRAFT(own.authors),
         .max = LIMIT_KEYWORDS},
	{.name = "exclude",
         .read = conf_read_strings,
         IN_DRAFT(own.exclude),
         .max = LIMIT_KEYWORDS},
	{.name = "topics",
         .read = conf_read_topics,
         IN_DRAFT(subscriber),
         .max = LIMIT_TOPICS},
	{.name = "announce",
         .read = conf_read_announce,
         IN_PERSON(announce),
         .fallback = 1U << ANNOUNCE_NEW | 1U << ANNOUNCE_CROSS},
	{.name = "send_at",
         .read = conf_read_time,
         IN_PERSON(send_at_min),
         .fallback = 7 * 60 + 30},
	{.name = "timezone",
         .read = conf_read_zone,
         IN_PERSON(timezone),
         .text = "UTC"},
	{.name = "days",
         .read = conf_read_days,
         IN_PERSON(days),
         .fallback = 0x7F},
	{.name = "digest_wait_min",
         .read = conf_read_number,
         IN_PERSON(digest_wait_min),
         .max = 1440,
         .fallback = 120},
	{.name = "max_papers",
         .read = conf_read_number,
         IN_PERSON(max_papers),
         .min = 1,
         .max = 500,
         .fallback = 40},
	{.name = "min_score", .read = conf_read_score, IN_PERSON(min_score)},
	{.name = "language",
         .read = conf_read_language,
         IN_PERSON(language),
         .text = "en"},
	{.name = "subject",
         .read = conf_read_text,
         IN_PERSON(subject),
         .check = digest_subject_check},
	{.name = "summaries", .read = conf_read_bool, IN_PERSON(summaries)},
	{.name = "paused", .read = conf_read_paused, IN_DRAFT(subscriber)},
};

#define N_KEYS (sizeof(keys) / sizeof(*keys))

static char *lower(const char *text)
{
	char *copy = mem_dup(text);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

static const config_setting_t *member(const config_setting_t *group,
                                      const char *name)
{
	return group ? config_setting_get_member(group, name) : NULL;
}

/* How messages call a subscriber: by the address, which an admin searches. */
static char *make_prefix(const config_setting_t *group, int number)
{
	const config_setting_t *email = member(group, "email");
	const char *text = email ? config_setting_get_string(email) : NULL;

	if (!text || !*text)
		return mem_printf("subscriber %d: ", number);
	return mem_printf("subscriber %.*s: ", SHOWN_BYTES, text);
}

/* From the subscriber's group or else from defaults. */
static void read_one(const struct conf_scope *scope,
                     const config_setting_t *group, const struct conf_key *key,
                     struct draft *draft)
{
	const config_setting_t *setting = member(group, key->name);
	struct conf_scope inherited = *scope;

	if (!setting && !(key->flags & CONF_OWN)) {
		setting = member(scope->loader->defaults, key->name);
		/* What is wrong there has been said there. */
		inherited.silent = true;
		scope = &inherited;
	}
	if (!setting && (key->flags & CONF_REQUIRED)) {
		inherited.silent = false;
		conf_report_missing(&inherited, group, key);
	}
	conf_read_key(scope, setting, key, draft);
}

/* The unnamed topic stands before the named ones, if there is one. */
static void add_own_topic(struct draft *draft)
{
	struct subscriber *subscriber = &draft->subscriber;
	size_t n = subscriber->n_topics;
	struct topic *topics;

	if (n > 0 && draft->own.keywords.n == 0 && draft->own.authors.n == 0) {
		strings_fini(&draft->own.exclude);
		return;
	}
	topics = mem_array(n + 1, sizeof(*topics));
	topics[0] = draft->own;
	topics[0].weight = 1;
	if (n > 0)
		memcpy(topics + 1, subscriber->topics, n * sizeof(*topics));
	free(subscriber->topics);
	subscriber->topics = topics;
	subscriber->n_topics = n + 1;
}

static void check_own_topic(const struct conf_scope *scope,
                            const config_setting_t *group,
                            const struct draft *draft)
{
	const config_setting_t *exclude = member(group, "exclude");

	if (member(group, "keywords") || member(group, "authors") || exclude)
		conf_check_topic(scope, group, &draft->own);
	if (exclude && draft->subscriber.n_topics > 0 &&
	    draft->own.keywords.n == 0 && draft->own.authors.n == 0)
		conf_error(scope, exclude,
		           "belongs to keywords and authors, and there are "
		           "only topics: write it into these");
}

static void finish(const struct conf_scope *scope,
                   const config_setting_t *group, struct draft *draft)
{
	struct subscriber *subscriber = &draft->subscriber;

	check_own_topic(scope, group, draft);
	add_own_topic(draft);
	if (!subscriber->id && subscriber->email)
		subscriber->id = lower(subscriber->email);
	subscriber->file = mem_dup(scope->source->path);
	subscriber->line = conf_line(group);
}

static struct subscriber *read_subscriber(const struct conf_scope *scope,
                                          const config_setting_t *group)
{
	struct subscriber *subscriber = subscriber_new();
	struct draft draft = {0};

	draft.subscriber.summaries = scope->loader->conf->llm.url != NULL;
	for (size_t i = 0; i < N_KEYS; i++)
		read_one(scope, group, &keys[i], &draft);
	conf_report_unknown(scope, group, CONF_KEYS(keys));
	finish(scope, group, &draft);
	*subscriber = draft.subscriber;
	return subscriber;
}

static void add(struct conf_loader *loader, struct subscriber *subscriber,
                struct conf_place place)
{
	struct conf *conf = loader->conf;
	size_t n = conf->n_subscribers++;

	conf->subscribers =
		mem_grow(conf->subscribers, &conf->subscribers_capacity, n + 1,
	                 sizeof(struct subscriber *));
	conf->subscribers[n] = subscriber;
	loader->places = mem_grow(loader->places, &loader->places_capacity,
	                          n + 1, sizeof(*loader->places));
	loader->places[n] = place;
}

static void read_element(struct conf_loader *loader,
                         const struct conf_source *source,
                         const config_setting_t *group, int number)
{
	owned(mem) char *prefix = NULL;
	struct conf_scope scope = {
		.loader = loader,
		.source = source,
		.prefix = "",
		/* The defaults may be in the part that cannot be read. */
		.partial = !loader->main_read,
	};
	struct conf_place place = {source->path, source->rank,
	                           conf_line(group)};

	if (!conf_expect(&scope, group, CONFIG_TYPE_GROUP,
	                 "a group { email = \"…\"; … }"))
		return;
	prefix = make_prefix(group, number);
	scope.prefix = prefix;
	add(loader, read_subscriber(&scope, group), place);
}

void conf_read_subscribers(struct conf_loader *loader,
                           const struct conf_source *source)
{
	struct conf_scope scope = {
		.loader = loader,
		.source = source,
		.prefix = "",
	};
	const config_setting_t *list =
		member(conf_source_root(source), "subscribers");
	int n;

	if (!list || !conf_expect(&scope, list, CONFIG_TYPE_LIST,
	                          "a list ( { … }, { … } )"))
		return;
	n = config_setting_length(list);
	for (int i = 0; i < n; i++)
		read_element(loader, source,
		             config_setting_get_elem(list, (unsigned)i), i + 1);
}

static void check_default(const struct conf_scope *scope,
                          const config_setting_t *group,
                          const struct conf_key *key, struct draft *draft)
{
	const config_setting_t *setting = member(group, key->name);

	if (setting && (key->flags & CONF_OWN))
		conf_error(scope, setting,
		           "is each subscriber's own and has no default");
	else
		conf_read_key(scope, setting, key, draft);
}

void conf_read_defaults(struct conf_loader *loader)
{
	struct conf_scope scope = {
		.loader = loader,
		.source = loader->main,
		.prefix = "",
		.partial = true,
	};
	const config_setting_t *group =
		member(conf_source_root(loader->main), "defaults");
	owned(subscriber) struct subscriber *scratch = subscriber_new();
	struct draft draft = {0};

	if (!group ||
	    !conf_expect(&scope, group, CONFIG_TYPE_GROUP, "a group { }"))
		return;
	scope.prefix = "defaults.";
	for (size_t i = 0; i < N_KEYS; i++)
		check_default(&scope, group, &keys[i], &draft);
	conf_report_unknown(&scope, group, CONF_KEYS(keys));
	conf_check_topic(&scope, group, &draft.own);
	add_own_topic(&draft);
	*scratch = draft.subscriber;
	loader->defaults = group;
}
