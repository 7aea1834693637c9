/* What is wrong, and in which words. */

#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/limits.h"
#include "base/mem.h"
#include "health_private.h"
#include "model/calendar.h"
#include "model/day.h"
#include "service/poll.h"

#define FEED "feed "
#define RELAY "relay"
#define DISK "disk"
#define MAIL "mail"

#define SEC_PER_DAY 86400
#define SEC_PER_MIN 60
#define FAILING_MIN 180 /* after polls begin; then it is no hiccup */
#define LOOK_BACK_DAYS 14
#define SILENT_DAYS 3
#define LOW_BYTES (256ULL * LIMIT_MIB)
#define ENOUGH_BYTES (512ULL * LIMIT_MIB)

/* Takes `words`. */
static void add(struct store_ills *list, char *subject, int64_t since,
                char *words)
{
	list->items = mem_grow(list->items, &list->capacity, list->n + 1,
	                       sizeof(*list->items));
	list->items[list->n++] =
		(struct store_ill){subject, since, words, false};
}

const struct store_ill *health_get(const struct store_ills *list,
                                   const char *subject)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i].subject, subject))
			return &list->items[i];
	return NULL;
}

/* ---- feeds ---- */

struct new_york {
	int32_t day;
	uint32_t minute;
};

enum verdict {
	CAME,
	FAILED,
	OPEN, /* says nothing yet, or nothing at all */
};

/* Small categories have days without a paper: an empty feed is no failure. */
static enum verdict judge_day(const struct service *service,
                              const struct store_outcome *outcome,
                              const struct new_york *now)
{
	const struct feed_options *feeds = &service->conf->feeds;
	bool is_failing = outcome->outcome == OUTCOME_UNREACHABLE ||
	                  outcome->outcome == OUTCOME_INVALID;
	bool is_over = outcome->of_day.day < now->day ||
	               now->minute >= feeds->poll_until_min;

	if (outcome->recovered || outcome->outcome == OUTCOME_FRESH ||
	    outcome->outcome == OUTCOME_PARTIAL)
		return CAME;
	if (!calendar_has_batch(&service->conf->holidays, outcome->of_day.day))
		return OPEN;
	if (is_failing &&
	    (is_over || now->minute >= feeds->poll_from_min + FAILING_MIN))
		return FAILED;
	return is_over && outcome->outcome == OUTCOME_STALE ? FAILED : OPEN;
}

static int find_feed(const struct service *service, const char *category,
                     const struct new_york *now, struct store_ills *list,
                     struct error *err)
{
	const struct store_day since = {OUTCOME_OF_CATEGORY, category,
	                                now->day - LOOK_BACK_DAYS};
	const struct store_outcome *first = NULL;
	struct store_outcomes days = {0};

	if (store_list_outcomes_of(service->store, &since, &days, err) < 0)
		return -1;
	for (size_t i = days.n; i > 0; i--) {
		enum verdict verdict =
			judge_day(service, &days.items[i - 1], now);

		if (verdict == CAME)
			break;
		if (verdict == FAILED)
			first = &days.items[i - 1];
	}
	if (first)
		add(list, mem_printf(FEED "%s", category),
		    (int64_t)first->of_day.day * SEC_PER_DAY,
		    mem_printf("%s: %s", outcome_name(first->outcome),
		               first->reason));
	store_outcomes_fini(&days);
	return 0;
}

static int find_feeds(struct service *service, const struct new_york *now,
                      struct store_ills *list, struct error *err)
{
	owned(strings) struct strings categories = {0};

	service_categories(service->conf, NULL, &categories);
	for (size_t i = 0; i < categories.n; i++)
		if (find_feed(service, categories.items[i], now, list, err) < 0)
			return -1;
	return 0;
}

/* ---- the rest ---- */

static int find_relay(const struct service *service, struct store_ills *list,
                      struct error *err)
{
	struct store_trouble trouble = {0};
	int found = store_get_trouble(service->store, &trouble, err);

	if (found < 0)
		return -1;
	if (found == STORE_FOUND)
		add(list, mem_dup(RELAY), trouble.since,
		    mem_dup(trouble.words));
	store_trouble_fini(&trouble);
	return 0;
}

static void find_disk(const struct service *service,
                      const struct store_ills *known, int64_t now,
                      struct store_ills *list)
{
	uint64_t wanted = health_get(known, DISK) ? ENOUGH_BYTES : LOW_BYTES;
	struct statvfs disk;
	uint64_t free_bytes;

	if (statvfs(service->conf->state_dir, &disk) < 0)
		return;
	free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (free_bytes < wanted)
		add(list, mem_dup(DISK), now,
		    mem_printf("%llu MiB are free in %s",
		               (unsigned long long)(free_bytes / LIMIT_MIB),
		               service->conf->state_dir));
}

/* Three days with a batch before today have passed since this one began. */
static int32_t find_silent_since(const struct service *service, int32_t today)
{
	int32_t day = today;
	int n = 0;

	while (n < SILENT_DAYS && day > today - LOOK_BACK_DAYS)
		n += calendar_has_batch(&service->conf->holidays, --day);
	return day;
}

static int find_silence(const struct service *service, int32_t today,
                        struct store_ills *list, struct error *err)
{
	int32_t since = find_silent_since(service, today);
	int found = store_find_sent_since(service->store, since, err);

	if (found < 0)
		return -1;
	if (found == STORE_MISSING && service->conf->n_subscribers > 0)
		add(list, mem_dup(MAIL), (int64_t)since * SEC_PER_DAY,
		    mem_dup("'arxmail status' has each one's reason"));
	return 0;
}

int health_find(struct service *service, const struct store_ills *known,
                struct store_ills *ret_now, struct error *err)
{
	owned(zone) struct zone *zone = zone_open(DAY_NEW_YORK);
	int64_t now = clock_now_sec(&service->world->clock);
	struct new_york new_york;

	if (!zone)
		return 0;
	new_york.day = zone_day(zone, now);
	new_york.minute = (uint32_t)zone_second(zone, now) / SEC_PER_MIN;
	if (find_feeds(service, &new_york, ret_now, err) < 0 ||
	    find_relay(service, ret_now, err) < 0)
		return -1;
	find_disk(service, known, now, ret_now);
	return find_silence(service, new_york.day, ret_now, err);
}

/* ---- words ---- */

struct wording {
	const char *subject; /* how it begins */
	const char *began;
	const char *ended;
	const char *advice;
};

static const struct wording wordings[] = {
	{FEED, "has not come", "comes again",
         "arxmail goes on asking, and takes days that were missed from arXiv's "
         "archive. 'arxmail check feeds' tells whether this machine reaches "
         "arXiv."},
	{RELAY, "the relay takes nothing", "the relay takes mails again",
         "Digests stay in the queue and leave by themselves. 'arxmail check "
         "smtp' tells what is wrong."},
	{DISK, "the disk is nearly full", "the disk has room again",
         "When it is full, nothing can be stored and nothing is sent. Make "
         "room, or lower keep_days."},
	{MAIL, "no digest was sent", "digests are sent again",
         "'arxmail status' says why for each category and each subscriber; "
         "'arxmail explain' and 'arxmail try' tell of filters."},
};

static const struct wording *find_wording(const struct store_ill *ill)
{
	size_t i = 0;

	while (i + 1 < sizeof(wordings) / sizeof(*wordings) &&
	       !span_starts(span_of(ill->subject), wordings[i].subject))
		i++;
	return &wordings[i];
}

/* "cs.CL " of a feed, "" of the rest. */
static char *name_of(const struct store_ill *ill)
{
	return span_starts(span_of(ill->subject), FEED)
	               ? mem_printf("%s ", ill->subject + strlen(FEED))
	               : mem_dup("");
}

static char *say(const struct store_ill *ill, const char *what, int64_t since)
{
	owned(mem) char *name = name_of(ill);
	char day[DAY_TEXT_SIZE];

	return mem_printf("%s%s since %s: %s", name, what,
	                  day_format((int32_t)(since / SEC_PER_DAY), day),
	                  ill->words);
}

char *health_say_begin(const struct store_ill *ill)
{
	return say(ill, find_wording(ill)->began, ill->since);
}

char *health_say_end(const struct store_ill *ill, int64_t now)
{
	owned(mem) char *name = name_of(ill);
	char since[DAY_TEXT_SIZE];
	char until[DAY_TEXT_SIZE];

	return mem_printf(
		"%s%s (from %s to %s: %s)", name, find_wording(ill)->ended,
		day_format((int32_t)(ill->since / SEC_PER_DAY), since),
		day_format((int32_t)(now / SEC_PER_DAY), until), ill->words);
}

const char *health_advice(const struct store_ill *ill)
{
	return find_wording(ill)->advice;
}
