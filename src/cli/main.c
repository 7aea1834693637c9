#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/cli.h"

static const struct cli_command *const commands[] = {
	&cli_daemon,    &cli_check,  &cli_fetch,   &cli_send_now, &cli_preview,
	&cli_test_mail, &cli_try,    &cli_explain, &cli_status,   &cli_resume,
	&cli_summarize, &cli_bounce, &cli_backup,  &cli_version,
};

/* "+": the command's own options are not for main(). */
#define SHORT_OPTIONS "+c:h"

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Set by SIGTERM and SIGINT once a command says that it looks at it. */
static volatile sig_atomic_t is_stopped;

static void on_signal(int number)
{
	(void)number;
	is_stopped = 1;
}

void cli_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal,
	                           .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

bool cli_is_stopped(void)
{
	return is_stopped != 0;
}

/*
 * The password and the key are in no core, and in no other process of ours
 * that looks in here. LeakSanitizer is one that must.
 */
#ifdef __SANITIZE_ADDRESS__
#define IS_DUMPABLE 1
#else
#define IS_DUMPABLE 0
#endif

static void hide_memory(void)
{
	const struct rlimit no_core = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)prctl(PR_SET_DUMPABLE, IS_DUMPABLE);
}

static void print_summary(FILE *out)
{
	fputs("usage: arxmail [-c FILE] COMMAND [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++) {
		int first = (int)strcspn(commands[i]->help, "\n");

		fprintf(out, "  %-10s %.*s\n", commands[i]->name, first,
		        commands[i]->help);
	}
	fputs("\n'arxmail COMMAND --help' says more; the manual is "
	      "arxmail(1).\n",
	      out);
}

static void print_help(const struct cli_command *command)
{
	printf("usage: arxmail [-c FILE] %s%s%s\n\n%s", command->name,
	       command->usage[0] ? " " : "", command->usage, command->help);
}

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int run_command(const char *conf_path, int argc, char **argv)
{
	const struct cli_command *command = find_command(argv[0]);
	int status;

	if (!command) {
		cli_say("there is no command '%s'; 'arxmail --help' lists them",
		        argv[0]);
		return CLI_USAGE;
	}
	if (asks_for_help(argc, argv)) {
		print_help(command);
		return CLI_DONE;
	}
	status = command->run(conf_path, argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		/* A pager or head that has seen enough is no trouble. */
		if (errno == EPIPE)
			return status;
		cli_say("the results could not be written to stdout: %s",
		        strerror(errno));
		return CLI_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const char *conf_path = CONF_DEFAULT_PATH;
	int c;

	hide_memory();
	setlocale(LC_CTYPE, "C.UTF-8");
	for (c = getopt_long(argc, argv, SHORT_OPTIONS, options, NULL); c != -1;
	     c = getopt_long(argc, argv, SHORT_OPTIONS, options, NULL)) {
		switch (c) {
		case 'c':
			conf_path = optarg;
			break;
		case 'h':
			print_summary(stdout);
			return CLI_DONE;
		case 'V':
			return cli_version.run(conf_path, 0, NULL);
		default:
			print_summary(stderr);
			return CLI_USAGE;
		}
	}
	if (optind == argc) {
		print_summary(stderr);
		return CLI_USAGE;
	}
	return run_command(conf_path, argc - optind, argv + optind);
}
