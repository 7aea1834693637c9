#include "cli/cli.h"

static int resume(struct cli *cli, const struct subscriber *subscriber,
                  size_t *n_lifted)
{
	struct error err = {0};
	int rc = store_lift_suspension(cli->store, subscriber->id, &err);

	if (rc < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (rc == STORE_FOUND) {
		cli_say("%s: no longer suspended; the next digest goes to %s",
		        subscriber->id, subscriber->email);
		(*n_lifted)++;
	} else {
		cli_say("%s: was not suspended", subscriber->id);
	}
	return CLI_DONE;
}

static int run(const char *conf_path, int argc, char **argv)
{
	owned(mem) const struct subscriber **list = NULL;
	owned(cli) struct cli cli = {0};
	size_t n_lifted = 0;
	size_t n = 0;

	if (argc < 2)
		return cli_usage(&cli_resume, "resume takes an address or id");
	if (cli_open(&cli, conf_path, STORE_WRITE) != CLI_DONE ||
	    cli_find_subscribers(cli.conf, argc - 1, argv + 1, &list, &n) !=
	            CLI_DONE)
		return CLI_FAILED;
	for (size_t i = 0; i < n; i++)
		if (resume(&cli, list[i], &n_lifted) != CLI_DONE)
			return CLI_FAILED;
	return n_lifted > 0 ? CLI_DONE : CLI_FAILED;
}

const struct cli_command cli_resume = {
	"resume",
	"EMAIL...",
	"Lifts the suspension of subscribers whose address was refused.\n"
	"\n"
	"Their next digest has what was announced meanwhile, of the last 14\n"
	"days at most. 'arxmail status' lists who is suspended, and why. A\n"
	"changed address lifts a suspension by itself.\n",
	run,
};
