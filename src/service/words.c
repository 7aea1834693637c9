#include "store/words.h"
#include "service/summarize.h"

int service_add_words(const struct service *service,
                      const struct subscriber *subscriber,
                      struct digest *digest, struct error *err)
{
	if (!service->conf->llm.url || !subscriber->summaries)
		return 0;
	for (size_t i = 0; i < digest->n_entries; i++) {
		struct digest_entry *entry = &digest->entries[i];
		const struct store_words_key key = {entry->paper->id,
		                                    entry->paper->version,
		                                    subscriber->language};

		entry->wants_words = true;
		paper_words_fini(&entry->words);
		if (store_get_words(service->store, &key, &entry->words, err) <
		    0)
			return -1;
	}
	return 0;
}
