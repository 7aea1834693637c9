#include "base/limits.h"
#include "base/mem.h"
#include "deliver_private.h"
#include "mail/address.h"
#include "mail/bounce.h"
#include "service/letter.h"
#include "service/summarize.h"
#include "service_private.h"

#define PAGE 100 /* deliveries read at a time */
/* When who is paused, or not in the config, is looked at again. */
#define POSTPONE_SEC 3600

void letter_free(struct letter *letter)
{
	if (!letter)
		return;
	store_delivery_fini(&letter->delivery);
	buf_fini(&letter->message);
	free(letter->from);
	free(letter->to);
	free(letter);
}

int outbox_init(struct outbox *outbox, const struct sender *sender,
                struct error *err)
{
	*outbox = (struct outbox){
		.service = sender->service,
		.sender = sender,
		.ids = sender->ids,
		.now = sender->begun_at,
	};
	return mail_address_for_smtp(
		&outbox->from,
		span_of(sender->service->conf->sender.from.address), err);
}

void outbox_rewind(struct outbox *outbox, int64_t now)
{
	store_deliveries_fini(&outbox->page);
	outbox->next = 0;
	outbox->now = now;
	outbox->after_at = 0;
	outbox->after_id = 0;
	outbox->empty = false;
}

void outbox_fini(struct outbox *outbox)
{
	store_deliveries_fini(&outbox->page);
	free(outbox->from);
}

static int turn_page(struct outbox *outbox, struct error *err)
{
	const struct store_page page = {outbox->now, outbox->after_at,
	                                outbox->after_id, PAGE};

	store_deliveries_fini(&outbox->page);
	outbox->next = 0;
	if (store_next_deliveries(outbox->service->store, &page, &outbox->page,
	                          err) < 0)
		return -1;
	outbox->empty = outbox->page.n == 0;
	return 0;
}

/* Whose delivery it is, if it may have it now: not who is paused. */
static const struct subscriber *
find_reader(const struct outbox *outbox, const struct store_delivery *delivery)
{
	const struct subscriber *subscriber = conf_find_subscriber(
		outbox->service->conf, delivery->subscriber_id);
	struct error ignored = {0};
	int32_t day = 0;

	if (!subscriber ||
	    service_local_day(outbox->service, subscriber, &day, &ignored) < 0)
		return NULL;
	return subscriber_paused(subscriber, day) ? NULL : subscriber;
}

static bool is_asked_for(const struct outbox *outbox,
                         const struct store_delivery *delivery)
{
	return (!outbox->ids ||
	        strings_has(outbox->ids, delivery->subscriber_id)) &&
	       !sender_holds(outbox->sender, delivery->id);
}

/* The next one that is wanted, in the page; OUTBOX_EMPTY if there is none. */
static int advance(struct outbox *outbox, struct store_delivery **ret_delivery,
                   const struct subscriber **ret_subscriber, struct error *err)
{
	struct store *store = outbox->service->store;

	*ret_subscriber = NULL;
	while (!outbox->empty && !*ret_subscriber) {
		struct store_delivery *delivery;

		if (outbox->next == outbox->page.n) {
			if (turn_page(outbox, err) < 0)
				return -1;
			continue;
		}
		delivery = &outbox->page.items[outbox->next++];
		outbox->after_at = delivery->next_at;
		outbox->after_id = delivery->id;
		if (!is_asked_for(outbox, delivery))
			continue;
		*ret_delivery = delivery;
		*ret_subscriber = find_reader(outbox, delivery);
		if (!*ret_subscriber &&
		    store_postpone_delivery(store, delivery->id,
		                            outbox->now + POSTPONE_SEC,
		                            err) < 0)
			return -1;
	}
	return *ret_subscriber ? OUTBOX_LETTER : OUTBOX_EMPTY;
}

static int write_message(const struct outbox *outbox, struct letter *letter,
                         struct error *err)
{
	owned(store_digest) struct store_digest *stored = NULL;

	if (store_load_digest(outbox->service->store,
	                      letter->delivery.digest_id, &stored, err) < 0)
		return -1;
	/* A digest that is sent again has a message of its own. */
	free(stored->digest->message_id);
	stored->digest->message_id = mem_dup(letter->delivery.message_id);
	stored->digest->created_at = letter->delivery.created_at;
	letter->n_papers = stored->digest->n_entries;
	letter->day = stored->digest->day;
	if (service_add_words(outbox->service, letter->subscriber,
	                      stored->digest, err) < 0)
		return -1;
	return service_write_letter(outbox->service, letter->subscriber,
	                            stored->digest, &letter->message, err);
}

/* With smtp.verp a bounce's address says which mail it is about. */
static int find_sender(const struct outbox *outbox, struct letter *letter,
                       struct error *err)
{
	const struct conf *conf = outbox->service->conf;
	struct span id = span_of(letter->delivery.message_id);
	owned(mem) char *token = NULL;

	if (!conf->smtp.verp)
		return 0;
	token = mem_dup_span(span_first(id, span_find(id, "@")));
	return mail_verp_sender(&letter->from, conf->sender.from.address, token,
	                        err);
}

int outbox_next(struct outbox *outbox, struct letter **ret_letter,
                struct error *err)
{
	owned(letter) struct letter *letter = mem_new(sizeof(*letter));
	struct store_delivery *delivery = NULL;
	int found = advance(outbox, &delivery, &letter->subscriber, err);

	if (found != OUTBOX_LETTER)
		return found;

	letter->delivery = *delivery;
	*delivery = (struct store_delivery){0};
	letter->message = BUF_INIT(LIMIT_MESSAGE_BYTES);
	if (find_sender(outbox, letter, err) < 0 ||
	    mail_address_for_smtp(
		    &letter->to, span_of(letter->subscriber->email), err) < 0 ||
	    write_message(outbox, letter, err) < 0)
		return -1;
	letter->smtp =
		(struct smtp_letter){letter->from ? letter->from : outbox->from,
	                             letter->to, buf_span(&letter->message)};
	*ret_letter = take_ptr(letter);
	return OUTBOX_LETTER;
}

int outbox_skip(struct outbox *outbox, const struct subscriber **ret_subscriber,
                struct error *err)
{
	struct store_delivery *delivery = NULL;

	return advance(outbox, &delivery, ret_subscriber, err) < 0 ? -1 : 0;
}
