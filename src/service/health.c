/* Looks at the service's health, and tells what has changed. */

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "health_private.h"
#include "mail/message.h"
#include "service/courier.h"

#define LOOK_EVERY_MS 300000
#define AGAIN_MS 900000 /* after a mail that could not be sent */
#define MAIL_EVERY_SEC 3600
#define LAST_MAIL "last mail" /* the row that says when it was */
#define TEXT_BYTES 65536

struct health {
	struct service *service;
	int64_t look_ms;
	/* The mail under way. */
	struct courier *courier; /* NULL: there is none */
	char *to;
	char *subject;
	struct buf message;
	struct strings begun; /* subjects that it tells of */
	struct strings ended;
};

static int64_t now_of(const struct health *health)
{
	return clock_now_sec(&health->service->world->clock);
}

/* ---- the mail ---- */

static void forget_mail(struct health *health)
{
	courier_close(take_ptr(health->courier));
	free(take_ptr(health->to));
	free(take_ptr(health->subject));
	buf_fini(&health->message);
	strings_fini(&health->begun);
	strings_fini(&health->ended);
}

static int write_mail(struct health *health, const char *text,
                      struct error *err)
{
	const struct mail_sender *sender = &health->service->conf->sender;
	owned(mem) char *message_id = mail_new_message_id(sender);
	const struct mail_message message = {
		.sender = sender,
		.to_address = sender->admin,
		.subject = health->subject,
		.message_id = message_id,
		.language = "en",
		.date = now_of(health),
		.text = text,
	};

	if (mail_address_for_smtp(&health->to, span_of(sender->admin), err) < 0)
		return -1;
	health->message = BUF_INIT(LIMIT_MESSAGE_BYTES);
	return mail_build(&health->message, &message, err);
}

static int begin_mail(struct health *health, const char *text,
                      struct error *err)
{
	struct smtp_letter letter = {
		.from = health->service->conf->sender.from.address};

	if (write_mail(health, text, err) < 0)
		return -1;
	letter.to = health->to;
	letter.message = buf_span(&health->message);
	return courier_open(&health->courier, health->service, &letter, err);
}

/* ---- what was told ---- */

static int set_told(struct health *health, struct error *err)
{
	struct store *store = health->service->store;
	owned(store_ills) struct store_ills known = {0};
	char subject[] = LAST_MAIL;
	char words[] = "";
	const struct store_ill last = {subject, now_of(health), words, true};

	if (store_list_ills(store, &known, err) < 0)
		return -1;
	for (size_t i = 0; i < known.n; i++) {
		struct store_ill *ill = &known.items[i];

		ill->is_told |= strings_has(&health->begun, ill->subject);
		if (strings_has(&health->ended, ill->subject)
		            ? store_remove_ill(store, ill->subject, err) < 0
		            : store_set_ill(store, ill, err) < 0)
			return -1;
	}
	return store_set_ill(store, &last, err);
}

static int store_told(struct health *health, struct error *err)
{
	struct store *store = health->service->store;

	if (store_begin(store, err) < 0)
		return -1;
	if (set_told(health, err) < 0) {
		store_rollback(store);
		return -1;
	}
	return store_commit(store, err);
}

/* What may have arrived is not told again. */
static int finish_mail(struct health *health,
                       const struct smtp_outcome *outcome, struct error *err)
{
	const char *admin = health->service->conf->sender.admin;

	if (outcome->verdict == SMTP_SENT || outcome->verdict == SMTP_UNKNOWN) {
		if (store_told(health, err) < 0)
			return -1;
		log_notice("health: told %s: %s", admin, health->subject);
	} else {
		log_warning("health: no mail to %s: %s", admin,
		            outcome->sentence);
		health->look_ms =
			clock_monotonic_ms(&health->service->world->clock) +
			AGAIN_MS;
	}
	forget_mail(health);
	return 0;
}

/* ---- changes ---- */

struct changes {
	struct health *health;
	size_t n;
	struct buf text;
	char *first;
};

static void add_change(struct changes *changes, struct strings *list,
                       const struct store_ill *ill, char *line)
{
	strings_add(list, span_of(ill->subject));
	buf_addf(&changes->text, "%s\n\n", line);
	if (changes->n++ == 0)
		changes->first = mem_dup(line);
}

static int note_begun(struct changes *changes, const struct store_ills *known,
                      const struct store_ill *ill, struct error *err)
{
	struct health *health = changes->health;
	const struct store_ill *had = health_get(known, ill->subject);
	owned(mem) char *line = health_say_begin(had ? had : ill);

	if (!had) {
		log_warning("health: %s", line);
		if (store_set_ill(health->service->store, ill, err) < 0)
			return -1;
	}
	/* Of a relay that takes nothing no mail can tell. */
	if ((had && had->is_told) || !strcmp(ill->subject, "relay"))
		return 0;
	add_change(changes, &health->begun, ill, line);
	buf_addf(&changes->text, "  %s\n\n", health_advice(ill));
	return 0;
}

static int note_ended(struct changes *changes, const struct store_ill *ill,
                      struct error *err)
{
	struct health *health = changes->health;
	owned(mem) char *line = health_say_end(ill, now_of(health));
	bool has_admin = health->service->conf->sender.admin != NULL;

	if (has_admin && (ill->is_told || !strcmp(ill->subject, "relay"))) {
		add_change(changes, &health->ended, ill, line);
		return 0;
	}
	log_notice("health: %s", line);
	return store_remove_ill(health->service->store, ill->subject, err);
}

static int find_changes(struct changes *changes, int64_t *ret_last_mail,
                        struct error *err)
{
	struct health *health = changes->health;
	owned(store_ills) struct store_ills known = {0};
	owned(store_ills) struct store_ills now = {0};
	const struct store_ill *last;

	if (store_list_ills(health->service->store, &known, err) < 0 ||
	    health_find(health->service, &known, &now, err) < 0)
		return -1;
	last = health_get(&known, LAST_MAIL);
	*ret_last_mail = last ? last->since : 0;
	for (size_t i = 0; i < now.n; i++)
		if (note_begun(changes, &known, &now.items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < known.n; i++)
		if (strcmp(known.items[i].subject, LAST_MAIL) != 0 &&
		    !health_get(&now, known.items[i].subject) &&
		    note_ended(changes, &known.items[i], err) < 0)
			return -1;
	return health_get(&now, "relay") ? 0 : 1;
}

static int tell(struct health *health, struct changes *changes,
                struct error *err)
{
	health->subject = changes->n == 1
	                          ? mem_printf("arxmail: %s", changes->first)
	                          : mem_printf("arxmail: %zu changes: %s",
	                                       changes->n, changes->first);
	buf_addf(&changes->text,
	         "-- \narxmail tells the admin of changes only; 'arxmail "
	         "status' has the rest.\n");
	return begin_mail(health, buf_str(&changes->text), err);
}

static int look(struct health *health, struct error *err)
{
	struct changes changes = {.health = health,
	                          .text = BUF_INIT(TEXT_BYTES)};
	int64_t last_mail = 0;
	int can_mail = find_changes(&changes, &last_mail, err);
	int rc = can_mail < 0 ? -1 : 0;

	if (can_mail == 1 && changes.n > 0 &&
	    health->service->conf->sender.admin &&
	    (now_of(health) < last_mail ||
	     now_of(health) >= last_mail + MAIL_EVERY_SEC))
		rc = tell(health, &changes, err);
	if (!health->courier)
		forget_mail(health);
	buf_fini(&changes.text);
	free(changes.first);
	return rc;
}

/* ---- its life ---- */

struct health *health_open(struct service *service)
{
	struct health *health = mem_new(sizeof(*health));

	health->service = service;
	return health;
}

void health_close(struct health *health)
{
	if (!health)
		return;
	forget_mail(health);
	free(health);
}

int health_turn(struct health *health, int64_t *ret_look_ms, struct error *err)
{
	int64_t now_ms = clock_monotonic_ms(&health->service->world->clock);

	*ret_look_ms = INT64_MAX;
	if (health->courier) {
		const struct smtp_outcome *outcome =
			courier_outcome(health->courier);

		if (!outcome)
			return 0;
		if (finish_mail(health, outcome, err) < 0)
			return -1;
	}
	if (now_ms >= health->look_ms) {
		health->look_ms = now_ms + LOOK_EVERY_MS;
		if (look(health, err) < 0)
			return -1;
	}
	*ret_look_ms = health->look_ms;
	return 0;
}
