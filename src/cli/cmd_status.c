#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli_private.h"
#include "model/day.h"

#define SHOWN_DAYS 14
#define SHOWN_DELIVERIES 50
#define TIME_SIZE 32

static void print_outcome(const struct store_outcome *outcome)
{
	owned(buf) struct buf line = BUF_INIT(8192);
	char day[DAY_TEXT_SIZE];

	buf_addf(&line, "  %-32s %s  %-16s %s", outcome->of_day.name,
	         day_format(outcome->of_day.day, day),
	         outcome_name(outcome->outcome), outcome->reason);
	cli_print(buf_str(&line));
}

/* The newest outcome of each name; the list is by name, then by day. */
static void print_newest(const struct store_outcomes *outcomes,
                         enum outcome_of of)
{
	size_t n = 0;

	for (size_t i = 0; i < outcomes->n; i++) {
		const struct store_outcome *item = &outcomes->items[i];
		const struct store_outcome *next = item + 1;

		if (item->of_day.of != of ||
		    (i + 1 < outcomes->n && next->of_day.of == of &&
		     !strcmp(next->of_day.name, item->of_day.name)))
			continue;
		print_outcome(item);
		n++;
	}
	if (n == 0)
		puts("  nothing yet");
}

static int print_outcomes(struct cli *cli, struct error *err)
{
	struct store_outcomes outcomes = {0};
	int32_t today =
		(int32_t)(clock_now_sec(&cli->service.world->clock) / 86400);

	if (store_list_outcomes(cli->store, today - SHOWN_DAYS, &outcomes,
	                        err) < 0)
		return -1;
	puts("categories, last outcome of the last 14 days");
	print_newest(&outcomes, OUTCOME_OF_CATEGORY);
	puts("\nsubscribers");
	print_newest(&outcomes, OUTCOME_OF_SUBSCRIBER);
	store_outcomes_fini(&outcomes);
	return 0;
}

static const char *format_time(int64_t at, char text[TIME_SIZE])
{
	time_t seconds = at;
	struct tm local;

	localtime_r(&seconds, &local);
	strftime(text, TIME_SIZE, "%Y-%m-%d %H:%M", &local);
	return text;
}

static void print_count(const struct store_queue_counts *counts,
                        enum delivery_state state,
                        const struct store_queue_view *view)
{
	char time[TIME_SIZE];

	if (counts->n[state] == 0)
		return;
	printf("  %-12s %" PRIu64, delivery_state_name(state),
	       counts->n[state]);
	if (view->oldest_at[state] > 0)
		printf(", the oldest of %s",
		       format_time(view->oldest_at[state], time));
	putchar('\n');
}

static void print_rates(const struct store_queue_view *view, int64_t now)
{
	char time[TIME_SIZE];

	printf("  sent         %" PRIu64 " in the last hour, %" PRIu64
	       " in the last 24\n",
	       view->n_sent_hour, view->n_sent_day);
	if (view->last_words)
		printf("  last words   %s\n", view->last_words);
	if (view->next_at == 0)
		return;
	if (view->next_at <= now)
		puts("  next         now");
	else
		printf("  next         %s\n", format_time(view->next_at, time));
}

static int print_trouble(struct cli *cli, struct error *err)
{
	struct store_trouble trouble = {0};
	owned(buf) struct buf line = BUF_INIT(8192);
	int found = store_get_trouble(cli->store, &trouble, err);
	char time[TIME_SIZE];

	if (found != STORE_FOUND)
		return found < 0 ? -1 : 0;
	buf_addf(&line, "  the relay takes nothing since %s: %s",
	         format_time(trouble.since, time), trouble.words);
	cli_print(buf_str(&line));
	printf("  it is asked again at %s; 'arxmail send-now' asks at once\n",
	       format_time(trouble.next_at, time));
	store_trouble_fini(&trouble);
	return 0;
}

static int print_queue(struct cli *cli, struct error *err)
{
	int64_t now = clock_now_sec(&cli->service.world->clock);
	struct store_queue_view view = {0};
	struct store_queue_counts counts;

	if (store_count_deliveries(cli->store, &counts, err) < 0 ||
	    store_view_queue(cli->store, now, &view, err) < 0)
		return -1;
	puts("\ndeliveries");
	for (unsigned i = 0; i < DELIVERY_STATES; i++)
		print_count(&counts, (enum delivery_state)i, &view);
	print_rates(&view, now);
	store_queue_view_fini(&view);
	return print_trouble(cli, err);
}

static void print_delivery(const struct store_delivery *delivery)
{
	owned(buf) struct buf line = BUF_INIT(8192);
	char time[TIME_SIZE];

	buf_addf(&line, "  %s  %s  %s", delivery->subscriber_id,
	         format_time(delivery->created_at, time),
	         delivery_state_name(delivery->state));
	if (delivery->state == DELIVERY_DEFERRED ||
	    delivery->state == DELIVERY_UNKNOWN)
		buf_addf(&line, ", again after %s",
		         format_time(delivery->next_at, time));
	if (delivery->last_words)
		buf_addf(&line, ": %s", delivery->last_words);
	cli_print(buf_str(&line));
}

static int print_suspended(struct cli *cli, struct error *err)
{
	struct store_suspended_list list = {0};

	if (store_list_suspended(cli->store, &list, err) < 0)
		return -1;
	if (list.n > 0)
		puts("\nsuspended, until 'arxmail resume' or another address");
	for (size_t i = 0; i < list.n; i++) {
		const struct store_suspended *item = &list.items[i];
		owned(buf) struct buf line = BUF_INIT(8192);
		char time[TIME_SIZE];

		buf_addf(&line, "  %s  since %s, %s refused: %s",
		         item->subscriber_id, format_time(item->since, time),
		         item->address, item->words);
		cli_print(buf_str(&line));
	}
	store_suspended_list_fini(&list);
	return 0;
}

static int print_undelivered(struct cli *cli, struct error *err)
{
	struct store_deliveries list = {0};

	if (store_list_deliveries(cli->store, SHOWN_DELIVERIES + 1, &list,
	                          err) < 0)
		return -1;
	if (list.n > 0)
		puts("\nmails that did not arrive, newest first");
	for (size_t i = 0; i < list.n && i < SHOWN_DELIVERIES; i++)
		print_delivery(&list.items[i]);
	if (list.n > SHOWN_DELIVERIES)
		puts("  and others");
	store_deliveries_fini(&list);
	return 0;
}

static int run(const char *conf_path, int argc, char **argv)
{
	owned(cli) struct cli cli = {0};
	struct error err = {0};

	if (argc > 1)
		return cli_usage(&cli_status, "status takes no argument '%s'",
		                 argv[1]);
	if (cli_open(&cli, conf_path, STORE_READ) != CLI_DONE)
		return CLI_FAILED;
	if (print_outcomes(&cli, &err) < 0 || print_queue(&cli, &err) < 0 ||
	    print_suspended(&cli, &err) < 0 ||
	    print_undelivered(&cli, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	return CLI_DONE;
}

const struct cli_command cli_status = {
	"status",
	"",
	"Shows what became of each category, subscriber and mail.\n"
	"\n"
	"The last outcome of each with its day and reason, how many "
	"deliveries\n"
	"are in which state, and the mails that did not arrive. Needs no "
	"running\ndaemon and changes nothing.\n",
	run,
};
