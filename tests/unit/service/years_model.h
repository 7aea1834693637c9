#pragma once

/*
 * The model of the simulated years: who reads, what each of them must get and
 * when, and what the program must have said of each day. Simple and slow, and
 * of the program's rules only the words of DESIGN.
 */

#include "base/num.h"
#include "model/day.h"
#include "years_world.h"

/* What the loop and its retries may add to a promised time. */
#define SLACK_SEC (3 * MINUTE)
#define RETRY_SEC HOUR
/* Slots are looked at when all of that is over. */
#define AUDIT_SEC (RETRY_SEC + 10 * MINUTE)
/* A digest does not look back further; a day less, for clocks that were set. */
#define CANDIDATE_SEC (13 * DAY)
#define POLL_FROM (10 * MINUTE)
#define POLL_UNTIL (12 * HOUR)

/* ---- who reads ---- */

enum { MON_FRI = 0x1f, ALL_DAYS = 0x7f, FRI = 0x10, TUE_SAT = 0x3e };

/* The config's other state: some pause, go or get up at another time. */
enum habit { STEADY, PAUSES, GOES, MOVES };

struct profile {
	const char *zone;
	int send_min;
	int days;
	int wait_min;
	int categories; /* bits */
	int word;       /* -1: any */
	enum habit habit;
};

static const struct profile profiles[] = {
	{"Australia/Lord_Howe", 115, ALL_DAYS, 120, 0x1, 0, STEADY},
	{"Asia/Kathmandu", 0, MON_FRI, 0, 0x3, 1, STEADY},
	{"Pacific/Chatham", 165, ALL_DAYS, 30, 0x4, 2, STEADY},
	{"Pacific/Apia", 0, ALL_DAYS, 120, 0x9, 3, STEADY},
	{"Pacific/Apia", 720, FRI, 120, 0x2, 4, STEADY},
	{"Pacific/Kiritimati", 1439, ALL_DAYS, 600, 0x3, 5, STEADY},
	{"Europe/Berlin", 150, ALL_DAYS, 120, 0x1, 6, STEADY},
	{"Europe/Berlin", 450, MON_FRI, 120, 0xf, 0, PAUSES},
	{"Europe/London", 60, ALL_DAYS, 60, 0x5, 1, MOVES},
	{"Europe/Lisbon", 420, TUE_SAT, 1440, 0x2, 2, STEADY},
	{"Europe/Istanbul", 480, ALL_DAYS, 10, 0x8, 3, STEADY},
	{"Europe/Moscow", 390, MON_FRI, 120, 0x6, 4, GOES},
	{"Europe/Kyiv", 210, ALL_DAYS, 120, 0x1, 5, STEADY},
	{"Africa/Cairo", 0, ALL_DAYS, 120, 0x3, 6, STEADY},
	{"Africa/Casablanca", 150, ALL_DAYS, 90, 0xc, 7, STEADY},
	{"Asia/Amman", 30, ALL_DAYS, 120, 0x2, 0, STEADY},
	{"Asia/Damascus", 15, FRI, 120, 0xf, 1, STEADY},
	{"Asia/Beirut", 0, ALL_DAYS, 120, 0x1, 2, STEADY},
	{"Asia/Gaza", 60, ALL_DAYS, 120, 0x4, 3, STEADY},
	{"Asia/Tehran", 0, TUE_SAT, 240, 0x8, 4, STEADY},
	{"Asia/Almaty", 1430, ALL_DAYS, 120, 0x3, 5, STEADY},
	{"Asia/Kolkata", 810, ALL_DAYS, 120, 0x1, 6, STEADY},
	{"Asia/Shanghai", 450, MON_FRI, 120, 0x3, 7, STEADY},
	{"Asia/Tokyo", 840, ALL_DAYS, 45, 0x2, -1, STEADY},
	{"America/New_York", 5, ALL_DAYS, 120, 0x5, 0, STEADY},
	{"America/New_York", 150, ALL_DAYS, 720, 0x1, 1, STEADY},
	{"America/St_Johns", 121, ALL_DAYS, 120, 0xa, 2, STEADY},
	{"America/Nuuk", 1320, ALL_DAYS, 120, 0x1, 3, STEADY},
	{"America/Scoresbysund", 0, ALL_DAYS, 120, 0x2, 4, MOVES},
	{"America/Ciudad_Juarez", 120, ALL_DAYS, 120, 0x4, 5, STEADY},
	{"America/Havana", 0, ALL_DAYS, 120, 0x8, 6, STEADY},
	{"America/Asuncion", 0, ALL_DAYS, 120, 0x1, 7, STEADY},
	{"America/Los_Angeles", 1380, MON_FRI, 120, 0x3, 0, PAUSES},
	{"Pacific/Pago_Pago", 690, ALL_DAYS, 120, 0x2, 1, STEADY},
	{"Antarctica/Troll", 120, FRI, 120, 0x3, 2, GOES},
	{"UTC", 240, ALL_DAYS, 120, 0x1, 3, STEADY},
};

enum { READERS = sizeof(profiles) / sizeof(*profiles) };

/* A paper that the program has seen and the reader has not. */
struct due {
	uint32_t paper;
	uint32_t version;
	int64_t seen_at;
	int64_t stored_at; /* by the machine's clock */
	bool is_optional;
};

struct reader {
	const struct profile *profile;
	struct local local;
	bool asks_again; /* for replacements */
	bool has_begun;  /* what comes from now on must arrive */
	uint32_t *got;   /* version of each paper; 0: none */
	struct due *due;
	size_t n_due;
	size_t capacity;
	int32_t audited_day; /* the last slot's */
	bool *is_mailed;     /* of each day since the first */
	char lost[64];       /* a Message-ID whose acceptance was not heard */
};

struct years {
	struct sim sim; /* the first, so that it is found */
	uint64_t seed;
	int32_t first_day;
	int32_t n_days;
	bool is_other;     /* the config's other state */
	int64_t calm_from; /* when the last disturbance ended */
	int32_t back_day;  /* New York's, on which it came back after months */
	int32_t gone_day;  /* and the last one before */
	struct reader readers[READERS];
	struct {
		int64_t fresh_at; /* first, of the day below */
		int32_t fresh_day;
		int32_t audited_day;
		bool *is_fresh; /* of each day */
	} categories[CATEGORIES];
	bool *is_odd; /* days on which the clock was wrong or it was off */
	size_t n_mails;
	size_t n_entries;
};

static inline void blame(const struct years *years, const char *who,
                         const char *what)
{
	time_t at = true_now(&years->sim);
	char text[32];
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	fail_msg("%s UTC: %s: %s (SEED=%llu)", text, who, what,
	         (unsigned long long)years->seed);
}

static inline int send_min_of(const struct years *years,
                              const struct reader *reader)
{
	const struct profile *profile = reader->profile;

	if (profile->habit == MOVES && years->is_other)
		return (profile->send_min + 700) % 1440;
	return profile->send_min;
}

static inline bool is_away(const struct years *years,
                           const struct reader *reader)
{
	return years->is_other && (reader->profile->habit == PAUSES ||
	                           reader->profile->habit == GOES);
}

static inline bool is_slot_day(const struct reader *reader, int32_t day)
{
	return reader->profile->days >> weekday_of(day) & 1;
}

/* The slot that has passed last on the machine's clock. */
static inline int64_t last_slot(const struct years *years,
                                const struct reader *reader, int64_t at,
                                int32_t *ret_day)
{
	int32_t day = day_of(&reader->local, at);
	int minute = send_min_of(years, reader);

	for (;; day--) {
		int64_t slot = instant_of(&reader->local, day, minute);

		if (is_slot_day(reader, day) && slot <= at &&
		    day_of(&reader->local, slot) == day) {
			*ret_day = day;
			return slot;
		}
	}
}

/* ---- what the program sees ---- */

static inline bool is_wanted(const struct years *years,
                             const struct reader *reader,
                             const struct item *item)
{
	int word = reader->profile->word;

	if (item->type == ANNOUNCE_REPLACE)
		return reader->asks_again &&
		       item->version > reader->got[item->paper] &&
		       (word < 0 ||
		        years->sim.arxiv.words_of[item->paper] >> word & 1);
	return reader->got[item->paper] == 0 &&
	       (word < 0 || years->sim.arxiv.words_of[item->paper] >> word & 1);
}

static inline void expect(struct years *years, struct reader *reader,
                          const struct item *item)
{
	reader->due = mem_grow(reader->due, &reader->capacity,
	                       reader->n_due + 1, sizeof(*reader->due));
	reader->due[reader->n_due++] = (struct due){
		.paper = item->paper,
		.version = item->version,
		.seen_at = true_now(&years->sim),
		.stored_at = wall_now(&years->sim),
		/* Who reads once a week may find it too old. */
		.is_optional =
			!reader->has_begun || (reader->profile->days == FRI &&
	                                       years->sim.skew_sec < -DAY),
	};
}

/* New York's, as the machine's clock has it. */
static inline int32_t machine_day(const struct years *years)
{
	return day_of(&years->sim.arxiv.new_york, wall_now(&years->sim));
}

/* What was seen in a future is known when that comes. */
static inline void see(struct years *years, int category, struct item *item,
                       int32_t today)
{
	if (item->seen_day != 0)
		return;
	item->seen_day = machine_day(years);
	if (item->seen_day > today)
		item->seen_day = today;
	for (int i = 0; i < READERS; i++) {
		struct reader *reader = &years->readers[i];

		if ((reader->profile->categories >> category & 1) &&
		    is_wanted(years, reader, item))
			expect(years, reader, item);
	}
}

static inline bool is_stale(const struct years *years,
                            const struct shown *shown)
{
	size_t n_known = 0;

	for (size_t i = 0; i < shown->n; i++)
		n_known += shown->items[i]->seen_day != 0 &&
		           shown->items[i]->seen_day < machine_day(years);
	return shown->n >= 10 && n_known * 100 >= shown->n * 90;
}

static inline void on_fetched(struct sim *sim, int category,
                              const struct shown *shown)
{
	struct years *years = (struct years *)sim;
	size_t day = (size_t)(shown->today - years->first_day + 2);

	if (shown->n > 0 && !is_stale(years, shown) && sim->skew_sec == 0) {
		if (years->categories[category].fresh_day != shown->today)
			years->categories[category].fresh_at = true_now(sim);
		years->categories[category].fresh_day = shown->today;
		years->categories[category].is_fresh[day] = true;
	}
	for (size_t i = 0; i < shown->n; i++)
		see(years, category, shown->items[i], shown->today);
}

/* ---- what arrives ---- */

/* Does arXiv's calendar promise a batch? */
static inline bool is_promised(int32_t day)
{
	return weekday_of(day) < 5 && day % 41 != 0 && (day - 1) % 41 != 0;
}

/* Until when a digest may wait for the batches of its day. */
static inline int64_t latest_for(const struct years *years,
                                 const struct reader *reader, int64_t slot)
{
	int64_t looked_at = slot > years->calm_from ? slot : years->calm_from;
	int32_t day = day_of(&years->sim.arxiv.new_york, looked_at);
	int64_t latest = slot;

	if (!is_promised(day))
		return slot;
	for (int i = 0; i < CATEGORIES; i++) {
		if (!(reader->profile->categories >> i & 1))
			continue;
		if (years->categories[i].fresh_day != day)
			return slot + reader->profile->wait_min * MINUTE;
		if (years->categories[i].fresh_at > latest)
			latest = years->categories[i].fresh_at;
	}
	if (latest > slot + reader->profile->wait_min * MINUTE)
		latest = slot + reader->profile->wait_min * MINUTE;
	return latest;
}

static inline void check_time(struct years *years, struct reader *reader,
                              int64_t created_at)
{
	int32_t day;
	int64_t slot = last_slot(years, reader, created_at, &day);
	const char *zone = reader->profile->zone;
	int64_t latest;

	if (years->sim.skew_sec != 0 || created_at < years->calm_from)
		return;
	latest = latest_for(years, reader, slot);
	if (reader->is_mailed[day - years->first_day + 2])
		blame(years, zone, "a second mail for one slot");
	/* Made up, it may be again after the clock was a week behind. */
	reader->is_mailed[day - years->first_day + 2] = slot > years->calm_from;
	if (latest < years->calm_from)
		latest = years->calm_from;
	if (created_at > latest + SLACK_SEC)
		blame(years, zone, "a mail long after its slot");
	if (true_now(&years->sim) > created_at + RETRY_SEC)
		blame(years, zone, "a mail was long in the queue");
	if (is_away(years, reader))
		blame(years, zone, "a mail for somebody who is away");
}

/* "12345", or "12@example.org" */
static inline uint32_t number_in(const char *text)
{
	struct span digits =
		span_first(span_of(text), span_find(span_of(text), "@"));
	uint64_t number = 0;

	assert_true(num_parse(digits, 0, 99999, &number));
	return (uint32_t)number;
}

static inline void take_entry(struct years *years, struct reader *reader,
                              const struct digest_entry *entry)
{
	uint32_t paper = number_in(strchr(entry->paper->id, '.') + 1);
	size_t n = 0;
	bool found = false;

	for (size_t i = 0; i < reader->n_due; i++) {
		if (reader->due[i].paper == paper)
			found = true;
		else
			reader->due[n++] = reader->due[i];
	}
	reader->n_due = n;
	if (!found)
		blame(years, reader->profile->zone,
		      reader->got[paper] > 0 ? "a paper for the second time"
		                             : "a paper that is not wanted");
	if (entry->paper->version <= reader->got[paper])
		blame(years, reader->profile->zone, "an old version");
	reader->got[paper] = entry->paper->version;
	years->n_entries++;
}

static inline void take_mail(struct years *years, struct reader *reader,
                             const char *message_id)
{
	owned(store_digest) struct store_digest *stored = NULL;
	struct sim *sim = &years->sim;
	struct store_delivery delivery = {0};

	assert_int_equal(store_find_by_message_id(sim->store, message_id,
	                                          &delivery, &sim->why),
	                 STORE_FOUND);
	MUST(sim, store_load_digest(sim->store, delivery.digest_id, &stored,
	                            &sim->why));
	store_delivery_fini(&delivery);
	check_time(years, reader, stored->digest->created_at);
	assert_true(stored->digest->n_entries > 0);
	for (size_t i = 0; i < stored->digest->n_entries; i++)
		take_entry(years, reader, &stored->digest->entries[i]);
	years->n_mails++;
}

static inline void on_arrived(struct sim *sim, const struct smtp_letter *letter,
                              const char *message_id, bool is_told)
{
	struct years *years = (struct years *)sim;
	struct reader *reader = &years->readers[number_in(letter->to + 1)];

	if (strcmp(reader->lost, message_id) != 0)
		take_mail(years, reader, message_id);
	reader->lost[0] = '\0';
	if (!is_told)
		snprintf(reader->lost, sizeof(reader->lost), "%s", message_id);
}

/* ---- what must have happened ---- */

static inline int get_outcome(struct years *years, enum outcome_of of,
                              const char *name, int32_t day, enum outcome *ret)
{
	const struct store_day key = {of, name, day};
	int found =
		store_get_outcome(years->sim.store, &key, ret, &years->sim.why);

	MUST((&years->sim), found);
	return found;
}

/* Its days while nothing ran are told for two weeks back. */
static inline bool is_forgiven(const struct years *years, int32_t day)
{
	return day <= years->back_day - 14 && day >= years->gone_day - 1;
}

static inline void blame_day(const struct years *years,
                             const struct reader *reader, int32_t day)
{
	char text[DAY_TEXT_SIZE];
	owned(mem) char *what = mem_printf("r%d: no outcome on %s",
	                                   (int)(reader - years->readers),
	                                   day_format(day, text));

	blame(years, reader->profile->zone, what);
}

static inline void audit_days(struct years *years, struct reader *reader, int i,
                              int32_t until)
{
	enum outcome outcome = OUTCOMES;
	char name[8];

	snprintf(name, sizeof(name), "r%d", i);
	for (int32_t day = reader->audited_day + 1; day <= until; day++) {
		int64_t slot = instant_of(&reader->local, day,
		                          send_min_of(years, reader));

		if (!is_slot_day(reader, day) || is_forgiven(years, day) ||
		    day_of(&reader->local, slot) != day)
			continue;
		if (get_outcome(years, OUTCOME_OF_SUBSCRIBER, name, day,
		                &outcome) != STORE_FOUND)
			blame_day(years, reader, day);
	}
	reader->has_begun = !is_away(years, reader);
}

static inline void blame_paper(const struct years *years,
                               const struct reader *reader,
                               const struct due *due)
{
	owned(mem) char *what =
		mem_printf("r%d: paper %u did not come, seen at %lld",
	                   (int)(reader - years->readers), due->paper,
	                   (long long)due->seen_at);

	blame(years, reader->profile->zone, what);
}

static inline void audit_papers(struct years *years, struct reader *reader,
                                int64_t slot)
{
	size_t n = 0;

	for (size_t i = 0; i < reader->n_due; i++) {
		const struct due *due = &reader->due[i];

		if (due->seen_at > slot ||
		    (due->is_optional && due->seen_at > slot - 3 * WEEK))
			reader->due[n++] = *due;
		else if (!due->is_optional &&
		         (due->seen_at > years->calm_from ||
		          due->stored_at > slot - CANDIDATE_SEC))
			blame_paper(years, reader, due);
	}
	reader->n_due = n;
}

static inline void audit_reader(struct years *years, int i)
{
	struct reader *reader = &years->readers[i];
	int64_t now = true_now(&years->sim);
	int64_t ready = years->calm_from;
	int32_t day;
	int64_t slot = last_slot(years, reader, now, &day);

	if (is_away(years, reader) && reader->profile->habit == GOES) {
		reader->audited_day = day;
		return;
	}
	if (ready < slot)
		ready = slot;
	if (day <= reader->audited_day ||
	    now < ready + reader->profile->wait_min * MINUTE + AUDIT_SEC)
		return;
	audit_days(years, reader, i, day);
	audit_papers(years, reader, slot);
	reader->audited_day = day;
}

static inline void audit_category(struct years *years, int i)
{
	int32_t today =
		day_of(&years->sim.arxiv.new_york, true_now(&years->sim));
	int32_t day = years->categories[i].audited_day + 1;

	if (true_now(&years->sim) < years->calm_from + AUDIT_SEC)
		return;
	for (; day < today; day++) {
		size_t n = (size_t)(day - years->first_day + 2);
		enum outcome outcome;
		bool is_fresh;

		if (is_forgiven(years, day))
			continue;
		if (get_outcome(years, OUTCOME_OF_CATEGORY, category_names[i],
		                day, &outcome) != STORE_FOUND)
			blame(years, category_names[i],
			      "a day without an outcome");
		is_fresh =
			outcome == OUTCOME_FRESH || outcome == OUTCOME_PARTIAL;
		if (!years->is_odd[n] &&
		    is_fresh != years->categories[i].is_fresh[n])
			blame(years, category_names[i], outcome_name(outcome));
	}
	years->categories[i].audited_day = today - 1;
}

/* Whatever the clocks did, a batch that is promised is asked for. */
static inline void audit_polls(const struct years *years, int i)
{
	int64_t now = true_now(&years->sim);
	int64_t local = local_of(&years->sim.arxiv.new_york, now);

	if (is_promised((int32_t)(local / DAY)) &&
	    local % DAY > POLL_FROM + HOUR && local % DAY < POLL_UNTIL &&
	    now > years->calm_from + HOUR &&
	    now > years->sim.asked_at[i] + HOUR)
		blame(years, category_names[i], "is not polled");
}

static inline void audit(struct years *years)
{
	for (int i = 0; i < READERS; i++)
		audit_reader(years, i);
	for (int i = 0; i < CATEGORIES; i++)
		audit_category(years, i);
	for (int i = 0; i < CATEGORIES; i++)
		audit_polls(years, i);
}
