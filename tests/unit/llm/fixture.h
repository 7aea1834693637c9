#pragma once

/* A paper, and what is asked about it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "llm/answer.h"

#define TITLE "Sparse retrieval with <b> and $a<b$"
#define ABSTRACT                                                              \
	"We index ten million papers on one machine. Code: "                  \
	"https://example.org/code. Queries \"in quotes\" take a millisecond " \
	"and less."

#define CHINESE_TITLE "带有标记的稀疏检索"
#define CHINESE_SUMMARY "在一台机器上为一千万篇论文建立索引。"
#define CHINESE_ABSTRACT                                            \
	"我们在一台机器上为一千万篇论文建立索引" \
	"。代码：https://example.org/code。查询"             \
	"只需一毫秒或更短的时间。"

static const struct llm_question english = {
	.title = TITLE,
	.abstract = ABSTRACT,
	.language = "en",
	.language_name = "English",
};

static const struct llm_question chinese = {
	.title = TITLE,
	.abstract = ABSTRACT,
	.language = "zh",
	.language_name = "Chinese",
};

static inline struct llm_options options_of(const char *prompt)
{
	return (struct llm_options){
		.url = mem_dup("http://127.0.0.1:9/v1"),
		.model = mem_dup("test-model"),
		.prompt = mem_dup(prompt),
		.timeout_s = 60,
		.concurrency = 4,
	};
}

static inline void owned_release_llm_options(struct llm_options *options)
{
	llm_options_fini(options);
}
