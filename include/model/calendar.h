#pragma once

/*
 * arXiv's calendar: on which days its feeds bring a batch. It announces in the
 * evenings of Sunday to Thursday in New York, but not on its holidays, and the
 * feeds show that after midnight
 * (https://info.arxiv.org/help/availability.html).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/span.h"

/* Days without an announcement, sorted. */
struct calendar {
	int32_t *items;
	size_t n;
	size_t capacity;
};

void calendar_fini(struct calendar *calendar);

/* The built-in list, of the years that were known when this was released. */
void calendar_init(struct calendar *ret_calendar);

/*
 * A list of one's own: a date a line, '#' begins a comment. ERROR_SYNTAX names
 * the line.
 */
MUST_CHECK int calendar_parse(struct calendar *ret_calendar, struct span text,
                              struct error *err);

/*
 * Is the feed of this New York day sure to bring a batch? Not on weekends, nor
 * on a holiday or the day after one: which of the two it touches is not said
 * where holidays are announced.
 */
bool calendar_has_batch(const struct calendar *calendar, int32_t day);
