#include <sys/stat.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "conf/formats.h"
#include "conf_private.h"
#include "mail/address.h"
#include "mail/bounce.h"

#define DAY_MINUTES 1440U
#define YEAR_MINUTES (366U * DAY_MINUTES)
#define MAX_RETRIES 100

static const uint32_t default_retries[] = {5, 15, 30, 60, 120};

/* Groups and lists are read apart; that they are such is checked there. */
static void read_apart(const struct conf_scope *scope,
                       const config_setting_t *setting,
                       const struct conf_key *key, void *field)
{
	(void)scope;
	(void)setting;
	(void)key;
	(void)field;
}

static void read_mailbox(const struct conf_scope *scope,
                         const config_setting_t *setting,
                         const struct conf_key *key, void *field)
{
	const char *text = conf_text(scope, setting, key);
	struct error err = {0};

	if (text && mail_parse_mailbox(field, text, &err) < 0)
		conf_error(scope, setting, "%s", err.message);
}

/* Of a mailbox the address: a Reply-To needs no name. */
static void read_reply_to(const struct conf_scope *scope,
                          const config_setting_t *setting,
                          const struct conf_key *key, void *field)
{
	struct mail_mailbox mailbox = {0};

	read_mailbox(scope, setting, key, &mailbox);
	*(char **)field = mem_dup(mailbox.address);
	mail_mailbox_fini(&mailbox);
}

static void read_choice_of_two(const struct conf_scope *scope,
                               const config_setting_t *setting,
                               const char *words, int *ret_choice)
{
	owned(strings) struct strings names = {0};
	struct span rest = span_of(words);
	struct span word;

	while (span_split(&rest, ' ', &word))
		strings_add(&names, word);
	*ret_choice = conf_read_choice(scope, setting, &names);
}

static void read_tls(const struct conf_scope *scope,
                     const config_setting_t *setting,
                     const struct conf_key *key, void *field)
{
	int choice;

	(void)key;
	read_choice_of_two(scope, setting, "required none", &choice);
	*(enum smtp_tls *)field =
		choice == 1 ? SMTP_TLS_NONE : SMTP_TLS_REQUIRED;
}

static void read_on_unknown(const struct conf_scope *scope,
                            const config_setting_t *setting,
                            const struct conf_key *key, void *field)
{
	int choice;

	(void)key;
	read_choice_of_two(scope, setting, "resend hold", &choice);
	*(bool *)field = choice == 1;
}

static void read_secret(const struct conf_scope *scope,
                        const config_setting_t *setting,
                        const struct conf_key *key, void *field)
{
	owned(mem) char *path = NULL;
	struct error err = {0};

	conf_read_path(scope, setting, key, &path);
	if (path &&
	    conf_read_secret(field, path, scope->loader->service_uid, &err) < 0)
		conf_error(scope, setting, "%s", err.message);
}

static void read_prompt(const struct conf_scope *scope,
                        const config_setting_t *setting,
                        const struct conf_key *key, void *field)
{
	owned(mem) char *path = NULL;
	owned(buf) struct buf text = BUF_INIT(LIMIT_PROMPT_BYTES);
	struct error err = {0};

	conf_read_path(scope, setting, key, &path);
	if (!path)
		return;
	if (file_read(&text, path, &err) < 0)
		conf_error(scope, setting, "%s", err.message);
	else if (span_trim(buf_span(&text)).len == 0)
		conf_error(scope, setting, "%s: is empty", path);
	else if (!utf8_valid(buf_span(&text)))
		conf_error(scope, setting, "%s: is not in UTF-8", path);
	else
		*(char **)field = mem_dup_span(buf_span(&text));
}

static void read_retries(const struct conf_scope *scope,
                         const config_setting_t *setting,
                         const struct conf_key *key, void *field)
{
	struct smtp_options *smtp = field;
	int n = config_setting_length(setting);

	if (!conf_expect(scope, setting, CONFIG_TYPE_ARRAY,
	                 "an array of minutes: [5, 15, 30]"))
		return;
	if (n < 1 || n > MAX_RETRIES) {
		conf_error(scope, setting, "should have 1 to %d numbers",
		           MAX_RETRIES);
		return;
	}
	smtp->retry_min = mem_array((size_t)n, sizeof(uint32_t));
	smtp->n_retry_min = (size_t)n;
	for (int i = 0; i < n; i++)
		conf_read_number(scope,
		                 config_setting_get_elem(setting, (unsigned)i),
		                 key, &smtp->retry_min[i]);
}

static int check_feed_url(const char *text, struct error *err)
{
	owned(mem) char *url = NULL;

	if (!strstr(text, "{category}"))
		return error_set(err, ERROR_SYNTAX,
		                 "has no {category} in it: write for example "
		                 "\"https://rss.arxiv.org/rss/{category}\"");
	url = feed_url(text, "cs.CL");
	return feed_check_url(url, err);
}

#define IN_CONF(member) .offset = offsetof(struct conf, member)
#define IN_SENDER(member) .offset = offsetof(struct mail_sender, member)
#define IN_SMTP(member) .offset = offsetof(struct smtp_options, member)
#define IN_FEEDS(member) .offset = offsetof(struct feed_options, member)
#define IN_LLM(member) .offset = offsetof(struct llm_options, member)

static const struct conf_key root_keys[] = {
	{.name = "state_dir",
         .read = conf_read_path,
         IN_CONF(state_dir),
         .flags = CONF_REQUIRED,
         .check = conf_check_folder_to_be,
         .example = "state_dir = \"/var/lib/arxmail\""},
	{.name = "templates_dir",
         .read = conf_read_path,
         IN_CONF(templates_dir),
         .check = conf_check_folder},
	{.name = "keep_days",
         .read = conf_read_number,
         IN_CONF(keep_days),
         .min = 30,
         .max = 4000,
         .fallback = 400},
	{.name = "sender", .read = read_apart},
	{.name = "smtp", .read = read_apart},
	{.name = "feeds", .read = read_apart},
	{.name = "llm", .read = read_apart},
	{.name = "defaults", .read = read_apart},
	{.name = "subscribers", .read = read_apart},
};

static const struct conf_key sender_keys[] = {
	{.name = "from",
         .read = read_mailbox,
         IN_SENDER(from),
         .flags = CONF_REQUIRED,
         .example = "from = \"arXiv digest <digest@example.org>\""},
	{.name = "reply_to", .read = read_reply_to, IN_SENDER(reply_to)},
	{.name = "admin",
         .read = conf_read_text,
         IN_SENDER(admin),
         .check = conf_check_address},
	{.name = "unsubscribe",
         .read = conf_read_text,
         IN_SENDER(unsubscribe),
         .check = conf_check_unsubscribe},
	{.name = "list_id",
         .read = conf_read_text,
         IN_SENDER(list_id),
         .check = conf_check_list_id},
};

static const struct conf_key smtp_keys[] = {
	{.name = "url",
         .read = conf_read_text,
         IN_SMTP(url),
         .flags = CONF_REQUIRED,
         .check = conf_check_smtp_url,
         .example = "url = \"smtp://mail.example.org:587\""},
	{.name = "tls", .read = read_tls, IN_SMTP(tls)},
	{.name = "username", .read = conf_read_text, IN_SMTP(username)},
	{.name = "password_file", .read = read_secret, IN_SMTP(password)},
	{.name = "ca_file",
         .read = conf_read_path,
         IN_SMTP(ca_file),
         .check = conf_check_file},
	{.name = "connections",
         .read = conf_read_number,
         IN_SMTP(connections),
         .min = 1,
         .max = 64,
         .fallback = 4},
	{.name = "per_minute",
         .read = conf_read_number,
         IN_SMTP(per_minute),
         .max = 100000},
	{.name = "per_connection",
         .read = conf_read_number,
         IN_SMTP(per_connection),
         .max = 100000,
         .fallback = 100},
	{.name = "timeout_s",
         .read = conf_read_number,
         IN_SMTP(timeout_s),
         .min = 5,
         .max = 600,
         .fallback = 60},
	{.name = "retry_min",
         .read = read_retries,
         .min = 1,
         .max = YEAR_MINUTES},
	{.name = "give_up_after_hours",
         .read = conf_read_number,
         IN_SMTP(give_up_after_hours),
         .min = 1,
         .max = 240,
         .fallback = 48},
	{.name = "on_unknown", .read = read_on_unknown, IN_SMTP(hold_unknown)},
	{.name = "verp", .read = conf_read_bool, IN_SMTP(verp)},
};

static const struct conf_key feeds_keys[] = {
	{.name = "url",
         .read = conf_read_text,
         IN_FEEDS(url),
         .text = "https://rss.arxiv.org/rss/{category}",
         .check = check_feed_url},
	{.name = "oai_url",
         .read = conf_read_text,
         IN_FEEDS(oai_url),
         .text = "https://oaipmh.arxiv.org/oai",
         .check = feed_check_url},
	{.name = "contact",
         .read = conf_read_text,
         IN_FEEDS(contact),
         .flags = CONF_REQUIRED,
         .check = conf_check_address,
         .example = "contact = \"admin@example.org\""},
	{.name = "poll_from",
         .read = conf_read_time,
         IN_FEEDS(poll_from_min),
         .fallback = 10},
	{.name = "poll_until",
         .read = conf_read_time,
         IN_FEEDS(poll_until_min),
         .fallback = 12 * 60},
	{.name = "poll_every_min",
         .read = conf_read_number,
         IN_FEEDS(poll_every_min),
         .min = 5,
         .max = 720,
         .fallback = 30},
	{.name = "proxy",
         .read = conf_read_text,
         IN_FEEDS(proxy),
         .check = conf_check_proxy},
};

static const struct conf_key llm_keys[] = {
	{.name = "url",
         .read = conf_read_text,
         IN_LLM(url),
         .flags = CONF_REQUIRED,
         .check = conf_check_api_url,
         .example = "url = \"https://api.example.com/v1\""},
	{.name = "model",
         .read = conf_read_text,
         IN_LLM(model),
         .flags = CONF_REQUIRED,
         .example = "model = \"name-of-the-model\""},
	{.name = "api_key_file", .read = read_secret, IN_LLM(api_key)},
	{.name = "prompt_file", .read = read_prompt, IN_LLM(prompt)},
	{.name = "timeout_s",
         .read = conf_read_number,
         IN_LLM(timeout_s),
         .min = 1,
         .max = 600,
         .fallback = 60},
	{.name = "concurrency",
         .read = conf_read_number,
         IN_LLM(concurrency),
         .min = 1,
         .max = 64,
         .fallback = 4},
	{.name = "per_day_tokens",
         .read = conf_read_number,
         IN_LLM(per_day_tokens),
         .max = 2000000000},
	{.name = "max_wait_min",
         .read = conf_read_number,
         IN_LLM(max_wait_min),
         .max = DAY_MINUTES,
         .fallback = 30},
};

static struct conf_scope scope_of(struct conf_loader *loader,
                                  const char *prefix)
{
	return (struct conf_scope){
		.loader = loader,
		.source = loader->main,
		.prefix = prefix,
	};
}

static void read_in_group(struct conf_loader *loader, const char *name,
                          struct conf_keys keys, void *base)
{
	owned(mem) char *prefix = mem_printf("%s.", name);
	struct conf_scope root = scope_of(loader, "");
	struct conf_scope scope = scope_of(loader, prefix);
	const config_setting_t *group =
		config_setting_get_member(conf_source_root(loader->main), name);

	if (!group ||
	    conf_expect(&root, group, CONFIG_TYPE_GROUP, "a group { }"))
		conf_read_group(&scope, group, keys, base);
}

static const config_setting_t *find_setting(struct conf_loader *loader,
                                            const char *path)
{
	return config_lookup(&loader->main->config, path);
}

/* Unsubscribing by mail to the sender, and a List-Id in the sender's domain. */
static void fill_sender(struct mail_sender *sender)
{
	owned(mem) char *address = NULL;
	owned(buf) struct buf url = BUF_INIT(4096);
	struct error ignored = {0};
	struct span all;
	struct span domain;

	if (!sender->from.address ||
	    mail_address_for_smtp(&address, span_of(sender->from.address),
	                          &ignored) < 0)
		return;
	all = span_of(address);
	domain = mail_address_domain(all);
	buf_add_str(&url, "mailto:");
	buf_add_url(&url, span_first(all, all.len - domain.len - 1));
	buf_addf(&url, "@%s", domain.ptr);
	if (!sender->unsubscribe)
		sender->unsubscribe = mem_dup(buf_str(&url));
	if (!sender->list_id)
		sender->list_id = mem_dup(domain.ptr);
}

/* Without TLS everybody on the way reads the mails, and a password. */
static void check_plain(struct conf_loader *loader,
                        const struct smtp_options *smtp)
{
	struct conf_scope scope = scope_of(loader, "smtp.");
	const config_setting_t *tls = find_setting(loader, "smtp.tls");
	struct error ignored = {0};
	struct conf_url url;

	if (smtp->tls != SMTP_TLS_NONE || !smtp->url ||
	    conf_parse_url(&url, span_of(smtp->url), &ignored) < 0)
		return;
	if (span_is(url.scheme, "smtps")) {
		conf_error(&scope, tls,
		           "\"none\" contradicts smtps:// in "
		           "smtp.url");
		return;
	}
	switch (conf_classify_host(url.host)) {
	case CONF_HOST_LOOPBACK:
		break;
	case CONF_HOST_PRIVATE:
		if (smtp->username)
			conf_error(&scope, tls,
			           "\"none\" would send the password in the "
			           "clear: only to localhost");
		else
			conf_warning(&scope, tls,
			             "\"none\" sends all mails in the clear "
			             "to %.*s",
			             (int)url.host.len, url.host.ptr);
		break;
	case CONF_HOST_PUBLIC:
		conf_error(&scope, tls,
		           "\"none\" is only for localhost and private IP "
		           "addresses, not for %.*s",
		           (int)url.host.len, url.host.ptr);
		break;
	}
}

static void check_login(struct conf_loader *loader)
{
	struct conf_scope scope = scope_of(loader, "smtp.");
	const config_setting_t *name = find_setting(loader, "smtp.username");
	const config_setting_t *file =
		find_setting(loader, "smtp.password_file");

	if (name && !file)
		conf_error(&scope, name, "needs smtp.password_file as well");
	else if (file && !name)
		conf_error(&scope, file, "needs smtp.username as well");
}

static void fill_retries(struct smtp_options *smtp)
{
	if (smtp->retry_min)
		return;
	smtp->retry_min = mem_new(sizeof(default_retries));
	memcpy(smtp->retry_min, default_retries, sizeof(default_retries));
	smtp->n_retry_min = sizeof(default_retries) / sizeof(uint32_t);
}

static void check_polls(struct conf_loader *loader)
{
	struct conf_scope scope = scope_of(loader, "feeds.");
	const struct feed_options *feeds = &loader->conf->feeds;
	const config_setting_t *until =
		find_setting(loader, "feeds.poll_until");

	if (feeds->poll_from_min < feeds->poll_until_min)
		return;
	if (!until)
		until = find_setting(loader, "feeds.poll_from");
	if (until)
		conf_error(&scope, until,
		           "poll_until should be later than poll_from");
}

/* Its local part grows by a token. */
static void check_verp(struct conf_loader *loader)
{
	struct conf_scope scope = scope_of(loader, "smtp.");
	const config_setting_t *verp = find_setting(loader, "smtp.verp");
	owned(mem) char *address = NULL;
	struct error ignored = {0};

	if (!loader->conf->smtp.verp || !verp ||
	    !loader->conf->sender.from.address)
		return;
	if (mail_verp_sender(&address, loader->conf->sender.from.address,
	                     "0123456789abcdef0123456789abcdef", &ignored) < 0)
		conf_error(&scope, verp,
		           "verp makes the local part of sender.from longer "
		           "than 64 bytes: use one of 24 at most");
}

/* `templates` beside the file needs no setting. */
static void find_templates(struct conf_loader *loader)
{
	owned(mem) char *path = conf_resolve(loader, "templates");
	struct error ignored = {0};

	if (!find_setting(loader, "templates_dir") &&
	    conf_check_folder(path, &ignored) == 0)
		loader->conf->templates_dir = take_ptr(path);
}

static void find_service_user(struct conf_loader *loader)
{
	struct stat st;

	if (loader->conf->state_dir && !stat(loader->conf->state_dir, &st))
		loader->service_uid = st.st_uid;
}

void conf_read_settings(struct conf_loader *loader)
{
	struct conf_scope scope = scope_of(loader, "");
	struct conf *conf = loader->conf;
	size_t n_errors;

	conf_read_group(&scope, conf_source_root(loader->main),
	                CONF_KEYS(root_keys), conf);
	find_service_user(loader);
	find_templates(loader);
	read_in_group(loader, "sender", CONF_KEYS(sender_keys), &conf->sender);
	fill_sender(&conf->sender);
	read_in_group(loader, "smtp", CONF_KEYS(smtp_keys), &conf->smtp);
	fill_retries(&conf->smtp);
	check_plain(loader, &conf->smtp);
	check_login(loader);
	check_verp(loader);
	n_errors = loader->errors.n;
	read_in_group(loader, "feeds", CONF_KEYS(feeds_keys), &conf->feeds);
	if (loader->errors.n == n_errors)
		check_polls(loader);
	if (find_setting(loader, "llm"))
		read_in_group(loader, "llm", CONF_KEYS(llm_keys), &conf->llm);
	if (!conf->llm.prompt)
		conf->llm.prompt = mem_dup_span(llm_builtin_prompt());
}
