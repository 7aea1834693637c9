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

#define HEAD                                                           \
	"state_dir = \"state\";\n"                                     \
	"sender: { from = \"arXiv digest <digest@example.org>\"; };\n" \
	"smtp: { url = \"smtp://mail.example.org:587\"; };\n"          \
	"feeds: { contact = \"admin@example.org\"; };\n"

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
		fixture_load(HEAD
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
	assert_string_equal(conf->sender.list_id, "example.org");
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

static const char every_setting[] =
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
	"%% password 0640\nsecret \n";

static void reads_every_setting(void **state)
{
	owned(conf) struct conf *conf = fixture_load(every_setting);

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
	assert_string_equal(conf->llm.api_key, "secret ");
	assert_string_equal(conf->llm.prompt, "secret \n");
	assert_int_equal(conf->llm.per_day_tokens, 3);
}

static void reads_every_setting_of_a_subscriber(void **state)
{
	owned(conf) struct conf *conf = fixture_load(every_setting);
	const struct subscriber *ada = find(conf, "ada");

	(void)state;
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
	owned(conf) struct conf *conf = fixture_load(
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
	owned(conf) struct conf *conf = fixture_load(
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
	owned(conf) struct conf *conf = fixture_load(
		"state_dir = \"s\"; sender: { from = "
		"\"a+b?c@m\xC3\xBCller.example\"; }; smtp: { url = "
		"\"smtp://h\"; }; feeds: { contact = \"a@b.example\"; };");

	(void)state;
	assert_string_equal(conf->sender.unsubscribe,
	                    "mailto:a%2Bb%3Fc@xn--mller-kva.example");
	assert_string_equal(conf->sender.list_id, "xn--mller-kva.example");
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

#define LOGIN                                                     \
	"state_dir = \"state\";\n"                                \
	"sender: { from = \"digest@example.org\"; };\n"           \
	"smtp: { url = \"smtp://h.example\"; username = \"u\";\n" \
	"  password_file = \"password\"; };\n"                    \
	"feeds: { contact = \"admin@example.org\"; };\n"          \
	"%% password\nsecret\n"                                   \
	"%% state/x\n"

/* How many errors and warnings there are if `path` belongs to `owner`. */
static void count_problems(const char *path, uid_t owner, size_t *ret_errors,
                           size_t *ret_warnings)
{
	owned(conf) struct conf *conf = NULL;
	owned(conf_report) struct conf_report report = {0};
	struct fixture fixture = fixture_enter(span_of(LOGIN));
	struct error err = {0};

	assert_int_equal(chown(path, owner, (gid_t)-1), 0);
	if (owner != 0 && strcmp(path, "state") == 0)
		assert_int_equal(chown("password", owner, (gid_t)-1), 0);
	assert_true(conf_load(&conf, FIXTURE_MAIN, &report, &err) >= 0);
	fixture_leave(&fixture);
	*ret_errors = report.errors.n;
	*ret_warnings = report.warnings.n;
}

#define SOMEBODY 12345

static void looks_at_who_owns_config_and_secrets(void **state)
{
	size_t errors;
	size_t warnings;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root can give files away\n");
		skip();
	}
	count_problems("password", 0, &errors, &warnings);
	assert_int_equal(errors, 0);
	assert_int_equal(warnings, 1); /* there are no subscribers */
	count_problems("password", SOMEBODY, &errors, &warnings);
	assert_int_equal(errors, 1);
	/* The one who owns state_dir is whom the daemon runs as. */
	count_problems("state", SOMEBODY, &errors, &warnings);
	assert_int_equal(errors, 0);
	count_problems(FIXTURE_MAIN, SOMEBODY, &errors, &warnings);
	assert_int_equal(errors, 0);
	assert_int_equal(warnings, 2);
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
	conf = fixture_load(buf_str(&text));
	assert_int_equal(conf->n_subscribers, MANY);
	assert_int_equal(find(conf, "reader19999@example.org")->line, MANY + 5);
}

static void assert_open(const struct conf *conf, const char *name)
{
	owned(zone) struct zone *zone = zone_open(name);

	for (size_t i = 0; i < conf->n_zones; i++)
		if (conf->zones[i] == zone)
			return;
	fail_msg("%s is not open", name);
}

static void keeps_open_the_zones_that_are_needed(void **state)
{
	owned(conf) struct conf *conf =
		fixture_load(HEAD
	                     "defaults: { timezone = \"Asia/Kathmandu\"; };\n"
	                     "subscribers = (\n"
	                     "  { email = \"ada@example.org\"; "
	                     "categories = [\"cs.CL\"]; },\n"
	                     "  { email = \"emmy@example.org\"; "
	                     "categories = [\"cs.CL\"];\n"
	                     "    timezone = \"Europe/Berlin\"; } );");

	(void)state;
	assert_open(conf, DAY_NEW_YORK);
	assert_open(conf, "Asia/Kathmandu");
	assert_open(conf, "Europe/Berlin");
	assert_int_equal(conf->n_zones, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_the_defaults),
		cmocka_unit_test(reads_every_setting),
		cmocka_unit_test(reads_every_setting_of_a_subscriber),
		cmocka_unit_test(merges_defaults_into_subscribers),
		cmocka_unit_test(finds_subscribers_by_id_before_address),
		cmocka_unit_test(encodes_the_senders_address_for_unsubscribing),
		cmocka_unit_test(reads_paths_relative_to_the_file),
		cmocka_unit_test(looks_at_who_owns_config_and_secrets),
		cmocka_unit_test(fails_where_there_is_no_config),
		cmocka_unit_test(loads_many_subscribers),
		cmocka_unit_test(keeps_open_the_zones_that_are_needed),
	};

	return cmocka_run_group_tests_name("conf load", tests, NULL, NULL);
}
