/* What `status` shows, from the store and the config. */

#include <string.h>

#include "base/mem.h"
#include "service/poll.h"
#include "service/schedule.h"
#include "status_private.h"

/* ---- what is known ---- */

static void keep_later(int32_t *day, const char *timezone, int64_t now)
{
	owned(zone) struct zone *zone = zone_open(timezone);
	int32_t today = zone ? zone_day(zone, now) : 0;

	if (today > *day)
		*day = today;
}

static void find_next(struct status *status,
                      const struct subscriber *subscriber)
{
	owned(zone) struct zone *zone = zone_open(subscriber->timezone);
	int32_t day;
	int64_t at;

	if (!zone ||
	    slot_next(subscriber, zone, status->now, &day, &at) != SLOT_FOUND)
		return;
	if (subscriber_paused(subscriber, day) || at > status->next_at)
		return;
	if (at < status->next_at)
		status->n_next = 0;
	status->next_at = at;
	status->n_next++;
}

static void look_ahead(struct status *status)
{
	status->last_day = 0;
	status->next_at = INT64_MAX;
	keep_later(&status->last_day, DAY_NEW_YORK, status->now);
	for (size_t i = 0; i < status->n_subscribers; i++) {
		keep_later(&status->last_day, status->subscribers[i]->timezone,
		           status->now);
		find_next(status, status->subscribers[i]);
	}
}

static int read_queue(struct status *status, struct error *err)
{
	struct store *store = status->cli->store;

	if (store_count_deliveries(store, &status->counts, err) < 0 ||
	    store_view_queue(store, status->now, &status->view, err) < 0 ||
	    store_get_trouble(store, &status->trouble, err) < 0 ||
	    store_list_suspended(store, &status->suspended, err) < 0)
		return -1;
	return store_list_deliveries(store, STATUS_DELIVERIES + 1,
	                             &status->undelivered, err);
}

static int read_model(struct status *status, struct error *err)
{
	struct store *store = status->cli->store;

	if (!status->cli->conf->llm.url)
		return 0;
	if (store_get_model_trouble(store, &status->model_trouble, err) < 0)
		return -1;
	return store_get_asked(store, (int32_t)(status->now / 86400),
	                       &status->asked, err);
}

int status_open(struct status *status, struct cli *cli, uint32_t n_days,
                struct error *err)
{
	const struct conf *conf = cli->conf;

	*status = (struct status){
		.cli = cli,
		.now = clock_now_sec(&cli->service.world->clock),
		.n_days = n_days,
		.n_subscribers = conf->n_subscribers,
	};
	status->subscribers =
		mem_array(conf->n_subscribers, sizeof(*status->subscribers));
	for (size_t i = 0; i < conf->n_subscribers; i++)
		status->subscribers[i] = conf->subscribers[i];
	service_categories(conf, NULL, &status->categories);
	look_ahead(status);
	if (read_model(status, err) < 0)
		return -1;
	return read_queue(status, err);
}

void status_close(struct status *status)
{
	strings_fini(&status->categories);
	free(status->subscribers);
	store_queue_view_fini(&status->view);
	store_trouble_fini(&status->trouble);
	store_trouble_fini(&status->model_trouble);
	store_suspended_list_fini(&status->suspended);
	store_deliveries_fini(&status->undelivered);
	*status = (struct status){0};
}

int status_choose(struct status *status, int n, char **names)
{
	owned(strings) struct strings categories = {0};
	owned(mem) char **others = mem_array((size_t)n, sizeof(*others));
	int n_others = 0;

	for (int i = 0; i < n; i++) {
		if (strings_has(&status->categories, names[i]))
			strings_add(&categories, span_of(names[i]));
		else
			others[n_others++] = names[i];
	}
	free(take_ptr(status->subscribers));
	status->n_subscribers = 0;
	status->is_named = true;
	strings_fini(&status->categories);
	status->categories = categories;
	categories = (struct strings){0};
	if (n_others == 0)
		return CLI_DONE;
	return cli_find_subscribers(status->cli->conf, n_others, others,
	                            &status->subscribers,
	                            &status->n_subscribers);
}

/* ---- rows ---- */

static int visit_row(const struct status *status, struct status_row *row,
                     status_visit_fn visit, void *ctx, struct error *err)
{
	const struct store_day since = {row->of, row->name,
	                                status->last_day -
	                                        (int32_t)status->n_days + 1};
	int rc = store_list_outcomes_of(status->cli->store, &since,
	                                &row->outcomes, err);

	if (rc == 0)
		rc = visit(ctx, row, err);
	store_outcomes_fini(&row->outcomes);
	return rc;
}

int status_each(const struct status *status, enum outcome_of of,
                status_visit_fn visit, void *ctx, struct error *err)
{
	size_t n = of == OUTCOME_OF_CATEGORY ? status->categories.n
	                                     : status->n_subscribers;

	for (size_t i = 0; i < n; i++) {
		struct status_row row = {.of = of};

		if (of == OUTCOME_OF_SUBSCRIBER)
			row.subscriber = status->subscribers[i];
		row.name = row.subscriber ? row.subscriber->id
		                          : status->categories.items[i];
		if (visit_row(status, &row, visit, ctx, err) < 0)
			return -1;
	}
	return 0;
}

const struct store_outcome *status_newest(const struct status_row *row)
{
	return row->outcomes.n > 0 ? &row->outcomes.items[row->outcomes.n - 1]
	                           : NULL;
}

bool status_is_trouble(const struct store_outcome *outcome)
{
	switch (outcome->outcome) {
	case OUTCOME_STALE:
	case OUTCOME_UNREACHABLE:
	case OUTCOME_INVALID:
	case OUTCOME_WAITING:
	case OUTCOME_DEFERRED:
	case OUTCOME_HELD:
	case OUTCOME_FAILED:
	case OUTCOME_SUSPENDED:
		return true;
	default:
		return false;
	}
}

bool status_is_done(enum delivery_state state)
{
	return state == DELIVERY_SENT || state == DELIVERY_SUPERSEDED ||
	       state == DELIVERY_CANCELLED;
}
