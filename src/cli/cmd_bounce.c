#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/cli.h"
#include "service/bounce.h"

#define CHUNK_BYTES 65536

/*
 * To its end, so that who writes to us is not cut off. What is beyond the
 * limit is dropped: `mail` has failed then.
 */
static int read_mail(struct buf *mail)
{
	char chunk[CHUNK_BYTES];
	ssize_t n = 1;

	while (n > 0 || (n < 0 && errno == EINTR)) {
		n = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (n > 0)
			buf_add(mail, chunk, (size_t)n);
	}
	if (n == 0)
		return CLI_DONE;
	cli_say("the bounce cannot be read from stdin: %s", strerror(errno));
	return CLI_TRY_AGAIN;
}

static int run(const char *conf_path, int argc, char **argv)
{
	owned(buf) struct buf mail = BUF_INIT(LIMIT_BOUNCE_BYTES);
	owned(cli) struct cli cli = {0};
	struct error err = {0};

	if (argc > 1)
		return cli_usage(&cli_bounce,
		                 "bounce takes no argument '%s': the mail is "
		                 "read from stdin",
		                 argv[1]);
	if (read_mail(&mail) != CLI_DONE)
		return CLI_TRY_AGAIN;
	if (mail.failed) {
		cli_say("bounce: ignored: it has more than %u bytes",
		        LIMIT_BOUNCE_BYTES);
		return CLI_DONE;
	}
	if (cli_open(&cli, conf_path, STORE_WRITE) != CLI_DONE)
		return CLI_TRY_AGAIN;
	if (service_bounce(&cli.service, buf_span(&mail), &err) < 0) {
		cli_say("%s", err.message);
		return CLI_TRY_AGAIN;
	}
	return CLI_DONE;
}

const struct cli_command cli_bounce = {
	"bounce",
	"<MAIL",
	"Counts a mail that came back against the address that refused it.\n"
	"\n"
	"Reads one delivery status notification from stdin, as from an\n"
	"alias's pipe. Three digests in a row that an address refuses suspend\n"
	"the subscriber until 'arxmail resume'. Everything else is ignored,\n"
	"with a line that says why. Exits with 75 if it is to be tried "
	"again.\n",
	run,
};
