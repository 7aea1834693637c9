#include "base/limits.h"
#include "base/mem.h"
#include "cli_private.h"
#include "mail/address.h"
#include "mail/message.h"
#include "service/courier.h"
#include "service/letter.h"

#define SUBJECT "\r\nSubject: "
#define MARK "[test] "

struct wish {
	const char *address;
	const char *as; /* NULL: the first subscriber */
	bool last;
};

/* Field bodies may begin with any words; the next line is folded as it was. */
static void mark(struct buf *out, struct span message)
{
	size_t at = span_find(message, SUBJECT);

	if (at < message.len)
		at += strlen(SUBJECT);
	buf_add_span(out, span_first(message, at));
	buf_add_str(out, MARK);
	buf_add_span(out, span_skip(message, at));
}

/* The digest as the subscriber would get it, but to the address. */
static int write_message(const struct cli *cli, const struct subscriber *reader,
                         struct digest *digest, struct buf *out,
                         struct error *err)
{
	owned(buf) struct buf message = BUF_INIT(LIMIT_MESSAGE_BYTES);

	free(digest->message_id);
	digest->message_id = mail_new_message_id(&cli->conf->sender);
	digest->created_at = clock_now_sec(&cli->service.world->clock);
	if (service_write_letter(&cli->service, reader, digest, &message, err) <
	    0)
		return -1;
	mark(out, buf_span(&message));
	return 0;
}

static int send(struct cli *cli, const struct smtp_letter *letter,
                struct smtp_outcome *ret_outcome, struct error *err)
{
	struct service_world *world = cli->service.world;
	owned(courier) struct courier *courier = NULL;

	if (courier_open(&courier, &cli->service, letter, err) < 0)
		return -1;
	while (!courier_outcome(courier))
		if (world->wait(world->ctx, INT64_MAX, err) < 0)
			return -1;
	*ret_outcome = *courier_outcome(courier);
	return 0;
}

static int mail_digest(struct cli *cli, const struct subscriber *subscriber,
                       struct digest *digest, void *ctx)
{
	const struct wish *wish = ctx;
	owned(buf) struct buf message = BUF_INIT(LIMIT_MESSAGE_BYTES);
	owned(mem) char *address = mem_dup(wish->address);
	owned(mem) char *to = NULL;
	struct subscriber reader = *subscriber;
	struct smtp_letter letter = {.from = cli->conf->sender.from.address};
	struct smtp_outcome outcome = {0};
	struct error err = {0};

	reader.email = address;
	if (write_message(cli, &reader, digest, &message, &err) < 0 ||
	    mail_address_for_smtp(&to, span_of(wish->address), &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	letter.to = to;
	letter.message = buf_span(&message);
	if (send(cli, &letter, &outcome, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (outcome.verdict != SMTP_SENT) {
		cli_say("%s: %s", wish->address, outcome.sentence);
		return CLI_FAILED;
	}
	printf("sent: the digest of %s, %zu papers, to ", subscriber->id,
	       digest->n_entries);
	cli_print(wish->address);
	return CLI_DONE;
}

/* CLI_DONE or CLI_USAGE. */
static int read_arguments(int argc, char **argv, struct wish *wish)
{
	static const struct option options[] = {
		{"as", required_argument, NULL, 'a'},
		{"last", no_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	struct error err = {0};
	int c;

	optind = 0;
	for (c = cli_next_option(argc, argv, options); c != -1;
	     c = cli_next_option(argc, argv, options)) {
		if (c == 'a')
			wish->as = optarg;
		else if (c == 'l')
			wish->last = true;
		else
			return cli_bad_option(&cli_test_mail, c, argv);
	}
	if (argc - optind != 1)
		return cli_usage(&cli_test_mail, "test-mail takes one address");
	wish->address = argv[optind];
	if (mail_check_address(span_of(wish->address), &err) < 0)
		return cli_usage(&cli_test_mail, "%s: %s", wish->address,
		                 err.message);
	return CLI_DONE;
}

static int find_reader(const struct conf *conf, const struct wish *wish,
                       const struct subscriber **ret_reader)
{
	owned(mem) const struct subscriber **list = NULL;
	owned(mem) char *name = wish->as ? mem_dup(wish->as) : NULL;
	size_t n = 0;

	if (cli_find_subscribers(conf, wish->as ? 1 : 0, &name, &list, &n) !=
	    CLI_DONE)
		return CLI_FAILED;
	if (n == 0) {
		cli_say("the config has no subscribers");
		return CLI_FAILED;
	}
	*ret_reader = list[0];
	return CLI_DONE;
}

static int run(const char *conf_path, int argc, char **argv)
{
	owned(cli) struct cli cli = {0};
	const struct subscriber *reader = NULL;
	struct wish wish = {0};
	int status = read_arguments(argc, argv, &wish);

	if (status != CLI_DONE)
		return status;
	if (cli_open(&cli, conf_path, STORE_READ) != CLI_DONE ||
	    find_reader(cli.conf, &wish, &reader) != CLI_DONE)
		return CLI_FAILED;
	return cli_with_digest(&cli, reader, wish.last, mail_digest, &wish);
}

const struct cli_command cli_test_mail = {
	"test-mail",
	"ADDRESS [--as EMAIL] [--last]",
	"Mails a subscriber's next digest, marked [test], to any address.\n"
	"\n"
	"It is made of the papers that are stored, as preview makes it, and "
	"changes\n"
	"nothing: the subscriber gets the same papers in time.\n"
	"\n"
	"  --as EMAIL  whose digest; without it, the first subscriber's\n"
	"  --last      the last digest instead of the next one\n"
	"\n"
	"Exit status 1 if there is nothing to send or it was not accepted.\n",
	run,
};
