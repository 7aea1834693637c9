/* `status` for a terminal. */

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "status_private.h"

#define TIME_SIZE 32
#define LINE_BYTES 8192
#define NAME_WIDTH 22
/* More rows than this are shown only if there is trouble in them. */
#define SHOWN_ROWS 60

static const char letters[OUTCOMES] = {
	[OUTCOME_FRESH] = '+',       [OUTCOME_PARTIAL] = '*',
	[OUTCOME_STALE] = '=',       [OUTCOME_NO_ANNOUNCEMENT] = '-',
	[OUTCOME_UNREACHABLE] = '!', [OUTCOME_INVALID] = '?',
	[OUTCOME_SENT] = '+',        [OUTCOME_NOTHING_MATCHED] = '0',
	[OUTCOME_WAITING] = 'w',     [OUTCOME_DEFERRED] = 'd',
	[OUTCOME_HELD] = 'h',        [OUTCOME_FAILED] = '!',
	[OUTCOME_SUSPENDED] = 's',   [OUTCOME_PAUSED] = 'p',
};

static const char *const legends[] = {
	[OUTCOME_OF_CATEGORY] =
		"  + fresh  * partial  - no announcement  = stale  "
		"! unreachable  ? invalid\n"
		"  r recovered since (replacements are not)  . nothing known",
	[OUTCOME_OF_SUBSCRIBER] =
		"  + sent  0 nothing matched  - nothing announced  w waiting  "
		"d deferred\n"
		"  h held  ! failed  s suspended  p paused  . nothing known",
};

static const char *format_time(int64_t at, char text[TIME_SIZE])
{
	time_t seconds = at;
	struct tm local;

	localtime_r(&seconds, &local);
	strftime(text, TIME_SIZE, "%a %Y-%m-%d %H:%M", &local);
	return text;
}

/* ---- the table ---- */

struct table {
	const struct status *status;
	bool only_trouble;
	size_t n_shown;
	size_t n_left_out;
	size_t n_newest[OUTCOMES];
};

static char letter_of(const struct store_outcome *outcome)
{
	return outcome->recovered ? 'r' : letters[outcome->outcome];
}

static bool has_trouble(const struct status_row *row)
{
	for (size_t i = 0; i < row->outcomes.n; i++)
		if (status_is_trouble(&row->outcomes.items[i]))
			return true;
	return false;
}

/* The reasons of bad days are below; those of good ones are short. */
static void add_words(struct buf *line, const struct store_outcome *newest)
{
	if (!newest) {
		buf_add_str(line, "nothing yet");
		return;
	}
	if (newest->outcome == OUTCOME_NOTHING_MATCHED ||
	    newest->outcome == OUTCOME_NO_ANNOUNCEMENT) {
		buf_add_str(line, newest->reason);
		return;
	}
	buf_add_str(line, outcome_name(newest->outcome));
	if (!status_is_trouble(newest) && *newest->reason)
		buf_addf(line, ": %s", newest->reason);
}

static int print_row(void *ctx, const struct status_row *row, struct error *err)
{
	struct table *table = ctx;
	const struct status *status = table->status;
	const struct store_outcome *newest = status_newest(row);
	owned(buf) struct buf line = BUF_INIT(LINE_BYTES);
	owned(mem) char *days = mem_array(status->n_days + 1, 1);

	(void)err;
	if (newest)
		table->n_newest[newest->outcome]++;
	if (table->only_trouble &&
	    (table->n_shown == SHOWN_ROWS || !has_trouble(row))) {
		table->n_left_out++;
		return 0;
	}
	table->n_shown++;
	memset(days, '.', status->n_days);
	for (size_t i = 0; i < row->outcomes.n; i++) {
		const struct store_outcome *item = &row->outcomes.items[i];
		int32_t before = status->last_day - item->of_day.day;

		if (before >= 0)
			days[(int32_t)status->n_days - 1 - before] =
				letter_of(item);
	}
	buf_addf(&line, "  %-*s %s  ", NAME_WIDTH, row->name, days);
	add_words(&line, newest);
	cli_print(buf_str(&line));
	return 0;
}

static void print_head(const struct status *status, const char *title)
{
	char last[DAY_TEXT_SIZE];

	printf("%-*s", NAME_WIDTH + 3, title);
	for (uint32_t i = 0; i < status->n_days; i++) {
		int32_t day = status->last_day - (int32_t)status->n_days + 1 +
		              (int32_t)i;

		putchar("MTWTFSS"[day_date(day).weekday]);
	}
	printf("  to %s\n", day_format(status->last_day, last));
}

static void print_sums(const struct table *table)
{
	const char *before = "  newest: ";

	for (size_t i = 0; i < OUTCOMES; i++) {
		if (table->n_newest[i] == 0)
			continue;
		printf("%s%zu %s", before, table->n_newest[i],
		       outcome_name((enum outcome)i));
		before = ", ";
	}
	if (*before == ',')
		putchar('\n');
}

static int print_table(const struct status *status, enum outcome_of of,
                       const char *title, struct error *err)
{
	size_t n = of == OUTCOME_OF_CATEGORY ? status->categories.n
	                                     : status->n_subscribers;
	struct table table = {
		.status = status,
		.only_trouble = !status->is_named && n > SHOWN_ROWS,
	};

	if (n == 0)
		return 0;
	print_head(status, title);
	if (status_each(status, of, print_row, &table, err) < 0)
		return -1;
	if (table.n_left_out > 0)
		printf("  and %zu more; 'arxmail status NAME' shows one\n",
		       table.n_left_out);
	if (n > 1)
		print_sums(&table);
	puts(legends[of]);
	putchar('\n');
	return 0;
}

/* ---- days with trouble ---- */

struct troubles {
	const struct status *status;
	size_t n;
};

static int print_troubles_of(void *ctx, const struct status_row *row,
                             struct error *err)
{
	struct troubles *troubles = ctx;

	(void)err;
	for (size_t i = 0; i < row->outcomes.n; i++) {
		const struct store_outcome *item = &row->outcomes.items[i];
		owned(buf) struct buf line = BUF_INIT(LINE_BYTES);
		char day[DAY_TEXT_SIZE];

		/* Who asks for one wants to know all. */
		if (!troubles->status->is_named && !status_is_trouble(item))
			continue;
		if (!troubles->status->is_named && troubles->n > SHOWN_ROWS)
			return 0;
		if (troubles->n++ == 0)
			puts(troubles->status->is_named ? "day by day"
			                                : "what went wrong");
		if (troubles->n > SHOWN_ROWS && !troubles->status->is_named) {
			puts("  and more; 'arxmail status NAME' shows one");
			return 0;
		}
		buf_addf(&line, "  %s  %s: %s%s%s",
		         day_format(item->of_day.day, day), row->name,
		         outcome_name(item->outcome), *item->reason ? ": " : "",
		         item->reason);
		cli_print(buf_str(&line));
	}
	return 0;
}

static int print_troubles(const struct status *status, struct error *err)
{
	struct troubles troubles = {.status = status};

	if (status_each(status, OUTCOME_OF_CATEGORY, print_troubles_of,
	                &troubles, err) < 0 ||
	    status_each(status, OUTCOME_OF_SUBSCRIBER, print_troubles_of,
	                &troubles, err) < 0)
		return -1;
	if (troubles.n > 0)
		putchar('\n');
	return 0;
}

/* ---- the queue ---- */

static void print_count(const struct status *status, enum delivery_state state)
{
	uint64_t n = status->counts.n[state];
	int64_t oldest_at = status->view.oldest_at[state];
	char time[TIME_SIZE];

	if (n == 0)
		return;
	printf("  %-12s %" PRIu64, delivery_state_name(state), n);
	if (oldest_at > 0)
		printf(", the oldest of %s", format_time(oldest_at, time));
	putchar('\n');
}

static void print_next(const struct status *status)
{
	char time[TIME_SIZE];

	if (status->view.next_at > 0)
		printf("  next         %s\n",
		       status->view.next_at <= status->now
		               ? "now"
		               : format_time(status->view.next_at, time));
	if (status->next_at < INT64_MAX)
		printf("  next digests %s, %zu subscriber%s\n",
		       format_time(status->next_at, time), status->n_next,
		       status->n_next == 1 ? "" : "s");
}

static void print_relay(const struct status *status)
{
	const struct store_trouble *trouble = &status->trouble;
	owned(buf) struct buf line = BUF_INIT(LINE_BYTES);
	char time[TIME_SIZE];

	if (trouble->since == 0)
		return;
	buf_addf(&line, "  the relay takes nothing since %s: %s",
	         format_time(trouble->since, time), trouble->words);
	cli_print(buf_str(&line));
	printf("  it is asked again at %s; 'arxmail send-now' asks at once\n",
	       format_time(trouble->next_at, time));
}

static void print_queue(const struct status *status)
{
	owned(buf) struct buf words = BUF_INIT(LINE_BYTES);

	puts("deliveries");
	for (unsigned i = 0; i < DELIVERY_STATES; i++)
		print_count(status, (enum delivery_state)i);
	printf("  sent lately  %" PRIu64 " in the last hour, %" PRIu64
	       " in the last 24\n",
	       status->view.n_sent_hour, status->view.n_sent_day);
	if (status->view.last_words) {
		buf_addf(&words, "  last words   %s", status->view.last_words);
		cli_print(buf_str(&words));
	}
	print_next(status);
	print_relay(status);
}

static void print_model(const struct status *status)
{
	const struct llm_options *llm = &status->cli->conf->llm;
	const struct store_trouble *trouble = &status->model_trouble;
	owned(buf) struct buf line = BUF_INIT(LINE_BYTES);
	char time[TIME_SIZE];

	if (!llm->url)
		return;
	buf_addf(&line,
	         "model %s: %" PRIu64 " questions, %" PRIu64
	         " tokens today (UTC)",
	         llm->model, status->asked.n_calls, status->asked.n_tokens);
	if (llm->per_day_tokens > 0)
		buf_addf(&line, " of %" PRIu32, llm->per_day_tokens);
	putchar('\n');
	cli_print(buf_str(&line));
	if (trouble->since == 0)
		return;
	buf_clear(&line);
	buf_addf(&line, "  in trouble since %s: %s",
	         format_time(trouble->since, time), trouble->words);
	cli_print(buf_str(&line));
	printf("  it is asked again at %s; digests go without its words\n",
	       format_time(trouble->next_at, time));
}

static void print_delivery(const struct store_delivery *delivery)
{
	owned(buf) struct buf line = BUF_INIT(LINE_BYTES);
	char time[TIME_SIZE];

	buf_addf(&line, "  %s  %s  %s", delivery->subscriber_id,
	         format_time(delivery->created_at, time),
	         delivery_state_name(delivery->state));
	if (delivery->state == DELIVERY_DEFERRED ||
	    delivery->state == DELIVERY_UNKNOWN)
		buf_addf(&line, ", again after %s",
		         format_time(delivery->next_at, time));
	if (delivery->last_words)
		buf_addf(&line, ": %s", delivery->last_words);
	cli_print(buf_str(&line));
}

static void print_undelivered(const struct status *status)
{
	const struct store_deliveries *list = &status->undelivered;

	if (list->n > 0)
		puts("\nmails that did not arrive, newest first");
	for (size_t i = 0; i < list->n && i < STATUS_DELIVERIES; i++)
		print_delivery(&list->items[i]);
	if (list->n > STATUS_DELIVERIES)
		puts("  and others");
}

static void print_suspended(const struct status *status)
{
	const struct store_suspended_list *list = &status->suspended;

	if (list->n > 0)
		puts("\nsuspended, until 'arxmail resume' or another address");
	for (size_t i = 0; i < list->n; i++) {
		const struct store_suspended *item = &list->items[i];
		owned(buf) struct buf line = BUF_INIT(LINE_BYTES);
		char time[TIME_SIZE];

		buf_addf(&line, "  %s  since %s, %s refused: %s",
		         item->subscriber_id, format_time(item->since, time),
		         item->address, item->words);
		cli_print(buf_str(&line));
	}
}

int status_print_text(const struct status *status, struct error *err)
{
	if (print_table(status, OUTCOME_OF_CATEGORY, "categories", err) < 0 ||
	    print_table(status, OUTCOME_OF_SUBSCRIBER, "subscribers", err) < 0)
		return -1;
	if (print_troubles(status, err) < 0)
		return -1;
	if (status->is_named)
		return 0;
	print_queue(status);
	print_model(status);
	print_suspended(status);
	print_undelivered(status);
	return 0;
}
