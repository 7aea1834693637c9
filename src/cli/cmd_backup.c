#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli_private.h"

#define CHUNK_BYTES (1U << 20)

/* A new file, opened before root becomes somebody else. */
static int create_output(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		cli_say("%s: cannot create: %s", path, strerror(errno));
	return fd;
}

static int copy_all(const char *path, int to)
{
	owned(fd) int from = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = from < 0 ? -1 : 1;

	while (n > 0)
		n = sendfile(to, from, NULL, CHUNK_BYTES);
	return n < 0 || fsync(to) ? -1 : 0;
}

/*
 * By way of a file in the state folder: SQLite opens its files by name, and
 * the owner of the state folder may not write where root wants the copy.
 */
static int back_up(struct cli *cli, const char *path, int fd)
{
	owned(mem) char *beside = mem_printf(
		"%s/backup.%ld", cli->conf->state_dir, (long)getpid());
	struct error err = {0};
	int rc = store_backup(cli->store, beside, &err);

	if (rc < 0) {
		cli_say("%s", err.message);
		unlink(beside);
		return CLI_FAILED;
	}
	rc = copy_all(beside, fd);
	if (rc < 0)
		cli_say("%s: cannot write: %s", path, strerror(errno));
	unlink(beside);
	return rc < 0 ? CLI_FAILED : CLI_DONE;
}

static int run(const char *conf_path, int argc, char **argv)
{
	owned(cli) struct cli cli = {0};
	owned(fd) int fd = -1;
	struct conf *conf;

	if (argc != 2)
		return cli_usage(&cli_backup, "backup takes one file");
	conf = cli_read_conf(conf_path);
	if (!conf)
		return CLI_FAILED;
	fd = create_output(argv[1]);
	if (fd < 0) {
		conf_free(conf);
		return CLI_FAILED;
	}
	if (cli_open_loaded(&cli, conf, STORE_READ) != CLI_DONE ||
	    back_up(&cli, argv[1], fd) != CLI_DONE) {
		/* Nobody may take an empty file for a backup. */
		unlink(argv[1]);
		return CLI_FAILED;
	}
	printf("%s: a copy of the database\n", argv[1]);
	return CLI_DONE;
}

const struct cli_command cli_backup = {
	"backup",
	"FILE",
	"Copies the database to a new file, also while arxmail runs.\n"
	"\n"
	"To restore it, stop arxmail and put FILE in place of\n"
	"STATE_DIR/arxmail.db, without the files -wal and -shm beside it.\n"
	"Mails in it that are older than a day may have been sent since and\n"
	"are held: see send-now in arxmail(1).\n",
	run,
};
