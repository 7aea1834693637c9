#include "base/limits.h"
#include "base/mem.h"
#include "conf_private.h"
#include "query/query.h"

#define IN_TOPIC(member) .offset = offsetof(struct topic, member)

static const struct conf_key topic_keys[] = {
	{.name = "name",
         .read = conf_read_text,
         IN_TOPIC(name),
         .flags = CONF_REQUIRED,
         .example = "name = \"Lattice QCD\""},
	{.name = "keywords",
         .read = conf_read_strings,
         IN_TOPIC(keywords),
         .max = LIMIT_KEYWORDS},
	{.name = "authors",
         .read = conf_read_strings,
         IN_TOPIC(authors),
         .max = LIMIT_KEYWORDS},
	{.name = "exclude",
         .read = conf_read_strings,
         IN_TOPIC(exclude),
         .max = LIMIT_KEYWORDS},
	{.name = "query",
         .read = conf_read_text,
         IN_TOPIC(query),
         .flags = CONF_LINES,
         .max = LIMIT_QUERY_BYTES},
	{.name = "weight",
         .read = conf_read_number,
         IN_TOPIC(weight),
         .min = 1,
         .max = 100,
         .fallback = 1},
	{.name = "max",
         .read = conf_read_number,
         IN_TOPIC(max),
         .min = 1,
         .max = 500},
};

static const char *const list_names[] = {"keywords", "authors", "exclude"};

#define LISTS (sizeof(list_names) / sizeof(*list_names))

static struct strings *list_of(struct topic *topic, size_t which)
{
	struct strings *lists[LISTS] = {&topic->keywords, &topic->authors,
	                                &topic->exclude};

	return lists[which];
}

/* Is this one text, alone in its list, a query? */
static int check_alone(size_t which, const char *text, struct error *err)
{
	struct topic topic = {.weight = 1};
	int rc;

	strings_add(list_of(&topic, which), span_of(text));
	rc = query_check_topic(&topic, err);
	strings_fini(list_of(&topic, which));
	return rc;
}

/* Without the beginning that says where, which the report says itself. */
static const char *without_where(const char *message, const char *where)
{
	return span_starts(span_of(message), where) ? message + strlen(where)
	                                            : message;
}

static size_t report_list(const struct conf_scope *scope,
                          const config_setting_t *list, size_t which)
{
	owned(mem) char *where = mem_printf("%s[0]: ", list_names[which]);
	int n = config_setting_length(list);
	size_t found = 0;

	for (int i = 0; i < n; i++) {
		const config_setting_t *element =
			config_setting_get_elem(list, (unsigned)i);
		const char *text = config_setting_get_string(element);
		struct error err = {0};

		if (!text || conf_is_bad(element) ||
		    span_trim(span_of(text)).len == 0 ||
		    check_alone(which, text, &err) == 0)
			continue;
		conf_error(scope, element, "%s",
		           without_where(err.message, where));
		found++;
	}
	return found;
}

/* All wrong texts of the topic's lists, not only the first. */
static size_t report_lists(const struct conf_scope *scope,
                           const config_setting_t *group)
{
	size_t found = 0;

	for (size_t i = 0; i < LISTS; i++) {
		const config_setting_t *list =
			config_setting_get_member(group, list_names[i]);

		if (list)
			found += report_list(scope, list, i);
	}
	return found;
}

void conf_check_topic(const struct conf_scope *scope,
                      const config_setting_t *group, const struct topic *topic)
{
	struct error err = {0};

	if (query_check_topic(topic, &err) == 0)
		return;
	if (topic->query)
		conf_error(scope, config_setting_get_member(group, "query"),
		           "%s", without_where(err.message, "query: "));
	else if (report_lists(scope, group) == 0)
		conf_error(scope, group, "%s", err.message);
}

/* True if there is one way to read it. */
static bool check_kind(const struct conf_scope *scope,
                       const config_setting_t *group)
{
	const config_setting_t *query =
		config_setting_get_member(group, "query");

	for (size_t i = 0; i < LISTS && query; i++) {
		if (!config_setting_get_member(group, list_names[i]))
			continue;
		conf_error(scope, query,
		           "a topic has either a query or keywords, authors "
		           "and exclude: this one has %s as well",
		           list_names[i]);
		return false;
	}
	return true;
}

static char *make_prefix(const struct conf_scope *scope,
                         const config_setting_t *group, int number)
{
	const config_setting_t *name = config_setting_get_member(group, "name");
	const char *text = name ? config_setting_get_string(name) : NULL;

	if (!text || !*text)
		return mem_printf("%stopic %d: ", scope->prefix, number);
	return mem_printf("%stopic \"%s\": ", scope->prefix, text);
}

static void read_topic(const struct conf_scope *scope,
                       const config_setting_t *group, int number,
                       struct topic *topic)
{
	owned(mem) char *prefix = NULL;
	struct conf_scope inner = *scope;

	if (!conf_expect(scope, group, CONFIG_TYPE_GROUP,
	                 "a group { name = \"…\"; … }"))
		return;
	prefix = make_prefix(scope, group, number);
	inner.prefix = prefix;
	inner.partial = false;
	conf_read_group(&inner, group, CONF_KEYS(topic_keys), topic);
	if (check_kind(&inner, group))
		conf_check_topic(&inner, group, topic);
}

void conf_read_topics(const struct conf_scope *scope,
                      const config_setting_t *setting,
                      const struct conf_key *key, void *field)
{
	struct subscriber *subscriber = field;
	int n = config_setting_length(setting);

	if (!conf_expect(scope, setting, CONFIG_TYPE_LIST,
	                 "a list ( { … }, { … } )"))
		return;
	if ((uint32_t)n > key->max) {
		conf_error(scope, setting, "has %d topics, more than %u", n,
		           key->max);
		return;
	}
	subscriber->topics = mem_array((size_t)n, sizeof(struct topic));
	subscriber->n_topics = (size_t)n;
	for (int i = 0; i < n; i++)
		read_topic(scope, config_setting_get_elem(setting, (unsigned)i),
		           i + 1, &subscriber->topics[i]);
}
