/* Looks at the service's health, and tells what has changed. */

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "health_private.h"
#include "mail/message.h"

#define LOOK_EVERY_MS 300000
#define AGAIN_MS 900000 /* after a mail that could not be sent */
#define MAIL_EVERY_SEC 3600
#define LAST_MAIL "last mail" /* the row that says when it was */
#define TEXT_BYTES 65536

enum mail_state {
	MAIL_NONE,
	MAIL_OPENING,
	MAIL_SENT,
	MAIL_FAILED,
};

struct health {
	struct service *service;
	int64_t look_ms;
	/* The mail under way. */
	enum mail_state mail;
	void *relay;
	char *to;
	char *subject;
	struct buf message;
	struct strings begun; /* subjects that it tells of */
	struct strings ended;
	struct smtp_outcome outcome;
};

static int64_t now_of(const struct health *health)
{
	return clock_now_sec(&health->service->world->clock);
}

/* ---- the mail ---- */

static void end_mail(struct health *health, enum mail_state state,
                     const struct smtp_outcome *outcome)
{
	health->mail = state;
	health->outcome = *outcome;
}

static void on_open(void *ctx)
{
	struct health *health = ctx;
	const struct smtp_letter letter = {
		health->service->conf->sender.from.address, health->to,
		buf_span(&health->message)};

	health->service->world->relay_send(health->relay, &letter);
}

static void on_ready(void *ctx)
{
	struct health *health = ctx;

	health->service->world->relay_send_body(health->relay, NULL);
}

static void on_closed(void *ctx, const struct smtp_outcome *outcome)
{
	end_mail(ctx, MAIL_FAILED, outcome);
}

/* What may have arrived is not told again. */
static void on_done(void *ctx, const struct smtp_outcome *outcome)
{
	bool sent = outcome->verdict == SMTP_SENT ||
	            outcome->verdict == SMTP_UNKNOWN;

	end_mail(ctx, sent ? MAIL_SENT : MAIL_FAILED, outcome);
}

static void forget_mail(struct health *health)
{
	if (health->relay)
		health->service->world->relay_close(take_ptr(health->relay));
	free(take_ptr(health->to));
	free(take_ptr(health->subject));
	buf_fini(&health->message);
	strings_fini(&health->begun);
	strings_fini(&health->ended);
	health->mail = MAIL_NONE;
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
	struct service_world *world = health->service->world;
	const struct smtp_events events = {on_open, on_closed, on_ready,
	                                   on_done, health};

	if (write_mail(health, text, err) < 0)
		return -1;
	health->mail = MAIL_OPENING;
	return world->relay_open(world->ctx, &events, &health->relay, err);
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

static int finish_mail(struct health *health, struct error *err)
{
	struct store *store = health->service->store;
	int rc = 0;

	if (health->mail == MAIL_FAILED) {
		log_warning("health: no mail to %s: %s",
		            health->service->conf->sender.admin,
		            health->outcome.sentence);
		health->look_ms =
			clock_monotonic_ms(&health->service->world->clock) +
			AGAIN_MS;
	} else if (store_begin(store, err) < 0) {
		return -1;
	} else {
		rc = set_told(health, err);
		if (rc < 0)
			store_rollback(store);
		else
			rc = store_commit(store, err);
		if (rc == 0)
			log_notice("health: told %s: %s",
			           health->service->conf->sender.admin,
			           health->subject);
	}
	if (rc == 0)
		forget_mail(health);
	return rc;
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
	if (rc < 0 || health->mail == MAIL_NONE)
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
	if (health->mail == MAIL_OPENING)
		return 0;
	if (health->mail != MAIL_NONE && finish_mail(health, err) < 0)
		return -1;
	if (now_ms >= health->look_ms) {
		health->look_ms = now_ms + LOOK_EVERY_MS;
		if (look(health, err) < 0)
			return -1;
	}
	*ret_look_ms = health->look_ms;
	return 0;
}
