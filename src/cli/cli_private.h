#pragma once

/* Shared inside cli/. */

#include <stddef.h>

#include "cli/cli.h"
#include "service/poll.h"

/* A service_poll_fn that says each category's outcome on stderr. */
void cli_tell_poll(void *ctx, const struct service_poll_result *result);

/* How many feeds were unreachable or invalid. */
size_t cli_count_poll_failures(const struct service_poll_results *results);

/*
 * Says what getopt_long() (with a leading ':' in its short options) meant by
 * '?' or ':'; returns CLI_USAGE.
 */
int cli_bad_option(const struct cli_command *command, int c, char **argv);
