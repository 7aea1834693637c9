#pragma once

/* Shared by poll.c, one request and its outcome, and poller.c. */

#include "service/poll.h"

struct errand;

/* Requests on their way, and what has come of them. */
struct poll {
	struct service *service;
	struct zone *new_york;
	size_t n_pending;
	struct errand *errands; /* the pending ones */
	const struct service_poll_events *events;
	struct service_poll_results results;
	struct error error; /* of the store, the first one */
	bool failed;
	struct strings unheard; /* categories whose answers it lost */
};

MUST_CHECK int poll_open(struct poll *poll, struct service *service,
                         const struct service_poll_events *poll_events,
                         struct error *err);
/*
 * Also of one that could not be opened. What is on its way must not be answered
 * any more: the fetcher is closed.
 */
void poll_close(struct poll *poll);

MUST_CHECK int poll_start(struct poll *poll, const char *category,
                          struct error *err);

/* One line. */
void poll_log(const struct service_poll_result *result);

/* A day of which nothing is known has an outcome all the same. */
MUST_CHECK int poll_note_day_off(const struct service *service,
                                 const char *category, int32_t day,
                                 struct error *err);
