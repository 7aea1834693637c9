/* Each limit of the config met exactly, and passed by one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "conf/conf.h"
#include "fixture.h"

#define HEAD                                                           \
	"state_dir = \"state\";\n"                                     \
	"sender: { from = \"arXiv digest <digest@example.org>\"; };\n" \
	"feeds: { contact = \"admin@example.org\"; };\n"
#define SMTP "smtp: { url = \"smtp://mail.example.org:587\"; };\n"
#define ADA                                               \
	"subscribers = ( { email = \"ada@example.org\"; " \
	"categories = [\"cs.CL\"]; "
#define END "} );\n"

/* Empty ones, in subscribers.d. */
static void make_files(size_t n)
{
	if (n > 0)
		assert_int_equal(mkdir("subscribers.d", 0700), 0);
	for (size_t i = 0; i < n; i++) {
		owned(mem) char *path = mem_printf("subscribers.d/%zu.conf", i);
		owned(fd) int fd = open(path, O_CREAT | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
	}
}

/* What is wrong with a config, all in one text; "" is nothing. */
static char *find_faults(struct span text, size_t n_files)
{
	owned(conf_report) struct conf_report report = {0};
	owned(conf) struct conf *conf = NULL;
	owned(buf) struct buf faults = BUF_INIT(SIZE_MAX);
	struct fixture fixture = fixture_enter(text);
	struct error err = {0};
	char *result = NULL;

	make_files(n_files);

	if (conf_load(&conf, FIXTURE_MAIN, &report, &err) < 0)
		buf_add_str(&faults, err.message);
	for (size_t i = 0; i < report.errors.n; i++)
		buf_addf(&faults, "%s\n", report.errors.items[i]);
	fixture_leave(&fixture);
	assert_int_equal(buf_finish(&faults, "faults", &result, &err), 0);
	return result;
}

/* `fault` NULL: the config is right. */
static void check(const struct buf *text, const char *fault)
{
	owned(mem) char *faults = find_faults(buf_span(text), 0);

	if (fault ? !strstr(faults, fault) : *faults != '\0')
		fail_msg("'%s' instead of '%s'", faults, fault ? fault : "");
}

/* A list's begin, `n` items and its end; item I has I in it. */
struct list {
	const char *begin;
	const char *item;
	const char *end;
	size_t max;
	const char *fault;
};

static void write_list(struct buf *text, const struct list *list, size_t n)
{
	buf_add_str(text, list->begin);
	for (size_t i = 0; i < n; i++)
		buf_addf(text, "%s%s%zu\"%s", i > 0 ? ", " : "", list->item, i,
		         strstr(list->item, "{") ? "; }" : "");
	buf_add_str(text, list->end);
}

static void lists_have_so_many_items(void **state)
{
	static const struct list lists[] = {
		{HEAD SMTP ADA "keywords = [", "\"k", "];" END, LIMIT_KEYWORDS,
	         "keywords: "},
		{HEAD SMTP ADA "authors = [", "\"a", "];" END, LIMIT_KEYWORDS,
	         "authors: "},
		{HEAD SMTP ADA "exclude = [", "\"e", "];" END, LIMIT_KEYWORDS,
	         "exclude: "},
		{HEAD SMTP ADA "topics = (", "{ keywords = [\"x\"]; name = \"t",
	         ");" END, LIMIT_TOPICS, "topics: "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		owned(buf) struct buf most = BUF_INIT(SIZE_MAX);
		owned(buf) struct buf more = BUF_INIT(SIZE_MAX);

		write_list(&most, &lists[i], lists[i].max);
		check(&most, NULL);
		write_list(&more, &lists[i], lists[i].max + 1);
		check(&more, lists[i].fault);
	}
}

static void add_times(struct buf *text, char c, size_t n)
{
	while (n-- > 0)
		buf_add_char(text, c);
}

/* A part of the config that is `n` bytes long. */
struct text_limit {
	const char *begin;
	char fill;
	const char *end;
	size_t max;
	const char *fault;
};

static void texts_have_so_many_bytes(void **state)
{
	static const struct text_limit limits[] = {
		{HEAD SMTP ADA "keywords = [\"", 'k', "\"];" END,
	         LIMIT_KEYWORD_BYTES, "keywords"},
		{HEAD SMTP ADA END "%% holidays\n", '\n', "",
	         LIMIT_HOLIDAYS_BYTES, "holidays"},
		{HEAD SMTP ADA END
	         "llm: { url = \"https://llm.example.org/v1\"; model = \"m\";"
	         " prompt_file = \"prompt\"; };\n%% prompt\n",
	         'p', "", LIMIT_PROMPT_BYTES, "prompt"},
		{HEAD
	         "smtp: { url = \"smtp://mail.example.org:587\"; "
	         "username = \"digest\"; password_file = \"secret\"; };\n" ADA
	                 END "%% secret\n",
	         's', "\n", LIMIT_SECRET_BYTES, "too long for a secret"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		for (size_t over = 0; over < 2; over++) {
			owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

			buf_add_str(&text, limits[i].begin);
			add_times(&text, limits[i].fill, limits[i].max + over);
			buf_add_str(&text, limits[i].end);
			check(&text, over ? limits[i].fault : NULL);
		}
	}
}

static void a_query_has_so_many_bytes(void **state)
{
	static const char begin[] =
		HEAD SMTP ADA "topics = ({ name = \"t\"; query = \"";

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

		buf_add_str(&text, begin);
		/* Blanks are no nodes. */
		add_times(&text, ' ', LIMIT_QUERY_BYTES - 1 + over);
		buf_add_str(&text, "q\"; });" END);
		check(&text, over ? "query" : NULL);
	}
}

static void a_folder_has_so_many_files(void **state)
{
	static const char config[] = HEAD SMTP ADA END;
	owned(mem) char *most = find_faults(span_of(config), LIMIT_CONF_FILES);
	owned(mem) char *more =
		find_faults(span_of(config), LIMIT_CONF_FILES + 1);

	(void)state;
	assert_string_equal(most, "");
	assert_non_null(strstr(more, "more than 10000 files"));
}

/* Blank lines, which take no memory of libconfig's. */
static void a_file_has_so_many_bytes(void **state)
{
	static const char config[] = HEAD SMTP ADA END;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		owned(buf) struct buf text = BUF_INIT(SIZE_MAX);

		buf_reserve(&text, LIMIT_CONF_BYTES + 2);
		buf_add_str(&text, config);
		add_times(&text, ' ', LIMIT_CONF_BYTES + over - text.len);
		check(&text, over ? FIXTURE_MAIN : NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_have_so_many_items),
		cmocka_unit_test(texts_have_so_many_bytes),
		cmocka_unit_test(a_query_has_so_many_bytes),
		cmocka_unit_test(a_folder_has_so_many_files),
		cmocka_unit_test(a_file_has_so_many_bytes),
	};

	return cmocka_run_group_tests_name("conf: limits", tests, NULL, NULL);
}
