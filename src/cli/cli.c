#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli_private.h"

#define LINE_MAX_BYTES 8192U

/* Rendered papers: a thousand with a few sets of marks each. */
#define CACHE_BYTES (32U * LIMIT_MIB)

static void write_line(FILE *out, const char *prefix, struct span text)
{
	owned(buf) struct buf line = BUF_INIT(3 * LINE_MAX_BYTES);

	buf_add_terminal(&line, span_first(text, LINE_MAX_BYTES));
	fprintf(out, "%s%s\n", prefix, buf_str(&line));
}

__attribute__((format(printf, 1, 0))) static void vsay(const char *fmt,
                                                       va_list args)
{
	owned(buf) struct buf text = BUF_INIT(LINE_MAX_BYTES);

	buf_addv(&text, fmt, args);
	write_line(stderr, "arxmail: ", buf_span(&text));
}

void cli_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay(fmt, args);
	va_end(args);
}

int cli_usage(const struct cli_command *command, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay(fmt, args);
	va_end(args);
	fprintf(stderr, "usage: arxmail [-c FILE] %s%s%s\n", command->name,
	        command->usage[0] ? " " : "", command->usage);
	return CLI_USAGE;
}

void cli_print(const char *text)
{
	write_line(stdout, "", span_of(text));
}

void cli_print_part(struct span text)
{
	owned(buf) struct buf part = BUF_INIT(SIZE_MAX);

	buf_add_terminal(&part, text);
	fputs(buf_str(&part), stdout);
}

void cli_close(struct cli *cli)
{
	world_close(cli->world);
	digest_cache_free(cli->cache);
	store_close(cli->store);
	conf_free(cli->conf);
	*cli = (struct cli){0};
}

/* ---- the config ---- */

void cli_say_lines(const struct strings *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		write_line(stderr, "", span_of(lines->items[i]));
}

int cli_load_conf(const char *path, struct conf_report *report,
                  struct conf **ret_conf)
{
	struct error err = {0};
	int outcome = conf_load(ret_conf, path, report, &err);

	cli_say_lines(&report->errors);
	if (outcome == CONF_VALID)
		return CLI_DONE;
	if (outcome < 0)
		cli_say("%s", err.message);
	else
		cli_say("%s: %zu error%s; nothing was done", path,
		        report->errors.n, report->errors.n == 1 ? "" : "s");
	return CLI_FAILED;
}

struct conf *cli_read_conf(const char *path)
{
	owned(conf_report) struct conf_report report = {0};
	struct conf *conf = NULL;

	return cli_load_conf(path, &report, &conf) == CLI_DONE ? conf : NULL;
}

/* ---- the state folder ---- */

/* For good: the saved ids go, too, so that there is no way back. */
static int become(const char *dir, const struct stat *owner)
{
	const struct passwd *entry = getpwuid(owner->st_uid);
	gid_t gid = entry ? entry->pw_gid : owner->st_gid;
	int groups =
		entry ? initgroups(entry->pw_name, gid) : setgroups(0, NULL);

	if (groups || setresgid(gid, gid, gid) ||
	    setresuid(owner->st_uid, owner->st_uid, owner->st_uid)) {
		cli_say("state_dir %s: cannot become its owner (user id %u): "
		        "%s",
		        dir, owner->st_uid, strerror(errno));
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static int enter_as_root(const char *dir)
{
	struct stat owner;

	if (stat(dir, &owner)) {
		cli_say("state_dir %s: %s; root does not create it: run "
		        "'install -d -o arxmail -g arxmail -m 0750 %s', with "
		        "the name of the user that arxmail is to run as",
		        dir, strerror(errno), dir);
		return CLI_FAILED;
	}
	if (owner.st_uid == 0) {
		cli_say("warning: state_dir %s belongs to root, so arxmail "
		        "runs as root; give it to a user of its own",
		        dir);
		return CLI_DONE;
	}
	return become(dir, &owner);
}

int cli_enter_state(const struct conf *conf, enum store_mode mode)
{
	const char *dir = conf->state_dir;

	if (geteuid() == 0)
		return enter_as_root(dir);
	if (mode == STORE_WRITE && mkdir(dir, 0700) && errno != EEXIST) {
		cli_say("state_dir %s: cannot be created: %s", dir,
		        strerror(errno));
		return CLI_FAILED;
	}
	if (access(dir, mode == STORE_WRITE ? W_OK | X_OK : X_OK)) {
		cli_say("state_dir %s: %s: run this as its owner or as root",
		        dir, strerror(errno));
		return CLI_FAILED;
	}
	return CLI_DONE;
}

int cli_open_loaded(struct cli *cli, struct conf *conf, enum store_mode mode)
{
	struct error err = {0};

	cli->conf = conf;
	if (cli_enter_state(conf, mode) != CLI_DONE)
		return CLI_FAILED;
	if (store_open(&cli->store, conf->state_dir, mode, &err) < 0 ||
	    world_open(&cli->world, conf,
	               mode == STORE_WRITE ? conf->state_dir : NULL,
	               &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	cli->cache = digest_cache_new(CACHE_BYTES);
	cli->service = (struct service){.conf = cli->conf,
	                                .store = cli->store,
	                                .world = world_service(cli->world),
	                                .cache = cli->cache};
	return CLI_DONE;
}

int cli_open(struct cli *cli, const char *conf_path, enum store_mode mode)
{
	struct conf *conf = cli_read_conf(conf_path);

	return conf ? cli_open_loaded(cli, conf, mode) : CLI_FAILED;
}

/* ---- subscribers ---- */

int cli_find_subscribers(const struct conf *conf, int n, char **names,
                         const struct subscriber ***ret_list, size_t *ret_n)
{
	size_t n_list = n > 0 ? (size_t)n : conf->n_subscribers;
	owned(mem) const struct subscriber **list =
		mem_array(n_list, sizeof(struct subscriber *));

	for (size_t i = 0; i < n_list; i++) {
		list[i] = n > 0 ? conf_find_subscriber(conf, names[i])
		                : conf->subscribers[i];
		if (!list[i]) {
			cli_say("%s: the config has no subscriber with this "
			        "id or address",
			        names[i]);
			return CLI_FAILED;
		}
	}
	*ret_list = take_ptr(list);
	*ret_n = n_list;
	return CLI_DONE;
}

int cli_next_option(int argc, char **argv, const struct option *options)
{
	opterr = 0;
	return getopt_long(argc, argv, ":", options, NULL);
}

int cli_bad_option(const struct cli_command *command, int c, char **argv)
{
	/* A long option is the one before optind, a short one is optopt. */
	if (c == ':')
		return cli_usage(command, "%s needs a value", argv[optind - 1]);
	return cli_usage(command, "%s has no option %s", command->name,
	                 argv[optind - 1]);
}
