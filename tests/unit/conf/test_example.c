#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "conf/conf.h"
#include "fixture.h"

/* The annotated example: it must be right, and show the defaults. */

#define EXAMPLE "etc/arxmail.conf.example"

static const char *const filled[4] = {
	"arXiv digest <digest@example.org>",
	"smtp://mail.example.org:587",
	"admin@example.org",
	"ada@example.org",
};

/* The example with its four empty texts, in order, as given. */
static char *fill_in(struct span text, const char *const values[4])
{
	owned(buf) struct buf out = BUF_INIT(LIMIT_MIB);
	struct error err = {0};
	struct span line;
	char *result = NULL;
	size_t n = 0;

	while (span_split(&text, '\n', &line)) {
		size_t at = span_find(line, "\"\"");

		if (span_find(line, "<== fill in (") < line.len) {
			assert_true(n < 4 && at < line.len);
			buf_add_span(&out, span_first(line, at + 1));
			buf_add_str(&out, values[n++]);
			line = span_skip(line, at + 1);
		}
		buf_add_span(&out, line);
		buf_add_char(&out, '\n');
	}
	assert_int_equal(n, 4);
	assert_int_equal(buf_finish(&out, "example", &result, &err), 0);
	return result;
}

static char *read_example(const char *const values[4])
{
	owned(buf) struct buf text = BUF_INIT(LIMIT_MIB);
	struct error err = {0};

	if (file_read(&text, EXAMPLE, &err) < 0)
		fail_msg("%s", err.message);
	return fill_in(buf_span(&text), values);
}

static void loads_the_example_once_its_four_lines_are_filled_in(void **state)
{
	owned(mem) char *text = read_example(filled);
	owned(conf) struct conf *conf = fixture_load(text);

	(void)state;
	assert_string_equal(conf->sender.from.address, "digest@example.org");
	assert_int_equal(conf->n_subscribers, 1);
}

static void reports_exactly_the_four_lines_of_the_example(void **state)
{
	static const char *const settings[4] = {"sender.from", "smtp.url",
	                                        "feeds.contact", "email"};
	static const char *const values[4] = {"", "", "", ""};
	owned(mem) char *text = read_example(values);
	owned(conf) struct conf *conf = NULL;
	owned(conf_report) struct conf_report report = {0};
	struct fixture fixture = fixture_enter(span_of(text));
	struct error err = {0};
	int rc = conf_load(&conf, FIXTURE_MAIN, &report, &err);

	(void)state;
	fixture_leave(&fixture);
	assert_int_equal(rc, CONF_INVALID);
	assert_int_equal(report.errors.n, 4);
	assert_int_equal(report.warnings.n, 0);
	for (size_t i = 0; i < 4; i++) {
		assert_non_null(strstr(report.errors.items[i], settings[i]));
		assert_non_null(strstr(report.errors.items[i],
		                       ": is empty: write for example "));
	}
}

/* A comment that holds a setting or a bracket, not words. */
static bool is_commented_out(struct span text)
{
	size_t name = strspn(text.ptr, "abcdefghijklmnopqrstuvwxyz_");
	struct span after = span_skip(text, name < text.len ? name : text.len);

	return span_starts(after, name > 0 ? " = " : "{ name") ||
	       span_starts(after, name > 0 ? ": {" : "}") ||
	       (name == 0 && span_starts(after, ")"));
}

static void uncomment(char *text)
{
	char *line = text;

	while (*line) {
		char *end = line + strcspn(line, "\n");
		char *hash = line + strspn(line, " ");
		char *rest = hash + 1 + strspn(hash + 1, " ");

		if (*hash == '#' &&
		    is_commented_out((struct span){rest, (size_t)(end - rest)}))
			*hash = ' ';
		line = end + (*end == '\n');
	}
}

static void assert_same_smtp(const struct smtp_options *a,
                             const struct smtp_options *b)
{
	assert_int_equal(a->tls, b->tls);
	assert_int_equal(a->connections, b->connections);
	assert_int_equal(a->per_minute, b->per_minute);
	assert_int_equal(a->per_connection, b->per_connection);
	assert_int_equal(a->timeout_s, b->timeout_s);
	assert_int_equal(a->n_retry_min, b->n_retry_min);
	assert_memory_equal(a->retry_min, b->retry_min,
	                    a->n_retry_min * sizeof(*a->retry_min));
	assert_int_equal(a->give_up_after_hours, b->give_up_after_hours);
	assert_int_equal(a->hold_unknown, b->hold_unknown);
	assert_int_equal(a->verp, b->verp);
}

static void assert_same_feeds(const struct feed_options *a,
                              const struct feed_options *b)
{
	assert_string_equal(a->url, b->url);
	assert_string_equal(a->oai_url, b->oai_url);
	assert_int_equal(a->poll_from_min, b->poll_from_min);
	assert_int_equal(a->poll_until_min, b->poll_until_min);
	assert_int_equal(a->poll_every_min, b->poll_every_min);
}

static void assert_same_person(const struct subscriber *a,
                               const struct subscriber *b)
{
	assert_int_equal(a->announce, b->announce);
	assert_int_equal(a->send_at_min, b->send_at_min);
	assert_string_equal(a->timezone, b->timezone);
	assert_int_equal(a->days, b->days);
	assert_int_equal(a->digest_wait_min, b->digest_wait_min);
	assert_int_equal(a->max_papers, b->max_papers);
	assert_true(a->min_score == b->min_score);
	assert_string_equal(a->language, b->language);
	assert_int_equal(a->paused, b->paused);
}

static void shows_the_defaults_in_the_example(void **state)
{
	owned(mem) char *text = read_example(filled);
	owned(conf) struct conf *plain = fixture_load(text);
	owned(conf) struct conf *all = NULL;
	owned(mem) char *folder = NULL;

	(void)state;
	uncomment(text);
	folder = mem_printf(
		"%s%%%% templates/x\n%%%% our-ca.pem\n"
		"%%%% prompt.txt\nwrite\n%%%% smtp-password\nsecret\n"
		"%%%% llm-key\nsecret\n",
		text);
	all = fixture_load(folder);
	assert_string_equal(all->templates_dir, "templates");
	assert_string_equal(all->smtp.password, "secret");
	assert_string_equal(all->llm.model, "name-of-the-model");
	assert_int_equal(all->subscribers[0]->n_topics, 3);
	assert_string_equal(all->subscribers[0]->id, "ada");
	assert_int_equal(all->keep_days, plain->keep_days);
	assert_same_smtp(&all->smtp, &plain->smtp);
	assert_same_feeds(&all->feeds, &plain->feeds);
	assert_same_person(all->subscribers[0], plain->subscribers[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			loads_the_example_once_its_four_lines_are_filled_in),
		cmocka_unit_test(reports_exactly_the_four_lines_of_the_example),
		cmocka_unit_test(shows_the_defaults_in_the_example),
	};

	return cmocka_run_group_tests_name("conf example", tests, NULL, NULL);
}
