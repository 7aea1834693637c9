#pragma once

/* The config's small formats: times, days, URLs. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

/* "07:30" as minutes after midnight; two digits each, to 23:59. */
bool conf_parse_time(struct span text, uint32_t *ret_min);

/*
 * "mon-fri", "tue,thu", "sat-mon" (over the end of the week) and their
 * mixtures as bits, bit 0 being Monday. Fails with a sentence.
 */
MUST_CHECK int conf_parse_days(struct span text, uint32_t *ret_days,
                               struct error *err);

/* SCHEME://[USER@]HOST[:PORT][/…], borrowed from its text. */
struct conf_url {
	struct span scheme;
	struct span user; /* empty: none */
	struct span host; /* without the brackets of an IPv6 address */
	uint32_t port;    /* 0: none */
	struct span path; /* from the first '/', '?' or '#' on */
};

/* Fails with a sentence; letters, digits and URL punctuation only. */
MUST_CHECK int conf_parse_url(struct conf_url *ret_url, struct span text,
                              struct error *err);

enum conf_host {
	CONF_HOST_PUBLIC,   /* a name, or an address of the Internet */
	CONF_HOST_LOOPBACK, /* localhost, 127.0.0.0/8, ::1 */
	CONF_HOST_PRIVATE,  /* RFC 1918, RFC 4193, link-local */
};

enum conf_host conf_classify_host(struct span host);

/* LDH labels with a dot between: what a List-Id may be (RFC 2919). */
bool conf_is_dotted_name(struct span text);
