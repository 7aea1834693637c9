#include "service/retain.h"

#define SECONDS_PER_DAY 86400
#define SLICE_ROWS 500 /* of each kind: some milliseconds */
#define SLICES 100     /* in a run; a day brings less than one of most */

int service_retain(struct service *service, struct error *err)
{
	int64_t before = clock_now_sec(&service->world->clock) -
	                 (int64_t)service->conf->keep_days * SECONDS_PER_DAY;
	bool more = true;

	for (int i = 0; i < SLICES && more; i++)
		if (store_prune(service->store, before, SLICE_ROWS, &more,
		                err) < 0)
			return -1;
	return 0;
}
