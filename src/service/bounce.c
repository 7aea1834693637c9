#include "service/bounce.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "mail/bounce.h"

static int ignore(const char *why)
{
	log_info("bounce: ignored: %s", why);
	return BOUNCE_IGNORED;
}

static int find(struct store *store, const struct mail_bounce *bounce,
                struct store_delivery *ret_delivery, struct error *err)
{
	int found = STORE_MISSING;

	if (bounce->message_id)
		found = store_find_by_message_id(store, bounce->message_id,
		                                 ret_delivery, err);
	if (found == STORE_MISSING && bounce->token)
		found = store_find_by_message_id(store, bounce->token,
		                                 ret_delivery, err);
	return found;
}

/* What the server said, with the subscriber's id for the address. */
static void add_words(struct buf *line, const char *words,
                      const struct store_delivery *delivery)
{
	struct span address = span_of(delivery->address);
	struct span rest = span_of(words);
	size_t at = span_find(rest, delivery->address);

	while (at < rest.len) {
		buf_add(line, rest.ptr, at);
		buf_add_str(line, delivery->subscriber_id);
		rest = span_skip(rest, at + address.len);
		at = span_find(rest, delivery->address);
	}
	buf_add_span(line, rest);
}

static const char *words_of(const struct mail_bounce *bounce)
{
	if (bounce->words)
		return bounce->words;
	return bounce->status[0] ? bounce->status : "no reason was given";
}

static int count(struct store *store, const struct store_delivery *delivery,
                 const struct store_refusal *refusal, struct error *err)
{
	owned(buf) struct buf words = BUF_INIT(LIMIT_BOUNCE_BYTES);
	const char *id = delivery->subscriber_id;
	int rc = store_note_refusal(store, refusal, err);

	if (rc < 0)
		return error_prefix(err, "bounce: %s", id);
	add_words(&words, refusal->words, delivery);
	switch ((enum store_refused)rc) {
	case STORE_REFUSED_ALREADY:
		log_info("bounce: %s: ignored: this mail was counted before",
		         id);
		return BOUNCE_IGNORED;
	case STORE_SUSPENDED_NOW:
		log_warning(
			"bounce: %s: suspended, because %d digests in a "
			"row were refused; 'arxmail resume' lifts it: %s",
			id, LIMIT_REFUSALS, buf_str(&words));
		break;
	case STORE_REFUSED:
		log_notice("bounce: %s: counted: %s", id, buf_str(&words));
		break;
	}
	return BOUNCE_COUNTED;
}

static int judge(const struct service *service,
                 const struct mail_bounce *bounce,
                 const struct store_delivery *delivery, struct error *err)
{
	owned(buf) struct buf words = BUF_INIT(LIMIT_BOUNCE_BYTES);
	const struct store_refusal refusal = {
		.delivery_id = delivery->id,
		.words = words_of(bounce),
		.at = clock_now_sec(&service->world->clock),
	};

	if (bounce->bad_recipient)
		return count(service->store, delivery, &refusal, err);
	add_words(&words, refusal.words, delivery);
	log_warning(
		"bounce: %s: did not arrive, but not by the mailbox's "
		"fault, so ignored: %s",
		delivery->subscriber_id, buf_str(&words));
	return BOUNCE_IGNORED;
}

int service_bounce(const struct service *service, struct span mail,
                   struct error *err)
{
	owned(mail_bounce) struct mail_bounce bounce = {0};
	struct store_delivery delivery = {0};
	struct error why = {0};
	int rc;

	if (mail_bounce_read(&bounce, mail, service->conf->sender.from.address,
	                     &why) < 0)
		return ignore(why.message);
	if (bounce.action == MAIL_BOUNCE_DELAYED)
		return ignore("the mail is late and still being tried");
	if (bounce.action == MAIL_BOUNCE_DELIVERED)
		return ignore("the mail arrived");

	rc = find(service->store, &bounce, &delivery, err);
	if (rc < 0)
		return -1;
	if (rc == STORE_MISSING)
		return ignore("it names no mail that was sent lately");
	rc = judge(service, &bounce, &delivery, err);
	store_delivery_fini(&delivery);
	return rc;
}
