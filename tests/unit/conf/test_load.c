#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/limits.h"
#include "conf/conf.h"
#include "fixture.h"
#include "model/day.h"

#define EXAMPLE "etc/arxmail.conf.example"

#define HEAD                                                           \
	"state_dir = \"state\";\n"                                     \
	"sender: { from = \"arXiv digest <digest@example.org>\"; };\n" \
	"smtp: { url = \"smtp://mail.example.org:587\"; };\n"          \
	"feeds: { contact = \"admin@example.org\"; };\n"

/* Loads the text, which is right, in a folder that is gone afterwards. */
static struct conf *load(const char *text)
{
	owned(conf_report) struct conf_report report = {0};
	struct fixture fixture = fixture_enter(span_of(text));
	struct conf *conf = NULL;
	struct error err = {0};
	int rc = conf_load(&conf, FIXTURE_MAIN, &report, &err);

	for (size_t i = 0; i < report.errors.n; i++)
		print_error("%s\n", report.errors.items[i]);
	fixture_leave(&fixture);
	assert_int_equal(rc, CONF_VALID);
	assert_non_null(conf);
	return conf;
}

static const struct subscriber *find(const struct conf *conf, const char *id)
{
	const struct subscriber *found = conf_find_subscriber(conf, id);

	if (!found)
		fail_msg("there is no subscriber %s", id);
	return found;
}

static void fills_in_the_defaults(void **state)
{
	static const uint32_t retries[] = {5, 15, 30, 60, 120};
	owned(conf) struct conf *conf =
		load(HEAD
	             "subscribers = ( { email = \"Ada@Example.org\"; "
	             "categories = [\"cs.CL\"]; } );");
	const struct subscriber *ada = find(conf, "ada@example.org");

	(void)state;
	assert_string_equal(conf->state_dir, "state");
	assert_null(conf->templates_dir);
	assert_int_equal(conf->keep_days, 400);
	assert_string_equal(conf->sender.from.name, "arXiv digest");
	assert_string_equal(conf->sender.from.address, "digest@example.org");
	assert_string_equal(conf->sender.unsubscribe,
	                    "mailto:digest@example.org");
	assert_string_equal(conf->sender.list_id, "arxmail.example.org");
	assert_int_equal(conf->smtp.tls, SMTP_TLS_REQUIRED);
	assert_int_equal(conf->smtp.connections, 4);
	assert_int_equal(conf->smtp.per_minute, 0);
	assert_int_equal(conf->smtp.per_connection, 100);
	assert_int_equal(conf->smtp.timeout_s, 60);
	assert_int_equal(conf->smtp.n_retry_min, 5);
	assert_memory_equal(conf->smtp.retry_min, retries, sizeof(retries));
	assert_int_equal(conf->smtp.give_up_after_hours, 48);
	assert_false(conf->smtp.hold_unknown);
	assert_string_equal(conf->feeds.url,
	                    "https://rss.arxiv.org/rss/{category}");
	assert_string_equal(conf->feeds.oai_url,
	                    "https://oaipmh.arxiv.org/oai");
	assert_int_equal(conf->feeds.poll_from_min, 10);
	assert_int_equal(conf->feeds.poll_until_min, 720);
	assert_int_equal(conf->feeds.poll_every_min, 30);
	assert_null(conf->llm.url);

	assert_string_equal(ada->email, "Ada@Example.org");
	assert_string_equal(ada->id, "ada@example.org");
	assert_int_equal(ada->announce, 3);
	assert_int_equal(ada->send_at_min, 450);
	assert_string_equal(ada->timezone, "UTC");
	assert_int_equal(ada->days, 127);
	assert_int_equal(ada->digest_wait_min, 120);
	assert_int_equal(ada->max_papers, 40);
	assert_true(ada->min_score == 0);
	assert_string_equal(ada->language, "en");
	assert_null(ada->subject);
	assert_false(ada->summaries);
	assert_false(ada->paused);
	assert_int_equal(ada->n_topics, 1);
	assert_int_equal(ada->topics[0].weight, 1);
	assert_string_equal(ada->file, FIXTURE_MAIN);
	assert_int_equal(ada->line, 5);
	assert_non_null(conf->templates);
	assert_non_null(conf_language(conf, "en"));
	assert_null(conf_language(conf, "tlh"));
}

static void reads_every_setting(void **state)
{
	owned(conf) struct conf *conf = load(
		"state_dir = \"/var/lib/elsewhere\"; keep_days = 30;\n"
		"templates_dir = \"own\";\n"
		"sender: { from = \"d+x@example.org\";\n"
		"  reply_to = \"Editor <editor@example.org>\";\n"
		"  admin = \"root@example.org\";\n"
		"  unsubscribe = \"https://example.org/u\";\n"
		"  list_id = \"papers.example.org\"; };\n"
		"smtp: { url = \"smtps://mail.example.org\"; tls = "
		"\"required\";\n"
		"  username = \"digest\"; password_file = \"password\";\n"
		"  ca_file = \"password\"; connections = 64; per_minute = 10;\n"
		"  per_connection = 0; timeout_s = 5; retry_min = [1, 2];\n"
		"  give_up_after_hours = 240; on_unknown = \"hold\";\n"
		"  verp = true; };\n"
		"feeds: { contact = \"admin@example.org\";\n"
		"  url = \"file:///feeds/{category}.xml\";\n"
		"  oai_url = \"https://example.org/oai\"; poll_from = "
		"\"01:00\";\n"
		"  poll_until = \"02:00\"; poll_every_min = 5;\n"
		"  proxy = \"socks5h://proxy.example.org:1080\"; };\n"
		"llm: { url = \"http://localhost:11434/v1\"; model = \"m\";\n"
		"  api_key_file = \"password\"; prompt_file = \"password\";\n"
		"  timeout_s = 1; concurrency = 2; per_day_tokens = 3;\n"
		"  max_wait_min = 4; };\n"
		"subscribers = ( { email = \"ada@example.org\"; id = \"ada\";\n"
		"  name = \"Ada\"; categories = [\"math.*\", \"hep-th\"];\n"
		"  keywords = [\"a b\"]; authors = [\"Tao\"]; exclude = "
		"[\"c\"];\n"
		"  topics = ( { name = \"T\"; query = \"ti:x\"; weight = 100;\n"
		"    max = 500; } ); announce = [\"replace-cross\"];\n"
		"  send_at = \"23:59\"; timezone = \"Asia/Kathmandu\";\n"
		"  days = \"sat-mon\"; digest_wait_min = 0; max_papers = 500;\n"
		"  min_score = 1.5; language = \"zh\"; subject = "
		"\"{{papers}}\";\n"
		"  summaries = false; paused = \"2027-01-31\"; } );\n"
		"%% own/README\nnothing\n"
		"%% password 0640\nsecret \n");
	const struct subscriber *ada = find(conf, "ada");

	(void)state;
	assert_string_equal(conf->state_dir, "/var/lib/elsewhere");
	assert_string_equal(conf->templates_dir, "own");
	assert_int_equal(conf->keep_days, 30);
	assert_null(conf->sender.from.name);
	assert_string_equal(conf->sender.reply_to, "editor@example.org");
	assert_string_equal(conf->sender.admin, "root@example.org");
	assert_string_equal(conf->sender.unsubscribe, "https://example.org/u");
	assert_string_equal(conf->sender.list_id, "papers.example.org");
	assert_string_equal(conf->smtp.username, "digest");
	assert_string_equal(conf->smtp.password, "secret ");
	assert_string_equal(conf->smtp.ca_file, "password");
	assert_int_equal(conf->smtp.connections, 64);
	assert_int_equal(conf->smtp.per_minute, 10);
	assert_int_equal(conf->smtp.per_connection, 0);
	assert_int_equal(conf->smtp.n_retry_min, 2);
	assert_int_equal(conf->smtp.retry_min[1], 2);
	assert_true(conf->smtp.hold_unknown);
	assert_true(conf->smtp.verp);
	assert_string_equal(conf->feeds.proxy,
	                    "socks5h://proxy.example.org:1080");
	assert_int_equal(conf->feeds.poll_from_min, 60);
	assert_string_equal(conf->llm.api_key_file, "password");
	assert_int_equal(conf->llm.per_day_tokens, 3);

	assert_string_equal(ada->name, "Ada");
	assert_int_equal(ada->categories.n, 2);
	assert_string_equal(ada->categories.items[1], "hep-th");
	assert_int_equal(ada->n_topics, 2);
	assert_null(ada->topics[0].name);
	assert_string_equal(ada->topics[0].keywords.items[0], "a b");
	assert_string_equal(ada->topics[0].exclude.items[0], "c");
	assert_string_equal(ada->topics[1].name, "T");
	assert_string_equal(ada->topics[1].query, "ti:x");
	assert_int_equal(ada->topics[1].weight, 100);
	assert_int_equal(ada->topics[1].max, 500);
	assert_int_equal(ada->announce, 8);
	assert_int_equal(ada->send_at_min, 1439);
	assert_int_equal(ada->days, 0x61);
	assert_int_equal(ada->digest_wait_min, 0);
	assert_true(ada->min_score == 1.5);
	assert_string_equal(ada->language, "zh");
	assert_string_equal(ada->subject, "{{papers}}");
	assert_true(ada->paused);
	assert_int_equal(ada->paused_until, day_from_date(2027, 1, 31));
}

static void merges_defaults_into_subscribers(void **state)
{
	owned(conf) struct conf *conf = load(
		HEAD
		"defaults: { timezone = \"Europe/Berlin\"; max_papers = 5;\n"
		"  categories = [\"cs.CL\"]; exclude = [\"survey\"];\n"
		"  announce = [\"new\"]; language = \"zh\"; paused = true; };\n"
		"subscribers = (\n"
		"  { email = \"ada@example.org\"; },\n"
		"  { email = \"emmy@example.org\"; timezone = \"UTC\";\n"
		"    categories = [\"hep-th\"]; paused = false;\n"
		"    topics = ( { name = \"T\"; keywords = [\"x\"]; } ); } );\n"
		"%% subscribers.d/b.conf\n"
		"subscribers = ( { email = \"b@example.org\"; } );\n"
		"%% subscribers.d/a.conf\n"
		"subscribers = ( { email = \"a@example.org\"; } );\n");
	const struct subscriber *ada = find(conf, "ada@example.org");
	const struct subscriber *emmy = find(conf, "emmy@example.org");

	(void)state;
	assert_int_equal(conf->n_subscribers, 4);
	assert_string_equal(conf->subscribers[2]->id, "a@example.org");
	assert_string_equal(conf->subscribers[2]->file, "subscribers.d/a.conf");
	assert_string_equal(conf->subscribers[3]->id, "b@example.org");
	assert_string_equal(conf->subscribers[3]->timezone, "Europe/Berlin");
	assert_string_equal(ada->timezone, "Europe/Berlin");
	assert_int_equal(ada->max_papers, 5);
	assert_string_equal(ada->categories.items[0], "cs.CL");
	assert_string_equal(ada->topics[0].exclude.items[0], "survey");
	assert_int_equal(ada->announce, 1);
	assert_true(ada->paused);
	assert_string_equal(emmy->timezone, "UTC");
	assert_int_equal(emmy->categories.n, 1);
	assert_string_equal(emmy->categories.items[0], "hep-th");
	assert_int_equal(emmy->n_topics, 1);
	assert_string_equal(emmy->topics[0].name, "T");
	assert_false(emmy->paused);
}

static void finds_subscribers_by_id_before_address(void **state)
{
	owned(conf) struct conf *conf = load(
		HEAD
		"subscribers = (\n"
		"  { email = \"x@example.org\"; id = \"one\"; categories = "
		"[\"cs.CL\"]; },\n"
		"  { email = \"y@example.org\"; id = \"x@example.org\"; "
		"categories = [\"cs.CL\"]; } );\n");

	(void)state;
	assert_string_equal(find(conf, "x@example.org")->email,
	                    "y@example.org");
	assert_string_equal(find(conf, "Y@example.org")->email,
	                    "y@example.org");
	assert_string_equal(find(conf, "one")->email, "x@example.org");
	assert_null(conf_find_subscriber(conf, "two"));
}

static void encodes_the_senders_address_for_unsubscribing(void **state)
{
	owned(conf) struct conf *conf =
		load("state_dir = \"s\"; sender: { from = "
	             "\"a+b?c@m\xC3\xBCller.example\"; }; smtp: { url = "
	             "\"smtp://h\"; }; feeds: { contact = \"a@b.example\"; };");

	(void)state;
	assert_string_equal(conf->sender.unsubscribe,
	                    "mailto:a%2Bb%3Fc@xn--mller-kva.example");
	assert_string_equal(conf->sender.list_id,
	                    "arxmail.xn--mller-kva.example");
	assert_int_equal(conf->n_subscribers, 0);
}

static void reads_paths_relative_to_the_file(void **state)
{
	owned(conf) struct conf *conf = NULL;
	owned(conf_report) struct conf_report report = {0};
	struct fixture fixture = fixture_enter(span_of(
		"%% etc/my.conf\n" HEAD
		"%% etc/templates/README\nx\n"
		"%% etc/subscribers.d/a.conf\nsubscribers = ( { email = "
		"\"a@example.org\"; categories = [\"cs.CL\"]; } );\n"));
	struct error err = {0};
	int rc = conf_load(&conf, "etc/my.conf", &report, &err);

	(void)state;
	fixture_leave(&fixture);
	assert_int_equal(rc, CONF_VALID);
	assert_string_equal(conf->path, "etc/my.conf");
	assert_string_equal(conf->state_dir, "etc/state");
	assert_string_equal(conf->templates_dir, "etc/templates");
	assert_string_equal(conf->subscribers[0]->file,
	                    "etc/subscribers.d/a.conf");
}

static void fails_where_there_is_no_config(void **state)
{
	owned(conf) struct conf *conf = NULL;
	owned(conf_report) struct conf_report report = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(
		conf_load(&conf, "/nonexistent/arxmail.conf", &report, &err),
		-1);
	assert_null(conf);
	assert_string_equal(err.message,
	                    "/nonexistent/arxmail.conf: cannot open: No such "
	                    "file or directory");
}

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
	owned(conf) struct conf *conf = load(text);

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
	owned(conf) struct conf *plain = load(text);
	owned(conf) struct conf *all = NULL;
	owned(mem) char *folder = NULL;

	(void)state;
	uncomment(text);
	folder = mem_printf(
		"%s%%%% templates/x\n%%%% our-ca.pem\n"
		"%%%% prompt.txt\n%%%% smtp-password\nsecret\n"
		"%%%% llm-key\nsecret\n",
		text);
	all = load(folder);
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

#define MANY 20000

/* Something quadratic would take minutes here. */
static void loads_many_subscribers(void **state)
{
	owned(buf) struct buf text = BUF_INIT(64 * LIMIT_MIB);
	owned(conf) struct conf *conf = NULL;

	(void)state;
	buf_add_str(&text, HEAD
	            "defaults: { timezone = \"Europe/Berlin\"; };"
	            "subscribers = (\n");
	for (unsigned i = 0; i < MANY; i++)
		buf_addf(
			&text,
			"%s{ email = \"reader%u@example.org\"; name = \"R %u\";"
			" categories = [\"cs.CL\", \"math.*\"];"
			" keywords = [\"large language model\", \"topic %u\"];"
			" timezone = \"America/New_York\"; }\n",
			i > 0 ? ", " : "", i, i, i % 100);
	buf_add_str(&text, ");\n");
	conf = load(buf_str(&text));
	assert_int_equal(conf->n_subscribers, MANY);
	assert_int_equal(find(conf, "reader19999@example.org")->line, MANY + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_the_defaults),
		cmocka_unit_test(reads_every_setting),
		cmocka_unit_test(merges_defaults_into_subscribers),
		cmocka_unit_test(finds_subscribers_by_id_before_address),
		cmocka_unit_test(encodes_the_senders_address_for_unsubscribing),
		cmocka_unit_test(reads_paths_relative_to_the_file),
		cmocka_unit_test(fails_where_there_is_no_config),
		cmocka_unit_test(
			loads_the_example_once_its_four_lines_are_filled_in),
		cmocka_unit_test(reports_exactly_the_four_lines_of_the_example),
		cmocka_unit_test(shows_the_defaults_in_the_example),
		cmocka_unit_test(loads_many_subscribers),
	};

	return cmocka_run_group_tests_name("conf load", tests, NULL, NULL);
}
