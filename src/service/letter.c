#include "service/letter.h"

#include "base/mem.h"
#include "mail/message.h"
#include "model/day.h"
#include "service/poll.h"
#include "service_private.h"

struct digest_frame service_frame(const struct service *service,
                                  const struct subscriber *subscriber)
{
	const struct conf *conf = service->conf;

	return (struct digest_frame){
		.templates = conf->templates,
		.language = conf_language(conf, subscriber->language),
		.subject = subscriber->subject,
		.name = subscriber->name,
		.unsubscribe = conf->sender.unsubscribe,
		.contact = conf->feeds.contact,
		.topics = subscriber->topics,
		.n_topics = subscriber->n_topics,
	};
}

/* The zone's offset when the digest was made; UTC's where it is unknown. */
static int32_t find_offset(const struct subscriber *subscriber, int64_t at)
{
	owned(zone) struct zone *zone = zone_open(subscriber->timezone);

	return zone ? zone_offset(zone, at) : 0;
}

static bool failed_today(enum outcome outcome)
{
	return outcome == OUTCOME_UNREACHABLE || outcome == OUTCOME_INVALID ||
	       outcome == OUTCOME_STALE;
}

int service_find_late(const struct service *service,
                      const struct subscriber *subscriber, int64_t at,
                      struct strings *late, struct error *err)
{
	owned(zone) struct zone *new_york = zone_open(DAY_NEW_YORK);
	owned(strings) struct strings categories = {0};
	struct store_day day = {OUTCOME_OF_CATEGORY, NULL,
	                        new_york ? zone_day(new_york, at) : 0};

	service_categories(service->conf, subscriber, &categories);
	for (size_t i = 0; i < categories.n; i++) {
		enum outcome outcome;
		int found;

		day.name = categories.items[i];
		found = store_get_outcome(service->store, &day, &outcome, err);
		if (found < 0)
			return -1;
		if (found == STORE_FOUND && failed_today(outcome))
			strings_add(late, span_of(day.name));
	}
	return 0;
}

int service_add_notes(const struct service *service,
                      const struct subscriber *subscriber, int64_t at,
                      struct strings *notes, struct error *err)
{
	owned(strings) struct strings late = {0};
	owned(mem) char *note = NULL;

	if (service_find_late(service, subscriber, at, &late, err) < 0)
		return -1;
	if (late.n == 0)
		return 0;
	if (digest_note_late(&note,
	                     conf_language(service->conf, subscriber->language),
	                     &late, err) < 0)
		return -1;
	strings_add(notes, span_of(note));
	return 0;
}

int service_write_letter(const struct service *service,
                         const struct subscriber *subscriber,
                         const struct digest *digest, struct buf *message,
                         struct error *err)
{
	struct digest_frame frame = service_frame(service, subscriber);
	owned(digest_parts) struct digest_parts parts = {0};
	owned(strings) struct strings notes = {0};
	struct mail_message mail = {
		.sender = &service->conf->sender,
		.to_name = subscriber->name,
		.to_address = subscriber->email,
		.message_id = digest->message_id,
		.language = subscriber->language,
		.date = digest->created_at,
		.utc_offset_sec = find_offset(subscriber, digest->created_at),
	};

	frame.notes = &notes;
	frame.cache = service->cache;
	frame.quoted = true;
	if (service_add_notes(service, subscriber, digest->created_at, &notes,
	                      err) < 0)
		return -1;
	if (digest_render(&parts, &frame, digest, err) < 0)
		return error_prefix(err, "subscriber %s", subscriber->id);
	mail.subject = parts.subject;
	mail.text = parts.text;
	mail.html = parts.html;
	mail.text_quoted = parts.text_quoted;
	mail.html_quoted = parts.html_quoted;
	if (mail_build(message, &mail, err) < 0)
		return error_prefix(err, "subscriber %s", subscriber->id);
	return 0;
}
