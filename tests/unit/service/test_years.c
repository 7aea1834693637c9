/*
 * Two years of the daemon in seconds: real parts of service/ under a clock that
 * is set, against a scripted arXiv and relay, and what they must have done by a
 * model of its own. SEED=N draws other years, TELL=1 shows the log.
 */

#include "base/num.h"
#include "base/random.h"
#include "years_model.h"

/* ---- configs ---- */

static void add_days(struct buf *text, int days)
{
	static const char *const names[] = {"mon", "tue", "wed", "thu",
	                                    "fri", "sat", "sun"};
	const char *comma = "";

	for (int i = 0; i < 7; i++) {
		if (!(days >> i & 1))
			continue;
		buf_addf(text, "%s%s", comma, names[i]);
		comma = ",";
	}
}

static void add_reader(const struct years *years, struct buf *text, int i)
{
	const struct reader *reader = &years->readers[i];
	const struct profile *profile = reader->profile;
	int minute = send_min_of(years, reader);
	const char *comma = "";

	buf_addf(text,
	         "%s{ id = \"r%d\"; email = \"r%d@example.org\";"
	         " timezone = \"%s\"; send_at = \"%02d:%02d\";"
	         " digest_wait_min = %d; max_papers = 500; days = \"",
	         text->len > 0 ? ",\n" : "", i, i, profile->zone, minute / 60,
	         minute % 60, profile->wait_min);
	add_days(text, profile->days);
	buf_add_str(text, "\"; categories = [");
	for (int c = 0; c < CATEGORIES; c++) {
		if (!(profile->categories >> c & 1))
			continue;
		buf_addf(text, "%s\"%s\"", comma, category_names[c]);
		comma = ", ";
	}
	buf_add_str(text, "];");
	if (profile->word >= 0)
		buf_addf(text, " keywords = [\"%s\"];", words[profile->word]);
	if (reader->asks_again)
		buf_add_str(text,
		            " announce = [\"new\", \"cross\", \"replace\"];");
	if (is_away(years, reader))
		buf_add_str(text, " paused = true;");
	buf_add_str(text, " }");
}

static void write_conf(struct years *years)
{
	owned(buf) struct buf text = BUF_INIT(65536);

	for (int i = 0; i < READERS; i++)
		if (!is_away(years, &years->readers[i]) ||
		    years->readers[i].profile->habit != GOES)
			add_reader(years, &text, i);
	configure(&years->sim, buf_str(&text));
}

/* ---- what happens to it ---- */

static void note_odd(struct years *years, int64_t from, int64_t until)
{
	int32_t first = day_of(&years->sim.arxiv.new_york, from);
	int32_t last = day_of(&years->sim.arxiv.new_york, until);

	for (int32_t day = first; day <= last; day++)
		if (day >= years->first_day - 2 &&
		    day < years->first_day + years->n_days)
			years->is_odd[day - years->first_day + 2] = true;
}

static void pass_sec(struct years *years, int64_t sec)
{
	run_until(&years->sim, true_now(&years->sim) + sec);
}

/*
 * A slot that was done up to a day too early, or at another time, is done: what
 * has come since may wait for the next one.
 */
static void claim_nothing_until(const struct years *years,
                                struct reader *reader, int32_t days)
{
	int32_t day = day_of(&reader->local, true_now(&years->sim)) + days;

	if (reader->audited_day < day)
		reader->audited_day = day;
}

/* As a reload does: when no reply to a dot is missing. */
static void reload(struct years *years)
{
	struct sim *sim = &years->sim;
	int64_t look_ms;
	int state = SENDER_WORKS;

	sender_end(sim->sender);
	while (state != SENDER_ENDED) {
		state = sender_turn(sim->sender, &look_ms, &sim->why);
		MUST(sim, state);
		if (sim->relay.step != RELAY_NOTHING)
			answer_relay(sim);
	}
	close_parts(sim);
	years->is_other = !years->is_other;
	write_conf(years);
	open_parts(sim);
	sender_renew(sim->sender);
	for (int i = 0; i < READERS; i++) {
		struct reader *reader = &years->readers[i];

		if (reader->profile->habit == STEADY)
			continue;
		reader->has_begun = reader->profile->habit == MOVES;
		claim_nothing_until(years, reader, 0);
		for (size_t k = 0; !reader->has_begun && k < reader->n_due; k++)
			reader->due[k].is_optional = true;
	}
}

static void be_off(struct years *years, int64_t sec)
{
	const struct local *new_york = &years->sim.arxiv.new_york;
	int64_t from = true_now(&years->sim);

	stop(&years->sim);
	pass_sec(years, sec);
	note_odd(years, from, true_now(&years->sim));
	if (sec > 2 * WEEK) {
		years->gone_day = day_of(new_york, from);
		years->back_day = day_of(new_york, true_now(&years->sim));
	}
	start(&years->sim);
}

static void sleep_for(struct years *years, int64_t sec)
{
	int64_t from = true_now(&years->sim);

	years->sim.true_ms += sec * 1000;
	note_odd(years, from, true_now(&years->sim));
}

/* By a clock that is ahead some papers are too old. */
static void excuse_old(struct years *years)
{
	int64_t since = wall_now(&years->sim) - CANDIDATE_SEC;

	for (int i = 0; i < READERS; i++) {
		struct reader *reader = &years->readers[i];

		for (size_t k = 0; k < reader->n_due; k++)
			if (reader->due[k].stored_at < since)
				reader->due[k].is_optional = true;
	}
}

static void be_wrong(struct years *years, int64_t skew_sec, int64_t sec)
{
	int64_t from = true_now(&years->sim);

	note_odd(years, from, from + sec);
	note_odd(years, from + skew_sec, from + skew_sec + sec);
	/* What was stored under a day to come is not known to be old. */
	if (skew_sec > DAY)
		note_odd(years, from, from + skew_sec + sec);
	years->sim.skew_sec = skew_sec;
	excuse_old(years);
	pass_sec(years, sec);
	years->sim.skew_sec = 0;
	for (int i = 0; skew_sec > 0 && i < READERS; i++)
		claim_nothing_until(years, &years->readers[i], 1);
}

static void lose_relay(struct years *years, int64_t sec)
{
	years->sim.relay.is_down = true;
	pass_sec(years, sec);
	years->sim.relay.is_down = false;
	/* It is asked again a quarter of an hour later at most. */
	pass_sec(years, 20 * MINUTE);
}

enum { EVENTS = 16 };

static void disturb(struct years *years, uint32_t event)
{
	static const int64_t skews[] = {HOUR,  -HOUR,     WEEK,
	                                -WEEK, 30 * HOUR, -30 * HOUR};
	struct sim *sim = &years->sim;
	uint32_t hours = 1 + draw(&sim->chance, 12);

	if (getenv("TELL"))
		fprintf(stderr, "%lld: event %u, %u\n",
		        (long long)true_now(sim), event, hours);
	if (event < 6)
		be_wrong(years, skews[event], hours * HOUR);
	else if (event < 8)
		sleep_for(years, hours * HOUR);
	else if (event < 11)
		be_off(years, 1);
	else if (event < 13)
		reload(years);
	else if (event == 13)
		lose_relay(years, hours * 2 * HOUR);
	else if (event == 14)
		be_off(years, DAY);
	else
		be_off(years, WEEK);
}

static void draw_outages(struct years *years)
{
	static const int64_t lengths[] = {HOUR, HOUR, 5 * HOUR, DAY, WEEK};
	struct sim *sim = &years->sim;

	for (int32_t day = 10; day < years->n_days; day += 20) {
		struct outage *outage = &sim->outages[sim->n_outages++];

		outage->from = (int64_t)(years->first_day + day) * DAY +
		               draw(&sim->chance, 10 * DAY);
		outage->until = outage->from + lengths[draw(&sim->chance, 5)];
	}
}

/* ---- years ---- */

static void begin(struct years *years)
{
	struct sim *sim = &years->sim;
	size_t n_days = (size_t)years->n_days + 30;
	int64_t since = (int64_t)years->first_day * DAY;

	years->is_odd = mem_array(n_days, sizeof(bool));
	for (int i = 0; i < CATEGORIES; i++) {
		years->categories[i].is_fresh = mem_array(n_days, sizeof(bool));
		years->categories[i].audited_day = years->first_day - 2;
	}
	for (int i = 0; i < READERS; i++) {
		struct reader *reader = &years->readers[i];

		reader->profile = &profiles[i];
		reader->asks_again = i % 5 == 3;
		local_init(&reader->local, profiles[i].zone, since - 30 * DAY,
		           since + (years->n_days + 60) * (int64_t)DAY);
		reader->got =
			mem_array(sim->arxiv.n_papers, sizeof(*reader->got));
		reader->is_mailed = mem_array(n_days, sizeof(bool));
		reader->audited_day = day_of(&reader->local, true_now(sim));
	}
	draw_outages(years);
	sim->watcher = (struct watcher){on_fetched, on_arrived};
	write_conf(years);
	note_odd(years, since - 2 * DAY, since);
	start(sim);
	years->calm_from = true_now(sim);
}

static void end(struct years *years)
{
	for (int i = 0; i < READERS; i++) {
		free(years->readers[i].local.offsets);
		free(years->readers[i].got);
		free(years->readers[i].due);
		free(years->readers[i].is_mailed);
	}
	for (int i = 0; i < CATEGORIES; i++)
		free(years->categories[i].is_fresh);
	free(years->is_odd);
	sim_fini(&years->sim);
	free(years);
}

static uint64_t seed(void)
{
	const char *text = getenv("SEED");
	uint64_t number = 20260921;

	if (text)
		assert_true(num_parse(span_of(text), 0, UINT32_MAX, &number));
	return number;
}

static void live(int32_t first_day, int32_t n_days)
{
	struct years *years = mem_new(sizeof(*years));
	struct sim *sim = &years->sim;
	int64_t until = ((int64_t)first_day + n_days - 4) * DAY;
	int64_t next_at;
	int n_events = 0;

	years->seed = seed();
	years->first_day = first_day;
	years->n_days = n_days;
	log_set_level(getenv("TELL") ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
	sim_init(sim, years->seed, first_day, n_days);
	begin(years);
	next_at = true_now(sim) + 3 * DAY;
	while (true_now(sim) < until) {
		pass_sec(years, HOUR);
		audit(years);
		if (true_now(sim) < next_at || true_now(sim) > until - WEEK)
			continue;
		pass_sec(years, draw(&sim->chance, HOUR));
		years->calm_from = INT64_MAX;
		if (n_events++ == EVENTS * 4)
			be_off(years, 90 * DAY);
		else
			disturb(years, draw(&sim->chance, EVENTS));
		years->calm_from = true_now(sim);
		next_at = true_now(sim) + DAY + draw(&sim->chance, 3 * DAY);
	}
	print_message("SEED=%llu: %zu mails with %zu papers\n",
	              (unsigned long long)years->seed, years->n_mails,
	              years->n_entries);
	assert_true(years->n_mails > (size_t)n_days);
	end(years);
}

/* Minutes under valgrind, to which the winter has shown all there is. */
static void two_years_with_rules_that_change(void **state)
{
	const char *wrapper = getenv("TEST_WRAPPER");

	(void)state;
	if (wrapper && *wrapper)
		skip();
	live(19358, 731); /* 2023-01-01 */
}

static void a_winter_in_which_samoa_skips_a_day(void **state)
{
	(void)state;
	live(15248, 100); /* 2011-10-01 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_winter_in_which_samoa_skips_a_day),
		cmocka_unit_test(two_years_with_rules_that_change),
	};

	return cmocka_run_group_tests_name("service: years", tests, NULL, NULL);
}

/* ---- chance for the program, too: these replace base/random.c ---- */

static uint64_t *program_chance(void)
{
	static uint64_t chance = 1;

	return &chance;
}

uint32_t random_below(uint32_t below)
{
	return draw(program_chance(), below);
}

void random_hex(char *hex, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", draw(program_chance(), 256));
}
