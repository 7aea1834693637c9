#pragma once

/*
 * The arXiv of the simulated years: what each category announces on each day,
 * and what its feed shows at an instant. It is drawn from one seed, and knows
 * nothing of the program that reads it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/paper.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400
#define WEEK (7 * DAY)
#define HALF_HOUR 1800

/* ---- chance ---- */

/* xorshift64*: the same years for the same seed. */
static inline uint32_t draw(uint64_t *chance, uint32_t below)
{
	*chance ^= *chance >> 12;
	*chance ^= *chance << 25;
	*chance ^= *chance >> 27;
	return (uint32_t)((*chance * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

/* ---- local time, from the C library; the program takes it from GLib ---- */

struct local {
	char tz[64];      /* for the environment, while it is asked */
	int64_t since;    /* of the first half hour */
	int32_t *offsets; /* of each half hour, in seconds */
	size_t n;
};

static inline void local_init(struct local *local, const char *name,
                              int64_t since, int64_t until)
{
	*local = (struct local){.since = since};
	local->n = (size_t)((until - since) / HALF_HOUR);
	local->offsets = mem_array(local->n, sizeof(*local->offsets));
	snprintf(local->tz, sizeof(local->tz), "TZ=%s", name);
	putenv(local->tz);
	tzset();
	for (size_t i = 0; i < local->n; i++) {
		time_t at = since + (int64_t)i * HALF_HOUR;
		struct tm tm;

		localtime_r(&at, &tm);
		local->offsets[i] = (int32_t)tm.tm_gmtoff;
	}
	unsetenv("TZ");
	tzset();
}

static inline int64_t local_of(const struct local *local, int64_t at)
{
	size_t i = (size_t)((at - local->since) / HALF_HOUR);

	assert_true(at >= local->since && i < local->n);
	return at + local->offsets[i];
}

static inline int32_t day_of(const struct local *local, int64_t at)
{
	return (int32_t)(local_of(local, at) / DAY);
}

static inline int weekday_of(int32_t day)
{
	return (day + 3) % 7; /* 1970-01-01 was a Thursday; Monday is 0 */
}

/* The first instant at which the clock there has come to day and minute. */
static inline int64_t instant_of(const struct local *local, int32_t day,
                                 int minute)
{
	int64_t wanted = (int64_t)day * DAY + minute * MINUTE;

	for (int64_t at = (int64_t)day * DAY - 16 * HOUR;; at += HALF_HOUR) {
		int64_t left = wanted - local_of(local, at);

		if (left < HALF_HOUR)
			return left < 0 ? at : at + left;
	}
}

/* ---- papers and batches ---- */

enum { CATEGORIES = 4, WORDS = 8 };

static const char *const category_names[CATEGORIES] = {"cs.CL", "cs.LG",
                                                       "math.CO", "hep-th"};
static const char *const words[WORDS] = {"gluon", "monoid", "tensor", "kernel",
                                         "braid", "parser", "quiver", "syntax"};

/* One paper in one category's batch. */
struct item {
	uint32_t paper;
	uint32_t version;
	enum announce_type type;
	int32_t from_sec; /* of its day: not shown before */
	int32_t seen_day; /* New York's; 0: the program has not seen it */
};

struct batch {
	struct item *items;
	size_t n;
	size_t capacity;
	int32_t late_until; /* the last batch is shown until this second */
	int32_t empty_until;
};

struct arxiv {
	uint64_t chance;
	struct local new_york;
	int32_t first_day;
	int32_t n_days;
	struct batch *batches; /* of day and category */
	uint8_t *words_of;     /* of each paper: a bit a word */
	uint32_t *versions;
	size_t words_capacity;
	size_t versions_capacity;
	uint32_t n_papers;
	struct buf holidays; /* those that arXiv's calendar tells */
};

static inline struct batch *batch_of(const struct arxiv *arxiv, int32_t day,
                                     int category)
{
	return &arxiv->batches[(day - arxiv->first_day) * CATEGORIES +
	                       category];
}

/* Of an evening; every 40th day or so. Some are not in the calendar. */
static inline bool is_free_evening(int32_t day)
{
	return day % 41 == 0 || day % 97 == 0;
}

static inline bool has_batch(int32_t day)
{
	return weekday_of(day) < 5 && !is_free_evening(day - 1);
}

static inline void add_item(struct arxiv *arxiv, int32_t day, int category,
                            struct item item)
{
	struct batch *batch;

	while (day < arxiv->first_day + arxiv->n_days && !has_batch(day))
		day++;
	if (day >= arxiv->first_day + arxiv->n_days)
		return;
	batch = batch_of(arxiv, day, category);
	batch->items = mem_grow(batch->items, &batch->capacity, batch->n + 1,
	                        sizeof(*batch->items));
	batch->items[batch->n++] = item;
}

static inline void announce_new(struct arxiv *arxiv, int32_t day, int category,
                                int32_t from_sec)
{
	struct item item = {.paper = arxiv->n_papers,
	                    .version = 1,
	                    .type = ANNOUNCE_NEW,
	                    .from_sec = from_sec};
	uint32_t n = arxiv->n_papers + 1;
	uint8_t had = 0;

	arxiv->words_of = mem_grow(arxiv->words_of, &arxiv->words_capacity, n,
	                           sizeof(*arxiv->words_of));
	arxiv->versions = mem_grow(arxiv->versions, &arxiv->versions_capacity,
	                           n, sizeof(*arxiv->versions));
	for (int i = 0; i < WORDS; i++)
		had |= (uint8_t)((draw(&arxiv->chance, 12) == 0) << i);
	arxiv->words_of[arxiv->n_papers] = had;
	arxiv->versions[arxiv->n_papers] = 1;
	arxiv->n_papers = n;
	add_item(arxiv, day, category, item);
	if (draw(&arxiv->chance, 6) != 0)
		return;
	item.type = ANNOUNCE_CROSS;
	add_item(arxiv, day + (draw(&arxiv->chance, 4) == 0),
	         (category + 1) % CATEGORIES, item);
}

static inline void announce_again(struct arxiv *arxiv, int32_t day,
                                  int category)
{
	uint32_t paper;

	if (arxiv->n_papers < 500)
		return;
	/* None of today's: a feed shows a paper once. */
	paper = arxiv->n_papers - 150 - draw(&arxiv->chance, 350);
	if (arxiv->versions[paper] < 5)
		add_item(arxiv, day, category,
		         (struct item){.paper = paper,
		                       .version = ++arxiv->versions[paper],
		                       .type = ANNOUNCE_REPLACE});
}

static inline void draw_batch(struct arxiv *arxiv, int32_t day, int category)
{
	struct batch *batch = batch_of(arxiv, day, category);
	uint64_t *chance = &arxiv->chance;
	uint32_t n = 10 + draw(chance, 4);

	if (weekday_of(day) == 1)
		n *= 2;
	for (uint32_t i = 0; i < n; i++)
		announce_new(arxiv, day, category, 0);
	for (uint32_t i = draw(chance, 4); i > 0; i--)
		announce_again(arxiv, day, category);
	for (uint32_t i = draw(chance, 12) == 0 ? 3 : 0; i > 0; i--)
		announce_new(arxiv, day, category, 8 * HOUR); /* stragglers */
	if (draw(chance, 14) == 0)
		batch->late_until = (int32_t)draw(chance, 12 * HOUR);
	if (draw(chance, 60) == 0)
		batch->late_until = DAY;
	if (draw(chance, 30) == 0)
		batch->empty_until = (int32_t)draw(chance, 9 * HOUR);
}

/* What the calendar tells; evenings at every 97th day are a surprise. */
static inline void write_holidays(struct arxiv *arxiv)
{
	arxiv->holidays = BUF_INIT(65536);
	for (int32_t day = arxiv->first_day;
	     day < arxiv->first_day + arxiv->n_days; day++) {
		time_t at = (time_t)day * DAY;
		char text[16];
		struct tm tm;

		gmtime_r(&at, &tm);
		strftime(text, sizeof(text), "%Y-%m-%d", &tm);
		if (day % 41 == 0)
			buf_addf(&arxiv->holidays, "%s\n", text);
	}
}

static inline void arxiv_init(struct arxiv *arxiv, uint64_t seed,
                              int32_t first_day, int32_t n_days)
{
	*arxiv = (struct arxiv){.chance = seed * 2 + 1,
	                        .first_day = first_day,
	                        .n_days = n_days};
	local_init(&arxiv->new_york, "America/New_York",
	           (int64_t)first_day * DAY - 30 * DAY,
	           (int64_t)(first_day + n_days) * DAY + 60 * DAY);
	arxiv->batches = mem_array((size_t)(n_days * CATEGORIES),
	                           sizeof(*arxiv->batches));
	for (int32_t day = first_day; day < first_day + n_days; day++)
		for (int i = 0; i < CATEGORIES && has_batch(day); i++)
			draw_batch(arxiv, day, i);
	write_holidays(arxiv);
}

static inline void arxiv_fini(struct arxiv *arxiv)
{
	for (int i = 0; i < arxiv->n_days * CATEGORIES; i++)
		free(arxiv->batches[i].items);
	free(arxiv->batches);
	free(arxiv->words_of);
	free(arxiv->versions);
	free(arxiv->new_york.offsets);
	buf_fini(&arxiv->holidays);
}

/* ---- feeds ---- */

/* What a category's feed shows. */
struct shown {
	struct item *items[200];
	size_t n;
	int32_t day;   /* whose batch */
	int32_t today; /* New York's */
};

static inline void show(const struct arxiv *arxiv, int category, int64_t at,
                        struct shown *shown)
{
	int64_t local = local_of(&arxiv->new_york, at);
	int32_t second = (int32_t)(local % DAY);
	int32_t day = (int32_t)(local / DAY);
	const struct batch *batch = batch_of(arxiv, day, category);

	*shown = (struct shown){.day = day, .today = day};
	if (second < batch->late_until) {
		for (day--; day > arxiv->first_day && !has_batch(day);)
			day--;
		batch = batch_of(arxiv, day, category);
		shown->day = day;
		second = DAY;
	} else if (second < batch->empty_until) {
		return;
	}
	for (size_t i = 0; i < batch->n; i++)
		if (batch->items[i].from_sec <= second)
			shown->items[shown->n++] = &batch->items[i];
	assert_true(shown->n < 200);
}

/* Empty feeds differ by their day, too. */
static inline void write_etag(const struct shown *shown, char etag[64])
{
	snprintf(etag, 64, "%d-%zu-%d", shown->day, shown->n,
	         shown->n > 0 ? 0 : shown->today);
}

static inline void write_item(const struct arxiv *arxiv,
                              const struct item *item, int category,
                              struct buf *out)
{
	static const char *const types[] = {"new", "cross", "replace"};

	buf_addf(out, "<item><title>Paper %u about", item->paper);
	for (int i = 0; i < WORDS; i++)
		if (arxiv->words_of[item->paper] >> i & 1)
			buf_addf(out, " %s", words[i]);
	buf_addf(out,
	         " things</title><description>arXiv:2301.%05uv%u Announce "
	         "Type: %s \nAbstract: About it.</description><guid "
	         "isPermaLink=\"false\">oai:arXiv.org:2301.%05uv%u</guid>"
	         "<category>%s</category><arxiv:announce_type>%s"
	         "</arxiv:announce_type><dc:creator>M. Okafor</dc:creator>"
	         "</item>",
	         item->paper, item->version, types[item->type], item->paper,
	         item->version, category_names[category], types[item->type]);
}

static inline void write_feed(const struct arxiv *arxiv,
                              const struct shown *shown, int category,
                              struct buf *out)
{
	buf_addf(out,
	         "<rss version=\"2.0\" xmlns:arxiv="
	         "\"http://arxiv.org/schemas/atom\" xmlns:dc="
	         "\"http://purl.org/dc/elements/1.1/\"><channel>"
	         "<title>%s updates on arXiv.org</title>",
	         category_names[category]);
	for (size_t i = 0; i < shown->n; i++)
		write_item(arxiv, shown->items[i], category, out);
	buf_add_str(out, "</channel></rss>");
}
