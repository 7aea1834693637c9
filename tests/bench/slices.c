/*
 * slices CONFIG: how long the pieces of composing keep the loop, in CPU time:
 * the steps to a composer for all subscribers, and a slice of them matched and
 * queued.
 */

#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "service/compose.h"

#define SLICE 200

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The last `n` subscribers; the caller frees the list. */
static const struct subscriber **list_last(const struct service *service,
                                           size_t n)
{
	const struct conf *conf = service->conf;
	const struct subscriber **list = mem_array(n, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i] = conf->subscribers[conf->n_subscribers - n + i];
	return list;
}

/* The steps to a composer; the longest of them below 0: one failed. */
struct steps {
	double longest_ms;
	double sum_ms;
};

static struct steps time_composer(struct service *service, size_t n,
                                  struct error *err)
{
	owned(mem) const struct subscriber **list = list_last(service, n);
	owned(service_composer) struct service_composer *composer =
		service_composer_begin(service, list, n);
	struct steps steps = {0};
	int rc = COMPOSER_MORE;

	while (rc == COMPOSER_MORE) {
		double begin = now_ms();
		double ms;

		rc = service_composer_go_on(composer, err);
		ms = now_ms() - begin;
		steps.sum_ms += ms;
		if (ms > steps.longest_ms)
			steps.longest_ms = ms;
	}
	if (rc < 0)
		steps.longest_ms = -1;
	return steps;
}

static double time_queue(struct service *service, size_t n, struct error *err)
{
	owned(mem) const struct subscriber **list = list_last(service, n);
	const struct service_queue_job job = {.subscribers = list, .n = n};
	struct service_queue_counts counts;
	double begin = now_ms();

	if (service_queue(service, &job, &counts, err) < 0)
		return -1;
	return now_ms() - begin;
}

static int run(struct service *service, struct error *err)
{
	size_t n = service->conf->n_subscribers;
	size_t n_slice = n < SLICE ? n : SLICE;
	struct steps all = time_composer(service, n, err);
	struct steps few = time_composer(service, n_slice, err);
	double queued_ms = time_queue(service, n_slice, err);

	if (all.longest_ms < 0 || few.longest_ms < 0 || queued_ms < 0)
		return -1;
	printf("slices: a composer for %zu subscribers %.1f ms, the longest "
	       "step %.1f ms; %zu digests queued %.1f ms\n",
	       n, all.sum_ms, all.longest_ms, n_slice, queued_ms - few.sum_ms);
	return 0;
}

int main(int argc, char **argv)
{
	owned(conf) struct conf *conf = NULL;
	owned(store) struct store *store = NULL;
	owned(conf_report) struct conf_report report = {0};
	struct service_world world = {.clock = clock_real()};
	struct service service = {.world = &world};
	struct error err = {.message = "the config is not valid"};

	if (argc < 2 || conf_load(&conf, argv[1], &report, &err) != 0 ||
	    store_open(&store, conf->state_dir, STORE_WRITE, &err) < 0) {
		fprintf(stderr, "slices: %s\n", err.message);
		return 1;
	}
	service.conf = conf;
	service.store = store;
	if (run(&service, &err) < 0) {
		fprintf(stderr, "slices: %s\n", err.message);
		return 1;
	}
	return 0;
}
