#pragma once

/* What the parsers' tests share: papers as text, compared with golden files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "model/paper.h"

#define DUMP_MAX (64U * LIMIT_MIB)

static const char *const error_kinds[] = {"NONE",  "SYSTEM",    "SYNTAX",
                                          "LIMIT", "TEMPORARY", "PERMANENT"};

static void dump_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "  %-12s ", name);
	buf_add_json(out, span_of(text));
	buf_add_char(out, '\n');
}

static void dump_list(struct buf *out, const char *name,
                      const struct strings *list)
{
	buf_addf(out, "  %-12s", name);
	for (size_t i = 0; i < list->n; i++) {
		buf_add_char(out, ' ');
		buf_add_json(out, span_of(list->items[i]));
	}
	buf_add_char(out, '\n');
}

static void dump_paper(struct buf *out, const struct paper *paper)
{
	dump_text(out, "title", paper->title);
	dump_text(out, "abstract", paper->abstract);
	dump_list(out, "authors", &paper->authors);
	dump_list(out, "categories", &paper->categories);
	dump_text(out, "title_raw", paper->title_raw);
	dump_text(out, "abstract_raw", paper->abstract_raw);
	dump_text(out, "authors_raw", paper->authors_raw);
}

/* ---- golden files ---- */

/* What becomes of a body that comes in pieces; the caller owns it. */
typedef char *(*parse_fn)(struct span body, size_t piece);

static void read_whole(struct buf *out, const char *path)
{
	struct error err = {0};

	if (file_read(out, path, &err) < 0)
		fail_msg("%s", err.message);
}

/* With GOLDEN_ACCEPT set, what is becomes what ought to be. */
static void compare_golden(const char *path, const char *got)
{
	owned(buf) struct buf wanted = BUF_INIT(DUMP_MAX);
	struct error err = {0};

	if (getenv("GOLDEN_ACCEPT"))
		assert_int_equal(file_replace(path, span_of(got), 0644, &err),
		                 0);
	read_whole(&wanted, path);
	if (!span_is(buf_span(&wanted), got))
		fail_msg("%s: wanted:\n%s\ngot:\n%s", path, buf_str(&wanted),
		         got);
}

static void check_golden(const char *in_path, parse_fn parse)
{
	static const size_t pieces[] = {1, 7, 4096, DUMP_MAX};
	owned(mem) char *out_path = mem_printf(
		"%.*s.out", (int)(strlen(in_path) - strlen(".in")), in_path);
	owned(buf) struct buf body = BUF_INIT(DUMP_MAX);

	read_whole(&body, in_path);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		owned(mem) char *got = parse(buf_span(&body), pieces[i]);

		compare_golden(out_path, got);
	}
}

static void check_golden_files(const char *pattern, parse_fn parse)
{
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_golden(found.gl_pathv[i], parse);
	globfree(&found);
}
