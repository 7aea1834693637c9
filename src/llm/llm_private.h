#pragma once

/* Shared inside llm/. */

#include "llm/answer.h"

/*
 * Is `text`, the answer's `name`, plain text that the paper accounts for, in
 * the language? Fails with a fault.
 */
MUST_CHECK int llm_check_text(const struct llm_question *question,
                              const char *name, const char *text,
                              struct error *err);
