#pragma once

/* What a feed would have said of a paper: its day and its type. Pure. */

#include <stdint.h>

#include "model/day.h"
#include "model/paper.h"

/* The first day whose feed can show what was submitted at an instant. */
int32_t recover_day(const struct zone *new_york, int64_t at);

/* New where the category, or one of an archive, is the paper's primary one. */
enum announce_type recover_type(const char *category,
                                const struct paper *paper);
