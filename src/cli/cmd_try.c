#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli_private.h"
#include "model/category.h"
#include "model/day.h"
#include "service/explore.h"

#define DAYS 14
#define MAX_DAYS 4000
#define SHOWN_PAPERS 10
#define BAR_COLUMNS 40

struct wish {
	const char *query;
	const char *category; /* NULL: all */
	uint32_t n_days;
};

/* What is asked, and what was found. */
struct trial {
	struct query_pool *pool;
	struct query *query;
	struct query_index *index;
	struct query_results results;
	bool *passes; /* each explored paper */
};

static void owned_release_trial(struct trial *trial)
{
	query_results_fini(&trial->results);
	query_index_free(trial->index);
	query_free(trial->query);
	query_pool_free(trial->pool);
	free(trial->passes);
}

static void run_trial(struct trial *trial,
                      const struct service_exploration *explored)
{
	owned(mem) struct query_paper *papers =
		mem_array(explored->n, sizeof(*papers));

	for (size_t i = 0; i < explored->n; i++)
		papers[i] = (struct query_paper){explored->items[i].paper,
		                                 explored->items[i].type};
	trial->index = query_index_new(trial->pool, papers, explored->n);
	query_run(trial->index, trial->query, &trial->results);
	trial->passes = mem_array(explored->n, sizeof(*trial->passes));
	for (size_t i = 0; i < trial->results.n; i++)
		trial->passes[trial->results.items[i].paper] = true;
}

/* ---- how many a day ---- */

/* What was announced on a day, and caught of it. */
struct day_count {
	size_t n;
	size_t n_caught;
};

static struct day_count *count_days(const struct service_exploration *explored,
                                    const struct trial *trial, size_t *ret_most)
{
	size_t n_days = (size_t)(explored->last_day - explored->first_day) + 1;
	struct day_count *days = mem_array(n_days, sizeof(*days));

	*ret_most = 0;
	for (size_t i = 0; i < explored->n; i++) {
		struct day_count *day =
			&days[explored->items[i].day - explored->first_day];

		day->n++;
		day->n_caught += trial->passes[i];
		if (day->n_caught > *ret_most)
			*ret_most = day->n_caught;
	}
	return days;
}

/* At least one sign for what is more than nothing. */
static size_t measure_bar(size_t n, size_t most)
{
	if (most <= BAR_COLUMNS)
		return n;
	return (n * BAR_COLUMNS + most - 1) / most;
}

static void print_days(const struct service_exploration *explored,
                       const struct trial *trial)
{
	size_t most;
	owned(mem) struct day_count *days = count_days(explored, trial, &most);
	char text[DAY_TEXT_SIZE];

	for (int32_t day = explored->first_day; day <= explored->last_day;
	     day++) {
		const struct day_count *count =
			&days[day - explored->first_day];
		size_t bar = measure_bar(count->n_caught, most);

		if (count->n == 0)
			continue;
		printf("%s %5zu of %5zu%s", day_format(day, text),
		       count->n_caught, count->n, bar > 0 ? "  " : "");
		for (size_t i = 0; i < bar; i++)
			putchar('#');
		putchar('\n');
	}
}

/* ---- titles ---- */

/* In bold on a terminal, between asterisks elsewhere. */
static void print_marked(const char *text, const struct marks *marks)
{
	bool terminal = isatty(STDOUT_FILENO);
	size_t at = 0;

	for (size_t i = 0; i < marks->n; i++) {
		const struct mark *mark = &marks->items[i];

		cli_print_part((struct span){text + at, mark->start - at});
		fputs(terminal ? "\x1b[1m" : "*", stdout);
		cli_print_part((struct span){text + mark->start, mark->len});
		fputs(terminal ? "\x1b[0m" : "*", stdout);
		at = mark->start + mark->len;
	}
	cli_print_part(span_of(text + at));
	putchar('\n');
}

static const char *name_field(unsigned field)
{
	switch ((enum clause_field)field) {
	case CLAUSE_TITLE:
		return "title";
	case CLAUSE_ABSTRACT:
		return "abstract";
	case CLAUSE_AUTHOR:
		return "author";
	case CLAUSE_OTHER:
		break;
	}
	return "";
}

static void print_clauses(const struct match *match)
{
	owned(buf) struct buf line = BUF_INIT(SIZE_MAX);

	for (size_t i = 0; i < match->n_clauses; i++) {
		const struct clause *clause = &match->clauses[i];
		const char *before = " (";

		buf_addf(&line, "%s%s",
		         i > 0 ? ", " : "    matched: ", clause->text);
		for (unsigned bit = 1; bit < CLAUSE_OTHER; bit <<= 1) {
			if (!(clause->fields & bit))
				continue;
			buf_addf(&line, "%s%s", before, name_field(bit));
			before = ", ";
		}
		buf_add_str(&line, *before == ',' ? ")" : "");
	}
	if (line.len > 0)
		cli_print(buf_str(&line));
}

static void print_paper(const struct service_explored *item,
                        const struct trial *trial, size_t n)
{
	struct match match = {0};
	char text[DAY_TEXT_SIZE];

	query_why(trial->index, trial->query, n, &match);
	printf("%s  %s  ", day_format(item->day, text), item->paper->id);
	print_marked(item->paper->title, &match.title);
	print_clauses(&match);
	match_fini(&match);
}

static void print_newest(const struct service_exploration *explored,
                         const struct trial *trial)
{
	size_t n_shown = 0;

	if (trial->results.n > 0)
		puts("\nthe newest of them:");
	for (size_t i = 0; i < explored->n && n_shown < SHOWN_PAPERS; i++) {
		if (!trial->passes[i])
			continue;
		print_paper(&explored->items[i], trial, i);
		n_shown++;
	}
}

/* ---- warnings ---- */

/* Clauses that do nothing, or too much, are seldom what somebody means. */
static void warn_of_clauses(const struct service_exploration *explored,
                            const struct trial *trial)
{
	owned(query_verdicts) struct query_verdicts verdicts = {0};

	query_explain(trial->index, trial->query, 0, &verdicts);
	for (size_t i = 0; i < verdicts.n; i++) {
		const struct query_verdict *verdict = &verdicts.items[i];

		if (verdict->part != QUERY_CLAUSE)
			continue;
		if (verdict->n_papers == 0)
			cli_say("warning: %s matches none of these %zu papers",
			        verdict->text, explored->n);
		else if (3 * verdict->n_papers > explored->n)
			cli_say("warning: %s matches %zu of these %zu papers, "
			        "more than a third",
			        verdict->text, verdict->n_papers, explored->n);
	}
}

static int try_query(struct cli *cli, const struct wish *wish,
                     struct trial *trial)
{
	owned(service_exploration) struct service_exploration *explored = NULL;
	struct error err = {0};

	if (service_explore(&explored, &cli->service, wish->category,
	                    wish->n_days, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (explored->n == 0) {
		cli_say("nothing is stored of the last %u days%s%s; 'arxmail "
		        "fetch' polls the feeds",
		        wish->n_days, wish->category ? " for " : "",
		        wish->category ? wish->category : "");
		return CLI_FAILED;
	}
	run_trial(trial, explored);
	print_days(explored, trial);
	printf("%zu of %zu papers in %u days, %.1f a day\n", trial->results.n,
	       explored->n, wish->n_days,
	       (double)trial->results.n / wish->n_days);
	print_newest(explored, trial);
	warn_of_clauses(explored, trial);
	return CLI_DONE;
}

/* ---- arguments ---- */

static int check_category(const char *category)
{
	struct span nearest;

	if (category_pattern_valid(span_of(category)))
		return CLI_DONE;
	nearest = category_nearest(span_of(category));
	if (nearest.len == 0)
		return cli_usage(&cli_try, "there is no category '%s'",
		                 category);
	return cli_usage(&cli_try,
	                 "there is no category '%s': did you mean '%.*s'?",
	                 category, (int)nearest.len, nearest.ptr);
}

static int read_days(const char *text, uint32_t *ret_n)
{
	uint64_t n;

	if (!num_parse(span_of(text), 1, MAX_DAYS, &n))
		return cli_usage(&cli_try,
		                 "--days %s: it is a number from 1 to %d", text,
		                 MAX_DAYS);
	*ret_n = (uint32_t)n;
	return CLI_DONE;
}

static int read_options(int argc, char **argv, struct wish *ret_wish)
{
	static const struct option options[] = {
		{"category", required_argument, NULL, 'c'},
		{"days", required_argument, NULL, 'd'},
		{NULL, 0, NULL, 0},
	};
	int status = CLI_DONE;
	int c;

	optind = 0;
	for (c = cli_next_option(argc, argv, options);
	     c != -1 && status == CLI_DONE;
	     c = cli_next_option(argc, argv, options)) {
		if (c == 'c') {
			ret_wish->category = optarg;
			status = check_category(optarg);
		} else if (c == 'd') {
			status = read_days(optarg, &ret_wish->n_days);
		} else {
			return cli_bad_option(&cli_try, c, argv);
		}
	}
	if (status != CLI_DONE)
		return status;
	if (argc - optind != 1)
		return cli_usage(&cli_try, "try takes one query: quote it");
	ret_wish->query = argv[optind];
	return CLI_DONE;
}

static int run(const char *conf_path, int argc, char **argv)
{
	owned(trial) struct trial trial = {.pool = query_pool_new()};
	owned(cli) struct cli cli = {0};
	struct wish wish = {.n_days = DAYS};
	struct error err = {0};
	int status = read_options(argc, argv, &wish);

	if (status != CLI_DONE)
		return status;
	if (query_parse(&trial.query, trial.pool, wish.query, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_USAGE;
	}
	status = cli_open(&cli, conf_path, STORE_READ);
	return status == CLI_DONE ? try_query(&cli, &wish, &trial) : status;
}

const struct cli_command cli_try = {
	"try",
	"QUERY [--category CATEGORY] [--days N]",
	"Shows what a query would have caught in the stored papers.\n"
	"\n"
	"How many on each day, the newest ten with the matched words marked,\n"
	"and a warning for each word or phrase that never matches or matches\n"
	"more than a third of everything. Changes nothing.\n"
	"\n"
	"  --category CATEGORY  only what this category announced (cs.CL, "
	"cs.*)\n"
	"  --days N             of the last N days (14)\n"
	"\n"
	"The language is described in arxmail-query(7).\n",
	run,
};
