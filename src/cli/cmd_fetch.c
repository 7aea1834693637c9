#include <getopt.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli_private.h"
#include "model/day.h"
#include "service/recover.h"
#include "service/retain.h"

void cli_tell_poll(void *ctx, const struct service_poll_result *result)
{
	bool is_fine = result->outcome == OUTCOME_FRESH ||
	               result->outcome == OUTCOME_NO_ANNOUNCEMENT;

	(void)ctx;
	/* cron mails what is on stderr: that is for trouble. */
	if (is_fine && result->n_skipped == 0 && !isatty(STDERR_FILENO))
		return;
	cli_say("%s: %s: %s", result->category, outcome_name(result->outcome),
	        result->reason);
}

size_t cli_count_poll_failures(const struct service_poll_results *results)
{
	size_t n = 0;

	for (size_t i = 0; i < results->n; i++)
		n += results->items[i].outcome == OUTCOME_UNREACHABLE ||
		     results->items[i].outcome == OUTCOME_INVALID;
	return n;
}

/* ---- days that were missed ---- */

struct recovered {
	size_t n_papers;
	size_t n_failed;
	size_t n_done;
};

static void on_recovered(void *ctx, const struct service_recover_result *result)
{
	struct recovered *recovered = ctx;

	recovered->n_papers += result->n_papers;
	recovered->n_failed += result->end == RECOVER_FAILED;
	recovered->n_done += result->end == RECOVER_DONE;
	if (result->end != RECOVER_DONE || isatty(STDERR_FILENO))
		cli_say("%s: catching up: %s", result->category,
		        result->reason);
}

static int recover(struct cli *cli, int32_t since_day)
{
	owned(strings) struct strings categories = {0};
	struct recovered recovered = {0};
	const struct service_recover_events events = {on_recovered, &recovered};
	struct error err = {0};
	int rc;

	service_categories(cli->conf, NULL, &categories);
	rc = service_recover(&cli->service, &categories, since_day, &events,
	                     &err);
	if (rc < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (rc == SERVICE_RECOVER_NO_DAY) {
		cli_say("nothing to recover: arXiv has announced nothing "
		        "between that day and today");
		return CLI_DONE;
	}
	printf("%zu paper%s recovered of %zu categor%s; replacements are not\n",
	       recovered.n_papers, recovered.n_papers == 1 ? "" : "s",
	       recovered.n_done, recovered.n_done == 1 ? "y" : "ies");
	if (recovered.n_failed == 0)
		return CLI_DONE;
	return recovered.n_done > 0 ? CLI_PARTLY : CLI_FAILED;
}

/* ---- today's feeds ---- */

static int fetch_all(struct cli *cli)
{
	owned(poll_results) struct service_poll_results results = {0};
	owned(strings) struct strings categories = {0};
	const struct service_poll_events events = {cli_tell_poll, NULL};
	struct error err = {0};
	size_t n_new = 0;
	size_t n_failed;

	service_categories(cli->conf, NULL, &categories);
	if (service_poll(&cli->service, &categories, &events, &results, &err) <
	            0 ||
	    service_retain(&cli->service, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	for (size_t i = 0; i < results.n; i++)
		n_new += results.items[i].n_new;
	n_failed = cli_count_poll_failures(&results);
	printf("%zu new announcement%s from %zu feed%s\n", n_new,
	       n_new == 1 ? "" : "s", results.n - n_failed,
	       results.n - n_failed == 1 ? "" : "s");
	if (n_failed == 0)
		return CLI_DONE;
	return n_failed < results.n ? CLI_PARTLY : CLI_FAILED;
}

/* One of two that failed makes both done in part. */
static int combine(int a, int b)
{
	return a == b ? a : CLI_PARTLY;
}

/* The days before today first: what is in today's feed is left to it. */
static int fetch(const char *conf_path, int32_t since_day)
{
	owned(cli) struct cli cli = {0};
	int rc;

	if (cli_open(&cli, conf_path, STORE_WRITE) != CLI_DONE)
		return CLI_FAILED;
	if (since_day == 0)
		return fetch_all(&cli);
	rc = recover(&cli, since_day);
	return combine(rc, fetch_all(&cli));
}

static int run(const char *conf_path, int argc, char **argv)
{
	static const struct option options[] = {
		{"since", required_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	int32_t since_day = 0;
	int c;

	optind = 0;
	for (c = cli_next_option(argc, argv, options); c != -1;
	     c = cli_next_option(argc, argv, options)) {
		if (c != 's')
			return cli_bad_option(&cli_fetch, c, argv);
		if (!day_parse(span_of(optarg), &since_day) || since_day == 0)
			return cli_usage(&cli_fetch,
			                 "--since needs a date like "
			                 "2026-09-22, not '%s'",
			                 optarg);
	}
	if (optind < argc)
		return cli_usage(&cli_fetch, "fetch takes no argument '%s'",
		                 argv[optind]);
	return fetch(conf_path, since_day);
}

const struct cli_command cli_fetch = {
	"fetch",
	"[--since DATE]",
	"Polls the feeds of all subscribers' categories now.\n"
	"\n"
	"With --since, papers that were announced from that day on and "
	"missed are asked of\n"
	"arXiv's archive before, of the last 14 days at most; replacements "
	"are not.\n"
	"\n"
	"Trouble is said on stderr; on a terminal, each category's outcome. "
	"Papers are stored; no\n"
	"mail is sent. Exit status 3 if some of it failed, 1 if all did.\n",
	run,
};
