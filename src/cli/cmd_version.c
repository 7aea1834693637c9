#include <stdio.h>

#include "cli/cli.h"
#include "cli_private.h"
#include "digest/render.h"
#include "feed/fetch.h"
#include "feed/parser.h"
#include "llm/answer.h"
#include "mail/message.h"

static int run(const char *conf_path, int argc, char **argv)
{
	static void (*const libraries[])(struct buf *) = {
		feed_fetch_add_library, feed_parser_add_library,
		conf_add_library,       digest_add_library,
		store_add_library,      mail_add_library,
		llm_add_library,
	};

	(void)conf_path;
	if (argc > 1)
		return cli_usage(&cli_version, "version takes no argument '%s'",
		                 argv[1]);
	puts("arxmail " ARXMAIL_VERSION);
	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++) {
		owned(buf) struct buf line = BUF_INIT(200);

		libraries[i](&line);
		puts(buf_str(&line));
	}
	return CLI_DONE;
}

const struct cli_command cli_version = {
	"version",
	"",
	"Prints the versions of arxmail and of the libraries in use.\n",
	run,
};
