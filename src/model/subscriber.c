#include "model/subscriber.h"

#include "base/mem.h"

struct subscriber *subscriber_new(void)
{
	return mem_new(sizeof(struct subscriber));
}

static void fini_topic(struct topic *topic)
{
	free(topic->name);
	strings_fini(&topic->keywords);
	strings_fini(&topic->authors);
	strings_fini(&topic->exclude);
	free(topic->query);
}

void subscriber_free(struct subscriber *subscriber)
{
	if (!subscriber)
		return;
	for (size_t i = 0; i < subscriber->n_topics; i++)
		fini_topic(&subscriber->topics[i]);
	free(subscriber->topics);
	free(subscriber->id);
	free(subscriber->email);
	free(subscriber->name);
	strings_fini(&subscriber->categories);
	free(subscriber->timezone);
	free(subscriber->language);
	free(subscriber->subject);
	free(subscriber->file);
	free(subscriber);
}

bool subscriber_paused(const struct subscriber *subscriber, int32_t day)
{
	return subscriber->paused && (subscriber->paused_until == 0 ||
	                              day < subscriber->paused_until);
}
