#pragma once

/*
 * What the commands share: arguments, the config, the state folder, exit
 * statuses. Sentences for people go to stderr, results to stdout.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/owned.h"
#include "conf/conf.h"
#include "daemon/world.h"
#include "service/world.h"
#include "store/store.h"

enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_PARTLY = 3,     /* something was deferred, held or failed */
	CLI_TRY_AGAIN = 75, /* a bounce's, for its pipe: EX_TEMPFAIL */
	CLI_CONFIG = 78, /* the daemon's, for systemd: sysexits.h EX_CONFIG */
};

/* One command: its name, what main() says about it, and itself. */
struct cli_command {
	const char *name;
	const char *usage; /* arguments, as in the manual */
	const char *help;  /* sentences for --help */
	/* argv[0] is the command's name. Returns an exit status. */
	int (*run)(const char *conf_path, int argc, char **argv);
};

extern const struct cli_command cli_daemon;
extern const struct cli_command cli_check;
extern const struct cli_command cli_fetch;
extern const struct cli_command cli_send_now;
extern const struct cli_command cli_preview;
extern const struct cli_command cli_test_mail;
extern const struct cli_command cli_try;
extern const struct cli_command cli_explain;
extern const struct cli_command cli_status;
extern const struct cli_command cli_resume;
extern const struct cli_command cli_summarize;
extern const struct cli_command cli_bounce;
extern const struct cli_command cli_backup;
extern const struct cli_command cli_version;

/* One line on stderr, `arxmail: …`, control characters replaced. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says it, and where the usage is; returns CLI_USAGE. */
int cli_usage(const struct cli_command *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A line of others' text on stdout, and a part of one. */
void cli_print(const char *text);
void cli_print_part(struct span text);

/*
 * From now on the first SIGTERM or SIGINT makes cli_is_stopped() true and a
 * second one ends the program.
 */
void cli_catch_signals(void);
bool cli_is_stopped(void);

/* What a command works with, from cli_open(). */
struct cli {
	struct conf *conf;
	struct store *store;
	struct world *world;
	struct digest_cache *cache;
	struct service service;
};

void cli_close(struct cli *cli);

static inline void owned_release_cli(struct cli *cli)
{
	cli_close(cli);
}

/*
 * Reads the config and says every error in it; warnings are in `report`.
 * CLI_DONE, or CLI_FAILED when there is an error.
 */
int cli_load_conf(const char *path, struct conf_report *report,
                  struct conf **ret_conf);

/* The same for who leaves the warnings to 'arxmail check'; NULL: failed. */
struct conf *cli_read_conf(const char *path);

/* Lines that name what they are about, as they are. */
void cli_say_lines(const struct strings *lines);

/*
 * Makes the process fit for the state folder: root becomes its owner for
 * good; nobody but root's own folder makes root stay root, with a warning. A
 * folder that is missing is created, but never by root. With STORE_READ
 * nothing is created. CLI_DONE or CLI_FAILED, said.
 */
int cli_enter_state(const struct conf *conf, enum store_mode mode);

/*
 * All of it: config, state folder, database, world. CLI_DONE, or CLI_FAILED
 * with the reason said.
 */
int cli_open(struct cli *cli, const char *conf_path, enum store_mode mode);

/* The same for a config that is loaded; takes `conf`, also on failure. */
int cli_open_loaded(struct cli *cli, struct conf *conf, enum store_mode mode);

/*
 * The subscribers whose ids or addresses are given, or all if `n` is 0.
 * *ret_list is the caller's; CLI_FAILED, said, if one is unknown.
 */
int cli_find_subscribers(const struct conf *conf, int n, char **names,
                         const struct subscriber ***ret_list, size_t *ret_n);
