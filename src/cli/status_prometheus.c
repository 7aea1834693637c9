/*
 * `status --prometheus`: the text exposition format, for node_exporter's
 * textfile collector. No label names a subscriber.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */

#include <inttypes.h>

#include "status_private.h"

struct sums {
	size_t n[OUTCOMES];
	size_t n_unknown;
};

static void head(const char *name, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void print_number(const char *name, const char *help, uint64_t n)
{
	head(name, help);
	printf("%s %" PRIu64 "\n", name, n);
}

static int add_newest(void *ctx, const struct status_row *row,
                      struct error *err)
{
	const struct store_outcome *newest = status_newest(row);
	struct sums *sums = ctx;

	(void)err;
	if (newest)
		sums->n[newest->outcome]++;
	else
		sums->n_unknown++;
	return 0;
}

static bool is_of(enum outcome outcome, enum outcome_of of)
{
	return (outcome < OUTCOME_SENT) == (of == OUTCOME_OF_CATEGORY);
}

static int print_sums(const struct status *status, enum outcome_of of,
                      const char *name, const char *help, struct error *err)
{
	struct sums sums = {0};

	if (status_each(status, of, add_newest, &sums, err) < 0)
		return -1;
	head(name, help);
	for (unsigned i = 0; i < OUTCOMES; i++)
		if (is_of((enum outcome)i, of))
			printf("%s{outcome=\"%s\"} %zu\n", name,
			       outcome_name((enum outcome)i), sums.n[i]);
	printf("%s{outcome=\"unknown\"} %zu\n", name, sums.n_unknown);
	return 0;
}

/* Category names are arXiv's, checked with the config: nothing to escape. */
static int print_last_batch(void *ctx, const struct status_row *row,
                            struct error *err)
{
	(void)ctx;
	(void)err;
	for (size_t i = row->outcomes.n; i > 0; i--) {
		const struct store_outcome *item = &row->outcomes.items[i - 1];

		if (item->outcome != OUTCOME_FRESH &&
		    item->outcome != OUTCOME_PARTIAL)
			continue;
		printf("arxmail_category_last_batch_timestamp_seconds"
		       "{category=\"%s\"} %" PRId64 "\n",
		       row->name, item->at);
		break;
	}
	return 0;
}

static void print_deliveries(const struct status *status)
{
	head("arxmail_deliveries",
	     "Deliveries by state, less those that are done with.");
	for (unsigned i = 0; i < DELIVERY_STATES; i++)
		if (!status_is_done((enum delivery_state)i))
			printf("arxmail_deliveries{state=\"%s\"} %" PRIu64 "\n",
			       delivery_state_name((enum delivery_state)i),
			       status->counts.n[i]);
	print_number("arxmail_sent_last_day",
	             "Mails that the relay accepted in the last 24 hours.",
	             status->view.n_sent_day);
	print_number("arxmail_relay_trouble",
	             "1 while the relay takes nothing.",
	             status->trouble.since > 0);
	if (status->cli->conf->llm.url) {
		print_number("arxmail_model_trouble",
		             "1 while the language model is in trouble.",
		             status->model_trouble.since > 0);
		print_number("arxmail_model_tokens_today",
		             "Tokens of the language model, today (UTC).",
		             status->asked.n_tokens);
	}
	print_number("arxmail_suspended_subscribers",
	             "Subscribers whose address was refused too often.",
	             status->suspended.n);
}

int status_print_prometheus(const struct status *status, struct error *err)
{
	if (print_sums(status, OUTCOME_OF_CATEGORY, "arxmail_categories",
	               "Categories by their newest outcome.", err) < 0 ||
	    print_sums(status, OUTCOME_OF_SUBSCRIBER, "arxmail_subscribers",
	               "Subscribers by their newest outcome.", err) < 0)
		return -1;
	head("arxmail_category_last_batch_timestamp_seconds",
	     "When the category's newest batch came.");
	if (status_each(status, OUTCOME_OF_CATEGORY, print_last_batch, NULL,
	                err) < 0)
		return -1;
	print_deliveries(status);
	if (status->next_at < INT64_MAX)
		print_number("arxmail_next_digests_timestamp_seconds",
		             "When the next digests are due.",
		             (uint64_t)status->next_at);
	print_number("arxmail_status_timestamp_seconds", "When this was read.",
	             (uint64_t)status->now);
	return 0;
}
