#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli_private.h"
#include "feed/parser.h"
#include "service/summarize.h"

/* ---- the database ---- */

/* One that is not there yet is no fault. */
static int check_store(const struct conf *conf)
{
	owned(mem) char *path = mem_printf("%s/arxmail.db", conf->state_dir);
	owned(store) struct store *store = NULL;
	struct error err = {0};
	struct stat info;

	if (stat(conf->state_dir, &info)) {
		cli_say("warning: state_dir %s: there is no such folder yet",
		        conf->state_dir);
		return CLI_DONE;
	}
	if (cli_enter_state(conf, STORE_READ) != CLI_DONE)
		return CLI_FAILED;
	if (stat(path, &info)) {
		printf("%s: there is no database yet; the first fetch makes "
		       "it\n",
		       path);
		return CLI_DONE;
	}
	if (store_open(&store, conf->state_dir, STORE_READ, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	printf("%s: the database is readable\n", path);
	return CLI_DONE;
}

static int check_config(const char *conf_path)
{
	owned(conf_report) struct conf_report report = {0};
	owned(conf) struct conf *conf = NULL;
	owned(strings) struct strings categories = {0};
	int status;

	status = cli_load_conf(conf_path, &report, &conf);
	cli_say_lines(&report.warnings);
	if (status != CLI_DONE)
		return CLI_FAILED;
	service_categories(conf, NULL, &categories);
	printf("%s: valid: %zu subscriber%s, %zu feed%s\n", conf_path,
	       conf->n_subscribers, conf->n_subscribers == 1 ? "" : "s",
	       categories.n, categories.n == 1 ? "" : "s");
	return check_store(conf);
}

/* ---- a feed ---- */

struct feed_check {
	bool answered;
	int status;
};

static int judge_feed(struct feed_answer *answer)
{
	owned(feed) struct feed *feed = NULL;
	struct error err = {0};

	if (answer->kind == FEED_ANSWER_FAILED) {
		cli_say("%s", answer->error.message);
		return CLI_FAILED;
	}
	if (feed_parse(buf_span(&answer->body), &feed, &err) < 0) {
		cli_say("the server answered, but not with a feed: %s",
		        err.message);
		return CLI_FAILED;
	}
	printf("%zu paper%s in \"%s\"\n", feed->n_items,
	       feed->n_items == 1 ? "" : "s", feed->title ? feed->title : "");
	if (feed->n_items == 0)
		puts("An empty feed is normal on weekends and arXiv's "
		     "holidays.");
	return CLI_DONE;
}

static void on_feed(void *ctx, struct feed_answer *answer)
{
	struct feed_check *check = ctx;

	check->answered = true;
	check->status = judge_feed(answer);
}

static int check_one_feed(struct cli *cli)
{
	owned(strings) struct strings categories = {0};
	owned(mem) char *url = NULL;
	struct feed_check check = {false, CLI_FAILED};
	struct service_world *world = cli->service.world;
	struct error err = {0};

	service_categories(cli->conf, NULL, &categories);
	if (categories.n == 0) {
		cli_say("no subscriber names a category yet");
		return CLI_FAILED;
	}
	url = feed_url(cli->conf->feeds.url, categories.items[0]);
	printf("%s: asking %s\n", categories.items[0], url);
	fflush(stdout);
	world->fetch(world->ctx, &(struct feed_request){.url = url}, on_feed,
	             &check);
	while (!check.answered) {
		if (world->wait(world->ctx, INT64_MAX, &err) < 0) {
			cli_say("%s", err.message);
			return CLI_FAILED;
		}
	}
	return check.status;
}

static int check_feeds(const char *conf_path)
{
	owned(cli) struct cli cli = {0};

	/* The gate between processes lies in the state folder. */
	if (cli_open(&cli, conf_path, STORE_WRITE) != CLI_DONE)
		return CLI_FAILED;
	return check_one_feed(&cli);
}

/* ---- the relay ---- */

/*
 * A message to the sender's own address goes as far as DATA and is left
 * there: no mail, but the relay has said whether it takes the sender.
 */
struct relay_check {
	struct service_world *world;
	void *relay;
	struct smtp_letter letter;
	bool answered;
	int status;
};

static void on_open(void *ctx)
{
	struct relay_check *check = ctx;

	check->world->relay_send(check->relay, &check->letter);
}

static void on_closed(void *ctx, const struct smtp_outcome *outcome)
{
	struct relay_check *check = ctx;

	check->answered = true;
	cli_say("%s", outcome->sentence);
}

static void on_ready(void *ctx)
{
	struct relay_check *check = ctx;

	check->answered = true;
	check->status = CLI_DONE;
}

/* That the sender gets no mail there is not what was asked. */
static void on_done(void *ctx, const struct smtp_outcome *outcome)
{
	struct relay_check *check = ctx;

	check->answered = true;
	if (outcome->verdict == SMTP_FAILED &&
	    outcome->stage == SMTP_STAGE_RCPT)
		check->status = CLI_DONE;
	else
		cli_say("%s", outcome->sentence);
}

static int try_relay(struct relay_check *check, struct error *err)
{
	const struct smtp_events events = {on_open, on_closed, on_ready,
	                                   on_done, check};
	struct service_world *world = check->world;
	int rc = world->relay_open(world->ctx, &events, &check->relay, err);

	while (rc == 0 && !check->answered)
		rc = world->wait(world->ctx, INT64_MAX, err);
	world->relay_close(check->relay);
	return rc;
}

static int check_relay(struct cli *cli)
{
	const struct smtp_options *smtp = &cli->conf->smtp;
	struct relay_check check = {
		.world = cli->service.world,
		.letter = {.message = span_of("\r\n")},
		.status = CLI_FAILED,
	};
	owned(mem) char *address = NULL;
	struct error err = {0};

	if (mail_address_for_smtp(&address,
	                          span_of(cli->conf->sender.from.address),
	                          &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	check.letter.from = address;
	check.letter.to = address;
	if (try_relay(&check, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (check.status == CLI_DONE)
		printf("%s: connected%s%s, takes mail from %s; none was sent\n",
		       smtp->url,
		       smtp->tls == SMTP_TLS_REQUIRED ? ", encrypted" : "",
		       smtp->username ? ", logged in" : "", address);
	return check.status;
}

/* The config and the world, without any state. */
static int open_world(struct cli *cli, const char *conf_path)
{
	struct error err = {0};

	cli->conf = cli_read_conf(conf_path);
	if (!cli->conf)
		return CLI_FAILED;
	if (world_open(&cli->world, cli->conf, NULL, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	cli->service = (struct service){.conf = cli->conf,
	                                .world = world_service(cli->world)};
	return CLI_DONE;
}

static int check_smtp(const char *conf_path)
{
	owned(cli) struct cli cli = {0};

	if (open_world(&cli, conf_path) != CLI_DONE)
		return CLI_FAILED;
	return check_relay(&cli);
}

/* ---- the model ---- */

/* The first one in which it will have to write. */
static const char *find_language(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_subscribers; i++)
		if (conf->subscribers[i]->summaries)
			return conf->subscribers[i]->language;
	return "en";
}

static int check_model(struct cli *cli)
{
	const struct llm_options *llm = &cli->conf->llm;
	struct llm_question question = {
		.title = "Attention Is All You Need",
		.abstract =
			"The dominant sequence transduction models are based "
			"on recurrent or convolutional networks with an "
			"encoder and a decoder. We propose a simple network "
			"architecture, the Transformer, based solely on "
			"attention mechanisms. It is superior in quality on "
			"two machine translation tasks while being more "
			"parallelizable and requiring less time to train.",
		.language = find_language(cli->conf),
	};
	owned(paper_words) struct paper_words words = {0};
	owned(mem) char *fault = NULL;

	question.language_name =
		service_language_name(cli->conf, question.language);
	printf("asking %s at %s in %s\n", llm->model, llm->url,
	       question.language_name);
	fflush(stdout);
	if (cli_ask_model(&cli->service, &question, &words, &fault) != CLI_DONE)
		return CLI_FAILED;
	cli_print_words(&words);
	return CLI_DONE;
}

static int check_llm(const char *conf_path)
{
	owned(cli) struct cli cli = {0};

	if (open_world(&cli, conf_path) != CLI_DONE)
		return CLI_FAILED;
	if (!cli.conf->llm.url) {
		cli_say("the config has no llm group: summaries are off");
		return CLI_FAILED;
	}
	return check_model(&cli);
}

static int run(const char *conf_path, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc > 2)
		return cli_usage(&cli_check,
		                 "check takes one word at most, and -c "
		                 "stands before it");
	if (argc == 1)
		return check_config(conf_path);
	if (!strcmp(what, "feeds"))
		return check_feeds(conf_path);
	if (!strcmp(what, "smtp"))
		return check_smtp(conf_path);
	if (!strcmp(what, "llm"))
		return check_llm(conf_path);
	return cli_usage(&cli_check, "cannot check '%s'", what);
}

const struct cli_command cli_check = {
	"check",
	"[feeds|smtp|llm]",
	"Reads the config, templates and database and says every error.\n"
	"\n"
	"Each error is one line on stderr, FILE:LINE: SETTING: what.\n"
	"\n"
	"  feeds  fetches one feed and says what came\n"
	"  smtp   connects to the relay and logs in; sends no mail\n"
	"  llm    asks the language model one question and shows its answer\n",
	run,
};
