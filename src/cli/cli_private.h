#pragma once

/* Shared inside cli/. */

#include <stddef.h>

#include <getopt.h>

#include "cli/cli.h"
#include "llm/client.h"
#include "service/poll.h"

/* A service_poll_fn that says each category's outcome on stderr. */
void cli_tell_poll(void *ctx, const struct service_poll_result *result);

/*
 * Asks the model one question and waits for its answer. CLI_DONE and what it
 * wrote, the caller's, or CLI_FAILED, said. A fault is said, too, and is the
 * caller's if *ret_fault is not NULL.
 */
int cli_ask_model(const struct service *service,
                  const struct llm_question *question,
                  struct paper_words *ret_words, char **ret_fault);

/* What it wrote, a line each, on stdout. */
void cli_print_words(const struct paper_words *words);

/* How many feeds were unreachable or invalid. */
size_t cli_count_poll_failures(const struct service_poll_results *results);

/*
 * The next long option among a command's arguments, by getopt_long(): its
 * value, ':' or '?' (see cli_bad_option()), or -1 at the end, when optind is
 * the first argument. Set optind to 0 before the first call.
 */
int cli_next_option(int argc, char **argv, const struct option *options);

/* Says what was meant by '?' or ':'; returns CLI_USAGE. */
int cli_bad_option(const struct cli_command *command, int c, char **argv);

/* What is done with a digest; returns an exit status. */
typedef int (*cli_digest_fn)(struct cli *cli,
                             const struct subscriber *subscriber,
                             struct digest *digest, void *ctx);

/*
 * The subscriber's next digest as it would be, or the last one that was made,
 * with what a model wrote. Where there is none, it says why, and what to do.
 */
int cli_with_digest(struct cli *cli, const struct subscriber *subscriber,
                    bool last, cli_digest_fn use, void *ctx);
