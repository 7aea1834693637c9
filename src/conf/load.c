#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "conf_private.h"

static void init(struct conf_loader *loader, struct conf *conf,
                 const char *path)
{
	conf->path = mem_dup(path);
	*loader = (struct conf_loader){
		.conf = conf,
		.service_uid = geteuid(),
	};
}

static void fini(struct conf_loader *loader)
{
	conf_source_close(loader->main);
	conf_problems_fini(&loader->errors);
	conf_problems_fini(&loader->warnings);
	strings_fini(&loader->paths);
	strings_fini(&loader->zones);
	free(loader->places);
}

static void read_templates(struct conf_loader *loader)
{
	owned(strings) struct strings problems = {0};
	struct conf *conf = loader->conf;
	struct error err = {0};

	if (digest_templates_load(&conf->templates, conf->templates_dir,
	                          &problems, &err) < 0)
		conf_report_failure(loader, err.message);
	for (size_t i = 0; i < problems.n; i++)
		conf_report_failure(loader, problems.items[i]);
}

static void refuse_others(struct conf_loader *loader,
                          const struct conf_source *source)
{
	static const struct conf_key keys[] = {{.name = "subscribers"}};
	const config_setting_t *root = conf_source_root(source);
	struct conf_scope scope = {
		.loader = loader,
		.source = source,
		.prefix = "",
	};
	int n = config_setting_length(root);

	for (int i = 0; i < n; i++) {
		const config_setting_t *setting =
			config_setting_get_elem(root, (unsigned)i);

		if (strcmp(config_setting_name(setting), keys[0].name) != 0)
			conf_error(&scope, setting,
			           "only subscribers = ( … ) may be here: "
			           "write it into %s",
			           loader->conf->path);
	}
}

static void read_one_file(struct conf_loader *loader, const char *path)
{
	owned(conf_source) struct conf_source *source = NULL;
	struct error err = {0};
	int rc = conf_source_open(&source, loader, path, &err);

	if (rc < 0) {
		conf_report_failure(loader, err.message);
		return;
	}
	if (rc == CONF_SOURCE_BROKEN)
		return;
	refuse_others(loader, source);
	conf_read_subscribers(loader, source);
}

static void read_folder(struct conf_loader *loader)
{
	owned(mem) char *folder = conf_resolve(loader, "subscribers.d");
	owned(strings) struct strings names = {0};
	struct error err = {0};

	if (conf_list_folder(&names, folder, &err) < 0)
		conf_report_failure(loader, err.message);
	for (size_t i = 0; i < names.n; i++) {
		owned(mem) char *path =
			mem_printf("%s/%s", folder, names.items[i]);

		read_one_file(loader, path);
	}
}

/* arXiv's days off: a file of the admin's in place of the built-in one. */
static void read_holidays(struct conf_loader *loader)
{
	owned(mem) char *path = conf_resolve(loader, "holidays");
	owned(buf) struct buf text = BUF_INIT(LIMIT_HOLIDAYS_BYTES);
	struct calendar *holidays = &loader->conf->holidays;
	struct error err = {0};

	if (access(path, F_OK) != 0) {
		calendar_init(holidays);
		return;
	}
	if (file_read(&text, path, &err) < 0)
		conf_report_failure(loader, err.message);
	else if (calendar_parse(holidays, buf_span(&text), &err) < 0) {
		owned(mem) char *what = mem_printf("%s:%s", path, err.message);

		conf_report_failure(loader, what);
	}
}

static void read_main(struct conf_loader *loader)
{
	(void)conf_keep_zone(loader, DAY_NEW_YORK);
	if (loader->main_read)
		conf_read_settings(loader);
	conf_read_languages(loader);
	read_holidays(loader);
	read_templates(loader);
	if (!loader->main_read)
		return;
	conf_read_defaults(loader);
	conf_read_subscribers(loader, loader->main);
}

/* Places in loader->places, by id, those of one id in the files' order. */
static int compare_ids(const void *left, const void *right, void *ctx)
{
	const struct conf *conf = ctx;
	size_t a = *(const size_t *)left;
	size_t b = *(const size_t *)right;
	int order = strcmp(conf->subscribers[a]->id, conf->subscribers[b]->id);

	if (order != 0)
		return order;
	return a < b ? -1 : a > b;
}

static void report_twice(struct conf_loader *loader, size_t first,
                         size_t second)
{
	const struct subscriber *subscriber = loader->conf->subscribers[second];
	const struct conf_place *place = &loader->places[first];

	conf_problems_add(&loader->errors, loader->places[second],
	                  "subscriber %s: id: \"%s\" is taken by the "
	                  "subscriber of %s:%u: give this one an id of its own",
	                  subscriber->email ? subscriber->email : "",
	                  subscriber->id, place->file, place->line);
}

/* Those without a valid address have no id, and an error already. */
static void index_subscribers(struct conf_loader *loader)
{
	struct conf *conf = loader->conf;
	owned(mem) size_t *order =
		mem_array(conf->n_subscribers, sizeof(*order));
	size_t n = 0;

	for (size_t i = 0; i < conf->n_subscribers; i++)
		if (conf->subscribers[i]->id)
			order[n++] = i;
	qsort_r(order, n, sizeof(*order), compare_ids, conf);
	conf->by_id = mem_array(n, sizeof(struct subscriber *));
	for (size_t i = 0; i < n; i++) {
		conf->by_id[i] = conf->subscribers[order[i]];
		if (i > 0 &&
		    !strcmp(conf->by_id[i - 1]->id, conf->by_id[i]->id))
			report_twice(loader, order[i - 1], order[i]);
	}
}

static void warn_if_nobody(struct conf_loader *loader)
{
	if (loader->main_read && loader->conf->n_subscribers == 0)
		conf_problems_add(&loader->warnings,
		                  (struct conf_place){loader->conf->path, 1, 0},
		                  "subscribers: there are none: nobody gets a "
		                  "digest");
}

static int load(struct conf_loader *loader, struct error *err)
{
	int rc = conf_source_open(&loader->main, loader, loader->conf->path,
	                          err);

	if (rc < 0)
		return -1;
	loader->main_read = rc == CONF_SOURCE_READ;
	read_main(loader);
	read_folder(loader);
	index_subscribers(loader);
	warn_if_nobody(loader);
	conf_warn_of_times(loader);
	return 0;
}

int conf_load(struct conf **ret_conf, const char *path,
              struct conf_report *report, struct error *err)
{
	owned(conf) struct conf *conf = mem_new(sizeof(*conf));
	struct conf_loader loader;
	int rc;

	init(&loader, conf, path);
	rc = load(&loader, err);
	conf_problems_print(&loader.errors, &report->errors);
	conf_problems_print(&loader.warnings, &report->warnings);
	fini(&loader);
	if (rc < 0)
		return -1;
	if (report->errors.n > 0)
		return CONF_INVALID;
	*ret_conf = take_ptr(conf);
	return CONF_VALID;
}

void conf_report_fini(struct conf_report *report)
{
	strings_fini(&report->errors);
	strings_fini(&report->warnings);
}
