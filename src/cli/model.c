#include "base/mem.h"
#include "cli_private.h"

/* The commands' way to the model. */

struct asking {
	bool answered;
	struct llm_answer answer;
};

static void on_answer(void *ctx, struct llm_answer *answer)
{
	struct asking *asking = ctx;

	asking->answered = true;
	asking->answer = *answer;
	answer->words = (struct paper_words){0};
}

int cli_ask_model(const struct service *service,
                  const struct llm_question *question,
                  struct paper_words *ret_words, char **ret_fault)
{
	struct service_world *world = service->world;
	struct asking asking = {0};
	struct error err = {0};

	world->ask(world->ctx, question, on_answer, &asking);
	while (!asking.answered) {
		if (world->wait(world->ctx, INT64_MAX, &err) < 0) {
			cli_say("%s", err.message);
			return CLI_FAILED;
		}
	}
	if (asking.answer.kind == LLM_ANSWERED) {
		*ret_words = asking.answer.words;
		return CLI_DONE;
	}
	if (asking.answer.kind == LLM_FAULTY) {
		cli_say("the model answered what cannot be used: %s",
		        asking.answer.error.message);
		*ret_fault = mem_dup(asking.answer.error.message);
	} else {
		cli_say("%s", asking.answer.error.message);
	}
	return CLI_FAILED;
}

void cli_print_words(const struct paper_words *words)
{
	if (words->title)
		cli_print(words->title);
	cli_print(words->summary);
	if (words->abstract)
		cli_print(words->abstract);
}
