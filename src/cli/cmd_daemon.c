#include "cli/cli.h"
#include "daemon/daemon.h"

static int run(const char *conf_path, int argc, char **argv)
{
	struct error err = {0};
	struct conf *conf;

	if (argc > 1)
		return cli_usage(&cli_daemon, "daemon takes no argument '%s'",
		                 argv[1]);
	daemon_block_signals();
	conf = cli_read_conf(conf_path);
	if (!conf)
		return CLI_CONFIG;
	if (cli_enter_state(conf, STORE_WRITE) != CLI_DONE) {
		conf_free(conf);
		return CLI_FAILED;
	}
	if (daemon_run(conf_path, conf, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	return CLI_DONE;
}

const struct cli_command cli_daemon = {
	"daemon",
	"",
	"Runs in the foreground: polls, composes and sends by itself.\n"
	"\n"
	"systemd starts this. SIGHUP reads the config anew, and keeps the old\n"
	"one if there is an error; SIGTERM ends it when the replies to mails\n"
	"that are already out have come. Exit status 78 for a bad config.\n",
	run,
};
