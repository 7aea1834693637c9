#include "conf/problems.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"

/* A line quotes one value at most, and a value in it is cut. */
#define LINE_MAX_BYTES 8192U

void conf_problems_fini(struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		free(problems->items[i].text);
	free(problems->items);
	*problems = (struct conf_problems){0};
}

void conf_problems_add(struct conf_problems *problems, struct conf_place place,
                       const char *fmt, ...)
{
	owned(buf) struct buf text = BUF_INIT(LINE_MAX_BYTES);
	size_t n = problems->n;
	va_list args;

	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);

	problems->items = mem_grow(problems->items, &problems->capacity, n + 1,
	                           sizeof(*problems->items));
	problems->items[n] = (struct conf_problem){
		.place = place,
		.n = n,
		.text = mem_dup(buf_str(&text)),
	};
	problems->n = n + 1;
}

static int compare(const void *left, const void *right)
{
	const struct conf_problem *a = left;
	const struct conf_problem *b = right;

	if (a->place.rank != b->place.rank)
		return a->place.rank < b->place.rank ? -1 : 1;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	return a->n < b->n ? -1 : a->n > b->n;
}

static void print(const struct conf_problem *problem, struct strings *lines)
{
	owned(buf) struct buf line = BUF_INIT(2 * LINE_MAX_BYTES);
	owned(buf) struct buf clean = BUF_INIT(8 * LINE_MAX_BYTES);

	if (problem->place.file)
		buf_addf(&line, "%s:", problem->place.file);
	if (problem->place.line > 0)
		buf_addf(&line, "%u:", problem->place.line);
	if (line.len > 0)
		buf_add_char(&line, ' ');
	buf_add_str(&line, problem->text);
	buf_add_terminal(&clean, buf_span(&line));
	strings_add(lines, buf_span(&clean));
}

void conf_problems_print(struct conf_problems *problems, struct strings *lines)
{
	if (problems->n > 1)
		qsort(problems->items, problems->n, sizeof(*problems->items),
		      compare);
	for (size_t i = 0; i < problems->n; i++)
		print(&problems->items[i], lines);
}
