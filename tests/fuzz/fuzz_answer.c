/*
 * What a language model's endpoint sends, as a whole body and as the content of
 * one: what passes is clean text, holds no link that the paper lacks, and has
 * all that was asked for.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "llm/answer.h"

static const char *const languages[] = {"en", "zh", "fr"};

static void check_text(const char *text)
{
	struct span rest = span_of(text);

	if (rest.len == 0 || !utf8_valid(rest) || strstr(text, "://") ||
	    strstr(text, "www.") || strstr(text, "](") || strstr(text, "<a"))
		abort();
	while (rest.len > 0)
		if (utf8_is_control(utf8_next(&rest)))
			abort();
}

static void read_words(const struct llm_completion *completion,
                       const char *language)
{
	const struct llm_question question = {
		.title = "Sparse retrieval",
		.abstract = "We index ten million papers on one machine.",
		.language = language,
		.language_name = language,
	};
	owned(paper_words) struct paper_words words = {0};
	struct error err = {0};

	if (llm_read_words(&question, completion, &words, &err) < 0)
		return;
	check_text(words.summary);
	if (!llm_translates(language))
		return;
	check_text(words.title);
	check_text(words.abstract);
}

static void read_all(const struct llm_completion *completion)
{
	for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++)
		read_words(completion, languages[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span body = {(const char *)data, size};
	owned(llm_completion) struct llm_completion completion = {0};
	owned(llm_completion) struct llm_completion bare = {
		.content = mem_dup_span(size > 0 ? body : span_of(""))};
	owned(mem) char *complaint = llm_read_complaint(body);
	struct error err = {0};

	(void)complaint;
	if (llm_read_completion(body, &completion, &err) == 0)
		read_all(&completion);
	read_all(&bare);
	return 0;
}
