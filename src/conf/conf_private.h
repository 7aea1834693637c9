#pragma once

/*
 * How a config is read:
 *
 *   source     a file's text, looked at by scan, then by libconfig
 *   reader     a group against its table of keys, values into structs
 *   settings   the tables of state_dir … llm
 *   subscribers, topics, times
 *   load       all of it, in order
 */

#include <libconfig.h>

#include "conf/conf.h"
#include "conf/problems.h"
#include "conf/scan.h"

/* ---- source.c ---- */

struct conf_source {
	char *path;
	unsigned rank; /* place of the file in the report */
	config_t config;
	struct conf_values values; /* what the settings' hooks point to */
};

struct conf_loader;

enum conf_source_outcome {
	CONF_SOURCE_READ = 0,
	CONF_SOURCE_BROKEN = 1, /* reported; there are no settings */
};

/* Reads the file; fails only if it cannot be opened or read. */
MUST_CHECK int conf_source_open(struct conf_source **ret_source,
                                struct conf_loader *loader, const char *path,
                                struct error *err);
/* The same from a text that stands in the program. */
MUST_CHECK int conf_source_open_text(struct conf_source **ret_source,
                                     struct conf_loader *loader,
                                     const char *path, struct span text);
void conf_source_close(struct conf_source *source);

OWNED_DEFINE(conf_source, struct conf_source, conf_source_close);

static inline config_setting_t *
conf_source_root(const struct conf_source *source)
{
	return config_root_setting(&source->config);
}

/* The line of a setting, more exact than libconfig's; NULL: line 1. */
unsigned conf_line(const config_setting_t *setting);
/* Did scan report this value, so that it means nothing? */
bool conf_is_bad(const config_setting_t *setting);

/* ---- the run ---- */

struct conf_loader {
	struct conf *conf;
	struct conf_problems errors;
	struct conf_problems warnings;
	struct strings paths; /* what places point to */
	struct strings zones; /* the names of conf->zones */
	uid_t service_uid;    /* state_dir's owner, or who runs this */
	bool main_read;       /* the main file's settings are known */
	struct conf_source *main;
	const config_setting_t *defaults; /* NULL: none */
	struct conf_place *places;        /* of conf's subscribers */
	size_t places_capacity;
};

/* Where in the files, and what a message calls it. */
struct conf_scope {
	struct conf_loader *loader;
	const struct conf_source *source;
	const char *prefix; /* "smtp.", "subscriber ada@example.org: " */
	bool silent;        /* reported where it stands, in defaults */
	bool partial;       /* nothing is required here */
};

/*
 * `FILE:LINE: PREFIX NAME: what`, the name being the setting's or, for an
 * element, that of its array.
 */
void conf_error(const struct conf_scope *scope, const config_setting_t *setting,
                const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void conf_warning(const struct conf_scope *scope,
                  const config_setting_t *setting, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* An error that says itself where; it comes after the others. */
void conf_report_failure(struct conf_loader *loader, const char *message);

/* ---- reader.c ---- */

struct conf_key;

typedef void (*conf_read_fn)(const struct conf_scope *scope,
                             const config_setting_t *setting,
                             const struct conf_key *key, void *field);
typedef int (*conf_check_fn)(const char *text, struct error *err);

enum conf_key_flag {
	CONF_REQUIRED = 1,
	CONF_OWN = 2,   /* a subscriber's own: not for defaults */
	CONF_LINES = 4, /* a text that may have several lines */
};

struct conf_key {
	const char *name;
	conf_read_fn read;
	size_t offset;
	unsigned flags;
	uint32_t min;        /* numbers */
	uint32_t max;        /* numbers; bytes of texts, 0: 1000 */
	uint32_t fallback;   /* numbers */
	const char *text;    /* texts: the default; NULL: none */
	const char *example; /* what to write where it is missing */
	conf_check_fn check; /* texts and elements of arrays */
};

struct conf_keys {
	const struct conf_key *items;
	size_t n;
};

#define CONF_KEYS(table) \
	((struct conf_keys){(table), sizeof(table) / sizeof(*(table))})

/*
 * Reads each key of the table from `group` (NULL: it is not there) into the
 * struct at `base`, or its default; reports unknown and missing keys.
 */
void conf_read_group(const struct conf_scope *scope,
                     const config_setting_t *group, struct conf_keys keys,
                     void *base);
/* One key's setting, or its default where `setting` is NULL. */
void conf_read_key(const struct conf_scope *scope,
                   const config_setting_t *setting, const struct conf_key *key,
                   void *base);
/* Reports the settings of `group` that are not in the table. */
void conf_report_unknown(const struct conf_scope *scope,
                         const config_setting_t *group, struct conf_keys keys);
void conf_report_missing(const struct conf_scope *scope,
                         const config_setting_t *group,
                         const struct conf_key *key);

/* Is it of this type (CONFIG_TYPE_…)? Reports it if not. */
bool conf_expect(const struct conf_scope *scope,
                 const config_setting_t *setting, int type, const char *what);

/* The text, or NULL: reported as no text, empty, too long, unclean. */
const char *conf_text(const struct conf_scope *scope,
                      const config_setting_t *setting,
                      const struct conf_key *key);

/* ---- values.c: char ** unless said ---- */

void conf_read_text(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field);
/* Made relative to the main file's folder. */
void conf_read_path(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field);
/* uint32_t */
void conf_read_number(const struct conf_scope *scope,
                      const config_setting_t *setting,
                      const struct conf_key *key, void *field);
/* bool */
void conf_read_bool(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field);
/* double */
void conf_read_score(const struct conf_scope *scope,
                     const config_setting_t *setting,
                     const struct conf_key *key, void *field);
/* uint32_t: minutes after midnight */
void conf_read_time(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field);
/* uint32_t: a bit for each day */
void conf_read_days(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field);
/* struct strings, at most key->max */
void conf_read_strings(const struct conf_scope *scope,
                       const config_setting_t *setting,
                       const struct conf_key *key, void *field);
/*
 * The place of the text in `names`, or -1, reported with the nearest one.
 */
int conf_read_choice(const struct conf_scope *scope,
                     const config_setting_t *setting,
                     const struct strings *names);
/* A path of the main file, for our use; the caller owns it. */
char *conf_resolve(const struct conf_loader *loader, const char *path);

/* ---- checks.c: a sentence about what is wrong with a text ---- */

int conf_check_address(const char *text, struct error *err);
int conf_check_folder(const char *path, struct error *err);
/* It need not exist, but must be nothing else. */
int conf_check_folder_to_be(const char *path, struct error *err);
int conf_check_file(const char *path, struct error *err);
int conf_check_list_id(const char *text, struct error *err);
int conf_check_unsubscribe(const char *text, struct error *err);
int conf_check_smtp_url(const char *text, struct error *err);
int conf_check_proxy(const char *text, struct error *err);
int conf_check_api_url(const char *text, struct error *err);

/* ---- choices.c: what a subscriber chooses from ---- */

int conf_check_category(const char *text, struct error *err);
/* uint32_t: a bit for each type */
void conf_read_announce(const struct conf_scope *scope,
                        const config_setting_t *setting,
                        const struct conf_key *key, void *field);
/* Opens the zone for the config, unless it is; false if there is none. */
bool conf_keep_zone(struct conf_loader *loader, const char *name);

void conf_read_zone(const struct conf_scope *scope,
                    const config_setting_t *setting, const struct conf_key *key,
                    void *field);
void conf_read_language(const struct conf_scope *scope,
                        const config_setting_t *setting,
                        const struct conf_key *key, void *field);
/* struct subscriber */
void conf_read_paused(const struct conf_scope *scope,
                      const config_setting_t *setting,
                      const struct conf_key *key, void *field);

/* ---- settings.c ---- */

/* All of the main file but defaults and subscribers. */
void conf_read_settings(struct conf_loader *loader);

/* ---- secret.c ---- */

/*
 * Reads a secret's file, less one line end. Fails if it is not a file of
 * root's, ours or the service user's, or others may read it.
 */
MUST_CHECK int conf_read_secret(char **ret_secret, const char *path,
                                uid_t service_uid, struct error *err);

/* ---- folder.c ---- */

/*
 * The names of the folder's *.conf files, sorted by their bytes; a folder
 * that is not there has none.
 */
MUST_CHECK int conf_list_folder(struct strings *ret_names, const char *path,
                                struct error *err);

/* ---- strings.c ---- */

/* The built-in languages and those of templates_dir. */
void conf_read_languages(struct conf_loader *loader);

/* ---- topics.c ---- */

/*
 * Is the topic a query? Each text that is none is reported where it stands
 * in `group`; lists that are not in `group` come from defaults.
 */
void conf_check_topic(const struct conf_scope *scope,
                      const config_setting_t *group, const struct topic *topic);
/* Reads a list of topics and adds them to the struct subscriber. */
void conf_read_topics(const struct conf_scope *scope,
                      const config_setting_t *setting,
                      const struct conf_key *key, void *field);

/* ---- subscribers.c ---- */

/* Checks the defaults group for itself; errors in it are said once. */
void conf_read_defaults(struct conf_loader *loader);

/* ---- times.c ---- */

/*
 * Warns of a send_at that precedes the batch of its day, each combination of
 * time and zone once.
 */
void conf_warn_of_times(struct conf_loader *loader);
/* Adds a file's subscribers to the conf. */
void conf_read_subscribers(struct conf_loader *loader,
                           const struct conf_source *source);
