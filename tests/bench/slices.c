/*
 * slices CONFIG: how long the slices of queueing keep the loop, in CPU time.
 */

#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "service/compose.h"

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The longest slice of queueing for all of them; the batch's steps are, too. */
static int run(struct service *service, struct error *err)
{
	const struct conf *conf = service->conf;
	owned(queue_run) struct service_queue_run *run = service_queue_begin(
		service,
		&(struct service_queue_job){
			.subscribers = (const struct subscriber *const *)
	                                       conf->subscribers,
			.n = conf->n_subscribers,
		});
	double sum_ms = 0;
	double longest_ms = 0;
	int state = QUEUE_MORE;

	while (state == QUEUE_MORE) {
		double begin = now_ms();
		double ms;

		state = service_queue_slice(run, err);
		ms = now_ms() - begin;
		sum_ms += ms;
		if (ms > longest_ms)
			longest_ms = ms;
	}
	if (state < 0)
		return -1;
	printf("slices: %zu subscribers composed for and queued in %.0f ms of "
	       "CPU time, the longest slice %.1f ms\n",
	       service_queue_counts(run).n_queued, sum_ms, longest_ms);
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
