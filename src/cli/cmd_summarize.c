#include <getopt.h>
#include <string.h>

#include "base/mem.h"
#include "cli_private.h"
#include "service/summarize.h"
#include "store/words.h"

struct wish {
	const char *language;
	char *id;
};

static bool knows_language(const struct conf *conf, const char *code)
{
	for (size_t i = 0; i < conf->n_languages; i++)
		if (!strcmp(digest_language_code(conf->languages[i]), code))
			return true;
	return false;
}

static int keep(const struct cli *cli, const struct paper *paper,
                const struct wish *wish, const struct paper_words *words)
{
	const struct store_words_key key = {paper->id, paper->version,
	                                    wish->language};
	char hash[LLM_HASH_SIZE];
	const struct store_answer answer = {
		.words = *words,
		.prompt = llm_prompt_hash(&cli->conf->llm, hash),
		.at = clock_now_sec(&cli->service.world->clock),
	};
	struct error err = {0};

	if (store_put_answer(cli->store, &key, &answer, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	return CLI_DONE;
}

/* Like the daemon: a bad answer is asked for anew once, with its fault. */
static int ask(const struct cli *cli, const struct paper *paper,
               const struct wish *wish)
{
	owned(paper_words) struct paper_words words = {0};
	owned(mem) char *fault = NULL;
	owned(mem) char *again = NULL;
	struct llm_question question = {
		.title = paper->title,
		.abstract = paper->abstract,
		.language = wish->language,
		.language_name =
			service_language_name(cli->conf, wish->language),
	};
	int status = cli_ask_model(&cli->service, &question, &words, &fault);

	if (fault) {
		question.fault = fault;
		status =
			cli_ask_model(&cli->service, &question, &words, &again);
	}
	if (status != CLI_DONE)
		return status;
	cli_print_words(&words);
	return keep(cli, paper, wish, &words);
}

static int summarize(const struct cli *cli, const struct wish *wish)
{
	owned(paper) struct paper *paper = NULL;
	struct error err = {0};
	int found = store_load_newest(cli->store, wish->id, &paper, &err);

	if (found < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (found == STORE_MISSING) {
		cli_say("%s: no feed that was polled has announced it, or it "
		        "was longer ago than keep_days",
		        wish->id);
		return CLI_FAILED;
	}
	return ask(cli, paper, wish);
}

static int check_wish(const struct conf *conf, const struct wish *wish)
{
	if (!conf->llm.url) {
		cli_say("the config has no llm group: no model can be asked");
		return CLI_FAILED;
	}
	if (!knows_language(conf, wish->language)) {
		cli_say("there are no strings for the language '%s'",
		        wish->language);
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static int read_options(int argc, char **argv, struct wish *ret_wish)
{
	static const struct option options[] = {
		{"language", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	struct span id;
	uint32_t version;
	int c;

	optind = 0;
	for (c = cli_next_option(argc, argv, options); c != -1;
	     c = cli_next_option(argc, argv, options)) {
		if (c != 'l')
			return cli_bad_option(&cli_summarize, c, argv);
		ret_wish->language = optarg;
	}
	if (argc - optind != 1)
		return cli_usage(&cli_summarize,
		                 "summarize takes one paper's id");
	if (!paper_parse_id(span_of(argv[optind]), &id, &version))
		return cli_usage(&cli_summarize,
		                 "'%s' is no arXiv id: write it as 2403.17887 "
		                 "or hep-th/9901001",
		                 argv[optind]);
	ret_wish->id = mem_dup_span(id);
	return CLI_DONE;
}

static int run(const char *conf_path, int argc, char **argv)
{
	owned(cli) struct cli cli = {0};
	struct wish wish = {.language = "en"};
	int status = read_options(argc, argv, &wish);
	owned(mem) char *id = wish.id;

	(void)id;
	if (status == CLI_DONE)
		status = cli_open(&cli, conf_path, STORE_WRITE);
	if (status == CLI_DONE)
		status = check_wish(cli.conf, &wish);
	return status == CLI_DONE ? summarize(&cli, &wish) : status;
}

const struct cli_command cli_summarize = {
	"summarize",
	"ID [--language CODE]",
	"Asks the model about one stored paper and shows its answer.\n"
	"\n"
	"Digests use the answer from then on, in place of an earlier one.\n"
	"\n"
	"  --language CODE  of a strings file, such as zh; the default is en\n",
	run,
};
