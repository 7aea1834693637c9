#pragma once

/*
 * The config: one file and its subscribers.d, read into an immutable object,
 * or every error in them. All errors of all files are found in one run, each
 * as `FILE:LINE: SETTING: what`, with a suggestion where there is one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/owned.h"
#include "base/strings.h"
#include "digest/render.h"
#include "feed/fetch.h"
#include "llm/request.h"
#include "mail/message.h"
#include "mail/smtp.h"
#include "model/calendar.h"
#include "model/day.h"
#include "model/subscriber.h"

#define CONF_DEFAULT_PATH "/etc/arxmail/arxmail.conf"

struct conf {
	char *path;
	char *state_dir;     /* absolute, or relative to the working folder */
	char *templates_dir; /* NULL: built-in only */
	uint32_t keep_days;
	struct mail_sender sender;
	struct smtp_options smtp;
	struct feed_options feeds;
	struct llm_options llm;   /* `url` NULL: off */
	struct calendar holidays; /* "holidays" beside the file, or built-in */
	struct subscriber **subscribers; /* in the order of the files */
	size_t n_subscribers;
	size_t subscribers_capacity;
	struct subscriber **by_id; /* the same, sorted by id */
	struct digest_templates *templates;
	struct digest_language **languages; /* built-in and templates_dir's */
	size_t n_languages;
	size_t languages_capacity;
	/*
	 * All that is needed, open: GLib reads the file of a zone each time
	 * that zone_open() is called and nobody has it open.
	 */
	struct zone **zones;
	size_t n_zones;
	size_t zones_capacity;
};

/* What the files say wrong, or oddly. */
struct conf_report {
	struct strings errors;
	struct strings warnings;
};

void conf_report_fini(struct conf_report *report);

static inline void owned_release_conf_report(struct conf_report *report)
{
	conf_report_fini(report);
}

enum conf_outcome {
	CONF_VALID = 0,
	CONF_INVALID = 1, /* report->errors has one line or more */
};

/*
 * Reads the config at `path`, the files of subscribers.d beside it, the
 * password file, templates and strings. CONF_VALID: the caller owns
 * *ret_conf. `report` (zeroed before) is filled in both cases. Changes
 * nothing; state_dir need not exist.
 */
MUST_CHECK int conf_load(struct conf **ret_conf, const char *path,
                         struct conf_report *report, struct error *err);
void conf_free(struct conf *conf);

OWNED_DEFINE(conf, struct conf, conf_free);

/* The subscriber with this id or, failing that, address; or NULL. */
const struct subscriber *conf_find_subscriber(const struct conf *conf,
                                              const char *id_or_email);

/* The language with this code, which conf_load() has checked. */
const struct digest_language *conf_language(const struct conf *conf,
                                            const char *code);

/* Appends the name and version of libconfig. */
void conf_add_library(struct buf *out);
