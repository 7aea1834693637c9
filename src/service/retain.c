#include "service/retain.h"

#define SECONDS_PER_DAY 86400
#define SLICE_ROWS 500 /* of each kind: some milliseconds */
#define SLICES 100     /* in a run; a day brings less than one of most */

int service_retain_slice(struct service *service, bool *ret_more,
                         struct error *err)
{
	int64_t before = clock_now_sec(&service->world->clock) -
	                 (int64_t)service->conf->keep_days * SECONDS_PER_DAY;

	return store_prune(service->store, before, SLICE_ROWS, ret_more, err);
}

int service_retain(struct service *service, struct error *err)
{
	bool more = true;

	for (int i = 0; i < SLICES && more; i++)
		if (service_retain_slice(service, &more, err) < 0)
			return -1;
	return 0;
}

int service_keep_subscribers(struct service *service, size_t *ret_n,
                             struct error *err)
{
	const struct conf *conf = service->conf;
	owned(strings) struct strings ids = {0};

	for (size_t i = 0; i < conf->n_subscribers; i++)
		strings_add(&ids, span_of(conf->subscribers[i]->id));
	return store_keep_subscribers(service->store, &ids,
	                              clock_now_sec(&service->world->clock),
	                              ret_n, err);
}
