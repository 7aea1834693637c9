#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli_private.h"
#include "model/day.h"
#include "service/explore.h"

/* One e-print in the eyes of one subscriber. */
struct view {
	const struct subscriber *subscriber;
	const struct service_story *story;
	struct query_pool *pool;
	struct query_index *index;
};

static void owned_release_view(struct view *view)
{
	query_index_free(view->index);
	query_pool_free(view->pool);
}

/* ---- what is known ---- */

static void print_announced(const struct service_story *story)
{
	owned(buf) struct buf line = BUF_INIT(SIZE_MAX);
	char day[DAY_TEXT_SIZE];

	buf_addf(&line, "%sv%u: %s", story->paper->id, story->paper->version,
	         story->paper->title);
	cli_print(buf_str(&line));
	for (size_t i = 0; i < story->n_announced; i++) {
		const struct announcement *a = story->announced[i];

		printf("  announced on %s in %s as %s (version %u)\n",
		       day_format(a->day, day), a->category,
		       announce_type_name(a->type), a->paper->version);
	}
}

/* ---- the topics ---- */

static const char *name_part(enum query_part part)
{
	switch (part) {
	case QUERY_ALL:
		return "all of these";
	case QUERY_ANY:
		return "any of these";
	case QUERY_NOT:
		return "not";
	case QUERY_CLAUSE:
		break;
	}
	return "";
}

static void print_verdict(const struct query_verdict *verdict)
{
	owned(buf) struct buf line = BUF_INIT(SIZE_MAX);

	buf_addf(&line, "  %s  %*s%s", verdict->passes ? "pass" : "fail",
	         (int)(2 * verdict->depth), "",
	         verdict->text ? verdict->text : name_part(verdict->part));
	if (verdict->miss)
		buf_addf(&line, ": %s", verdict->miss);
	cli_print(buf_str(&line));
}

static void print_topic(const struct topic *topic,
                        const struct query_verdicts *verdicts)
{
	owned(buf) struct buf line = BUF_INIT(SIZE_MAX);

	if (topic->name)
		buf_addf(&line, "topic \"%s\"", topic->name);
	else
		buf_add_str(&line, "the subscriber's own keywords");
	buf_add_str(&line, verdicts->items[0].passes ? ": pass" : ": fail");
	puts("");
	cli_print(buf_str(&line));
	for (size_t i = 0; i < verdicts->n; i++)
		print_verdict(&verdicts->items[i]);
}

/* *ret_passes: does the paper pass this topic? */
static int explain_topic(const struct view *view, const struct topic *topic,
                         bool *ret_passes, struct error *err)
{
	owned(query_verdicts) struct query_verdicts verdicts = {0};
	owned(query) struct query *query = NULL;

	if (query_from_topic(&query, view->pool, topic, err) < 0)
		return -1;
	query_explain(view->index, query, 0, &verdicts);
	print_topic(topic, &verdicts);
	*ret_passes = verdicts.items[0].passes;
	return 0;
}

static int explain_topics(const struct view *view, bool *ret_passes,
                          struct error *err)
{
	*ret_passes = false;
	for (size_t i = 0; i < view->subscriber->n_topics; i++) {
		bool passes;

		if (explain_topic(view, &view->subscriber->topics[i], &passes,
		                  err) < 0)
			return -1;
		*ret_passes = *ret_passes || passes;
	}
	return 0;
}

/* ---- what comes of it ---- */

static const char *judge(const struct view *view, bool passes)
{
	const struct service_story *story = view->story;

	if (!story->subscribed)
		return "no: none of the categories it was announced in is "
		       "subscribed";
	if (!story->wanted)
		return "no: the subscriber's `announce` leaves out how it was "
		       "announced";
	if (!passes)
		return "no: it passes no topic";
	if (story->looked_at)
		return "no: a digest has looked at it already; it was cut "
		       "(max, max_papers, min_score), or the filters have "
		       "changed since";
	if (story->too_old)
		return "no: it is older than 14 days";
	if (story->suspended)
		return "not now: the subscriber is suspended, because the "
		       "address was refused too often";
	if (view->subscriber->paused)
		return "not now: the subscriber is paused in the config";
	return "yes, in the next digest, unless better papers fill it";
}

/* A digest may be sent again, to another address: any that arrived counts. */
static const char *judge_deliveries(const struct store_deliveries *deliveries)
{
	const char *verdict = "no";

	for (size_t i = 0; i < deliveries->n; i++)
		switch (deliveries->items[i].state) {
		case DELIVERY_SENT:
			return "yes";
		case DELIVERY_UNKNOWN:
		case DELIVERY_HELD:
			verdict = "perhaps";
			break;
		case DELIVERY_QUEUED:
		case DELIVERY_SENDING:
		case DELIVERY_DEFERRED:
			verdict = "not yet";
			break;
		case DELIVERY_FAILED:
		case DELIVERY_SUPERSEDED:
		case DELIVERY_CANCELLED:
		case DELIVERY_STATES:
			break;
		}
	return verdict;
}

static void print_deliveries(const struct service_story *story)
{
	char day[DAY_TEXT_SIZE];

	printf("\nsent? %s: version %u is in the digest of %s\n",
	       judge_deliveries(&story->deliveries), story->sent.version,
	       day_format(story->sent.day, day));
	for (size_t i = 0; i < story->deliveries.n; i++) {
		const struct store_delivery *delivery =
			&story->deliveries.items[i];
		owned(buf) struct buf line = BUF_INIT(SIZE_MAX);

		buf_addf(&line, "  to %s: %s", delivery->address,
		         delivery_state_name(delivery->state));
		if (delivery->last_words)
			buf_addf(&line, ", %s", delivery->last_words);
		cli_print(buf_str(&line));
	}
}

static void print_fate(const struct view *view, bool passes)
{
	const struct service_story *story = view->story;

	if (story->sent.version > 0 &&
	    (story->looked_at || story->type < ANNOUNCE_REPLACE))
		print_deliveries(story);
	else
		printf("\nsent? %s\n", judge(view, passes));
}

static int explain(const struct subscriber *subscriber,
                   const struct service_story *story)
{
	struct query_paper paper = {story->paper, story->type};
	owned(view) struct view view = {subscriber, story, query_pool_new(),
	                                NULL};
	struct error err = {0};
	bool passes;

	view.index = query_index_new(view.pool, &paper, 1);
	print_announced(story);
	if (explain_topics(&view, &passes, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	print_fate(&view, passes);
	return CLI_DONE;
}

static int find_story(struct cli *cli, const struct subscriber *subscriber,
                      const char *id)
{
	owned(service_story) struct service_story *story = NULL;
	struct error err = {0};

	if (service_tell(&story, &cli->service, subscriber, id, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (!story->paper) {
		cli_say("%s: no feed that was polled has announced it, or it "
		        "was longer ago than keep_days",
		        id);
		return CLI_FAILED;
	}
	return explain(subscriber, story);
}

static int run(const char *conf_path, int argc, char **argv)
{
	owned(mem) const struct subscriber **list = NULL;
	owned(mem) char *id = NULL;
	owned(cli) struct cli cli = {0};
	struct span found;
	uint32_t version;
	size_t n;
	int status;

	if (argc != 3)
		return cli_usage(&cli_explain,
		                 "explain takes a subscriber's address or id, "
		                 "and a paper's id");
	if (!paper_parse_id(span_of(argv[2]), &found, &version))
		return cli_usage(&cli_explain,
		                 "'%s' is no arXiv id: write it as 2403.17887 "
		                 "or hep-th/9901001",
		                 argv[2]);
	id = mem_dup_span(found);
	status = cli_open(&cli, conf_path, STORE_READ);
	if (status == CLI_DONE)
		status = cli_find_subscribers(cli.conf, 1, argv + 1, &list, &n);
	return status == CLI_DONE ? find_story(&cli, list[0], id) : status;
}

const struct cli_command cli_explain = {
	"explain",
	"EMAIL ID",
	"Tells why a subscriber did or did not get a paper.\n"
	"\n"
	"Where it was announced, whether it passes each topic and each word\n"
	"and phrase of it, what comes nearest where it fails, and whether it\n"
	"was sent. Changes nothing.\n",
	run,
};
