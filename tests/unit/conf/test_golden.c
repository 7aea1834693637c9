#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>

#include "base/limits.h"
#include "conf/conf.h"
#include "fixture.h"

/* Whole reports: tests/golden/conf/NAME.in gives NAME.out. */

#define PATTERN "tests/golden/conf/*.in"

static void report_lines(struct buf *out, const char *kind,
                         const struct strings *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		buf_addf(out, "%s%s\n", kind, lines->items[i]);
}

static void describe(struct buf *out, struct span text)
{
	owned(conf) struct conf *conf = NULL;
	owned(conf_report) struct conf_report report = {0};
	struct fixture fixture = fixture_enter(text);
	struct error err = {0};
	int rc = conf_load(&conf, FIXTURE_MAIN, &report, &err);

	report_lines(out, "", &report.errors);
	report_lines(out, "warning: ", &report.warnings);
	if (rc < 0)
		buf_addf(out, "failed: %s\n", err.message);
	else
		buf_add_str(out, rc == CONF_VALID ? "valid\n" : "invalid\n");
	fixture_leave(&fixture);
}

static void read_file(struct buf *buf, const char *path)
{
	struct error err = {0};

	if (file_read(buf, path, &err) < 0)
		fail_msg("%s", err.message);
}

/* Also where both are right, so that make golden-accept shows the diff. */
static bool check_case(const char *in_path)
{
	owned(mem) char *out_path = mem_printf(
		"%.*s.out", (int)(strlen(in_path) - strlen(".in")), in_path);
	owned(buf) struct buf in = BUF_INIT(LIMIT_MIB);
	owned(buf) struct buf expected = BUF_INIT(LIMIT_MIB);
	owned(buf) struct buf found = BUF_INIT(LIMIT_MIB);
	struct error err = {0};

	read_file(&in, in_path);
	describe(&found, buf_span(&in));
	if (getenv("GOLDEN_ACCEPT"))
		return file_replace(out_path, buf_span(&found), 0644, &err) ==
		       0;

	read_file(&expected, out_path);
	if (span_equal(buf_span(&expected), buf_span(&found)))
		return true;
	print_error("%s: expected:\n%sfound:\n%s", in_path, buf_str(&expected),
	            buf_str(&found));
	return false;
}

static void reports_broken_configs_as_the_golden_files_say(void **state)
{
	glob_t paths = {0};
	size_t wrong = 0;

	(void)state;
	assert_int_equal(glob(PATTERN, 0, NULL, &paths), 0);
	for (size_t i = 0; i < paths.gl_pathc; i++)
		wrong += !check_case(paths.gl_pathv[i]);
	globfree(&paths);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reports_broken_configs_as_the_golden_files_say),
	};

	return cmocka_run_group_tests_name("conf golden", tests, NULL, NULL);
}
