#pragma once

/* What fetching is made of: rules for URLs, and the machine-wide gate. */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/owned.h"

struct url_facts {
	bool is_file;
	bool is_loopback;
};

/* feed_check_url(), with what was learnt on the way. */
MUST_CHECK int url_examine(const char *url, struct url_facts *ret_facts,
                           struct error *err);

/* Of numeric addresses; what cannot be read is neither. */
bool address_is_loopback(const char *address);
/* Neither loopback, private, link-local nor otherwise special. */
bool address_is_public(const char *address);

struct fetch_fault {
	int code; /* libcurl's, or HTTP's status */
	enum error_kind kind;
	const char *what;
};

/* Of a CURLcode that is not CURLE_OK; of a status that brings no feed. */
const struct fetch_fault *fetch_fault(int code);
struct fetch_fault fetch_status_fault(long status);

/*
 * The gate: who has passed it may make one request; no other process that
 * uses the same folder passes before gate_leave(), and no one within
 * LIMIT_FEED_PAUSE_SEC of it. It never waits: it says how long to wait.
 */
struct gate;

enum gate_outcome {
	GATE_PASSED = 0,
	GATE_WAIT = 1, /* come back in *ret_wait_ms */
};

/* `state_dir` NULL: within this process only. `clock` is borrowed. */
MUST_CHECK int gate_open(struct gate **ret_gate, const struct clock *clock,
                         const char *state_dir, struct error *err);
void gate_close(struct gate *gate);

MUST_CHECK int gate_enter(struct gate *gate, int64_t *ret_wait_ms,
                          struct error *err);
void gate_leave(struct gate *gate);

OWNED_DEFINE(gate, struct gate, gate_close);
