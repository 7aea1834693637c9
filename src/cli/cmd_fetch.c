#include <getopt.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli_private.h"
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

static int run(const char *conf_path, int argc, char **argv)
{
	static const struct option options[] = {
		{"since", required_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	owned(cli) struct cli cli = {0};
	int c;

	optind = 0;
	for (c = cli_next_option(argc, argv, options); c != -1;
	     c = cli_next_option(argc, argv, options)) {
		if (c == 's')
			return cli_usage(&cli_fetch,
			                 "--since is not there yet: past days "
			                 "cannot be recovered in this version");
		return cli_bad_option(&cli_fetch, c, argv);
	}
	if (optind < argc)
		return cli_usage(&cli_fetch, "fetch takes no argument '%s'",
		                 argv[optind]);
	if (cli_open(&cli, conf_path, STORE_WRITE) != CLI_DONE)
		return CLI_FAILED;
	return fetch_all(&cli);
}

const struct cli_command cli_fetch = {
	"fetch",
	"",
	"Polls the feeds of all subscribers' categories now.\n"
	"\n"
	"Trouble is said on stderr; on a terminal, each category's outcome. "
	"Papers are stored; no\n"
	"mail is sent. Exit status 3 if some of the feeds failed, 1 if all "
	"did.\n",
	run,
};
