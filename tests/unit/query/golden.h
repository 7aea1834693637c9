#pragma once

/* Golden files: GOLDEN_ACCEPT=1 writes them instead of comparing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

#define GOLDEN "tests/golden/query/"

static void read_golden(struct buf *text, const char *name)
{
	owned(mem) char *path = mem_printf(GOLDEN "%s", name);
	struct error err = {0};

	if (file_read(text, path, &err) < 0)
		fail_msg("%s", err.message);
}

static void write_golden(const char *name, struct span got)
{
	owned(mem) char *path = mem_printf(GOLDEN "%s", name);
	struct error err = {0};

	if (file_replace(path, got, 0644, &err) < 0)
		fail_msg("%s", err.message);
}

/* Line by line, so that a failure shows which one it is. */
static void assert_golden(const char *name, struct span got)
{
	owned(buf) struct buf want = BUF_INIT(SIZE_MAX);
	struct span rest;
	struct span line;
	struct span other = SPAN_NONE;

	if (getenv("GOLDEN_ACCEPT"))
		write_golden(name, got);
	read_golden(&want, name);
	rest = buf_span(&want);
	while (span_split(&got, '\n', &line)) {
		span_split(&rest, '\n', &other);
		if (!span_equal(line, other))
			fail_msg("%s:\n got: %.*s\nwant: %.*s", name,
			         (int)line.len, line.ptr, (int)other.len,
			         other.ptr);
	}
	assert_int_equal(rest.len, 0);
}
