#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli_private.h"
#include "mail/message.h"
#include "service/compose.h"
#include "service/deliver.h"
#include "service/retain.h"
#include "service/summarize.h"

/* Between two looks of the progress bar. */
#define SHOW_MS 100

/* With more subscribers than this only trouble gets a line of its own. */
#define MANY_SUBSCRIBERS 50

struct wish {
	bool dry_run;
	bool no_fetch;
	bool again;
};

struct send_run {
	struct cli *cli;
	const struct subscriber **list;
	size_t n_list;
	bool all; /* no names were given */
	bool is_terminal;
	size_t n_total; /* to deliver */
	size_t n_ended;
	int64_t begun_ms;
	int64_t shown_ms;        /* when the progress was shown last */
	struct strings troubles; /* a line for each that was not sent */
	size_t n_missing;        /* of --again: have no digest yet */
	bool waited;
};

/* ---- what is said ---- */

static void clear_progress(const struct send_run *run)
{
	if (run->is_terminal)
		fputs("\r\033[K", stderr);
}

static int64_t monotonic_ms(const struct send_run *run)
{
	return clock_monotonic_ms(&run->cli->service.world->clock);
}

/* "sending: [#########---------------------] 300 of 1000, 480/s, 2 s left" */
static void draw_progress(const struct send_run *run, int64_t elapsed_ms)
{
	static const char full[] = "##############################";
	static const char none[] = "------------------------------";
	size_t n = run->n_ended < run->n_total ? run->n_ended : run->n_total;
	int width = (int)sizeof(full) - 1;
	int done = (int)(n * (size_t)width / run->n_total);
	double rate = (double)run->n_ended * 1000 / (double)elapsed_ms;

	fprintf(stderr,
	        "\r\033[Ksending: [%.*s%.*s] %zu of %zu, %.0f/s, %.0f s left",
	        done, full, width - done, none, run->n_ended, run->n_total,
	        rate, rate > 0 ? (double)(run->n_total - n) / rate : 0);
}

/* Ten times a second at most: a terminal is slower than a relay. */
static void show_progress(struct send_run *run)
{
	int64_t now_ms = monotonic_ms(run);
	int64_t elapsed_ms = now_ms - run->begun_ms;

	if (!run->is_terminal || run->n_total == 0 ||
	    (run->n_ended < run->n_total && now_ms < run->shown_ms + SHOW_MS))
		return;
	run->shown_ms = now_ms;
	draw_progress(run, elapsed_ms > 0 ? elapsed_ms : 1);
}

/* "7 papers (LLM agents 4, Lattice QCD 3)". */
static void add_counts(struct buf *line, const struct digest *digest)
{
	buf_addf(line, "%zu paper%s", digest->n_entries,
	         digest->n_entries == 1 ? "" : "s");
	if (digest->topics.n < 2)
		return;
	buf_add_str(line, " (");
	for (size_t i = 0; i < digest->topics.n; i++) {
		size_t n = 0;

		for (size_t j = 0; j < digest->n_entries; j++)
			n += digest->entries[j].topic == i;
		buf_addf(line, "%s%s%s%zu", i > 0 ? ", " : "",
		         digest->topics.items[i],
		         digest->topics.items[i][0] ? " " : "", n);
	}
	buf_add_char(line, ')');
}

static void print_line(const struct send_run *run,
                       const struct subscriber *subscriber, const char *what)
{
	owned(buf) struct buf line = BUF_INIT(2 * LIMIT_LOG_LINE_BYTES);

	if (run->n_list > MANY_SUBSCRIBERS)
		return;
	clear_progress(run);
	buf_addf(&line, "%s: %s", subscriber->email, what);
	cli_print(buf_str(&line));
}

static void on_queued(void *ctx, const struct subscriber *subscriber,
                      int outcome, const char *reason)
{
	struct send_run *run = ctx;

	switch (outcome) {
	case COMPOSED:
		run->n_total++;
		break;
	case COMPOSE_NOTHING:
		print_line(run, subscriber, reason);
		break;
	case COMPOSE_PAUSED:
		print_line(run, subscriber, "paused");
		break;
	default:
		print_line(run, subscriber,
		           "suspended: the address was refused too often");
	}
}

static void on_delivered(void *ctx, const struct service_delivered *delivered)
{
	struct send_run *run = ctx;
	const struct subscriber *subscriber = delivered->subscriber;
	owned(buf) struct buf what = BUF_INIT(LIMIT_LOG_LINE_BYTES);

	run->n_ended++;
	if (delivered->state == DELIVERY_SENT) {
		buf_addf(&what, "sent, %zu paper%s", delivered->n_papers,
		         delivered->n_papers == 1 ? "" : "s");
		print_line(run, subscriber, buf_str(&what));
	} else if (delivered->sentence) {
		buf_addf(&what, "%s: %s: %s", subscriber->email,
		         delivery_state_name(delivered->state),
		         delivered->sentence);
		strings_add(&run->troubles, buf_span(&what));
	} else {
		print_line(run, subscriber, "not sent, stays queued");
	}
	show_progress(run);
}

static bool is_stopped(void *ctx)
{
	(void)ctx;
	return cli_is_stopped();
}

static void on_waiting(void *ctx, uint64_t n_open)
{
	struct send_run *run = ctx;

	if (run->is_terminal)
		fprintf(stderr,
		        "\r\033[Kanother arxmail is sending; %llu mails left",
		        (unsigned long long)n_open);
	else if (!run->waited)
		cli_say("another arxmail is sending; waiting for it");
	run->waited = true;
}

/* ---- the steps ---- */

static int poll_feeds(struct send_run *run, size_t *ret_n_failed)
{
	owned(poll_results) struct service_poll_results results = {0};
	owned(strings) struct strings categories = {0};
	const struct service_poll_events events = {cli_tell_poll, NULL};
	struct error err = {0};

	if (run->all)
		service_categories(run->cli->conf, NULL, &categories);
	else
		for (size_t i = 0; i < run->n_list; i++)
			service_categories(run->cli->conf, run->list[i],
			                   &categories);
	if (service_poll(&run->cli->service, &categories, &events, &results,
	                 &err) < 0 ||
	    service_retain(&run->cli->service, &err) < 0) {
		cli_say("%s", err.message);
		return -1;
	}
	*ret_n_failed = cli_count_poll_failures(&results);
	return 0;
}

static int keep_subscribers(struct send_run *run)
{
	struct error err = {0};
	size_t n_cancelled = 0;

	if (service_keep_subscribers(&run->cli->service, &n_cancelled, &err) <
	    0) {
		cli_say("%s", err.message);
		return -1;
	}
	if (n_cancelled > 0)
		cli_say("cancelled %zu deliveries to subscribers who are no "
		        "longer in the config",
		        n_cancelled);
	return 0;
}

static int requeue_one(struct send_run *run,
                       const struct subscriber *subscriber, struct error *err)
{
	struct service *service = &run->cli->service;
	owned(mem) char *message_id =
		mail_new_message_id(&run->cli->conf->sender);
	struct store_again again = {
		.address = subscriber->email,
		.message_id = message_id,
		.at = clock_now_sec(&service->world->clock),
	};
	int found = store_last_digest(service->store, subscriber->id,
	                              &again.last, err);

	if (found < 0)
		return -1;
	if (found == STORE_MISSING) {
		run->n_missing++;
		cli_say("%s: there is no digest to send again",
		        subscriber->email);
		return 0;
	}
	run->n_total++;
	return store_requeue_digest(service->store, &again, err);
}

static int requeue(struct send_run *run)
{
	struct error err = {0};

	for (size_t i = 0; i < run->n_list; i++) {
		if (requeue_one(run, run->list[i], &err) < 0) {
			cli_say("%s", err.message);
			return -1;
		}
	}
	return 0;
}

static void on_summarized(void *ctx, const struct summarizer_counts *counts)
{
	const struct send_run *run = ctx;

	if (run->is_terminal && counts->n_wanted > 0)
		fprintf(stderr, "\r\033[Ksummaries: %zu of %zu",
		        counts->n_answered + counts->n_given_up,
		        counts->n_wanted);
}

/* The log tells of trouble; what is missing is missing in the digests. */
static void summarize(struct send_run *run)
{
	const struct conf *conf = run->cli->conf;
	const struct summarizer_job job = {.subscribers = run->list,
	                                   .n = run->n_list};
	const struct summarize_events events = {
		.progress = on_summarized,
		.stop = is_stopped,
		.ctx = run,
	};
	int64_t wait_ms = (int64_t)conf->llm.max_wait_min * 60000;
	struct error err = {0};
	int rc;

	if (!conf->llm.url)
		return;
	log_set_level(LOG_LEVEL_NOTICE);
	rc = service_summarize(&run->cli->service, &job,
	                       monotonic_ms(run) + wait_ms, &events, &err);
	clear_progress(run);
	if (rc < 0)
		cli_say("%s", err.message);
}

static int queue(struct send_run *run)
{
	const struct service_queue_job job = {.subscribers = run->list,
	                                      .n = run->n_list,
	                                      .done = on_queued,
	                                      .ctx = run};
	struct service_queue_counts counts = {0};
	struct error err = {0};

	if (service_queue(&run->cli->service, &job, &counts, &err) < 0) {
		cli_say("%s", err.message);
		return -1;
	}
	if (run->n_list > MANY_SUBSCRIBERS)
		printf("%zu digests, nothing new for %zu, %zu paused, %zu "
		       "suspended\n",
		       counts.n_queued, counts.n_nothing, counts.n_paused,
		       counts.n_suspended);
	return 0;
}

static int sum_up(const struct send_run *run,
                  const struct service_deliver_counts *counts,
                  size_t n_feeds_failed)
{
	printf("sent %zu", counts->n_sent);
	if (counts->n_deferred > 0)
		printf(", deferred %zu", counts->n_deferred);
	if (counts->n_held > 0)
		printf(", held %zu", counts->n_held);
	if (counts->n_failed > 0)
		printf(", failed %zu", counts->n_failed);
	if (counts->n_left > 0)
		printf(", not tried %zu", counts->n_left);
	putchar('\n');

	if (counts->relay[0])
		cli_say("%s", counts->relay);
	if ((counts->relay[0] || run->n_missing > 0) && counts->n_sent == 0)
		return CLI_FAILED;
	if (counts->n_deferred + counts->n_held + counts->n_failed +
	            counts->n_left + run->n_missing + n_feeds_failed >
	    0)
		return CLI_PARTLY;
	return CLI_DONE;
}

static int deliver(struct send_run *run, size_t n_feeds_failed)
{
	const struct service_deliver_events events = {
		.delivered = on_delivered,
		.stop = is_stopped,
		.waiting = on_waiting,
		.ctx = run,
	};
	owned(strings) struct strings ids = {0};
	struct service_deliver_counts counts = {0};
	struct error err = {0};
	int rc;

	for (size_t i = 0; !run->all && i < run->n_list; i++)
		strings_add(&ids, span_of(run->list[i]->id));
	run->begun_ms = monotonic_ms(run);
	rc = service_deliver(&run->cli->service, run->all ? NULL : &ids,
	                     &events, &counts, &err);
	clear_progress(run);
	for (size_t i = 0; i < run->troubles.n; i++)
		cli_say("%s", run->troubles.items[i]);
	if (rc < 0) {
		cli_say("%s", err.message);
		printf("sent %zu before that\n", counts.n_sent);
		return counts.n_sent > 0 ? CLI_PARTLY : CLI_FAILED;
	}
	return sum_up(run, &counts, n_feeds_failed);
}

static void print_papers(const struct digest *digest)
{
	owned(buf) struct buf line = BUF_INIT(8192);

	for (size_t i = 0; i < digest->n_entries; i++) {
		buf_clear(&line);
		buf_addf(&line, "  %s  %s", digest->entries[i].paper->id,
		         digest->entries[i].paper->title);
		cli_print(buf_str(&line));
	}
}

static int show_one(struct send_run *run, struct service_composer *composer,
                    const struct subscriber *subscriber, struct error *err)
{
	owned(composed) struct service_composed composed = {0};
	owned(buf) struct buf what = BUF_INIT(LIMIT_LOG_LINE_BYTES);
	int outcome = service_compose(composer, subscriber, &composed, err);

	if (outcome < 0)
		return -1;
	if (outcome != COMPOSED && outcome != COMPOSE_NOTHING) {
		on_queued(run, subscriber, outcome, "");
		return 0;
	}
	buf_add_str(&what, "would be sent ");
	add_counts(&what, composed.digest);
	buf_addf(&what, " of %u new", composed.digest->n_considered);
	print_line(run, subscriber, buf_str(&what));
	print_papers(composed.digest);
	return 0;
}

static int show(struct send_run *run)
{
	owned(service_composer) struct service_composer *composer = NULL;
	struct error err = {0};

	if (service_composer_new(&composer, &run->cli->service, run->list,
	                         run->n_list, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	for (size_t i = 0; i < run->n_list; i++) {
		if (show_one(run, composer, run->list[i], &err) < 0) {
			cli_say("%s", err.message);
			return CLI_FAILED;
		}
	}
	return CLI_DONE;
}

static int send_all(struct send_run *run, const struct wish *wish)
{
	size_t n_feeds_failed = 0;

	if (!wish->no_fetch && !wish->again &&
	    poll_feeds(run, &n_feeds_failed) < 0)
		return CLI_FAILED;
	if (wish->dry_run)
		return show(run);
	if (keep_subscribers(run) < 0)
		return CLI_FAILED;
	if (!wish->again)
		summarize(run);
	if ((wish->again ? requeue(run) : queue(run)) < 0)
		return CLI_FAILED;
	return deliver(run, n_feeds_failed);
}

static int read_options(int argc, char **argv, struct wish *ret_wish)
{
	static const struct option options[] = {
		{"dry-run", no_argument, NULL, 'd'},
		{"no-fetch", no_argument, NULL, 'n'},
		{"again", no_argument, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 0;
	for (c = cli_next_option(argc, argv, options); c != -1;
	     c = cli_next_option(argc, argv, options)) {
		if (c == 'd')
			ret_wish->dry_run = true;
		else if (c == 'n')
			ret_wish->no_fetch = true;
		else if (c == 'a')
			ret_wish->again = true;
		else
			return cli_bad_option(&cli_send_now, c, argv);
	}
	if (ret_wish->again && optind == argc)
		return cli_usage(&cli_send_now,
		                 "--again sends mails a second time: name the "
		                 "subscribers");
	if (ret_wish->again && ret_wish->dry_run)
		return cli_usage(&cli_send_now,
		                 "--again with --dry-run: 'arxmail preview "
		                 "--last' shows the last digest");
	return CLI_DONE;
}

static int run_send_now(const char *conf_path, int argc, char **argv)
{
	owned(mem) const struct subscriber **list = NULL;
	owned(cli) struct cli cli = {0};
	struct send_run run = {.cli = &cli};
	struct conf *conf;
	struct wish wish = {0};
	int status = read_options(argc, argv, &wish);

	if (status != CLI_DONE)
		return status;
	conf = cli_read_conf(conf_path);
	if (!conf)
		return CLI_FAILED;
	if (cli_find_subscribers(conf, argc - optind, argv + optind, &list,
	                         &run.n_list) != CLI_DONE) {
		conf_free(conf);
		return CLI_FAILED;
	}
	if (cli_open_loaded(&cli, conf, STORE_WRITE) != CLI_DONE)
		return CLI_FAILED;
	cli_catch_signals();
	run.list = list;
	run.all = optind == argc;
	run.is_terminal = isatty(STDERR_FILENO);
	status = send_all(&run, &wish);
	strings_fini(&run.troubles);
	return status;
}

const struct cli_command cli_send_now = {
	"send-now",
	"[--dry-run] [--no-fetch] [--again] [EMAIL...]",
	"Polls the feeds, then sends each subscriber what is new.\n"
	"\n"
	"With addresses (or ids), only to these. Deferred mails are tried "
	"again\n"
	"at once. A second run sends nothing twice.\n"
	"\n"
	"  --dry-run   say what would be sent; send nothing, move no mark\n"
	"  --no-fetch  do not poll: what is stored is enough\n"
	"  --again     send the last digest of these subscribers once more\n"
	"\n"
	"Exit status 3 if something was deferred, held or failed.\n",
	run_send_now,
};
