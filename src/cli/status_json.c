/*
 * `status --json`, as arxmail(1) has it. Each name is printed by itself: there
 * may be a hundred thousand of them.
 */

#include <time.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "status_private.h"

#define TIME_SIZE 32

static void add_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key,
	                       text ? json_object_new_string(text) : NULL);
}

/* RFC 3339, UTC; null for 0. */
static struct json_object *make_time(int64_t at)
{
	time_t seconds = at;
	struct tm utc;
	char text[TIME_SIZE];

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return at > 0 ? json_object_new_string(text) : NULL;
}

static void add_time(struct json_object *to, const char *key, int64_t at)
{
	json_object_object_add(to, key, make_time(at));
}

static void add_number(struct json_object *to, const char *key, uint64_t n)
{
	json_object_object_add(to, key, json_object_new_uint64(n));
}

/* Prints it and lets it go. */
static void print(struct json_object *object)
{
	fputs(json_object_to_json_string_ext(
		      object,
		      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
	      stdout);
	json_object_put(object);
}

/* ---- names ---- */

struct names {
	bool has_some;
};

static struct json_object *make_days(const struct store_outcomes *outcomes)
{
	struct json_object *days = json_object_new_array();

	for (size_t i = 0; i < outcomes->n; i++) {
		const struct store_outcome *item = &outcomes->items[i];
		struct json_object *day = json_object_new_object();
		char date[DAY_TEXT_SIZE];

		add_text(day, "day", day_format(item->of_day.day, date));
		add_text(day, "outcome", outcome_name(item->outcome));
		add_text(day, "reason", item->reason);
		add_time(day, "at", item->at);
		if (item->of_day.of == OUTCOME_OF_CATEGORY)
			json_object_object_add(
				day, "recovered",
				json_object_new_boolean(item->recovered));
		json_object_array_add(days, day);
	}
	return days;
}

static int print_name(void *ctx, const struct status_row *row,
                      struct error *err)
{
	struct names *names = ctx;
	struct json_object *object = json_object_new_object();

	(void)err;
	fputs(names->has_some ? ",\n" : "\n", stdout);
	names->has_some = true;
	add_text(object, "name", row->name);
	if (row->subscriber)
		add_text(object, "email", row->subscriber->email);
	json_object_object_add(object, "days", make_days(&row->outcomes));
	print(object);
	return 0;
}

static int print_names(const struct status *status, enum outcome_of of,
                       const char *key, struct error *err)
{
	struct names names = {0};

	printf("\"%s\":[", key);
	if (status_each(status, of, print_name, &names, err) < 0)
		return -1;
	fputs("],\n", stdout);
	return 0;
}

/* ---- the rest ---- */

static struct json_object *make_queue(const struct status *status)
{
	struct json_object *queue = json_object_new_object();

	for (unsigned i = 0; i < DELIVERY_STATES; i++)
		if (!status_is_done((enum delivery_state)i))
			add_number(queue,
			           delivery_state_name((enum delivery_state)i),
			           status->counts.n[i]);
	add_number(queue, "sent_last_hour", status->view.n_sent_hour);
	add_number(queue, "sent_last_day", status->view.n_sent_day);
	add_time(queue, "next_attempt_at", status->view.next_at);
	add_text(queue, "last_words", status->view.last_words);
	return queue;
}

static struct json_object *make_trouble(const struct store_trouble *trouble)
{
	struct json_object *relay;

	if (trouble->since == 0)
		return NULL;
	relay = json_object_new_object();
	add_time(relay, "since", trouble->since);
	add_time(relay, "next_attempt_at", trouble->next_at);
	add_text(relay, "words", trouble->words);
	return relay;
}

static struct json_object *make_model(const struct status *status)
{
	const struct llm_options *llm = &status->cli->conf->llm;
	struct json_object *model;

	if (!llm->url)
		return NULL;
	model = json_object_new_object();
	add_text(model, "name", llm->model);
	add_number(model, "questions_today", status->asked.n_calls);
	add_number(model, "tokens_today", status->asked.n_tokens);
	json_object_object_add(model, "trouble",
	                       make_trouble(&status->model_trouble));
	return model;
}

static struct json_object *make_next(const struct status *status)
{
	struct json_object *next;

	if (status->next_at == INT64_MAX)
		return NULL;
	next = json_object_new_object();
	add_time(next, "at", status->next_at);
	add_number(next, "subscribers", status->n_next);
	return next;
}

static struct json_object *
make_suspended(const struct store_suspended_list *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->n; i++) {
		struct json_object *item = json_object_new_object();

		add_text(item, "subscriber", list->items[i].subscriber_id);
		add_text(item, "address", list->items[i].address);
		add_time(item, "since", list->items[i].since);
		add_text(item, "words", list->items[i].words);
		json_object_array_add(array, item);
	}
	return array;
}

static struct json_object *make_undelivered(const struct store_deliveries *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->n && i < STATUS_DELIVERIES; i++) {
		const struct store_delivery *delivery = &list->items[i];
		struct json_object *item = json_object_new_object();

		add_text(item, "subscriber", delivery->subscriber_id);
		add_text(item, "state", delivery_state_name(delivery->state));
		add_time(item, "queued_at", delivery->created_at);
		add_time(item, "next_attempt_at", delivery->next_at);
		add_number(item, "attempts", delivery->n_attempts);
		add_text(item, "words", delivery->last_words);
		json_object_array_add(array, item);
	}
	return array;
}

static void print_member(const char *key, struct json_object *object)
{
	printf("\"%s\":", key);
	print(object);
	puts(",");
}

int status_print_json(const struct status *status, struct error *err)
{
	putchar('{');
	print_member("at", make_time(status->now));
	if (print_names(status, OUTCOME_OF_CATEGORY, "categories", err) < 0 ||
	    print_names(status, OUTCOME_OF_SUBSCRIBER, "subscribers", err) < 0)
		return -1;
	print_member("next_digests", make_next(status));
	print_member("deliveries", make_queue(status));
	print_member("relay_trouble", make_trouble(&status->trouble));
	print_member("model", make_model(status));
	print_member("suspended", make_suspended(&status->suspended));
	fputs("\"undelivered\":", stdout);
	print(make_undelivered(&status->undelivered));
	puts("}");
	return 0;
}
