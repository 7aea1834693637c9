#include "base/num.h"
#include "cli_private.h"
#include "status_private.h"

#define USUAL_DAYS 14
#define MOST_DAYS 90

struct request {
	int (*print)(const struct status *status, struct error *err);
	uint32_t n_days;
	int n_names;
	char **names;
};

static int show(struct cli *cli, const struct request *request)
{
	owned(status) struct status status = {0};
	struct error err = {0};

	if (status_open(&status, cli, request->n_days, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (request->n_names > 0 && status_choose(&status, request->n_names,
	                                          request->names) != CLI_DONE)
		return CLI_FAILED;
	if (request->print(&status, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	return CLI_DONE;
}

/* CLI_DONE or CLI_USAGE. */
static int read_arguments(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
		{"days", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{"prometheus", no_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	uint64_t n_days = USUAL_DAYS;
	int c;

	optind = 0;
	for (c = cli_next_option(argc, argv, options); c != -1;
	     c = cli_next_option(argc, argv, options)) {
		if (c == 'j')
			request->print = status_print_json;
		else if (c == 'p')
			request->print = status_print_prometheus;
		else if (c != 'd')
			return cli_bad_option(&cli_status, c, argv);
		else if (!num_parse(span_of(optarg), 1, MOST_DAYS, &n_days))
			return cli_usage(&cli_status,
			                 "--days needs a number from 1 to %d, "
			                 "not '%s'",
			                 MOST_DAYS, optarg);
	}
	request->n_days = (uint32_t)n_days;
	request->n_names = argc - optind;
	request->names = argv + optind;
	return CLI_DONE;
}

static int run(const char *conf_path, int argc, char **argv)
{
	owned(cli) struct cli cli = {0};
	struct request request = {.print = status_print_text};
	int rc = read_arguments(argc, argv, &request);

	if (rc != CLI_DONE)
		return rc;
	if (cli_open(&cli, conf_path, STORE_READ) != CLI_DONE)
		return CLI_FAILED;
	return show(&cli, &request);
}

const struct cli_command cli_status = {
	"status",
	"[--days N] [--json] [--prometheus] [NAME...]",
	"Shows what became of each category, subscriber and mail.\n"
	"\n"
	"A table of the last 14 days, or N of up to 90, a character a day; "
	"then the reasons\n"
	"of the days that went wrong, the queue and what comes next. With "
	"NAMEs, categories\n"
	"or subscribers, only theirs, day by day. Needs no running daemon and "
	"changes nothing.\n",
	run,
};
